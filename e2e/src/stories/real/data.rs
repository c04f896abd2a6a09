//! Data of users in a ring that grows and shrinks.

use std::time::Instant;

use anyhow::{Context, ensure};
use api::names::annotation;
use scylla::statement::Consistency;
use serde_json::json;

use super::ring::{RING_WITHIN, cluster_of, end, one_schema, whole};
use super::rows::{ROWS, has_every_row, has_row, keyspace, write, written};
use super::tokens::{are_as_dealt, few};
use crate::stories::clusters::{dc, gone, patch, set_datacenters};
use crate::stories::print;
use crate::world::{Login, Node, NodeView, World};

const NAME: &str = "rows";

pub(in crate::stories) async fn data(world: &mut World) -> anyhow::Result<()> {
    let datacenters = [dc("dc1", "east", 2), dc("dc2", "west", 2)];
    let alone = few(cluster_of(NAME, &datacenters[..1], &["r1", "r2"]));
    let both = few(cluster_of(NAME, &datacenters, &["r1", "r2"]));
    world.apply(&alone.to_string()).await?;
    world.ready(NAME, RING_WITHIN).await?;
    let views = whole(world, &alone, 2).await?;
    let superuser = world.superuser("control-plane", NAME).await?;
    let first = world.log_in(&views[0], &superuser).await?;
    written(world, &views, &first, &[("dc1", 2)]).await?;

    let began = Instant::now();
    let asked = json!({"dc2": {"shop": 2}}).to_string();
    patch(
        world,
        NAME,
        &json!({"metadata": {"annotations": {annotation::DC_REPLICATION: asked}}}),
    )
    .await?;
    set_datacenters(world, NAME, &datacenters).await?;
    world.ready(NAME, RING_WITHIN).await?;
    print(&format!(
        "    dc2 joined after {:.0} s",
        began.elapsed().as_secs_f64()
    ));
    let views = whole(world, &both, 4).await?;
    logins(world, &views, &superuser).await?;
    are_as_dealt(world, NAME, &views, &superuser).await?;
    print(&format!(
        "    each of {} nodes has the tokens that it was dealt",
        views.len()
    ));
    let there = views
        .iter()
        .find(|view| view.datacenter == "dc2")
        .context("a node of dc2")?;
    let there = world.log_in(there, &superuser).await?;
    has_every_row(&there).await?;
    one_schema(world, &views).await?;
    write(&first, ROWS, Consistency::EachQuorum).await?;
    has_row(&there, ROWS).await?;
    print(&format!(
        "    dc2 has each of {ROWS} rows that were written before it joined, and one written since"
    ));
    drop(there);

    removed(world, &views, &first).await?;
    whole(world, &alone, 2).await?;
    has_every_row(&first).await?;
    has_row(&first, ROWS).await?;
    print("    dc2 is gone, and dc1 has every row");
    end(world, NAME).await
}

/// Every node lets the superuser in whom the Secrets of all planes name, and not the one that Cassandra has of its own.
async fn logins(world: &World, views: &[NodeView], superuser: &Login) -> anyhow::Result<()> {
    for plane in ["east", "west"] {
        let copy = world.superuser(plane, NAME).await?;
        let same = (&copy.user, &copy.password) == (&superuser.user, &superuser.password);
        ensure!(same, "the superuser in {plane} is another");
    }
    for view in views {
        world.log_in(view, superuser).await?;
        world.is_refused(view, &Login::default_superuser()).await?;
    }
    print(&format!(
        "    {} logs in on each of {} nodes, cassandra on none",
        superuser.user,
        views.len()
    ));
    Ok(())
}

/// The user takes the replicas of their keyspace out of dc2, then dc2 itself.
async fn removed(world: &World, views: &[NodeView], first: &Node) -> anyhow::Result<()> {
    let began = Instant::now();
    first
        .run(Consistency::Quorum, &keyspace("ALTER", &[("dc1", 2)]))
        .await?;
    one_schema(world, views).await?;
    patch(
        world,
        NAME,
        &json!({"metadata": {"annotations": {annotation::DC_REPLICATION: null}}}),
    )
    .await?;
    set_datacenters(world, NAME, &[dc("dc1", "east", 2)]).await?;
    gone(&world.datacenters("west")?, "dc2", RING_WITHIN).await?;
    world.ready(NAME, RING_WITHIN).await?;
    print(&format!(
        "    dc2 removed after {:.0} s",
        began.elapsed().as_secs_f64()
    ));
    Ok(())
}
