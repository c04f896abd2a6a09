//! `ReplicatedSecret`: which Secrets are copied to which planes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::all_optional::all_optional;
use crate::embedded::LabelSelector;

/// What is copied, and where to.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "replication.k8ssandra.io",
    version = "v1alpha1",
    kind = "ReplicatedSecret",
    plural = "replicatedsecrets",
    namespaced,
    status = "ReplicatedSecretStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Secrets of this namespace that are kept equal in other planes.",
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ReplicatedSecretSpec {
    /// Where the copies go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication_targets: Option<Vec<ReplicationTarget>>,
    /// Which Secrets of this namespace are meant. Absent selects none; an empty selector selects all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

all_optional! {
    /// One place that copies go to.
    #[serde(rename_all = "camelCase")]
    pub struct ReplicationTarget {
        /// Labels that each copy gets.
        pub add_labels: Option<BTreeMap<String, String>>,
        /// Labels of the source that copies do not get.
        pub drop_labels: Option<Vec<String>>,
        /// Context of the plane. Absent or empty: the control plane itself.
        pub k8s_context_name: Option<String>,
        /// Namespace of the copies. Absent or empty: that of the source.
        pub namespace: Option<String>,
        /// Put before the name of the source to make that of the copy.
        pub target_prefix: Option<String>,
    }
}

impl ReplicationTarget {
    /// The plane's context; empty for the control plane itself.
    #[must_use]
    pub fn context(&self) -> &str {
        self.k8s_context_name.as_deref().unwrap_or_default()
    }
}

/// How far the copies are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicatedSecretStatus {
    /// One entry per target, in the order of the targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ReplicationCondition>,
    /// Generation of this object that the status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// What holds for one target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationCondition {
    /// Context of the target; empty for the control plane itself.
    pub cluster: String,
    /// Keyed mark of the contents that the copies have. Says nothing about the contents to who has not the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_mark: Option<String>,
    /// When `status` last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// What is waited for, since when, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Namespace of the copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Identity of the plane that the copies were seen in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plane_id: Option<String>,
    /// Why, as a CamelCase noun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Always `Replication`.
    #[serde(rename = "type")]
    pub type_: String,
}
