//! What this program watches and may do. The shipped roles are generated from [`RULES`].

use std::sync::Arc;

use api::cass_operator::{CassandraDatacenter, CassandraTask};
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::label;
use fleet::{PlaneCache, PlaneLink};
use kube::core::NamespaceResourceScope;
use kube::runtime::watcher;
use kube::{Api, Resource};
use plan::topology::{Cluster, Datacenter, Headless, RebuildTask, Slice};
use runtime::rbac::{Rule, Side};
use runtime::{Cache, Key, Process, Queue, Roots, WatchSpec};
use serde::de::DeserializeOwned;

use crate::kinds::ServiceParts;
use crate::views::{self, PodView};

/// What this program may do, and why.
pub const RULES: &[Rule] = &[
    local(
        "k8ssandra.io",
        "k8ssandraclusters",
        &["get", "list", "watch"],
        "reads what is wanted, and how datacenters joined",
    ),
    local(
        "k8ssandra.io",
        "k8ssandraclusters/status",
        &["patch"],
        "reports how far the ring is",
    ),
    local(
        "k8ssandra.io",
        "k8ssandraclusters/finalizers",
        &["update"],
        "owns the contact points that it makes",
    ),
    local(
        "",
        "services",
        &["create", "delete", "get", "list", "patch", "watch"],
        "makes contact points",
    ),
    local(
        "discovery.k8s.io",
        "endpointslices",
        &["create", "delete", "get", "list", "patch", "watch"],
        "makes contact points",
    ),
    plane(
        "cassandra.datastax.com",
        "cassandradatacenters",
        &["get", "list", "watch"],
        "sees which datacenters serve",
    ),
    plane(
        "control.k8ssandra.io",
        "cassandratasks",
        &["create", "get", "list", "watch"],
        "has datacenters rebuilt that join",
    ),
    plane(
        "",
        "pods",
        &["get", "list", "watch"],
        "finds the seeds, and whom to ask for replication",
    ),
    plane(
        "",
        "secrets",
        &["get"],
        "reads the certificate for the management API of a datacenter that wants one",
    ),
    plane(
        "discovery.k8s.io",
        "endpointslices",
        &["create", "delete", "get", "list", "patch", "watch"],
        "gives each datacenter the seeds of the others",
    ),
];

const fn local(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    why: &'static str,
) -> Rule {
    Rule {
        side: Side::ControlPlane,
        group,
        resource,
        verbs,
        namespace: None,
        names: &[],
        why,
    }
}

const fn plane(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    why: &'static str,
) -> Rule {
    Rule {
        side: Side::Plane,
        group,
        resource,
        verbs,
        namespace: None,
        names: &[],
        why,
    }
}

/// What is watched in the control plane.
pub(crate) struct Local {
    pub clusters: Cache<Cluster>,
    /// Headless Services with contact points.
    pub services: Cache<Headless>,
}

/// What is watched in each plane, the control plane included.
pub(crate) struct Remote {
    pub datacenters: PlaneCache<Datacenter>,
    /// Pods that are seeds.
    pub pods: PlaneCache<PodView>,
    /// Seed slices and slices of contact points: ours and upstream's.
    pub slices: PlaneCache<Slice>,
    /// Slices of all-pods services.
    pub all_pods: PlaneCache<Slice>,
    /// Rebuilds.
    pub tasks: PlaneCache<RebuildTask>,
}

impl Local {
    pub fn start(process: &Process, queue: &Queue) -> Local {
        let client = process.watch_client.clone();
        let clusters = WatchSpec::new(
            "K8ssandraCluster",
            Api::<K8ssandraCluster>::all(client.clone()),
            watcher::Config::default(),
            |kc| Some(Cluster::of(&kc)),
            Arc::new(|key: &Key, _: &Cluster| vec![key.clone()]),
        );
        let contact_points = format!("{},{}", label::CLUSTER_NAME, label::DATACENTER);
        let services = WatchSpec::new(
            "Service",
            Api::<ServiceParts>::all(client),
            watcher::Config::default().labels(&contact_points),
            |service| Some(views::headless(service)),
            Arc::new(|_: &Key, service: &Headless| views::cluster_of(&service.labels).into_iter().collect()),
        );
        Local {
            clusters: start(process, queue, clusters),
            services: start(process, queue, services),
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
        let labelled = |selector: &str| watcher::Config::default().labels(selector);
        let by_labels: Roots<Datacenter> = Arc::new(|_, datacenter| owner(Some(datacenter)));
        let datacenters = link.watch(
            "CassandraDatacenter",
            Api::<CassandraDatacenter>::all,
            labelled(label::CLUSTER_NAME),
            |object| Some(Datacenter::of(&object)),
            by_labels,
            queue,
        );
        let (of_pod, of_slice, of_task) = (datacenters.clone(), datacenters.clone(), datacenters.clone());
        let seeds = format!("{}=true", label::SEED_NODE);
        let ours = format!("{}={}", label::SLICE_MANAGED_BY, label::SLICE_MANAGER);
        let all_pods = format!(
            "{},{}!={}",
            label::CLUSTER_NAME,
            label::SLICE_MANAGED_BY,
            label::SLICE_MANAGER
        );
        Remote {
            pods: link.watch(
                "Pod",
                Api::all,
                labelled(&seeds),
                |pod| Some(views::seed_pod(pod)),
                Arc::new(move |key, pod: &PodView| of_datacenter(&of_pod, &key.namespace, &pod.datacenter)),
                queue,
            ),
            // Those that upstream made do not name their cluster: their datacenter does.
            slices: link.watch(
                "EndpointSlice",
                Api::all,
                labelled(&ours),
                views::slice,
                Arc::new(move |key, slice: &Slice| match views::cluster_of(&slice.labels) {
                    Some(cluster) => vec![cluster],
                    None => of_datacenter(
                        &of_slice,
                        &key.namespace,
                        slice.label(label::CASSANDRA_DATACENTER),
                    ),
                }),
                queue,
            ),
            all_pods: link.watch(
                "EndpointSlice of all pods",
                Api::all,
                labelled(&all_pods),
                views::all_pods,
                Arc::new(|_, slice: &Slice| views::cluster_of(&slice.labels).into_iter().collect()),
                queue,
            ),
            tasks: link.watch(
                "CassandraTask",
                Api::all,
                labelled(label::REBUILD_NODES),
                |task: CassandraTask| Some(RebuildTask::of(&task)),
                Arc::new(move |key, _: &RebuildTask| {
                    let datacenter = key.name.strip_suffix("-rebuild").unwrap_or_default();
                    of_datacenter(&of_task, &key.namespace, datacenter)
                }),
                queue,
            ),
            datacenters,
        }
    }
}

/// The cluster of a datacenter of the same plane, if that is there. If it comes later, its own event wakes.
fn of_datacenter(datacenters: &PlaneCache<Datacenter>, namespace: &str, name: &str) -> Vec<Key> {
    owner(datacenters.last(&Key::new(namespace, name)).as_deref())
}

fn owner(datacenter: Option<&Datacenter>) -> Vec<Key> {
    let cluster = datacenter.and_then(|datacenter| datacenter.cluster.clone());
    cluster
        .map(|(namespace, name)| Key { namespace, name })
        .into_iter()
        .collect()
}
