//! `status.reports` of a K8ssandraCluster: how far each program got. Progress only, nothing decides life or
//! death by it: what quotes another generation, UID, plane id or a later format counts as unknown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::seen::PlaneId;

/// The only format so far.
pub const FORMAT: u32 = 1;

/// One report for each program that acts on K8ssandraClusters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reports {
    /// Writer: cluster-reconciler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterReport>,
    /// Writer: topology-reconciler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<TopologyReport>,
}

/// Why something waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// From `api::names::reason`.
    pub reason: String,
    /// The datacenter that waits; none where the whole cluster does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacenter: Option<String>,
    /// Context name of the plane concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// True where it keeps the ring from being founded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub founding: bool,
    /// What is waited for, and what to do.
    pub message: String,
}

/// What cluster-reconciler did and waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReport {
    /// [`FORMAT`].
    pub format: u32,
    /// Generation that the report is about.
    pub observed_generation: i64,
    /// Why the spec cannot be acted on; none where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// What is passed on although it may not be meant, one entry for each reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Refusal>,
    /// What waits, in the order of the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// By name of the CassandraDatacenter: those that are written as this generation asks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub datacenters: BTreeMap<String, ClusterDatacenterReport>,
    /// True when every datacenter of this generation is written and Ready (or Stopped), and none leaves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub complete: bool,
}

/// A spec that cannot be acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// From `api::names::reason`.
    pub reason: String,
    /// Path of the field, e.g. `spec.cassandra.datacenters[1].k8sContext`.
    pub field: String,
    /// What is wrong, and the way out.
    pub message: String,
}

/// One datacenter as cluster-reconciler wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDatacenterReport {
    /// UID of the CassandraDatacenter.
    pub uid: String,
    /// Plane that it lives in.
    pub plane_id: PlaneId,
    /// True when `topology.mayBeDeleted` is asked for: it left the spec.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaving: bool,
    /// What would be written differently and is not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_change: Option<PendingChange>,
    /// Fields that somebody else has set to another value: they are left as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// By such a field: digest of what the spec asked for there when it was written, by which an edit of that field is told
    /// from one beside it. Fields whose value may hold a secret have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drifted_from: BTreeMap<String, String>,
    /// Fields of the spec that the plane's definition of CassandraDatacenter does not have: they have no effect there. They
    /// are sent again with the next change of the datacenter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_kept: Vec<String>,
}

/// What a change of a CassandraDatacenter does to its nodes. The later, the worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// It is taken over while nodes run.
    Live,
    /// Nodes are restarted one after another.
    Restart,
    /// Nodes come or go, and data is streamed.
    Stream,
    /// Data may be lost or nodes may stay behind.
    Dangerous,
}

impl Effect {
    /// In words.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Effect::None => "nothing happens to its nodes",
            Effect::Live => "its nodes take it over while they run",
            Effect::Restart => "its nodes are restarted one after another",
            Effect::Stream => "nodes come or go, and data is streamed",
            Effect::Dangerous => "data may be lost or nodes may stay behind",
        }
    }
}

/// A change of a CassandraDatacenter that is not written yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingChange {
    /// True where it is not the user's: then it waits for annotation `k8ssandra.io/autoupdate-spec` or the next edit of this
    /// datacenter. False where it only waits for its turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// The strongest effect among the fields.
    pub effect: Effect,
    /// The fields, as far as 16 KiB hold them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// How many fields had no room.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
}

/// One field that would change. Values that may be secret are `<redacted>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Path in the CassandraDatacenter; items of lists by their names.
    pub field: String,
    /// What is there; none where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::wire::any")]
    pub from: Option<Value>,
    /// What would be there; none where it would go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::wire::any")]
    pub to: Option<Value>,
    /// What cass-operator does with it.
    pub effect: Effect,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What topology-reconciler did and waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologyReport {
    /// [`FORMAT`].
    pub format: u32,
    /// Generation that the report is about.
    pub observed_generation: i64,
    /// What waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// By name of the CassandraDatacenter.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub datacenters: BTreeMap<String, TopologyDatacenterReport>,
    /// Replication that the system keyspaces were last given and read back with: Cassandra DC name → factor.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub system_replication: BTreeMap<String, u32>,
    /// True while `systemReplication` is what an earlier generation was given: it was not read back for this one yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replication_pending: bool,
    /// True when seeds, replication and rebuilds of this generation are done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub complete: bool,
}

/// One datacenter as topology-reconciler sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologyDatacenterReport {
    /// UID of the CassandraDatacenter.
    pub uid: String,
    /// Plane that it lives in.
    pub plane_id: PlaneId,
    /// True once both sides list each other's host ids and its rebuild (where it needs one) is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joined: bool,
    /// Set while the datacenter is out of the spec: true when no user keyspace has replicas there, from a live
    /// and complete answer for this generation and UID; false when some have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_be_deleted: Option<bool>,
    /// Pods that are not ready although cass-operator calls the datacenter Ready and has nothing to do there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_serving: Vec<String>,
}
