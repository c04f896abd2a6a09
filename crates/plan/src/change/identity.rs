//! What a datacenter is known by: no release of ours may ever write it differently.
//!
//! Edits of the user's are judged before ([`validate::against`](crate::validate::against)); this is the last guard, and it
//! looks at what would be sent.

use serde_json::{Value, json};

use crate::datacenter::racks;
use crate::normalize::normalize;
use crate::value;

/// Fields by which Cassandra and Kubernetes know a datacenter, or that bind its nodes to their data.
const LOCKED: [&str; 6] = [
    "/clusterName",
    "/datacenterName",
    "/serverType",
    "/superuserSecretName",
    "/config/cassandra-yaml/num_tokens",
    "/config/cassandra-yaml/initial_token",
];
const CLAIM: &str = "cassandraDataVolumeClaimSpec";

/// Whether a pointer into a spec is, or holds, what must never be written otherwise.
pub(super) fn is_locked(pointer: &str) -> bool {
    let others = ["/racks", "/storageConfig"];
    let mut all = LOCKED.iter().chain(&others);
    all.any(|locked| {
        let rest = locked.strip_prefix(pointer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The first identity field that would change; none where the change is allowed to be made.
#[must_use]
pub fn would_change(live: &Value, desired: &Value) -> Option<String> {
    let differs =
        |pointer: &&&str| same_number(value::at(live, pointer)) != same_number(value::at(desired, pointer));
    if let Some(pointer) = LOCKED.iter().find(differs) {
        return Some(format!("spec{}", pointer.replace('/', ".")));
    }
    if !racks(desired).starts_with(&racks(live)) {
        return Some("spec.racks".to_owned());
    }
    (claim(live) != claim(desired)).then(|| format!("spec.storageConfig.{CLAIM}"))
}

fn same_number(value: Option<&Value>) -> Option<Value> {
    value.map(|value| value.as_f64().map_or_else(|| value.clone(), Value::from))
}

/// The claim of the data volume, without its size, which cass-operator lets grow.
fn claim(spec: &Value) -> Value {
    let mut claim = value::object(spec, &format!("/storageConfig/{CLAIM}"));
    if let Some(resources) = claim.get_mut("resources").and_then(Value::as_object_mut) {
        resources.remove("requests");
    }
    normalize(&json!({ CLAIM: claim }))
}
