//! `cargo xtask test`: everything that can fail, and honest words about what could not run.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use e2e::stories::Told;
use e2e::{Binaries, NodesChoice, Provider, Way};

use crate::{conformance, faults, workspace};

/// What to run beside all that is always run.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Sweep the faults, too
    #[arg(long)]
    faults: bool,
}

/// Rungs of the ladder of tests that do not exist yet. They are told each time, so that nobody takes them for passed.
const NOT_BUILT: [&str; 1] = ["the stories on kind with the real cass-operator"];

/// Stories with real nodes that the budget of a test run has room for.
const REAL: [&str; 1] = ["real-two"];

/// Names the folder of jars for tests of single nodes, which take some minutes and show less than the stories.
const SINGLE_NODES: &str = "RINGSPAN_CASSANDRA_JARS";

/// Stories that are quick and together use most of what an API server does.
const FEW: [&str; 4] = ["create-one", "delete", "clientconfig", "bad-no-cass-operator"];

/// What one part came to.
enum Outcome {
    Passed(String),
    Failed(String),
    /// Why.
    CouldNotRun(String),
}

/// Runs the tests of all crates, then the stories, also after a test has failed.
///
/// # Errors
/// When the tree does not build, or something failed.
pub fn run(args: &Args) -> Result<()> {
    build()?;
    let parts = [
        ("tests of all crates", timed(tests)),
        ("faults in memory", timed(|| swept(args))),
        ("recorded API server", timed(recorded)),
        ("stories", timed(stories)),
        ("stories on servers in memory", timed(few_stories)),
        ("stories with real Cassandra", timed(real_stories)),
    ];
    println!("\nWhat ran:");
    let (mut failed, mut lacking) = (vec![], missing());
    for (name, (outcome, took)) in parts {
        let seconds = took.as_secs_f64();
        match outcome {
            Outcome::Passed(how) => println!("  {name:<30} ok      {seconds:6.1} s  {how}"),
            Outcome::Failed(why) => {
                println!("  {name:<30} FAILED  {seconds:6.1} s  {why}");
                failed.push(name);
            }
            Outcome::CouldNotRun(why) => {
                println!("  {name:<30} NOT RUN");
                lacking.push(format!("{name}: {why}"));
            }
        }
    }
    list("What could not run here, and why:", &lacking);
    list(
        "What does not exist yet, so it was neither passed nor skipped:",
        &NOT_BUILT,
    );
    match (failed.is_empty(), lacking.is_empty()) {
        (true, true) => println!("\ntest: all passed"),
        (true, false) => println!("\ntest: what could run passed; {} could not", lacking.len()),
        (false, _) => bail!("test: failed: {}", failed.join(", ")),
    }
    Ok(())
}

/// Everything at once: the tests, and the programs that the stories start, with the same features.
fn build() -> Result<()> {
    let mut build = workspace::cargo();
    build.args(["build", "--workspace", "--all-targets", "--locked"]);
    ensure!(succeeds(&mut build)?, "test: the tree does not build");
    Ok(())
}

fn tests() -> Result<Outcome> {
    let mut test = workspace::cargo();
    test.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    Ok(if succeeds(&mut test)? {
        Outcome::Passed(String::new())
    } else {
        Outcome::Failed("see above".to_owned())
    })
}

/// The five programs in memory, with a fault at their calls and at what they are told.
fn swept(args: &Args) -> Result<Outcome> {
    if !args.faults {
        let why = "the rig has to be built optimised for it, which takes seven minutes of two cores: --faults, or cargo xtask faults";
        return Ok(Outcome::CouldNotRun(why.to_owned()));
    }
    let verdict = faults::of_every_change()?;
    Ok(if verdict.holds {
        Outcome::Passed(verdict.summary)
    } else {
        Outcome::Failed(verdict.summary)
    })
}

/// What the API server in memory is held to, held against a real one.
fn recorded() -> Result<Outcome> {
    match Binaries::find() {
        Err(why) => return Ok(Outcome::CouldNotRun(format!("{why:#}"))),
        Ok(found) => {
            if let Some(why) = found.missing() {
                return Ok(Outcome::CouldNotRun(why.to_owned()));
            }
        }
    }
    let outcome = conformance::compare()?;
    for mismatch in &outcome.differ {
        println!("{mismatch}\n");
    }
    let summary = conformance::summary(&outcome);
    Ok(if outcome.is_same() {
        Outcome::Passed(summary)
    } else {
        Outcome::Failed(summary)
    })
}

/// All of them, on real API servers where they can be had.
fn stories() -> Result<Outcome> {
    let choice = Provider::choose(None)?;
    println!("\n{choice}");
    let modelled = NodesChoice::modelled(String::new());
    let told = crate::e2e::told(&choice.provider, &modelled, &[])?;
    Ok(outcome(&told, &choice.to_string()))
}

/// A few on API servers in memory too, so that those who have nothing else can rely on them.
fn few_stories() -> Result<Outcome> {
    let choice = Provider::choose(None)?;
    if choice.provider.way() == Way::Embedded {
        return Ok(Outcome::Passed("all were told so, see above".to_owned()));
    }
    let modelled = NodesChoice::modelled(String::new());
    let told = crate::e2e::told(&Provider::Embedded, &modelled, &FEW)?;
    Ok(outcome(&told, &FEW.join(", ")))
}

/// With processes of Cassandra, where there is what they are run with.
fn real_stories() -> Result<Outcome> {
    let nodes = NodesChoice::real_if_possible(None)?;
    if nodes.cassandra.is_none() {
        return Ok(Outcome::CouldNotRun(nodes.why));
    }
    let choice = Provider::choose(None)?;
    println!("\n{choice}\n{nodes}");
    let told = crate::e2e::told(&choice.provider, &nodes, &REAL)?;
    Ok(outcome(&told, &REAL.join(", ")))
}

fn outcome(told: &Told, how: &str) -> Outcome {
    let passed = told.told - told.failed.len();
    if told.failed.is_empty() {
        Outcome::Passed(format!("{passed} stories; {how}"))
    } else {
        Outcome::Failed(format!(
            "{passed} passed, {} failed: {}",
            told.failed.len(),
            told.failed.join(", ")
        ))
    }
}

/// What tests look for and say nothing about in the output of cargo when they do not find it.
fn missing() -> Vec<String> {
    let mut missing = vec![];
    match std::env::var_os("RINGSPAN_REFERENCE").map(std::path::PathBuf::from) {
        None => missing.push(
            "comparisons with what K8ssandra and cass-operator did: RINGSPAN_REFERENCE names no folder with recordings"
                .to_owned(),
        ),
        Some(folder) if !folder.is_dir() => missing.push(format!(
            "comparisons with what K8ssandra and cass-operator did: RINGSPAN_REFERENCE names {}, which is no folder",
            folder.display()
        )),
        Some(_) => {}
    }
    if std::env::var_os(SINGLE_NODES).is_none() {
        missing.push(format!(
            "tests of single processes of Cassandra (crates/fake-datacenter/tests/real.rs): {SINGLE_NODES} names no folder of jars; \
             `cargo xtask cassandra` makes one and says which"
        ));
    }
    match Binaries::find() {
        Ok(found) => missing.extend(found.missing().map(str::to_owned)),
        Err(why) => missing.push(format!(
            "stories and tests of the harness on real API servers (the stories were told on ones in memory): {why:#}"
        )),
    }
    missing
}

/// Whether a command whose output is for the reader ends well.
fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command
        .status()
        .with_context(|| format!("{} cannot be run", command.get_program().display()))?;
    Ok(status.success())
}

fn timed(part: impl FnOnce() -> Result<Outcome>) -> (Outcome, Duration) {
    let began = Instant::now();
    let outcome = part().unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
    (outcome, began.elapsed())
}

fn list(title: &str, lines: &[impl std::fmt::Display]) {
    if !lines.is_empty() {
        println!("\n{title}");
    }
    for line in lines {
        println!("  - {line}");
    }
}
