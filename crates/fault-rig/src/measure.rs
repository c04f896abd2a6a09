//! What one run costs: for whoever makes them quicker.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use fault_rig::scenario::Scenario;
use fault_rig::{Plan, run};

use crate::figures::say;

/// How runs are measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Measure {
    /// The scenario
    #[arg(long, default_value = "S02")]
    scenario: String,
    /// So many runs without a fault, one after another on one thread
    #[arg(long, default_value_t = 20)]
    runs: u32,
    /// Seed of the runs
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// Runs the same plan again and again on one thread, and says what a run does and how long it takes. The first run, which
/// compiles what all share, is not counted.
pub(crate) fn measure(wish: &Measure) -> anyhow::Result<()> {
    let scenario =
        Scenario::named(&wish.scenario).with_context(|| format!("there is no scenario {}", wish.scenario))?;
    let plan = Plan::without_fault(scenario, wish.seed);
    let first = run(plan.clone())?;
    ensure!(first.violations.is_empty(), "{:#?}", first.violations);
    say(&format!(
        "{scenario}: {} calls, {} events shown, {} writes of the programs, done after {:?} of virtual time",
        first.asked.len(),
        first.shown.len(),
        first.journal.len(),
        first.converged.unwrap_or_default(),
    ));
    let (began, busy) = (Instant::now(), on_the_processor());
    for _ in 0..wish.runs {
        run(plan.clone())?;
    }
    let each = |time: Duration| time.as_secs_f64() / f64::from(wish.runs.max(1));
    let (took, busy) = (
        each(began.elapsed()),
        each(on_the_processor().saturating_sub(busy)),
    );
    say(&format!(
        "{} runs on one thread: {:.1} ms each, {:.1} ms of them on a processor: {:.1} runs per second of it",
        wish.runs,
        took * 1e3,
        busy * 1e3,
        1.0 / busy
    ));
    Ok(())
}

/// For how long this thread has had a processor: on a busy machine the only time that says something. Linux alone tells.
fn on_the_processor() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}
