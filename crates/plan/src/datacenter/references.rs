//! What a datacenter refers to outside of the cluster's object.

use std::collections::BTreeMap;
use std::fmt;

use api::seen::Unknown;

use super::encryption::PasswordOf;

/// What a datacenter refers to, as it was read. What is not here was not read: whoever needs it refuses or waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Content of the ConfigMap with configuration per node, as read from the datacenter's plane: the user's, or the
    /// generated one where it is there already. Without it a datacenter that refers to the user's is refused.
    pub per_node_config: Option<BTreeMap<String, String>>,
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
