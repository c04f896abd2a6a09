//! `cargo xtask bench`: what has a limit, measured.

mod size;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;

use crate::workspace;

/// What to measure.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// The shipped program: bytes, time from exec to ready, memory at rest
    Size,
    /// One decision about a cluster with every option: its time, and whether it grows
    Plan,
}

fn plan() -> Result<()> {
    let mut bench = workspace::cargo();
    bench.args(["bench", "--locked", "-p", "ringspan-plan", "--bench", "plan"]);
    let status = bench.status().context("cargo cannot be run")?;
    ensure!(status.success(), "bench: the limit is passed, see above");
    Ok(())
}

/// Measures and prints.
///
/// # Errors
/// When a limit is passed, or nothing can be measured.
pub fn run(args: &Args) -> Result<()> {
    match args.what {
        What::Size => size::run(),
        What::Plan => plan(),
    }
}
