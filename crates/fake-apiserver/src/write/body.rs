//! A body becomes an object of the kind.

use serde_json::Value;

use crate::ask::{Ask, Strictness};
use crate::failure::Failure;
use crate::object::{metadata_mut, text};
use crate::place::Place;
use crate::schema::default::add_defaults;
use crate::schema::prune::{drop_nulls, prune};

/// Reads a JSON body.
pub(super) fn read(ask: &Ask<'_>) -> Result<Value, Failure> {
    let media = ask.content_type.split(';').next().unwrap_or_default().trim();
    if !matches!(media, "" | "application/json" | "*/*") {
        return Err(Failure::unsupported(
            "the body of the request was in an unknown format - accepted media types include: application/json, \
             application/yaml, application/vnd.kubernetes.protobuf",
        ));
    }
    parse(ask)
}

pub(super) fn parse(ask: &Ask<'_>) -> Result<Value, Failure> {
    serde_json::from_slice(ask.body).map_err(|error| {
        let kind = &ask.kind;
        let message = format!(
            "{} in version {:?} cannot be handled as a {}: json parse error: {error}",
            kind.kind, kind.version, kind.kind
        );
        Failure::bad_request(message)
    })
}

/// Holds the body to the kind of the URL. Built-in kinds need not say what they are.
pub(super) fn check_kind(ask: &Ask<'_>, object: &mut Value) -> Result<(), Failure> {
    let kind = &ask.kind;
    let Value::Object(fields) = object else {
        let message = format!(
            "{} in version {:?} cannot be handled as a {}: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            kind.kind,
            kind.version,
            kind.kind,
            go_type(object),
        );
        return Err(Failure::bad_request(message));
    };
    for (field, wanted) in [("apiVersion", &kind.api_version), ("kind", &kind.kind)] {
        let given = fields.get(field).and_then(Value::as_str).unwrap_or_default();
        if given.is_empty() && kind.built_in {
            fields.insert(field.into(), wanted.clone().into());
        } else if given.is_empty() {
            let message = format!(
                "Object '{}' is missing in '{}'",
                title(field),
                Value::Object(fields.clone())
            );
            return Err(Failure::bad_request(message));
        }
    }
    let given = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    if given("apiVersion") != kind.api_version {
        let message = format!(
            "the API version in the data ({}) does not match the expected API version ({})",
            given("apiVersion"),
            kind.api_version
        );
        return Err(Failure::bad_request(message));
    }
    if given("kind") != kind.kind {
        let message = format!(
            "{} in version {:?} cannot be handled as a {}: no kind {:?} is registered for version {:?} in scheme \
             \"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30\"",
            given("kind"),
            kind.version,
            kind.kind,
            given("kind"),
            kind.api_version,
        );
        return Err(Failure::bad_request(message));
    }
    Ok(())
}

fn title(field: &str) -> String {
    let mut letters = field.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Holds name and namespace of the body to those of the URL.
pub(super) fn check_names(ask: &Ask<'_>, object: &mut Value) -> Result<(), Failure> {
    let namespace = text(object, "namespace");
    if !ask.namespace.is_empty() && !namespace.is_empty() && namespace != ask.namespace {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Failure::bad_request(message));
    }
    let name = text(object, "name");
    if !ask.name.is_empty() && name != ask.name {
        let message = if name.is_empty() {
            "the name of the object is empty".to_owned()
        } else {
            format!(
                "the name of the object ({name}) does not match the name on the URL ({})",
                ask.name
            )
        };
        return Err(Failure::bad_request(message));
    }
    let metadata = metadata_mut(object);
    if ask.namespace.is_empty() {
        metadata.remove("namespace");
    } else {
        metadata.insert("namespace".into(), ask.namespace.into());
    }
    Ok(())
}

/// Takes away what nobody declared and adds defaults. The warnings that the client gets for it.
pub(super) fn shape(ask: &Ask<'_>, object: &mut Value) -> Result<Vec<String>, Failure> {
    let at = ask.kind.at();
    let mut unknown = Vec::new();
    prune(object, at, Place::Root, &mut unknown);
    drop_nulls(object, at);
    add_defaults(object, at);
    if ask.kind.built_in {
        crate::kinds::default(&ask.kind, object);
    }
    let named = unknown.iter().map(|path| format!("unknown field {path:?}"));
    match ask.strictness() {
        Strictness::Ignore => Ok(Vec::new()),
        Strictness::Warn => Ok(named.collect()),
        Strictness::Strict if unknown.is_empty() => Ok(Vec::new()),
        Strictness::Strict => {
            let kind = &ask.kind;
            let named: Vec<_> = named.collect();
            let message = format!(
                "{} in version {:?} cannot be handled as a {}: strict decoding error: {}",
                kind.kind,
                kind.version,
                kind.kind,
                named.join(", ")
            );
            Err(Failure::bad_request(message))
        }
    }
}
