//! A ring changes, shrinks, and ends.

use std::time::Duration;

use anyhow::{Context, ensure};
use api::names::annotation;
use api::replicated_secret::ReplicatedSecret;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use super::clusters::{
    SOON, cluster, datacenter, dc, delete, gone, make, no_datacenter, patch, quiet, ring_becomes, ring_is,
    set_datacenters,
};
use crate::wait::eventually;
use crate::world::{DATABASES, World};

pub(super) async fn size(world: &mut World) -> anyhow::Result<()> {
    make(
        world,
        &cluster("size", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]),
    )
    .await?;
    let untouched = datacenter(world, "east", "dc1").await?.metadata.generation;
    set_datacenters(world, "size", &[dc("dc1", "east", 1), dc("dc2", "west", 2)]).await?;
    world.ready("size", SOON).await?;
    ring_is(world, "size", &[("dc1", 1), ("dc2", 2)]).await?;
    ensure!(
        datacenter(world, "east", "dc1").await?.metadata.generation == untouched,
        "the other datacenter was written"
    );
    set_datacenters(world, "size", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]).await?;
    world.ready("size", SOON).await?;
    ring_is(world, "size", &[("dc1", 1), ("dc2", 1)]).await?;
    delete(world, "size").await
}

pub(super) async fn add(world: &mut World) -> anyhow::Result<()> {
    make(world, &cluster("add", &[dc("dc1", "east", 1)])).await?;
    set_datacenters(world, "add", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]).await?;
    world.ready("add", SOON).await?;
    ring_is(world, "add", &[("dc1", 1), ("dc2", 1)]).await?;
    let state = world.ring_state().await?;
    let rings = state["rings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|ring| ring["cluster"] == "add");
    let streamed = rings.flat_map(|ring| ring["streams"].as_array().into_iter().flatten());
    ensure!(
        streamed.filter(|stream| stream["datacenter"] == "dc2").count() == 1,
        "dc2 was not rebuilt: {state}"
    );
    delete(world, "add").await
}

pub(super) async fn stop_start(world: &mut World) -> anyhow::Result<()> {
    make(
        world,
        &cluster("pause", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]),
    )
    .await?;
    let mut stopped = dc("dc2", "west", 1);
    stopped["stopped"] = json!(true);
    set_datacenters(world, "pause", &[dc("dc1", "east", 1), stopped]).await?;
    world.ready("pause", SOON).await?;
    ring_becomes(world, "pause", &[("dc1", 1)]).await?;
    set_datacenters(world, "pause", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]).await?;
    world.ready("pause", SOON).await?;
    ring_is(world, "pause", &[("dc1", 1), ("dc2", 1)]).await?;
    delete(world, "pause").await
}

pub(super) async fn remove(world: &mut World) -> anyhow::Result<()> {
    make(
        world,
        &cluster("remove", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]),
    )
    .await?;
    set_datacenters(world, "remove", &[dc("dc1", "east", 1)]).await?;
    gone(&world.datacenters("west")?, "dc2", SOON).await?;
    world.ready("remove", SOON).await?;
    ring_is(world, "remove", &[("dc1", 1)]).await?;
    let state = world.ring_state().await?;
    let journal = state["journal"].to_string();
    ensure!(journal.contains("left"), "no node was decommissioned: {journal}");
    delete(world, "remove").await
}

pub(super) async fn remove_held(world: &mut World) -> anyhow::Result<()> {
    make(
        world,
        &cluster("held", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]),
    )
    .await?;
    world
        .keyspace("held", "orders", &[("dc1", 1), ("dc2", 1)])
        .await?;
    set_datacenters(world, "held", &[dc("dc1", "east", 1)]).await?;
    let message = world.says("held", "Ready", "False", "ReplicasLeft", SOON).await?;
    ensure!(message.contains("orders") || message.contains("dc2"), "{message}");
    quiet(world, Duration::from_secs(3)).await?;
    datacenter(world, "west", "dc2").await?;
    ring_is(world, "held", &[("dc1", 1), ("dc2", 1)]).await?;
    world.keyspace("held", "orders", &[("dc1", 1)]).await?;
    gone(&world.datacenters("west")?, "dc2", SOON).await?;
    world.ready("held", SOON).await?;
    delete(world, "held").await
}

pub(super) async fn delete_all(world: &World, name: &str) -> anyhow::Result<()> {
    delete(world, name).await?;
    let of_cluster = ListParams::default().labels(&format!("k8ssandra.io/cluster-name={name}"));
    for plane in world.planes.all() {
        let client = plane.client();
        let maps = Api::<ConfigMap>::namespaced(client.clone(), DATABASES);
        let slices = Api::<EndpointSlice>::namespaced(client.clone(), DATABASES);
        let secrets = Api::<Secret>::namespaced(client, DATABASES);
        let what = format!("nothing of {name} is left in {}", plane.name());
        let looked = crate::eventually(&what, SOON, || async {
            let left: Vec<String> = maps
                .list(&of_cluster)
                .await?
                .items
                .into_iter()
                .filter_map(|it| it.metadata.name)
                .chain(
                    slices
                        .list(&of_cluster)
                        .await?
                        .items
                        .into_iter()
                        .filter_map(|it| it.metadata.name),
                )
                .chain(
                    secrets
                        .list(&of_cluster)
                        .await?
                        .items
                        .into_iter()
                        .filter_map(|it| it.metadata.name),
                )
                .collect();
            ensure!(left.is_empty(), "{left:?}");
            Ok(Some(()))
        });
        looked.await?;
    }
    Ok(())
}

pub(super) async fn delete_story(world: &mut World) -> anyhow::Result<()> {
    make(
        world,
        &cluster("gone", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]),
    )
    .await?;
    make(world, &cluster("stays", &[dc("other", "east", 1)])).await?;
    delete_all(world, "gone").await?;
    no_datacenter(world, "east", "dc1").await?;
    no_datacenter(world, "west", "dc2").await?;
    ring_is(world, "stays", &[("other", 1)]).await?;
    delete(world, "stays").await
}

pub(super) async fn orphan(world: &mut World) -> anyhow::Result<()> {
    let name = "orphan";
    make(
        world,
        &cluster(name, &[dc("here", "", 1), dc("there", "west", 1)]),
    )
    .await?;
    let before = datacenter(world, "west", "there").await?.metadata.uid;
    let secrets = Api::<Secret>::namespaced(world.planes.control.client(), DATABASES);
    let secret = secrets.get("orphan-superuser").await?.metadata.uid;
    let keep = json!({"metadata": {"annotations": {"ringspan.io/deletion-policy": "Orphan"}}});
    patch(world, name, &keep).await?;
    for (plane, name) in [("control-plane", "here"), ("west", "there")] {
        eventually("volumes outlive their datacenter", SOON, || async {
            let seen = datacenter(world, plane, name).await?;
            let keeps = seen.annotations().get(annotation::DELETE_PVC);
            Ok(keeps.is_some_and(|it| it == "false").then_some(()))
        })
        .await?;
    }
    delete(world, name).await?;
    let control = world.planes.control.client();
    let copying = Api::<ReplicatedSecret>::namespaced(control, DATABASES);
    let copying = copying.get(name).await?.metadata;
    ensure!(
        copying.deletion_timestamp.is_none(),
        "Secrets are not copied any more"
    );
    let west = world
        .planes
        .all()
        .find(|plane| plane.name() == "west")
        .context("west")?;
    let copies = Api::<Secret>::namespaced(west.client(), DATABASES);
    copies.get("orphan-superuser").await.context("the copy in west")?;
    quiet(world, Duration::from_secs(3)).await?;
    let after = datacenter(world, "west", "there").await?;
    ensure!(after.metadata.uid == before && after.metadata.deletion_timestamp.is_none());
    let kept = secrets.get("orphan-superuser").await?.metadata;
    ensure!(kept.uid == secret && kept.owner_references.is_none_or(|owners| owners.is_empty()));
    ring_is(world, name, &[("here", 1), ("there", 1)]).await?;
    // What was kept would be in the way of the stories after this one.
    for plane in ["control-plane", "west"] {
        let datacenters = world.datacenters(plane)?;
        let all = (DeleteParams::default(), ListParams::default());
        datacenters.delete_collection(&all.0, &all.1).await?;
    }
    Ok(())
}
