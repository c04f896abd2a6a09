//! Literal writes and literal planes for the tests of the monitors.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use fake_apiserver::Write;
use serde_json::{Value, json};

use super::overheard::Heard;
use super::sight::{Kind, Look, Sight, text};
use crate::world::{CONTROL_PLANE, DATABASES, PLANES};

/// Planes with what is in them.
#[derive(Default)]
pub(crate) struct Planes {
    objects: Vec<(&'static str, Kind, Arc<Value>)>,
    rings: BTreeMap<String, u32>,
    nodes: Value,
}

impl Planes {
    /// With one object more.
    pub fn with(mut self, plane: &'static str, kind: Kind, object: &Value) -> Self {
        self.objects.push((plane, kind, Arc::new(object.clone())));
        self
    }

    /// With this report of the rings.
    pub fn with_nodes(mut self, report: Value) -> Self {
        self.nodes = report;
        self
    }

    /// With so many rings of a name.
    pub fn with_rings(mut self, name: &str, rings: u32) -> Self {
        self.rings.insert(name.to_owned(), rings);
        self
    }
}

impl Look for Planes {
    fn get(&self, plane: &str, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.all(plane, kind).into_iter().find(|object| {
            text(object, "/metadata/namespace") == namespace && text(object, "/metadata/name") == name
        })
    }

    fn all(&self, plane: &str, kind: Kind) -> Vec<Arc<Value>> {
        let here = self.objects.iter().filter(|it| (it.0, it.1) == (plane, kind));
        here.map(|(_, _, object)| Arc::clone(object)).collect()
    }

    fn planes(&self) -> Vec<&str> {
        [CONTROL_PLANE].into_iter().chain(PLANES).collect()
    }

    fn rings(&self) -> BTreeMap<String, u32> {
        self.rings.clone()
    }

    fn nodes(&self) -> Value {
        self.nodes.clone()
    }
}

/// A write of a program, which is told what was before and after it.
pub(crate) fn write(
    program: &str,
    verb: &'static str,
    plural: &str,
    before: Option<Value>,
    after: Option<Value>,
) -> Write {
    let object = after.as_ref().or(before.as_ref());
    let object = object.cloned().unwrap_or_default();
    let body = after.as_ref().map(Value::to_string).unwrap_or_default();
    Write {
        number: 0,
        version: 1,
        at: 0,
        user: String::new(),
        user_agent: if program.is_empty() {
            "somebody".to_owned()
        } else {
            format!("ringspan-{program}")
        },
        manager: String::new(),
        verb,
        group: String::new(),
        api: String::new(),
        plural: plural.to_owned(),
        kind: String::new(),
        namespace: text(&object, "/metadata/namespace").to_owned(),
        name: text(&object, "/metadata/name").to_owned(),
        subresource: String::new(),
        code: 200,
        body: Bytes::from(body),
        before: before.map(Arc::new),
        after: after.map(Arc::new),
        dry_run: false,
    }
}

/// A get, list or watch of a program.
pub(crate) fn heard<'a>(program: &'a str, plane: &'a str, path: &'a str, query: &'a str) -> Heard<'a> {
    Heard {
        program,
        plane,
        method: &http::Method::GET,
        path,
        query,
        dead_for: None,
    }
}

/// What a check says of a write in a plane.
pub(crate) fn said(
    check: fn(&Sight<'_>) -> Vec<String>,
    plane: &str,
    write: &Write,
    planes: &Planes,
) -> Vec<String> {
    check(&Sight::of(plane, write, planes))
}

/// A K8ssandraCluster `demo` with uid `kc-1` and datacenters of that many nodes, whose record lets `leaving` go.
pub(crate) fn cluster(datacenters: &[(&str, u32)], leaving: &[(&str, &str)]) -> Value {
    let entries: Vec<Value> = datacenters
        .iter()
        .map(|(name, size)| json!({"metadata": {"name": name}, "size": size}))
        .collect();
    let leaving: BTreeMap<_, _> = leaving
        .iter()
        .map(|(name, uid)| (*name, json!({"leaving": {"uid": uid, "generation": 2}})))
        .collect();
    json!({
        "metadata": {
            "name": "demo", "namespace": DATABASES, "uid": "kc-1", "generation": 2,
            "annotations": {"ringspan.io/record": json!({"datacenters": leaving}).to_string()},
        },
        "spec": {"cassandra": {"datacenters": entries}},
    })
}

/// A CassandraDatacenter of `demo` with uid `uid-of-<name>`, made, started and at rest.
pub(crate) fn datacenter(name: &str, size: u32) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": DATABASES, "uid": format!("uid-of-{name}"), "generation": 1,
            "annotations": {"ringspan.io/cluster-uid": "kc-1"},
            "labels": {"k8ssandra.io/cluster-name": "demo", "k8ssandra.io/cluster-namespace": DATABASES},
        },
        "spec": {
            "clusterName": "demo", "size": size, "superuserSecretName": "demo-superuser",
            "config": {"cassandra-yaml": {"num_tokens": 16}},
            "storageConfig": {"cassandraDataVolumeClaimSpec": {
                "storageClassName": "standard", "resources": {"requests": {"storage": "1Gi"}},
            }},
        },
        "status": {
            "cassandraOperatorProgress": "Ready", "observedGeneration": 1,
            "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}],
        },
    })
}

/// An object with something else at a pointer, which must be there or be a new field of what is.
pub(crate) fn but(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    object.pointer_mut(parent).unwrap()[key] = value;
    object
}

/// An object that is being deleted.
pub(crate) fn going(object: Value) -> Value {
    but(
        object,
        "/metadata/deletionTimestamp",
        json!("2026-01-01T00:00:00Z"),
    )
}
