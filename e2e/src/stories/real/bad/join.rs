//! Joins that go wrong.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use scylla::statement::Consistency;
use serde_json::{Value, json};

use super::super::ring::{RING_WITHIN, cluster_of, end, one_schema, whole};
use super::{has_all, works};
use crate::eventually;
use crate::stories::clusters::{dc, delete, patch};
use crate::stories::print;
use crate::world::{NodeView, World};

const NAME: &str = "joins";
const JOINER: &str = "joins-dc2-r1-sts-0";
/// An address that no pod has.
const NOBODY: &str = "198.18.250.250";

pub(in crate::stories) async fn join(world: &mut World) -> anyhow::Result<()> {
    let alone = cluster_of(NAME, &[dc("dc1", "east", 1)], &["r1"]);
    world.apply(&alone.to_string()).await?;
    world.ready(NAME, RING_WITHIN).await?;
    let views = whole(world, &alone, 1).await?;
    let both = cluster_of(NAME, &[dc("dc1", "east", 1), dc("dc2", "west", 1)], &["r1"]);
    dies_while_it_bootstraps(world, &both, &views).await?;
    nobody_else_is_a_seed(world).await?;
    whole(world, &both, 2).await?;
    end(world, NAME).await
}

/// A joining node is killed and stays dead for a while; one of the seeds that its cluster names belongs to nobody.
async fn dies_while_it_bootstraps(world: &World, both: &Value, views: &[NodeView]) -> anyhow::Result<()> {
    let superuser = world.superuser("control-plane", NAME).await?;
    let first = world.log_in(views.first().context("a node")?, &superuser).await?;
    let keyspace = "CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}";
    first.run(Consistency::Quorum, keyspace).await?;
    let table = "CREATE TABLE shop.orders (id int PRIMARY KEY, what text)";
    first.run(Consistency::Quorum, table).await?;
    let began = Instant::now();
    let cassandra = json!({
        "additionalSeeds": [NOBODY],
        "datacenters": both["spec"]["cassandra"]["datacenters"],
    });
    patch(world, NAME, &json!({"spec": {"cassandra": cassandra}})).await?;
    bootstraps(world, NAME).await?;
    world.do_to_node("west", JOINER, "kill").await?;
    let looked = eventually("its process is gone", RING_WITHIN, || async {
        Ok(world.process("west", JOINER).await?.is_none().then_some(()))
    });
    looked.await?;
    print(&format!(
        "    a node was killed while it bootstrapped, {:.0} s after dc2 was added",
        began.elapsed().as_secs_f64()
    ));
    let told = world
        .cluster_is(
            NAME,
            "tells that the node has not started",
            RING_WITHIN,
            |cluster| {
                let status = cluster.status.as_ref();
                let ready = status.and_then(|it| it.conditions.iter().find(|it| it.type_ == "Ready"));
                let message = ready.and_then(|it| it.message.clone()).unwrap_or_default();
                message.contains("0 of 1 nodes have started")
            },
        )
        .await?;
    let said = crate::world::conditions(&told);
    has_all(
        &said,
        &[
            "Ready=False DatacenterNotReady",
            "datacenter dc2 is not Ready yet",
            "`kubectl describe cassandradatacenter dc2` in plane west",
        ],
    )?;
    ensure!(
        world.process("west", JOINER).await?.is_none(),
        "{JOINER} runs again"
    );
    works(&first, 1, Consistency::LocalQuorum).await?;
    let (code, verdict) = world
        .verdict(&both.to_string(), &world.node_views(NAME, "system_auth").await?)
        .await?;
    ensure!(code == 1, "ring verify ends with {code}: {verdict}");
    world.do_to_node("west", JOINER, "start").await?;
    world.ready(NAME, RING_WITHIN).await?;
    let views = whole(world, both, 2).await?;
    one_schema(world, &views).await?;
    works(&first, 2, Consistency::LocalQuorum).await?;
    print(&format!(
        "    it joined all the same, beside a seed that belongs to nobody: Ready after {:.0} s",
        began.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// Waits until a node of a ring sees another one that joins.
async fn bootstraps(world: &World, cluster: &str) -> anyhow::Result<()> {
    let looked = eventually("a node bootstraps", RING_WITHIN, || async {
        let state = world.ring_state().await?;
        let rings = state["rings"].as_array().into_iter().flatten();
        let rings = rings.filter(|ring| ring["cluster"] == cluster);
        let mut nodes = rings.flat_map(|ring| ring["nodes"].as_array().into_iter().flatten());
        Ok(nodes.any(|node| node["state"] == "UJ").then_some(()))
    });
    looked.await
}

/// A cluster whose only seed belongs to nobody founds no ring and says for what it waits; the other ring is as it was.
async fn nobody_else_is_a_seed(world: &World) -> anyhow::Result<()> {
    let mut lost = cluster_of("lost", &[dc("dc3", "north", 1)], &["r1"]);
    lost["spec"]["cassandra"]["additionalSeeds"] = json!([NOBODY]);
    world.apply(&lost.to_string()).await?;
    let told = world
        .cluster_is("lost", "names the seed", RING_WITHIN, |cluster| {
            crate::world::conditions(cluster).contains("`spec.cassandra.additionalSeeds`")
        })
        .await?;
    let said = crate::world::conditions(&told);
    has_all(
        &said,
        &[
            "Ready=False DatacenterNotReady: datacenter dc3 is not Ready yet",
            "0 of 1 nodes have started",
            "`spec.cassandra.additionalSeeds` (198.18.250.250)",
            "correct them",
        ],
    )?;
    let tried = eventually("its node finds nobody", Duration::from_mins(4), || async {
        let state = world.ring_state().await?;
        let journal = state["journal"].as_array().into_iter().flatten();
        let mut lines = journal.filter_map(Value::as_str);
        let gave_up = |line: &str| line.starts_with("north/db/lost-dc3-r1-sts-0 ended by itself");
        Ok(lines.any(gave_up).then_some(state))
    });
    let state = tried.await?;
    let founded = &state["founded"]["lost"];
    ensure!(founded.is_null(), "a ring was founded: {founded}");
    print("    a cluster whose only seed belongs to nobody founded nothing, and named the seed");
    delete(world, "lost").await
}
