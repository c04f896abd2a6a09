//! Fields that no schema declares go, and so do nulls where no null may be.

use serde_json::Value;

use super::{At, Type};
use crate::place::Place;

/// Removes what is not declared. The paths of what was removed are added to `removed`.
pub(crate) fn prune(value: &mut Value, at: At<'_>, place: Place<'_>, removed: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if !at.node.keeps_unknown && at.node.kind == Type::Object {
                fields.retain(|name, _| {
                    let known = at.knows(name);
                    if !known {
                        removed.push(place.field(name).to_string());
                    }
                    known
                });
            }
            for (name, inner) in fields {
                if inner.is_object() || inner.is_array() {
                    prune(inner, at.field(name), place.field(name), removed);
                }
            }
        }
        Value::Array(items) => {
            for (number, inner) in items.iter_mut().enumerate() {
                if inner.is_object() || inner.is_array() {
                    prune(inner, at.items(), place.item(number), removed);
                }
            }
        }
        _ => {}
    }
}

/// Removes nulls where the schema allows none: they mean *not given*.
pub(crate) fn drop_nulls(value: &mut Value, at: At<'_>, goes: fn(At<'_>) -> bool) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, inner| {
                let other = || at.node.additional.is_some().then(|| at.field(name));
                !inner.is_null() || at.declared(name).or_else(other).is_none_or(|here| !goes(here))
            });
            for (name, inner) in fields {
                if inner.is_object() || inner.is_array() {
                    drop_nulls(inner, at.field(name), goes);
                }
            }
        }
        Value::Array(items) => {
            for inner in items {
                drop_nulls(inner, at.items(), goes);
            }
        }
        _ => {}
    }
}

/// Whether null is no value here.
pub(crate) fn may_not_be_null(at: At<'_>) -> bool {
    !at.node.nullable && at.node.kind != Type::Any
}

/// Whether null gives way to a default here.
pub(crate) fn defaults_instead(at: At<'_>) -> bool {
    may_not_be_null(at) && at.node.default.is_some()
}
