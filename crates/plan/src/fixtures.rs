//! What the tests of this crate begin with.

#![expect(
    clippy::needless_pass_by_value,
    reason = "literals read better without a borrow"
)]

use api::k8ssandra_cluster::K8ssandraCluster;
use serde_json::{Value, json};

/// Cluster `ns/demo` with this template of Cassandra.
pub(crate) fn cluster(cassandra: Value) -> K8ssandraCluster {
    from_json(json!({
        "metadata": {"name": "demo", "namespace": "ns", "uid": "kc-uid", "generation": 7},
        "spec": {"cassandra": cassandra},
    }))
}

/// The same with datacenters, a version and storage.
pub(crate) fn cluster_of(datacenters: Value) -> K8ssandraCluster {
    cluster(json!({
        "serverVersion": "4.1.5",
        "storageConfig": {"cassandraDataVolumeClaimSpec": {"resources": {"requests": {"storage": "5Gi"}}}},
        "datacenters": datacenters,
    }))
}

/// A cluster from its document.
pub(crate) fn from_json(mut document: Value) -> K8ssandraCluster {
    document["apiVersion"] = json!("k8ssandra.io/v1alpha1");
    document["kind"] = json!("K8ssandraCluster");
    serde_json::from_value(document).expect("a K8ssandraCluster")
}
