//! A datacenter joins while none of its seeds can be reached.

use std::time::Instant;

use anyhow::ensure;
use api::names::annotation;
use serde_json::{Value, json};

use super::healing::{founded_once, made, members, session};
use super::ring::{RING_WITHIN, cluster_of, end, one_schema, whole};
use super::rows::{ROWS, has_every_row, written};
use crate::eventually;
use crate::stories::clusters::{dc, patch, set_datacenters};
use crate::stories::print;
use crate::world::World;

const NAME: &str = "alone";
/// How often the joining node must have looked for its seeds in vain.
const TRIES: usize = 2;
/// What a node says that ends as none of its seeds answers.
const NOBODY: &str = "Unable to gossip with any peers";

pub(in crate::stories) async fn alone(world: &mut World) -> anyhow::Result<()> {
    let one = cluster_of(NAME, &[dc("dc1", "east", 1)], &["r1"]);
    let both = cluster_of(NAME, &[dc("dc1", "east", 1), dc("dc2", "west", 1)], &["r1"]);
    let views = made(world, &one, 1).await?;
    let superuser = world.superuser("control-plane", NAME).await?;
    let first = session(world, &views, "dc1", &superuser).await?;
    written(world, &views, &first, &[("dc1", 1)]).await?;
    drop(first);
    let before = members(world, NAME).await?;

    // The API server of east lives on and knows nothing: all that the control plane sees is well.
    world.power("east", false).await?;
    let asked = json!({"dc2": {"shop": 1}}).to_string();
    let asked = json!({"metadata": {"annotations": {annotation::DC_REPLICATION: asked}}});
    patch(world, NAME, &asked).await?;
    set_datacenters(world, NAME, &[dc("dc1", "east", 1), dc("dc2", "west", 1)]).await?;
    founds_nothing(world).await?;
    let said = world
        .says(NAME, "Ready", "False", "ManagementApiUnreachable", RING_WITHIN)
        .await?;
    ensure!(
        said.contains("datacenter dc1"),
        "the datacenter is not named: {said}"
    );
    print(&format!("    status: {said}"));

    world.power("east", true).await?;
    let began = Instant::now();
    world.ready(NAME, RING_WITHIN).await?;
    let views = whole(world, &both, 2).await?;
    one_schema(world, &views).await?;
    let after = members(world, NAME).await?;
    ensure!(
        before.keys().all(|host| after.contains_key(host)) && after.len() == 2,
        "the ring had {before:?} and has {after:?}"
    );
    let there = session(world, &views, "dc2", &superuser).await?;
    has_every_row(&there).await?;
    print(&format!(
        "    dc1 is back: dc2 joined after {:.0} s, and has each of {ROWS} rows",
        began.elapsed().as_secs_f64()
    ));
    end(world, NAME).await
}

/// The node of dc2 starts, finds nobody and ends, again and again. It never serves.
async fn founds_nothing(world: &World) -> anyhow::Result<()> {
    let tried = eventually("dc2 looks for its seeds", RING_WITHIN, || async {
        let state = world.ring_state().await?;
        let ends = ends(&state);
        // A second ring is not awaited to go: it has been there.
        ensure!(
            ends >= TRIES && found_nobody(&state)? || founded_once(&state, NAME).is_err(),
            "it has ended {ends} times"
        );
        Ok(Some(state))
    });
    let state = tried.await?;
    founded_once(&state, NAME)?;
    let rings = &state["ringsByCluster"];
    ensure!(rings[NAME].is_null(), "somebody serves: {rings}");
    print(&format!(
        "    the node of dc2 has ended {} times: {NOBODY}",
        ends(&state)
    ));
    Ok(())
}

/// How often the node of dc2 has ended by itself.
fn ends(state: &Value) -> usize {
    let journal = state["journal"].as_array().into_iter().flatten();
    let lines = journal.filter_map(Value::as_str);
    let of_dc2 = |line: &&str| line.starts_with("west/db/alone-dc2-") && line.contains("ended by itself");
    lines.filter(of_dc2).count()
}

/// Whether the node of dc2 says itself why. False while it has no process.
fn found_nobody(state: &Value) -> anyhow::Result<bool> {
    let mut processes = state["processes"].as_array().into_iter().flatten();
    let is_its = |process: &&Value| {
        let node = process["node"].as_str().unwrap_or_default();
        node.starts_with("west/db/alone-dc2-")
    };
    let log = processes.find(is_its).and_then(|process| process["log"].as_str());
    Ok(match log {
        Some(log) => std::fs::read_to_string(log)?.contains(NOBODY),
        None => false,
    })
}
