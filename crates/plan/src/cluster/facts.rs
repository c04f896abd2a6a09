//! What was seen, as far as decisions about a cluster's datacenters need it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::addons::AddonKind;
use api::cass_operator::CassandraDatacenter;
use api::grants::Grants;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, label, manager};
use api::record::{RecordState, Role};
use api::reports::TopologyReport;
use api::seen::{PlaneId, Seen, Unknown};
use serde_json::Value;

use crate::change::Ownership;
use crate::datacenter::References;
use crate::normalize::normalize;
use crate::{datacenter, hash};

/// Everything that one plan is made from.
#[derive(Clone, Debug)]
pub struct ClusterFacts {
    /// The cluster, as last seen or written.
    pub kc: K8ssandraCluster,
    /// What its record says.
    pub record: RecordState,
    /// Id of the control plane itself; none where it may not be read, an error before it is known whether it may.
    pub control_plane: Result<Option<PlaneId>, Unknown>,
    /// By context: every plane that a datacenter of the spec or of the record may live in, and who it is.
    pub planes: BTreeMap<String, Result<PlaneId, Unknown>>,
    /// By context: whom the plane's owner lets in; one that is not here lets everybody in.
    pub grants: BTreeMap<String, Grants>,
    /// By name: every datacenter of the spec, of the record, and every other one with this cluster's UID.
    pub datacenters: BTreeMap<String, DatacenterFacts>,
    /// By name of a datacenter of the spec: what it refers to, but for the configuration of single nodes.
    pub references: BTreeMap<String, References>,
    /// By name: the Secrets of the cluster's own, see [`crate::own_secrets`]. One that is not here cannot be read.
    pub secrets: BTreeMap<String, SecretFacts>,
    /// The ReplicatedSecret.
    pub replicated: ReplicatedFacts,
    /// What topology-reconciler last said, if it is about this generation.
    pub topology: Option<TopologyReport>,
    /// Whether the CRD of K8ssandraClusters is being deleted; read only while the cluster is.
    pub crd_deleting: Option<bool>,
}

/// One datacenter, wherever it was seen.
#[derive(Clone, Debug)]
pub struct DatacenterFacts {
    /// Context of the plane that was looked into.
    pub context: String,
    /// Namespace that was looked into.
    pub namespace: String,
    /// The CassandraDatacenter.
    pub object: Seen<LiveDatacenter>,
    /// Whether it was settled when last seen, however long ago that is; none where it never was seen.
    pub last_settled: Option<bool>,
    /// Seed slices with this cluster's UID in the namespace.
    pub seed_slices: Seen<Vec<SeedSlice>>,
    /// True when a slice that nobody of this cluster made serves the datacenter's additional seeds. Read live,
    /// before founding only.
    pub stale_seed_slice: Option<String>,
    /// By name: the ConfigMaps in the namespace that were made for the datacenter, and those that all datacenters of the
    /// cluster share there.
    pub config_maps: Seen<BTreeMap<String, MarkedObject>>,
    /// What upstream made in the namespace for add-ons of this cluster. Read live, and only when a datacenter goes that was
    /// upstream's; none before that.
    pub addons: Option<Result<Vec<AddonObject>, Unknown>>,
    /// The user's ConfigMap with configuration of single nodes; none where the spec names none.
    pub per_node_config: Option<Seen<UserConfigMap>>,
}

/// Begins what stands for a context that nobody knows.
const UNREGISTERED: &str = "unregistered:";

/// What stands for the context of a datacenter that left the spec, while no plane that tells who it is has this id.
#[must_use]
pub fn unregistered(plane: &PlaneId) -> String {
    format!("{UNREGISTERED}{plane}")
}

/// Whether a context is only what stands for one. It must not be written anywhere.
#[must_use]
pub fn is_unregistered(context: &str) -> bool {
    context.starts_with(UNREGISTERED)
}

/// A ConfigMap that carries our mark, or upstream's for this very cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedObject {
    /// Its UID.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// Digest of its content.
    pub digest: String,
    /// Whether no single datacenter is named on it.
    pub shared: bool,
    /// Its content, where it is configuration of single nodes.
    pub content: Option<Arc<BTreeMap<String, String>>>,
}

/// An object with upstream's labels for this cluster, that nobody deletes yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddonObject {
    /// Its kind.
    pub kind: AddonKind,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
}

/// A ConfigMap of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserConfigMap {
    /// Its UID.
    pub uid: String,
    /// Whether it has the labels of a cluster, without which no watch would tell of an edit.
    pub watched: bool,
    /// Its content.
    pub content: BTreeMap<String, String>,
}

/// A seed slice of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedSlice {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// Name of the datacenter that it serves.
    pub serves: String,
    /// Whether it is the one that lets a datacenter join.
    pub joining: bool,
    /// Its addresses.
    pub addresses: BTreeSet<String>,
    /// Datacenters that the addresses come from, with their UIDs.
    pub sources: BTreeMap<String, String>,
}

/// A CassandraDatacenter that exists.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, not a state of one machine"
)]
pub struct LiveDatacenter {
    /// Its UID.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whose it is.
    pub owner: Owner,
    /// How it joined, as stamped at its creation.
    pub role: Option<Role>,
    /// Digest of the input that it was made from.
    pub input_hash: Option<String>,
    /// What binds whoever builds it anew: name, annotations and spec.
    pub binding: datacenter::LiveDatacenter,
    /// Who has set which part of its spec.
    pub ownership: Ownership,
    /// Whether it is to be left as it is: annotation `ringspan.io/paused`.
    pub paused: bool,
    /// Digest of its normalised spec.
    pub spec_digest: String,
    /// Generation of the cluster at our last write.
    pub cluster_generation: Option<i64>,
    /// Whether deletion will decommission its nodes.
    pub decommission_on_delete: bool,
    /// `spec.clusterName`.
    pub cluster_name: String,
    /// Cassandra's name of the datacenter.
    pub cassandra_name: String,
    /// Whether it is asked to be stopped.
    pub stopped_wanted: bool,
    /// See [`CassandraDatacenter::is_started`].
    pub started: bool,
    /// See [`CassandraDatacenter::is_initialized`].
    pub initialized: bool,
    /// Ready and healthy, or stopped as asked, and for the current generation.
    pub settled: bool,
    /// Whether cass-operator has not finished with its last change.
    pub in_work: bool,
    /// Which Secrets were there when it was made or last woken; none for one that nobody noted it of.
    pub secrets_seen: Option<String>,
    /// Addresses in `status.nodeStatuses`.
    pub addresses: BTreeSet<String>,
}

/// Digest by which specs are compared: of the normalised form.
#[must_use]
pub fn spec_digest(spec: &Value) -> String {
    hash::of(&normalize(spec))
}

/// Digest by which the content of ConfigMaps is compared.
#[must_use]
pub fn data_digest(data: &BTreeMap<String, String>) -> String {
    hash::of(&serde_json::json!(data))
}

/// Whose an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Ours: it carries this cluster's UID.
    Ours,
    /// Made by upstream for a cluster of this name and namespace.
    Upstream,
    /// Somebody else's.
    Foreign,
}

/// A Secret of the cluster's own in its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFacts {
    /// It cannot be read.
    Unknown,
    /// It is not there.
    Missing,
    /// It is there.
    Present {
        /// Its UID.
        uid: String,
        /// Its resourceVersion.
        resource_version: String,
        /// Whether it has the labels by which it is copied.
        labelled: bool,
        /// Keys that it lacks.
        missing_keys: Vec<String>,
        /// Place of the reference to this cluster among its owner references; none where it does not go with the cluster.
        goes_with_cluster: Option<usize>,
    },
}

/// The ReplicatedSecret of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicatedFacts {
    /// It is not there.
    Missing,
    /// It is there.
    Present {
        /// Its UID.
        uid: String,
        /// Its resourceVersion.
        resource_version: String,
        /// Whether it is ours: owned by this cluster, or labelled for it.
        ours: bool,
        /// Place of the reference to this cluster among its owner references; none where it does not go with the cluster.
        goes_with_cluster: Option<usize>,
        /// Whether it selects the cluster's Secrets, and nothing else.
        selects: bool,
        /// Its targets: context and namespace.
        targets: BTreeSet<(String, String)>,
        /// Whether somebody has deleted it: then it goes, unless a datacenter of the cluster is there and needs the copies.
        deleting: bool,
        /// Targets whose copies are there, each with the marks of the sources that they are copies of. Empty while the
        /// status is about an older generation: what it says of a target may be about a former one of that place.
        replicated: BTreeMap<(String, String), String>,
    },
}

impl LiveDatacenter {
    /// Reads what decisions need, all but whose it is: see [`Marks`].
    #[must_use]
    pub fn of(object: &CassandraDatacenter) -> Self {
        let metadata = &object.metadata;
        let text = |key: &str| {
            metadata
                .annotations
                .as_ref()
                .and_then(|map| map.get(key))
                .cloned()
        };
        let stopped_wanted = object.spec.stopped == Some(true);
        let ready = object.is_ready() && object.condition("Healthy") != Some(false);
        let binding = datacenter::LiveDatacenter::from(object);
        // Writes to the status are no writes to the spec.
        let entries = metadata.managed_fields.iter().flatten();
        let managers = entries
            .filter(|entry| entry.subresource.is_none())
            .filter_map(|entry| Some((entry.manager.as_deref()?, &entry.fields_v1.as_ref()?.0)));
        let nodes = object
            .status
            .as_ref()
            .and_then(|status| status.node_statuses.as_ref());
        LiveDatacenter {
            uid: metadata.uid.clone().unwrap_or_default(),
            resource_version: metadata.resource_version.clone().unwrap_or_default(),
            deleting: metadata.deletion_timestamp.is_some(),
            owner: Owner::Foreign,
            role: text(annotation::JOIN).as_deref().and_then(Role::parse),
            input_hash: text(annotation::INPUT_HASH),
            ownership: Ownership::of(managers, manager::CLUSTER_RECONCILER),
            paused: text(annotation::PAUSED).as_deref() == Some("true"),
            spec_digest: spec_digest(&binding.spec),
            binding,
            cluster_generation: text(annotation::CLUSTER_GENERATION).and_then(|text| text.parse().ok()),
            decommission_on_delete: text(annotation::DECOMMISSION_ON_DELETE).is_some(),
            cluster_name: object.spec.cluster_name.clone(),
            cassandra_name: object.cassandra_name().to_owned(),
            stopped_wanted,
            started: object.is_started(),
            initialized: object.is_initialized(),
            settled: if stopped_wanted {
                object.is_stopped()
            } else {
                ready
            },
            in_work: !object.is_settled(),
            secrets_seen: text(annotation::SECRETS_SEEN),
            addresses: nodes
                .into_iter()
                .flat_map(BTreeMap::values)
                .filter_map(|node| node.ip.clone())
                .collect(),
        }
    }
}

/// Name, namespace and UID of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterIdentity {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.uid`.
    pub uid: String,
}

impl ClusterIdentity {
    /// Of this cluster.
    #[must_use]
    pub fn of(kc: &K8ssandraCluster) -> Self {
        let metadata = &kc.metadata;
        ClusterIdentity {
            name: metadata.name.clone().unwrap_or_default(),
            namespace: metadata.namespace.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
        }
    }
}

/// What tells whose an object is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// UID of the cluster that it was made for.
    pub cluster_uid: Option<String>,
    /// Name of the cluster in its labels.
    pub cluster_name: Option<String>,
    /// Namespace of the cluster in its labels.
    pub cluster_namespace: Option<String>,
    /// Whether upstream's label says that it is deleted with its cluster.
    pub cleaned_up: bool,
}

impl Marks {
    /// Reads them from an object's labels and annotations.
    #[must_use]
    pub fn of(
        labels: Option<&BTreeMap<String, String>>,
        annotations: Option<&BTreeMap<String, String>>,
    ) -> Self {
        let label = |key: &str| labels.and_then(|map| map.get(key)).cloned();
        Marks {
            cluster_uid: annotations
                .and_then(|map| map.get(annotation::CLUSTER_UID))
                .cloned(),
            cluster_name: label(label::CLUSTER_NAME),
            cluster_namespace: label(label::CLUSTER_NAMESPACE),
            cleaned_up: label(label::CLEANED_UP_BY).as_deref() == Some(label::CLUSTER_CONTROLLER),
        }
    }

    /// Whether the object was made for a cluster, whichever that is.
    #[must_use]
    pub fn are_of_a_cluster(&self) -> bool {
        self.cluster_uid.is_some() || self.cleaned_up
    }

    /// A name is not an identity: only our mark with this UID counts, or upstream's labels for this name and
    /// namespace where no mark is.
    #[must_use]
    pub fn owner(&self, kc: &ClusterIdentity) -> Owner {
        if let Some(uid) = &self.cluster_uid {
            return if *uid == kc.uid {
                Owner::Ours
            } else {
                Owner::Foreign
            };
        }
        let named = self.cluster_name.as_ref() == Some(&kc.name)
            && self.cluster_namespace.as_ref() == Some(&kc.namespace);
        if named && self.cleaned_up {
            Owner::Upstream
        } else {
            Owner::Foreign
        }
    }
}
