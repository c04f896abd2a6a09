//! What a real API server says of its built-in kinds: `schemas/built_in.json` of the API server in memory.
//!
//! From discovery and `/openapi/v3` come the resources and every schema that they reach, without descriptions. Of the
//! defaults only the empty objects are kept: they tell which parts are always there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context;
use kube::Client;
use serde_json::{Map, Value, json};

/// API versions with the kinds of theirs that are served.
const KINDS: [(&str, &[&str]); 13] = [
    (
        "v1",
        &[
            "namespaces",
            "pods",
            "services",
            "secrets",
            "configmaps",
            "serviceaccounts",
            "events",
            "endpoints",
            "persistentvolumeclaims",
            "persistentvolumes",
            "nodes",
        ],
    ),
    (
        "apps/v1",
        &["statefulsets", "deployments", "replicasets", "daemonsets"],
    ),
    ("batch/v1", &["jobs", "cronjobs"]),
    ("discovery.k8s.io/v1", &["endpointslices"]),
    ("policy/v1", &["poddisruptionbudgets"]),
    (
        "rbac.authorization.k8s.io/v1",
        &["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
    ),
    ("coordination.k8s.io/v1", &["leases"]),
    ("events.k8s.io/v1", &["events"]),
    ("storage.k8s.io/v1", &["storageclasses"]),
    ("apiextensions.k8s.io/v1", &["customresourcedefinitions"]),
    ("networking.k8s.io/v1", &["networkpolicies"]),
    (
        "authorization.k8s.io/v1",
        &["selfsubjectaccessreviews", "subjectaccessreviews"],
    ),
    (
        "authentication.k8s.io/v1",
        &["selfsubjectreviews", "tokenreviews"],
    ),
];

/// What a schema says that no answer depends on.
const LEFT_OUT: [&str; 8] = [
    "description",
    "x-kubernetes-group-version-kind",
    "x-kubernetes-unions",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-patch-merge-key",
    "example",
    "title",
    "externalDocs",
];

/// Where it is kept.
pub(super) fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/fake-apiserver/schemas/built_in.json")
}

/// The text of that file, from a real server.
pub(super) async fn text(client: &Client) -> anyhow::Result<String> {
    let (mut said, mut schemas) = (vec![], Map::new());
    for (version, wanted) in KINDS {
        let root = if version.contains('/') { "apis" } else { "api" };
        let discovery = get(client, &format!("/{root}/{version}")).await?;
        let openapi = get(client, &format!("/openapi/v3/{root}/{version}")).await?;
        let of = openapi
            .pointer("/components/schemas")
            .and_then(Value::as_object)
            .with_context(|| format!("there are no schemas of {version}"))?;
        schemas.extend(of.iter().map(|(name, schema)| (short(name), schema.clone())));
        said.push((version, wanted, discovery));
    }
    let names = names(&schemas);
    let (mut resources, mut reached) = (vec![], BTreeSet::new());
    for (version, wanted, discovery) in &said {
        for resource in resources_of(version, wanted, discovery, &names)? {
            reach(text_of(&resource, "schema"), &schemas, &mut reached)?;
            resources.push(resource);
        }
    }
    let kept = reached
        .into_iter()
        .map(|name| (name.clone(), stripped(&schemas[&name])));
    let mut components: Map<String, Value> = kept.collect();
    // A server refuses a slice without ports, and its schema does not say so.
    if let Some(Value::Array(required)) = components
        .get_mut("discovery.v1.EndpointSlice")
        .and_then(|slice| slice.get_mut("required"))
    {
        required.push("ports".into());
    }
    Ok(json!({"resources": resources, "components": components}).to_string())
}

async fn get(client: &Client, path: &str) -> anyhow::Result<Value> {
    let text = client.request_text(http::Request::get(path).body(vec![])?).await;
    Ok(serde_json::from_str(&text.with_context(|| path.to_owned())?)?)
}

/// Names of schemas by group, version and kind.
fn names(schemas: &Map<String, Value>) -> BTreeMap<[String; 3], String> {
    let mut names = BTreeMap::new();
    for (name, schema) in schemas {
        let of = schema
            .get("x-kubernetes-group-version-kind")
            .and_then(Value::as_array);
        for kind in of.into_iter().flatten() {
            let kind = ["group", "version", "kind"].map(|field| text_of(kind, field).to_owned());
            names.entry(kind).or_insert_with(|| name.clone());
        }
    }
    names
}

fn resources_of(
    version: &str,
    wanted: &[&str],
    discovery: &Value,
    names: &BTreeMap<[String; 3], String>,
) -> anyhow::Result<Vec<Value>> {
    let (group, bare) = version.split_once('/').unwrap_or(("", version));
    let said: Vec<&Value> = discovery["resources"].as_array().into_iter().flatten().collect();
    let mut resources = vec![];
    for resource in said
        .iter()
        .filter(|resource| wanted.contains(&text_of(resource, "name")))
    {
        let (plural, kind) = (text_of(resource, "name"), text_of(resource, "kind"));
        let mut subresources: Vec<&str> = said
            .iter()
            .filter_map(|other| text_of(other, "name").strip_prefix(plural)?.strip_prefix('/'))
            .collect();
        subresources.sort_unstable();
        let schema = names
            .get(&[group.to_owned(), bare.to_owned(), kind.to_owned()])
            .with_context(|| format!("{version} has no schema of {kind}"))?;
        let list = |field: &str| resource.get(field).cloned().unwrap_or_else(|| json!([]));
        resources.push(json!({
            "group": group, "version": bare, "plural": plural, "singular": resource["singularName"], "kind": kind,
            "namespaced": resource["namespaced"], "verbs": resource["verbs"], "shortNames": list("shortNames"),
            "categories": list("categories"), "subresources": subresources, "schema": schema,
        }));
    }
    anyhow::ensure!(
        resources.len() == wanted.len(),
        "{version} does not have all of {wanted:?}"
    );
    Ok(resources)
}

/// A schema and all that it refers to.
fn reach(name: &str, schemas: &Map<String, Value>, reached: &mut BTreeSet<String>) -> anyhow::Result<()> {
    if !reached.insert(name.to_owned()) {
        return Ok(());
    }
    let schema = schemas
        .get(name)
        .with_context(|| format!("there is no schema {name}"))?;
    let mut parts = vec![stripped(schema)];
    while let Some(part) = parts.pop() {
        if let Some(other) = part.get("$ref").and_then(Value::as_str) {
            reach(other, schemas, reached)?;
        }
        match part {
            Value::Object(fields) => parts.extend(fields.into_values()),
            Value::Array(items) => parts.extend(items),
            _ => {}
        }
    }
    Ok(())
}

fn stripped(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(stripped).collect(),
        Value::Object(fields) => Value::Object(fields.iter().filter_map(kept).collect()),
        other => other.clone(),
    }
}

fn kept((field, value): (&String, &Value)) -> Option<(String, Value)> {
    let value = match (field.as_str(), value) {
        (name, _) if LEFT_OUT.contains(&name) => return None,
        ("default", value) if *value != json!({}) => return None,
        // Fields of objects may have names of our words.
        ("properties", Value::Object(fields)) => {
            let fields = fields.iter().map(|(name, field)| (name.clone(), stripped(field)));
            Value::Object(fields.collect())
        }
        ("allOf", Value::Array(one)) if one.len() == 1 && one[0].get("$ref").is_some() => {
            return Some(("$ref".to_owned(), short(text_of(&one[0], "$ref")).into()));
        }
        ("$ref", value) => short(value.as_str().unwrap_or_default()).into(),
        ("enum", value) => value.clone(),
        (_, value) => stripped(value),
    };
    Some((field.clone(), value))
}

/// A name of a schema without what all have in common.
fn short(name: &str) -> String {
    const COMMON: [&str; 4] = [
        "io.k8s.api.",
        "io.k8s.apimachinery.pkg.apis.",
        "io.k8s.apimachinery.pkg.",
        "io.k8s.apiextensions-apiserver.pkg.apis.",
    ];
    let name = name.rsplit('/').next().unwrap_or(name);
    let bare = COMMON.iter().find_map(|common| name.strip_prefix(common));
    bare.unwrap_or(name).to_owned()
}

fn text_of<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
