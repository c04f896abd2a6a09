//! What this program watches and may do. The shipped roles are generated from [`RULES`].

use std::sync::Arc;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::label;
use api::replicated_secret::{ReplicatedSecret, ReplicationCondition};
use fleet::{PlaneCache, PlaneLink};
use kube::core::NamespaceResourceScope;
use kube::runtime::watcher;
use kube::{Api, Resource};
use plan::rollup::{ClusterView, DatacenterView};
use runtime::rbac::{Rule, Side};
use runtime::{Cache, Key, Process, Queue, WatchSpec};
use serde::de::DeserializeOwned;

/// What this program may do, and why.
pub const RULES: &[Rule] = &[
    Rule {
        side: Side::ControlPlane,
        group: "k8ssandra.io",
        resource: "k8ssandraclusters",
        verbs: &["get", "list", "watch"],
        namespace: None,
        names: &[],
        why: "reads what is wanted, and what the other programs report",
    },
    Rule {
        side: Side::ControlPlane,
        group: "k8ssandra.io",
        resource: "k8ssandraclusters/status",
        verbs: &["patch"],
        namespace: None,
        names: &[],
        why: "writes the status",
    },
    Rule {
        side: Side::ControlPlane,
        group: "replication.k8ssandra.io",
        resource: "replicatedsecrets",
        verbs: &["get", "list", "watch"],
        namespace: None,
        names: &[],
        why: "tells what copies of Secrets wait for",
    },
    Rule {
        side: Side::Plane,
        group: "cassandra.datastax.com",
        resource: "cassandradatacenters",
        verbs: &["get", "list", "watch"],
        namespace: None,
        names: &[],
        why: "copies what cass-operator says into the cluster's status",
    },
];

/// What is watched in the control plane.
pub(crate) struct Local {
    pub clusters: Cache<ClusterView>,
    pub replicated: Cache<Vec<ReplicationCondition>>,
}

/// What is watched in each plane.
pub(crate) struct Remote {
    pub datacenters: PlaneCache<DatacenterView>,
}

impl Local {
    pub fn start(process: &Process, queue: &Queue) -> Local {
        let client = &process.watch_client;
        let clusters = WatchSpec::new(
            "K8ssandraCluster",
            Api::all(client.clone()),
            watcher::Config::default(),
            |object: K8ssandraCluster| Some(ClusterView::of(object)),
            Arc::new(|key: &Key, _: &ClusterView| vec![key.clone()]),
        );
        // A cluster's ReplicatedSecret has its name.
        let replicated = WatchSpec::new(
            "ReplicatedSecret",
            Api::all(client.clone()),
            watcher::Config::default().labels(label::CLUSTER_NAME),
            |object: ReplicatedSecret| Some(object.status.unwrap_or_default().conditions),
            Arc::new(|key: &Key, _: &Vec<ReplicationCondition>| vec![key.clone()]),
        );
        Local {
            clusters: start(process, queue, clusters),
            replicated: start(process, queue, replicated),
        }
    }
}

fn start<K, T>(process: &Process, queue: &Queue, spec: WatchSpec<K, T>) -> Cache<T>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Send + 'static,
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let spec = spec.in_namespaces(&process.args.namespaces());
    runtime::watch(spec, queue.clone(), &process.metrics, process.stop.clone(), None)
}

impl Remote {
    pub fn start(link: &PlaneLink, queue: &Queue) -> Remote {
        let of_clusters = watcher::Config::default().labels(label::CLUSTER_NAME);
        let roots = Arc::new(|_: &Key, view: &DatacenterView| vec![cluster(view)]);
        let datacenters = link.watch(
            "CassandraDatacenter",
            Api::all,
            of_clusters,
            DatacenterView::of,
            roots,
            queue,
        );
        Remote { datacenters }
    }
}

/// The cluster that a datacenter's labels name.
pub(crate) fn cluster(view: &DatacenterView) -> Key {
    let (namespace, name) = view.cluster.clone();
    Key { namespace, name }
}
