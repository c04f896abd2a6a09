//! The state of all API servers without what differs from run to run: uids are called by the object that has them,
//! versions, times, addresses and random words are left out, and Events are no state.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::world::World;

/// Fields that the server or chance fills.
const LEFT_OUT: [&str; 7] = [
    "resourceVersion",
    "managedFields",
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
    "podIP",
    "podIPs",
];

/// What stands for the words of a server.
#[derive(Default)]
struct Words {
    uids: BTreeMap<String, String>,
    /// Names that it made up.
    names: BTreeMap<String, String>,
}

/// Letters of a uid.
const UID: usize = 36;

impl Words {
    /// The text without any of them. A uid is known by its form, so that nobody has to look for each of them.
    fn replaced(&self, text: &str) -> String {
        let mut rest = text;
        let mut without = String::with_capacity(text.len());
        let mut at = 0;
        while at + UID <= rest.len() {
            let here = rest.get(at..at + UID).filter(|here| has_form_of_uid(here));
            if let Some(word) = here.and_then(|here| self.uids.get(here)) {
                without.push_str(&rest[..at]);
                without.push_str(word);
                rest = &rest[at + UID..];
                at = 0;
            } else {
                at += 1;
            }
        }
        without.push_str(rest);
        self.names.iter().fold(without, |text, (name, word)| {
            if text.contains(name.as_str()) {
                text.replace(name.as_str(), word)
            } else {
                text
            }
        })
    }
}

fn has_form_of_uid(text: &str) -> bool {
    let bytes = text.as_bytes();
    [8, 13, 18, 23]
        .iter()
        .all(|place| bytes.get(*place) == Some(&b'-'))
}

/// Every object of every plane, by plane, kind, namespace and name.
#[must_use]
pub fn state(world: &World) -> BTreeMap<String, Value> {
    let mut objects = BTreeMap::new();
    for (plane, server) in world.servers() {
        for object in server.snapshot() {
            let kind = text(&object, "/kind");
            if matches!(kind, "Event" | "CustomResourceDefinition") {
                continue;
            }
            let place = [plane, kind, text(&object, "/metadata/namespace"), &name(&object)].join("/");
            // Of several with one generated name, the first is the first.
            let mut free = place.clone();
            let mut number = 1;
            while objects.contains_key(&free) {
                number += 1;
                free = format!("{place}#{number}");
            }
            objects.insert(free, object);
        }
    }
    let mut words = Words::default();
    for (place, object) in &objects {
        words
            .uids
            .insert(text(object, "/metadata/uid").to_owned(), format!("<{place}>"));
        if name(object) != text(object, "/metadata/name") {
            words
                .names
                .insert(text(object, "/metadata/name").to_owned(), name(object));
        }
    }
    objects
        .into_iter()
        .map(|(place, object)| (place, without_history(normal("", &object, &words))))
        .collect()
}

/// A task that cass-operator made for itself tells which pods there were while it ran, and how many: one that went
/// before or after is none of its end.
fn without_history(mut object: Value) -> Value {
    let own = text(&object, "/metadata/name").ends_with("-*") && text(&object, "/kind") == "CassandraTask";
    if let Some(status) = object.pointer_mut("/status").and_then(Value::as_object_mut)
        && own
    {
        status.remove("podStatuses");
        status.remove("succeeded");
    }
    if text(&object, "/kind") == "K8ssandraCluster" {
        forget_when(&mut object);
    }
    object
}

/// When something was noticed depends on who was there to see it: the generation at which every datacenter had been ready
/// once, and two times that move while nothing happens, for which alone no status is written.
fn forget_when(cluster: &mut Value) {
    let conditions = cluster
        .pointer_mut("/status/conditions")
        .and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        if condition["type"] == "CassandraInitialized" {
            condition["observedGeneration"] = Value::Null;
        }
    }
    let datacenters = cluster
        .pointer_mut("/status/datacenters")
        .and_then(Value::as_object_mut);
    for datacenter in datacenters.into_iter().flat_map(|all| all.values_mut()) {
        if let Some(seen) = datacenter.get_mut("cassandra").and_then(Value::as_object_mut) {
            seen.remove("quietPeriod");
            seen.remove("lastServerNodeStarted");
        }
    }
}

/// A name without the part that the server made up.
fn name(object: &Value) -> String {
    let labels = object.pointer("/metadata/labels");
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
    let of_service =
        label("endpointslice.kubernetes.io/managed-by") == Some("endpointslice-controller.k8s.io");
    match (
        text(object, "/metadata/generateName"),
        label("kubernetes.io/service-name"),
    ) {
        ("", Some(service)) if of_service => format!("{service}-*"),
        // cass-operator names its own tasks by the second in which it makes them.
        ("", None) if text(object, "/kind") == "CassandraTask" => {
            match text(object, "/metadata/name").rsplit_once('-') {
                Some((name, time)) if time.len() == 10 && time.bytes().all(|byte| byte.is_ascii_digit()) => {
                    format!("{name}-*")
                }
                _ => text(object, "/metadata/name").to_owned(),
            }
        }
        (generated, _) if !generated.is_empty() && !is_ordinal(object) => format!("{generated}*"),
        _ => text(object, "/metadata/name").to_owned(),
    }
}

/// Pods of a StatefulSet have a name to generate from and are numbered all the same.
fn is_ordinal(object: &Value) -> bool {
    if text(object, "/kind") != "Pod" {
        return false;
    }
    let name = text(object, "/metadata/name");
    let end = name.strip_prefix(text(object, "/metadata/generateName"));
    end.is_some_and(|end| end.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What differs between two states, one line each.
#[must_use]
pub fn differences(expected: &BTreeMap<String, Value>, found: &BTreeMap<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, object) in expected {
        match found.get(place) {
            None => lines.push(format!("{place} is missing")),
            Some(other) => compare(place, object, other, &mut lines),
        }
    }
    let more = found.keys().filter(|place| !expected.contains_key(*place));
    lines.extend(more.map(|place| format!("{place} is there too")));
    lines
}

fn compare(path: &str, expected: &Value, found: &Value, lines: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) => {
            for key in one
                .keys()
                .chain(other.keys().filter(|key| !one.contains_key(*key)))
            {
                let (one, other) = (one.get(key), other.get(key));
                let null = Value::Null;
                compare(
                    &format!("{path}.{key}"),
                    one.unwrap_or(&null),
                    other.unwrap_or(&null),
                    lines,
                );
            }
        }
        (one, other) if one == other => {}
        (one, other) => lines.push(format!("{path}: {one} became {other}")),
    }
}

fn normal(key: &str, value: &Value, words: &Words) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()));
            let kept: Map<String, Value> = kept
                .map(|(key, value)| {
                    // Passwords are random; that they are equal everywhere is for a monitor to say.
                    let value = if key == "data" {
                        json!("data")
                    } else {
                        normal(key, value, words)
                    };
                    (key.clone(), value)
                })
                .collect();
            Value::Object(kept)
        }
        Value::Array(items) => {
            // A condition that says that nothing is held any more is as good as none.
            let items = items.iter().filter(|item| item["reason"] != "NotHeld");
            let mut items: Vec<Value> = items.map(|item| normal("", item, words)).collect();
            if matches!(key, "addresses") {
                items = vec![json!(items.len())];
            }
            Value::Array(items)
        }
        Value::String(text) => Value::String(word(key, text, words)),
        other => other.clone(),
    }
}

fn word(key: &str, text: &str, words: &Words) -> String {
    if key == "jobId" {
        // Counted by calls, of which a fault can make more.
        return "<job>".to_owned();
    }
    if key == "ringspan.io/secrets-seen" {
        // It has a version in it.
        return "<secrets>".to_owned();
    }
    if key == "cassandra.datastax.com/resource-hash" {
        // A digest of what is compared beside it, with uids in it.
        return "<hash>".to_owned();
    }
    if key == "hostID" {
        // It comes with the disk.
        return "<host id>".to_owned();
    }
    if matches!(key, "contentMark" | "ringspan.io/content-mark") {
        // Of each Secret its uid and version, of which the uid says enough.
        let called = |mark: &str| {
            let uid = mark.split_once('/').map_or(mark, |(uid, _)| uid);
            words.uids.get(uid).cloned().unwrap_or_else(|| uid.to_owned())
        };
        return text.split(' ').map(called).collect::<Vec<_>>().join(" ");
    }
    if key == "ip" || text.starts_with("198.18.") || text.starts_with("198.19.") {
        return "<address>".to_owned();
    }
    let bytes = text.as_bytes();
    if bytes.len() >= 20 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T' {
        return "<time>".to_owned();
    }
    if !text.contains('-') {
        return text.to_owned();
    }
    words.replaced(text)
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_and_names_that_a_server_made_up_are_called_by_what_has_them() {
        let (one, other) = (
            "00000000-1111-4222-8333-444444444444",
            "55555555-6666-4777-8888-999999999999",
        );
        let words = Words {
            uids: [(one, "<one>")]
                .map(|(uid, word)| (uid.to_owned(), word.to_owned()))
                .into(),
            names: [("dc1-abcde".to_owned(), "dc1-*".to_owned())].into(),
        };
        for (text, wanted) in [
            (one.to_owned(), "<one>".to_owned()),
            (
                format!("ä{one}/{other}{one} dc1-abcde"),
                format!("ä<one>/{other}<one> dc1-*"),
            ),
            (one[1..].to_owned(), one[1..].to_owned()),
        ] {
            assert_eq!(words.replaced(&text), wanted);
        }
    }
}
