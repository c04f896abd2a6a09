//! The cluster's own Secrets, without values, and its ReplicatedSecret.

use std::collections::BTreeMap;

use api::k8ssandra_cluster::K8ssandraCluster;
use plan::objects;
use plan::own_secrets::{self, KEYS, OwnSecret};
use serde_json::{Map, Value, json};

use crate::reference::Golden;
use crate::{map, without_ours};

/// Each one, ours and theirs, in comparable form; what upstream made and we do not is compared with nothing.
pub fn pairs(golden: &Golden, kc: &K8ssandraCluster) -> Vec<(String, Value, Value)> {
    let mut theirs: BTreeMap<String, &Value> = golden.own_secrets(kc).into_iter().collect();
    let mut pairs = Vec::new();
    let own = own_secrets::of(kc);
    for secret in &own {
        let found = theirs.remove(&secret.name);
        let what = format!("Secret {}", secret.name);
        pairs.push((
            what,
            ours(golden, kc, secret),
            found.map_or(Value::Null, comparable),
        ));
    }
    let more = theirs.into_iter();
    pairs.extend(more.map(|(name, theirs)| (format!("Secret {name}"), Value::Null, comparable(theirs))));
    let replicated = golden.replicated_secret(kc);
    let desired = objects::replicated_secret(kc, &own_secrets::places(kc));
    let desired = if own.is_empty() {
        Value::Null
    } else {
        copying(&desired)
    };
    pairs.push((
        format!(
            "ReplicatedSecret {}",
            kc.metadata.name.clone().unwrap_or_default()
        ),
        desired,
        replicated.map_or(Value::Null, copying),
    ));
    pairs
}

/// As it is made, or as one that the user gave is labelled.
fn ours(golden: &Golden, kc: &K8ssandraCluster, secret: &OwnSecret) -> Value {
    let text = |texts: BTreeMap<String, String>| -> Map<String, Value> {
        texts.into_iter().map(|(key, text)| (key, text.into())).collect()
    };
    let Some(given) = golden.given_secret(&secret.name) else {
        let mut object = comparable(&objects::own_secret(kc, &secret.name));
        object["keys"] = keys(KEYS.map(str::to_owned));
        return object;
    };
    let mut object = comparable(given);
    for (field, added) in [
        ("labels", own_secrets::selector_labels(kc)),
        ("annotations", own_secrets::annotations_of_adopted()),
    ] {
        let mut all = map(object.get(field));
        all.extend(text(added));
        object[field] = Value::Object(all);
    }
    object
}

fn comparable(secret: &Value) -> Value {
    let data = ["data", "stringData"].map(|field| map(secret.get(field)));
    json!({
        "labels": map(secret.pointer("/metadata/labels")),
        "annotations": without_ours(&map(secret.pointer("/metadata/annotations"))),
        "keys": keys(data.into_iter().flatten().map(|(key, _)| key)),
        "type": secret.get("type").cloned().unwrap_or_else(|| json!("Opaque")),
        "owners": owners(secret),
    })
}

/// Whose it is; UIDs are masked in the goldens.
fn owners(object: &Value) -> Value {
    let owners = object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array);
    let mut owners = owners.cloned().unwrap_or_default();
    for owner in owners.iter_mut().filter_map(Value::as_object_mut) {
        owner.remove("uid");
    }
    Value::Array(owners)
}

/// By name, so that one key more is one difference.
fn keys(keys: impl IntoIterator<Item = String>) -> Value {
    keys.into_iter().map(|key| (key, json!("a value"))).collect()
}

fn copying(object: &Value) -> Value {
    let targets = object.pointer("/spec/replicationTargets").cloned();
    json!({
        "labels": map(object.pointer("/metadata/labels")),
        "annotations": without_ours(&map(object.pointer("/metadata/annotations"))),
        "owners": owners(object),
        "finalizers": object.pointer("/metadata/finalizers"),
        "selector": object.pointer("/spec/selector"),
        "targets": targets.unwrap_or_else(|| json!([])),
    })
}
