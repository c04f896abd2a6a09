//! Add-ons of a cluster. Their fields are carried completely; nothing acts on them yet.

mod cdc;
mod medusa;
mod reaper;
mod stargate;
mod telemetry;

pub use cdc::*;
pub use medusa::*;
pub use reaper::*;
pub use stargate::*;
pub use telemetry::*;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

use super::ResourceMeta;
use crate::all_optional::all_optional;
use crate::references::LocalObjectReference;

all_optional! {
    /// An image, in parts that have defaults.
    #[serde(rename_all = "camelCase")]
    pub struct ContainerImage {
        /// Name of the image.
        pub name: Option<String>,
        /// When it is pulled.
        #[schemars(extend("enum" = ["Always", "IfNotPresent", "Never"]))]
        pub pull_policy: Option<String>,
        /// Secret that it is pulled with.
        pub pull_secret_ref: Option<LocalObjectReference>,
        /// Where it comes from.
        pub registry: Option<String>,
        /// Folder of the image in the registry.
        pub repository: Option<String>,
        /// Tag of the image.
        #[schemars(extend("default" = "latest"))]
        pub tag: Option<String>,
    }

    /// Labels and annotations for what is made for an add-on.
    #[serde(rename_all = "camelCase")]
    pub struct AddonMeta {
        /// Annotations of the add-on's object.
        pub annotations: Option<BTreeMap<String, String>>,
        /// Annotations of everything.
        pub common_annotations: Option<BTreeMap<String, String>>,
        /// Labels of everything.
        pub common_labels: Option<BTreeMap<String, String>>,
        /// Labels of the add-on's object.
        pub labels: Option<BTreeMap<String, String>>,
        /// Of the pods.
        pub pods: Option<ResourceMeta>,
        /// Of the service.
        pub service: Option<ResourceMeta>,
    }
}

/// A string of the user's that may be a secret: it is carried, and never shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hidden(..)")
    }
}
