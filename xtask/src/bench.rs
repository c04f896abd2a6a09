//! `cargo xtask bench`: what has a limit, measured.

mod size;

use anyhow::Result;
use clap::Subcommand;

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
}

/// Measures and prints.
///
/// # Errors
/// When a limit is passed, or nothing can be measured.
pub fn run(args: &Args) -> Result<()> {
    match args.what {
        What::Size => size::run(),
    }
}
