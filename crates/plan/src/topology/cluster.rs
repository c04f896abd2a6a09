//! The part of a K8ssandraCluster that its topology depends on.

use std::collections::{BTreeMap, BTreeSet};

use api::k8ssandra_cluster::{
    CassandraClusterTemplate, CassandraDatacenterTemplate, K8ssandraCluster, RebuildOptions,
};
use api::names::annotation;
use api::record::RecordState;
use api::reports::TopologyReport;

use crate::consent::RemovalConsent;

/// A K8ssandraCluster, as slim as topology needs it. Equal clusters need no new plan; the resourceVersion does
/// not count.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// It has a deletionTimestamp.
    pub deleting: bool,
    /// Annotation `ringspan.io/paused`.
    pub paused: bool,
    /// Whether an edit is enough to remove a datacenter.
    pub removal: RemovalConsent,
    /// The record.
    pub record: RecordState,
    /// Cassandra's name of the cluster, as the user wrote it.
    pub cassandra_name: String,
    /// `cassandra`, `dse` or `hcd`.
    pub server_type: String,
    /// The datacenters of the spec, in its order.
    pub datacenters: Vec<DatacenterSpec>,
    /// Addresses of seeds that nobody here manages, as the user wrote them.
    pub additional_seeds: Vec<String>,
    /// Cassandra's names of datacenters that nobody here manages.
    pub external_datacenters: Vec<String>,
    /// Datacenter that rebuilds stream from, if the user names one.
    pub rebuild_source: Option<String>,
    /// How many nodes rebuild at a time, as the user wrote it.
    pub max_concurrent_rebuilds: Option<i64>,
    /// Annotation `k8ssandra.io/dc-replication`.
    pub dc_replication: Option<String>,
    /// Keyspaces of add-ons, which the user does not replicate himself.
    pub addon_keyspaces: BTreeSet<String>,
    /// `spec.cassandra.metadata.commonLabels`.
    pub common_labels: BTreeMap<String, String>,
    /// `spec.cassandra.metadata.commonAnnotations`.
    pub common_annotations: BTreeMap<String, String>,
    /// What topology-reconciler last reported.
    pub report: Option<TopologyReport>,
    /// Whether any program has reported.
    pub has_reports: bool,
}

/// One entry of the spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatacenterSpec {
    /// Name of the CassandraDatacenter.
    pub name: String,
    /// Context of its plane.
    pub context: String,
    /// Its namespace.
    pub namespace: String,
    /// How many nodes.
    pub size: u32,
    /// It shall be stopped.
    pub stopped: bool,
    /// Cassandra's name of the datacenter.
    pub ring_name: String,
    /// Version of what is run, completed.
    pub server_version: String,
    /// Labels of everything that is made for it.
    pub labels: BTreeMap<String, String>,
    /// Annotations of everything that is made for it.
    pub annotations: BTreeMap<String, String>,
}

impl PartialEq for Cluster {
    fn eq(&self, other: &Self) -> bool {
        let same_object = (
            &self.name,
            &self.namespace,
            &self.uid,
            self.generation,
            self.deleting,
            self.paused,
        ) == (
            &other.name,
            &other.namespace,
            &other.uid,
            other.generation,
            other.deleting,
            other.paused,
        );
        // Within one generation the spec is one and the same, so only metadata and status are left to compare.
        same_object
            && self.record == other.record
            && self.removal == other.removal
            && self.dc_replication == other.dc_replication
            && self.rebuild_source == other.rebuild_source
            && self.report == other.report
    }
}

impl Cluster {
    /// What topology needs of the object.
    #[must_use]
    pub fn of(kc: &K8ssandraCluster) -> Self {
        let metadata = &kc.metadata;
        let uid = metadata.uid.clone().unwrap_or_default();
        let name = metadata.name.clone().unwrap_or_default();
        let namespace = metadata.namespace.clone().unwrap_or_default();
        let text = |key: &str| {
            metadata
                .annotations
                .as_ref()
                .and_then(|map| map.get(key))
                .map(String::as_str)
        };
        let none = CassandraClusterTemplate::default();
        let template = kc.spec.cassandra.as_ref().unwrap_or(&none);
        let common = template.metadata.clone().unwrap_or_default();
        let common_labels = common.common_labels.unwrap_or_default();
        let common_annotations = common.common_annotations.unwrap_or_default();
        let rebuild = template.options.rebuild.clone().unwrap_or_default();
        let below = Below {
            namespace: &namespace,
            template,
            labels: &common_labels,
            annotations: &common_annotations,
        };
        Cluster {
            generation: metadata.generation.unwrap_or_default(),
            deleting: metadata.deletion_timestamp.is_some(),
            paused: text(annotation::PAUSED) == Some("true"),
            removal: RemovalConsent::of(metadata.annotations.as_ref()),
            record: RecordState::read(text(annotation::RECORD), &uid),
            cassandra_name: template
                .cluster_name
                .clone()
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| name.clone()),
            server_type: template.server_type().to_owned(),
            datacenters: template
                .datacenters
                .iter()
                .map(|entry| below.datacenter(entry))
                .collect(),
            additional_seeds: template.additional_seeds.clone().unwrap_or_default(),
            external_datacenters: kc.spec.external_datacenters.clone().unwrap_or_default(),
            rebuild_source: rebuild_source(&rebuild, text(annotation::REBUILD_SRC_DC)),
            max_concurrent_rebuilds: rebuild.max_concurrent_rebuilds,
            dc_replication: text(annotation::DC_REPLICATION)
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            addon_keyspaces: addon_keyspaces(kc),
            has_reports: kc
                .status
                .as_ref()
                .is_some_and(|status| status.reports.cluster.is_some() || status.reports.topology.is_some()),
            report: kc
                .status
                .as_ref()
                .and_then(|status| status.reports.topology.clone()),
            name,
            namespace,
            uid,
            common_labels,
            common_annotations,
        }
    }

    /// The entry of the spec with that name.
    #[must_use]
    pub fn datacenter(&self, name: &str) -> Option<&DatacenterSpec> {
        self.datacenters.iter().find(|entry| entry.name == name)
    }
}

fn rebuild_source(rebuild: &RebuildOptions, deprecated: Option<&str>) -> Option<String> {
    let not_empty = |name: &&str| !name.is_empty();
    rebuild
        .source_dc
        .as_deref()
        .filter(not_empty)
        .or(deprecated.filter(not_empty))
        .map(str::to_owned)
}

fn addon_keyspaces(kc: &K8ssandraCluster) -> BTreeSet<String> {
    let reaper = kc.spec.reaper.as_ref().map(|reaper| {
        reaper
            .keyspace
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "reaper_db".to_owned())
    });
    let stargate = kc.spec.stargate.as_ref().map(|_| "data_endpoint_auth".to_owned());
    reaper.into_iter().chain(stargate).collect()
}

/// What the cluster says, below what a datacenter says.
struct Below<'a> {
    namespace: &'a str,
    template: &'a CassandraClusterTemplate,
    labels: &'a BTreeMap<String, String>,
    annotations: &'a BTreeMap<String, String>,
}

impl Below<'_> {
    fn datacenter(&self, entry: &CassandraDatacenterTemplate) -> DatacenterSpec {
        let own = entry.metadata.clone().unwrap_or_default();
        let version = [
            &entry.options.server_version,
            &self.template.options.server_version,
        ];
        let version = version.into_iter().flatten().find(|version| !version.is_empty());
        DatacenterSpec {
            name: entry.name().to_owned(),
            context: entry.k8s_context.clone(),
            namespace: entry.namespace().unwrap_or(self.namespace).to_owned(),
            size: u32::try_from(entry.size).unwrap_or_default(),
            stopped: entry.stopped,
            ring_name: entry.cassandra_name().to_owned(),
            server_version: version.map(|version| completed(version)).unwrap_or_default(),
            labels: over(self.labels, own.common_labels),
            annotations: over(self.annotations, own.common_annotations),
        }
    }
}

fn completed(version: &str) -> String {
    crate::version::Version::parse(version).map_or_else(|| version.to_owned(), |version| version.to_string())
}

/// A datacenter's own values win, but an empty one says nothing.
fn over(below: &BTreeMap<String, String>, own: Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut all = below.clone();
    for (key, value) in own.into_iter().flatten() {
        if !value.is_empty() || !all.contains_key(&key) {
            all.insert(key, value);
        }
    }
    all
}
