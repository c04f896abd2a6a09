//! `cargo xtask demo`: one ring over several Kubernetes clusters, made before your eyes.

mod manifest;
mod report;
mod screen;

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use e2e::world::{Built, DATABASES, Setup, World, progress};
use e2e::{Choice, Nodes, NodesChoice, Provider, Way};

use manifest::Manifest;
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
    /// Two regions with racks in their zones, 40 ms and 120 ms from the control plane, there and back
    #[arg(long, conflicts_with_all = ["datacenters", "nodes", "keep"])]
    regions: bool,
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
const REAL_RING_WITHIN: Duration = Duration::from_mins(10);

/// One way between the control plane and each region; only requests to API servers take it, not what nodes say to each other.
const REGIONS: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(60)];

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
        // What is to outlive this process cannot go through its proxies.
        proxied: args.regions,
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
    if args.regions {
        for (plane, one_way) in world.planes.data.iter().zip(REGIONS) {
            plane.proxy().set_latency(one_way);
            println!(
                "  {}: {} ms there and back",
                plane.name(),
                2 * one_way.as_millis()
            );
        }
    }
    let manifest = Manifest::of(args, &root)?;
    println!("kubectl apply -f {}", manifest.file.unwrap_or("- (generated)"));
    let applied = Instant::now();
    world.apply(&manifest.text).await?;
    watch(args, &world, &manifest, applied).await?;
    let took = applied.elapsed();
    report::print(&world, &manifest, took, began).await?;
    Ok(world)
}

/// Shows a line per datacenter until the cluster is Ready.
async fn watch(args: &Args, world: &World, manifest: &Manifest, applied: Instant) -> anyhow::Result<()> {
    let screen = RefCell::new(Screen::new(manifest.datacenters.len() + 1));
    let within = if world.setup().cassandra.is_some() {
        REAL_RING_WITHIN
    } else {
        RING_WITHIN
    };
    let within = within.mul_f64((args.pace / 0.05).max(1.0) * f64::from(args.datacenters.max(2)) / 2.0);
    let watched = e2e::eventually("the ring is Ready", within, || async {
        let cluster = world.clusters().get(&manifest.name).await?;
        let mut lines = Vec::new();
        for datacenter in &manifest.datacenters {
            let seen = world
                .datacenters(&datacenter.plane)?
                .get_opt(&datacenter.name)
                .await?;
            let step = progress(&cluster, &datacenter.name, seen.as_ref());
            lines.push(screen::datacenter(datacenter, step));
        }
        lines.push(screen::cluster(&manifest.name, &cluster, applied.elapsed()));
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
