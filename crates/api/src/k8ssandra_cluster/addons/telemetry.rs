//! Metrics and logs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::all_optional::all_optional;
use crate::embedded::ResourceRequirements;

all_optional! {
    /// Metrics and logs.
    pub struct Telemetry {
        /// The metrics agent in Cassandra.
        pub cassandra: Option<CassandraAgent>,
        /// The old metrics collector.
        pub mcac: Option<Mcac>,
        /// Prometheus, if its operator is there.
        pub prometheus: Option<PrometheusTelemetry>,
        /// The Vector sidecar.
        pub vector: Option<Vector>,
    }

    /// The metrics agent in Cassandra.
    pub struct CassandraAgent {
        /// Where it serves.
        pub endpoint: Option<AgentEndpoint>,
        /// What is done to metrics before they are served.
        pub relabels: Option<Vec<Relabel>>,
    }

    /// Where the metrics agent serves.
    pub struct AgentEndpoint {
        /// Address.
        pub address: Option<String>,
        /// Port.
        pub port: Option<String>,
        /// Certificates.
        pub tls: Option<AgentTls>,
    }

    /// Certificates of the metrics agent, by paths.
    pub struct AgentTls {
        /// Authority of clients.
        #[serde(rename = "ca.crt")]
        pub authority: Option<String>,
        /// Certificate.
        #[serde(rename = "tls.crt")]
        pub certificate: Option<String>,
        /// Key of the certificate.
        #[serde(rename = "tls.key")]
        pub key: Option<String>,
    }

    /// A rule as Prometheus has it.
    #[serde(rename_all = "camelCase")]
    pub struct Relabel {
        /// What is done.
        #[schemars(extend("default" = "replace", "enum" = [
            "replace", "Replace", "keep", "Keep", "drop", "Drop", "hashmod", "HashMod", "labelmap", "LabelMap",
            "labeldrop", "LabelDrop", "labelkeep", "LabelKeep", "lowercase", "Lowercase", "uppercase", "Uppercase",
            "keepequal", "KeepEqual", "dropequal", "DropEqual"
        ]))]
        pub action: Option<String>,
        /// Of the hash.
        pub modulus: Option<i64>,
        /// What must match.
        pub regex: Option<String>,
        /// What takes its place.
        pub replacement: Option<String>,
        /// Between the values of several labels.
        pub separator: Option<String>,
        /// Labels that are read.
        pub source_labels: Option<Vec<String>>,
        /// Label that is written.
        pub target_label: Option<String>,
    }

    /// The old metrics collector.
    #[serde(rename_all = "camelCase")]
    pub struct Mcac {
        /// Whether it runs. Absent means yes.
        pub enabled: Option<bool>,
        /// Which metrics it drops or keeps.
        pub metric_filters: Option<Vec<String>>,
    }

    /// Prometheus, if its operator is there.
    #[serde(rename_all = "camelCase")]
    pub struct PrometheusTelemetry {
        /// Labels of the monitors, by which a Prometheus finds them.
        pub common_labels: Option<BTreeMap<String, String>>,
        /// Whether monitors are made.
        pub enabled: Option<bool>,
    }

    /// The Vector sidecar.
    #[serde(rename_all = "camelCase")]
    pub struct Vector {
        /// Parts of its pipeline.
        pub components: Option<VectorComponents>,
        /// More configuration, as TOML.
        pub config: Option<String>,
        /// Whether it runs.
        pub enabled: Option<bool>,
        /// Its image.
        pub image: Option<String>,
        /// Resources of its container.
        pub resources: Option<ResourceRequirements>,
        /// Pause between two readings of the metrics.
        pub scrape_interval: Option<String>,
    }

    /// Parts of Vector's pipeline.
    pub struct VectorComponents {
        /// Where data goes.
        pub sinks: Option<Vec<VectorStep>>,
        /// Where data comes from.
        pub sources: Option<Vec<VectorSource>>,
        /// What is done to data.
        pub transforms: Option<Vec<VectorStep>>,
    }
}

/// A part of Vector's pipeline that data comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VectorSource {
    /// Its configuration, as TOML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Its name.
    pub name: String,
    /// Its type in Vector.
    #[serde(rename = "type")]
    pub type_: String,
}

/// A part of Vector's pipeline that data goes into.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VectorStep {
    /// Its configuration, as TOML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Names of the parts that data comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<String>>,
    /// Its name.
    pub name: String,
    /// Its type in Vector.
    #[serde(rename = "type")]
    pub type_: String,
}
