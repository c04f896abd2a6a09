//! What the demo prints when the ring stands.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::Provider;
use e2e::audit::{Detail, Tally};
use e2e::world::{DATABASES, World};

use super::Args;

/// The ring, the cluster as kubectl shows it, metrics, writes, times.
pub(super) async fn print(
    args: &Args,
    provider: &Provider,
    world: &World,
    ring: Duration,
    began: Instant,
) -> anyhow::Result<()> {
    println!("\nnodetool status\n{}", world.nodetool_status().await?);
    if let Some(program) = provider.kubectl() {
        kubectl(program, world)?;
    }
    println!("\nMetrics of the five programs:");
    for (name, program) in &world.programs {
        println!("  {name:<20} http://{}/metrics", program.admin());
    }
    let state = world.ring_state().await?;
    let up = up(&state);
    let expected = usize::from(args.datacenters) * usize::from(args.nodes);
    println!(
        "\nRing after {:.1} s, everything after {:.1} s.",
        ring.as_secs_f64(),
        began.elapsed().as_secs_f64()
    );
    let writes = world.writes()?;
    println!(
        "\nAPI writes of the five programs, by object:\n{}",
        Tally::of(&writes, Detail::Object)
    );
    anyhow::ensure!(up == expected, "{up} nodes are UN, expected {expected}");
    Ok(())
}

/// How many nodes of the stand-in's rings are up and normal.
fn up(state: &serde_json::Value) -> usize {
    let nodes = state["rings"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|ring| ring["nodes"].as_array().into_iter().flatten());
    nodes.filter(|node| node["state"] == "UN").count()
}

fn kubectl(program: &Path, world: &World) -> anyhow::Result<()> {
    let path = world.folder().join("admin.kubeconfig");
    std::fs::write(&path, world.planes.control.kubeconfig("admin")?)?;
    for arguments in [["get", "k8c", "demo"], ["get", "clientconfigs", "-A"]] {
        println!("\nkubectl -n {DATABASES} {}", arguments.join(" "));
        Command::new(program)
            .arg("--kubeconfig")
            .arg(&path)
            .args(["-n", DATABASES])
            .args(arguments)
            .status()?;
    }
    Ok(())
}
