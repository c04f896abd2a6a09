//! References to other objects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::all_optional::all_optional;
use crate::wire::null_is_default;

/// An object of a known kind in the namespace of the one that refers to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct LocalObjectReference {
    /// Name of the object. The empty name refers to nothing.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    #[schemars(extend("default" = ""))]
    pub name: String,
}

/// One key of a Secret in the namespace of the object that refers to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct SecretKeyReference {
    /// Key in the Secret; which one is meant by default depends on the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Name of the Secret.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    #[schemars(extend("default" = ""))]
    pub name: String,
}

all_optional! {
    /// Any object, as core/v1 refers to it.
    #[derive(Eq)]
    #[serde(rename_all = "camelCase")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub struct ObjectReference {
        /// API version of the object.
        pub api_version: Option<String>,
        /// A part of the object.
        pub field_path: Option<String>,
        /// Kind of the object.
        pub kind: Option<String>,
        /// Name of the object.
        pub name: Option<String>,
        /// Namespace of the object.
        pub namespace: Option<String>,
        /// Version of the object that is meant.
        pub resource_version: Option<String>,
        /// UID of the object.
        pub uid: Option<String>,
    }
}
