//! What the demo prints when the ring stands.

use std::time::{Duration, Instant};

use e2e::audit::{Detail, Tally};
use e2e::world::{DATABASES, World};

use super::manifest::Manifest;

/// nodetool starts a Java for each view.
const AGREED_WITHIN: Duration = Duration::from_mins(2);

/// The ring, the cluster as kubectl shows it, metrics, writes, times.
pub(super) async fn print(
    world: &World,
    manifest: &Manifest,
    ring: Duration,
    began: Instant,
) -> anyhow::Result<()> {
    if world.setup().cassandra.is_none() {
        println!("\nnodetool status\n{}", world.nodetool_status().await?);
    }
    tables(world, &manifest.name).await?;
    println!("\nMetrics of the five programs:");
    for (name, program) in &world.programs {
        println!("  {name:<20} http://{}/metrics", program.admin());
    }
    let state = world.ring_state().await?;
    let up = up(&state);
    let expected: usize = manifest.datacenters.iter().map(|it| it.nodes).sum();
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
    if world.setup().cassandra.is_some() {
        verified(world, manifest).await?;
    }
    Ok(())
}

/// What a real node of each datacenter says, and what the shipped verifier says of it.
async fn verified(world: &World, manifest: &Manifest) -> anyhow::Result<()> {
    // A node that has just joined may not have heard of every other one yet.
    let looked = e2e::eventually("the ring is whole", AGREED_WITHIN, || async {
        let views = world.datacenter_views(&manifest.name, "system_auth").await?;
        let (code, said) = world.verdict(&manifest.text, &views).await?;
        anyhow::ensure!(
            code == 0,
            "kubectl ringspan ring verify ends with {code}:\n{said}"
        );
        Ok(Some((views, said)))
    });
    let (views, said) = looked.await?;
    for view in &views {
        println!(
            "\n$ nodetool status system_auth   # in {}\n{}",
            view.node,
            view.status.trim_end()
        );
    }
    let names: Vec<String> = views
        .iter()
        .map(|view| format!(" --system-auth {}.txt", view.node))
        .collect();
    println!(
        "\n$ kubectl ringspan ring verify -f {}{}\n{}",
        manifest.file.unwrap_or("cluster.yaml"),
        names.concat(),
        said.trim_end()
    );
    let memory = world.memory().await?;
    println!(
        "\n{} processes of Cassandra take {} MiB (proportional set size).",
        memory.nodes, memory.pss
    );
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
async fn tables(world: &World, name: &str) -> anyhow::Result<()> {
    let cluster = format!("/apis/k8ssandra.io/v1alpha1/namespaces/{DATABASES}/k8ssandraclusters/{name}");
    let planes = "/apis/config.k8ssandra.io/v1beta1/clientconfigs";
    println!("\nkubectl -n {DATABASES} get k8c {name}");
    print!("{}", world.table(&cluster, false).await?);
    println!("\nkubectl get clientconfigs -A");
    print!("{}", world.table(planes, true).await?);
    Ok(())
}
