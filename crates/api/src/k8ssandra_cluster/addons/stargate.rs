//! Stargate, a gateway that nobody develops any more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{AddonMeta, ContainerImage, Telemetry};
use crate::all_optional::all_optional;
use crate::embedded::{Affinity, Probe, Quantity, ResourceRequirements, Toleration};
use crate::references::LocalObjectReference;
use crate::wire::read_as_text;

all_optional! {
    /// What a Stargate pod is made of.
    #[serde(rename_all = "camelCase")]
    pub struct StargateTemplate {
        /// Affinity of the pods.
        pub affinity: Option<Affinity>,
        /// The pods may run on workers that Cassandra runs on.
        #[schemars(extend("default" = false))]
        pub allow_stargate_on_data_nodes: Option<bool>,
        /// How clients are known.
        pub auth_options: Option<StargateAuthOptions>,
        /// `ConfigMap` with a `cassandra.yaml`.
        pub cassandra_config_map_ref: Option<LocalObjectReference>,
        /// The image.
        #[schemars(extend("default" = {"repository": "stargateio", "tag": "v1.0.77"}))]
        pub container_image: Option<ContainerImage>,
        /// Heap of the process.
        #[schemars(extend("default" = "256Mi"))]
        pub heap_size: Option<Quantity>,
        /// Whether it is alive.
        pub liveness_probe: Option<Probe>,
        /// Labels and annotations for what is made.
        pub metadata: Option<AddonMeta>,
        /// Labels of the workers that the pods must run on.
        pub node_selector: Option<BTreeMap<String, String>>,
        /// Whether it is ready.
        pub readiness_probe: Option<Probe>,
        /// Resources of the container.
        pub resources: Option<ResourceRequirements>,
        /// `internal`: Secrets are made and copied. `external`: something else provides them.
        #[schemars(extend("default" = "internal", "enum" = ["internal", "external"]))]
        pub secrets_provider: Option<String>,
        /// Service account of the pods.
        #[schemars(extend("default" = "default"))]
        pub service_account: Option<String>,
        /// Metrics and logs.
        pub telemetry: Option<Telemetry>,
        /// Tolerations of the pods.
        pub tolerations: Option<Vec<Toleration>>,
    }

    /// How Stargate knows its clients.
    #[serde(rename_all = "camelCase")]
    pub struct StargateAuthOptions {
        /// By a table of its own, or by web tokens.
        #[schemars(extend("default" = "Table", "enum" = ["Table", "JWT"]))]
        pub api_auth_method: Option<String>,
        /// Who issues the web tokens.
        pub provider_url: Option<String>,
        /// Seconds that a token of the table lives.
        #[schemars(range(min = 1))]
        pub token_ttl_seconds: Option<i64>,
    }
}

/// Stargate in every datacenter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stargate {
    /// How many pods in each datacenter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required, range(min = 1), extend("default" = 1))]
    pub size: Option<i32>,
    /// What a pod is made of.
    #[serde(flatten, deserialize_with = "template")]
    pub template: StargateTemplate,
}

/// Stargate in one datacenter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StargateOfDatacenter {
    /// What the racks have of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub racks: Option<Vec<StargateRack>>,
    /// How many pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required, range(min = 1), extend("default" = 1))]
    pub size: Option<i32>,
    /// What a pod is made of.
    #[serde(flatten, deserialize_with = "template")]
    pub template: StargateTemplate,
}

/// What Stargate has of its own in one rack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StargateRack {
    /// Name of the rack.
    #[schemars(length(min = 2))]
    pub name: String,
    /// What a pod is made of.
    #[serde(flatten, deserialize_with = "template")]
    pub template: StargateTemplate,
}

read_as_text!(template: StargateTemplate);
