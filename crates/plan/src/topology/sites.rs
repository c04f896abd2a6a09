//! What was seen of a cluster's datacenters and of what belongs to them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use api::cass_operator::{CassandraDatacenter, CassandraTask};
use api::names::{annotation, label};
use api::record::{DatacenterRecord, RecordState, Role};
use api::seen::{PlaneId, Seen, Unknown};

use super::{Answers, Cluster, DatacenterSpec, Headless, Owner, Slice};

/// Everything that one plan is made from.
#[derive(Clone, Debug)]
pub struct TopologyInput {
    /// The cluster.
    pub cluster: Cluster,
    /// The datacenters of the spec in its order, then those that are only recorded or found, by name.
    pub sites: Vec<Site>,
    /// What is in the cluster's namespace of the control plane.
    pub contact_points: Result<ContactPoints, Unknown>,
    /// Seed slices with this cluster's UID that serve none of `sites`: context of the plane, and slice.
    pub strays: Vec<(String, Slice)>,
    /// What the management API answered in this pass.
    pub answers: Answers,
}

/// Services and slices with contact points.
#[derive(Clone, Debug, Default)]
pub struct ContactPoints {
    /// The Services.
    pub services: Vec<Headless>,
    /// Their slices.
    pub slices: Vec<Slice>,
}

/// One datacenter and where it lives.
#[derive(Clone, Debug)]
pub struct Site {
    /// Name of the CassandraDatacenter.
    pub name: String,
    /// Context of its plane.
    pub context: String,
    /// Its namespace.
    pub namespace: String,
    /// Id of the plane that was looked into, if it is known.
    pub plane: Option<PlaneId>,
    /// Its entry in the spec.
    pub spec: Option<DatacenterSpec>,
    /// Its entry in the record.
    pub record: Option<DatacenterRecord>,
    /// The CassandraDatacenter.
    pub seen: Seen<Datacenter>,
    /// Its pods that are seeds.
    pub seeds: Result<Vec<SeedPod>, Unknown>,
    /// Slices of its additional-seed service, and others in its namespace that have a name of ours.
    pub slices: Result<Vec<Slice>, Unknown>,
    /// Slices of its all-pods service.
    pub pods: Result<Vec<Slice>, Unknown>,
    /// CassandraTask `<name>-rebuild`.
    pub rebuild: Seen<RebuildTask>,
}

/// A CassandraDatacenter.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent facts of one object, not states of a machine"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Datacenter {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its UID.
    pub uid: String,
    /// It has a deletionTimestamp.
    pub deleting: bool,
    /// UID of the K8ssandraCluster that it was made for, where it says so.
    pub cluster_uid: Option<String>,
    /// Namespace and name of the K8ssandraCluster that its labels name.
    pub cluster: Option<(String, String)>,
    /// How it was created to join.
    pub role: Option<Role>,
    /// Generation of the K8ssandraCluster at our last write.
    pub cluster_generation: Option<i64>,
    /// Cassandra's name of the datacenter, which keyspaces use.
    pub ring_name: String,
    /// The name that resources are named after: the object's, unless an older cass-operator recorded another one.
    pub resource_name: String,
    /// How many nodes it shall have.
    pub size: u32,
    /// Initialized and started.
    pub initialized: bool,
    /// Ready, for the current generation.
    pub ready: bool,
    /// Stopped, for the current generation.
    pub stopped: bool,
    /// It shall be stopped.
    pub stopped_wanted: bool,
    /// Its nodes, by pod.
    pub nodes: BTreeMap<String, Node>,
    /// Secret with the certificate of the management API's clients, where it wants one.
    pub client_secret: Option<String>,
}

/// A node as cass-operator lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its host id, once it has started.
    pub host_id: Option<String>,
    /// Its address; that of a restarted pod is out of date for a while.
    pub address: Option<IpAddr>,
}

/// A pod with the seed label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedPod {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Port of its management API, if it is not the usual one.
    pub management_port: Option<u16>,
}

/// The task that streams data to a datacenter that joins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebuildTask {
    /// Its owners.
    pub owners: Vec<Owner>,
    /// How many nodes were to be rebuilt: label `k8ssandra.io/rebuild-nodes`.
    pub nodes: Option<i64>,
    /// How many are done.
    pub succeeded: i64,
    /// How many failed.
    pub failed: i64,
    /// It is over.
    pub ended: bool,
    /// cass-operator says that it failed as a whole.
    pub refused: bool,
}

impl Site {
    /// The datacenter, if it exists and is this cluster's, and the one that the record knows.
    #[must_use]
    pub fn own(&self, cluster: &Cluster) -> Option<&Datacenter> {
        let datacenter = self.seen.present()?;
        let recorded = self.record.as_ref().and_then(|record| record.uid.as_deref());
        let same = recorded.is_none_or(|uid| uid == datacenter.uid);
        (same && datacenter.belongs_to(cluster)).then_some(datacenter)
    }

    /// How it joins or joined, as recorded, else as stamped on the object.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        let stamped = || self.seen.present().and_then(|datacenter| datacenter.role);
        self.record.as_ref().map(|record| record.role).or_else(stamped)
    }

    /// Its deletion has been consented to.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.record
            .as_ref()
            .is_some_and(|record| record.leaving.is_some())
    }
}

impl Datacenter {
    /// What topology needs of the object.
    #[must_use]
    pub fn of(object: &CassandraDatacenter) -> Self {
        let metadata = &object.metadata;
        let name = metadata.name.clone().unwrap_or_default();
        let annotation = |key: &str| {
            metadata
                .annotations
                .as_ref()
                .and_then(|map| map.get(key))
                .cloned()
        };
        let label = |key: &str| metadata.labels.as_ref().and_then(|map| map.get(key)).cloned();
        let status = object.status.as_ref();
        let not_empty = |name: &String| !name.is_empty();
        let nodes = status
            .and_then(|status| status.node_statuses.as_ref())
            .into_iter()
            .flatten();
        let auth = object.spec.rest.get("managementApiAuth");
        Datacenter {
            namespace: metadata.namespace.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
            deleting: metadata.deletion_timestamp.is_some(),
            cluster_uid: annotation(annotation::CLUSTER_UID),
            cluster: label(label::CLUSTER_NAMESPACE).zip(label(label::CLUSTER_NAME)),
            role: annotation(annotation::JOIN).as_deref().and_then(Role::parse),
            cluster_generation: annotation(annotation::CLUSTER_GENERATION).and_then(|text| text.parse().ok()),
            ring_name: object
                .spec
                .datacenter_name
                .clone()
                .filter(not_empty)
                .unwrap_or_else(|| name.clone()),
            resource_name: status
                .and_then(|status| status.datacenter_name.clone())
                .filter(not_empty)
                .unwrap_or_else(|| name.clone()),
            size: u32::try_from(object.spec.size).unwrap_or_default(),
            initialized: object.is_initialized(),
            ready: object.is_ready(),
            stopped: object.is_stopped(),
            stopped_wanted: object.spec.stopped == Some(true),
            nodes: nodes.map(|(pod, node)| (pod.clone(), Node::of(node))).collect(),
            client_secret: auth
                .and_then(|auth| auth.pointer("/manual/clientSecretName"))
                .and_then(|name| name.as_str())
                .map(str::to_owned),
            name,
        }
    }

    /// Made for this cluster: by our mark with its UID, else by upstream's labels.
    #[must_use]
    pub fn belongs_to(&self, cluster: &Cluster) -> bool {
        if let Some(uid) = &self.cluster_uid {
            return *uid == cluster.uid;
        }
        let named = self
            .cluster
            .as_ref()
            .map(|(namespace, name)| (namespace.as_str(), name.as_str()));
        named == Some((cluster.namespace.as_str(), cluster.name.as_str()))
    }

    /// Its management API can be asked: it is Ready and runs.
    #[must_use]
    pub fn can_be_asked(&self) -> bool {
        self.ready && !self.stopped_wanted && !self.deleting
    }

    /// Host ids of its nodes, in the order of the pods.
    pub(super) fn host_ids(&self) -> impl Iterator<Item = &str> {
        self.nodes.values().filter_map(|node| node.host_id.as_deref())
    }
}

impl Node {
    fn of(node: &api::cass_operator::NodeStatus) -> Self {
        Node {
            host_id: node.host_id.clone().filter(|id| !id.is_empty()),
            address: node.ip.as_deref().and_then(super::slices::seed_address),
        }
    }
}

impl RebuildTask {
    /// What topology needs of the object.
    #[must_use]
    pub fn of(task: &CassandraTask) -> Self {
        let metadata = &task.metadata;
        let status = task.status.clone().unwrap_or_default();
        let label = metadata
            .labels
            .as_ref()
            .and_then(|map| map.get(label::REBUILD_NODES));
        let owners = metadata.owner_references.iter().flatten();
        RebuildTask {
            owners: owners
                .map(|owner| Owner {
                    kind: owner.kind.clone(),
                    uid: owner.uid.clone(),
                })
                .collect(),
            nodes: label.and_then(|text| text.parse().ok()),
            succeeded: status.succeeded.unwrap_or_default(),
            failed: status.failed.unwrap_or_default(),
            ended: status.completion_time.is_some() || status.condition("Complete") == Some(true),
            refused: status.condition("Failed") == Some(true) || status.condition("Invalid") == Some(true),
        }
    }
}

/// The record, if it can be read.
pub(super) fn known(record: &RecordState) -> Option<&api::record::Record> {
    match record {
        RecordState::Known(record) => Some(record),
        RecordState::None | RecordState::Unreadable(_) => None,
    }
}
