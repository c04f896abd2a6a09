//! `cargo xtask faults`: the five controllers in memory and in virtual time, with a fault at every call and every event.
//!
//! It is built optimised, in a profile of its own: a few minutes of the compiler, once, for thousands of runs.

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// What is handed to the rig, as it is: see `cargo xtask faults help sweep`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// `sweep --ci`, which is the default and takes about ten minutes, `sweep [--budget 5000] [--scenarios S01,S02] [--row crash]`, which without
    /// a budget takes hours, or `replay '<plan>'`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

/// Builds the rig and runs it. A sweep writes `target/faults/figures.json`.
///
/// # Errors
/// When it does not build, or a run fails.
pub fn run(args: &Args) -> Result<()> {
    let mut arguments = args.arguments.clone();
    if arguments.is_empty() {
        arguments.extend(["sweep", "--ci"].map(str::to_owned));
    }
    if arguments[0] == "sweep" {
        let figures = workspace::target().join("faults/figures.json");
        if let Some(folder) = figures.parent() {
            std::fs::create_dir_all(folder)?;
        }
        arguments.push(format!("--figures={}", figures.display()));
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
    let status = cargo.args(arguments).status().context("cargo cannot be run")?;
    ensure!(status.success(), "faults: see above");
    Ok(())
}
