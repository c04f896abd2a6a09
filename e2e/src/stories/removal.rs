//! Datacenters and clusters that go, or are gone already: by hand, with their plane away, with their definition.

use anyhow::{Context, ensure};
use api::k8ssandra_cluster::K8ssandraCluster;
use api::replicated_secret::ReplicatedSecret;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use serde_json::{Value, json};

use super::change::delete_all;
use super::clusters::{
    SOON, TOLD, calm, client_config_says, cluster, datacenter, dc, delete, gone, make, no_datacenter,
    nobody_ended, patch, ring_becomes, ring_is, set_datacenters,
};
use crate::world::{DATABASES, World};
use crate::{Mode, eventually};

/// A CassandraDatacenter is deleted by hand and its operator has done it.
async fn deleted_by_hand(world: &World, plane: &str, name: &str) -> anyhow::Result<()> {
    let there = world.datacenters(plane)?;
    there.delete(name, &DeleteParams::default()).await?;
    gone(&there, name, SOON).await
}

pub(super) async fn vanished(world: &mut World) -> anyhow::Result<()> {
    let name = "vanish";
    let both = [dc("dc1", "east", 1), dc("dc2", "west", 1)];
    make(world, &cluster(name, &both)).await?;
    let untouched = datacenter(world, "east", "dc1").await?.metadata;
    deleted_by_hand(world, "west", "dc2").await?;
    let message = world
        .says(name, "Ready", "False", "DatacenterVanished", TOLD)
        .await?;
    ensure!(message.contains("dc2") && message.contains("west"), "{message}");
    // Neither time, nor a restart, nor an edit of something else is a consent to an empty datacenter of that name.
    world.restart_programs().await?;
    let label = json!({"spec": {"cassandra": {"metadata": {"labels": {"edited": "yes"}}}}});
    patch(world, name, &label).await?;
    calm(world).await?;
    no_datacenter(world, "west", "dc2").await?;
    world
        .says(name, "Ready", "False", "DatacenterVanished", TOLD)
        .await?;
    let now = datacenter(world, "east", "dc1").await?.metadata;
    ensure!(now.uid == untouched.uid, "the other datacenter is another one");

    // The consent: out of the spec, and in again. It joins the ring and gets its data from the other one.
    set_datacenters(world, name, &both[..1]).await?;
    world.ready(name, SOON).await?;
    set_datacenters(world, name, &both).await?;
    world.ready(name, SOON).await?;
    ring_is(world, name, &[("dc1", 1), ("dc2", 1)]).await?;
    let role = datacenter(world, "west", "dc2").await?.metadata.annotations;
    let role = role.and_then(|map| map.get("ringspan.io/join").cloned());
    ensure!(role.as_deref() == Some("rebuild"), "it came back as {role:?}");

    // A cluster whose datacenter is gone already can be deleted.
    deleted_by_hand(world, "west", "dc2").await?;
    delete_all(world, name).await?;
    no_datacenter(world, "east", "dc1").await
}

pub(super) async fn remove_plane_down(world: &mut World) -> anyhow::Result<()> {
    let name = "far";
    make(
        world,
        &cluster(name, &[dc("dc1", "east", 1), dc("dc2", "west", 1)]),
    )
    .await?;
    let before = datacenter(world, "west", "dc2").await?.metadata;
    world.planes.data[1].proxy().set(Mode::Refuse).await?;
    set_datacenters(world, name, &[dc("dc1", "east", 1)]).await?;
    let message = world
        .says(name, "Ready", "False", "PlaneUnreachable", TOLD)
        .await?;
    ensure!(message.contains("west"), "the plane is not named: {message}");
    // The programs forget what they knew of the plane.
    world.restart_programs().await?;
    calm(world).await?;
    let now = datacenter(world, "west", "dc2").await?.metadata;
    ensure!(
        now.generation == before.generation && now.deletion_timestamp.is_none(),
        "dc2 was touched"
    );
    ring_is(world, name, &[("dc1", 1), ("dc2", 1)]).await?;

    world.planes.data[1].proxy().set(Mode::Pass).await?;
    gone(&world.datacenters("west")?, "dc2", SOON).await?;
    world.ready(name, SOON).await?;
    ring_is(world, name, &[("dc1", 1)]).await?;
    let journal = world.ring_state().await?["journal"].to_string();
    ensure!(journal.contains("left"), "no node was decommissioned: {journal}");
    let west = world.planes.get("west").context("west")?.client();
    let copies = Api::<Secret>::namespaced(west, DATABASES);
    gone(&copies, &format!("{name}-superuser"), SOON).await?;
    delete(world, name).await
}

/// Waits until a cluster that is being deleted says what keeps it.
async fn is_kept_by(world: &World, name: &str, what: &str) -> anyhow::Result<()> {
    let says = |cluster: &K8ssandraCluster| {
        let conditions = cluster.status.iter().flat_map(|status| &status.conditions);
        let mut ready =
            conditions.filter(|it| it.type_ == "Ready" && it.reason.as_deref() == Some("Deleting"));
        ready.any(|it| {
            it.message
                .as_deref()
                .is_some_and(|message| message.contains(what))
        })
    };
    let kept = format!("it is kept by {what}");
    world.cluster_is(name, &kept, SOON, says).await.map(|_| ())
}

pub(super) async fn delete_plane_down(world: &mut World) -> anyhow::Result<()> {
    let name = "leaves";
    make(
        world,
        &cluster(name, &[dc("dc1", "east", 1), dc("dc2", "west", 1)]),
    )
    .await?;
    world.planes.data[1].proxy().set(Mode::BlackHole).await?;
    world.clusters().delete(name, &DeleteParams::default()).await?;
    // What can be reached is cleaned up; the rest keeps the cluster, and says why.
    gone(&world.datacenters("east")?, "dc1", SOON).await?;
    is_kept_by(world, name, "plane west").await?;
    world.restart_programs().await?;
    calm(world).await?;
    let left = datacenter(world, "west", "dc2").await?.metadata;
    ensure!(
        left.deletion_timestamp.is_none(),
        "dc2 is being deleted behind a plane that is down"
    );
    let west = world.planes.get("west").context("west")?.client();
    let copies = Api::<Secret>::namespaced(west, DATABASES);
    copies
        .get(&format!("{name}-superuser"))
        .await
        .context("the copy that dc2 needs")?;

    world.planes.data[1].proxy().set(Mode::Pass).await?;
    gone(&world.clusters(), name, SOON).await?;
    no_datacenter(world, "west", "dc2").await?;
    gone(&copies, &format!("{name}-superuser"), SOON).await
}

/// The plane of a datacenter, as the record knows it.
async fn recorded_plane(world: &World, cluster: &str, name: &str) -> anyhow::Result<String> {
    let annotations = world.clusters().get(cluster).await?.metadata.annotations;
    let record = annotations.and_then(|all| all.get("ringspan.io/record").cloned());
    let record: Value = serde_json::from_str(&record.context("no record")?)?;
    let plane = record["datacenters"][name]["planeId"].as_str();
    Ok(plane
        .with_context(|| format!("{name} is not in {record}"))?
        .to_owned())
}

fn give_up(plane: &str) -> Value {
    json!({"metadata": {"annotations": {"ringspan.io/abandon": plane}}})
}

pub(super) async fn abandon(world: &mut World) -> anyhow::Result<()> {
    let (removed, deleted) = ("shrinks", "ends");
    let of = |first: &str, second: &str| [dc(first, "east", 1), dc(second, "west", 1)];
    world
        .apply(&cluster(deleted, &of("e1", "e2")).to_string())
        .await?;
    make(world, &cluster(removed, &of("r1", "r2"))).await?;
    world.ready(deleted, SOON).await?;
    let plane = recorded_plane(world, removed, "r2").await?;
    let before = [
        datacenter(world, "west", "r2").await?.metadata,
        datacenter(world, "west", "e2").await?.metadata,
    ];
    world.planes.data[1].proxy().set(Mode::Refuse).await?;
    set_datacenters(world, removed, &of("r1", "r2")[..1]).await?;
    let message = world
        .says(removed, "Ready", "False", "PlaneUnreachable", TOLD)
        .await?;
    ensure!(
        message.contains(&format!("ringspan.io/abandon={plane}")),
        "no way out: {message}"
    );
    world.clusters().delete(deleted, &DeleteParams::default()).await?;
    gone(&world.datacenters("east")?, "e1", SOON).await?;
    // Another plane's id is no consent.
    let east = recorded_plane(world, removed, "r1").await?;
    patch(world, removed, &give_up(&east)).await?;
    patch(world, deleted, &give_up(&east)).await?;
    world.restart_programs().await?;
    calm(world).await?;
    recorded_plane(world, removed, "r2").await?;
    recorded_plane(world, deleted, "e2").await?;

    patch(world, deleted, &give_up(&plane)).await?;
    gone(&world.clusters(), deleted, SOON).await?;
    patch(world, removed, &give_up(&plane)).await?;
    world.ready(removed, SOON).await?;
    let record = world.clusters().get(removed).await?.metadata.annotations;
    let record = record
        .and_then(|all| all.get("ringspan.io/record").cloned())
        .unwrap_or_default();
    let uid = before[0].uid.clone().unwrap_or_default();
    ensure!(
        record.contains("abandoned") && record.contains(&uid),
        "it is not noted: {record}"
    );

    // It was not lost after all: nobody touches what is there, and it is not taken for a datacenter of the cluster.
    world.planes.data[1].proxy().set(Mode::Pass).await?;
    calm(world).await?;
    for (name, before) in ["r2", "e2"].into_iter().zip(&before) {
        let now = datacenter(world, "west", name).await?.metadata;
        ensure!(
            now.uid == before.uid && now.generation == before.generation,
            "{name} was touched"
        );
        ensure!(now.deletion_timestamp.is_none(), "{name} is being deleted");
    }
    world.ready(removed, SOON).await?;
    for name in ["r2", "e2"] {
        deleted_by_hand(world, "west", name).await?;
    }
    delete(world, removed).await?;
    let control = world.planes.control.client();
    let copying = Api::<ReplicatedSecret>::namespaced(control, DATABASES);
    for name in [removed, deleted] {
        gone(&copying, name, SOON).await?;
    }
    Ok(())
}

/// Deletes a definition, and gives what it takes to install it again.
async fn delete_definition(
    definitions: &Api<CustomResourceDefinition>,
    name: &str,
) -> anyhow::Result<CustomResourceDefinition> {
    let mut definition = definitions.get(name).await?;
    definitions.delete(name, &DeleteParams::default()).await?;
    definition.metadata = ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    };
    definition.status = None;
    Ok(definition)
}

/// Somebody deletes cass-operator's definition in a plane, and with it every datacenter there.
pub(super) async fn datacenter_definition(world: &mut World) -> anyhow::Result<()> {
    let (name, kind) = ("stripped", "cassandradatacenters.cassandra.datastax.com");
    let both = [dc("dc1", "east", 1), dc("dc2", "north", 1)];
    world.apply(&cluster(name, &both).to_string()).await?;
    let beside = [dc("b1", "east", 1), dc("b2", "west", 1)];
    make(world, &cluster("beside", &beside)).await?;
    world.ready(name, SOON).await?;
    let others = [("east", "dc1"), ("east", "b1"), ("west", "b2")];
    let mut before = Vec::new();
    for (plane, name) in others {
        before.push(datacenter(world, plane, name).await?.metadata);
    }
    let north = world.planes.get("north").context("north")?.client();
    let definitions = Api::<CustomResourceDefinition>::all(north);
    let definition = delete_definition(&definitions, kind).await?;
    gone(&definitions, kind, SOON).await?;
    let message = world
        .says(name, "Ready", "False", "CassOperatorMissing", TOLD)
        .await?;
    ensure!(message.contains("north"), "the plane is not named: {message}");
    client_config_says(world, "north", "False", "CassOperatorMissing").await?;
    calm(world).await?;

    // It is there again, and empty: what was there is not made anew without a consent.
    definitions.create(&PostParams::default(), &definition).await?;
    client_config_says(world, "north", "True", "AsSpecified").await?;
    world
        .says(name, "Ready", "False", "DatacenterVanished", SOON)
        .await?;
    calm(world).await?;
    no_datacenter(world, "north", "dc2").await?;
    for ((plane, name), before) in others.into_iter().zip(before) {
        let now = datacenter(world, plane, name).await?.metadata;
        ensure!(
            now.uid == before.uid && now.generation == before.generation,
            "{name} in {plane} was touched"
        );
    }
    ring_is(world, "beside", &[("b1", 1), ("b2", 1)]).await?;
    world.ready("beside", SOON).await?;
    delete(world, "beside").await?;
    delete(world, name).await
}

/// Somebody deletes our own definition, as `kubectl delete -k` of the installation does.
pub(super) async fn cluster_definition(world: &mut World) -> anyhow::Result<()> {
    let kind = "k8ssandraclusters.k8ssandra.io";
    let kept = cluster("kept", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]);
    world.apply(&kept.to_string()).await?;
    let dropped = make(world, &cluster("dropped", &[dc("dc3", "north", 1)])).await?;
    world.ready("kept", SOON).await?;
    let before = datacenter(world, "east", "dc1").await?.metadata;
    let definitions = Api::<CustomResourceDefinition>::all(world.planes.control.client());
    let definition = delete_definition(&definitions, kind).await?;
    for name in ["kept", "dropped"] {
        is_kept_by(world, name, "ringspan.io/confirm-delete").await?;
    }
    world.restart_programs().await?;
    calm(world).await?;
    ring_is(world, "kept", &[("dc1", 1), ("dc2", 1)]).await?;
    ring_is(world, "dropped", &[("dc3", 1)]).await?;

    // One is meant, the other is to live on.
    let uid = dropped.metadata.uid.context("a cluster without a UID")?;
    let confirm = json!({"metadata": {"annotations": {"ringspan.io/confirm-delete": uid}}});
    patch(world, "dropped", &confirm).await?;
    gone(&world.datacenters("north")?, "dc3", SOON).await?;
    let keep = json!({"metadata": {"annotations": {"ringspan.io/deletion-policy": "Orphan"}}});
    patch(world, "kept", &keep).await?;
    gone(&definitions, kind, SOON).await?;
    calm(world).await?;
    let now = datacenter(world, "east", "dc1").await?.metadata;
    ensure!(
        now.uid == before.uid && now.generation == before.generation,
        "dc1 was touched"
    );
    ring_is(world, "kept", &[("dc1", 1), ("dc2", 1)]).await?;

    // Installed again, nothing but the definition was missing; what was kept is nobody's by its name.
    definitions.create(&PostParams::default(), &definition).await?;
    nobody_ended(world)?;
    let applied = eventually("the definition is served", SOON, || async {
        world
            .apply(&cluster("after", &[dc("dc3", "north", 1)]).to_string())
            .await
            .map(Some)
    });
    applied.await?;
    world.ready("after", SOON).await?;
    world.apply(&kept.to_string()).await?;
    world
        .says("kept", "FoundingHeld", "True", "NotOwned", TOLD)
        .await?;
    delete(world, "kept").await?;
    ring_becomes(world, "kept", &[("dc1", 1), ("dc2", 1)]).await?;
    delete(world, "after").await?;
    for plane in ["east", "west"] {
        let all = (DeleteParams::default(), ListParams::default());
        world
            .datacenters(plane)?
            .delete_collection(&all.0, &all.1)
            .await?;
    }
    gone(&world.datacenters("east")?, "dc1", SOON).await?;
    gone(&world.datacenters("west")?, "dc2", SOON).await
}
