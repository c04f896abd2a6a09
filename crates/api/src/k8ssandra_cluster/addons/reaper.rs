//! Reaper, which repairs.

use super::{AddonMeta, ContainerImage, Telemetry};
use crate::all_optional::all_optional;
use crate::embedded::{
    Affinity, EnvVar, PersistentVolumeClaimSpec, PodSecurityContext, Probe, Quantity, ResourceRequirements,
    SecurityContext, Toleration,
};
use crate::k8ssandra_cluster::rules;
use crate::references::{LocalObjectReference, ObjectReference};

/// An ISO 8601 duration, as Java reads it.
const DURATION: &str = r"([-+]?)P(?:([-+]?[0-9]+)D)?(T(?:([-+]?[0-9]+)H)?(?:([-+]?[0-9]+)M)?(?:([-+]?[0-9]+)(?:[.,]([0-9]{0,9}))?S)?)?";

all_optional! {
    /// Reaper, which repairs.
    #[serde(rename_all = "camelCase")]
    #[schemars(extend("x-kubernetes-validations" = rules::reaper()))]
    pub struct Reaper {
        /// More environment variables of the container.
        pub additional_env_vars: Option<Vec<EnvVar>>,
        /// Affinity of the pods.
        pub affinity: Option<Affinity>,
        /// Repairs that are scheduled without being asked for.
        pub auto_scheduling: Option<AutoScheduling>,
        /// Secret with Reaper's user in Cassandra.
        pub cassandra_user_secret_ref: Option<LocalObjectReference>,
        /// The image.
        pub container_image: Option<ContainerImage>,
        /// One for each datacenter, one for all, or none here but the one that `reaperRef` names.
        #[schemars(extend("default" = "PER_DC", "enum" = ["PER_DC", "SINGLE", "CONTROL_PLANE"]))]
        pub deployment_mode: Option<String>,
        /// Certificates by which it manages Cassandra.
        pub encryption: Option<ReaperEncryption>,
        /// Heap of the process.
        #[schemars(extend("default" = "2Gi"))]
        pub heap_size: Option<Quantity>,
        /// Whether it uses the management API.
        #[schemars(extend("default" = {"enabled": true}))]
        pub http_management: Option<HttpManagement>,
        /// Image of the init container.
        pub init_container_image: Option<ContainerImage>,
        /// Resources of the init container.
        pub init_container_resources: Option<ResourceRequirements>,
        /// Security context of the init container.
        pub init_container_security_context: Option<SecurityContext>,
        /// Secret with the user for JMX.
        pub jmx_user_secret_ref: Option<LocalObjectReference>,
        /// Keyspace that it keeps its state in.
        #[schemars(extend("default" = "reaper_db"))]
        pub keyspace: Option<String>,
        /// Whether it is alive.
        pub liveness_probe: Option<Probe>,
        /// Labels and annotations for what is made.
        pub metadata: Option<AddonMeta>,
        /// Security context of the pods.
        pub pod_security_context: Option<PodSecurityContext>,
        /// Whether it is ready.
        pub readiness_probe: Option<Probe>,
        /// A Reaper that is there already.
        pub reaper_ref: Option<ObjectReference>,
        /// Resources of the container.
        pub resources: Option<ResourceRequirements>,
        /// `internal`: Secrets are made and copied. `external`: something else provides them.
        #[schemars(extend("default" = "internal", "enum" = ["internal", "external"]))]
        pub secrets_provider: Option<String>,
        /// Security context of the container.
        pub security_context: Option<SecurityContext>,
        /// Service account of the pods.
        #[serde(rename = "ServiceAccountName")]
        #[schemars(extend("default" = "default"))]
        pub service_account_name: Option<String>,
        /// Its tables are not migrated at the start.
        #[schemars(extend("default" = false))]
        pub skip_schema_migration: Option<bool>,
        /// Claim of the volume for local storage.
        pub storage_config: Option<PersistentVolumeClaimSpec>,
        /// Where it keeps its state.
        #[schemars(extend("default" = "cassandra", "enum" = ["cassandra", "local"]))]
        pub storage_type: Option<String>,
        /// Metrics and logs.
        pub telemetry: Option<Telemetry>,
        /// Tolerations of the pods.
        pub tolerations: Option<Vec<Toleration>>,
        /// Secret with the user of its web page.
        pub ui_user_secret_ref: Option<LocalObjectReference>,
    }

    /// Repairs that are scheduled without being asked for.
    #[serde(rename_all = "camelCase")]
    pub struct AutoScheduling {
        /// Whether they are.
        #[schemars(extend("default" = false))]
        pub enabled: Option<bool>,
        /// Clusters that are left out.
        pub excluded_clusters: Option<Vec<String>>,
        /// Keyspaces that are left out.
        pub excluded_keyspaces: Option<Vec<String>>,
        /// Pause before the first look for keyspaces.
        #[schemars(extend("default" = "PT15S"), regex(pattern = DURATION))]
        pub initial_delay_period: Option<String>,
        /// Per cent of unrepaired data from which incremental repairs start.
        #[schemars(extend("default" = 10), range(min = 0, max = 100))]
        pub percent_unrepaired_threshold: Option<i64>,
        /// Pause between two looks for keyspaces.
        #[schemars(extend("default" = "PT10M"), regex(pattern = DURATION))]
        pub period_between_polls: Option<String>,
        /// How repairs are done.
        #[schemars(extend("default" = "AUTO", "enum" = ["REGULAR", "ADAPTIVE", "INCREMENTAL", "AUTO"]))]
        pub repair_type: Option<String>,
        /// Pause between two schedules.
        #[schemars(extend("default" = "PT6H"), regex(pattern = DURATION))]
        pub schedule_spread_period: Option<String>,
        /// Pause before the first schedule.
        #[schemars(extend("default" = "PT5M"), regex(pattern = DURATION))]
        pub time_before_first_schedule: Option<String>,
    }

    /// Certificates by which Reaper manages Cassandra.
    #[serde(rename_all = "camelCase")]
    pub struct ReaperEncryption {
        /// Secret of the client.
        pub client_cert_name: Option<String>,
        /// Secret of the server.
        pub server_cert_name: Option<String>,
    }

    /// Whether Reaper uses the management API.
    pub struct HttpManagement {
        /// Whether it does.
        #[schemars(extend("default" = true))]
        pub enabled: Option<bool>,
        /// Secret with its keystores.
        pub keystores: Option<LocalObjectReference>,
    }
}
