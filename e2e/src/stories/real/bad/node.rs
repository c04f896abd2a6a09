//! Nodes of a ring that fail one by one.

use std::time::Instant;

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::DeleteParams;
use scylla::statement::Consistency;
use serde_json::{Value, json};

use super::super::ring::{RING_WITHIN, cluster_of, end, one_schema, whole};
use super::{has_all, has_row, view_of, works};
use crate::eventually;
use crate::stories::clusters::{dc, patch};
use crate::stories::print;
use crate::world::{DATABASES, Node, NodeView, World, conditions, is_ready};

const NAME: &str = "fails";
const FIRST: &str = "fails-dc1-r1-sts-0";
const SECOND: &str = "fails-dc1-r2-sts-0";
const LAST: &str = "fails-dc1-r3-sts-0";

pub(in crate::stories) async fn node(world: &mut World) -> anyhow::Result<()> {
    let spec = cluster_of(NAME, &[dc("dc1", "east", 3)], &["r1", "r2", "r3"]);
    world.apply(&spec.to_string()).await?;
    world.ready(NAME, RING_WITHIN).await?;
    let views = whole(world, &spec, 3).await?;
    let superuser = world.superuser("control-plane", NAME).await?;
    let second = world.log_in(view_of(&views, SECOND)?, &superuser).await?;
    let keyspace = "CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3}";
    second.run(Consistency::Quorum, keyspace).await?;
    one_schema(world, &views).await?;
    let table = "CREATE TABLE shop.orders (id int PRIMARY KEY, what text)";
    second.run(Consistency::Quorum, table).await?;
    one_schema(world, &views).await?;
    Box::pin(disagrees(world, &spec, &views, &second)).await?;
    Box::pin(has_no_space(world, &spec, &second)).await?;
    end(world, NAME).await
}

/// A table is made while one node hears of nothing, and somebody has taken replicas of a system keyspace away.
async fn disagrees(world: &World, spec: &Value, views: &[NodeView], second: &Node) -> anyhow::Result<()> {
    let fewer =
        "ALTER KEYSPACE system_traces WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}";
    second.run(Consistency::Quorum, fewer).await?;
    one_schema(world, views).await?;
    world.do_to_node("east", FIRST, "gossip-off").await?;
    down_for_others(world, SECOND).await?;
    let table = "CREATE TABLE shop.apart (id int PRIMARY KEY)";
    second.run(Consistency::Quorum, table).await?;
    let began = Instant::now();
    // Any edit lets the replication be looked at again.
    let edit = json!({"spec": {"cassandra": {"rebuild": {"maxConcurrentRebuilds": 2}}}});
    patch(world, NAME, &edit).await?;
    let said = world
        .says(NAME, "Ready", "False", "SchemaDisagreement", RING_WITHIN)
        .await?;
    has_all(
        &said,
        &[
            "do not agree on the schema, so replication is not changed",
            &format!("{FIRST} ({})", view_of(views, FIRST)?.address),
            SECOND,
            "nodetool describecluster",
        ],
    )?;
    print(&format!(
        "    told {:.0} s after the edit: {said}",
        began.elapsed().as_secs_f64()
    ));
    ensure!(
        traces(world, views).await? == json!("1"),
        "system_traces was changed"
    );
    works(second, 1, Consistency::LocalQuorum).await?;
    world.do_to_node("east", FIRST, "gossip-on").await?;
    world.ready(NAME, RING_WITHIN).await?;
    ensure!(
        traces(world, views).await? == json!("3"),
        "system_traces was not changed"
    );
    let views = whole(world, spec, 3).await?;
    one_schema(world, &views).await?;
    print(&format!(
        "    healed and Ready {:.0} s after the edit, system_traces has three copies again",
        began.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// Waits until a node sees another one down.
async fn down_for_others(world: &World, seen_by: &str) -> anyhow::Result<()> {
    let looked = eventually("the node is down for others", RING_WITHIN, || async {
        let views = world.node_views(NAME, "system_auth").await?;
        let view = view_of(&views, seen_by)?;
        Ok(view
            .status
            .lines()
            .any(|line| line.starts_with("DN"))
            .then_some(()))
    });
    looked.await
}

/// How many copies of `system_traces` dc1 should have, as a node says.
async fn traces(world: &World, views: &[NodeView]) -> anyhow::Result<Value> {
    let path = "/api/v0/ops/keyspace/replication?keyspaceName=system_traces";
    let answer = world.ask(path, &view_of(views, SECOND)?.address).await?;
    let answer: Value = serde_json::from_str(&answer)?;
    Ok(answer["dc1"].clone())
}

/// A node cannot write any more: it closes its doors, its process and the others go on.
async fn has_no_space(world: &World, spec: &Value, second: &Node) -> anyhow::Result<()> {
    let process = world.process("east", LAST).await?.context("no process")?;
    world.do_to_node("east", LAST, "disk-full").await?;
    works(second, 2, Consistency::LocalQuorum).await?;
    // Cassandra would come to it by itself, in its own time.
    let flushed = world.do_to_node("east", LAST, "flush").await;
    ensure!(flushed.is_err(), "a node without space could write");
    let began = Instant::now();
    let said = world
        .says(NAME, "NodesDown", "True", "NodesNotServing", RING_WITHIN)
        .await?;
    has_all(
        &said,
        &[
            LAST,
            "datacenter dc1 in plane east",
            "disk was full",
            "pod is deleted",
        ],
    )?;
    print(&format!(
        "    told after {:.0} s: {said}",
        began.elapsed().as_secs_f64()
    ));
    let cluster = world.clusters().get(NAME).await?;
    ensure!(is_ready(&cluster), "{}", conditions(&cluster));
    let error = cluster.status.and_then(|status| status.error);
    ensure!(
        error.as_deref() == Some(said.as_str()),
        "the error column has {error:?}"
    );
    ensure!(
        world.process("east", LAST).await? == Some(process),
        "its process ended"
    );
    down_for_others(world, SECOND).await?;
    works(second, 3, Consistency::LocalQuorum).await?;
    let views = world.node_views(NAME, "system_auth").await?;
    let (code, verdict) = world.verdict(&spec.to_string(), &views).await?;
    ensure!(
        code == 1 && verdict.contains("DN"),
        "ring verify ends with {code}: {verdict}"
    );

    world.do_to_node("east", LAST, "disk-free").await?;
    let east = world.planes.get("east").context("no plane east")?;
    let pods = Api::<Pod>::namespaced(east.client(), DATABASES);
    pods.delete(LAST, &DeleteParams::default()).await?;
    world
        .cluster_is(NAME, "names no node that is down", RING_WITHIN, |cluster| {
            let status = cluster.status.as_ref();
            let down = status.is_some_and(|it| it.conditions.iter().any(|it| it.type_ == "NodesDown"));
            is_ready(cluster) && !down
        })
        .await?;
    let views = whole(world, spec, 3).await?;
    one_schema(world, &views).await?;
    let superuser = world.superuser("control-plane", NAME).await?;
    let last = world.log_in(view_of(&views, LAST)?, &superuser).await?;
    for id in 1..=3 {
        has_row(&last, id, Consistency::All).await?;
    }
    print(&format!(
        "    there is space again: whole {:.0} s after it was told",
        began.elapsed().as_secs_f64()
    ));
    Ok(())
}
