//! `cargo xtask conformance`: what the API server in memory is held to, on a real one.

use std::time::Instant;

use anyhow::ensure;
use e2e::Binaries;
use e2e::conformance::{self, Outcome};

/// Hold the recorded answers of an API server against a real one
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Write the answers of the real one into the files
    #[arg(long)]
    record: bool,
    /// Record this script alone
    #[arg(long, value_name = "NAME", requires = "record")]
    only: Option<String>,
    /// Play scripts drawn from this seed on a real server and on the one in memory, and write nothing
    #[arg(long, value_name = "SEED", conflicts_with = "record")]
    random: Option<u64>,
    /// How many of them
    #[arg(long, default_value_t = 40, requires = "random")]
    scripts: u64,
}

/// Requests of a script that is drawn.
const LENGTH: usize = 40;

/// Runs the command.
///
/// # Errors
/// There is no real server, it does not answer, or (without `--record`) it answers otherwise.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let begun = Instant::now();
    let outcome = outcome(args)?;
    for mismatch in &outcome.differ {
        println!("{mismatch}\n");
    }
    let took = begun.elapsed().as_secs_f64();
    if let Some(seed) = args.random {
        println!(
            "conformance: {} pairs drawn from seed {seed} in {took:.1} s, {} differ",
            outcome.pairs,
            outcome.differ.len()
        );
        ensure!(
            outcome.differ.is_empty(),
            "the server in memory answers otherwise than a real one"
        );
        return Ok(());
    }
    if args.record {
        println!(
            "conformance: {} pairs recorded in {took:.1} s, {} of them changed",
            outcome.pairs,
            outcome.differ.len()
        );
        return Ok(());
    }
    println!("{} in {took:.1} s", summary(&outcome));
    ensure!(
        outcome.is_same(),
        "a real API server answers otherwise than the files say"
    );
    Ok(())
}

/// Compares, for `cargo xtask test`.
///
/// # Errors
/// As [`run`], but for answers that differ.
pub fn compare() -> anyhow::Result<Outcome> {
    outcome(&Args::default())
}

/// One line about a comparison.
pub fn summary(outcome: &Outcome) -> String {
    let kinds = if outcome.kinds_differ {
        "the built-in kinds differ: cargo xtask conformance --record"
    } else {
        "the built-in kinds are the same"
    };
    format!(
        "conformance: {} pairs recorded, {} differ; {kinds}",
        outcome.pairs,
        outcome.differ.len()
    )
}

fn outcome(args: &Args) -> anyhow::Result<Outcome> {
    let binaries = Binaries::find()?;
    if let Some(why) = binaries.missing() {
        anyhow::bail!("{why}");
    }
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        if let Some(seed) = args.random {
            conformance::draw(&binaries, seed, args.scripts, LENGTH).await
        } else if args.record {
            conformance::record(&binaries, args.only.as_deref()).await
        } else {
            conformance::compare(&binaries).await
        }
    })
}
