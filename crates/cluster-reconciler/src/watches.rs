//! What this program watches and may do. The shipped roles are generated from [`RULES`].

use api::cass_operator::CassandraDatacenter;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, label};
use api::replicated_secret::ReplicatedSecret;
use std::sync::Arc;

use fleet::{PlaneCache, PlaneLink};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ObjectMeta;
use kube::core::NamespaceResourceScope;
use kube::runtime::watcher;
use kube::{Api, Resource};
use plan::cluster::facts::{LiveDatacenter, MarkedObject, Marks, SeedSlice, data_digest};
use runtime::rbac::{Rule, Side};
use runtime::{Cache, Key, Process, Queue, Roots, WatchSpec};
use serde::de::DeserializeOwned;

use crate::references::{self, References};

/// What this program may do, and why.
pub const RULES: &[Rule] = &[
    local(
        "k8ssandra.io",
        "k8ssandraclusters",
        &["get", "list", "patch", "watch"],
        "reads what is wanted; writes finalizer and record",
    ),
    local(
        "k8ssandra.io",
        "k8ssandraclusters/status",
        &["patch"],
        "reports how far it is",
    ),
    local(
        "k8ssandra.io",
        "k8ssandraclusters/finalizers",
        &["update"],
        "owns the Secrets that it makes",
    ),
    local(
        "replication.k8ssandra.io",
        "replicatedsecrets",
        &["create", "get", "list", "patch", "watch"],
        "has the cluster's Secrets copied, and waits for them",
    ),
    local(
        "",
        "secrets",
        &["create", "get", "list", "patch", "watch"],
        "makes the Secrets of the superuser and of add-ons, or labels the user's own",
    ),
    Rule {
        side: Side::ControlPlane,
        group: "",
        resource: "configmaps",
        verbs: &["get", "list", "watch"],
        namespace: Some("ringspan"),
        names: &[],
        why: "knows which images this installation runs",
    },
    local(
        "medusa.k8ssandra.io",
        "medusaconfigurations",
        &["get", "list", "watch"],
        "knows what clusters share of the settings of their backups",
    ),
    Rule {
        side: Side::ControlPlane,
        group: "apiextensions.k8s.io",
        resource: "customresourcedefinitions",
        verbs: &["get"],
        namespace: None,
        names: &["k8ssandraclusters.k8ssandra.io"],
        why: "deletes no database only because the CRD is being deleted",
    },
    remote(
        "cassandra.datastax.com",
        "cassandradatacenters",
        &["create", "delete", "get", "list", "patch", "watch"],
        "makes, changes and removes datacenters",
    ),
    remote(
        "",
        "configmaps",
        &["create", "delete", "get", "list", "patch", "watch"],
        "makes what datacenters mount",
    ),
    remote(
        "",
        "secrets",
        &["get"],
        "reads the passwords of keystores and truststores that a datacenter is told",
    ),
    remote(
        "discovery.k8s.io",
        "endpointslices",
        &["delete", "get", "list", "watch"],
        "lets a datacenter join only where its seeds lie; cleans up after a cluster",
    ),
    remote("stargate.k8ssandra.io", "stargates", LEFT, OF_ADDONS),
    remote("reaper.k8ssandra.io", "reapers", LEFT, OF_ADDONS),
    remote("apps", "deployments", LEFT, OF_ADDONS),
    remote("batch", "cronjobs", LEFT, OF_ADDONS),
    remote("", "services", LEFT, OF_ADDONS),
];

const LEFT: &[&str] = &["delete", "list"];
const OF_ADDONS: &str =
    "deletes what k8ssandra-operator made for add-ons of a cluster that was taken over, with that cluster";

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

const fn remote(
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
    pub clusters: Cache<K8ssandraCluster>,
    pub secrets: Cache<SecretView>,
    pub replicated: Cache<ReplicatedSecret>,
    pub references: References,
}

/// What is watched in each plane.
pub(crate) struct Remote {
    pub datacenters: PlaneCache<DatacenterView>,
    pub slices: PlaneCache<SliceView>,
    pub config_maps: PlaneCache<ConfigMapView>,
}

/// A Secret without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretView {
    pub cluster: Option<Key>,
    pub uid: String,
    pub resource_version: String,
    pub labelled: bool,
    pub missing_keys: Vec<String>,
    pub annotated: bool,
    /// UIDs, in their order.
    pub owners: Vec<String>,
}

/// A CassandraDatacenter of any cluster.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DatacenterView {
    pub cluster: Option<Key>,
    pub marks: Marks,
    pub live: LiveDatacenter,
}

/// A seed slice with the UID of its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SliceView {
    pub cluster: Option<Key>,
    pub cluster_uid: String,
    pub slice: SeedSlice,
}

/// A ConfigMap with the labels of a cluster: made for it, or a user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigMapView {
    pub cluster: Option<Key>,
    pub marks: Marks,
    pub datacenter: Option<String>,
    pub marked: MarkedObject,
}

impl Local {
    pub fn start(process: &Process, queue: &Queue) -> Local {
        let client = process.watch_client.clone();
        let of_clusters = || watcher::Config::default().labels(label::CLUSTER_NAME);
        let clusters = WatchSpec::new(
            "K8ssandraCluster",
            Api::all(client.clone()),
            watcher::Config::default(),
            Some,
            Arc::new(|key: &Key, _: &K8ssandraCluster| vec![key.clone()]),
        );
        let secrets = WatchSpec::new(
            "Secret",
            Api::all(client.clone()),
            of_clusters(),
            |secret| Some(SecretView::of(secret)),
            by_cluster(),
        );
        let replicated = WatchSpec::new(
            "ReplicatedSecret",
            Api::all(client),
            of_clusters(),
            Some,
            Arc::new(|_: &Key, it: &ReplicatedSecret| cluster_of(&it.metadata).into_iter().collect()),
        );
        let clusters = start(process, queue, clusters);
        Local {
            references: References::start(process, queue, &clusters),
            clusters,
            secrets: start(process, queue, secrets),
            replicated: start(process, queue, replicated),
        }
    }
}

pub(crate) fn start<K, T>(process: &Process, queue: &Queue, spec: WatchSpec<K, T>) -> Cache<T>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Send + 'static,
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let spec = spec.in_namespaces(&process.args.namespaces());
    runtime::watch(spec, queue.clone(), &process.metrics, process.stop.clone(), None)
}

impl Remote {
    pub fn start(link: &PlaneLink, queue: &Queue, clusters: &Cache<K8ssandraCluster>) -> Remote {
        let of_clusters = || watcher::Config::default().labels(label::CLUSTER_NAME);
        let slices = watcher::Config::default().labels(label::SEED_SLICE);
        // Who has set a field is what tells an edit of somebody else's from a change of ours that waits.
        let datacenters = |client| {
            let decode = |object: CassandraDatacenter| Some(DatacenterView::of(&object));
            WatchSpec::new(
                "CassandraDatacenter",
                Api::all(client),
                of_clusters(),
                decode,
                by_cluster(),
            )
            .with_managed_fields()
        };
        Remote {
            datacenters: link.watch_in_namespaces(datacenters, queue),
            slices: link.watch(
                "EndpointSlice",
                Api::all,
                slices,
                SliceView::of,
                by_cluster(),
                queue,
            ),
            config_maps: link.watch(
                "ConfigMap",
                Api::all,
                of_clusters(),
                |map| Some(ConfigMapView::of(map)),
                references::by_use(clusters.clone()),
                queue,
            ),
        }
    }
}

/// What tells which cluster it is for.
trait OfCluster {
    fn cluster(&self) -> Option<&Key>;
}

macro_rules! of_cluster {
    ($($view:ty),*) => { $(impl OfCluster for $view {
        fn cluster(&self) -> Option<&Key> {
            self.cluster.as_ref()
        }
    })* };
}

of_cluster!(SecretView, DatacenterView, SliceView, ConfigMapView);

fn by_cluster<T: OfCluster + 'static>() -> Roots<T> {
    Arc::new(|_, view: &T| view.cluster().cloned().into_iter().collect())
}

fn cluster_of(metadata: &ObjectMeta) -> Option<Key> {
    let name = text(metadata, label::CLUSTER_NAME)?;
    let namespace = text(metadata, label::CLUSTER_NAMESPACE)?;
    Some(Key { namespace, name })
}

fn marks(metadata: &ObjectMeta) -> Marks {
    Marks::of(metadata.labels.as_ref(), metadata.annotations.as_ref())
}

fn text(metadata: &ObjectMeta, key: &str) -> Option<String> {
    metadata.labels.as_ref()?.get(key).cloned()
}

fn noted(metadata: &ObjectMeta, key: &str) -> Option<String> {
    metadata.annotations.as_ref()?.get(key).cloned()
}

impl SecretView {
    pub fn of(secret: Secret) -> Self {
        let metadata = secret.metadata;
        let lacks = |key: &&str| {
            secret
                .data
                .as_ref()
                .and_then(|data| data.get(*key))
                .is_none_or(|value| value.0.is_empty())
        };
        SecretView {
            labelled: cluster_of(&metadata).is_some() && text(&metadata, label::REPLICATED_BY).is_some(),
            cluster: cluster_of(&metadata),
            missing_keys: ["username", "password"]
                .into_iter()
                .filter(lacks)
                .map(str::to_owned)
                .collect(),
            annotated: metadata.annotations.is_some(),
            owners: metadata
                .owner_references
                .into_iter()
                .flatten()
                .map(|owner| owner.uid)
                .collect(),
            uid: metadata.uid.unwrap_or_default(),
            resource_version: metadata.resource_version.unwrap_or_default(),
        }
    }
}

impl DatacenterView {
    pub fn of(object: &CassandraDatacenter) -> Self {
        DatacenterView {
            cluster: cluster_of(&object.metadata),
            marks: marks(&object.metadata),
            live: LiveDatacenter::of(object),
        }
    }
}

impl SliceView {
    pub fn of(slice: EndpointSlice) -> Option<Self> {
        let metadata = slice.metadata;
        let kind = text(&metadata, label::SEED_SLICE)?;
        let sources = metadata
            .annotations
            .as_ref()
            .and_then(|map| map.get(annotation::SEED_SOURCES));
        Some(SliceView {
            cluster: cluster_of(&metadata),
            cluster_uid: text(&metadata, label::CLUSTER_UID)?,
            slice: SeedSlice {
                serves: text(&metadata, label::CASSANDRA_DATACENTER)?,
                joining: kind == api::names::SeedSlice::JOINING,
                addresses: slice
                    .endpoints
                    .into_iter()
                    .flat_map(|endpoint| endpoint.addresses)
                    .collect(),
                sources: sources
                    .and_then(|text| serde_json::from_str(text).ok())
                    .unwrap_or_default(),
                name: metadata.name.unwrap_or_default(),
                uid: metadata.uid.unwrap_or_default(),
                resource_version: metadata.resource_version.unwrap_or_default(),
            },
        })
    }
}

impl ConfigMapView {
    pub fn of(map: ConfigMap) -> Self {
        let marks = marks(&map.metadata);
        let (metadata, data) = (map.metadata, map.data.unwrap_or_default());
        // Of what is made for clusters only the configuration of single nodes is read again: `<pod>_<file>`.
        let is_read = !marks.are_of_a_cluster() || data.keys().any(|key| key.contains('_'));
        let datacenter = noted(&metadata, annotation::DATACENTER);
        ConfigMapView {
            cluster: cluster_of(&metadata),
            marks,
            marked: MarkedObject {
                digest: data_digest(&data),
                uid: metadata.uid.unwrap_or_default(),
                resource_version: metadata.resource_version.unwrap_or_default(),
                shared: datacenter.is_none(),
                content: is_read.then(|| Arc::new(data)),
            },
            datacenter,
        }
    }
}
