//! What was observed of a cluster.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::all_optional::all_optional;
use crate::cass_operator::CassandraDatacenterStatus;
use crate::conditions::{self, BareCondition, Condition};
use crate::reports::Reports;
use crate::wire::read_as_text;

/// What was observed. Only `status-rollup` writes it, except `reports`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct K8ssandraClusterStatus {
    /// What holds for the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// Name to status of each datacenter whose object was seen.
    #[serde(
        default,
        deserialize_with = "datacenters",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub datacenters: BTreeMap<String, DatacenterStatus>,
    /// How many datacenters are ready, of how many: `1/2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacenters_ready: Option<String>,
    /// The latest error, or `None` as a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "None"))]
    pub error: Option<String>,
    /// Generation of the object that is done completely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What the controllers tell each other about their work. Each key has one writer.
    #[serde(default, deserialize_with = "reports", skip_serializing_if = "has_no_reports")]
    pub reports: Reports,
}

fn has_no_reports(reports: &Reports) -> bool {
    *reports == Reports::default()
}

impl K8ssandraClusterStatus {
    /// What the condition of that type says; `None` when it is absent or unknown.
    #[must_use]
    pub fn condition(&self, type_: &str) -> Option<bool> {
        conditions::find(&self.conditions, type_).and_then(Condition::holds)
    }
}

/// What was observed of one datacenter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatacenterStatus {
    /// A copy of the CassandraDatacenter's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cassandra: Option<CassandraDatacenterStatus>,
    /// Context of the plane that the datacenter lives in. Empty: the control plane itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub context_name: String,
    /// Nothing, `UpdatingReplication`, or `Decommissioning`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub decommission_progress: String,
    /// Of Reaper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaper: Option<ReaperStatus>,
    /// Of Stargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stargate: Option<StargateStatus>,
}

all_optional! {
    /// What was observed of Reaper.
    pub struct ReaperStatus {
        /// `Ready`.
        pub conditions: Option<Vec<BareCondition>>,
        /// How far its deployment is.
        #[schemars(extend("enum" = ["Pending", "Deploying", "Configuring", "Running"]))]
        pub progress: Option<String>,
    }
}

/// What was observed of Stargate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StargateStatus {
    /// Pods that are available.
    pub available_replicas: i32,
    /// `Ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<BareCondition>>,
    /// Its deployments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_refs: Option<Vec<String>>,
    /// How far its deployments are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Pending", "Deploying", "Running"]))]
    pub progress: Option<String>,
    /// Pods that are ready.
    pub ready_replicas: i32,
    /// Ready pods, of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"\d+/\d+"))]
    pub ready_replicas_ratio: Option<String>,
    /// Pods.
    pub replicas: i32,
    /// Its service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_ref: Option<String>,
    /// Pods of the newest template.
    pub updated_replicas: i32,
}

read_as_text!(datacenters: BTreeMap<String, DatacenterStatus>);
read_as_text!(reports: Reports);
