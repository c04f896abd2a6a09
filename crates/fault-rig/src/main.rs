//! `fault-rig`: sweeps and replays, for `cargo xtask faults`.

mod figures;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use clap::{Parser, Subcommand};
use fault_rig::plan::Call;
use fault_rig::scenario::{Scenario, WAITING};
use fault_rig::sweep::{self, ROWS, Row};
use fault_rig::{Plan, Report, run};
use figures::{Figures, say};

/// A fault at every call of the five programs, in virtual time.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sweep scenarios with every row, and print what came of it
    Sweep(Sweep),
    /// Run one plan again, and say what is wrong with it
    Replay {
        /// The line of the plan
        plan: Plan,
        /// Print every write of the programs
        #[arg(long)]
        journal: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Sweep {
    /// Scenarios, separated by commas; none = all
    #[arg(long, value_delimiter = ',')]
    scenarios: Vec<String>,
    /// Only rows whose name contains this
    #[arg(long)]
    row: Option<String>,
    /// Seed of the runs, and of which plans are chosen where there are more than the budget allows
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// At most about so many runs; what is always swept whole comes first
    #[arg(long)]
    budget: Option<usize>,
    /// The size for every change: a budget of 5 200
    #[arg(long, conflicts_with = "budget")]
    ci: bool,
    /// At most so many plans of a row and scenario
    #[arg(long, default_value_t = 5_000)]
    most: usize,
    /// Threads; 0 = as many as the machine has processors
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Where the figures are written as JSON
    #[arg(long)]
    figures: Option<PathBuf>,
}

/// More than 5 000 also when some faults never strike.
const CI: usize = 5_200;

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Sweep(wish) => sweep_all(&wish),
        What::Replay { plan, journal } => replay(&plan, journal),
    }
}

fn chosen(ids: &[String]) -> anyhow::Result<Vec<Scenario>> {
    if ids.is_empty() {
        let short = Scenario::ALL.into_iter().filter(|scenario| !scenario.is_long());
        return Ok(short.collect());
    }
    ids.iter()
        .map(|id| Scenario::named(id).with_context(|| format!("there is no scenario {id}")))
        .collect()
}

/// One row of one scenario.
type List<'r> = (&'static Row, &'r Report, Vec<Plan>);

fn sweep_all(wish: &Sweep) -> anyhow::Result<()> {
    let threads = match wish.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    for (id, what, missing) in WAITING {
        say(&format!("{id} ({what}) waits for: {missing}"));
    }
    let began = Instant::now();
    let references: Vec<Report> = chosen(&wish.scenarios)?
        .into_iter()
        .map(|scenario| sweep::reference(scenario, wish.seed))
        .collect::<Result<_, _>>()?;
    for reference in &references {
        tell_calls(reference);
    }
    let wanted = ROWS
        .iter()
        .filter(|row| wish.row.as_deref().is_none_or(|only| row.name.contains(only)));
    let mut lists: Vec<List<'_>> = wanted
        .flat_map(|row| references.iter().map(move |run| (row, run, (row.plans)(run))))
        .collect();
    ensure!(!lists.is_empty(), "there is no such row");
    let mut figures = Figures::default();
    for (row, run, plans) in &lists {
        figures.possible(row.name, run.plan.scenario, plans.len());
    }
    let budget = if wish.ci { Some(CI) } else { wish.budget };
    cut(&mut lists, budget, wish);
    let jobs: Vec<(&Report, Vec<Plan>)> = lists
        .iter()
        .map(|(_, run, plans)| (*run, plans.clone()))
        .collect();
    let outcomes = sweep::sweep(&jobs, threads)?;
    for ((row, run, _), outcome) in lists.iter().zip(&outcomes) {
        figures.add(row, run.plan.scenario, outcome);
    }
    figures.tell(began.elapsed(), threads);
    if let Some(path) = &wish.figures {
        std::fs::write(path, figures.json()).with_context(|| path.display().to_string())?;
    }
    figures.verdict()
}

/// Chooses from the lists what the budget allows.
fn cut(lists: &mut [List<'_>], budget: Option<usize>, wish: &Sweep) {
    let is_whole = |(row, run, _): &List<'_>| {
        row.whole && matches!(run.plan.scenario, Scenario::Three | Scenario::Remove)
    };
    let count = |wanted: bool, lists: &[List<'_>]| -> Vec<usize> {
        let some = lists.iter().filter(|list| is_whole(list) == wanted);
        some.map(|(_, _, plans)| plans.len().min(wish.most)).collect()
    };
    let most = budget.map_or(wish.most, |budget| {
        let left = budget.saturating_sub(count(true, lists).iter().sum());
        sweep::most_of_each(&count(false, lists), left).max(1)
    });
    for list in lists {
        let most = if is_whole(list) {
            usize::MAX
        } else {
            most.min(wish.most)
        };
        list.2 = sweep::sample(std::mem::take(&mut list.2), most, wish.seed);
    }
}

fn tell_calls(reference: &Report) {
    for call in Call::ALL {
        let calls = reference.calls.iter().filter(|((_, kind), _)| *kind == call);
        let calls: Vec<String> = calls
            .map(|((program, _), count)| format!("{program} {count}"))
            .collect();
        say(&format!(
            "{}: {call:?} without faults: {}",
            reference.plan.scenario,
            calls.join(", ")
        ));
    }
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
        "{plan}: done after {:?} of virtual time, struck {:?}",
        report.converged, report.struck
    ));
    if !lines.is_empty() {
        bail!("{} lines are wrong", lines.len());
    }
    Ok(())
}
