//! What the user does, as requests to API servers and as states of the world.

use std::sync::Arc;

use anyhow::Context as _;
use fake_datacenter::ring::NodeId;
use serde_json::{Value, json};

use crate::scenario::{Act, Thing};
use crate::sight;
use crate::world::{DATABASES, World, ask};

/// Does it.
///
/// # Errors
/// It is refused, or what it is about is not there.
pub fn act(world: &World, act: &Act) -> anyhow::Result<()> {
    match act {
        Act::Apply(plane, object) => apply(world, plane, object),
        Act::Merge(thing, patch) => merge(world, thing, patch),
        Act::Delete(thing) => delete(world, thing),
        Act::DeletePods(plane, datacenter) => delete_pods(world, plane, datacenter),
        Act::ConfirmRemoval(thing) => {
            let datacenter = sight::find(world, thing).context("there is nothing to confirm")?;
            let consent = json!({"ringspan.io/confirm-removal": datacenter["metadata"]["uid"]});
            let cluster = crate::scenario::THE_CLUSTER;
            merge(world, &cluster, &json!({"metadata": {"annotations": consent}}))
        }
        Act::Move { plane, host, token } => {
            world.doors.set(plane, host, token);
            // Who is connected stays so no longer.
            world.server(plane).cut_watches();
            Ok(())
        }
        Act::Replicate(over) => replicate(world, over),
        Act::Cut(plane, cut) => {
            world.weather.set(plane, Some(*cut));
            Ok(())
        }
        Act::Heal(plane) => {
            world.weather.set(plane, None);
            Ok(())
        }
        Act::BackUp(plane) => {
            world.back_up(plane);
            Ok(())
        }
        Act::Restore(plane) => restore(world, plane),
        Act::RestartPrograms => {
            world.end_lives();
            Ok(())
        }
    }
}

/// The keyspace that the user has.
const KEYSPACE: &str = "orders";

fn replicate(world: &World, over: &[(&str, u32)]) -> anyhow::Result<()> {
    let over = over
        .iter()
        .map(|(name, replicas)| ((*name).to_owned(), *replicas))
        .collect();
    let node = NodeId {
        plane: "east".to_owned(),
        namespace: DATABASES.to_owned(),
        pod: "demo-dc1-default-sts-0".to_owned(),
    };
    let mut rings = world.rings.lock();
    if rings.ring_of(&node)?.keyspaces.contains_key(KEYSPACE) {
        rings.alter_keyspace(&node, KEYSPACE, &over)?;
    } else {
        rings.create_keyspace(&node, KEYSPACE, &over)?;
    }
    Ok(())
}

fn apply(world: &World, plane: &str, object: &Value) -> anyhow::Result<()> {
    let kind = object["kind"].as_str().context("no kind")?;
    let version = object["apiVersion"].as_str().context("no apiVersion")?;
    let name = object["metadata"]["name"].as_str().context("no name")?;
    let namespace = object["metadata"]["namespace"].as_str().context("no namespace")?;
    let root = if version == "v1" { "/api" } else { "/apis" };
    let plural = format!("{}s", kind.to_lowercase());
    let path =
        format!("{root}/{version}/namespaces/{namespace}/{plural}/{name}?fieldManager=user&force=true");
    ask(
        world.server(plane),
        "PATCH",
        &path,
        "application/apply-patch+yaml",
        object,
    )
}

fn path(thing: &Thing) -> String {
    let Thing {
        api,
        plural,
        namespace,
        name,
        ..
    } = thing;
    let root = if *api == "v1" { "/api" } else { "/apis" };
    format!("{root}/{api}/namespaces/{namespace}/{plural}/{name}")
}

fn merge(world: &World, thing: &Thing, patch: &Value) -> anyhow::Result<()> {
    let kind = "application/merge-patch+json";
    ask(world.server(thing.plane), "PATCH", &path(thing), kind, patch)
}

fn delete(world: &World, thing: &Thing) -> anyhow::Result<()> {
    ask(
        world.server(thing.plane),
        "DELETE",
        &path(thing),
        "application/json",
        &json!({}),
    )
}

fn delete_pods(world: &World, plane: &str, datacenter: &str) -> anyhow::Result<()> {
    let server = world.server(plane);
    let pods = server.all("v1", "pods");
    let of = |pod: &&Arc<Value>| pod["metadata"]["labels"]["cassandra.datastax.com/datacenter"] == datacenter;
    for pod in pods.iter().filter(of) {
        let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default();
        let path = format!("/api/v1/namespaces/{}/pods/{}", text("namespace"), text("name"));
        ask(
            server,
            "DELETE",
            &path,
            "application/json",
            &json!({"gracePeriodSeconds": 0}),
        )?;
    }
    Ok(())
}

/// The state of the backup comes back; nodes and disks that it does not know are lost.
fn restore(world: &World, plane: &'static str) -> anyhow::Result<()> {
    let version = world.backup(plane).context("there is no backup")?;
    let server = world.server(plane);
    let (pods, claims) = (
        server.all("v1", "pods"),
        server.all("v1", "persistentvolumeclaims"),
    );
    server.rewind(version);
    let uid = |object: &Arc<Value>| object["metadata"]["uid"].clone();
    let (pods_left, claims_left) = (
        server.all("v1", "pods"),
        server.all("v1", "persistentvolumeclaims"),
    );
    let lost = |object: &&Arc<Value>, left: &[Arc<Value>]| !left.iter().any(|it| uid(it) == uid(object));
    world.play(plane);
    let mut rings = world.rings.lock();
    for pod in pods.iter().filter(|pod| lost(pod, &pods_left)) {
        let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default().to_owned();
        rings.pod_gone(&NodeId {
            plane: plane.to_owned(),
            namespace: text("namespace"),
            pod: text("name"),
        });
    }
    for claim in claims.iter().filter(|claim| lost(claim, &claims_left)) {
        rings.disk_gone(claim["metadata"]["uid"].as_str().unwrap_or_default());
    }
    Ok(())
}
