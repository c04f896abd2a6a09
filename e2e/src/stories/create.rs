//! A cluster becomes a ring.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use super::clusters::{
    SOON, TOLD, cluster, datacenter, dc, delete, idle, make, mark, no_datacenter, patch, quiet, ring_becomes,
    ring_is, set_datacenters, writes_since,
};
use crate::Mode;
use crate::audit::{Detail, Entry, Tally};
use crate::world::World;

/// Writes that the five programs may need for two datacenters, without Events and status-rollup's own.
const BUDGET: usize = 32;
/// Writes of status-rollup for each datacenter.
const ROLLUP: usize = 8;

pub(super) async fn two(world: &mut World) -> anyhow::Result<()> {
    let before = mark(world)?;
    let mut spec = cluster("two", &[dc("dc1", "east", 3), dc("dc2", "west", 3)]);
    spec["spec"]["cassandra"]["racks"] = json!([{"name": "r1"}, {"name": "r2"}, {"name": "r3"}]);
    make(world, &spec).await?;
    ring_is(world, "two", &[("dc1", 3), ("dc2", 3)]).await?;
    let founder = datacenter(world, "east", "dc1").await?;
    let joiner = datacenter(world, "west", "dc2").await?;
    let role = |it: &api::cass_operator::CassandraDatacenter| {
        it.metadata
            .annotations
            .as_ref()
            .and_then(|map| map.get("ringspan.io/join"))
            .cloned()
            .unwrap_or_default()
    };
    ensure!(
        (role(&founder).as_str(), role(&joiner).as_str()) == ("founder", "rebuild"),
        "roles"
    );
    quiet_after(world, "two").await?;
    let writes = writes_since(world, before)?;
    budget(&writes)?;
    delete(world, "two").await
}

/// Everything but reports and status, write by write.
const WRITES: &str = "\
cluster-reconciler cassandradatacenters create east db/dc1
cluster-reconciler cassandradatacenters create west db/dc2
cluster-reconciler configmaps create east db/two-dc1-metrics-agent-config
cluster-reconciler configmaps create west db/two-dc2-metrics-agent-config
cluster-reconciler k8ssandraclusters patch control-plane db/two
cluster-reconciler k8ssandraclusters patch control-plane db/two
cluster-reconciler k8ssandraclusters patch control-plane db/two
cluster-reconciler k8ssandraclusters patch control-plane db/two
cluster-reconciler replicatedsecrets create control-plane db/two
cluster-reconciler secrets create control-plane db/two-superuser
secret-replicator secrets create east db/two-superuser
secret-replicator secrets create west db/two-superuser
topology-reconciler cassandratasks create west db/dc2-rebuild
topology-reconciler endpointslices create control-plane db/two-dc1-contact-points-service-ipv4
topology-reconciler endpointslices create control-plane db/two-dc2-contact-points-service-ipv4
topology-reconciler endpointslices create east db/two-two-dc1-additional-seed-service-ipv4
topology-reconciler endpointslices create west db/two-dc2-additional-seed-service-ipv4
topology-reconciler endpointslices create west db/two-two-dc2-additional-seed-service-ipv4
topology-reconciler endpointslices delete west db/two-dc2-additional-seed-service-ipv4
topology-reconciler services create control-plane db/two-dc1-contact-points-service
topology-reconciler services create control-plane db/two-dc2-contact-points-service";

/// The budget, and that exactly the objects are written that have to be.
fn budget(writes: &[Entry]) -> anyhow::Result<()> {
    let tally = Tally::of(writes, Detail::Object);
    let rollup = tally.total_by("status-rollup");
    let rest = tally.total() - rollup;
    ensure!(rest <= BUDGET, "{rest} writes, {BUDGET} allowed:\n{tally}");
    ensure!(
        rollup <= 2 * ROLLUP,
        "{rollup} writes of status-rollup, {} allowed:\n{tally}",
        2 * ROLLUP
    );
    ensure!(
        tally.conflicts() == 0,
        "{} conflicts:\n{tally}",
        tally.conflicts()
    );
    let objects = writes.iter().filter(|entry| entry.subresource != "status");
    let mut objects: Vec<String> = objects
        .map(|it| {
            format!(
                "{} {} {} {} {}/{}",
                it.program(),
                it.resource,
                it.verb,
                it.plane,
                it.namespace,
                it.name
            )
        })
        .collect();
    objects.sort();
    ensure!(
        objects.join("\n") == WRITES,
        "other writes than expected:\n{}",
        objects.join("\n")
    );
    Ok(())
}

/// From 10 s after Ready nothing is written, and nothing read: neither without a pass nor in one that changes nothing.
async fn quiet_after(world: &World, name: &str) -> anyhow::Result<()> {
    tokio::time::sleep(Duration::from_secs(10)).await;
    let touch = json!({"metadata": {"annotations": {"touched": "yes"}}});
    patch(world, name, &touch).await?;
    idle(world, Duration::from_secs(5)).await
}

pub(super) async fn one(world: &mut World) -> anyhow::Result<()> {
    make(world, &cluster("one", &[dc("solo", "east", 1)])).await?;
    ring_is(world, "one", &[("solo", 1)]).await?;
    delete(world, "one").await
}

pub(super) async fn local(world: &mut World) -> anyhow::Result<()> {
    make(
        world,
        &cluster("local", &[dc("here", "", 1), dc("there", "west", 1)]),
    )
    .await?;
    ring_is(world, "local", &[("here", 1), ("there", 1)]).await?;
    delete(world, "local").await
}

pub(super) async fn three(world: &mut World) -> anyhow::Result<()> {
    make(
        world,
        &cluster(
            "three",
            &[dc("dc1", "east", 1), dc("dc2", "west", 1), dc("dc3", "north", 1)],
        ),
    )
    .await?;
    ring_is(world, "three", &[("dc1", 1), ("dc2", 1), ("dc3", 1)]).await?;
    delete(world, "three").await
}

pub(super) async fn first_stopped(world: &mut World) -> anyhow::Result<()> {
    let mut stopped = dc("late", "east", 1);
    stopped["stopped"] = json!(true);
    world
        .apply(&cluster("stopped", &[stopped, dc("early", "west", 1)]).to_string())
        .await?;
    ring_becomes(world, "stopped", &[("early", 1)]).await?;
    world
        .says("stopped", "Ready", "False", "StoppedBeforeFounding", SOON)
        .await?;
    no_datacenter(world, "east", "late").await?;
    set_datacenters(world, "stopped", &[dc("late", "east", 1), dc("early", "west", 1)]).await?;
    world.ready("stopped", SOON).await?;
    ring_is(world, "stopped", &[("early", 1), ("late", 1)]).await?;
    delete(world, "stopped").await
}

pub(super) async fn first_plane_dead(world: &mut World) -> anyhow::Result<()> {
    world.planes.data[0].proxy().set(Mode::Refuse).await?;
    world
        .apply(&cluster("dead", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]).to_string())
        .await?;
    let message = world
        .says("dead", "FoundingHeld", "True", "PlaneUnreachable", TOLD)
        .await?;
    ensure!(message.contains("east"), "the plane is not named: {message}");
    no_datacenter(world, "west", "dc2").await?;
    // An edit in between does not make anybody found either.
    patch(
        world,
        "dead",
        &json!({"metadata": {"annotations": {"touched": "yes"}}}),
    )
    .await?;
    quiet(world, Duration::from_secs(3)).await?;
    no_datacenter(world, "west", "dc2").await?;
    world.planes.data[0].proxy().set(Mode::Pass).await?;
    world.ready("dead", SOON).await?;
    ring_is(world, "dead", &[("dc1", 1), ("dc2", 1)]).await?;
    delete(world, "dead").await
}
