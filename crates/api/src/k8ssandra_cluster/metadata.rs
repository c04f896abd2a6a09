//! Labels and annotations for what is made from a cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::all_optional::all_optional;

all_optional! {
    /// Labels and annotations.
    #[derive(Eq)]
    pub struct ResourceMeta {
        /// Annotations.
        pub annotations: Option<BTreeMap<String, String>>,
        /// Labels.
        pub labels: Option<BTreeMap<String, String>>,
    }

    /// Labels and annotations of each service.
    #[derive(Eq)]
    #[serde(rename_all = "camelCase")]
    pub struct ServicesMeta {
        /// Of the service with seeds that are not managed here.
        pub additional_seed_service: Option<ResourceMeta>,
        /// Of the service over all pods, ready or not.
        pub all_pods_service: Option<ResourceMeta>,
        /// Of the service that clients use.
        pub dc_service: Option<ResourceMeta>,
        /// Of the service on node ports.
        pub node_port_service: Option<ResourceMeta>,
        /// Of the service over the seed pods.
        pub seed_service: Option<ResourceMeta>,
    }

    /// Labels and annotations for what is made from the cluster.
    #[derive(Eq)]
    #[serde(rename_all = "camelCase")]
    pub struct ClusterMeta {
        /// Annotations of CassandraDatacenter objects.
        pub annotations: Option<BTreeMap<String, String>>,
        /// Annotations of everything.
        pub common_annotations: Option<BTreeMap<String, String>>,
        /// Labels of everything.
        pub common_labels: Option<BTreeMap<String, String>>,
        /// Labels of CassandraDatacenter objects.
        pub labels: Option<BTreeMap<String, String>>,
        /// Of Cassandra's pods.
        pub pods: Option<ResourceMeta>,
        /// Of the services.
        pub services: Option<ServicesMeta>,
    }
}

/// Name and namespace of a datacenter, and labels and annotations for what is made from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmbeddedObjectMeta {
    /// Annotations of the CassandraDatacenter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Annotations of everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_annotations: Option<BTreeMap<String, String>>,
    /// Labels of everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_labels: Option<BTreeMap<String, String>>,
    /// Labels of the CassandraDatacenter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Name of the CassandraDatacenter: a DNS label that begins with a letter.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Namespace of the CassandraDatacenter. Absent or empty: that of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub namespace: Option<String>,
    /// Of Cassandra's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<ResourceMeta>,
    /// Of the services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services: Option<ServicesMeta>,
}
