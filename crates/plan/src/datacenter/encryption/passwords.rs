//! Where the passwords of stores are read, and which ones a datacenter was told.

use api::k8ssandra_cluster::{CassandraClusterTemplate, EncryptionStores, K8ssandraCluster};
use api::names::reason;
use api::reports::Refusal;
use serde_json::Value;

use super::{PasswordOf, Peer, is_asked_for, mounted, said};
use crate::datacenter::references::{NoPassword, Password, References};
use crate::datacenter::{Facts, LiveDatacenter};
use crate::validate::refusal;
use crate::value;

const OPTIONS: &str = "/config/cassandra-env-sh/additional-jvm-opts";

/// Where a password is read: a key of a Secret in the datacenter's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSource {
    /// The store that it is of.
    pub of: PasswordOf,
    /// Name of the Secret.
    pub secret: String,
    /// Key in the Secret.
    pub key: String,
}

impl PasswordOf {
    /// An own key of the password's reference, else, without such a reference, an own key of the store's: as upstream
    /// has it, which reads the store itself for its password then.
    pub(super) fn source(self, stores: &EncryptionStores) -> PasswordSource {
        let reference = self.store.password_reference(stores);
        let reference = reference.unwrap_or_else(|| self.store.reference(stores));
        let default = format!("{}-password", self.store.word());
        PasswordSource {
            of: self,
            secret: reference.name.clone(),
            key: said(reference.key.as_deref()).map_or(default, str::to_owned),
        }
    }
}

/// Which passwords a datacenter is built with, and where they are.
///
/// # Errors
///
/// A spec without such a datacenter.
pub fn password_sources(kc: &K8ssandraCluster, datacenter: &str) -> Result<Vec<PasswordSource>, Refusal> {
    let has_stores = |it: &CassandraClusterTemplate| {
        it.client_encryption_stores.is_some() || it.server_encryption_stores.is_some()
    };
    if !kc.spec.cassandra.as_ref().is_some_and(has_stores) {
        return Ok(Vec::new());
    }
    Ok(Facts::of(kc, datacenter)?.password_sources())
}

impl Facts<'_> {
    /// Which passwords it is built with, and where they are.
    pub(crate) fn password_sources(&self) -> Vec<PasswordSource> {
        let asked = mounted(self).filter(|(of, _)| is_asked_for(self, *of));
        asked.map(|(of, stores)| of.source(stores)).collect()
    }
}

/// The password that a datacenter was told when it was last written. Of one that the user has changed since, it may be
/// what he wrote himself.
#[must_use]
pub fn told_password(live: &LiveDatacenter, of: PasswordOf) -> Option<Password> {
    let option = of.java_option();
    let mut options = value::items(&live.spec, OPTIONS).iter().filter_map(Value::as_str);
    let of_java = options.find_map(|text| text.strip_prefix(&option));
    let pointer = format!("/config/cassandra-yaml/{}/{}", of.peer.section(), of.yaml_key());
    let of_yaml = value::at(&live.spec, &pointer).and_then(Value::as_str);
    let found = match of.peer {
        Peer::Client => of_java.or(of_yaml),
        Peer::Server => of_yaml,
    };
    found.map(Password::of_text)
}

pub(super) fn given<'a>(
    facts: &Facts<'_>,
    references: &'a References,
    source: &PasswordSource,
) -> Result<&'a Password, Refusal> {
    let lacks = |why: Option<&NoPassword>| {
        let plane = &facts.template.k8s_context;
        refusal(
            reason::STORE_PASSWORD_MISSING,
            &source.field(),
            source.lacks(&facts.namespace, plane, why),
        )
    };
    match references.store_passwords.get(&source.of) {
        Some(Ok(password)) => Ok(password),
        Some(Err(why)) => Err(lacks(Some(why))),
        None => Err(lacks(None)),
    }
}

impl PasswordSource {
    /// Path of the field that says where it is.
    #[must_use]
    pub fn field(&self) -> String {
        format!(
            "{}.{}PasswordSecretRef",
            self.of.peer.field(),
            self.of.store.word()
        )
    }

    /// Why it is not there, and the way out. Without a reason: nobody has looked.
    #[must_use]
    pub fn lacks(&self, namespace: &str, context: &str, why: Option<&NoPassword>) -> String {
        let what = match why {
            Some(NoPassword::NoSecret) => "does not exist",
            Some(NoPassword::NoKey) => "lacks it",
            Some(NoPassword::NoText) => "has something there that is no text",
            Some(NoPassword::Unknown(_)) => "cannot be read",
            None => "was not read",
        };
        format!(
            "the password of the {} {} is key {} of Secret {namespace}/{} in {}, which {what}: put it there, or say in {} \
             where it is",
            self.of.peer.word(),
            self.of.store.word(),
            self.key,
            self.secret,
            crate::cluster::acts::plane(context),
            self.field(),
        )
    }
}
