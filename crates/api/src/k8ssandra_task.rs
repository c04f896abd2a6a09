//! `K8ssandraTask`: jobs on all datacenters of a cluster.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::cassandra_task::{CassandraTaskStatus, CassandraTaskTemplate};
use crate::references::ObjectReference;
use crate::wire::read_as_text;

/// What is done, and in which datacenters.
#[expect(clippy::duplicated_attributes, reason = "several printer columns are dates")]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "control.k8ssandra.io",
    version = "v1alpha1",
    kind = "K8ssandraTask",
    plural = "k8ssandratasks",
    namespaced,
    status = "K8ssandraTaskStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Jobs on the datacenters of a K8ssandraCluster.",
    printcolumn(
        name = "Job",
        type_ = "string",
        json_path = ".spec.template.jobs[0].command",
        description = "What is done"
    ),
    printcolumn(
        name = "Scheduled",
        type_ = "date",
        json_path = ".spec.template.scheduledTime",
        description = "Nothing is done before this time"
    ),
    printcolumn(
        name = "Started",
        type_ = "date",
        json_path = ".status.startTime",
        description = "When the task began"
    ),
    printcolumn(
        name = "Completed",
        type_ = "date",
        json_path = ".status.completionTime",
        description = "When the task ended"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct K8ssandraTaskSpec {
    /// The `K8ssandraCluster`; its namespace defaults to that of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ObjectReference>,
    /// Names of the datacenters, in the order of work. Absent or empty: all, in the order of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacenters: Option<Vec<String>>,
    /// `Allow`: all datacenters at once. Anything else: one after another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dc_concurrency_policy: Option<String>,
    /// The task that each datacenter gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<CassandraTaskTemplate>,
}

/// The sum of what the datacenters' tasks say, and each of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct K8ssandraTaskStatus {
    /// The sum.
    #[serde(flatten, deserialize_with = "sum")]
    pub sum: CassandraTaskStatus,
    /// Datacenter name to the status of its task.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub datacenters: BTreeMap<String, CassandraTaskStatus>,
}

read_as_text!(sum: CassandraTaskStatus);
