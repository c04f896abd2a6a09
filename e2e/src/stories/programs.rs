//! A program that is down: what needs it waits and says so, and nothing else is decided in its place.

use std::time::Duration;

use anyhow::Context;

use super::clusters::{SOON, cluster, datacenter, dc, delete, no_datacenter, quiet, ring_becomes, ring_is};
use crate::eventually;
use crate::world::World;

/// How long it is looked at that nothing is made too early.
const PATIENCE: Duration = Duration::from_secs(5);

fn kill(world: &mut World, name: &str) -> anyhow::Result<()> {
    world.programs.get_mut(name).context("no such program")?.kill();
    Ok(())
}

fn start(world: &mut World, name: &str) -> anyhow::Result<()> {
    world.programs.get_mut(name).context("no such program")?.restart()
}

/// Without secret-replicator no datacenter is made: it would start without its superuser, and never wake.
pub(super) async fn secrets_gate(world: &mut World) -> anyhow::Result<()> {
    kill(world, "secret-replicator")?;
    world
        .apply(&cluster("gate", &[dc("dc1", "east", 1)]).to_string())
        .await?;
    world
        .says("gate", "Ready", "False", "SecretsPending", SOON)
        .await?;
    quiet(world, PATIENCE).await?;
    no_datacenter(world, "east", "dc1").await?;
    start(world, "secret-replicator")?;
    world.ready("gate", SOON).await?;
    delete(world, "gate").await
}

/// Without topology-reconciler no datacenter joins: without seeds it would found a ring of its own.
pub(super) async fn seeds_gate(world: &mut World) -> anyhow::Result<()> {
    kill(world, "topology-reconciler")?;
    world
        .apply(&cluster("seeds", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]).to_string())
        .await?;
    ring_becomes(world, "seeds", &[("dc1", 1)]).await?;
    let ready = eventually("dc1 is ready", SOON, || async {
        Ok(datacenter(world, "east", "dc1").await?.is_ready().then_some(()))
    });
    ready.await?;
    world
        .says("seeds", "Ready", "False", "SeedsPending", SOON)
        .await?;
    quiet(world, PATIENCE).await?;
    no_datacenter(world, "west", "dc2").await?;
    start(world, "topology-reconciler")?;
    world.ready("seeds", SOON).await?;
    ring_is(world, "seeds", &[("dc1", 1), ("dc2", 1)]).await?;
    delete(world, "seeds").await
}
