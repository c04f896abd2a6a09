//! `cargo xtask faults`: the five controllers in memory and in virtual time, with a fault at every call and every event.
//!
//! It is built optimised, in a profile of its own: a few minutes of the compiler, once, for thousands of runs.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::{reliability, workspace};

/// What is handed to the rig, as it is: see `cargo xtask faults help sweep`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// `sweep --ci`, which is the default and takes about three minutes, `sweep [--budget 5000] [--scenarios S01,S02]
    /// [--row crash]`, which without a budget takes hours, or `replay '<plan>'`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

/// Builds the rig and runs it. A sweep writes `target/faults/figures.json`, and one of the size for every change
/// `docs/reliability.md` too.
///
/// # Errors
/// When it does not build, or a run fails.
pub fn run(args: &Args) -> Result<()> {
    let arguments = if args.arguments.is_empty() {
        CHANGE.map(str::to_owned).to_vec()
    } else {
        args.arguments.clone()
    };
    let swept = rig(&arguments)?;
    if arguments == CHANGE {
        let figures = std::fs::read_to_string(figures()).context("the sweep left no figures")?;
        std::fs::write(reliability::file(), reliability::page(&figures)?)?;
    }
    ensure!(swept, "faults: see above");
    Ok(())
}

/// What every change has to pass: the sweep of that size, and a page that says what came of it.
///
/// # Errors
/// When the rig does not build, or says nothing.
pub fn of_every_change() -> Result<Verdict> {
    let swept = rig(&CHANGE.map(str::to_owned))?;
    let text = std::fs::read_to_string(figures()).context("the sweep left no figures")?;
    let page = reliability::page(&text)?;
    let is_told = std::fs::read_to_string(reliability::file()).is_ok_and(|written| written == page);
    let said: serde_json::Value = serde_json::from_str(&text)?;
    let (runs, failed) = (&said["total"]["runs"], &said["total"]["failed"]);
    let open = said["open"].as_array().map_or(0, Vec::len);
    Ok(Verdict {
        holds: swept && is_told,
        summary: match (swept, is_told) {
            (true, true) => format!("{runs} runs; {open} open plans, named above"),
            (true, false) => {
                format!("{runs} runs; docs/reliability.md says something else: cargo xtask faults")
            }
            (false, _) => format!("{failed} of {runs} runs failed, {open} open plans beside them"),
        },
    })
}

/// What came of a sweep.
pub struct Verdict {
    /// Nothing failed, and the page says so.
    pub holds: bool,
    /// A line about it.
    pub summary: String,
}

/// The sweep of every change.
const CHANGE: [&str; 2] = ["sweep", "--ci"];

fn figures() -> PathBuf {
    workspace::target().join("faults/figures.json")
}

/// Whether the rig ended well.
fn rig(arguments: &[String]) -> Result<bool> {
    let figures = figures();
    if let Some(folder) = figures.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut cargo = workspace::cargo();
    cargo.args([
        "run",
        "--locked",
        "--quiet",
        "--profile",
        "faults",
        "-p",
        "ringspan-fault-rig",
        "--",
    ]);
    cargo.args(arguments);
    if arguments.first().is_some_and(|first| first == "sweep") {
        // An older sweep is not to be taken for this one.
        match std::fs::remove_file(&figures) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        cargo.arg(format!("--figures={}", figures.display()));
    }
    Ok(cargo.status().context("cargo cannot be run")?.success())
}
