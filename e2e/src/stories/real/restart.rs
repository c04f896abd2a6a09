//! Every node of a datacenter is restarted at once, and comes back at another address.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::{FutureExt, select};
use scylla::statement::Consistency;
use serde_json::Value;

use super::healing::{
    Members, addresses, back, delete_pods, gets_row, made, members, moved, seeds_are_of, session,
};
use super::ring::{cluster_of, end, one_schema, whole};
use super::rows::{ROWS, has_every_row, has_row, write, written};
use crate::stories::clusters::dc;
use crate::stories::print;
use crate::world::{Node, World};

const NAME: &str = "restart";
/// Rows that are written while nobody of the other datacenter serves.
const ALONE: u32 = 10;
/// How often a row is written while the others come back.
const EVERY: Duration = Duration::from_millis(250);

pub(in crate::stories) async fn restart(world: &mut World) -> anyhow::Result<()> {
    let spec = cluster_of(NAME, &[dc("dc1", "east", 1), dc("dc2", "west", 2)], &["r1"]);
    let views = made(world, &spec, 3).await?;
    let superuser = world.superuser("control-plane", NAME).await?;
    let first = session(world, &views, "dc1", &superuser).await?;
    written(world, &views, &first, &[("dc1", 1), ("dc2", 2)]).await?;
    let before = members(world, NAME).await?;

    let began = Instant::now();
    delete_pods(world, "west", "dc2").await?;
    for id in ROWS..ROWS + ALONE {
        served(&first, id).await?;
    }
    let rows = serves_until_back(world, &first).await?;
    print(&format!(
        "    dc2 is back after {:.0} s; dc1 took and gave {} rows meanwhile, {ALONE} of them while no node of dc2 served",
        began.elapsed().as_secs_f64(),
        rows - ROWS
    ));
    let after = whole_again(world, &spec, &before).await?;
    let seeds = seeds_are_of(
        world,
        ("east", "restart-dc1-additional-seed-service"),
        &addresses(&after, "dc2"),
    )
    .await?;
    let views = world.node_views(NAME, "system_auth").await?;
    let there = session(world, &views, "dc2", &superuser).await?;
    has_every_row(&there).await?;
    for id in ROWS..rows {
        gets_row(&there, id).await?;
    }
    has_every_row(&first).await?;
    print(&format!(
        "    the same {} host ids, dc2 at {:?}, seeds of dc1 {seeds:?}; each of {rows} rows in both datacenters",
        after.len(),
        addresses(&after, "dc2"),
    ));
    end(world, NAME).await
}

/// A row is taken and given.
async fn served(node: &Node, id: u32) -> anyhow::Result<()> {
    write(node, id, Consistency::LocalQuorum).await?;
    has_row(node, id).await
}

/// Writes and reads in the datacenter that stays until the other one is back. Returns how many rows there are then.
async fn serves_until_back(world: &World, node: &Node) -> anyhow::Result<u32> {
    let mut rows = ROWS + ALONE;
    let mut back = Box::pin(back(world, "west", "dc2", 2).fuse());
    let mut moments = tokio::time::interval(EVERY);
    loop {
        let next = async {
            moments.tick().await;
            served(node, rows).await
        };
        select! {
            done = back => return done.map(|()| rows),
            served = Box::pin(next.fuse()) => served?,
        }
        rows += 1;
    }
}

/// One ring of the same members, whole in every node's view.
async fn whole_again(world: &World, spec: &Value, before: &Members) -> anyhow::Result<Members> {
    let views = whole(world, spec, 3).await?;
    one_schema(world, &views).await?;
    let after = members(world, NAME).await?;
    moved(before, &after, "dc2")?;
    ensure!(
        addresses(before, "dc1") == addresses(&after, "dc1"),
        "dc1 has moved as well"
    );
    world.ready(NAME, super::ring::RING_WITHIN).await?;
    Ok(after)
}
