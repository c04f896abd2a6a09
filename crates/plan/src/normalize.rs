//! The form in which two documents are compared: what says nothing is not there, and one amount has one text.

use serde_json::{Map, Value};

use crate::quantity;
use crate::value::not_empty;

/// Fields of a CassandraDatacenter's spec that cass-operator itself takes out again.
const CONSUMED: [&str; 2] = ["replaceNodes", "rollingRestartRequested"];
/// What a schema fills in: name of the field, its value, and the name of the object that it stands in, where that is
/// needed to tell it from another field.
const SCHEMA_DEFAULTS: [(&str, &str, &str); 8] = [
    ("protocol", "TCP", "ports"),
    ("fsType", "ext4", "azureDisk"),
    ("iscsiInterface", "default", "iscsi"),
    ("keyring", "/etc/ceph/keyring", "rbd"),
    ("pool", "rbd", "rbd"),
    ("user", "admin", "rbd"),
    ("fsType", "xfs", "scaleIO"),
    ("storageMode", "ThinProvisioned", "scaleIO"),
];
/// Configuration of Cassandra: compared as it is, but for the way numbers are written.
const FREE_FORM: [&str; 2] = ["cassandraYaml", "dseYaml"];
/// Flags whose absence means `false`.
const PLAIN_FLAGS: [&str; 11] = [
    "allowMultipleNodesPerWorker",
    "analyticsEnabled",
    "graphEnabled",
    "hostNetwork",
    "readOnly",
    "searchEnabled",
    "skipSecretValidation",
    "stdin",
    "stdinOnce",
    "stopped",
    "tty",
];
/// Objects that say all that they have to say by being there.
const SAID_BY_PRESENCE: [&str; 4] = ["emptyDir", "insecure", "labelSelector", "namespaceSelector"];

/// The comparable form of a CassandraDatacenter's spec. Configuration of Cassandra is compared as it is, but for the
/// difference between 1 and 1.0, which JSON does not know.
#[must_use]
pub fn normalize(spec: &Value) -> Value {
    let Value::Object(spec) = spec else {
        return spec.clone();
    };
    let mut normal = Map::new();
    for (field, value) in spec {
        let value = match field.as_str() {
            field if CONSUMED.contains(&field) => None,
            "config" => Some(same_numbers(value)),
            field => comparable(field, value),
        };
        if let Some(value) = value {
            normal.insert(field.clone(), value);
        }
    }
    Value::Object(normal)
}

/// The form of the user's input that its digest is made of. Its largest part is given by itself: it need not be copied to be
/// put beside the others.
#[must_use]
pub(crate) fn normalize_input(input: &Value, (name, largest): (&str, &Value)) -> Value {
    let mut normal = input.as_object().map_or(Value::Null, |map| object("", map));
    if let (Value::Object(normal), Some(largest)) = (&mut normal, comparable(name, largest)) {
        normal.insert(name.to_owned(), largest);
    }
    normal
}

/// `None` for what says nothing: null, an empty object or list, and what a schema fills in.
fn comparable(field: &str, value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(_) if FREE_FORM.contains(&field) => not_empty(same_numbers(value)),
        Value::Object(map) => not_empty(object(field, map)),
        Value::Array(items) => {
            // The items of a list keep their places, so even one that says nothing stays.
            let items = items.iter().map(|item| match item {
                Value::Object(map) => object(field, map),
                other => other.clone(),
            });
            not_empty(items.collect())
        }
        Value::Bool(false) if PLAIN_FLAGS.contains(&field) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Number(_) => Some(same_numbers(value)),
        other => Some(other.clone()),
    }
}

fn object(field: &str, map: &Map<String, Value>) -> Value {
    if is_free(field) {
        return Value::Object(map.clone());
    }
    let said = |(key, value): (&String, &Value)| {
        let filled_in = SCHEMA_DEFAULTS.iter().any(|(name, default, parent)| {
            key == name && field == *parent && value.as_str() == Some(default)
        });
        let present = said_by_presence(key, value);
        let value = if is_quantity(field, key) {
            Some(quantity::canonical(value))
        } else {
            comparable(key, value)
        };
        value
            .or(present)
            .filter(|_| !filled_in)
            .map(|value| (key.clone(), value))
    };
    Value::Object(map.iter().filter_map(said).collect())
}

fn said_by_presence(key: &str, value: &Value) -> Option<Value> {
    (SAID_BY_PRESENCE.contains(&key) && value.is_object()).then(|| Value::Object(Map::new()))
}

/// Keys of the user's, where an empty text is a value.
fn is_free(field: &str) -> bool {
    field.ends_with("abels")
        || field.ends_with("nnotations")
        || matches!(field, "nodeSelector" | "perNodeConfig")
}

/// Quantities stand below `limits` and `requests`, and in a few fields of that type.
fn is_quantity(parent: &str, key: &str) -> bool {
    matches!(parent, "limits" | "requests") || matches!(key, "sizeLimit" | "divisor" | "mgmtAPIHeap")
}

fn same_numbers(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), same_numbers(value)))
            .collect(),
        Value::Array(items) => items.iter().map(same_numbers).collect(),
        Value::Number(number) => integer(number).map_or_else(|| value.clone(), Value::from),
        other => other.clone(),
    }
}

/// An integer that is written as a fraction.
fn integer(number: &serde_json::Number) -> Option<i64> {
    let fraction = number.as_f64().filter(|_| number.is_f64())?;
    format!("{fraction:.0}")
        .parse()
        .ok()
        .filter(|_| fraction.fract() == 0.0)
}

/// Writes each quantity of a document as Kubernetes writes it; configuration of Cassandra is left alone.
pub(crate) fn canonical_quantities(spec: &mut Map<String, Value>) {
    canonical_below("", spec);
}

fn canonical_below(parent: &str, map: &mut Map<String, Value>) {
    for (key, value) in map {
        match key.as_str() {
            "config" if parent.is_empty() => {}
            key if is_quantity(parent, key) => *value = quantity::canonical(value),
            key => canonical_in(key, value),
        }
    }
}

fn canonical_in(field: &str, value: &mut Value) {
    match value {
        Value::Object(map) => canonical_below(field, map),
        Value::Array(items) => items.iter_mut().for_each(|item| canonical_in(field, item)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_says_nothing_is_left_out() {
        assert_eq!(
            normalize(&json!({
                "size": 3, "stopped": false, "resources": {}, "users": [], "cdc": null, "serverImage": "",
                "managementApiAuth": {"insecure": {}},
                "networking": {"hostNetwork": false, "nodePort": {}},
                "podTemplateSpec": {"metadata": {}, "spec": {"containers": [
                    {"name": "c", "resources": {}, "ports": [{"containerPort": 1, "protocol": "TCP"}]}
                ], "volumes": [{"name": "v", "emptyDir": {}}]}}
            })),
            json!({
                "size": 3,
                "managementApiAuth": {"insecure": {}},
                "podTemplateSpec": {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 1}]}],
                    "volumes": [{"name": "v", "emptyDir": {}}]}}
            })
        );
    }

    #[test]
    fn one_amount_has_one_text() {
        assert_eq!(
            normalize(
                &json!({"resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 1}}})
            ),
            json!({"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1"}}})
        );
    }

    #[test]
    fn what_cass_operator_takes_out_is_not_compared() {
        assert_eq!(
            normalize(&json!({"size": 1, "replaceNodes": ["p"], "rollingRestartRequested": true})),
            json!({"size": 1})
        );
    }

    #[test]
    fn configuration_is_compared_as_it_is_but_for_the_way_numbers_are_written() {
        assert_eq!(
            normalize(
                &json!({"config": {"cassandra-yaml": {"a": {}, "b": "", "c": false, "d": 2.0, "e": 0.5}}})
            ),
            json!({"config": {"cassandra-yaml": {"a": {}, "b": "", "c": false, "d": 2, "e": 0.5}}})
        );
    }

    #[test]
    fn normalizing_twice_changes_nothing() {
        let spec = json!({"resources": {"limits": {"cpu": "1500m"}}, "config": {"x": {"y": 1.0}}, "racks": [{"name": "r", "affinity": {}}]});
        assert_eq!(normalize(&normalize(&spec)), normalize(&spec));
    }
}
