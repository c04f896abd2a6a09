//! What `K8ssandraTask` and `CassandraTask` have in common: jobs, and how far they are.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::all_optional::all_optional;

all_optional! {
    /// Jobs on the nodes of a datacenter, and how they are run.
    #[serde(rename_all = "camelCase")]
    pub struct CassandraTaskTemplate {
        /// Whether this task may run beside others of the same datacenter.
        pub concurrency_policy: Option<String>,
        /// What is done, one after another.
        pub jobs: Option<Vec<CassandraJob>>,
        /// How many pods work at a time.
        pub max_concurrent_pods: Option<i64>,
        /// What happens after a failure.
        pub restart_policy: Option<String>,
        /// How often a failed pod is tried again.
        pub retries: Option<i64>,
        /// Nothing is done before this time.
        pub scheduled_time: Option<Time>,
        /// Seconds after which a finished task is deleted.
        #[schemars(extend("format" = "int32"))]
        pub ttl_seconds_after_finished: Option<i64>,
    }
}

/// One command to the nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CassandraJob {
    /// What the command works on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<JobArguments>,
    /// The command, such as `cleanup`, `rebuild` or `restart`.
    pub command: String,
    /// Name of the job.
    pub name: String,
}

all_optional! {
    /// What a command works on; which of them count depends on the command.
    pub struct JobArguments {
        /// Last token.
        pub end_token: Option<String>,
        /// Skip what can be skipped.
        pub fast: Option<bool>,
        /// Do it in spite of warnings.
        pub force: Option<bool>,
        /// Threads per node.
        pub jobs: Option<i64>,
        /// Keyspace that is worked on.
        pub keyspace_name: Option<String>,
        /// Pod name to the tokens that it gets.
        pub new_tokens: Option<BTreeMap<String, String>>,
        /// No snapshot beforehand.
        pub no_snapshot: Option<bool>,
        /// No validation.
        pub no_validate: Option<bool>,
        /// The only pod that is meant.
        pub pod_name: Option<String>,
        /// The only rack that is meant.
        pub rack: Option<String>,
        /// Go on over corrupted partitions.
        pub skip_corrupted: Option<bool>,
        /// Datacenter that data is streamed from.
        pub source_datacenter: Option<String>,
        /// Write several files.
        pub split_output: Option<bool>,
        /// First token.
        pub start_token: Option<String>,
        /// Tables that are worked on.
        pub tables: Option<Vec<String>>,
    }

    /// How far a task is.
    #[serde(rename_all = "camelCase")]
    pub struct CassandraTaskStatus {
        /// Pods that work now.
        pub active: Option<i64>,
        /// When the task ended.
        pub completion_time: Option<Time>,
        /// `Running`, `Complete`, `Failed` and `Invalid`.
        #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
        pub conditions: Option<Vec<TaskCondition>>,
        /// Pods that failed.
        pub failed: Option<i64>,
        /// Pod name to how far it is.
        pub pod_statuses: Option<BTreeMap<String, TaskPodStatus>>,
        /// When the task began.
        pub start_time: Option<Time>,
        /// Pods that are done.
        pub succeeded: Option<i64>,
    }
}

impl CassandraTaskStatus {
    /// What the condition of that type says; `None` when it is absent or unknown.
    #[must_use]
    pub fn condition(&self, type_: &str) -> Option<bool> {
        let condition = self
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == type_)?;
        match condition.status.as_str() {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        }
    }
}

/// A condition of meta/v1, which has all of its fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskCondition {
    /// When `status` last changed.
    pub last_transition_time: Time,
    /// Details for people.
    #[schemars(length(max = 32_768))]
    pub message: String,
    /// Generation of the object that the statement is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// Why, as a CamelCase noun.
    #[schemars(
        length(min = 1, max = 1024),
        regex(pattern = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    )]
    pub reason: String,
    /// `True`, `False` or `Unknown`.
    #[schemars(extend("enum" = ["True", "False", "Unknown"]))]
    pub status: String,
    /// What is stated.
    #[serde(rename = "type")]
    #[schemars(
        length(max = 316),
        regex(
            pattern = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
        )
    )]
    pub type_: String,
}

/// How far one pod is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskPodStatus {
    /// When the pod was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The management API's own id of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// How often it was tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<i64>,
    /// When the pod began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// `WAITING`, `RUNNING`, `COMPLETED` or `ERROR`.
    pub status: String,
}
