//! A body becomes an object of the kind.

use std::fmt::Write as _;

use serde_json::Value;

use super::duplicates::duplicates;
use crate::ask::{Ask, Strictness};
use crate::failure::{Cause, Failure};
use crate::object::{metadata_mut, text};
use crate::place::Place;
use crate::schema::decode;
use crate::schema::default::add_defaults;
use crate::schema::prune::{defaults_instead, drop_nulls, may_not_be_null, prune};

/// The largest body that is read.
const LARGEST: usize = 3 * 1024 * 1024;

/// The largest object that etcd takes.
const STORED: usize = 1536 * 1024;

/// Reads JSON, or says in Go's words why it is none.
pub(super) fn json(body: &[u8]) -> Result<Value, String> {
    let mut value = serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            "unexpected end of JSON input".to_owned()
        } else {
            error.to_string()
        }
    })?;
    whole_numbers(&mut value);
    Ok(value)
}

pub(super) fn yaml(body: &[u8]) -> Result<Value, String> {
    // Most YAML that is sent is JSON.
    if let Ok(value) = json(body) {
        return Ok(value);
    }
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

/// A whole number that was written as a fraction is a whole number.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let given = number.as_f64().unwrap_or_default();
            if given.fract() == 0.0 && given.abs() < 1e15 {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "it has no fraction and is small enough"
                )]
                let whole = given as i64;
                *value = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// Reads the body of a create or an update.
pub(super) fn read(ask: &Ask<'_>) -> Result<Value, Failure> {
    if ask.body.len() > LARGEST {
        let message = format!("Request entity too large: limit is {LARGEST}");
        return Err(Failure::new(413, "RequestEntityTooLarge", message));
    }
    if ask.body.len() > STORED && !ask.kind.built_in {
        return Err(Failure::new(500, "", "etcdserver: request is too large"));
    }
    let media = ask.content_type.split(';').next().unwrap_or_default().trim();
    let unrecognized = |why: String| {
        let message = format!(
            "the object provided is unrecognized (must be of type {}): {why} ({})",
            ask.kind.kind,
            beginning(ask.body)
        );
        Failure::bad_request(message)
    };
    let parse_error =
        |why: String| unrecognized(format!("couldn't get version/kind; json parse error: {why}"));
    let value = match media {
        "" | "application/json" | "*/*" => json(ask.body).map_err(parse_error)?,
        "application/yaml" => yaml(ask.body).map_err(parse_error)?,
        _ => {
            let message = "the body of the request was in an unknown format - accepted media types include: \
                           application/json, application/yaml, application/vnd.kubernetes.protobuf";
            return Err(Failure::unsupported(message));
        }
    };
    if !value.is_object() {
        let head = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
                    \"json:\\\"kind,omitempty\\\"\" }";
        let why = format!(
            "json: cannot unmarshal {} into Go value of type {head}",
            go_type(&value)
        );
        return Err(parse_error(why));
    }
    let given = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    for field in ["kind", "apiVersion"] {
        if given(field).is_empty() && !ask.kind.built_in {
            return Err(unrecognized(format!(
                "Object '{}' is missing in '{value}'",
                title(field)
            )));
        }
    }
    Ok(value)
}

/// The beginning of a body, as an error quotes it.
fn beginning(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    if body.is_empty() {
        return "<empty>".to_owned();
    }
    let cut = &body[..body.len().min(SHOWN)];
    let more = if body.len() > SHOWN { " ..." } else { "" };
    if body.starts_with(b"{") {
        return format!("{}{more}", String::from_utf8_lossy(cut));
    }
    let mut hex = String::new();
    for byte in cut {
        let _ = write!(hex, "{byte:02x}");
    }
    hex + more
}

fn title(field: &str) -> String {
    let mut letters = field.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

/// Holds the body to the kind of the URL. Built-in kinds need not say what they are.
pub(super) fn check_kind(ask: &Ask<'_>, object: &mut Value) -> Result<(), Failure> {
    let kind = &ask.kind;
    if let (Value::Object(fields), true) = (&mut *object, kind.built_in) {
        for (field, wanted) in [("apiVersion", &kind.api_version), ("kind", &kind.kind)] {
            let given = fields.get(field).and_then(Value::as_str).unwrap_or_default();
            if given.is_empty() {
                fields.insert(field.into(), wanted.clone().into());
            }
        }
    }
    let given = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    if given("apiVersion") != kind.api_version {
        return Err(other_version(ask, object));
    }
    if given("kind") == kind.kind {
        return Ok(());
    }
    if kind.built_in {
        let (internal, short) = ("core", given("kind"));
        let message = format!(
            "{short} in version {:?} cannot be handled as a {}: converting ({}.{short}) to ({internal}.{}): unknown conversion",
            kind.version, kind.kind, kind.version, kind.kind,
        );
        return Err(Failure::bad_request(message));
    }
    let why = format!("must be {}", kind.kind);
    let cause = Cause::invalid("kind", &given("kind").into(), &why);
    let name = text(object, "name");
    Err(Failure::invalid_named(&kind.group, given("kind"), name, &[cause]))
}

fn other_version(ask: &Ask<'_>, object: &Value) -> Failure {
    let kind = &ask.kind;
    let given = object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if kind.built_in {
        let name = object.get("kind").and_then(Value::as_str).unwrap_or_default();
        let message = format!(
            "{name} in version {given:?} cannot be handled as a {}: no kind {name:?} is registered for version {given:?} \
             in scheme \"pkg/runtime/scheme.go:111\"",
            kind.kind,
        );
        return Failure::bad_request(message);
    }
    // Nothing is known of that version, so no field of it is.
    let fields = object.as_object().into_iter().flat_map(serde_json::Map::keys);
    let unknown = fields
        .filter(|field| !matches!(field.as_str(), "apiVersion" | "kind" | "metadata"))
        .map(|field| format!("unknown field {field:?}"));
    let message = format!(
        "the API version in the data ({given}) does not match the expected API version ({})",
        kind.api_version
    );
    Failure::bad_request(message).warning(unknown.collect())
}

pub(super) fn go_type(value: &Value) -> &'static str {
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
    let name = text(object, "name");
    if !ask.name.is_empty() && name != ask.name {
        let message = if name.is_empty() {
            format!(
                "the name of the object ({} based on URL) was undeterminable: name must be provided",
                ask.name
            )
        } else {
            format!(
                "the name of the object ({name}) does not match the name on the URL ({})",
                ask.name
            )
        };
        return Err(Failure::bad_request(message));
    }
    let namespace = text(object, "namespace");
    if !ask.namespace.is_empty() && !namespace.is_empty() && namespace != ask.namespace {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Failure::bad_request(message));
    }
    if object
        .get("metadata")
        .is_some_and(|metadata| !metadata.is_object() && !metadata.is_null())
    {
        return Err(decode_error(
            ask,
            "json: cannot unmarshal into Go struct field metadata",
        ));
    }
    let metadata = metadata_mut(object);
    if ask.namespace.is_empty() {
        metadata.remove("namespace");
    } else {
        metadata.insert("namespace".into(), ask.namespace.into());
    }
    Ok(())
}

fn decode_error(ask: &Ask<'_>, why: &str) -> Failure {
    let kind = &ask.kind;
    let message = format!(
        "{} in version {:?} cannot be handled as a {}: {why}",
        kind.kind, kind.version, kind.kind
    );
    if ask.method == "PATCH" {
        let cause = Cause::invalid("patch", &Value::Null, why);
        return Failure::invalid_named("", "", "", &[cause]);
    }
    Failure::bad_request(message)
}

/// A label or annotation that is null is an empty text, as Go reads it.
fn read_nulls(metadata: &mut serde_json::Map<String, Value>) {
    for field in ["annotations", "labels"] {
        let values = metadata.get_mut(field).and_then(Value::as_object_mut);
        for (_, value) in values.into_iter().flatten().filter(|(_, value)| value.is_null()) {
            *value = "".into();
        }
    }
}

/// A refusal with the warnings that the body gives reason to: it was read before it was refused.
pub(super) fn warned(ask: &Ask<'_>, failure: Failure) -> Failure {
    let read = match ask.method {
        "PUT" => failure.code() != 400,
        _ => matches!(failure.code(), 409 | 422) && ask.content_type.starts_with("application/merge-patch"),
    };
    if !read || !failure.warnings().is_empty() {
        return failure;
    }
    let Ok(mut object) = json(ask.body) else {
        return failure;
    };
    match shape(ask, &mut object) {
        Ok(warnings) => failure.warning(warnings),
        Err(_) => failure,
    }
}

/// Takes away what nobody declared and adds defaults. The warnings that the client gets for it.
pub(super) fn shape(ask: &Ask<'_>, object: &mut Value) -> Result<Vec<String>, Failure> {
    let at = ask.kind.at();
    let wrong = if ask.kind.built_in {
        decode::wrong_type(object, at, &ask.kind.kind)
    } else {
        let metadata = object.get("metadata").unwrap_or(&Value::Null);
        decode::wrong_type(metadata, at.field("metadata"), "ObjectMeta")
    };
    if let Some(why) = wrong {
        return Err(decode_error(ask, &why));
    }
    let mut unknown = Vec::new();
    prune(object, at, Place::Root, &mut unknown);
    let mut warnings = objections(ask, unknown)?;
    warnings.extend(crate::kinds::warning(&ask.kind, object));
    // What is applied was never decoded, so that null stays where nothing else can be.
    let applied = ask.content_type.starts_with("application/apply-patch") && !ask.kind.built_in;
    drop_nulls(
        object,
        at,
        if applied {
            defaults_instead
        } else {
            may_not_be_null
        },
    );
    if let Some(metadata) = object.get_mut("metadata") {
        drop_nulls(metadata, at.field("metadata"), may_not_be_null);
    }
    read_nulls(metadata_mut(object));
    drop_empty(metadata_mut(object));
    add_defaults(object, at);
    if ask.kind.built_in {
        decode::as_go_writes(object, at);
        crate::kinds::default(&ask.kind, object);
    }
    Ok(warnings)
}

/// Metadata has nothing that is empty.
fn drop_empty(metadata: &mut serde_json::Map<String, Value>) {
    metadata.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    });
}

/// What is said about fields that nobody knows, or that are there twice.
fn objections(ask: &Ask<'_>, mut unknown: Vec<String>) -> Result<Vec<String>, Failure> {
    let strictness = ask.strictness();
    if strictness == Strictness::Ignore {
        return Ok(Vec::new());
    }
    unknown.sort();
    let mut said = Vec::new();
    if ask.method != "PATCH" {
        let twice = duplicates(ask.body);
        said.extend(twice.iter().map(|path| format!("duplicate field {path:?}")));
    }
    said.extend(unknown.iter().map(|path| format!("unknown field {path:?}")));
    if said.is_empty() || strictness == Strictness::Warn {
        return Ok(said);
    }
    Err(decode_error(
        ask,
        &format!("strict decoding error: {}", said.join(", ")),
    ))
}
