//! S14: an object of the name that is needed is there already, and is somebody else's.

use std::time::Duration;

use serde_json::{Value, json};

use super::spec::{EAST, NORTH, WEST, apply, cluster, datacenter};
use super::step::{Act, Step, Thing, Until};
use crate::world::DATABASES;

const SECRET: Thing = Thing {
    plane: "north",
    api: "v1",
    plural: "secrets",
    namespace: DATABASES,
    name: "demo-superuser",
};

fn their_datacenter() -> Value {
    json!({
        "apiVersion": "cassandra.datastax.com/v1beta1", "kind": "CassandraDatacenter",
        "metadata": {"name": "dc2", "namespace": DATABASES},
        "spec": {
            "clusterName": "theirs", "serverType": "cassandra", "serverVersion": "4.1.5", "size": 1,
            "managementApiAuth": {"insecure": {}},
            "storageConfig": {"cassandraDataVolumeClaimSpec": {
                "storageClassName": "standard",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            }},
        },
    })
}

fn their_secret() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": SECRET.name, "namespace": DATABASES},
        "data": {"username": "dGhlaXJz", "password": "dGhlaXJz"},
    })
}

/// Their datacenter holds the founding; it stays as it is, and when they have taken it away all goes on.
pub(super) fn their_datacenter_first() -> Vec<Step> {
    let ready = Until::Is(
        datacenter(WEST),
        "/status/cassandraOperatorProgress",
        json!("Ready"),
    );
    vec![
        Act::Apply("west", their_datacenter()).then(ready.clone()),
        apply(cluster(&[EAST, WEST, NORTH])).then_all([
            Until::Says("NotOwned"),
            Until::Passed(Duration::from_hours(1)),
            Until::Says("NotOwned"),
            ready,
        ]),
        Act::Delete(datacenter(WEST)).then(Until::Ready),
    ]
}

/// Their Secret has other data; it stays as it is, and no datacenter is made beside it.
pub(super) fn their_secret_first() -> Vec<Step> {
    vec![
        Act::Apply("north", their_secret()).at_once(),
        apply(cluster(&[EAST, WEST, NORTH])).then_all([
            Until::Says("SecretsPending"),
            Until::Passed(Duration::from_hours(1)),
            Until::Is(SECRET, "/data/username", json!("dGhlaXJz")),
        ]),
        Act::Delete(SECRET).then(Until::Ready),
    ]
}
