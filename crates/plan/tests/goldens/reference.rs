//! Reads the goldens.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use api::k8ssandra_cluster::K8ssandraCluster;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Namespace of the inputs that name none.
const NAMESPACE: &str = "fx";
/// The control plane, whose context is empty as well.
const CONTROL_PLANE: &str = "kind-k8ssandra-0";

/// One input, and everything that upstream made of it.
pub struct Golden {
    /// Folder below `golden/`.
    pub name: String,
    input: Vec<Value>,
    planes: BTreeMap<String, Vec<Value>>,
    /// What upstream said when it stopped half-way.
    stuck: String,
}

/// All goldens; `None` without a reference.
pub fn goldens() -> Option<Vec<Golden>> {
    let root = PathBuf::from(std::env::var_os("RINGSPAN_REFERENCE")?).join("golden");
    let mut goldens = Vec::new();
    for group in ["cases", "generated"] {
        let mut folders: Vec<PathBuf> = entries(&root.join(group));
        folders.sort();
        goldens.extend(folders.iter().map(|folder| golden(group, folder)));
    }
    Some(goldens)
}

/// The text of one file of the reference; `None` without one.
pub fn file(path: &str) -> Option<String> {
    let file = PathBuf::from(std::env::var_os("RINGSPAN_REFERENCE")?).join(path);
    Some(fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

/// The plane that a context names.
pub fn plane(context: &str) -> &str {
    if context.is_empty() {
        CONTROL_PLANE
    } else {
        context
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

fn golden(group: &str, folder: &Path) -> Golden {
    let mut planes = BTreeMap::new();
    for file in entries(folder) {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        if let Some(context) = name
            .strip_suffix(".yaml")
            .filter(|name| *name != "input" && !name.contains(".stand-in"))
        {
            planes.insert(context.to_owned(), documents(&file));
        }
    }
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    Golden {
        name: format!("{group}/{name}"),
        input: documents(&folder.join("input.yaml")),
        planes,
        stuck: stuck(&folder.join("result.json")),
    }
}

fn stuck(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let result: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    result["stuck"].to_string()
}

fn documents(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A YAML text as a value; the text itself where it is none.
pub fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

impl Golden {
    /// Everything that was there at the end, by context; the empty one is the control plane.
    pub fn planes(&self) -> BTreeMap<String, Vec<Value>> {
        let named = self
            .planes
            .iter()
            .map(|(context, objects)| (context.clone(), objects.clone()));
        let own = self.planes.get(CONTROL_PLANE).cloned().unwrap_or_default();
        named.chain([(String::new(), own)]).collect()
    }

    /// The clusters of the input, as the API server stored them; as the user wrote them where it refused them.
    pub fn clusters(&self) -> Vec<K8ssandraCluster> {
        let written = self
            .input
            .iter()
            .filter(|object| text(object, "/kind") == "K8ssandraCluster");
        let stored = |written: &Value| {
            let same = |stored: &&Value| {
                let namespace = text(written, "/metadata/namespace");
                text(stored, "/kind") == "K8ssandraCluster"
                    && text(stored, "/metadata/name") == text(written, "/metadata/name")
                    && (namespace.is_empty() || namespace == text(stored, "/metadata/namespace"))
            };
            self.planes
                .get(CONTROL_PLANE)
                .and_then(|objects| objects.iter().find(same))
                .cloned()
        };
        written
            .map(|written| cluster(stored(written).unwrap_or_else(|| written.clone())))
            .collect()
    }

    /// Kind of each object that carries upstream's mark of a cluster.
    pub fn kinds_made(&self) -> Vec<String> {
        let marked = |object: &&Value| {
            object
                .pointer("/metadata/labels/k8ssandra.io~1cluster-name")
                .is_some()
                && text(object, "/kind") != "K8ssandraCluster"
        };
        let objects = self.planes.values().flatten().filter(marked);
        objects.map(|object| text(object, "/kind").to_owned()).collect()
    }

    /// The datacenters that upstream made for a cluster.
    pub fn datacenters(&self, kc: &K8ssandraCluster) -> Vec<&Value> {
        let labels = |object: &Value, name: &str| {
            let label = object.pointer(&format!("/metadata/labels/k8ssandra.io~1{name}"));
            label.and_then(Value::as_str).map(str::to_owned)
        };
        let all = self
            .planes
            .values()
            .flatten()
            .filter(|object| text(object, "/kind") == "CassandraDatacenter");
        all.filter(|object| {
            labels(object, "cluster-name") == kc.metadata.name
                && labels(object, "cluster-namespace") == kc.metadata.namespace
        })
        .collect()
    }

    /// Whether upstream stopped for its own defect before it came to this datacenter: the schedule of Medusa's purges gets
    /// Cassandra's name of a datacenter, which may be no name of an object (row ME-24).
    pub fn is_left_out_by_a_bug(&self, context: &str, namespace: &str, name: &str) -> bool {
        self.stuck.contains("MedusaBackupSchedule.medusa.k8ssandra.io")
            && self.stuck.contains("is invalid: metadata.name")
            && self
                .find(context, "CassandraDatacenter", namespace, name)
                .is_none()
    }

    /// What upstream said when it refused the input or stopped half-way; none where it came to its end.
    pub fn stuck(&self) -> Option<&str> {
        Some(self.stuck.as_str()).filter(|text| *text != "null" && *text != "[]")
    }

    /// An object that upstream made.
    pub fn find(&self, context: &str, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.planes.get(plane(context))?.iter().find(|object| {
            text(object, "/kind") == kind
                && text(object, "/metadata/namespace") == namespace
                && text(object, "/metadata/name") == name
        })
    }

    /// ConfigMaps that upstream's control plane made for a cluster, as plane, namespace and name.
    pub fn config_maps(&self, kc: &K8ssandraCluster) -> Vec<String> {
        let is_its = |object: &&Value| {
            let label = |name: &str| text(object, &format!("/metadata/labels/k8ssandra.io~1{name}"));
            text(object, "/kind") == "ConfigMap"
                && Some(label("cluster-name")) == kc.metadata.name.as_deref()
                && Some(label("cluster-namespace")) == kc.metadata.namespace.as_deref()
                && !label("cleaned-up-by").is_empty()
                && object.pointer("/metadata/ownerReferences").is_none()
        };
        let in_plane = |(plane, objects): (&String, &Vec<Value>)| {
            let names = objects.iter().filter(is_its).map(|object| {
                let (namespace, name) = (
                    text(object, "/metadata/namespace"),
                    text(object, "/metadata/name"),
                );
                format!("{plane}/{namespace}/{name}")
            });
            names.collect::<Vec<_>>()
        };
        self.planes.iter().flat_map(in_plane).collect()
    }

    /// Secrets in the control plane that upstream made or labelled for a cluster, by name; copies are none.
    pub fn own_secrets(&self, kc: &K8ssandraCluster) -> Vec<(String, &Value)> {
        let is_its = |object: &&Value| {
            let label = |name: &str| text(object, &format!("/metadata/labels/k8ssandra.io~1{name}"));
            text(object, "/kind") == "Secret"
                && Some(label("cluster-name")) == kc.metadata.name.as_deref()
                && Some(label("cluster-namespace")) == kc.metadata.namespace.as_deref()
                && !label("replicated-by").is_empty()
                && label("replicated-secret-name").is_empty()
        };
        let all = self.planes.get(CONTROL_PLANE).into_iter().flatten();
        all.filter(is_its)
            .map(|object| (text(object, "/metadata/name").to_owned(), object))
            .collect()
    }

    /// The ReplicatedSecret that upstream made for a cluster.
    pub fn replicated_secret(&self, kc: &K8ssandraCluster) -> Option<&Value> {
        let (namespace, name) = (kc.metadata.namespace.as_deref()?, kc.metadata.name.as_deref()?);
        self.find("", "ReplicatedSecret", namespace, name)
    }

    /// A Secret of the input.
    pub fn given_secret(&self, name: &str) -> Option<&Value> {
        let mut objects = self.input.iter();
        objects.find(|object| text(object, "/kind") == "Secret" && text(object, "/metadata/name") == name)
    }

    /// What a Secret of the input has under a key.
    pub fn secret(&self, name: &str, key: &str) -> Option<Vec<u8>> {
        let found = self.given_secret(name)?;
        let plain = found.get("stringData").and_then(|data| data.get(key)?.as_str());
        let encoded = found.get("data").and_then(|data| data.get(key)?.as_str());
        plain
            .map(|text| text.as_bytes().to_vec())
            .or_else(|| STANDARD.decode(encoded?).ok())
    }

    /// Content of a ConfigMap of the input.
    pub fn config_map(&self, name: &str) -> Option<BTreeMap<String, String>> {
        let mut objects = self.input.iter();
        let found = objects
            .find(|object| text(object, "/kind") == "ConfigMap" && text(object, "/metadata/name") == name)?;
        serde_json::from_value(found.get("data")?.clone()).ok()
    }
}

/// What upstream noted when the ring was founded.
pub fn initial_system_replication(kc: &K8ssandraCluster) -> Option<BTreeMap<String, u32>> {
    let annotations = kc.metadata.annotations.as_ref()?;
    serde_json::from_str(annotations.get("k8ssandra.io/initial-system-replication")?).ok()
}

fn cluster(mut document: Value) -> K8ssandraCluster {
    if text(&document, "/metadata/namespace").is_empty() {
        document["metadata"]["namespace"] = Value::from(NAMESPACE);
    }
    // The server drops a null before it looks at the schema.
    if document["spec"].is_null() {
        document["spec"] = serde_json::json!({});
    }
    // What the server puts there is of no interest here, and some of it is masked in the goldens.
    if let Some(object) = document.as_object_mut() {
        object.remove("status");
    }
    serde_json::from_value(document).expect("a K8ssandraCluster")
}
