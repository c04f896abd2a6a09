//! Keystores and truststores: how they come into Cassandra's pods, and how Cassandra is told of them.
//!
//! Stores alone switch nothing on: that is done in the configuration of Cassandra, which the user writes. The passwords
//! stand in Secrets: see `passwords`.

mod passwords;

use api::k8ssandra_cluster::EncryptionStores;
use api::names::reason;
use api::references::SecretKeyReference;
use api::reports::Refusal;
use serde_json::{Map, Value, json};

use super::Facts;
use super::config::{prepend, put_if_absent};
use super::references::References;
use crate::validate::refusal;
use crate::value;

const JMX: &str = "-Dcom.sun.management.jmxremote.ssl";
const JAVA: &str = "-Djavax.net.ssl.";

pub use passwords::{PasswordSource, password_sources, told_password};

/// Whom nodes speak with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Clients.
    Client,
    /// Other nodes.
    Server,
}

/// One of the two files that TLS needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// Own keys.
    Keystore,
    /// Whom to trust.
    Truststore,
}

/// The store that a password is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PasswordOf {
    /// Whom nodes speak with.
    pub peer: Peer,
    /// Which file.
    pub store: Store,
}

const PEERS: [Peer; 2] = [Peer::Client, Peer::Server];
const STORES: [Store; 2] = [Store::Keystore, Store::Truststore];

impl Peer {
    fn word(self) -> &'static str {
        match self {
            Peer::Client => "client",
            Peer::Server => "server",
        }
    }

    fn section(self) -> &'static str {
        match self {
            Peer::Client => "client_encryption_options",
            Peer::Server => "server_encryption_options",
        }
    }

    fn field(self) -> String {
        format!("spec.cassandra.{}EncryptionStores", self.word())
    }

    /// The stores, where they are given and the configuration of Cassandra uses them.
    fn stores<'a>(self, facts: &Facts<'a>) -> Option<&'a EncryptionStores> {
        let at = |key: &str| format!("/config/cassandraYaml/{}/{key}", self.section());
        let (given, is_on) = match self {
            Peer::Client => (
                &facts.cassandra.client_encryption_stores,
                value::flag(&facts.merged, &at("enabled")) == Some(true),
            ),
            Peer::Server => (
                &facts.cassandra.server_encryption_stores,
                value::at(&facts.merged, &at("internode_encryption"))
                    .is_some_and(|mode| mode.as_str() != Some("none")),
            ),
        };
        given.as_ref().filter(|_| is_on)
    }
}

impl Store {
    fn word(self) -> &'static str {
        match self {
            Store::Keystore => "keystore",
            Store::Truststore => "truststore",
        }
    }

    /// What Java calls it.
    fn option(self) -> &'static str {
        match self {
            Store::Keystore => "keyStore",
            Store::Truststore => "trustStore",
        }
    }

    fn reference(self, stores: &EncryptionStores) -> &SecretKeyReference {
        match self {
            Store::Keystore => &stores.keystore_secret_ref,
            Store::Truststore => &stores.truststore_secret_ref,
        }
    }

    /// One without a name refers to nothing.
    fn password_reference(self, stores: &EncryptionStores) -> Option<&SecretKeyReference> {
        let reference = match self {
            Store::Keystore => &stores.keystore_password_secret_ref,
            Store::Truststore => &stores.truststore_password_secret_ref,
        };
        reference.as_ref().filter(|it| !it.name.is_empty())
    }
}

impl PasswordOf {
    fn volume(self) -> String {
        format!("{}-{}", self.peer.word(), self.store.word())
    }

    fn folder(self) -> String {
        format!("/mnt/{}", self.volume())
    }

    fn file(self) -> String {
        format!("{}/{}", self.folder(), self.store.word())
    }

    fn yaml_key(self) -> String {
        format!("{}_password", self.store.word())
    }

    fn java_option(self) -> String {
        format!("{JAVA}{}Password=", self.store.option())
    }
}

fn said(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// All stores that are used.
fn used<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (PasswordOf, &'a EncryptionStores)> {
    PEERS
        .into_iter()
        .filter_map(|peer| Some((peer, peer.stores(facts)?)))
        .flat_map(|(peer, stores)| STORES.map(|store| (PasswordOf { peer, store }, stores)))
}

/// Those that are brought into pods. Where something else provides Secrets, it provides the files, too.
fn mounted<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (PasswordOf, &'a EncryptionStores)> {
    let internal = !facts.kc.spec.has_external_secrets();
    used(facts).filter(move |_| internal)
}

/// Stores that are used must be named.
pub(crate) fn check(facts: &Facts<'_>) -> Result<(), Refusal> {
    let nameless = used(facts).find(|(of, stores)| of.store.reference(stores).name.is_empty());
    nameless.map_or(Ok(()), |(of, _)| {
        let field = format!("{}.{}SecretRef.name", of.peer.field(), of.store.word());
        let message = format!(
            "{} asks for a {}, and no Secret with one is named; name it, or take the stores out",
            of.peer.section(),
            of.store.word()
        );
        Err(refusal(reason::INVALID_SPEC, &field, message))
    })
}

/// Volumes of a pod that hold the stores; one that the user gives himself stays his.
pub(super) fn add_volumes(facts: &Facts<'_>, volumes: &mut Vec<Value>) {
    for (of, stores) in mounted(facts) {
        let (name, path) = (of.volume(), of.store.word());
        if has(volumes, "/name", &name) {
            continue;
        }
        let reference = of.store.reference(stores);
        let key = said(reference.key.as_deref()).unwrap_or(path);
        volumes.push(json!({
            "name": name,
            "secret": {"secretName": reference.name, "items": [{"key": key, "path": path}]},
        }));
    }
}

/// Where the container `cassandra` finds them.
pub(super) fn add_mounts(facts: &Facts<'_>, mounts: &mut Vec<Value>) {
    for (of, _) in mounted(facts) {
        if !has(mounts, "/mountPath", &of.folder()) {
            mounts.push(json!({"name": of.volume(), "mountPath": of.folder()}));
        }
    }
}

fn has(items: &[Value], pointer: &str, text: &str) -> bool {
    items.iter().any(|item| value::text(item, pointer) == Some(text))
}

/// Tells Cassandra of its stores. What the user wrote stays.
///
/// # Errors
///
/// A password that was not read.
pub(super) fn configure(
    facts: &Facts<'_>,
    references: &References,
    yaml: &mut Map<String, Value>,
    options: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    for (of, stores) in mounted(facts) {
        if let Some(Value::Object(section)) = yaml.get_mut(of.peer.section()) {
            put_if_absent(section, of.store.word(), Value::from(of.file()));
            if is_asked_for(facts, of) {
                let password = passwords::given(facts, references, &of.source(stores))?;
                put_if_absent(section, &of.yaml_key(), Value::from(password.reveal()));
            }
        }
    }
    if Peer::Client.stores(facts).is_none() {
        return Ok(());
    }
    prepend(options, &format!("{JMX}=true"));
    prepend(options, &format!("{JMX}.need.client.auth=true"));
    let of_clients = || mounted(facts).filter(|(of, _)| of.peer == Peer::Client);
    for (of, _) in of_clients() {
        prepend(options, &format!("{JAVA}{}={}", of.store.option(), of.file()));
    }
    for (of, stores) in of_clients() {
        let password = passwords::given(facts, references, &of.source(stores))?;
        prepend(options, &format!("{}{}", of.java_option(), password.reveal()));
    }
    Ok(())
}

/// Java is told the passwords of clients' stores in any case; of the others only what the user does not write himself.
fn is_asked_for(facts: &Facts<'_>, of: PasswordOf) -> bool {
    of.peer == Peer::Client || !is_written_by_user(facts, of)
}

fn is_written_by_user(facts: &Facts<'_>, of: PasswordOf) -> bool {
    let pointer = format!("/config/cassandraYaml/{}/{}", of.peer.section(), of.yaml_key());
    value::at(&facts.merged, &pointer).is_some()
}
