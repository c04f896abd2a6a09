//! Pods and services as far as they are read or written here. Decoding them whole would cost more code than all
//! decisions together, and tie what we may store to one version of Kubernetes.

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Serialize};

/// A pod: its addresses, and the ports of its containers.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "Pod")]
pub(crate) struct PodParts {
    pub metadata: ObjectMeta,
    #[serde(default)]
    pub spec: PodSpec,
    #[serde(default)]
    pub status: PodStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct PodSpec {
    #[serde(default)]
    pub containers: Vec<Container>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Container {
    pub name: String,
    #[serde(default)]
    pub ports: Vec<ContainerPort>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContainerPort {
    pub name: Option<String>,
    pub container_port: i32,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct PodStatus {
    #[serde(rename = "podIP")]
    pub ip: Option<String>,
    #[serde(default, rename = "podIPs")]
    pub ips: Vec<PodIp>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PodIp {
    pub ip: String,
}

/// A service: its ports, and whatever else it has, untouched.
#[derive(Clone, Debug, Deserialize, Resource, Serialize)]
#[resource(inherit = "Service")]
pub(crate) struct ServiceParts {
    pub metadata: ObjectMeta,
    #[serde(default)]
    pub spec: serde_json::Value,
}

#[derive(Deserialize)]
struct ServicePorts {
    #[serde(default)]
    ports: Vec<ServicePort>,
}

/// One port of a service.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ServicePort {
    pub name: Option<String>,
    pub port: i32,
    pub protocol: Option<String>,
}

impl ServiceParts {
    /// Its ports; none where the API server would not have stored them so.
    pub fn ports(&self) -> Vec<ServicePort> {
        ServicePorts::deserialize(&self.spec).map_or_else(|_| Vec::new(), |spec| spec.ports)
    }
}
