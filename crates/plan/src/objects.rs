//! What is sent for an act: the bodies of the objects that are made.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, finalizer, label};
use serde_json::{Map, Value, json};

use crate::cluster::facts::ClusterIdentity;
use crate::datacenter::{DesiredConfigMap, DesiredDatacenter};
use crate::{own_secrets, value};

/// A CassandraDatacenter.
#[must_use]
pub fn datacenter(desired: &DesiredDatacenter) -> Value {
    json!({
        "apiVersion": "cassandra.datastax.com/v1beta1",
        "kind": "CassandraDatacenter",
        "metadata": {
            "name": desired.name,
            "namespace": desired.namespace,
            "labels": desired.labels,
            "annotations": desired.annotations,
        },
        "spec": desired.spec,
    })
}

/// A ConfigMap that the pods of this datacenter mount.
#[must_use]
pub fn config_map(kc: &K8ssandraCluster, datacenter: &str, desired: &DesiredConfigMap) -> Value {
    let mut annotations = desired.annotations.clone();
    let uid = kc.metadata.uid.clone().unwrap_or_default();
    annotations.insert(annotation::CLUSTER_UID.to_owned(), uid);
    if !desired.shared {
        annotations.insert(annotation::DATACENTER.to_owned(), datacenter.to_owned());
    }
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": desired.name,
            "namespace": desired.namespace,
            "labels": desired.labels,
            "annotations": annotations,
        },
        "data": desired.data,
    })
}

/// A generated Secret of the cluster's own, without its data.
#[must_use]
pub fn own_secret(kc: &K8ssandraCluster, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": kc.metadata.namespace.clone().unwrap_or_default(),
            "labels": own_secrets::labels(kc),
            "annotations": own_secrets::annotations(kc),
            "ownerReferences": owner(kc),
        },
        "type": "Opaque",
    })
}

/// The ReplicatedSecret of a cluster, with these targets: context and namespace. A target without a context is in the
/// control plane, and one without a namespace is in the cluster's own.
#[must_use]
pub fn replicated_secret(kc: &K8ssandraCluster, targets: &[(String, String)]) -> Value {
    let identity = ClusterIdentity::of(kc);
    let mut labels = own_secrets::labels(kc);
    labels.remove(label::REPLICATED_BY);
    let target = |(context, namespace): &(String, String)| {
        let mut target = Map::new();
        let context = Some(context.as_str()).filter(|it| !it.is_empty());
        value::set(&mut target, "k8sContextName", context.map(Value::from));
        let namespace = Some(namespace.as_str()).filter(|it| *it != identity.namespace);
        value::set(&mut target, "namespace", namespace.map(Value::from));
        Value::Object(target)
    };
    json!({
        "apiVersion": "replication.k8ssandra.io/v1alpha1",
        "kind": "ReplicatedSecret",
        "metadata": {
            "name": identity.name,
            "namespace": identity.namespace,
            "labels": labels,
            "annotations": own_secrets::annotations(kc),
            "finalizers": [finalizer::REPLICATED_SECRET],
            "ownerReferences": owner(kc),
        },
        "spec": {
            "selector": { "matchLabels": own_secrets::selector_labels(kc) },
            "replicationTargets": targets.iter().map(target).collect::<Vec<_>>(),
        },
    })
}

/// The reference by which what is in the cluster's own namespace goes with it.
#[must_use]
pub fn owner(kc: &K8ssandraCluster) -> Value {
    json!([{
        "apiVersion": "k8ssandra.io/v1alpha1",
        "kind": "K8ssandraCluster",
        "name": kc.metadata.name.clone().unwrap_or_default(),
        "uid": kc.metadata.uid.clone().unwrap_or_default(),
        "controller": true,
        "blockOwnerDeletion": true,
    }])
}
