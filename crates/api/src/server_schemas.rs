//! `schemas/embedded.json` from what an API server says of itself.
//!
//! Nothing that runs needs this: `cargo xtask crds --embedded` writes the file with it, and a test makes it anew from a
//! real server's answer.

use serde_json::{Map, Value, json};
use std::fmt::{self, Display, Formatter};

/// Types of core/v1 that [`crate::embedded`] has, beside the few with rules of their own.
const CORE: [&str; 10] = [
    "Affinity",
    "Container",
    "EnvVar",
    "PersistentVolumeClaimSpec",
    "PodSecurityContext",
    "Probe",
    "ResourceRequirements",
    "SecurityContext",
    "Toleration",
    "Volume",
];

/// What a quantity may look like, in the server's own words.
const QUANTITY: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// What counts in a definition; all other keywords are dropped. Enumerations are among them: K8ssandra's definitions
/// have none here, so a value that is newer than the server is valid there.
const KEPT: [&str; 8] = [
    "additionalProperties",
    "format",
    "items",
    "properties",
    "type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

/// Defaults that K8ssandra's definitions do not have, although the server's document has them.
const UNKNOWN_DEFAULTS: [&str; 2] = ["cachingMode", "kind"];

/// Deeper than any type that is used here, so a type that contains itself is found.
const DEEPEST: usize = 30;

/// Why no schemas can be made of a server's document.
#[derive(Clone, Debug, PartialEq)]
pub enum UnusableDocument {
    /// It has no `components.schemas`.
    NoSchemas,
    /// It does not have the type of this name.
    Missing(String),
    /// The type of this name contains itself, which no definition can say.
    ContainsItself(String),
    /// Something else than a schema stands where one should, or several schemas for one value; which, in words.
    NotUnderstood(String),
}

impl Display for UnusableDocument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSchemas => write!(f, "the document has no schemas"),
            Self::Missing(name) => write!(f, "{name} is not in the document"),
            Self::ContainsItself(name) => write!(f, "{name} contains itself"),
            Self::NotUnderstood(what) => write!(f, "not understood in the document: {what}"),
        }
    }
}

impl std::error::Error for UnusableDocument {}

type Result<T> = std::result::Result<T, UnusableDocument>;

/// The stored file's contents, from a server's answer to `GET /openapi/v3/api/v1`.
///
/// # Errors
/// The document lacks a type, or one of its types cannot be written without references.
pub fn stored_text(document: &Value) -> Result<String> {
    let schemas = document["components"]["schemas"]
        .as_object()
        .ok_or(UnusableDocument::NoSchemas)?;
    let mut stored = Map::new();
    for name in CORE {
        stored.insert(
            name.to_owned(),
            Inliner(schemas).named(&format!("io.k8s.api.core.v1.{name}"), 0)?,
        );
    }
    let selector = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector";
    stored.insert("LabelSelector".to_owned(), Inliner(schemas).named(selector, 0)?);
    stored.insert("Quantity".to_owned(), quantity());
    stored.insert("VolumeSource".to_owned(), without_name(&stored["Volume"]));
    let source = format!(
        "/openapi/v3/api/v1 of kube-apiserver {}",
        document["info"]["version"].as_str().unwrap_or("?")
    );
    Ok(format!("{}\n", json!({"source": source, "schemas": stored})))
}

struct Inliner<'a>(&'a Map<String, Value>);

impl Inliner<'_> {
    /// The schema of that name with everything that it refers to put in its place.
    fn named(&self, name: &str, depth: usize) -> Result<Value> {
        if depth >= DEEPEST {
            return Err(UnusableDocument::ContainsItself(name.to_owned()));
        }
        match name.rsplit('.').next() {
            Some("Quantity") => Ok(quantity()),
            Some("IntOrString") => Ok(json!({"x-kubernetes-int-or-string": true})),
            // K8ssandra's definitions leave metadata inside a spec without fields, so it is pruned there.
            Some("ObjectMeta") => Ok(json!({"type": "object"})),
            _ => self.schema(
                self.0
                    .get(name)
                    .ok_or_else(|| UnusableDocument::Missing(name.to_owned()))?,
                depth,
            ),
        }
    }

    fn schema(&self, schema: &Value, depth: usize) -> Result<Value> {
        let schema = object(schema)?;
        if let Some(name) = reference(schema)? {
            return self.named(name, depth + 1);
        }
        let mut kept = Map::new();
        for (keyword, value) in schema
            .iter()
            .filter(|(keyword, _)| KEPT.contains(&keyword.as_str()))
        {
            let value = match keyword.as_str() {
                "items" | "additionalProperties" => self.schema(value, depth + 1)?,
                "properties" => self.properties(schema, value, depth)?,
                _ => value.clone(),
            };
            kept.insert(keyword.clone(), value);
        }
        if let Some(required) = schema.get("required") {
            let required = required.as_array().into_iter().flatten();
            let mut required: Vec<&str> = required.filter_map(Value::as_str).collect();
            required.sort_unstable();
            kept.insert("required".to_owned(), json!(required));
        }
        Ok(Value::Object(kept))
    }

    fn properties(&self, owner: &Map<String, Value>, properties: &Value, depth: usize) -> Result<Value> {
        let mut inlined = Map::new();
        for (name, property) in object(properties)? {
            let mut schema = self.schema(property, depth + 1)?;
            if let Some(default) = meant_default(owner, name, property) {
                schema["default"] = default.clone();
            }
            inlined.insert(name.clone(), schema);
        }
        Ok(Value::Object(inlined))
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>> {
    value
        .as_object()
        .ok_or_else(|| UnusableDocument::NotUnderstood(format!("{value} is no schema")))
}

/// The name that a schema refers to and adds nothing to but a description.
fn reference(schema: &Map<String, Value>) -> Result<Option<&str>> {
    let reference = match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        None => schema.get("$ref"),
        Some([only]) => only.get("$ref"),
        Some(_) => {
            return Err(UnusableDocument::NotUnderstood(format!(
                "several schemas for one value: {schema:?}"
            )));
        }
    };
    Ok(reference
        .and_then(Value::as_str)
        .and_then(|path| path.rsplit('/').next()))
}

/// A field's default, unless it is only Go's zero value: those stand on required fields, and as `{}` on objects.
fn meant_default<'a>(owner: &Map<String, Value>, name: &str, property: &'a Value) -> Option<&'a Value> {
    let required = owner.get("required").and_then(Value::as_array);
    let is_required = required.is_some_and(|required| required.iter().any(|field| field == name));
    let default = property.get("default").filter(|default| !default.is_object())?;
    let is_unknown = UNKNOWN_DEFAULTS.contains(&name) && default != "";
    (!is_required && !is_unknown).then_some(default)
}

fn quantity() -> Value {
    json!({"x-kubernetes-int-or-string": true, "pattern": QUANTITY})
}

/// `VolumeSource` is no schema of its own in the document; it is a `Volume` without the name.
fn without_name(volume: &Value) -> Value {
    let mut source = volume.clone();
    if let Some(source) = source.as_object_mut() {
        source.remove("required");
    }
    if let Some(properties) = source["properties"].as_object_mut() {
        properties.remove("name");
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inlined(schemas: &Value, name: &str) -> Result<Value> {
        Inliner(schemas.as_object().unwrap()).named(name, 0)
    }

    #[test]
    fn a_reference_is_replaced_by_what_it_refers_to() {
        let schemas = json!({
            "a.Outer": {"type": "object", "properties": {"in": {"allOf": [{"$ref": "#/x/a.Inner"}], "default": {}}}},
            "a.Inner": {"type": "string", "description": "long", "enum": ["x"]},
        });
        let expected = json!({"type": "object", "properties": {"in": {"type": "string"}}});
        assert_eq!(inlined(&schemas, "a.Outer").unwrap(), expected);
    }

    #[test]
    fn only_defaults_that_are_meant_are_kept() {
        let schemas = json!({"a.Port": {"type": "object", "required": ["number"], "properties": {
            "number": {"type": "integer", "default": 0},
            "protocol": {"type": "string", "default": "TCP"},
        }}});
        let port = inlined(&schemas, "a.Port").unwrap();
        assert_eq!(port["properties"]["number"].get("default"), None);
        assert_eq!(port["properties"]["protocol"]["default"], "TCP");
    }

    #[test]
    fn a_type_that_contains_itself_is_refused() {
        let schemas = json!({"a.Loop": {"properties": {"again": {"$ref": "#/x/a.Loop"}}}});
        assert_eq!(
            inlined(&schemas, "a.Loop"),
            Err(UnusableDocument::ContainsItself("a.Loop".to_owned()))
        );
    }
}
