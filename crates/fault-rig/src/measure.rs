//! What one run costs: for whoever makes them quicker.

use std::time::Instant;

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

/// Runs the same plan again and again on one thread, and says what a run does and how long it takes: the quickest, which
/// is the least disturbed by others, and all together. The first run, which compiles what all share, is not counted.
pub(crate) fn measure(wish: &Measure) -> anyhow::Result<()> {
    let scenario = Scenario::named(&wish.scenario)
        .with_context(|| format!("there is no scenario {}", wish.scenario))?;
    let plan = Plan::without_fault(scenario, wish.seed);
    let first = run(plan.clone())?;
    ensure!(first.violations.is_empty(), "{:#?}", first.violations);
    let mut quickest = f64::INFINITY;
    let began = Instant::now();
    for _ in 0..wish.runs {
        let began = Instant::now();
        run(plan.clone())?;
        quickest = quickest.min(began.elapsed().as_secs_f64());
    }
    let mean = began.elapsed().as_secs_f64() / f64::from(wish.runs.max(1));
    say(&format!(
        "{scenario}: {} calls, {} events shown, {} writes of the programs, done after {:?} of virtual time",
        first.asked.len(),
        first.shown.len(),
        first.journal.len(),
        first.converged.unwrap_or_default(),
    ));
    say(&format!(
        "{} runs on one thread: mean {:.1} ms, quickest {:.1} ms, {:.1} runs per second",
        wish.runs,
        mean * 1e3,
        quickest * 1e3,
        1.0 / mean
    ));
    Ok(())
}
