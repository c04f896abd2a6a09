//! Kinds of cass-operator: `CassandraDatacenter` and `CassandraTask`.
//!
//! Only the fields that something here looks at have a type; every other field stands in `rest`, so that nothing is
//! lost on the way through.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::cassandra_task::{CassandraTaskStatus, CassandraTaskTemplate};
use crate::conditions::{self, Condition};
use crate::custom_object::custom_object;
use crate::references::ObjectReference;

custom_object! {
    /// One datacenter of a ring, run by the cass-operator of its plane.
    CassandraDatacenter, "cassandradatacenters", "cassandra.datastax.com", "v1beta1",
    CassandraDatacenterSpec, CassandraDatacenterStatus
}

custom_object! {
    /// Jobs on the nodes of one datacenter, run by the cass-operator of its plane.
    CassandraTask, "cassandratasks", "control.k8ssandra.io", "v1alpha1",
    CassandraTaskSpec, CassandraTaskStatus
}

/// What a datacenter is to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CassandraDatacenterSpec {
    /// Cassandra's name of the cluster.
    #[serde(default)]
    pub cluster_name: String,
    /// Cassandra's name of the datacenter, if it is not the object's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacenter_name: Option<String>,
    /// Racks, in order. Absent: one named `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub racks: Option<Vec<DatacenterRack>>,
    /// `cassandra`, `dse` or `hcd`.
    #[serde(default)]
    pub server_type: String,
    /// Version of what is run.
    #[serde(default)]
    pub server_version: String,
    /// How many nodes.
    #[serde(default)]
    pub size: i32,
    /// No pods run, but the storage stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<bool>,
    /// Storage of each node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_config: Option<Value>,
    /// Secret with the superuser's name and password, in the datacenter's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superuser_secret_name: Option<String>,
    /// Every other field.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// A rack of a datacenter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatacenterRack {
    /// Name of the rack.
    #[serde(default)]
    pub name: String,
    /// Every other field.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// What cass-operator says of a datacenter. A cluster's status has a copy of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CassandraDatacenterStatus {
    /// `Updating` or `Ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cassandra_operator_progress: Option<String>,
    /// `Ready`, `Initialized`, `Stopped` and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
    /// Cassandra's name of the datacenter, as the ring knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacenter_name: Option<String>,
    /// Pods that did not start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_starts: Option<Vec<String>>,
    /// When the nodes were last restarted one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_rolling_restart: Option<Time>,
    /// When Cassandra was last started in a pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_server_node_started: Option<Time>,
    /// Version of cass-operator's own metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata_version: Option<i64>,
    /// Pods that are being replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_replacements: Option<Vec<String>>,
    /// Pod name to what is known of its node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_statuses: Option<BTreeMap<String, NodeStatus>>,
    /// Generation that cass-operator has done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// cass-operator does nothing before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_period: Option<Time>,
    /// When the superuser was last written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub super_user_upserted: Option<Time>,
    /// Tasks that cass-operator waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracked_tasks: Option<Vec<ObjectReference>>,
    /// When users were last written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_upserted: Option<Time>,
    /// Every other field, of a later cass-operator.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// What is known of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeStatus {
    /// Cassandra's id of the node. Absent until it has started once.
    #[serde(rename = "hostID", skip_serializing_if = "Option::is_none")]
    pub host_id: Option<String>,
    /// Address of its pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Its rack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
}

/// What a task is to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CassandraTaskSpec {
    /// The datacenter.
    #[serde(default)]
    pub datacenter: ObjectReference,
    /// What is done there.
    #[serde(flatten)]
    pub template: CassandraTaskTemplate,
    /// Every other field, of a later cass-operator.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

impl CassandraDatacenterStatus {
    /// What the condition of that type says; `None` when it is absent or unknown.
    #[must_use]
    pub fn condition(&self, type_: &str) -> Option<bool> {
        conditions::find(self.conditions.as_deref().unwrap_or_default(), type_).and_then(Condition::holds)
    }

    /// Some node has a host id, so Cassandra has run here.
    #[must_use]
    pub fn is_started(&self) -> bool {
        let has_id = |node: &NodeStatus| node.host_id.as_deref().is_some_and(|id| !id.is_empty());
        self.node_statuses.iter().flat_map(BTreeMap::values).any(has_id)
    }

    /// Initialized *and* started: a datacenter that was created stopped is Initialized without ever having run.
    #[must_use]
    pub fn is_initialized(&self) -> bool {
        self.condition("Initialized") == Some(true) && self.is_started()
    }
}

impl CassandraDatacenter {
    /// What the condition of that type says; `None` when it is absent or unknown, or there is no status yet.
    #[must_use]
    pub fn condition(&self, type_: &str) -> Option<bool> {
        self.status.as_ref()?.condition(type_)
    }

    /// Some node has a host id, so Cassandra has run here.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.status
            .as_ref()
            .is_some_and(CassandraDatacenterStatus::is_started)
    }

    /// Initialized *and* started: see [`CassandraDatacenterStatus::is_initialized`].
    #[must_use]
    pub fn is_initialized(&self) -> bool {
        self.status
            .as_ref()
            .is_some_and(CassandraDatacenterStatus::is_initialized)
    }

    /// cass-operator says `Ready`, has done this generation, and has nothing more to do for it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_settled() && self.condition("Ready") == Some(true)
    }

    /// cass-operator says `Stopped`, has done this generation, and has nothing more to do for it.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.is_settled() && self.condition("Stopped") == Some(true)
    }

    /// cass-operator has done the current generation and is not busy.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let Some(status) = &self.status else { return false };
        status.cassandra_operator_progress.as_deref() == Some("Ready")
            && status.observed_generation >= self.metadata.generation
    }

    /// Cassandra's name of the datacenter: what the ring knows, else the override, else the object's name.
    #[must_use]
    pub fn cassandra_name(&self) -> &str {
        let known = self
            .status
            .as_ref()
            .and_then(|status| status.datacenter_name.as_deref());
        let not_empty = |name: &&str| !name.is_empty();
        known
            .filter(not_empty)
            .or(self.spec.datacenter_name.as_deref().filter(not_empty))
            .or(self.metadata.name.as_deref())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn datacenter(status: &Value) -> CassandraDatacenter {
        let object =
            json!({"metadata": {"name": "dc1", "generation": 2}, "spec": {"size": 1}, "status": status});
        serde_json::from_value(object).unwrap()
    }

    fn conditions(types: &[&str]) -> Value {
        types
            .iter()
            .map(|type_| json!({"type": type_, "status": "True", "reason": "", "message": ""}))
            .collect()
    }

    #[test]
    fn a_datacenter_that_was_created_stopped_is_not_initialized() {
        let conditions = conditions(&["Initialized", "Stopped"]);
        let stopped = datacenter(&json!({"conditions": conditions, "nodeStatuses": {}}));
        assert_eq!(stopped.condition("Initialized"), Some(true));
        assert!(!stopped.is_initialized());
        let nodes = json!({"a-0": {"hostID": "", "ip": "198.18.0.1"}, "a-1": {"rack": "r1"}});
        assert!(!datacenter(&json!({"conditions": conditions, "nodeStatuses": nodes})).is_initialized());
        let nodes = json!({"a-0": {"hostID": "57dc"}});
        assert!(datacenter(&json!({"conditions": conditions, "nodeStatuses": nodes})).is_initialized());
    }

    #[test]
    fn ready_counts_only_for_the_current_generation_and_when_nothing_is_going_on() {
        let status = |generation: i64, progress: &str| {
            let conditions = conditions(&["Ready"]);
            json!({"conditions": conditions, "observedGeneration": generation, "cassandraOperatorProgress": progress})
        };
        assert!(datacenter(&status(2, "Ready")).is_ready());
        assert!(!datacenter(&status(1, "Ready")).is_ready());
        assert!(!datacenter(&status(2, "Updating")).is_ready());
        assert!(!datacenter(&Value::Null).is_ready());
        assert!(!datacenter(&status(2, "Ready")).is_stopped());
    }

    #[test]
    fn fields_that_nothing_here_knows_are_kept_and_kind_is_written() {
        let object = json!({
            "apiVersion": "cassandra.datastax.com/v1beta1",
            "kind": "CassandraDatacenter",
            "metadata": {"name": "dc1"},
            "spec": {
                "clusterName": "demo", "serverType": "cassandra", "serverVersion": "4.0.1", "size": 3,
                "racks": [{"name": "r1", "futureField": 1}], "podTemplateSpec": {"spec": {"containers": []}},
            },
            "status": {"futureField": {"deep": true}},
        });
        let read: CassandraDatacenter = serde_json::from_value(object.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), object);
    }

    #[test]
    fn the_ring_knows_a_datacenter_by_what_its_status_says_first() {
        let mut datacenter = datacenter(&json!({"datacenterName": "In Ring"}));
        datacenter.spec.datacenter_name = Some("Override".to_owned());
        assert_eq!(datacenter.cassandra_name(), "In Ring");
        datacenter.status = None;
        assert_eq!(datacenter.cassandra_name(), "Override");
        datacenter.spec.datacenter_name = Some(String::new());
        assert_eq!(datacenter.cassandra_name(), "dc1");
    }
}
