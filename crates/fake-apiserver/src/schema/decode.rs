//! What Go's types do to built-in kinds: values of another type are refused, and empty parts are not written.

use base64::Engine as _;
use serde_json::Value;

use super::{At, Type};

/// Why a value cannot be read into its type.
pub(crate) fn wrong_type(value: &Value, at: At<'_>, path: &str) -> Option<String> {
    let given = match value {
        Value::Null => return None,
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let (wanted, fits) = match at.node.kind {
        Type::Any => return None,
        Type::Object => ("map[string]string", value.is_object()),
        Type::Array => ("[]string", value.is_array()),
        Type::String => ("string", value.is_string()),
        Type::Boolean => ("bool", value.is_boolean()),
        Type::Integer => ("int32", value.is_i64() || value.is_u64()),
        Type::Number => ("float64", value.is_number()),
        Type::IntOrString => ("string", value.is_number() || value.is_string()),
    };
    if !fits {
        return Some(format!(
            "json: cannot unmarshal {given} into Go struct field {path} of type {wanted}"
        ));
    }
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, inner)| {
            let declared = at.node.properties.contains_key(name);
            if declared {
                wrong_type(inner, at.field(name), &format!("{path}.{name}"))
            } else {
                wrong_type(inner, at.field(name), path)
            }
        }),
        Value::Array(items) => items.iter().find_map(|inner| wrong_type(inner, at.items(), path)),
        Value::String(text) if at.node.is_bytes() => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text);
            bytes
                .err()
                .map(|_| "illegal base64 data at input byte 0".to_owned())
        }
        _ => None,
    }
}

/// Leaves out empty lists and maps, and writes null for a list that is always written.
pub(crate) fn as_go_writes(value: &mut Value, at: At<'_>) {
    match value {
        Value::Object(fields) => {
            if !at.node.properties.is_empty() {
                fields.retain(|name, inner| {
                    at.declared(name)
                        .is_none_or(|here| !is_empty(inner, here) || at.node.required.contains(name))
                });
                for name in &at.node.required {
                    let list = at
                        .declared(name)
                        .is_some_and(|here| here.node.kind == Type::Array);
                    let given = fields.get(name).and_then(Value::as_array);
                    if list && given.is_none_or(Vec::is_empty) {
                        fields.insert(name.clone(), Value::Null);
                    }
                }
            }
            for (name, inner) in fields {
                as_go_writes(inner, at.field(name));
            }
        }
        Value::Array(items) => {
            for inner in items {
                as_go_writes(inner, at.items());
            }
        }
        _ => {}
    }
}

/// An empty list, or an empty map that is no struct.
fn is_empty(value: &Value, at: At<'_>) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty() && at.node.additional.is_some(),
        _ => false,
    }
}
