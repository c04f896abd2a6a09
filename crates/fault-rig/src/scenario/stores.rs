//! S09 with keystores and truststores: what Cassandra is told of them changes with the user's edits alone.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::spec::{EAST, WEST, apply, cluster, datacenter};
use super::step::{Act, Step, Until};
use crate::world::DATABASES;

const FIRST: &str = "the-first-password-of-a-store";
const SECOND: &str = "the-second-password-of-a-store";
/// Where nodes are told of one.
const OF_NODES: &str = "/spec/config/cassandra-yaml/server_encryption_options/keystore_password";

/// The user's Secret with stores and their passwords, in a plane.
fn secret(plane: &'static str, password: &str) -> Act {
    let value = |text: &str| STANDARD.encode(text);
    let object = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "stores", "namespace": DATABASES},
        "data": {
            "keystore": value("keys"), "truststore": value("certificates"),
            "keystore-password": value(password), "truststore-password": value(password),
        },
    });
    Act::Apply(plane, object)
}

fn encrypted(reads: u32) -> Value {
    let stores = json!({"keystoreSecretRef": {"name": "stores"}, "truststoreSecretRef": {"name": "stores"}});
    let mut cluster = cluster(&[EAST, WEST]);
    let cassandra = &mut cluster["spec"]["cassandra"];
    cassandra["clientEncryptionStores"] = stores.clone();
    cassandra["serverEncryptionStores"] = stores;
    cassandra["config"] = json!({"cassandraYaml": {
        "concurrent_reads": reads,
        "client_encryption_options": {"enabled": true},
        "server_encryption_options": {"internode_encryption": "all"},
    }});
    cluster
}

/// The second plane has no Secret at first, so that its datacenter waits. Another password is not taken by itself: it
/// goes along with the next edit.
pub(super) fn steps() -> Vec<Step> {
    let told = |place, password: &str| Until::Is(datacenter(place), OF_NODES, json!(password));
    vec![
        secret("east", FIRST).at_once(),
        apply(encrypted(8)).then(Until::Says("StorePasswordMissing")),
        secret("west", FIRST).then_all([Until::Ready, told(EAST, FIRST), told(WEST, FIRST)]),
        secret("east", SECOND).at_once(),
        secret("west", SECOND).then_all([
            Until::Passed(Duration::from_mins(10)),
            told(EAST, FIRST),
            told(WEST, FIRST),
        ]),
        apply(encrypted(16)).then_all([Until::Ready, told(EAST, SECOND), told(WEST, SECOND)]),
    ]
}
