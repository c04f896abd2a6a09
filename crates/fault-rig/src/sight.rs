//! Whether what the user waits for is there.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::scenario::{CLUSTER, OTHER, Thing, Until};
use crate::world::{CONTROL_PLANE, DATABASES, World};

/// Whether it is so now. What is waited for by the clock is never seen.
#[must_use]
pub fn holds(world: &World, until: &Until) -> bool {
    match until {
        Until::Ready => is_ready(world, CLUSTER).unwrap_or_default(),
        Until::OtherReady => is_ready(world, OTHER).unwrap_or_default(),
        Until::Says(reason) => says(world, reason),
        Until::Is(thing, pointer, wanted) => is(world, thing, pointer, wanted),
        Until::IsUnlessRestarted(thing, pointer, wanted) => {
            world.overheard.has_restarted() || is(world, thing, pointer, wanted)
        }
        Until::Gone(thing) => find(world, thing).is_none(),
        Until::Passed(_) => false,
    }
}

fn is(world: &World, thing: &Thing, pointer: &str, wanted: &Value) -> bool {
    let object = find(world, thing);
    object.is_some_and(|object| object.pointer(pointer).unwrap_or(&Value::Null) == wanted)
}

/// An object, if it is there.
#[must_use]
pub fn find(world: &World, thing: &Thing) -> Option<std::sync::Arc<Value>> {
    world
        .server(thing.plane)
        .get(thing.api, thing.plural, thing.namespace, thing.name)
}

/// Ready for the spec that it has, and its datacenters are those of the spec.
fn is_ready(world: &World, name: &str) -> Option<bool> {
    let cluster = cluster(world, name)?;
    let ready = condition(&cluster)?;
    let listed = cluster.pointer("/spec/cassandra/datacenters")?.as_array()?;
    let name = |entry: &Value| entry.pointer("/metadata/name")?.as_str().map(str::to_owned);
    let wanted: BTreeSet<String> = listed.iter().filter_map(name).collect();
    Some(
        ready["status"] == "True"
            && cluster.pointer("/metadata/deletionTimestamp").is_none()
            && wanted == datacenters(world, &cluster),
    )
}

/// The names of the datacenters that carry the cluster's UID, wherever they are.
fn datacenters(world: &World, cluster: &Value) -> BTreeSet<String> {
    let uid = &cluster["metadata"]["uid"];
    let servers = world.servers().values();
    let all = servers.flat_map(|server| server.all("cassandra.datastax.com/v1beta1", "cassandradatacenters"));
    all.filter(|object| object["metadata"]["annotations"]["ringspan.io/cluster-uid"] == *uid)
        .filter_map(|object| object["metadata"]["name"].as_str().map(str::to_owned))
        .collect()
}

fn says(world: &World, reason: &str) -> bool {
    let ready = cluster(world, CLUSTER).and_then(|cluster| condition(&cluster).cloned());
    ready.is_some_and(|ready| ready["status"] != "True" && ready["reason"] == reason)
}

/// Reason of condition Ready, of the first cluster that is not ready if there is one.
#[must_use]
pub fn reason(world: &World) -> Option<String> {
    let reason_of = |name: &str| {
        let cluster = cluster(world, name)?;
        condition(&cluster)?["reason"].as_str().map(str::to_owned)
    };
    let ready = |name: &&str| is_ready(world, name) == Some(false);
    let not_ready = [CLUSTER, OTHER].into_iter().find(ready);
    reason_of(not_ready.unwrap_or(CLUSTER))
}

/// What the cluster says of itself, in a line.
#[must_use]
pub fn told(world: &World) -> String {
    let Some(cluster) = cluster(world, CLUSTER) else {
        return "there is no cluster".to_owned();
    };
    let (generation, status) = (&cluster["metadata"]["generation"], &cluster["status"]);
    let text = |key: &str| status["reports"][key].to_string();
    format!(
        "generation {generation}, {}; cluster-reconciler {}, topology-reconciler {}",
        status["conditions"],
        text("cluster"),
        text("topology")
    )
}

fn cluster(world: &World, name: &str) -> Option<std::sync::Arc<Value>> {
    world
        .server(CONTROL_PLANE)
        .get("k8ssandra.io/v1alpha1", "k8ssandraclusters", DATABASES, name)
}

/// Condition Ready, if it is about the present generation.
fn condition(cluster: &Value) -> Option<&Value> {
    let all = cluster.pointer("/status/conditions")?.as_array()?;
    let ready = all.iter().find(|condition| condition["type"] == "Ready")?;
    (ready["observedGeneration"] == cluster["metadata"]["generation"]).then_some(ready)
}
