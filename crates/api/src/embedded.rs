//! Parts of Kubernetes' own API inside ours, carried as JSON values.
//!
//! A typed struct knows the fields of one Kubernetes version and silently drops those of a newer one; these types carry
//! whatever the API server accepted. Their schemas are stored in `schemas/embedded.json`, made from a real API server.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

use crate::stored_schemas;

macro_rules! embedded {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Value);

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                stored_schemas::of(stringify!($name))
            }
        }

        impl From<Value> for $name {
            fn from(value: Value) -> Self {
                Self(value)
            }
        }
    )*};
}

embedded! {
    /// core/v1 `Affinity`.
    Affinity
    /// core/v1 `Container`.
    Container
    /// core/v1 `EnvVar`.
    EnvVar
    /// meta/v1 `LabelSelector`.
    LabelSelector
    /// core/v1 `PersistentVolumeClaimSpec`.
    PersistentVolumeClaimSpec
    /// core/v1 `PodSecurityContext`.
    PodSecurityContext
    /// core/v1 `Probe`.
    Probe
    /// A Kubernetes quantity: a number, or a string such as `512Mi`.
    Quantity
    /// core/v1 `ResourceRequirements`.
    ResourceRequirements
    /// core/v1 `SecurityContext`.
    SecurityContext
    /// core/v1 `Toleration`.
    Toleration
    /// core/v1 `Volume`.
    Volume
    /// core/v1 `VolumeSource`, which is a `Volume` without its name.
    VolumeSource
}

/// A JSON object of the user's that is passed on as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FreeForm(pub serde_json::Map<String, Value>);

impl JsonSchema for FreeForm {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FreeForm".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
    }
}
