//! How Medusa proves who it is to a Cassandra that wants to know: certificates in the form that Medusa reads, which are
//! not those of Java.

use api::k8ssandra_cluster::EncryptionStores;
use api::k8ssandra_cluster::addons::Medusa;
use api::names::reason;
use api::references::SecretKeyReference;
use api::reports::Refusal;

use super::Facts;
use crate::validate::refusal;
use crate::value;

/// Where they are mounted.
const FOLDER: &str = "/etc/certificates";

/// Certificates for Cassandra.
#[derive(Clone, Debug)]
pub(super) enum Certificates<'a> {
    /// None.
    None,
    /// One Secret with all three, under fixed keys; the older way.
    Secret(&'a str),
    /// A reference for each file: its name in Medusa's configuration, and where it comes from.
    Files(Vec<(&'static str, &'a SecretKeyReference)>),
}

/// The older way counts, where both are given.
pub(super) fn of<'a>(facts: &'a Facts<'a>, spec: &'a Medusa) -> Result<Certificates<'a>, Refusal> {
    let encrypted = is_client_encrypted(facts);
    let external = facts.kc.spec.has_external_secrets();
    let secret = spec
        .certificates_secret_ref
        .as_ref()
        .map(|reference| reference.name.as_str());
    let from_elsewhere = encrypted && external;
    let secret = secret.filter(|name| !name.is_empty() && !from_elsewhere);
    match (secret, &spec.client_encryption_stores) {
        (Some(name), _) => Ok(Certificates::Secret(name)),
        (None, Some(stores)) => files(stores).map(Certificates::Files),
        (None, None) if encrypted && !external => {
            let message = "is not given, and Cassandra takes encrypted clients only; name the Secrets with Medusa's \
                           certificates, for the stores of Cassandra's clients are of no use to it";
            Err(refusal(
                reason::INVALID_SPEC,
                "spec.medusa.clientEncryptionStores",
                message.into(),
            ))
        }
        (None, None) => Ok(Certificates::None),
    }
}

/// Whether Cassandra encrypts what it says to clients, with keys of the cluster's.
fn is_client_encrypted(facts: &Facts<'_>) -> bool {
    let enabled = "/config/cassandraYaml/client_encryption_options/enabled";
    facts.cassandra.client_encryption_stores.is_some() && value::flag(&facts.merged, enabled) == Some(true)
}

/// References of another meaning are used for the files. Each key names a file, so each is needed.
fn files(stores: &EncryptionStores) -> Result<Vec<(&'static str, &SecretKeyReference)>, Refusal> {
    fn file<'a>(
        file: &'static str,
        field: &str,
        reference: Option<&'a SecretKeyReference>,
    ) -> Result<(&'static str, &'a SecretKeyReference), Refusal> {
        let has_key = |it: &&SecretKeyReference| it.key.as_deref().is_some_and(|key| !key.is_empty());
        let found = reference.filter(|it| !it.name.is_empty()).filter(has_key);
        found.map(|it| (file, it)).ok_or_else(|| {
            let field = format!("spec.medusa.clientEncryptionStores.{field}");
            let message = format!("needs name and key of a Secret: it is what Medusa reads as its {file}");
            refusal(reason::INVALID_SPEC, &field, message)
        })
    }
    let key = stores.truststore_password_secret_ref.as_ref();
    Ok(vec![
        file("certfile", "keystoreSecretRef", Some(&stores.keystore_secret_ref))?,
        file(
            "usercert",
            "truststoreSecretRef",
            Some(&stores.truststore_secret_ref),
        )?,
        file("userkey", "truststorePasswordSecretRef", key)?,
    ])
}

impl Certificates<'_> {
    /// Option of Medusa's configuration, and the file.
    pub(super) fn options(&self) -> Vec<(&'static str, String)> {
        match self {
            Certificates::None => Vec::new(),
            Certificates::Secret(_) => [
                ("certfile", "rootca.crt"),
                ("usercert", "client.crt_signed"),
                ("userkey", "client.key"),
            ]
            .map(|(option, file)| (option, format!("{FOLDER}/{file}")))
            .into(),
            Certificates::Files(files) => {
                let path = |(file, reference): &(&'static str, &SecretKeyReference)| {
                    let key = reference.key.as_deref().unwrap_or_default();
                    (*file, format!("{FOLDER}/{file}/{key}"))
                };
                files.iter().map(path).collect()
            }
        }
    }

    /// Volume, Secret and where it is mounted.
    pub(super) fn volumes(&self) -> Vec<(&str, &str, String)> {
        match self {
            Certificates::None => Vec::new(),
            Certificates::Secret(name) => vec![("certificates", *name, FOLDER.to_owned())],
            Certificates::Files(files) => files
                .iter()
                .map(|(file, reference)| (*file, reference.name.as_str(), format!("{FOLDER}/{file}")))
                .collect(),
        }
    }
}
