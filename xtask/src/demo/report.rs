//! What the demo prints when the ring stands.

use std::time::{Duration, Instant};

use e2e::audit::{Detail, Tally};
use e2e::world::{DATABASES, World};

use super::Args;

/// The ring, the cluster as kubectl shows it, metrics, writes, times.
pub(super) async fn print(args: &Args, world: &World, ring: Duration, began: Instant) -> anyhow::Result<()> {
    println!("\nnodetool status\n{}", world.nodetool_status().await?);
    tables(world).await?;
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

/// What a user would look at first.
async fn tables(world: &World) -> anyhow::Result<()> {
    let cluster = format!("/apis/k8ssandra.io/v1alpha1/namespaces/{DATABASES}/k8ssandraclusters/demo");
    let planes = "/apis/config.k8ssandra.io/v1beta1/clientconfigs";
    println!("\nkubectl -n {DATABASES} get k8c demo");
    print!("{}", world.table(&cluster, false).await?);
    println!("\nkubectl get clientconfigs -A");
    print!("{}", world.table(planes, true).await?);
    Ok(())
}
