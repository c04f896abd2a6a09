//! What a datacenter says, merged over what the cluster says.
//!
//! The datacenter wins, with the exceptions of [`rules`]. Everything works on JSON values, so that parts of Kubernetes'
//! API which this version does not know are merged, too.

mod rules;

use serde_json::{Map, Value};

pub use rules::Rule;

/// Fields of a datacenter's template that the cluster's template has no say in.
const DATACENTER_ONLY: [&str; 5] = ["cdc", "datacenterName", "perNodeConfigMapRef", "size", "stopped"];
/// Fields of the cluster's template that hold for all datacenters and are not options of one.
const CLUSTER_ONLY: [&str; 8] = [
    "additionalSeeds",
    "clientEncryptionStores",
    "clusterName",
    "datacenters",
    "rebuild",
    "serverEncryptionStores",
    "serverType",
    "superuserSecretRef",
];
/// Where and under which name a datacenter lives: not part of what it is.
const PLACE: [&str; 2] = ["k8sContext", "stargate"];

/// What a cluster says of all its datacenters.
#[derive(Clone, Debug)]
pub struct ClusterOptions(Value);

impl ClusterOptions {
    /// Of the cluster's template, as the API server holds it.
    #[must_use]
    pub fn of(cluster: Value) -> Self {
        let mut options = object_of(cluster);
        for field in CLUSTER_ONLY.iter().chain(&DATACENTER_ONLY).chain(&PLACE) {
            options.remove(*field);
        }
        default_collector(&mut options);
        Self(Value::Object(options))
    }

    /// The options of one datacenter: its own, merged over these. `datacenter` is a template as the API server holds it. The
    /// result has neither context nor the datacenter's name and namespace.
    #[must_use]
    pub fn under(&self, datacenter: Value) -> Value {
        let mut above = object_of(datacenter);
        for field in PLACE.iter().chain(&["rebuild"]) {
            above.remove(*field);
        }
        if let Some(Value::Object(metadata)) = above.get_mut("metadata") {
            metadata.remove("name");
            metadata.remove("namespace");
        }
        default_collector(&mut above);
        values("", Some(&self.0), Some(&Value::Object(above))).unwrap_or(Value::Null)
    }
}

fn object_of(template: Value) -> Map<String, Value> {
    match template {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Where JVM options are given at all, the schema names a garbage collector. Users rely on what follows from it: JVM
/// options of a datacenter bring G1 back, whatever the cluster says.
fn default_collector(template: &mut Map<String, Value>) {
    if let Some(Value::Object(options)) = template
        .get_mut("config")
        .and_then(|config| config.get_mut("jvmOptions"))
    {
        let collector = options.entry("gc").or_insert(Value::Null);
        if collector.is_null() {
            *collector = Value::from("G1GC");
        }
    }
}

/// Merges two values at a path (see [`rules`] for how paths are written); `None` where neither says anything.
fn values(path: &str, below: Option<&Value>, above: Option<&Value>) -> Option<Value> {
    let (below, above) = match (below, above) {
        (below, None | Some(Value::Null)) => return below.or(above).cloned(),
        (None | Some(Value::Null), Some(above)) => return Some(above.clone()),
        (Some(below), Some(above)) => (below, above),
    };
    Some(match (rules::at(path), below, above) {
        (Rule::Whole, _, above) => above.clone(),
        (Rule::TriState, _, Value::Bool(flag)) => Value::Bool(*flag),
        (Rule::Keyed(key), Value::Array(below), Value::Array(above)) => keyed(path, key, below, above),
        (Rule::Appended, Value::Array(below), Value::Array(above)) => {
            Value::Array(below.iter().chain(above).cloned().collect())
        }
        (Rule::Joined, Value::String(below), Value::String(above)) => joined(below, above),
        (rule, Value::Object(below), Value::Object(above)) => object(path, rule, below, above),
        (_, below, above) if is_zero(above) && same_type(below, above) => below.clone(),
        (_, _, above) => above.clone(),
    })
}

fn object(path: &str, rule: Rule, below: &Map<String, Value>, above: &Map<String, Value>) -> Value {
    let mut merged = Map::new();
    // Each key once: visiting those of both twice would double the work with each level.
    let added = above.keys().filter(|key| !below.contains_key(*key));
    for key in below.keys().chain(added) {
        let inner = if path.is_empty() {
            key.clone()
        } else {
            [path, ".", key].concat()
        };
        if let Some(value) = values(&inner, below.get(key), above.get(key)) {
            merged.insert(key.clone(), value);
        }
    }
    match rule {
        Rule::OneOf(kinds) => keep_kind(kinds, &mut merged, above),
        Rule::SourceBesideName => return source_of(below, above),
        _ => {}
    }
    Value::Object(merged)
}

/// An item has one of these kinds of value; where the datacenter gives one, that of the cluster goes.
fn keep_kind(kinds: [&str; 2], merged: &mut Map<String, Value>, above: &Map<String, Value>) {
    let given = |kind: &str| {
        above
            .get(kind)
            .is_some_and(|value| !value.is_null() && !is_zero(value))
    };
    for (kind, other) in [(kinds[0], kinds[1]), (kinds[1], kinds[0])] {
        if given(kind) {
            merged.remove(other);
            return;
        }
    }
}

/// A volume is its source: that of the datacenter, or where it names none, that of the cluster.
fn source_of(below: &Map<String, Value>, above: &Map<String, Value>) -> Value {
    let has_source = above.iter().any(|(key, value)| key != "name" && !value.is_null());
    Value::Object(if has_source { above } else { below }.clone())
}

/// The cluster's items in their order, each with what the datacenter says of it, then those of the datacenter alone.
fn keyed(path: &str, key: &str, below: &[Value], above: &[Value]) -> Value {
    let inner = format!("{path}[]");
    let counterpart = |items: &[Value], item: &Value| {
        items
            .iter()
            .find(|other| other.get(key) == item.get(key))
            .cloned()
    };
    let mut merged: Vec<Value> = below
        .iter()
        .filter_map(|item| values(&inner, Some(item), counterpart(above, item).as_ref()))
        .collect();
    merged.extend(
        above
            .iter()
            .filter(|item| counterpart(below, item).is_none())
            .cloned(),
    );
    Value::Array(merged)
}

/// Two texts with one line break between them.
fn joined(below: &str, above: &str) -> Value {
    if below.is_empty() || above.is_empty() {
        return Value::from(format!("{below}{above}"));
    }
    Value::from(format!(
        "{}\n{}",
        below.trim_end_matches('\n'),
        above.trim_start_matches('\n')
    ))
}

/// What counts as not said: a plain `false`, 0 or empty text. An empty list or object is said.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn same_type(one: &Value, other: &Value) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

#[cfg(test)]
mod tests;
