//! `cargo xtask e2e`: the user stories, on real kube-apiservers or on API servers in memory.

use e2e::stories::Told;
use e2e::world::Setup;
use e2e::{Nodes, NodesChoice, Provider, Way, stories};

/// Tells user stories, and prints a row for each
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Name the stories, and tell none
    #[arg(long)]
    list: bool,
    /// Tell this one; can be repeated
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Scale of cass-operator's recorded delays
    #[arg(long, default_value_t = PACE)]
    pace: f64,
    /// Who provides the clusters; without it real API servers where they can be had
    #[arg(long)]
    provider: Option<Way>,
    /// What nodes are: modelled unless given
    #[arg(long)]
    cassandra: Option<Nodes>,
}

/// The pace of the stories: that of the demo.
const PACE: f64 = 0.05;

/// Runs the command.
///
/// # Errors
/// A story fails, or the stories cannot be told.
pub fn run(args: &Args) -> anyhow::Result<()> {
    if args.list {
        for story in stories::ALL {
            let nodes = if story.real { " (--cassandra real)" } else { "" };
            println!("{:<24} {}{nodes}", story.id, story.shows);
        }
        return Ok(());
    }
    let choice = Provider::choose(args.provider)?;
    let nodes = NodesChoice::modelled_unless_asked(args.cassandra)?;
    println!("{choice}\n{nodes}");
    let only: Vec<&str> = args.only.iter().map(String::as_str).collect();
    let told = tell(&choice.provider, &nodes, args.pace, &only)?;
    println!(
        "\n{} passed, {} failed, {} not run",
        told.told - told.failed.len(),
        told.failed.len(),
        told.not_run.len()
    );
    anyhow::ensure!(
        told.failed.is_empty(),
        "stories failed: {}; logs are in target/e2e",
        told.failed.join(", ")
    );
    Ok(())
}

/// Tells the stories with these ids, or all, for `cargo xtask test`.
///
/// # Errors
/// The stories cannot be told.
pub fn told(provider: &Provider, nodes: &NodesChoice, only: &[&str]) -> anyhow::Result<Told> {
    tell(provider, nodes, PACE, only)
}

fn tell(provider: &Provider, nodes: &NodesChoice, pace: f64, only: &[&str]) -> anyhow::Result<Told> {
    let programs = crate::build::programs()?;
    let setup = Setup {
        planes: 3,
        joined: 3,
        pace,
        seed: 7,
        proxied: true,
        log_level: "trace",
        cassandra: nodes.cassandra.clone(),
        programs,
        root: crate::build::root(),
    };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        tokio::select! {
            told = stories::tell(provider, &setup, only) => told,
            _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted; everything that was started is ended"),
        }
    })
}
