//! What a write to the API server says of the operator and its nodes.

use std::sync::Arc;

use fake_apiserver::Write;
use serde_json::Value;

use crate::lines::{self, Line};

/// The lines of a write.
pub fn lines_of(t: f64, write: &Write) -> Vec<Line> {
    let (ns, name) = (write.namespace.as_str(), write.name.as_str());
    let part = |object: &Option<Arc<Value>>, key: &str| {
        object
            .as_ref()
            .map(|object| object[key].clone())
            .unwrap_or_default()
    };
    let mut lines = Vec::new();
    if matches!(write.plural.as_str(), "cassandradatacenters" | "cassandratasks") && write.after.is_some() {
        let object = format!("{}/{ns}/{name}", write.kind);
        lines.extend(lines::status(
            t,
            &object,
            &part(&write.before, "status"),
            &part(&write.after, "status"),
        ));
    }
    if write.plural == "pods" {
        lines.extend(node_lines(t, write));
        if write.user == "cass-operator" && write.verb == "patch" && write.subresource.is_empty() {
            let patch = serde_json::from_slice(&write.body).unwrap_or_default();
            lines.extend(lines::labels(t, ns, name, &patch));
        }
    }
    let by_controller = [&write.before, &write.after].into_iter().any(|object| {
        part(object, "metadata")["labels"]["endpointslice.kubernetes.io/managed-by"]
            == "endpointslice-controller.k8s.io"
    });
    if write.user == "cass-operator" && !by_controller {
        lines.extend(lines::write(
            t,
            write.verb,
            &write.plural,
            ns,
            name,
            &write.subresource,
        ));
    }
    lines
}

fn node_lines(t: f64, write: &Write) -> Vec<Line> {
    let of = |object: &Option<Arc<Value>>, pointer: &str| -> String {
        let value = object.as_ref().and_then(|object| object.pointer(pointer));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let ready = |object: &Option<Arc<Value>>| {
        let conditions = object
            .as_ref()
            .and_then(|object| object.pointer("/status/conditions"));
        let mut conditions = conditions.and_then(Value::as_array).into_iter().flatten();
        conditions.any(|one| one["type"] == "Ready" && one["status"] == "True")
    };
    let mut words = Vec::new();
    let came = |pointer: &str| of(&write.before, pointer).is_empty() && !of(&write.after, pointer).is_empty();
    if came("/status/podIP") {
        words.push("running");
    }
    if write.after.is_some() {
        match (ready(&write.before), ready(&write.after)) {
            (false, true) => words.push("ready"),
            (true, false) => words.push("not-ready"),
            _ => {}
        }
    }
    if came("/metadata/deletionTimestamp") {
        words.push("terminating");
    }
    if write.after.is_none() {
        words.push("gone");
    }
    let line = |words: &str| lines::node(t, &write.namespace, &write.name, words);
    words.into_iter().map(line).collect()
}
