//! `fault-rig`: sweeps and replays, for `cargo xtask faults`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use fault_rig::plan::Call;
use fault_rig::scenario::Scenario;
use fault_rig::sweep::{self, Failure, ROWS, Row};
use fault_rig::{Plan, Report, run};
use serde_json::{Map, Value, json};

/// A fault at every call of the five programs, in virtual time.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sweep scenarios with every row, and print what came of it
    Sweep {
        /// Scenarios, separated by commas; none = all
        #[arg(long, value_delimiter = ',')]
        scenarios: Vec<String>,
        /// Only rows whose name contains this
        #[arg(long)]
        row: Option<String>,
        /// Seed of the runs
        #[arg(long, default_value_t = 7)]
        seed: u64,
        /// Threads; 0 = as many as the machine has processors
        #[arg(long, default_value_t = 0)]
        threads: usize,
        /// Where the figures are written as JSON
        #[arg(long)]
        figures: Option<PathBuf>,
    },
    /// Run one plan again, and say what is wrong with it
    Replay {
        /// The line of the plan
        plan: Plan,
        /// Print every write of the programs
        #[arg(long)]
        journal: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Sweep {
            scenarios,
            row,
            seed,
            threads,
            figures,
        } => {
            let scenarios = chosen(&scenarios)?;
            let threads = if threads == 0 {
                std::thread::available_parallelism().map_or(1, usize::from)
            } else {
                threads
            };
            sweep_all(&scenarios, row.as_deref(), seed, threads, figures)
        }
        What::Replay { plan, journal } => replay(&plan, journal),
    }
}

fn chosen(ids: &[String]) -> anyhow::Result<Vec<Scenario>> {
    if ids.is_empty() {
        return Ok(Scenario::ALL.to_vec());
    }
    ids.iter()
        .map(|id| Scenario::named(id).with_context(|| format!("there is no scenario {id}")))
        .collect()
}

fn sweep_all(
    scenarios: &[Scenario],
    only: Option<&str>,
    seed: u64,
    threads: usize,
    figures: Option<PathBuf>,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let (mut runs, mut failures, mut all) = (0, 0, Map::new());
    for scenario in scenarios {
        let reference = sweep::reference(*scenario, seed)?;
        for call in Call::ALL {
            let calls = sweep::calls(&reference, call);
            say(&format!("{scenario}: {call:?} without faults {calls:?}"));
        }
        let rows = ROWS
            .iter()
            .filter(|(name, ..)| only.is_none_or(|only| name.contains(only)));
        for (name, call, faults) in rows {
            let row = sweep::sweep(&reference, &sweep::plans(&reference, *call, faults), threads)?;
            // A fault that never happened is no fault that was survived.
            anyhow::ensure!(row.runs > 0, "{scenario} {name}: no run");
            tell(&reference, name, &row);
            runs += row.runs;
            failures += row.failures.len();
            all.insert(format!("{scenario}/{name}"), figure(&row));
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    all.insert(
        "total".to_owned(),
        json!({"runs": runs, "failed": failures, "threads": threads}),
    );
    if let Some(path) = figures {
        std::fs::write(&path, format!("{:#}\n", Value::Object(all)))
            .with_context(|| path.display().to_string())?;
    }
    #[expect(clippy::cast_precision_loss, reason = "far fewer runs than 2^52")]
    let rate = runs as f64 / seconds;
    say(&format!(
        "faults: {runs} runs, {failures} failed, {seconds:.1} s on {threads} threads: {rate:.0} runs per second"
    ));
    if failures > 0 {
        bail!("{failures} of {runs} runs failed");
    }
    Ok(())
}

fn tell(reference: &Report, name: &str, row: &Row) {
    let scenario = reference.plan.scenario;
    say(&format!(
        "FIG {scenario} {name} runs={} failed={} slowest={}s",
        row.runs,
        row.failures.len(),
        row.slowest
    ));
    for failure in &row.failures {
        tell_failure(failure);
    }
}

fn tell_failure(failure: &Failure) {
    say(&format!("  FAILED {}", failure.plan));
    for line in failure.lines.iter().take(6) {
        say(&format!("    {line}"));
    }
    if failure.lines.len() > 6 {
        say(&format!("    and {} lines more", failure.lines.len() - 6));
    }
}

fn figure(row: &Row) -> Value {
    let failed: Vec<String> = row
        .failures
        .iter()
        .map(|failure| failure.plan.to_string())
        .collect();
    json!({"runs": row.runs, "slowest_seconds": row.slowest, "failed": failed})
}

fn replay(plan: &Plan, journal: bool) -> anyhow::Result<()> {
    let reference = sweep::reference(plan.scenario, plan.seed)?;
    let report = run(plan.clone())?;
    if journal {
        for line in &report.journal {
            say(line);
        }
    }
    let lines = sweep::wrong(&reference, &report);
    for line in &lines {
        say(line);
    }
    say(&format!(
        "{plan}: done after {:?} of virtual time",
        report.converged
    ));
    if !lines.is_empty() {
        bail!("{} lines are wrong", lines.len());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures are what whoever runs this reads")]
fn say(line: &str) {
    println!("{line}");
}
