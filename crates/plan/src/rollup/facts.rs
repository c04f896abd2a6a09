//! What was seen of a cluster, as far as its status needs it.

use std::collections::BTreeMap;
use std::time::Duration;

use api::cass_operator::{CassandraDatacenter, CassandraDatacenterStatus};
use api::k8ssandra_cluster::{K8ssandraCluster, K8ssandraClusterStatus};
use api::names::{annotation, label};
use api::record::{RecordState, Role};
use api::replicated_secret::ReplicationCondition;
use api::seen::Unknown;

use super::addons;

/// Everything that one status is made from.
#[derive(Clone, Debug)]
pub struct RollupFacts {
    /// The cluster.
    pub cluster: ClusterView,
    /// By context: whether the CassandraDatacenters of a plane are known. Every engaged plane, and every context that
    /// the spec or the status names.
    pub planes: BTreeMap<String, Result<(), Unknown>>,
    /// Every CassandraDatacenter with the labels of this cluster, in planes that are known.
    pub datacenters: Vec<SeenDatacenter>,
    /// Status of the cluster's ReplicatedSecret.
    pub replicated: Vec<ReplicationCondition>,
    /// How long this generation has been known here.
    pub waited: Duration,
}

/// A K8ssandraCluster without what a status does not need.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterView {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether nothing shall be written for it.
    pub paused: bool,
    /// Its record.
    pub record: RecordState,
    /// Its datacenters, in order.
    pub spec: Vec<SpecDatacenter>,
    /// Seeds that nobody here manages, as the user wrote them.
    pub additional_seeds: Vec<String>,
    /// Paths of fields that nobody acts on.
    pub unmanaged: Vec<String>,
    /// Its status.
    pub status: K8ssandraClusterStatus,
}

/// Where a datacenter of the spec is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecDatacenter {
    /// Name of the CassandraDatacenter.
    pub name: String,
    /// Context of its plane.
    pub context: String,
    /// Its namespace.
    pub namespace: String,
}

impl ClusterView {
    /// Reads what a status needs.
    #[must_use]
    pub fn of(object: K8ssandraCluster) -> Self {
        let metadata = object.metadata;
        let annotations = metadata.annotations.unwrap_or_default();
        let uid = metadata.uid.unwrap_or_default();
        let namespace = metadata.namespace.unwrap_or_default();
        let unmanaged = addons::unmanaged(&object.spec);
        let cassandra = object.spec.cassandra.unwrap_or_default();
        let spec = cassandra.datacenters.iter().map(|it| SpecDatacenter {
            name: it.name().to_owned(),
            context: it.k8s_context.clone(),
            namespace: it.namespace().unwrap_or(&namespace).to_owned(),
        });
        ClusterView {
            spec: spec.collect(),
            additional_seeds: cassandra.additional_seeds.unwrap_or_default(),
            name: metadata.name.unwrap_or_default(),
            record: RecordState::read(annotations.get(annotation::RECORD).map(String::as_str), &uid),
            uid,
            resource_version: metadata.resource_version.unwrap_or_default(),
            generation: metadata.generation.unwrap_or_default(),
            deleting: metadata.deletion_timestamp.is_some(),
            paused: annotations
                .get(annotation::PAUSED)
                .is_some_and(|value| value == "true"),
            unmanaged,
            status: object.status.unwrap_or_default(),
            namespace,
        }
    }

    /// Whether a CassandraDatacenter belongs to this cluster: it carries the cluster's UID, or stands in its record, or
    /// upstream made it for a cluster of this name.
    #[must_use]
    pub fn owns(&self, datacenter: &DatacenterView) -> bool {
        match &datacenter.cluster_uid {
            Some(uid) => *uid == self.uid,
            None => {
                self.recorded_uid(&datacenter.name) == Some(datacenter.uid.as_str()) || datacenter.by_upstream
            }
        }
    }

    fn recorded_uid(&self, name: &str) -> Option<&str> {
        let RecordState::Known(record) = &self.record else {
            return None;
        };
        record.datacenters.get(name)?.uid.as_deref()
    }

    /// Whether a datacenter joins nodes that nobody here manages.
    #[must_use]
    pub fn stands_behind_others(&self, datacenter: &DatacenterView) -> bool {
        let RecordState::Known(record) = &self.record else {
            return false;
        };
        let entry = record.datacenters.get(&datacenter.name);
        entry.is_some_and(|entry| entry.role == Role::External)
    }

    /// Whether there is consent to delete the CassandraDatacenter with this UID.
    #[must_use]
    pub fn lets_go(&self, datacenter: &DatacenterView) -> bool {
        let RecordState::Known(record) = &self.record else {
            return false;
        };
        let leaving = record
            .datacenters
            .get(&datacenter.name)
            .and_then(|entry| entry.leaving.as_ref());
        leaving.is_some_and(|leaving| leaving.uid == datacenter.uid)
    }
}

/// A CassandraDatacenter in a plane.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenDatacenter {
    /// Context that leads to the plane.
    pub context: String,
    /// The object.
    pub object: DatacenterView,
}

/// A CassandraDatacenter without what a status does not need.
#[derive(Clone, Debug)]
pub struct DatacenterView {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// The cluster that its labels name: namespace and name.
    pub cluster: (String, String),
    /// UID of the cluster that it was made for.
    pub cluster_uid: Option<String>,
    /// Whether it has all labels that upstream gives.
    pub by_upstream: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// How many nodes shall run.
    pub size: usize,
    /// Ready and healthy, or stopped as asked, and for its current generation.
    pub settled: bool,
    /// `Updating` or `Ready`, as cass-operator says.
    pub progress: Option<String>,
    /// Its status.
    pub status: Option<CassandraDatacenterStatus>,
}

/// Times that change while nothing happens do not count: `quietPeriod` and `lastServerNodeStarted`.
impl PartialEq for DatacenterView {
    fn eq(&self, other: &Self) -> bool {
        let facts = |it: &Self| {
            (
                it.namespace.clone(),
                it.name.clone(),
                it.uid.clone(),
                it.cluster.clone(),
                it.cluster_uid.clone(),
            )
        };
        let flags = |it: &Self| {
            (
                it.by_upstream,
                it.deleting,
                it.size,
                it.settled,
                it.progress.clone(),
            )
        };
        facts(self) == facts(other)
            && flags(self) == flags(other)
            && self.status.as_ref().map(quiet) == other.status.as_ref().map(quiet)
    }
}

/// A status without the times that change while nothing happens.
#[must_use]
pub fn quiet(status: &CassandraDatacenterStatus) -> CassandraDatacenterStatus {
    CassandraDatacenterStatus {
        quiet_period: None,
        last_server_node_started: None,
        ..status.clone()
    }
}

impl DatacenterView {
    /// Reads what a status needs; `None` without the labels that name a cluster.
    #[must_use]
    pub fn of(object: CassandraDatacenter) -> Option<Self> {
        let stopped = object.spec.stopped == Some(true);
        let settled = if stopped {
            object.is_stopped()
        } else {
            object.is_ready() && object.condition("Healthy") != Some(false)
        };
        let size = usize::try_from(object.spec.size).unwrap_or_default();
        let size = if stopped { 0 } else { size };
        let metadata = object.metadata;
        let labels = metadata.labels.unwrap_or_default();
        let cluster = (
            labels.get(label::CLUSTER_NAMESPACE)?.clone(),
            labels.get(label::CLUSTER_NAME)?.clone(),
        );
        let by_upstream = labels
            .get(label::CLEANED_UP_BY)
            .is_some_and(|value| value == label::CLUSTER_CONTROLLER);
        Some(DatacenterView {
            namespace: metadata.namespace.unwrap_or_default(),
            name: metadata.name.unwrap_or_default(),
            uid: metadata.uid.unwrap_or_default(),
            cluster,
            cluster_uid: metadata
                .annotations
                .unwrap_or_default()
                .remove(annotation::CLUSTER_UID),
            by_upstream,
            deleting: metadata.deletion_timestamp.is_some(),
            size,
            settled,
            progress: object
                .status
                .as_ref()
                .and_then(|status| status.cassandra_operator_progress.clone()),
            status: object.status,
        })
    }
}
