//! Objects of others with the names of ours: nobody crosses over.

use std::time::Duration;

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, PostParams};
use serde_json::{Value, json};

use super::clusters::{
    SOON, TOLD, calm, cluster, datacenter, dc, delete, gone, make, mark, patch, set_datacenters, writes_since,
};
use crate::eventually;
use crate::world::{DATABASES, World, is_ready};

/// A whole CassandraDatacenter, as the API server gives it: version and managed fields included.
async fn whole(world: &World, plane: &str, name: &str) -> anyhow::Result<Value> {
    let kind = GroupVersionKind::gvk("cassandra.datastax.com", "v1beta1", "CassandraDatacenter");
    let client = world.planes.get(plane).context("no such plane")?.client();
    let all = Api::<DynamicObject>::namespaced_with(client, DATABASES, &ApiResource::from_gvk(&kind));
    Ok(serde_json::to_value(all.get(name).await?)?)
}

/// A datacenter of somebody else's, which has all names of the one that will be asked for, and upstream's labels for a
/// cluster of that name in another namespace.
fn foreign(cluster: &str, name: &str) -> Value {
    json!({
        "apiVersion": "cassandra.datastax.com/v1beta1",
        "kind": "CassandraDatacenter",
        "metadata": {"name": name, "namespace": DATABASES, "labels": {
            "k8ssandra.io/cluster-name": cluster,
            "k8ssandra.io/cluster-namespace": "another",
            "k8ssandra.io/cleaned-up-by": "k8ssandracluster-controller",
        }},
        "spec": {
            "clusterName": cluster, "serverType": "cassandra", "serverVersion": "4.1.5", "size": 1,
            "storageConfig": {"cassandraDataVolumeClaimSpec": {"storageClassName": "standard", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
        },
    })
}

/// Waits until its operator has nothing to do with it any more: it is the same for a second.
async fn settled(world: &World, plane: &str, name: &str) -> anyhow::Result<Value> {
    let there = world.datacenters(plane)?;
    eventually("the foreign datacenter is ready", SOON, || async {
        Ok(there.get(name).await?.is_ready().then_some(()))
    })
    .await?;
    eventually("nobody writes to the foreign datacenter", SOON, || async {
        let before = whole(world, plane, name).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok((whole(world, plane, name).await? == before).then_some(before))
    })
    .await
}

async fn untouched(world: &World, before: &Value, when: &str) -> anyhow::Result<()> {
    let after = whole(world, "west", "taken").await?;
    ensure!(after == *before, "{when}: {before} has become {after}");
    Ok(())
}

pub(super) async fn foreign_untouched(world: &mut World) -> anyhow::Result<()> {
    let name = "guest";
    let taken = foreign(name, "taken").to_string();
    world.apply_in("west", &taken).await?;
    let before = settled(world, "west", "taken").await?;
    let from = mark(world)?;
    // Created beside it, asked for by an edit, passed by an edit of something else.
    make(world, &cluster(name, &[dc("free", "east", 1)])).await?;
    untouched(world, &before, "a cluster of its name was made").await?;
    set_datacenters(world, name, &[dc("free", "east", 1), dc("taken", "west", 1)]).await?;
    let message = world.says(name, "Ready", "False", "NotOwned", TOLD).await?;
    ensure!(message.contains("taken"), "it is not named: {message}");
    let edit = json!({"spec": {"cassandra": {"config": {"cassandraYaml": {"concurrent_reads": 48}}}}});
    patch(world, name, &edit).await?;
    eventually("the free datacenter is changed", SOON, || async {
        let free = datacenter(world, "east", "free").await?;
        let spec = serde_json::to_value(&free.spec)?;
        let wanted = spec.pointer("/config/cassandra-yaml/concurrent_reads") == Some(&json!(48));
        Ok((wanted && free.is_ready()).then_some(()))
    })
    .await?;
    calm(world).await?;
    untouched(world, &before, "a cluster asked for its name").await?;

    // Taken out again, then everything is deleted.
    set_datacenters(world, name, &[dc("free", "east", 1)]).await?;
    world.ready(name, SOON).await?;
    untouched(world, &before, "the cluster does not ask for it any more").await?;
    set_datacenters(world, name, &[dc("free", "east", 1), dc("taken", "west", 1)]).await?;
    world.says(name, "Ready", "False", "NotOwned", TOLD).await?;
    delete(world, name).await?;
    untouched(world, &before, "the cluster was deleted").await?;

    // Nor did anybody try, or make anything in that plane that its operator would take for its own.
    let tried = writes_since(world, from)?;
    let crossed: Vec<_> = tried.iter().filter(|entry| entry.plane == "west").collect();
    let crossed: Vec<_> = crossed
        .iter()
        .filter(|entry| entry.resource != "secrets")
        .collect();
    ensure!(
        crossed.is_empty(),
        "written in the foreign datacenter's plane: {crossed:?}"
    );
    let there = world.datacenters("west")?;
    there.delete("taken", &DeleteParams::default()).await?;
    gone(&there, "taken", SOON).await
}

/// The namespace of the second twin, in every cluster.
const OTHER: &str = "db-of-others";

/// Two clusters that differ in their namespace alone.
pub(super) async fn twins(world: &mut World) -> anyhow::Result<()> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OTHER}}).to_string();
    for plane in world.planes.all() {
        world.apply_in(plane.name(), &namespace).await?;
    }
    let one = cluster("twin", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]);
    let mut other = one.clone();
    other["metadata"]["namespace"] = json!(OTHER);
    world.apply(&one.to_string()).await?;
    world.apply(&other.to_string()).await?;
    world.ready("twin", SOON).await?;
    let others =
        Api::<api::k8ssandra_cluster::K8ssandraCluster>::namespaced(world.planes.control.client(), OTHER);
    let ready = eventually("the other twin is ready", SOON, || async {
        let twin = others.get("twin").await?;
        ensure!(is_ready(&twin), "{}", crate::world::conditions(&twin));
        Ok(Some(()))
    });
    ready.await?;
    let whole = [("dc1".to_owned(), 1), ("dc2".to_owned(), 1)];
    for namespace in [DATABASES, OTHER] {
        let found = nodes(world, namespace).await?;
        ensure!(found == [whole.to_vec()], "the rings of {namespace}: {found:?}");
    }
    knows_only_its_own(world).await?;

    // One goes: nothing of the other one changes.
    let before = everything(world, OTHER).await?;
    ensure!(
        before.len() > 10,
        "only {} objects were found: {:?}",
        before.len(),
        before.keys()
    );
    delete(world, "twin").await?;
    calm(world).await?;
    let after = everything(world, OTHER).await?;
    ensure!(
        before.keys().eq(after.keys()),
        "{:?} have become {:?}",
        before.keys(),
        after.keys()
    );
    for (place, object) in &before {
        ensure!(after[place] == *object, "{place} has become {}", after[place]);
    }
    ensure!(
        nodes(world, OTHER).await? == [whole.to_vec()],
        "the other ring has lost nodes"
    );
    ensure!(
        nodes(world, DATABASES).await?.iter().all(Vec::is_empty),
        "the deleted ring is still there"
    );
    others.delete("twin", &DeleteParams::default()).await?;
    gone(&others, "twin", SOON).await
}

/// How many nodes are up in each datacenter, for each ring of a twin that has a node in this namespace. A ring that has nodes in
/// several is an error.
async fn nodes(world: &World, namespace: &str) -> anyhow::Result<Vec<Vec<(String, usize)>>> {
    let state = world.ring_state().await?;
    let mut rings = Vec::new();
    let twins = state["rings"].as_array().into_iter().flatten();
    for ring in twins.filter(|ring| ring["cluster"] == "twin") {
        let nodes: Vec<&Value> = ring["nodes"].as_array().into_iter().flatten().collect();
        let (own, others): (Vec<&Value>, Vec<&Value>) =
            nodes.into_iter().partition(|node| node["namespace"] == namespace);
        if own.is_empty() {
            continue;
        }
        ensure!(others.is_empty(), "one ring over two namespaces: {ring}");
        let mut count = std::collections::BTreeMap::new();
        for node in own.iter().filter(|node| node["state"] == "UN") {
            let datacenter = node["datacenter"].as_str().unwrap_or_default().to_owned();
            *count.entry(datacenter).or_insert(0) += 1;
        }
        rings.push(count.into_iter().collect());
    }
    Ok(rings)
}

/// Seeds and contact points of a twin are nodes of its own, and the twins have passwords of their own.
async fn knows_only_its_own(world: &World) -> anyhow::Result<()> {
    let state = world.ring_state().await?;
    let all = state["rings"].as_array().into_iter().flatten();
    let all: Vec<&Value> = all
        .flat_map(|ring| ring["nodes"].as_array().into_iter().flatten())
        .collect();
    let mut passwords = std::collections::BTreeSet::new();
    for namespace in [DATABASES, OTHER] {
        let own = all.iter().filter(|node| node["namespace"] == namespace);
        let own: Vec<&str> = own.filter_map(|node| node["address"].as_str()).collect();
        let mut listed = 0;
        for plane in world.planes.all() {
            let slices = Api::<EndpointSlice>::namespaced(plane.client(), namespace);
            for slice in slices
                .list(&ListParams::default().labels("k8ssandra.io/cluster-name=twin"))
                .await?
            {
                for address in slice.endpoints.iter().flat_map(|endpoint| &endpoint.addresses) {
                    ensure!(
                        own.contains(&address.as_str()),
                        "{namespace}: {address} in {:?}",
                        slice.metadata.name
                    );
                    listed += 1;
                }
            }
            let copies = Api::<Secret>::namespaced(plane.client(), namespace);
            if let Some(data) = copies
                .get_opt("twin-superuser")
                .await?
                .and_then(|secret| secret.data)
            {
                passwords.insert((namespace, data.get("password").map(|text| text.0.clone())));
            }
        }
        ensure!(listed >= 4, "{namespace}: only {listed} seeds and contact points");
    }
    ensure!(
        passwords.len() == 2,
        "{} passwords in the copies",
        passwords.len()
    );
    let different: std::collections::BTreeSet<_> = passwords.iter().map(|(_, text)| text).collect();
    ensure!(different.len() == 2, "both twins have one password");
    Ok(())
}

/// Kinds that a cluster is made of.
const KINDS: [(&str, &str, &str); 6] = [
    ("cassandra.datastax.com", "v1beta1", "CassandraDatacenter"),
    ("replication.k8ssandra.io", "v1alpha1", "ReplicatedSecret"),
    ("discovery.k8s.io", "v1", "EndpointSlice"),
    ("", "v1", "ConfigMap"),
    ("", "v1", "Secret"),
    ("", "v1", "Service"),
];

/// Every object of a namespace in every plane, by place, as the API server gives it.
async fn everything(
    world: &World,
    namespace: &str,
) -> anyhow::Result<std::collections::BTreeMap<String, String>> {
    let mut all = std::collections::BTreeMap::new();
    for plane in world.planes.all() {
        for (group, version, kind) in KINDS {
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
            let objects = Api::<DynamicObject>::namespaced_with(plane.client(), namespace, &resource);
            // Data planes have no kinds of ours.
            let Ok(objects) = objects.list(&ListParams::default()).await else {
                continue;
            };
            for object in objects {
                let name = object.metadata.name.clone().unwrap_or_default();
                all.insert(
                    format!("{}: {kind} {name}", plane.name()),
                    serde_json::to_string(&object)?,
                );
            }
        }
    }
    Ok(all)
}

/// Name of the definition of CassandraDatacenter.
const DEFINITION: &str = "cassandradatacenters.cassandra.datastax.com";
/// A field that cass-operator had not always.
const NEW_FIELD: &str = "readOnlyRootFilesystem";

/// Puts the definition of a former cass-operator into a plane: it knows these fields of the spec, of racks the name, and no
/// others. Gives the one that was there.
async fn older_definition(
    world: &World,
    plane: &str,
    known: &[String],
) -> anyhow::Result<CustomResourceDefinition> {
    let client = world.planes.get(plane).context("no such plane")?.client();
    let definitions = Api::<CustomResourceDefinition>::all(client);
    let before = definitions.get(DEFINITION).await?;
    let mut older = serde_json::to_value(&before)?;
    let spec = older
        .pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .and_then(Value::as_object_mut)
        .context("a definition without a spec")?;
    spec.remove("x-kubernetes-preserve-unknown-fields");
    let fields = spec["properties"]
        .as_object_mut()
        .context("a spec without fields")?;
    fields.insert(
        "racks".to_owned(),
        json!({"type": "array", "items": {"type": "object", "properties": {
            "name": {"type": "string"},
        }}}),
    );
    for name in known.iter().filter(|name| *name != NEW_FIELD) {
        let anything = json!({"x-kubernetes-preserve-unknown-fields": true});
        fields.entry(name.clone()).or_insert(anything);
    }
    definitions
        .replace(
            DEFINITION,
            &PostParams::default(),
            &serde_json::from_value(older)?,
        )
        .await?;
    Ok(before)
}

pub(super) async fn older_plane(world: &mut World) -> anyhow::Result<()> {
    let name = "skewed";
    let mut spec = cluster(name, &[dc("dc1", "east", 1)]);
    spec["spec"]["cassandra"][NEW_FIELD] = json!(true);
    spec["spec"]["cassandra"]["racks"] = json!([{"name": "r1", "nodeAffinityLabels": {"zone": "a"}}]);
    make(world, &spec).await?;
    // What a plane knows that has all that the other one was given, but for one field.
    let known = whole(world, "east", "dc1").await?;
    let known = known["spec"].as_object().context("a spec")?.keys().cloned();
    let defaults = ["additionalSeeds", "config", "replaceNodes", "racks"].map(str::to_owned);
    let known: Vec<String> = known.chain(defaults).collect();
    ensure!(known.contains(&NEW_FIELD.to_owned()), "{known:?}");
    let newer = older_definition(world, "north", &known).await?;
    set_datacenters(world, name, &[dc("dc1", "east", 1), dc("dc2", "north", 1)]).await?;
    world.ready(name, SOON).await?;
    not_kept(world, name).await?;

    // Nobody writes it again and again, even where all changes are allowed, nor after a restart.
    let always = json!({"metadata": {"annotations": {"k8ssandra.io/autoupdate-spec": "always"}}});
    patch(world, name, &always).await?;
    world.restart_programs().await?;
    calm(world).await?;
    let edit = json!({"spec": {"cassandra": {"config": {"cassandraYaml": {"concurrent_reads": 48}}}}});
    patch(world, name, &edit).await?;
    world.ready(name, SOON).await?;
    let spec = &whole(world, "north", "dc2").await?["spec"];
    ensure!(
        spec["config"]["cassandra-yaml"]["concurrent_reads"] == 48,
        "no edit comes there: {spec}"
    );
    not_kept(world, name).await?;
    calm(world).await?;

    // With the definition of today it is sent with the next edit.
    let client = world.planes.get("north").context("north")?.client();
    let definitions = Api::<CustomResourceDefinition>::all(client);
    let mut now = definitions.get(DEFINITION).await?;
    now.spec = newer.spec;
    definitions
        .replace(DEFINITION, &PostParams::default(), &now)
        .await?;
    let edit = json!({"spec": {"cassandra": {"config": {"cassandraYaml": {"concurrent_reads": 64}}}}});
    patch(world, name, &edit).await?;
    world.ready(name, SOON).await?;
    let object = whole(world, "north", "dc2").await?;
    ensure!(
        object["spec"][NEW_FIELD] == true,
        "it is not sent again: {}",
        object["spec"]
    );
    let note = &object["metadata"]["annotations"]["ringspan.io/not-kept"];
    ensure!(note.is_null(), "it is kept, and noted as lost: {note}");
    delete(world, name).await
}

/// Waits until what was lost in north is told, and nothing else.
async fn not_kept(world: &World, name: &str) -> anyhow::Result<()> {
    let told = eventually("what is not kept is told", SOON, || async {
        let cluster = world.clusters().get(name).await?;
        let report = cluster.status.and_then(|status| status.reports.cluster);
        let report = report.context("no report")?;
        let lost = report
            .datacenters
            .iter()
            .map(|(name, it)| (name.as_str(), &it.not_kept));
        let lost: Vec<_> = lost.collect();
        let paths = vec![
            "spec.racks[r1].nodeAffinityLabels".to_owned(),
            format!("spec.{NEW_FIELD}"),
        ];
        ensure!(lost == [("dc1", &Vec::new()), ("dc2", &paths)], "{lost:?}");
        Ok(report.datacenters["dc2"].pending_change.is_none().then_some(()))
    });
    told.await
}
