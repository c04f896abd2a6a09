//! Planes that fail, and planes that come and go.

use std::time::Duration;

use anyhow::ensure;
use futures::FutureExt;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::clusters::{
    SOON, TOLD, client_config_says, client_configs, cluster, dc, delete, make, no_datacenter, nobody_ended,
    quiet, ring_is, set_datacenters,
};
use crate::Mode;
use crate::world::{NAMESPACE, World};

pub(super) async fn down_refused(world: &mut World) -> anyhow::Result<()> {
    down(world, Mode::Refuse, "refused").await
}

pub(super) async fn down_black_hole(world: &mut World) -> anyhow::Result<()> {
    down(world, Mode::BlackHole, "silent").await
}

pub(super) async fn down_500(world: &mut World) -> anyhow::Result<()> {
    down(world, Mode::Answer500, "broken").await
}

/// West goes down before one cluster is founded and after another was; a third does not use it.
async fn down(world: &mut World, mode: Mode, name: &str) -> anyhow::Result<()> {
    let (live, held, other) = (
        format!("{name}-live"),
        format!("{name}-held"),
        format!("{name}-other"),
    );
    make(
        world,
        &cluster(&live, &[dc("l1", "east", 1), dc("l2", "west", 1)]),
    )
    .await?;
    world.planes.data[1].proxy().set(mode).await?;

    world
        .apply(&cluster(&held, &[dc("h1", "east", 1), dc("h2", "west", 1)]).to_string())
        .await?;
    let message = world
        .says(&held, "FoundingHeld", "True", "PlaneUnreachable", TOLD)
        .await?;
    ensure!(message.contains("west"), "the plane is not named: {message}");
    no_datacenter(world, "east", "h1").await?;

    // Neither another cluster nor a step that does not need west is held up.
    make(
        world,
        &cluster(&other, &[dc("o1", "east", 1), dc("o2", "north", 1)]),
    )
    .await?;
    set_datacenters(world, &live, &[dc("l1", "east", 2), dc("l2", "west", 1)]).await?;
    let east = world.datacenters("east")?;
    let grown = crate::eventually("l1 has two nodes", SOON, || {
        async { Ok((east.get("l1").await?.spec.size == 2).then_some(())) }.boxed()
    });
    grown.await?;
    no_datacenter(world, "east", "h1").await?;

    world.planes.data[1].proxy().set(Mode::Pass).await?;
    world.ready(&held, SOON).await?;
    ring_is(world, &held, &[("h1", 1), ("h2", 1)]).await?;
    world.ready(&live, SOON).await?;
    ring_is(world, &live, &[("l1", 2), ("l2", 1)]).await?;
    for name in [&live, &held, &other] {
        delete(world, name).await?;
    }
    Ok(())
}

pub(super) async fn restart(world: &mut World) -> anyhow::Result<()> {
    make(
        world,
        &cluster("again", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]),
    )
    .await?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = super::clusters::mark(world)?;
    world.restart_programs().await?;
    quiet(world, Duration::from_secs(8)).await?;
    let writes = super::clusters::writes_since(world, before)?;
    ensure!(
        writes.is_empty(),
        "{} writes after a restart: {writes:?}",
        writes.len()
    );
    ring_is(world, "again", &[("dc1", 1), ("dc2", 1)]).await?;
    delete(world, "again").await
}

pub(super) async fn client_config(world: &mut World) -> anyhow::Result<()> {
    let configs = client_configs(world);
    configs.delete("north", &DeleteParams::default()).await?;
    // A context that nobody gives: the cluster waits and says so, and is made when somebody does.
    world
        .apply(&cluster("comes", &[dc("dc1", "north", 1)]).to_string())
        .await?;
    world
        .says("comes", "FoundingHeld", "True", "UnknownContext", TOLD)
        .await?;
    world.join("north").await?;
    client_config_says(world, "north", "True", "AsSpecified").await?;
    world.ready("comes", SOON).await?;

    // Other credentials for the same plane: everything goes on.
    world.join("north").await?;
    set_datacenters(world, "comes", &[dc("dc1", "north", 2)]).await?;
    world.ready("comes", SOON).await?;
    // Credentials that are none: told within seconds, and mended by good ones.
    let secrets = Api::<Secret>::namespaced(world.planes.control.client(), NAMESPACE);
    let broken = json!({"stringData": {"kubeconfig": "no kubeconfig"}});
    secrets
        .patch(
            "north-kubeconfig",
            &PatchParams::default(),
            &Patch::Merge(&broken),
        )
        .await?;
    client_config_says(world, "north", "False", "KubeconfigUnreadable").await?;
    world.join("north").await?;
    client_config_says(world, "north", "True", "AsSpecified").await?;
    ring_is(world, "comes", &[("dc1", 2)]).await?;
    delete(world, "comes").await?;
    nobody_ended(world)
}
