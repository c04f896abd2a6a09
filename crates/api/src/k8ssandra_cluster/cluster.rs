//! The cluster and its datacenters.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addons::{Medusa, Reaper, Stargate, StargateOfDatacenter};
use super::rules;
use super::{ClusterMeta, DatacenterOptions, EmbeddedObjectMeta, K8ssandraClusterStatus};
use crate::references::{LocalObjectReference, SecretKeyReference};
use crate::wire::{is_false, null_is_default, read_as_text};

/// What the user wants.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "k8ssandra.io",
    version = "v1alpha1",
    kind = "K8ssandraCluster",
    plural = "k8ssandraclusters",
    shortname = "k8c",
    shortname = "k8cs",
    namespaced,
    status = "K8ssandraClusterStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "One Apache Cassandra ring over datacenters in many Kubernetes clusters.",
    validation = Rule::new(rules::SAME_CLUSTER_NAME).message("cluster name can not be changed"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Datacenters",
        type_ = "string",
        json_path = ".status.datacentersReady",
        description = "How many are ready, of how many"
    ),
    printcolumn(
        name = "Version",
        type_ = "string",
        json_path = ".spec.cassandra.serverVersion"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(
        name = "Error",
        type_ = "string",
        json_path = ".status.error",
        description = "The latest error"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct K8ssandraClusterSpec {
    /// Whether Cassandra and the add-ons ask who is there. Absent means yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true))]
    pub auth: Option<bool>,
    /// The Cassandra cluster. The schema lets it be absent, but then nothing can be done.
    #[serde(
        default,
        deserialize_with = "cassandra",
        skip_serializing_if = "Option::is_none"
    )]
    pub cassandra: Option<CassandraClusterTemplate>,
    /// Cassandra's names of datacenters that nobody here manages. They count in the replication of system keyspaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_datacenters: Option<Vec<String>>,
    /// Backups.
    #[serde(default, deserialize_with = "medusa", skip_serializing_if = "Option::is_none")]
    pub medusa: Option<Medusa>,
    /// Repairs.
    #[serde(default, deserialize_with = "reaper", skip_serializing_if = "Option::is_none")]
    pub reaper: Option<Reaper>,
    /// `internal`: Secrets are made and copied. `external`: something else provides them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "internal", "enum" = ["internal", "external"]))]
    pub secrets_provider: Option<String>,
    /// Deprecated: a gateway that nobody develops any more.
    #[serde(
        default,
        deserialize_with = "stargate",
        skip_serializing_if = "Option::is_none"
    )]
    pub stargate: Option<Stargate>,
}

impl K8ssandraClusterSpec {
    /// Whether authentication is on; it is unless switched off.
    #[must_use]
    pub fn auth(&self) -> bool {
        self.auth.unwrap_or(true)
    }

    /// Whether something else than Ringspan provides the Secrets.
    #[must_use]
    pub fn has_external_secrets(&self) -> bool {
        self.secrets_provider.as_deref() == Some("external")
    }
}

/// The Cassandra cluster: its datacenters, and the options that they share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::UNIQUE_DATACENTERS).message("the names of datacenters must differ"),
    validation = Rule::new(rules::STORAGE_SOMEWHERE)
        .message("storageConfig must be defined at cluster level or dc level"),
    validation = Rule::new(rules::NO_SWAP).message(rules::NO_SWAP_MESSAGE)
)]
pub struct CassandraClusterTemplate {
    /// IP addresses of seed nodes that nobody here manages. Host names are ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_seeds: Option<Vec<String>>,
    /// Stores for TLS between clients and nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_encryption_stores: Option<EncryptionStores>,
    /// Cassandra's name of the cluster, if it is not the name of the object. Never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub cluster_name: Option<String>,
    /// The datacenters. Their order is that of creation.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 64))]
    pub datacenters: Vec<CassandraDatacenterTemplate>,
    /// Labels and annotations for what is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<ClusterMeta>,
    /// Stores for TLS between nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_encryption_stores: Option<EncryptionStores>,
    /// What is run: `cassandra`, `dse` or `hcd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "cassandra", "enum" = ["cassandra", "dse", "hcd"]))]
    pub server_type: Option<String>,
    /// Secret with the superuser's name and password. Absent or empty: one is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superuser_secret_ref: Option<LocalObjectReference>,
    /// What holds for every datacenter that does not say otherwise.
    #[serde(flatten, deserialize_with = "options")]
    pub options: DatacenterOptions,
}

impl CassandraClusterTemplate {
    /// What is run; `cassandra` unless something else is named.
    #[must_use]
    pub fn server_type(&self) -> &str {
        self.server_type.as_deref().unwrap_or("cassandra")
    }

    /// Name of the user's superuser Secret, if one is named.
    #[must_use]
    pub fn superuser_secret_name(&self) -> Option<&str> {
        let reference = self.superuser_secret_ref.as_ref()?;
        Some(reference.name.as_str()).filter(|name| !name.is_empty())
    }
}

/// One datacenter: where it is, how large it is, and what it has of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::NAMED).message(rules::NAME_MESSAGE),
    validation = Rule::new(rules::SOFT_NEEDS_RESOURCES).message("softPodAntiAffinity requires Resources to be set")
)]
pub struct CassandraDatacenterTemplate {
    /// Context of the plane that the datacenter lives in. Empty: the control plane itself.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    #[schemars(length(max = 253))]
    pub k8s_context: String,
    /// Name and namespace of the datacenter, and labels and annotations for what is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<EmbeddedObjectMeta>,
    /// The user's own `ConfigMap` with configuration per node, in the datacenter's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_node_config_map_ref: Option<LocalObjectReference>,
    /// How many nodes.
    #[schemars(range(min = 1))]
    pub size: i32,
    /// Deprecated: a gateway that nobody develops any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stargate: Option<StargateOfDatacenter>,
    /// No pods run, but the storage stays.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "is_false"
    )]
    #[schemars(extend("default" = false))]
    pub stopped: bool,
    /// What this datacenter has of its own.
    #[serde(flatten, deserialize_with = "options")]
    pub options: DatacenterOptions,
}

impl CassandraDatacenterTemplate {
    /// Name of the CassandraDatacenter; empty when the user gave none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata
            .as_ref()
            .map(|metadata| metadata.name.as_str())
            .unwrap_or_default()
    }

    /// The namespace that the user gave, if any.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        let namespace = self.metadata.as_ref()?.namespace.as_deref()?;
        Some(namespace).filter(|namespace| !namespace.is_empty())
    }

    /// Cassandra's name of the datacenter: the override, else the object's name.
    #[must_use]
    pub fn cassandra_name(&self) -> &str {
        let given = self
            .options
            .datacenter_name
            .as_deref()
            .filter(|name| !name.is_empty());
        given.unwrap_or_else(|| self.name())
    }

    /// Name of the user's ConfigMap with configuration of single nodes, if there is one.
    #[must_use]
    pub fn per_node_config_map(&self) -> Option<&str> {
        let reference = self.per_node_config_map_ref.as_ref()?;
        Some(reference.name.as_str()).filter(|name| !name.is_empty())
    }
}

/// Keys and certificates for TLS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EncryptionStores {
    /// Password of the keystore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keystore_password_secret_ref: Option<SecretKeyReference>,
    /// The keystore.
    pub keystore_secret_ref: SecretKeyReference,
    /// Password of the truststore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truststore_password_secret_ref: Option<SecretKeyReference>,
    /// The truststore.
    pub truststore_secret_ref: SecretKeyReference,
}

read_as_text!(cassandra: Option<CassandraClusterTemplate>);
read_as_text!(medusa: Option<Medusa>);
read_as_text!(reaper: Option<Reaper>);
read_as_text!(stargate: Option<Stargate>);
read_as_text!(options: DatacenterOptions);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn datacenter(entry: serde_json::Value) -> CassandraDatacenterTemplate {
        serde_json::from_value(entry).unwrap()
    }

    #[test]
    fn an_empty_word_is_as_good_as_none() {
        let entry = json!({"metadata": {"name": "dc1", "namespace": ""}, "size": 1, "datacenterName": "", "k8sContext": ""});
        let datacenter = datacenter(entry);
        assert_eq!(
            (
                datacenter.name(),
                datacenter.cassandra_name(),
                datacenter.namespace()
            ),
            ("dc1", "dc1", None)
        );
        assert_eq!(datacenter.k8s_context, "");
    }

    #[test]
    fn null_is_read_as_the_default() {
        let datacenter = datacenter(json!({"size": 1, "stopped": null, "k8sContext": null, "racks": null}));
        assert_eq!(
            (
                datacenter.stopped,
                datacenter.k8s_context.as_str(),
                datacenter.options.racks
            ),
            (false, "", None)
        );
        let cassandra: CassandraClusterTemplate =
            serde_json::from_value(json!({"datacenters": null})).unwrap();
        assert_eq!(cassandra.datacenters, []);
    }

    #[test]
    fn what_the_user_wrote_for_an_embedded_type_is_kept_whatever_it_is() {
        let entry = json!({
            "size": 1,
            "containers": [{"name": "cassandra", "fieldOfTheFuture": [1, {"a": null}]}],
            "config": {"cassandraYaml": {"num_tokens": 16, "odd": {"x": 0.5}}},
            "mgmtAPIHeap": 64,
        });
        assert_eq!(serde_json::to_value(datacenter(entry.clone())).unwrap(), entry);
    }

    #[test]
    fn a_password_is_not_shown_by_debug() {
        let cdc = json!({"pulsarServiceUrl": "pulsar://x", "sslKeystorePassword": "s3cret", "pulsarAuthParams": "t0ken"});
        let shown = format!("{:?}", datacenter(json!({"size": 1, "cdc": cdc})));
        assert!(!shown.contains("s3cret") && !shown.contains("t0ken"), "{shown}");
    }
}
