//! Fields taken out of a value.

use serde_json::Value;

use super::fields::{FieldSet, field};
use super::typed::{is_leaf, item_step};
use crate::schema::At;

/// Removes every path of the set.
pub(super) fn remove(value: &mut Value, set: &FieldSet, at: At<'_>) {
    if is_leaf(value, at) {
        return;
    }
    match value {
        Value::Object(fields) => fields.retain(|name, inner| {
            let step = field(name);
            if set.has(&step) {
                return false;
            }
            match set.below(&step) {
                Some(below) => keeps_something(inner, below, at.field(name)),
                None => true,
            }
        }),
        Value::Array(items) => items.retain_mut(|item| {
            let Some(step) = item_step(item, at) else {
                return true;
            };
            if set.has(&step) {
                return false;
            }
            if let Some(below) = set.below(&step) {
                remove(item, below, at.items());
            }
            true
        }),
        _ => {}
    }
}

/// Whether anything is left of what had something.
fn keeps_something(value: &mut Value, set: &FieldSet, at: At<'_>) -> bool {
    let empty = |value: &Value| {
        value.as_object().is_some_and(serde_json::Map::is_empty)
            || value.as_array().is_some_and(Vec::is_empty)
    };
    if empty(value) {
        return true;
    }
    remove(value, set, at);
    !empty(value)
}
