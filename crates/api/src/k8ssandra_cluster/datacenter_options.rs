//! Options that may be given for the whole cluster and for one datacenter.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::JvmOptions;
use super::addons::{Cdc, ContainerImage, Telemetry};
use crate::all_optional::all_optional;
use crate::embedded::{
    Affinity, Container, FreeForm, PersistentVolumeClaimSpec, PodSecurityContext, Quantity,
    ResourceRequirements, Toleration, Volume, VolumeSource,
};

/// What a datacenter is made of. Given for the cluster it holds for all; what a datacenter says itself is merged over it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatacenterOptions {
    /// Change data capture. Only what a datacenter says itself is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdc: Option<Cdc>,
    /// Configuration files of Cassandra.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<CassandraConfig>,
    /// Containers that are added to Cassandra's pods, or change those that are there by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containers: Option<Vec<Container>>,
    /// Cassandra's name of the datacenter, if it is not the object's. Only what a datacenter says itself is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacenter_name: Option<String>,
    /// Workloads of DSE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dse_workloads: Option<DseWorkloads>,
    /// More volumes for Cassandra's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_volumes: Option<ExtraVolumes>,
    /// Init containers that are added to Cassandra's pods, or change those that are there by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_containers: Option<Vec<Container>>,
    /// Deprecated and ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jmx_init_container_image: Option<ContainerImage>,
    /// How the management API knows its clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_api_auth: Option<ManagementApiAuth>,
    /// Heap of the management API.
    #[serde(rename = "mgmtAPIHeap", skip_serializing_if = "Option::is_none")]
    pub mgmt_api_heap: Option<Quantity>,
    /// How pods are reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networking: Option<Networking>,
    /// Deprecated: image that merges the configuration of single nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_node_config_init_container_image: Option<String>,
    /// Priority class of Cassandra's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_priority_class_name: Option<String>,
    /// Security context of Cassandra's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_security_context: Option<PodSecurityContext>,
    /// Racks, in order. New ones may only be added at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub racks: Option<Vec<Rack>>,
    /// Cassandra's containers cannot write to their root file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_root_filesystem: Option<bool>,
    /// How a datacenter that joins fetches its data. Only what the cluster says is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<RebuildOptions>,
    /// Resources of the container `cassandra`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// Image of Cassandra, if it is not the one that goes with the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_image: Option<String>,
    /// Version of Cassandra, DSE or HCD.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"(\d+\.\d+\.\d+)"))]
    pub server_version: Option<String>,
    /// Service account of Cassandra's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Several nodes may run on one worker; then `resources` must be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_pod_anti_affinity: Option<bool>,
    /// Storage of each node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_config: Option<StorageConfig>,
    /// Metrics and logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Telemetry>,
    /// Tolerations of Cassandra's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerations: Option<Vec<Toleration>>,
}

/// A rack of a datacenter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rack {
    /// Affinity of the rack's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// Name of the rack.
    #[schemars(length(min = 2, max = 63))]
    pub name: String,
    /// Labels of the workers that the rack's pods must run on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_affinity_labels: Option<BTreeMap<String, String>>,
    /// Deprecated: zone of the workers that the rack's pods must run on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

all_optional! {
    /// Configuration files of Cassandra.
    #[serde(rename_all = "camelCase")]
    pub struct CassandraConfig {
        /// What goes into `cassandra.yaml`.
        pub cassandra_yaml: Option<FreeForm>,
        /// What goes into `dse.yaml`.
        pub dse_yaml: Option<FreeForm>,
        /// Options of the Java virtual machine.
        pub jvm_options: Option<JvmOptions>,
    }

    /// Workloads of DSE.
    #[serde(rename_all = "camelCase")]
    pub struct DseWorkloads {
        /// Analytics.
        pub analytics_enabled: Option<bool>,
        /// Graph.
        pub graph_enabled: Option<bool>,
        /// Search.
        pub search_enabled: Option<bool>,
    }

    /// More volumes for Cassandra's pods.
    pub struct ExtraVolumes {
        /// Volumes that each node gets a claim of its own for.
        pub pvcs: Option<Vec<AdditionalVolume>>,
        /// Volumes of the pod template.
        pub volumes: Option<Vec<Volume>>,
    }

    /// How the management API knows its clients.
    pub struct ManagementApiAuth {
        /// It does not ask.
        pub insecure: Option<Insecure>,
        /// By certificates that the user made.
        pub manual: Option<ManualAuth>,
    }

    /// Nothing more is to be said.
    pub struct Insecure {}

    /// How pods are reached.
    #[serde(rename_all = "camelCase")]
    pub struct Networking {
        /// Pods use the network of their worker. Absent at a datacenter: as the cluster says.
        pub host_network: Option<bool>,
        /// Pods are reached by ports of their workers.
        pub node_port: Option<NodePorts>,
    }

    /// Ports of the workers.
    pub struct NodePorts {
        /// Between nodes.
        pub internode: Option<i64>,
        /// Between nodes, with TLS.
        #[serde(rename = "internodeSSL")]
        pub internode_ssl: Option<i64>,
        /// For clients.
        pub native: Option<i64>,
        /// For clients, with TLS.
        #[serde(rename = "nativeSSL")]
        pub native_ssl: Option<i64>,
    }

    /// How a datacenter that joins fetches its data.
    #[serde(rename_all = "camelCase")]
    pub struct RebuildOptions {
        /// How many nodes rebuild at a time.
        #[schemars(range(min = 0))]
        pub max_concurrent_rebuilds: Option<i64>,
        /// Datacenter that the data comes from.
        pub source_dc: Option<String>,
    }

    /// Storage of each node.
    #[serde(rename_all = "camelCase")]
    pub struct StorageConfig {
        /// Volumes beside the one for data.
        pub additional_volumes: Option<Vec<AdditionalVolume>>,
        /// Claim of the volume for data.
        pub cassandra_data_volume_claim_spec: Option<PersistentVolumeClaimSpec>,
    }
}

/// Certificates that the user made for the management API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManualAuth {
    /// Secret that clients use.
    pub client_secret_name: String,
    /// Secret that the server uses.
    pub server_secret_name: String,
    /// Take the Secrets as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_secret_validation: Option<bool>,
}

/// A volume of each node, by a claim or by a source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalVolume {
    /// Where it is mounted in the container `cassandra`.
    pub mount_path: String,
    /// Name of the volume.
    #[schemars(regex(pattern = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"))]
    pub name: String,
    /// A claim for each node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvc_spec: Option<PersistentVolumeClaimSpec>,
    /// A source for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_source: Option<VolumeSource>,
}
