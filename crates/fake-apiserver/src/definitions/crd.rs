//! A `CustomResourceDefinition` → the kinds that it defines.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::built_in::{api_version, components};
use super::{Kind, ScalePaths};
use crate::schema::compile::Compiler;

/// Every served version of a definition, for objects in `table`.
pub(super) fn kinds(crd: &Value, table: usize) -> Result<Vec<Arc<Kind>>, String> {
    if crd.get("kind").and_then(Value::as_str) != Some("CustomResourceDefinition") {
        return Err("is no CustomResourceDefinition".into());
    }
    let spec = crd.get("spec").ok_or("has no spec")?;
    let versions = spec
        .get("versions")
        .and_then(Value::as_array)
        .ok_or("has no versions")?;
    let served = versions
        .iter()
        .filter(|version| version.get("served") == Some(&Value::Bool(true)));
    served
        .map(|version| kind(spec, version, table).map(Arc::new))
        .collect()
}

fn kind(spec: &Value, version: &Value, table: usize) -> Result<Kind, String> {
    let text = |value: &Value, pointer: &str| {
        let text = value.pointer(pointer).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| format!("has no {pointer}"))
    };
    let texts = |pointer: &str| {
        let list = spec
            .pointer(pointer)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        list.filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let components = referred();
    let mut compiler = Compiler::new(&components, true);
    let no_schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let schema = version.pointer("/schema/openAPIV3Schema").unwrap_or(&no_schema);
    let root = compiler.root(schema)?;
    let (group, name) = (text(spec, "/group")?, text(version, "/name")?);
    let kind = text(spec, "/names/kind")?;
    let subresources = version.get("subresources").and_then(Value::as_object);
    let subresources = subresources.into_iter().flat_map(Map::keys).cloned();
    Ok(Kind {
        table,
        api_version: api_version(&group, &name),
        list_kind: text(spec, "/names/listKind").unwrap_or_else(|_| format!("{kind}List")),
        plural: text(spec, "/names/plural")?,
        singular: text(spec, "/names/singular").unwrap_or_else(|_| kind.to_lowercase()),
        short_names: texts("/names/shortNames"),
        categories: texts("/names/categories"),
        verbs: [
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "create",
            "update",
            "watch",
        ]
        .map(str::to_owned)
        .into(),
        subresources: subresources.collect(),
        namespaced: text(spec, "/scope")? == "Namespaced",
        built_in: false,
        storage: version.get("storage") == Some(&Value::Bool(true)),
        scale: scale(version),
        columns: super::columns::columns(version),
        schema: Arc::new(compiler.finish()),
        root,
        group,
        version: name,
        kind,
    })
}

/// What every object has; parsed once.
fn referred() -> Map<String, Value> {
    use std::sync::OnceLock;
    static METADATA: OnceLock<Map<String, Value>> = OnceLock::new();
    let metadata = METADATA.get_or_init(|| {
        let mut components = components();
        components.retain(|name, _| name.starts_with("meta.v1."));
        components
    });
    metadata.clone()
}

fn scale(version: &Value) -> Option<ScalePaths> {
    let scale = version.pointer("/subresources/scale")?;
    let pointer = |field: &str| {
        let path = scale.get(field)?.as_str()?;
        Some(path.replace('.', "/"))
    };
    Some(ScalePaths {
        spec: pointer("specReplicasPath")?,
        status: pointer("statusReplicasPath")?,
        selector: pointer("labelSelectorPath"),
    })
}

/// The versions that objects of a definition are stored in.
pub(crate) fn stored_versions(crd: &Value) -> Vec<&Value> {
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array);
    let stored = versions
        .into_iter()
        .flatten()
        .filter(|version| version.get("storage") == Some(&Value::Bool(true)));
    stored.filter_map(|version| version.get("name")).collect()
}

/// The status of a definition that is in use.
pub(crate) fn established(crd: &Value, now: &str) -> Value {
    let stored = stored_versions(crd);
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now});
    json!({
        "acceptedNames": accepted(crd),
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "storedVersions": stored,
    })
}

/// The names of a definition with those that follow from its kind.
pub(crate) fn accepted(crd: &Value) -> Value {
    let mut names = crd.pointer("/spec/names").cloned().unwrap_or_default();
    let kind = names
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if let Some(names) = names.as_object_mut() {
        names
            .entry("listKind")
            .or_insert_with(|| format!("{kind}List").into());
        names
            .entry("singular")
            .or_insert_with(|| kind.to_lowercase().into());
    }
    names
}
