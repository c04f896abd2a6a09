//! Labels and annotations of what is made for a datacenter.

use std::collections::BTreeMap;

use api::names::{annotation, label};
use api::record::Role;
use serde_json::{Map, Value};

use super::{DatacenterInput, Facts};
use crate::value;

/// Keys of services: in the cluster's spec, and in a CassandraDatacenter.
const SERVICES: [(&str, &str); 5] = [
    ("dcService", "dcService"),
    ("seedService", "seedService"),
    ("allPodsService", "allpodsService"),
    ("additionalSeedService", "additionalSeedService"),
    ("nodePortService", "nodePortService"),
];

fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// Which cluster an object belongs to: what watches select.
fn watch_labels(facts: &Facts<'_>) -> BTreeMap<String, String> {
    let metadata = &facts.kc.metadata;
    owned(&[
        (label::CLUSTER_NAME, metadata.name.as_deref().unwrap_or_default()),
        (
            label::CLUSTER_NAMESPACE,
            metadata.namespace.as_deref().unwrap_or_default(),
        ),
    ])
}

/// The same, and who deletes the object.
pub(super) fn cleanup_labels(facts: &Facts<'_>) -> BTreeMap<String, String> {
    let mut labels = watch_labels(facts);
    labels.insert(
        label::CLEANED_UP_BY.to_owned(),
        label::CLUSTER_CONTROLLER.to_owned(),
    );
    labels
}

/// The same, and which product the object is part of.
pub(super) fn product_labels(facts: &Facts<'_>) -> BTreeMap<String, String> {
    let mut labels = cleanup_labels(facts);
    labels.extend(owned(&[
        (label::APP_NAME, "k8ssandra-operator"),
        (label::APP_PART_OF, "k8ssandra"),
        (label::APP_COMPONENT, "cassandra"),
    ]));
    labels
}

/// Annotations of ours on everything that is made for a cluster.
pub(super) fn marks(facts: &Facts<'_>) -> BTreeMap<String, String> {
    let uid = facts.kc.metadata.uid.as_deref();
    uid.map(|uid| (annotation::CLUSTER_UID.to_owned(), uid.to_owned()))
        .into_iter()
        .collect()
}

/// What the cluster's metadata says, beside what its datacenters say.
pub(super) fn of_cluster(facts: &Facts<'_>, pointer: &str) -> BTreeMap<String, String> {
    let metadata = serde_json::to_value(&facts.cassandra.metadata).unwrap_or_default();
    value::texts(&metadata, pointer)
}

/// Labels of the CassandraDatacenter. For one key the cluster's label wins over the datacenter's, and both over ours.
pub(super) fn labels(facts: &Facts<'_>) -> BTreeMap<String, String> {
    let mut labels = product_labels(facts);
    labels.extend(value::texts(&facts.merged, "/metadata/labels"));
    labels.extend(of_cluster(facts, "/labels"));
    labels
}

/// Annotations of the CassandraDatacenter. Ours cannot be overridden.
pub(super) fn annotations(
    facts: &Facts<'_>,
    input: &DatacenterInput<'_>,
    input_hash: &str,
) -> BTreeMap<String, String> {
    let has_external = facts
        .kc
        .spec
        .external_datacenters
        .as_ref()
        .is_some_and(|names| !names.is_empty());
    // Beside datacenters that others manage, the annotations of the datacenter itself are not used: as upstream has it.
    let mut annotations = if has_external {
        BTreeMap::new()
    } else {
        value::texts(&facts.merged, "/metadata/annotations")
    };
    if has_external || skips_users(input) {
        annotations.insert(annotation::SKIP_USER_CREATION.to_owned(), "true".to_owned());
    }
    annotations.extend(of_cluster(facts, "/annotations"));
    annotations.extend(marks(facts));
    if facts.keeps_volumes() {
        annotations.insert(annotation::DELETE_PVC.to_owned(), "false".to_owned());
    }
    annotations.insert(annotation::JOIN.to_owned(), input.role.as_str().to_owned());
    annotations.insert(annotation::INPUT_HASH.to_owned(), input_hash.to_owned());
    let generation = facts.kc.metadata.generation.unwrap_or_default();
    annotations.insert(annotation::CLUSTER_GENERATION.to_owned(), generation.to_string());
    if let Some(id) = input.control_plane_id {
        annotations.insert(annotation::CONTROL_PLANE_ID.to_owned(), id.to_owned());
    }
    annotations
}

/// Only a founder creates users: in any other datacenter they come with the ring.
fn skips_users(input: &DatacenterInput<'_>) -> bool {
    match input.role {
        Role::Founder => false,
        Role::Rebuild | Role::External => true,
        Role::Adopted => input.live.is_none_or(super::LiveDatacenter::skips_users),
    }
}

/// Labels and annotations of services. The service over all pods always has the watch labels, so that a change of its
/// addresses is seen.
pub(super) fn services(facts: &Facts<'_>) -> Value {
    let mut services = Map::new();
    for (theirs, name) in SERVICES {
        let mut labels = value::texts(&facts.merged, &format!("/metadata/services/{theirs}/labels"));
        if name == "allpodsService" {
            labels.extend(watch_labels(facts));
        }
        let annotations = value::texts(&facts.merged, &format!("/metadata/services/{theirs}/annotations"));
        let mut service = Map::new();
        value::set(
            &mut service,
            "additionalLabels",
            value::not_empty(json_of(&labels)),
        );
        value::set(
            &mut service,
            "additionalAnnotations",
            value::not_empty(json_of(&annotations)),
        );
        value::set(&mut services, name, value::not_empty(Value::Object(service)));
    }
    Value::Object(services)
}

/// Texts as a JSON object.
pub(super) fn json_of(texts: &BTreeMap<String, String>) -> Value {
    texts
        .iter()
        .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
        .collect()
}
