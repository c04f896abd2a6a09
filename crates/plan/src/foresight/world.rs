//! What becomes of a snapshot when an act is done, and when everybody else has done their part: cass-operator has made
//! the nodes ready, Secrets are copied, seeds published, rebuilds verified, keyspaces taken out of what leaves.

use std::collections::BTreeMap;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{self, annotation, finalizer, label};
use api::reports::{self, TopologyDatacenterReport, TopologyReport};
use api::seen::Seen;
use serde_json::{Value, json};

use super::snapshot::{Snapshot, is};
use crate::cluster::acts::{Act, ThisDatacenter};
use crate::cluster::facts::{ClusterFacts, Owner};
use crate::datacenter::redacted;
use crate::{objects, value};

/// Address of a node that does not exist yet: of the block that is meant for tests of networks.
const ADDRESS: &str = "198.18.0.1";

/// What a target's entry says when every Secret is copied, of whichever version: see [`crate::replication::is_copy_of`].
const COPIED: &str = "all";

/// Does one act in the snapshot, and returns the body that is sent for it, without passwords: nothing where only something
/// is taken away.
pub(super) fn done(snapshot: &mut Snapshot, kc: &mut K8ssandraCluster, act: &Act) -> Option<(String, Value)> {
    let (context, body) = match act {
        Act::WriteCluster { .. } | Act::RemoveFinalizer => {
            on_the_cluster(kc, act);
            return None;
        }
        Act::CreateSecret { secret } => (String::new(), objects::own_secret(kc, &secret.name)),
        Act::CreateReplicatedSecret { targets } | Act::ApplyReplicatedSecret { targets, .. } => {
            (String::new(), objects::replicated_secret(kc, targets))
        }
        Act::WriteConfigMap {
            datacenter,
            context,
            desired,
            ..
        } => (context.clone(), objects::config_map(kc, datacenter, desired)),
        Act::CreateDatacenter { context, desired } | Act::ApplyDatacenter { context, desired, .. } => {
            (context.clone(), objects::datacenter(desired))
        }
        _ => {
            on_what_is_there(snapshot, kc, act);
            return None;
        }
    };
    let shown = redacted(&body);
    put(snapshot, &context, settled(body));
    Some((context, shown))
}

fn on_the_cluster(kc: &mut K8ssandraCluster, act: &Act) {
    let Act::WriteCluster {
        record,
        initial_system_replication,
        consume_autoupdate,
        ..
    } = act
    else {
        kc.metadata.finalizers = None;
        return;
    };
    let annotations = kc.metadata.annotations.get_or_insert_default();
    annotations.insert(annotation::RECORD.to_owned(), record.to_annotation());
    if let Some(replication) = initial_system_replication {
        annotations.insert(
            annotation::INITIAL_SYSTEM_REPLICATION.to_owned(),
            replication.clone(),
        );
    }
    if *consume_autoupdate {
        annotations.remove(annotation::AUTOUPDATE_SPEC);
    }
    let finalizers = kc.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|text| text == finalizer::CLUSTER) {
        finalizers.push(finalizer::CLUSTER.to_owned());
    }
}

fn on_what_is_there(snapshot: &mut Snapshot, kc: &K8ssandraCluster, act: &Act) {
    match act {
        Act::RemoveDatacenter(gone) | Act::DeleteDatacenter(gone) => {
            take(
                snapshot,
                &gone.context,
                "CassandraDatacenter",
                &gone.namespace,
                &gone.name,
            );
        }
        Act::DeleteLeftovers {
            context,
            namespace,
            config_maps,
            slices,
            ..
        } => {
            for (name, _, _) in config_maps {
                take(snapshot, context, "ConfigMap", namespace, name);
            }
            for (name, _, _) in slices {
                take(snapshot, context, "EndpointSlice", namespace, name);
            }
        }
        Act::DeleteAddons {
            context,
            namespace,
            objects,
            ..
        } => {
            for object in objects {
                take(snapshot, context, object.kind.as_str(), namespace, &object.name);
            }
        }
        Act::CancelRemoval(datacenter) => with_datacenter(snapshot, datacenter, |object| {
            if let Some(annotations) = object
                .pointer_mut("/metadata/annotations")
                .and_then(Value::as_object_mut)
            {
                annotations.remove(annotation::DECOMMISSION_ON_DELETE);
            }
        }),
        Act::AllowUpdates {
            datacenter,
            permission,
        } => with_datacenter(snapshot, datacenter, |object| {
            allow_updates(object, permission.as_ref());
        }),
        Act::WakeDatacenter { datacenter, seen } => with_datacenter(snapshot, datacenter, |object| {
            object["metadata"]["annotations"][annotation::SECRETS_SEEN] = json!(seen);
        }),
        Act::LabelConfigMap {
            context,
            namespace,
            name,
            ..
        } => {
            with(snapshot, context, "ConfigMap", namespace, name, |object| {
                for (key, value) in crate::own_secrets::selector_labels(kc) {
                    object["metadata"]["labels"][key] = json!(value);
                }
            });
        }
        Act::KeepSecret { name, owner, .. } => {
            let namespace = kc.metadata.namespace.clone().unwrap_or_default();
            with(snapshot, "", "Secret", &namespace, name, |object| {
                let owners = object.pointer_mut("/metadata/ownerReferences");
                if let Some(owners) = owners.and_then(Value::as_array_mut) {
                    owners.remove(*owner);
                }
            });
        }
        Act::LabelSecret { secret, .. } => {
            let namespace = kc.metadata.namespace.clone().unwrap_or_default();
            with(snapshot, "", "Secret", &namespace, &secret.name, |object| {
                for (key, value) in crate::own_secrets::selector_labels(kc) {
                    object["metadata"]["labels"][key] = json!(value);
                }
            });
        }
        _ => {}
    }
}

/// The object as it is once those whose business it is have done their part.
fn settled(mut object: Value) -> Value {
    let name = value::text(&object, "/metadata/name")
        .unwrap_or_default()
        .to_owned();
    object["metadata"]["uid"] = json!(format!("uid-of-{name}"));
    object["metadata"]["resourceVersion"] = json!("1");
    match value::text(&object, "/kind") {
        Some("Secret") => object["data"] = json!({"username": "eA==", "password": "eA=="}),
        Some("ReplicatedSecret") => {
            let copied = |target: &Value| json!({"cluster": target["k8sContextName"], "namespace": target["namespace"], "type": "Replication", "status": "True", "contentMark": COPIED});
            let targets = value::items(&object, "/spec/replicationTargets")
                .iter()
                .map(copied);
            let generation = &object["metadata"]["generation"];
            let status = json!({"conditions": targets.collect::<Vec<_>>(), "observedGeneration": generation});
            object["status"] = status;
        }
        Some("CassandraDatacenter") => {
            let stopped = value::flag(&object, "/spec/stopped") == Some(true);
            let state =
                |type_: &str, on: bool| json!({"type": type_, "status": if on { "True" } else { "False" }});
            object["status"] = json!({
                "cassandraOperatorProgress": "Ready",
                "nodeStatuses": {format!("{name}-0"): {"hostID": name, "ip": ADDRESS}},
                "conditions": [state("Initialized", true), state("Ready", !stopped), state("Stopped", stopped)],
            });
        }
        _ => {}
    }
    object
}

/// cass-operator takes `once` away when it is done, and nobody waits for that here.
fn allow_updates(object: &mut Value, permission: Option<&(String, String)>) {
    let annotations = object.pointer_mut("/metadata/annotations");
    let Some(annotations) = annotations.and_then(Value::as_object_mut) else {
        return;
    };
    annotations.remove(annotation::DATACENTER_AUTOUPDATE_SPEC);
    annotations.remove(annotation::UPDATES_ALLOWED);
    if let Some((value, note)) = permission {
        annotations.insert(annotation::UPDATES_ALLOWED.to_owned(), note.as_str().into());
        if value == "always" {
            annotations.insert(
                annotation::DATACENTER_AUTOUPDATE_SPEC.to_owned(),
                value.as_str().into(),
            );
        }
    }
}

fn put(snapshot: &mut Snapshot, context: &str, object: Value) {
    let text = |pointer: &str| value::text(&object, pointer).unwrap_or_default().to_owned();
    let (kind, namespace, name) = (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
    let before = take(snapshot, context, &kind, &namespace, &name);
    let mut object = object;
    if let Some(before) = before {
        object["metadata"]["uid"] = before["metadata"]["uid"].clone();
        if kind == "CassandraDatacenter" && before.get("status").is_some() {
            object["status"] = before["status"].clone();
        }
    }
    if let Some(Ok(plane)) = snapshot.planes.get_mut(context) {
        plane.objects.push(object);
    }
}

fn take(snapshot: &mut Snapshot, context: &str, kind: &str, namespace: &str, name: &str) -> Option<Value> {
    let Some(Ok(plane)) = snapshot.planes.get_mut(context) else {
        return None;
    };
    let at = plane
        .objects
        .iter()
        .position(|object| is(object, kind, namespace, name))?;
    Some(plane.objects.remove(at))
}

fn with_datacenter(snapshot: &mut Snapshot, which: &ThisDatacenter, change: impl FnOnce(&mut Value)) {
    let ThisDatacenter {
        context,
        namespace,
        name,
        ..
    } = which;
    with(snapshot, context, "CassandraDatacenter", namespace, name, change);
}

fn with(
    snapshot: &mut Snapshot,
    context: &str,
    kind: &str,
    namespace: &str,
    name: &str,
    change: impl FnOnce(&mut Value),
) {
    if let Some(mut object) = take(snapshot, context, kind, namespace, name) {
        change(&mut object);
        put(snapshot, context, object);
    }
}

/// What the other programs do meanwhile: true where that changed anything.
pub(super) fn others_do_their_part(snapshot: &mut Snapshot, kc: &mut K8ssandraCluster) -> bool {
    let facts = snapshot.facts(kc);
    let report = topology(&facts);
    let changed = facts.topology.as_ref() != Some(&report);
    if kc.metadata.generation.is_none() {
        kc.metadata.generation = Some(report.observed_generation);
    }
    kc.status.get_or_insert_default().reports.topology = Some(report);
    let ready = make_ready(snapshot, &facts);
    publish_seeds(snapshot, kc, &facts) || changed || ready
}

/// cass-operator finishes what it is about. What somebody else has made is nobody's business here.
fn make_ready(snapshot: &mut Snapshot, facts: &ClusterFacts) -> bool {
    let busy = facts.datacenters.iter().filter(|(_, it)| {
        let live = it.object.present();
        live.is_some_and(|live| live.owner != Owner::Foreign && !live.settled && !live.deleting)
    });
    let mut changed = false;
    for (name, it) in busy {
        let (context, namespace) = (&it.context, &it.namespace);
        with(
            snapshot,
            context,
            "CassandraDatacenter",
            namespace,
            name,
            |object| {
                let known = object.pointer("/status/nodeStatuses").cloned();
                let uid = object["metadata"]["uid"].clone();
                *object = settled(object.take());
                object["metadata"]["uid"] = uid;
                if let Some(known) = known.filter(|it| it.as_object().is_some_and(|it| !it.is_empty())) {
                    object["status"]["nodeStatuses"] = known;
                }
            },
        );
        changed = true;
    }
    changed
}

fn topology(facts: &ClusterFacts) -> TopologyReport {
    let spec = facts.kc.spec.cassandra.iter().flat_map(|it| &it.datacenters);
    let wanted: Vec<&str> = spec
        .map(api::k8ssandra_cluster::CassandraDatacenterTemplate::name)
        .collect();
    let told = |(name, datacenter): (&String, &crate::cluster::facts::DatacenterFacts)| {
        let live = datacenter.object.present()?;
        let plane_id = facts.planes.get(&datacenter.context)?.clone().ok()?;
        let told = TopologyDatacenterReport {
            uid: live.uid.clone(),
            plane_id,
            joined: true,
            may_be_deleted: (!wanted.contains(&name.as_str())).then_some(true),
            not_serving: Vec::new(),
        };
        Some((name.clone(), told))
    };
    TopologyReport {
        format: reports::FORMAT,
        observed_generation: facts.kc.metadata.generation.unwrap_or(1),
        holds: Vec::new(),
        datacenters: facts.datacenters.iter().filter_map(told).collect(),
        system_replication: BTreeMap::new(),
        replication_pending: false,
        complete: true,
    }
}

/// Gives each datacenter that is not there yet the addresses of those that are, and those that the user gave.
fn publish_seeds(snapshot: &mut Snapshot, kc: &K8ssandraCluster, facts: &ClusterFacts) -> bool {
    let live = || {
        facts
            .datacenters
            .iter()
            .filter_map(|(name, it)| Some((name, it.object.present()?)))
    };
    let sources: BTreeMap<&String, &String> = live().map(|(name, live)| (name, &live.uid)).collect();
    let given = kc
        .spec
        .cassandra
        .as_ref()
        .and_then(|it| it.additional_seeds.clone());
    let addresses: Vec<String> = live()
        .flat_map(|(_, live)| live.addresses.clone())
        .chain(given.unwrap_or_default())
        .collect();
    let lacks = |it: &&String| match &facts.datacenters[*it].seed_slices {
        Seen::Present(slices) => !slices
            .iter()
            .any(|slice| addresses.iter().all(|address| slice.addresses.contains(address))),
        _ => false,
    };
    let spec = kc.spec.cassandra.iter().flat_map(|it| &it.datacenters);
    let wanted: Vec<&str> = spec
        .map(api::k8ssandra_cluster::CassandraDatacenterTemplate::name)
        .collect();
    let absent = facts
        .datacenters
        .iter()
        .filter(|(name, it)| it.object.is_absent() && wanted.contains(&name.as_str()))
        .map(|(name, _)| name);
    let waiting: Vec<&String> = absent.filter(lacks).filter(|_| !addresses.is_empty()).collect();
    for name in &waiting {
        let datacenter = &facts.datacenters[*name];
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": format!("{name}-joins"),
                "namespace": datacenter.namespace,
                "uid": format!("uid-of-{name}-joins"),
                "labels": {
                    label::CLUSTER_UID: kc.metadata.uid,
                    label::CASSANDRA_DATACENTER: name,
                    label::SEED_SLICE: names::SeedSlice::JOINING,
                },
                "annotations": { annotation::SEED_SOURCES: json!(sources).to_string() },
            },
            "endpoints": [{"addresses": addresses}],
        });
        put(snapshot, &datacenter.context, slice);
    }
    !waiting.is_empty()
}
