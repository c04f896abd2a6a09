//! The `CustomResourceDefinition`s that are installed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Value, json};

use crate::client_config::ClientConfig;
use crate::k8ssandra_cluster::K8ssandraCluster;
use crate::k8ssandra_task::K8ssandraTask;
use crate::replicated_secret::ReplicatedSecret;

/// The definitions of all kinds that are ours to define, as they are installed, in the order of their files.
///
/// They differ from what the types themselves give in three ways that K8ssandra's definitions have: nothing is
/// nullable (an API server then drops a `null` and applies the default), `spec` may be absent, and its default is
/// empty, so that a reader always finds it.
#[must_use]
pub fn all() -> Vec<CustomResourceDefinition> {
    vec![
        finished(&ClientConfig::crd()),
        finished(&K8ssandraTask::crd()),
        finished(&K8ssandraCluster::crd()),
        finished(&ReplicatedSecret::crd()),
    ]
}

/// Name of the file that a definition stands in: `<group>_<plural>.yaml`.
#[must_use]
pub fn file_name(definition: &CustomResourceDefinition) -> String {
    format!("{}_{}.yaml", definition.spec.group, definition.spec.names.plural)
}

#[expect(
    clippy::expect_used,
    reason = "a definition that kube made is valid JSON, and only optional keywords change"
)]
fn finished(definition: &CustomResourceDefinition) -> CustomResourceDefinition {
    let mut definition = serde_json::to_value(definition).expect("a definition is JSON");
    definition["spec"]["names"]["listKind"] = json!(format!(
        "{}List",
        definition["spec"]["names"]["kind"].as_str().unwrap_or_default()
    ));
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    without_nullable(schema);
    if let Some(root) = schema.as_object_mut() {
        root.remove("required");
        root.remove("title");
    }
    schema["properties"]["spec"]["default"] = json!({});
    serde_json::from_value(definition).expect("a definition without optional keywords is a definition")
}

/// Takes the keyword away wherever it is one; a property of that name would have a schema, not a flag.
fn without_nullable(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.retain(|name, value| !(name == "nullable" && value.is_boolean()));
            fields.values_mut().for_each(without_nullable);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nullable),
        _ => {}
    }
}
