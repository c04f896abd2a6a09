//! Medusa, which makes backups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ContainerImage;
use crate::all_optional::all_optional;
use crate::embedded::{Probe, Quantity, ResourceRequirements, SecurityContext};
use crate::k8ssandra_cluster::{EncryptionStores, rules};
use crate::references::{LocalObjectReference, ObjectReference};

all_optional! {
    /// Medusa, which makes backups.
    #[serde(rename_all = "camelCase")]
    #[schemars(extend("x-kubernetes-validations" = rules::medusa()))]
    pub struct Medusa {
        /// Secret with Medusa's user in Cassandra.
        pub cassandra_user_secret_ref: Option<LocalObjectReference>,
        /// Secret with certificates for Cassandra.
        pub certificates_secret_ref: Option<LocalObjectReference>,
        /// Stores for TLS to Cassandra.
        pub client_encryption_stores: Option<EncryptionStores>,
        /// The image.
        pub container_image: Option<ContainerImage>,
        /// Resources of the container.
        pub container_resources: Option<ResourceRequirements>,
        /// Resources of the init container.
        pub init_container_resources: Option<ResourceRequirements>,
        /// Whether it is alive.
        pub liveness_probe: Option<Probe>,
        /// A `MedusaConfiguration` that these settings are merged over.
        pub medusa_configuration_ref: Option<ObjectReference>,
        /// Old backups are removed by a schedule.
        #[schemars(extend("default" = true))]
        pub purge_backups: Option<bool>,
        /// Whether it is ready.
        pub readiness_probe: Option<Probe>,
        /// Security context of the container.
        pub security_context: Option<SecurityContext>,
        /// How it is reached.
        pub service_properties: Option<MedusaService>,
        /// Where backups go.
        pub storage_properties: Option<MedusaStorage>,
    }

    /// How Medusa is reached.
    #[serde(rename_all = "camelCase")]
    pub struct MedusaService {
        /// Certificates of the service.
        pub encryption: Option<MedusaEncryption>,
        /// Its port.
        pub grpc_port: Option<i64>,
    }

    /// Where backups go.
    #[serde(rename_all = "camelCase")]
    pub struct MedusaStorage {
        /// Profile of the credentials file.
        pub api_profile: Option<String>,
        /// Days that a node's first backups are kept in any case.
        pub backup_grace_period_in_days: Option<i64>,
        /// Bucket, or folder.
        pub bucket_name: Option<String>,
        /// Transfers at a time; 0 leaves it to Medusa.
        #[schemars(extend("default" = 0))]
        pub concurrent_transfers: Option<i64>,
        /// How it proves who it is.
        #[schemars(extend("enum" = ["role-based", "credential-based"]))]
        pub credentials_type: Option<String>,
        /// Host of the storage.
        pub host: Option<String>,
        /// Days that backups are kept; 0 for ever.
        #[schemars(extend("default" = 0))]
        pub max_backup_age: Option<i64>,
        /// How many backups are kept; 0 all.
        #[schemars(extend("default" = 0))]
        pub max_backup_count: Option<i64>,
        /// Bytes from which files are sent in parts.
        #[schemars(extend("default" = 104_857_600))]
        pub multi_part_upload_threshold: Option<i64>,
        /// A volume that backups go to.
        pub pod_storage: Option<PodStorage>,
        /// Port of the storage.
        pub port: Option<i64>,
        /// Put before the names of all objects in the bucket.
        pub prefix: Option<String>,
        /// Region of the storage.
        pub region: Option<String>,
        /// By TLS.
        pub secure: Option<bool>,
        /// The storage's certificate is checked.
        pub ssl_verify: Option<bool>,
        /// What the storage is.
        #[schemars(extend("enum" = [
            "google_storage", "azure_blobs", "s3", "s3_compatible", "s3_rgw", "ibm_storage"
        ]))]
        pub storage_provider: Option<String>,
        /// Secret with the credentials.
        pub storage_secret_ref: Option<LocalObjectReference>,
        /// Bytes per second.
        #[schemars(extend("default" = "50MB/s"))]
        pub transfer_max_bandwidth: Option<String>,
    }

    /// A volume that backups go to.
    #[serde(rename_all = "camelCase")]
    pub struct PodStorage {
        /// How many nodes may mount it, and how.
        pub access_modes: Option<Vec<String>>,
        /// How large it is.
        #[schemars(extend("default" = "10Gi"))]
        pub size: Option<Quantity>,
        /// Its storage class.
        pub storage_class_name: Option<String>,
    }
}

/// Certificates of Medusa's service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MedusaEncryption {
    /// Secret of clients.
    pub client_secret_name: String,
    /// Secret of the server.
    pub server_secret_name: String,
}
