//! What the user writes down.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::step::{Act, Thing};
use crate::doors::Door;
use crate::world::{CONTROL_PLANE, DATABASES, NAMESPACE, kubeconfig};

/// The name of the cluster in every scenario.
pub const CLUSTER: &str = "demo";

/// A datacenter of one node: name and context.
pub(super) type Place = (&'static str, &'static str);

pub(super) const EAST: Place = ("dc1", "east");
pub(super) const WEST: Place = ("dc2", "west");
pub(super) const NORTH: Place = ("dc3", "north");

/// The name of a second cluster, where there is one.
pub const OTHER: &str = "other";

/// A cluster with these datacenters, one node each.
pub(super) fn cluster(datacenters: &[Place]) -> Value {
    sized(&datacenters.iter().map(|place| (*place, 1)).collect::<Vec<_>>())
}

/// A cluster with these datacenters and their sizes.
pub(super) fn sized(datacenters: &[(Place, u32)]) -> Value {
    let datacenters: Vec<Value> = datacenters
        .iter()
        .map(|((name, context), size)| json!({"metadata": {"name": name}, "k8sContext": context, "size": size}))
        .collect();
    json!({
        "apiVersion": "k8ssandra.io/v1alpha1",
        "kind": "K8ssandraCluster",
        "metadata": {"name": CLUSTER, "namespace": DATABASES},
        "spec": {"cassandra": {
            "serverVersion": "4.1.5",
            "storageConfig": {"cassandraDataVolumeClaimSpec": {
                "storageClassName": "standard",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            }},
            "datacenters": datacenters,
        }},
    })
}

/// Another cluster, with this datacenter alone.
pub(super) fn other(place: Place) -> Value {
    let mut other = cluster(&[place]);
    other["metadata"]["name"] = json!(OTHER);
    other
}

/// Applies a cluster.
pub(super) fn apply(cluster: Value) -> Act {
    Act::Apply(CONTROL_PLANE, cluster)
}

/// The cluster.
pub const THE_CLUSTER: Thing = Thing {
    plane: CONTROL_PLANE,
    api: "k8ssandra.io/v1alpha1",
    plural: "k8ssandraclusters",
    namespace: DATABASES,
    name: CLUSTER,
};

/// The object of a datacenter.
pub(super) const fn datacenter((name, plane): Place) -> Thing {
    Thing {
        plane,
        api: "cassandra.datastax.com/v1beta1",
        plural: "cassandradatacenters",
        namespace: DATABASES,
        name,
    }
}

/// How a plane is joined.
pub(super) const fn client_config(name: &'static str) -> Thing {
    Thing {
        plane: CONTROL_PLANE,
        api: "config.k8ssandra.io/v1beta1",
        plural: "clientconfigs",
        namespace: NAMESPACE,
        name,
    }
}

/// The kubeconfig Secret of a plane, with another address and token.
pub(super) fn rotated(plane: &str, host: &str, token: &str) -> Value {
    let door = Door {
        host: host.to_owned(),
        token: token.to_owned(),
    };
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": format!("{plane}-kubeconfig"), "namespace": NAMESPACE},
        "data": {"kubeconfig": STANDARD.encode(kubeconfig(plane, &door).to_string())},
    })
}
