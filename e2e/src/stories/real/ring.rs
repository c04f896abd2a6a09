//! A cluster becomes one ring of real nodes.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::{Value, json};

use crate::eventually;
use crate::stories::clusters::{cluster, dc, gone, name_of};
use crate::stories::print;
use crate::world::{NodeView, World};
use kube::api::DeleteParams;

/// What a ring, and each change of it, may take on a machine that has much else to do. The budget is less, see [`BUDGET`].
pub(super) const RING_WITHIN: Duration = Duration::from_mins(9);
/// What six nodes may take on two cores that do nothing else. It is told and not enforced: times depend on the machine.
const BUDGET: Duration = Duration::from_mins(4);
/// Sum of the proportional set sizes of six nodes, in MiB.
const MEMORY: u64 = 4096;
/// Gossip and schema are the same everywhere within a few seconds; nodetool starts a Java for each node.
const AGREED_WITHIN: Duration = Duration::from_mins(2);

/// The version that the nodes really are.
const VERSION: &str = "5.0.6";

pub(in crate::stories) async fn two(world: &mut World) -> anyhow::Result<()> {
    let spec = cluster_of(
        "two",
        &[dc("dc1", "east", 3), dc("dc2", "west", 3)],
        &["r1", "r2", "r3"],
    );
    let began = Instant::now();
    world.apply(&spec.to_string()).await?;
    world.ready("two", RING_WITHIN).await?;
    let ready = began.elapsed();
    let views = whole(world, &spec, 6).await?;
    let (took, memory) = (began.elapsed(), world.memory().await?);
    print(&format!(
        "    six real nodes: Ready after {:.0} s, whole in every node's view after {:.0} s, {} MiB PSS, {} MiB RSS",
        ready.as_secs_f64(),
        took.as_secs_f64(),
        memory.pss,
        memory.rss
    ));
    if took > BUDGET {
        print(&format!(
            "    that is more than the budget of {} s",
            BUDGET.as_secs()
        ));
    }
    ensure!(memory.nodes == 6, "{} processes", memory.nodes);
    ensure!(
        memory.pss > 0 && memory.pss < MEMORY,
        "{} MiB of memory",
        memory.pss
    );
    let versions = one_schema(world, &views).await?;
    print(&format!(
        "    one schema version in every node's view: {versions}"
    ));
    end(world, "two").await
}

/// A cluster of that version with these racks.
pub(super) fn cluster_of(name: &str, datacenters: &[Value], racks: &[&str]) -> Value {
    let mut spec = cluster(name, datacenters);
    spec["spec"]["cassandra"]["serverVersion"] = json!(VERSION);
    spec["spec"]["cassandra"]["racks"] = racks.iter().map(|name| json!({"name": name})).collect();
    spec
}

/// Waits until the verifier finds the ring whole in the view of each of so many nodes; returns the views.
pub(super) async fn whole(world: &World, spec: &Value, nodes: usize) -> anyhow::Result<Vec<NodeView>> {
    let (name, manifest) = (name_of(spec)?, spec.to_string());
    let looked = eventually("the ring is whole", AGREED_WITHIN, || async {
        let views = world.node_views(name, "system_auth").await?;
        ensure!(
            views.len() == nodes,
            "{} nodes answer, expected {nodes}",
            views.len()
        );
        let (code, said) = world.verdict(&manifest, &views).await?;
        ensure!(code == 0, "ring verify ends with {code}: {said}");
        Ok(Some(views))
    });
    looked.await
}

/// That every node sees one schema version, the same everywhere.
pub(super) async fn one_schema(world: &World, views: &[NodeView]) -> anyhow::Result<String> {
    let looked = eventually("one schema version", AGREED_WITHIN, || async {
        let mut all = std::collections::BTreeSet::new();
        for view in views {
            let versions = world.schema_versions(view).await?;
            let versions = versions.as_object().cloned().unwrap_or_default();
            ensure!(!versions.is_empty(), "{} tells no schema version", view.node);
            all.extend(versions.into_iter().map(|(version, _)| version));
        }
        ensure!(all.len() == 1, "several schema versions: {all:?}");
        Ok(all.into_iter().next())
    });
    looked.await
}

/// Deletes the cluster, and sees that no process of it is left.
pub(super) async fn end(world: &World, name: &str) -> anyhow::Result<()> {
    world.clusters().delete(name, &DeleteParams::default()).await?;
    gone(&world.clusters(), name, RING_WITHIN).await?;
    let looked = eventually("no process is left", Duration::from_mins(1), || async {
        let left = world.memory().await?.nodes;
        ensure!(left == 0, "{left} processes are left");
        Ok(Some(()))
    });
    looked.await
}
