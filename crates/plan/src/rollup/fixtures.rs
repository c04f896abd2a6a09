//! Cluster `db/demo`, UID `kc-1`, generation 2, with dc1 in plane east and dc2 in plane west.

use std::collections::BTreeMap;
use std::time::Duration;

use api::cass_operator::CassandraDatacenter;
use api::k8ssandra_cluster::{DatacenterStatus, K8ssandraClusterStatus};
use api::names::reason;
use api::record::RecordState;
use api::reports::{ClusterReport, FORMAT, Hold, Reports, TopologyReport};
use api::seen::Unknown;
use serde_json::json;

use super::facts::{ClusterView, DatacenterView, RollupFacts, SeenDatacenter, SpecDatacenter};

pub fn spec(name: &str, context: &str) -> SpecDatacenter {
    SpecDatacenter {
        name: name.into(),
        context: context.into(),
        namespace: "db".into(),
    }
}

/// A datacenter of the cluster in a plane; `ready` or still being started.
pub fn seen(name: &str, context: &str, ready: bool) -> SeenDatacenter {
    let object: CassandraDatacenter = serde_json::from_value(json!({
        "metadata": {
            "name": name, "namespace": "db", "uid": format!("uid-{name}"), "generation": 2,
            "labels": {"k8ssandra.io/cluster-name": "demo", "k8ssandra.io/cluster-namespace": "db"},
            "annotations": {"ringspan.io/cluster-uid": "kc-1"},
        },
        "spec": {"size": 3},
        "status": {
            "observedGeneration": 2,
            "cassandraOperatorProgress": if ready { "Ready" } else { "Updating" },
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
        },
    }))
    .unwrap();
    SeenDatacenter {
        context: context.into(),
        object: DatacenterView::of(object).unwrap(),
    }
}

pub fn hold(reason: &str, message: &str) -> Hold {
    Hold {
        reason: reason.into(),
        datacenter: None,
        context: None,
        founding: false,
        message: message.into(),
    }
}

pub fn cluster_report(complete: bool) -> ClusterReport {
    ClusterReport {
        format: FORMAT,
        observed_generation: 2,
        complete,
        ..ClusterReport::default()
    }
}

pub fn topology_report(complete: bool) -> TopologyReport {
    TopologyReport {
        format: FORMAT,
        observed_generation: 2,
        complete,
        ..TopologyReport::default()
    }
}

pub fn dead(context: &str) -> Unknown {
    Unknown {
        context: context.into(),
        reason: reason::PLANE_UNREACHABLE.into(),
        message: format!("{context}: connection refused"),
    }
}

pub fn entry(context: &str) -> DatacenterStatus {
    DatacenterStatus {
        context_name: context.into(),
        ..DatacenterStatus::default()
    }
}

/// Both datacenters ready, both programs done; no status of ours yet.
pub fn facts() -> RollupFacts {
    let reports = Reports {
        cluster: Some(cluster_report(true)),
        topology: Some(topology_report(true)),
    };
    RollupFacts {
        cluster: ClusterView {
            namespace: "db".into(),
            name: "demo".into(),
            uid: "kc-1".into(),
            resource_version: "100".into(),
            generation: 2,
            deleting: false,
            paused: false,
            record: RecordState::None,
            spec: vec![spec("dc1", "east"), spec("dc2", "west")],
            additional_seeds: vec![],
            unmanaged: vec![],
            status: K8ssandraClusterStatus {
                reports,
                ..K8ssandraClusterStatus::default()
            },
        },
        planes: ["", "east", "west"]
            .into_iter()
            .map(|context| (context.to_owned(), Ok(())))
            .collect::<BTreeMap<_, _>>(),
        datacenters: vec![seen("dc1", "east", true), seen("dc2", "west", true)],
        replicated: vec![],
        waited: Duration::ZERO,
    }
}
