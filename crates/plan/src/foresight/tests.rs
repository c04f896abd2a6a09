use std::collections::BTreeMap;

use api::names::annotation;
use api::seen::{PlaneId, Unknown};
use serde_json::{Value, json};

use super::*;
use crate::fixtures::cluster_of;

fn empty(contexts: &[&str]) -> Snapshot {
    let plane = |context: &&str| {
        let plane = PlaneObjects {
            id: PlaneId(format!("id-of-{context}")),
            objects: Vec::new(),
        };
        ((*context).to_owned(), Ok(plane))
    };
    Snapshot {
        planes: contexts.iter().map(plane).collect(),
        ..Snapshot::default()
    }
}

fn two() -> K8ssandraCluster {
    cluster_of(json!([
        {"metadata": {"name": "dc1"}, "k8sContext": "east", "size": 3},
        {"metadata": {"name": "dc2"}, "k8sContext": "west", "size": 3},
    ]))
}

fn sentences(foresight: &Foresight) -> Vec<String> {
    foresight.steps.iter().map(|step| step.act.sentence()).collect()
}

fn kinds(foresight: &Foresight) -> Vec<String> {
    let named = foresight
        .steps
        .iter()
        .filter_map(|step| step.object.as_ref())
        .map(|(context, object)| {
            let text = |pointer: &str| {
                object
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            format!("{context} {} {}", text("/kind"), text("/metadata/name"))
        });
    named.collect()
}

/// The world after a foresight: what was made stands in its plane, and the cluster carries its record.
fn after(foresight: &Foresight, kc: &K8ssandraCluster, snapshot: &Snapshot) -> (K8ssandraCluster, Snapshot) {
    let (mut kc, mut snapshot) = (kc.clone(), snapshot.clone());
    for step in &foresight.steps {
        world::done(&mut snapshot, &mut kc, &step.act);
        world::others_do_their_part(&mut snapshot, &mut kc);
    }
    (kc, snapshot)
}

#[test]
fn a_new_cluster_is_foreseen_to_its_end() {
    let foresight = foresee(&two(), &empty(&["", "east", "west"]));
    assert_eq!(
        kinds(&foresight),
        [
            " Secret demo-superuser",
            " ReplicatedSecret demo",
            "east ConfigMap demo-dc1-metrics-agent-config",
            "east CassandraDatacenter dc1",
            "west ConfigMap demo-dc2-metrics-agent-config",
            "west CassandraDatacenter dc2",
        ],
        "{:#?}",
        sentences(&foresight)
    );
    assert!(foresight.report.complete, "{:?}", foresight.report);
    let join = |name: &str| {
        let objects = foresight.steps.iter().filter_map(|step| step.object.as_ref());
        let mut found = objects.filter(|(_, object)| {
            object["kind"] == "CassandraDatacenter" && object["metadata"]["name"] == name
        });
        found
            .next()
            .map(|(_, object)| object["metadata"]["annotations"][annotation::JOIN].clone())
    };
    assert_eq!(
        (join("dc1"), join("dc2")),
        (Some(json!("founder")), Some(json!("rebuild")))
    );
}

#[test]
fn what_is_as_it_shall_be_needs_no_step() {
    let (kc, snapshot) = (two(), empty(&["", "east", "west"]));
    let (kc, snapshot) = after(&foresee(&kc, &snapshot), &kc, &snapshot);
    let again = foresee(&kc, &snapshot);
    assert_eq!(sentences(&again), Vec::<String>::new());
    assert!(again.report.complete, "{:?}", again.report);
}

#[test]
fn a_datacenter_that_left_the_spec_is_foreseen_to_go_with_what_belongs_to_it() {
    let (kc, snapshot) = (two(), empty(&["", "east", "west"]));
    let (mut kc, snapshot) = after(&foresee(&kc, &snapshot), &kc, &snapshot);
    kc.spec.cassandra.as_mut().unwrap().datacenters.truncate(1);
    kc.metadata.generation = Some(8);
    assert_eq!(
        sentences(&foresee(&kc, &snapshot)),
        [
            "Write the record: dc1 (founder, made), dc2 (rebuild, leaves)",
            "Decommission and delete CassandraDatacenter ns/dc2 in plane west",
            "Delete what was made for datacenter dc2 and has no use any more, in namespace ns of plane west",
            "Have Secrets copied to namespace ns of plane east",
            "Write the record: dc1 (founder, made)",
        ]
    );
}

#[test]
fn a_plane_that_does_not_answer_is_where_the_future_ends() {
    let mut snapshot = empty(&["", "east"]);
    let unknown = Unknown {
        context: "west".into(),
        reason: "PlaneUnreachable".into(),
        message: "it does not answer".into(),
    };
    snapshot.planes.insert("west".into(), Err(unknown));
    let foresight = foresee(&two(), &snapshot);
    assert!(
        !kinds(&foresight)
            .iter()
            .any(|kind| kind.contains("CassandraDatacenter"))
    );
    assert!(
        foresight.report.holds.iter().any(|hold| hold.founding),
        "{:?}",
        foresight.report
    );
}

#[test]
fn a_refused_spec_has_no_future() {
    let mut kc = two();
    kc.spec.cassandra.as_mut().unwrap().datacenters.clear();
    let foresight = foresee(&kc, &empty(&["", "east", "west"]));
    assert!(foresight.steps.is_empty());
    assert_eq!(
        foresight.refusal().map(|it| it.reason.as_str()),
        Some("NoDatacenters")
    );
}

#[test]
fn the_future_is_the_same_each_time() {
    let (kc, snapshot) = (two(), empty(&["", "east", "west"]));
    let text = |foresight: &Foresight| format!("{foresight:?}");
    let first = text(&foresee(&kc, &snapshot));
    let others: BTreeMap<String, usize> = (0..20).map(|_| (text(&foresee(&kc, &snapshot)), 0)).collect();
    assert_eq!(others.keys().collect::<Vec<_>>(), [&first]);
}

/// What is foreseen is shown to people.
#[test]
fn passwords_of_stores_are_read_from_the_snapshot_and_not_shown() {
    let mut kc = two();
    let cassandra = kc.spec.cassandra.as_mut().unwrap();
    let stores = json!({"keystoreSecretRef": {"name": "s"}, "truststoreSecretRef": {"name": "s"}});
    cassandra.server_encryption_stores = Some(serde_json::from_value(stores).unwrap());
    let config = json!({"cassandraYaml": {"server_encryption_options": {"internode_encryption": "all"}}});
    cassandra.options.config = Some(serde_json::from_value(config).unwrap());
    let mut snapshot = empty(&["", "east", "west"]);
    let waiting = foresee(&kc, &snapshot);
    assert!(
        kinds(&waiting)
            .iter()
            .all(|it| !it.contains("CassandraDatacenter"))
    );
    let says = |hold: &api::reports::Hold| hold.reason == "StorePasswordMissing";
    assert!(waiting.report.holds.iter().any(says), "{:?}", waiting.report);
    let secret = json!({
        "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"},
        "stringData": {"keystore-password": "canary"}, "data": {"truststore-password": "Y2FuYXJ5"},
    });
    for plane in snapshot.planes.values_mut().flatten() {
        plane.objects.push(secret.clone());
    }
    let foresight = foresee(&kc, &snapshot);
    let datacenters = foresight
        .steps
        .iter()
        .filter_map(|step| step.object.as_ref())
        .filter(|(_, object)| object["kind"] == "CassandraDatacenter");
    let pointer = "/spec/config/cassandra-yaml/server_encryption_options/truststore_password";
    let shown: Vec<_> = datacenters.map(|(_, object)| object.pointer(pointer)).collect();
    assert_eq!(shown, [Some(&json!("<hidden>")), Some(&json!("<hidden>"))]);
    assert!(!format!("{foresight:?}").contains("canary"));
}

#[test]
fn what_a_datacenter_refers_to_is_looked_for_where_it_is_needed() {
    let mut kc = two();
    let datacenter = &mut kc.spec.cassandra.as_mut().unwrap().datacenters[0];
    datacenter.per_node_config_map_ref = Some(serde_json::from_value(json!({"name": "nodes"})).unwrap());
    kc.spec.medusa = serde_json::from_value(json!({
        "medusaConfigurationRef": {"name": "shared"}, "storageProperties": {"prefix": "p"}
    }))
    .unwrap();
    let mut snapshot = empty(&["", "east", "west"]);
    assert!(foresee(&kc, &snapshot).refusal().is_some());
    let mut add = |context: &str, object: Value| {
        let plane = snapshot.planes.get_mut(context).unwrap().as_mut().unwrap();
        plane.objects.push(object);
        foresee(&kc, &snapshot)
    };
    let storage = json!({"storageProvider": "s3", "bucketName": "b", "credentialsType": "role-based"});
    let held = add(
        "",
        json!({"kind": "MedusaConfiguration", "metadata": {"name": "shared", "namespace": "ns"},
            "spec": {"storageProperties": storage}}),
    );
    assert_eq!(held.report.holds[0].reason, "ConfigMapMissing");
    let done = add(
        "east",
        json!({"kind": "ConfigMap", "metadata": {"name": "nodes", "namespace": "ns", "uid": "u"}, "data": {"a_b": "c"}}),
    );
    let label = "Label ConfigMap ns/nodes in plane east, so that its edits are seen".to_owned();
    assert_eq!(sentences(&done).iter().filter(|it| **it == label).count(), 1);
    assert!(done.report.complete, "{:?}", done.report);
}
