//! `fault-rig`: sweeps and replays, for `cargo xtask faults`.

mod choice;
mod figures;
mod hunt;
mod measure;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use choice::{Limits, List};
use clap::{Parser, Subcommand};
use fault_rig::plan::Call;
use fault_rig::scenario::{Scenario, WAITING};
use fault_rig::sweep::{self, Open, ROWS};
use fault_rig::{Plan, Report, run};
use figures::{Figures, say, tell_failure};

/// A run is millions of small pieces of JSON: the system's allocator took a third of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// Run plan after plan until one fails
    Hunt(hunt::Hunt),
    /// Run a scenario without faults again and again, and say what a run costs
    Measure(measure::Measure),
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
    /// A budget of 640
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

/// The writes of S02 and S04 whole, and some of everything else: under three minutes on two quiet processors.
const CI: usize = 640;

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Sweep(wish) => sweep_all(&wish),
        What::Hunt(wish) => hunt::hunt(&wish),
        What::Measure(wish) => measure::measure(&wish),
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
    let open = wish.open()?;
    let mut figures = Figures::default();
    let lists = lists(wish, &references, &open, &mut figures)?;
    let jobs: Vec<(&Report, Vec<Plan>)> = lists
        .iter()
        .map(|(_, run, plans)| (*run, plans.clone()))
        .collect();
    let outcomes = sweep::sweep(&jobs, threads, &|number, failure| {
        tell_failure(lists[number].0.name, failure);
    });
    for ((row, run, _), outcome) in lists.iter().zip(&outcomes) {
        figures.add(row, run.plan.scenario, outcome);
    }
    figures.add_open(&open, &sweep::failing(&open, &references, threads)?);
    figures.tell(began.elapsed(), threads);
    if let Some(path) = &wish.figures {
        std::fs::write(path, figures.json()).with_context(|| path.display().to_string())?;
    }
    figures.verdict()
}

/// What is run, of all that there is. Open plans are run for themselves.
fn lists<'r>(
    wish: &Sweep,
    references: &'r [Report],
    open: &[Open],
    figures: &mut Figures,
) -> anyhow::Result<Vec<List<'r>>> {
    let wanted = ROWS
        .iter()
        .filter(|row| wish.row.as_deref().is_none_or(|only| row.name.contains(only)));
    let mut lists: Vec<List<'_>> = wanted
        .flat_map(|row| references.iter().map(move |run| (row, run, (row.plans)(run))))
        .collect();
    ensure!(!lists.is_empty(), "there is no such row");
    for (row, run, plans) in &lists {
        figures.possible(row.name, run.plan.scenario, plans.len());
    }
    let limits = Limits {
        budget: if wish.ci { Some(CI) } else { wish.budget },
        most: wish.most,
        seed: wish.seed,
    };
    choice::cut(&mut lists, &limits);
    for list in lists.iter_mut().filter(|list| !choice::is_whole(list)) {
        list.2.retain(|plan| open.iter().all(|open| open.plan != *plan));
    }
    Ok(lists)
}

impl Sweep {
    /// The open plans, where nothing was left out.
    fn open(&self) -> anyhow::Result<Vec<Open>> {
        if self.row.is_some() || !self.scenarios.is_empty() {
            return Ok(Vec::new());
        }
        sweep::open()
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
