//! `cargo xtask demo`: one ring over several Kubernetes clusters, made before your eyes.

mod report;
mod screen;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use e2e::world::{Built, DATABASES, Setup, World, progress};
use e2e::{Choice, Nodes, NodesChoice, Planes, Provider, Way};
use serde_json::{Value, json};

use screen::Screen;

/// Makes a control plane and planes, and one ring across them
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Datacenters, each in a plane of its own
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=5))]
    datacenters: u8,
    /// Nodes of each datacenter, spread over three racks, or over as many as there are nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    nodes: u8,
    /// Scale of cass-operator's recorded delays: 1.0 as recorded
    #[arg(long, default_value_t = 0.05)]
    pace: f64,
    /// Leave everything running, and say how to use it
    #[arg(long)]
    keep: bool,
    /// Who provides the clusters; without it real API servers where they can be had
    #[arg(long)]
    provider: Option<Way>,
    /// What nodes are; without it real where there are Java 17 and Maven
    #[arg(long)]
    cassandra: Option<Nodes>,
}

/// How long the ring may take at pace 0.05; more with a slower pace.
const RING_WITHIN: Duration = Duration::from_secs(90);
/// The same with real nodes.
const REAL_RING_WITHIN: Duration = Duration::from_mins(5);

/// So many real nodes, of 300 MB each, are for a machine with 8 GB. More are given only to who asks for real ones.
const REAL_NODES: u8 = 12;

/// Builds what is needed and shows the ring.
///
/// # Errors
/// Whatever keeps the ring from being made.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let choice = Provider::choose(args.provider)?;
    let nodes = nodes(args)?;
    let programs = crate::build::programs()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let world = tokio::select! {
            shown = show(args, &choice, &nodes, programs) => shown?,
            // What was started ends with the future that owns it.
            _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted; everything that was started is ended"),
        };
        if args.keep {
            keep(world, &choice.provider).await?;
        }
        Ok(())
    })
}

/// Real nodes where they can be had and there is room for them.
fn nodes(args: &Args) -> anyhow::Result<NodesChoice> {
    let count = args.datacenters * args.nodes;
    if args.cassandra.is_none() && count > REAL_NODES {
        let why = format!(
            "{count} processes of Cassandra take gigabytes; --cassandra real gives them all the same"
        );
        return Ok(NodesChoice::modelled(why));
    }
    Ok(NodesChoice::real_if_possible(args.cassandra)?)
}

async fn show(args: &Args, choice: &Choice, nodes: &NodesChoice, programs: Built) -> anyhow::Result<World> {
    let began = Instant::now();
    let count = usize::from(args.datacenters);
    let provider = &choice.provider;
    println!("{choice}\n{nodes}");
    println!(
        "Starting a control plane and {count} planes, each {} ...",
        provider.cluster()
    );
    let root = crate::build::root();
    let setup = Setup {
        planes: count,
        joined: count,
        pace: args.pace,
        seed: 7,
        proxied: false,
        log_level: "info",
        cassandra: nodes.cassandra.clone(),
        programs,
        root: root.clone(),
    };
    let world = World::start(provider, setup).await?;
    println!(
        "  ready after {:.1} s: five programs, {count} planes joined\n",
        began.elapsed().as_secs_f64()
    );
    let manifest = manifest(args, &root)?;
    println!(
        "kubectl apply -f {}",
        if is_sample(args) {
            "docs/samples/two-datacenters.yaml"
        } else {
            "- (generated)"
        }
    );
    let applied = Instant::now();
    world.apply(&manifest).await?;
    watch(args, &world, applied).await?;
    let took = applied.elapsed();
    report::print(args, &world, &manifest, took, began).await?;
    Ok(world)
}

fn is_sample(args: &Args) -> bool {
    args.datacenters == 2 && args.nodes == 3
}

/// The sample, or one like it with other numbers.
fn manifest(args: &Args, root: &Path) -> anyhow::Result<String> {
    let path = root.join("docs/samples/two-datacenters.yaml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    if is_sample(args) {
        return Ok(text);
    }
    let mut sample: Value = serde_saphyr::from_str(&text)?;
    let datacenter = |number: u8| {
        json!({
            "metadata": {"name": format!("dc{number}")},
            "k8sContext": Planes::data_name(usize::from(number)),
            "size": args.nodes,
        })
    };
    sample["spec"]["cassandra"]["datacenters"] = (1..=args.datacenters).map(datacenter).collect();
    // A rack without a node is refused.
    if let Some(racks) = sample["spec"]["cassandra"]["racks"].as_array_mut() {
        racks.truncate(usize::from(args.nodes));
    }
    Ok(sample.to_string())
}

/// Shows a line per datacenter until the cluster is Ready.
async fn watch(args: &Args, world: &World, applied: Instant) -> anyhow::Result<()> {
    let screen = RefCell::new(Screen::new(usize::from(args.datacenters) + 1));
    let within = if world.setup().cassandra.is_some() {
        REAL_RING_WITHIN
    } else {
        RING_WITHIN
    };
    let within = within.mul_f64((args.pace / 0.05).max(1.0) * f64::from(args.datacenters.max(2)) / 2.0);
    let watched = e2e::eventually("the ring is Ready", within, || async {
        let cluster = world.clusters().get("demo").await?;
        let mut lines = Vec::new();
        for number in 1..=usize::from(args.datacenters) {
            let (name, plane) = (format!("dc{number}"), Planes::data_name(number));
            let seen = world.datacenters(&plane)?.get_opt(&name).await?;
            lines.push(screen::datacenter(
                &name,
                &plane,
                args.nodes,
                progress(&cluster, &name, seen.as_ref()),
            ));
        }
        lines.push(screen::cluster(&cluster, applied.elapsed()));
        screen.borrow_mut().show(&lines);
        anyhow::ensure!(
            e2e::world::is_ready(&cluster),
            "{}",
            e2e::world::conditions(&cluster)
        );
        Ok(Some(()))
    });
    watched.await
}

/// Leaves the installation running: processes by themselves, what is in memory as long as this command.
async fn keep(world: World, provider: &Provider) -> anyhow::Result<()> {
    let folder: PathBuf = world.folder().to_owned();
    let kubeconfig = folder.join("kubeconfig");
    std::fs::write(&kubeconfig, world.planes.control.kubeconfig("admin")?)?;
    let kubectl = provider.kubectl().map_or_else(
        || "any kubectl will do".to_owned(),
        |path| format!("kubectl: {}", path.display()),
    );
    println!("\nLeft running. To look around ({kubectl}):");
    println!("  export KUBECONFIG={}", kubeconfig.display());
    println!("  kubectl -n {DATABASES} get k8c demo");
    if provider.kubectl().is_none() {
        println!("The API servers are in the memory of this command: Ctrl-C ends everything.");
        tokio::signal::ctrl_c().await?;
        println!("Everything that was started is ended.");
        return Ok(());
    }
    let ids: Vec<String> = world.leave_running().iter().map(ToString::to_string).collect();
    println!("To end it: kill {}", ids.join(" "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_racks_than_nodes() {
        for (nodes, racks) in [(1, 1), (2, 2), (4, 3)] {
            let args = Args {
                datacenters: 1,
                nodes,
                pace: 0.05,
                keep: false,
                provider: None,
                cassandra: None,
            };
            let manifest: Value =
                serde_json::from_str(&manifest(&args, &crate::workspace::root()).unwrap()).unwrap();
            let given = manifest["spec"]["cassandra"]["racks"].as_array().unwrap();
            assert_eq!(given.len(), racks, "{nodes} nodes");
        }
    }
}
