//! `ClientConfig`: a plane, by the name of a context and the Secret with its kubeconfig.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::Condition;
use crate::references::LocalObjectReference;

/// Where a plane is reached.
#[expect(clippy::duplicated_attributes, reason = "several printer columns are dates")]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "config.k8ssandra.io",
    version = "v1beta1",
    kind = "ClientConfig",
    plural = "clientconfigs",
    namespaced,
    status = "ClientConfigStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A Kubernetes cluster that datacenters may live in.",
    printcolumn(
        name = "Reachable",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Reachable\")].status"
    ),
    printcolumn(
        name = "Server version",
        type_ = "string",
        json_path = ".status.serverVersion"
    ),
    printcolumn(
        name = "Credentials expire",
        // `date` is for the past: kubectl shows a time to come as invalid.
        type_ = "string",
        json_path = ".status.credentialsExpire"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ClientConfigSpec {
    /// Name that datacenters use for this plane, and of the context in the kubeconfig. Absent: the name of this object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_name: Option<String>,
    /// Secret in this namespace whose key `kubeconfig` holds the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_config_secret: Option<LocalObjectReference>,
}

impl ClientConfig {
    /// The name that datacenters use for this plane.
    #[must_use]
    pub fn context_name(&self) -> &str {
        let given = self.spec.context_name.as_deref().filter(|name| !name.is_empty());
        given.or(self.metadata.name.as_deref()).unwrap_or_default()
    }

    /// Name of the Secret with the kubeconfig, if one is given.
    #[must_use]
    pub fn secret_name(&self) -> Option<&str> {
        let reference = self.spec.kube_config_secret.as_ref()?;
        Some(reference.name.as_str()).filter(|name| !name.is_empty())
    }
}

/// Whether the plane is usable, and who it is. Nothing decides by this; it is for people and tools.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientConfigStatus {
    /// Version of cass-operator in the plane, as its image says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cass_operator_version: Option<String>,
    /// What holds for this plane.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// When the first of the credentials in the kubeconfig ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_expire: Option<Time>,
    /// Generation of this object that the status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Identity of the plane: the UID of its `kube-system` namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plane_id: Option<String>,
    /// Version of the plane's API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_named_by_the_spec_or_else_by_the_object() {
        let mut config = ClientConfig::new("east", ClientConfigSpec::default());
        assert_eq!((config.context_name(), config.secret_name()), ("east", None));
        config.spec.context_name = Some(String::new());
        assert_eq!(config.context_name(), "east");
        config.spec.context_name = Some("kind-east".to_owned());
        config.spec.kube_config_secret = Some(LocalObjectReference {
            name: "east-kubeconfig".to_owned(),
        });
        assert_eq!(
            (config.context_name(), config.secret_name()),
            ("kind-east", Some("east-kubeconfig"))
        );
    }
}
