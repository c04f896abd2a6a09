//! Which fields a value has, under a schema.

use serde_json::{Map, Value};

use super::fields::{FieldSet, field};
use crate::schema::{At, ListType};

/// A value that does not fit its schema, so that its fields have no names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Untyped(pub(super) String);

/// Whether the value is replaced as a whole.
pub(super) fn is_leaf(value: &Value, at: At<'_>) -> bool {
    match value {
        Value::Object(_) => at.node.atomic,
        Value::Array(_) => at.node.list == ListType::Atomic,
        _ => true,
    }
}

/// The step to an item of a list that is a set or a map.
pub(super) fn item_step(item: &Value, at: At<'_>) -> Option<String> {
    match &at.node.list {
        ListType::Atomic => None,
        ListType::Set => Some(format!("v:{item}")),
        ListType::Map(keys) => {
            let value = |key: &String| {
                let given = item.get(key).cloned();
                given.or_else(|| {
                    let declared = at.items().declared(key)?;
                    declared.node.default.clone().or_else(|| default_key(key))
                })
            };
            let keys = keys.iter().filter_map(|key| Some((key.clone(), value(key)?)));
            let keys: Map<_, _> = keys.collect();
            (!keys.is_empty()).then(|| format!("k:{}", Value::Object(keys)))
        }
    }
}

/// Ports are told apart by a protocol that is seldom written.
fn default_key(key: &str) -> Option<Value> {
    (key == "protocol").then(|| "TCP".into())
}

/// Items of a list with their steps.
///
/// # Errors
/// An item has no key, or has that of another.
pub(super) fn steps<'v>(
    items: &'v [Value],
    at: At<'_>,
    path: &str,
    unique: bool,
) -> Result<Vec<(String, &'v Value)>, Untyped> {
    let mut steps: Vec<(String, &Value)> = Vec::with_capacity(items.len());
    for (number, item) in items.iter().enumerate() {
        let Some(step) = item_step(item, at) else {
            let keys = match &at.node.list {
                ListType::Map(keys) => keys.join("\", \""),
                _ => String::new(),
            };
            let why = format!(
                "{path}: element {number}: associative list with keys has an element that omits key field \"{keys}\" \
                 (and doesn't have default value)"
            );
            return Err(Untyped(why));
        };
        if unique && steps.iter().any(|(known, _)| *known == step) {
            let mut alone = FieldSet::default();
            alone.insert(step);
            let shown = alone.paths().concat();
            return Err(Untyped(format!("{path}: duplicate entries for key {shown}")));
        }
        steps.push((step, item));
    }
    Ok(steps)
}

/// The fields that an applier names.
///
/// # Errors
/// A field that nobody declared, or an item of a list that cannot be told apart.
pub(super) fn field_set(value: &Value, at: At<'_>) -> Result<FieldSet, Untyped> {
    let mut set = FieldSet::default();
    collect(value, at, "", &mut set)?;
    Ok(set)
}

fn collect(value: &Value, at: At<'_>, path: &str, set: &mut FieldSet) -> Result<(), Untyped> {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let declared = at.node.properties.contains_key(name);
                let inner_at = at.field(name);
                let inner_path = format!("{path}.{name}");
                if !declared && at.node.additional.is_none() && !at.node.keeps_unknown {
                    return Err(Untyped(format!("{inner_path}: field not declared in schema")));
                }
                check_shape(inner, inner_at, &inner_path)?;
                let empty = inner.as_object().is_some_and(Map::is_empty);
                if empty || !declared || is_leaf(inner, inner_at) {
                    set.insert(field(name));
                }
                if !is_leaf(inner, inner_at) {
                    let mut below = FieldSet::default();
                    collect(inner, inner_at, &inner_path, &mut below)?;
                    set.put_below(&field(name), below);
                }
            }
        }
        Value::Array(items) => {
            for (step, item) in steps(items, at, path, true)? {
                if !is_leaf(item, at.items()) {
                    let mut below = FieldSet::default();
                    collect(item, at.items(), &format!("{path}[]"), &mut below)?;
                    set.put_below(&step, below);
                }
                set.insert(step);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Refuses an object where a list is wanted, and so on.
fn check_shape(value: &Value, at: At<'_>, path: &str) -> Result<(), Untyped> {
    use crate::schema::Type;
    let (wanted, fits) = match at.node.kind {
        _ if value.is_null() => return Ok(()),
        Type::Any => return Ok(()),
        Type::Object => ("map", value.is_object()),
        Type::Array => ("list", value.is_array()),
        Type::String => ("string", value.is_string()),
        Type::Boolean => ("boolean", value.is_boolean()),
        Type::Integer | Type::Number => ("numeric (int or float)", value.is_number()),
        Type::IntOrString => ("scalar", !value.is_object() && !value.is_array()),
    };
    if fits {
        return Ok(());
    }
    let given = match value {
        Value::Object(_) => "map",
        Value::Array(_) => "list",
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        _ => "int",
    };
    Err(Untyped(format!("{path}: expected {wanted}, got {given}")))
}
