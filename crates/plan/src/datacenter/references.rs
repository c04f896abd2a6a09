//! What a datacenter refers to outside of the cluster's object.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use api::names::{label, reason};
use api::reports::Refusal;
use api::seen::Unknown;
use serde_json::Value;

use super::encryption::PasswordOf;
use crate::images::{self, ImageConfig};
use crate::validate::refusal;

/// What a datacenter refers to, as it was read. What is not here was not read: whoever needs it refuses or waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Content of the ConfigMap with configuration per node, as read from the datacenter's plane: the user's, or the
    /// generated one where it is there already. Without it a datacenter that refers to the user's is refused.
    pub per_node_config: Option<BTreeMap<String, String>>,
    /// Which images this installation runs.
    pub images: Images,
    /// Spec of the MedusaConfiguration that the cluster refers to, from the cluster's namespace in the control plane.
    pub medusa_configuration: Option<Value>,
    /// Passwords of keystores and truststores, or why there is none, as read from Secrets in the datacenter's namespace.
    /// They are no part of any digest that is written down.
    pub store_passwords: BTreeMap<PasswordOf, Result<Password, NoPassword>>,
}

/// A password. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// From the bytes of a Secret.
    ///
    /// # Errors
    ///
    /// Bytes that are no text: neither JSON nor an option of Java could carry them.
    pub fn of_bytes(bytes: Vec<u8>) -> Result<Self, NoPassword> {
        String::from_utf8(bytes)
            .map(Password)
            .map_err(|_| NoPassword::NoText)
    }

    /// From a text.
    pub(crate) fn of_text(text: &str) -> Self {
        Password(text.to_owned())
    }

    /// The password itself, for where Cassandra is told.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<password>")
    }
}

/// Why a password that was looked for is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPassword {
    /// There is no such Secret.
    NoSecret,
    /// The Secret has no such key.
    NoKey,
    /// What stands there is no text.
    NoText,
    /// The plane did not tell.
    Unknown(Unknown),
}

/// Which images this installation runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Images {
    /// As configured; the default is what is shipped.
    Config(Arc<ImageConfig>),
    /// It is not known, for this reason.
    Unknown(String),
}

impl Default for Images {
    fn default() -> Self {
        Images::Config(Arc::default())
    }
}

impl Images {
    /// A ConfigMap, as `namespace/name`, that says something else than it should.
    #[must_use]
    pub fn unusable(config_map: &str, why: &str) -> Self {
        Images::Unknown(format!(
            "ConfigMap {config_map} does not tell which images to run: {why}. Mend it, or take its label {} away to run \
             those that are shipped",
            label::CONFIG
        ))
    }

    /// ConfigMaps that cannot be read.
    #[must_use]
    pub fn unread(namespace: &str, why: &str) -> Self {
        Images::Unknown(format!(
            "whether a ConfigMap in namespace {namespace} tells which images to run cannot be seen: {why}. Give the account \
             of cluster-reconciler the shipped role there"
        ))
    }
}

impl References {
    /// Which images this installation runs.
    ///
    /// # Errors
    ///
    /// Refused where that is not known: an image from elsewhere is perhaps not to be had there.
    pub fn images(&self) -> Result<&ImageConfig, Refusal> {
        match &self.images {
            Images::Config(config) => Ok(config),
            Images::Unknown(why) => Err(refusal(reason::INVALID_SPEC, images::KEY, why.clone())),
        }
    }
}
