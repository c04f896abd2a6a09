//! What this program watches and may do. The shipped roles are generated from [`RULES`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::cass_operator::CassandraDatacenter;
use api::names::{annotation, label};
use api::replicated_secret::ReplicatedSecret;
use api::seen::PlaneId;
use fleet::{PlaneCache, PlaneLink};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::runtime::watcher;
use plan::replication::{Identity, SecretView};
use runtime::rbac::{Rule, Side};
use runtime::{Cache, Key, Process, Queue, WatchSpec};

use crate::view;

/// What this program may do, and why.
pub const RULES: &[Rule] = &[
    Rule {
        side: Side::ControlPlane,
        group: "replication.k8ssandra.io",
        resource: "replicatedsecrets",
        verbs: &["get", "list", "patch", "watch"],
        namespace: None,
        names: &[],
        why: "reads what is to be copied; adds and removes the finalizer that lets it delete copies",
    },
    Rule {
        side: Side::ControlPlane,
        group: "replication.k8ssandra.io",
        resource: "replicatedsecrets/status",
        verbs: &["patch"],
        namespace: None,
        names: &[],
        why: "says how far the copies are",
    },
    Rule {
        side: Side::ControlPlane,
        group: "",
        resource: "secrets",
        verbs: &["get", "list", "watch"],
        namespace: None,
        names: &[],
        why: "reads the Secrets that a ReplicatedSecret selects, by label",
    },
    Rule {
        side: Side::Plane,
        group: "",
        resource: "secrets",
        verbs: &["create", "delete", "get", "list", "patch", "watch"],
        namespace: None,
        names: &[],
        why: "keeps copies of Secrets: watches those with its label, reads others only where one has a copy's name",
    },
    Rule {
        side: Side::Plane,
        group: "cassandra.datastax.com",
        resource: "cassandradatacenters",
        verbs: &["get", "list", "watch"],
        namespace: None,
        names: &[],
        why: "deletes no copy that a datacenter may still need",
    },
];

/// What is watched in the control plane, beside the sources.
pub(crate) struct Local {
    pub replicated: Cache<ReplicatedSecret>,
}

/// What is watched in each plane.
pub(crate) struct Remote {
    /// Secrets that carry the label of some ReplicatedSecret.
    pub copies: PlaneCache<SecretView>,
    pub datacenters: PlaneCache<DatacenterMark>,
    weak_ids: Mutex<BTreeMap<String, PlaneId>>,
}

/// That a CassandraDatacenter is there, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatacenterMark {
    pub cluster: Key,
    pub cluster_uid: Option<String>,
}

impl Local {
    pub fn start(process: &Process, queue: &Queue) -> Local {
        let spec = WatchSpec::new(
            "ReplicatedSecret",
            Api::all(process.watch_client.clone()),
            watcher::Config::default(),
            Some,
            Arc::new(|key: &Key, _: &ReplicatedSecret| vec![key.clone()]),
        );
        let spec = spec.in_namespaces(&process.args.namespaces());
        let replicated = runtime::watch(spec, queue.clone(), &process.metrics, process.stop.clone(), None);
        Local { replicated }
    }
}

impl Remote {
    pub fn start(link: &PlaneLink, queue: &Queue) -> Remote {
        let copies = watcher::Config::default().labels(label::REPLICATED_SECRET_NAME);
        let of_clusters = watcher::Config::default().labels(label::CLUSTER_NAME);
        let of_copy = Arc::new(|_: &Key, copy: &SecretView| replicated_by(copy).into_iter().collect());
        // A cluster's ReplicatedSecret has its name.
        let of_datacenter = Arc::new(|_: &Key, mark: &DatacenterMark| vec![mark.cluster.clone()]);
        Remote {
            copies: link.watch("Secret", Api::<Secret>::all, copies, view::view, of_copy, queue),
            datacenters: link.watch(
                "CassandraDatacenter",
                Api::all,
                of_clusters,
                DatacenterMark::of,
                of_datacenter,
                queue,
            ),
            weak_ids: Mutex::default(),
        }
    }

    /// The id that the plane was found to have for a namespace; the plane is made anew when its credentials change.
    pub fn weak_id(&self, namespace: &str) -> Option<PlaneId> {
        self.weak_ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(namespace)
            .cloned()
    }

    /// Remembers such an id.
    pub fn know_weak_id(&self, namespace: &str, id: PlaneId) {
        self.weak_ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(namespace.to_owned(), id);
    }
}

/// The ReplicatedSecret that a copy names.
pub(crate) fn replicated_by(copy: &SecretView) -> Option<Key> {
    let value = copy.labels.get(label::REPLICATED_SECRET_NAME)?;
    Identity::of_label(value).map(|(namespace, name)| Key { namespace, name })
}

impl DatacenterMark {
    /// `None` without the labels that name a cluster.
    pub fn of(object: CassandraDatacenter) -> Option<Self> {
        let labels = object.metadata.labels?;
        Some(DatacenterMark {
            cluster: Key::new(
                labels.get(label::CLUSTER_NAMESPACE)?,
                labels.get(label::CLUSTER_NAME)?,
            ),
            cluster_uid: object
                .metadata
                .annotations
                .unwrap_or_default()
                .remove(annotation::CLUSTER_UID),
        })
    }

    /// Whether it may be a datacenter of that cluster: it carries its UID, or none.
    pub fn may_be_of(&self, key: &Key, cluster_uid: &str) -> bool {
        self.cluster == *key && self.cluster_uid.as_deref().is_none_or(|uid| uid == cluster_uid)
    }
}
