//! What clusters share of the settings of their backups. The kind comes with K8ssandra, and a server may not know it.

use serde_json::Value;

use crate::custom_object::custom_object;

custom_object! {
    /// Settings of Medusa that clusters of a namespace refer to.
    MedusaConfiguration, "medusaconfigurations", "medusa.k8ssandra.io", "v1alpha1", Value, Value
}
