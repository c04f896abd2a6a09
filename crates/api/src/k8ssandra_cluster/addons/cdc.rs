//! Change data capture, sent to Pulsar.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Hidden;

/// Change data capture: what the agent in each node is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cdc {
    /// Threads that read commit logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdc_concurrent_processors: Option<i64>,
    /// Pause between two looks at the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdc_poll_interval_m: Option<i64>,
    /// Folder of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdc_working_dir: Option<String>,
    /// Read commit logs again after an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_commit_log_reprocess_enabled: Option<bool>,
    /// Credentials for Pulsar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulsar_auth_params: Option<Hidden>,
    /// Class that uses the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulsar_auth_plugin_class_name: Option<String>,
    /// Milliseconds that a batch waits to be filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulsar_batch_delay_in_ms: Option<i64>,
    /// Batches by key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulsar_key_based_batcher: Option<bool>,
    /// How many messages may wait for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulsar_max_pending_messages: Option<i64>,
    /// The same over all partitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulsar_max_pending_messages_across_partitions: Option<i64>,
    /// Where Pulsar is.
    #[schemars(length(min = 1))]
    pub pulsar_service_url: String,
    /// Whether any certificate is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_allow_insecure_connection: Option<String>,
    /// Cipher suites that may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_cipher_suites: Option<String>,
    /// TLS versions that may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_enabled_protocols: Option<String>,
    /// Whether the host name must match the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_hostname_verification_enable: Option<String>,
    /// Password of the keystore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_keystore_password: Option<Hidden>,
    /// Path of the keystore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_keystore_path: Option<String>,
    /// TLS implementation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_provider: Option<String>,
    /// Password of the truststore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_truststore_password: Option<Hidden>,
    /// Path of the truststore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_truststore_path: Option<String>,
    /// Type of the truststore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_truststore_type: Option<String>,
    /// Put before the names of topics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic_prefix: Option<String>,
}
