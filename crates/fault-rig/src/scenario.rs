//! What the user does, and when it is done.

use std::fmt;

use serde_json::{Value, json};

use crate::world::DATABASES;

/// What the user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// S01: one datacenter in the control plane itself.
    One,
    /// S02: three datacenters in three planes, from nothing.
    Three,
    /// S03: a third datacenter is added to two live ones.
    Add,
    /// S04: one of three datacenters is removed.
    Remove,
}

/// The name of the cluster in every scenario.
pub const CLUSTER: &str = "demo";

impl Scenario {
    /// All that there are.
    pub const ALL: [Scenario; 4] = [Scenario::One, Scenario::Three, Scenario::Add, Scenario::Remove];

    /// As it is called in plans and figures.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Scenario::One => "S01",
            Scenario::Three => "S02",
            Scenario::Add => "S03",
            Scenario::Remove => "S04",
        }
    }

    /// The scenario of that id.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Scenario::ALL.into_iter().find(|scenario| scenario.id() == id)
    }

    /// The user's specs, one after the other; each is done before the next comes.
    #[must_use]
    pub fn specs(self) -> Vec<Value> {
        let (east, west, north) = (("dc1", "east"), ("dc2", "west"), ("dc3", "north"));
        match self {
            Scenario::One => vec![cluster(&[("dc1", "")])],
            Scenario::Three => vec![cluster(&[east, west, north])],
            Scenario::Add => vec![cluster(&[east, west]), cluster(&[east, west, north])],
            Scenario::Remove => vec![cluster(&[east, west, north]), cluster(&[east, north])],
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A cluster with these datacenters (name, context), one node each.
fn cluster(datacenters: &[(&str, &str)]) -> Value {
    let datacenters: Vec<Value> = datacenters
        .iter()
        .map(|(name, context)| json!({"metadata": {"name": name}, "k8sContext": context, "size": 1}))
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
