//! Objects as they were written down, against those of the stand-in.
//!
//! Of a pod only what the operator and the StatefulSet controller put there is compared: the rest of its spec is its
//! StatefulSet's template, and the rest of its status is the recorder's own kubelet.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::compare::Difference;
use crate::placeholders::Placeholders;

/// Kinds that are compared.
const KINDS: [&str; 9] = [
    "CassandraDatacenter",
    "CassandraTask",
    "EndpointSlice",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "Secret",
    "Service",
    "StatefulSet",
];

/// What a server keeps for itself.
const LEFT_OUT: [&str; 3] = ["managedFields", "resourceVersion", "selfLink"];

/// How many objects were compared, how many are equal, and what differs.
#[derive(Default)]
pub struct Compared {
    /// Objects that either side has.
    pub objects: usize,
    /// Objects without a difference.
    pub equal: usize,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// Compares all objects of one moment.
pub fn compare(label: &str, recorded: &[Value], ours: &[Value], known: &mut Placeholders) -> Compared {
    let (recorded, ours) = (by_name(recorded), by_name(ours));
    let mut compared = Compared::default();
    let mut names: Vec<_> = recorded.keys().chain(ours.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        compared.objects += 1;
        let place = format!("{label}: {name}");
        let differences = match (recorded.get(name), ours.get(name)) {
            (Some(recorded), Some(ours)) => compare_one(&place, recorded, ours, known),
            (Some(_), None) => vec![Difference::new(&place, "", "is there", "absent")],
            (None, _) => vec![Difference::new(&place, "", "absent", "is there")],
        };
        compared.equal += usize::from(differences.is_empty());
        compared.differences.extend(differences);
    }
    compared
}

fn compare_one(place: &str, recorded: &Value, ours: &Value, known: &mut Placeholders) -> Vec<Difference> {
    let (recorded, ours) = (leaves(&shown(recorded)), leaves(&shown(ours)));
    let mut paths: Vec<_> = recorded.keys().chain(ours.keys()).collect();
    paths.sort();
    paths.dedup();
    let absent = Value::String("absent".into());
    let mut differences = Vec::new();
    for path in paths {
        let (one, other) = (
            recorded.get(path).unwrap_or(&absent),
            ours.get(path).unwrap_or(&absent),
        );
        if !known.equal(one, other) {
            differences.push(Difference::new(place, path, &short(one), &short(other)));
        }
    }
    differences
}

fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() > 160 {
        return text.chars().take(157).chain("...".chars()).collect();
    }
    text
}

fn by_name(objects: &[Value]) -> BTreeMap<String, Value> {
    let compared = |object: &&Value| KINDS.iter().any(|kind| object["kind"] == *kind);
    let named = |object: &Value| {
        let metadata = &object["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut name = crate::lines::generated(&text(&metadata["name"]));
        let labels = &metadata["labels"];
        if labels["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io" {
            name = format!("{}-<gen>", text(&labels["kubernetes.io/service-name"]));
        }
        let mut object = object.clone();
        object["metadata"]["name"] = name.clone().into();
        (
            format!(
                "{}/{}/{name}",
                text(&object["kind"]),
                text(&metadata["namespace"])
            ),
            object,
        )
    };
    objects.iter().filter(compared).map(named).collect()
}

/// An object without what is not compared.
fn shown(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for key in LEFT_OUT {
            metadata.remove(key);
        }
    }
    match object["kind"].as_str() {
        Some("Secret") => decode(&mut object["data"]),
        Some("Pod") => {
            let part = |pointer: &str| object.pointer(pointer).cloned().unwrap_or_default();
            let claims: Vec<_> = part("/spec/volumes")
                .as_array()
                .into_iter()
                .flatten()
                .filter(|volume| volume["persistentVolumeClaim"].is_object())
                .cloned()
                .collect();
            let conditions: Map<_, _> = part("/status/conditions")
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| {
                    (
                        one["type"].as_str().unwrap_or_default().to_owned(),
                        one["status"].clone(),
                    )
                })
                .collect();
            return serde_json::json!({
                "metadata": part("/metadata"),
                "spec": {"hostname": part("/spec/hostname"), "subdomain": part("/spec/subdomain"), "volumes": claims},
                "status": {
                    "phase": part("/status/phase"),
                    "podIP": part("/status/podIP"),
                    "conditions": conditions,
                },
            });
        }
        _ => {}
    }
    object
}

fn decode(data: &mut Value) {
    use base64::Engine as _;
    for value in data
        .as_object_mut()
        .into_iter()
        .flat_map(|data| data.values_mut())
    {
        let bytes = base64::prelude::BASE64_STANDARD.decode(value.as_str().unwrap_or_default());
        if let Some(text) = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            *value = text.into();
        }
    }
}

/// Every leaf by its path. Entries of lists are told by their name, type or address where they have one.
fn leaves(value: &Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    walk(String::new(), value, &mut all);
    all
}

fn walk(path: String, value: &Value, all: &mut BTreeMap<String, Value>) {
    match value {
        Value::Null => {}
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let key = key.replace('.', "_");
                let deeper = if path.is_empty() {
                    key
                } else {
                    format!("{path}.{key}")
                };
                walk(deeper, value, all);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for (place, value) in list.iter().enumerate() {
                walk(format!("{path}[{}]", mark(place, value)), value, all);
            }
        }
        leaf => {
            all.insert(path, leaf.clone());
        }
    }
}

fn mark(place: usize, entry: &Value) -> String {
    let at = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
    let own = ["/targetRef/name", "/name", "/type"].into_iter().find_map(at);
    own.map_or_else(|| place.to_string(), str::to_owned)
}
