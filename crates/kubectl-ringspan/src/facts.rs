//! What there is already, from a file: objects as `kubectl get -o yaml` prints them, each with annotation
//! `ringspan.io/plane` that names the context of its plane. None, or an empty one, is the control plane.

use std::collections::BTreeSet;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::seen::PlaneId;
use plan::foresight::{PlaneObjects, Snapshot};
use serde_json::{Value, json};

/// The annotation.
pub(crate) const PLANE: &str = "ringspan.io/plane";

/// A snapshot in which every plane that the clusters name answers with these objects.
pub(crate) fn snapshot(clusters: &[K8ssandraCluster], objects: &[Value]) -> Snapshot {
    let templates = clusters.iter().filter_map(|kc| kc.spec.cassandra.as_ref());
    let mut contexts: BTreeSet<String> = templates
        .flat_map(|it| &it.datacenters)
        .map(|it| it.k8s_context.clone())
        .collect();
    contexts.insert(String::new());
    contexts.extend(objects.iter().map(plane));
    let answered = |(at, context): (usize, String)| {
        let mine = objects.iter().filter(|object| plane(object) == context);
        let mine: Vec<Value> = mine.cloned().map(complete).collect();
        let id = mine.iter().find_map(identity);
        let answer = PlaneObjects {
            // No cluster is asked who it is; planes differ all the same.
            id: id.unwrap_or_else(|| PlaneId(format!("00000000-0000-0000-0000-{at:012}"))),
            objects: mine,
        };
        (context, Ok(answer))
    };
    Snapshot {
        planes: contexts.into_iter().enumerate().map(answered).collect(),
    }
}

/// As `render` prints them, Secrets have no values and objects no UID: they are there all the same.
fn complete(mut object: Value) -> Value {
    if object.get("kind") == Some(&json!("Secret"))
        && object.get("data").or(object.get("stringData")).is_none()
    {
        object["data"] = json!({"username": "eA==", "password": "eA=="});
    }
    if object.pointer("/metadata/uid").is_none() {
        let name = object
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        object["metadata"]["uid"] = json!(format!("uid-of-{name}"));
    }
    object
}

fn plane(object: &Value) -> String {
    let annotations = object.pointer("/metadata/annotations");
    let plane = annotations.and_then(|it| it.get(PLANE)).and_then(Value::as_str);
    plane.unwrap_or_default().to_owned()
}

/// A plane is who its namespace `kube-system` is.
fn identity(object: &Value) -> Option<PlaneId> {
    let is = |pointer: &str, text: &str| object.pointer(pointer).and_then(Value::as_str) == Some(text);
    let found = is("/kind", "Namespace") && is("/metadata/name", "kube-system");
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str)?;
    found.then(|| PlaneId(uid.to_owned()))
}
