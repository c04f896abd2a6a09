//! Fields taken out of a value.

use serde_json::Value;

use super::fields::{FieldSet, field};
use super::typed::{is_leaf, item_step};
use crate::schema::At;

/// Removes every path of the set. What is emptied by that, and stays because others own it, is null: as the real server's
/// library does it, so that a schema which knows no null there refuses the apply.
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
            if let Some(below) = set.below(&step) {
                remove(inner, below, at.field(name));
                empty_is_null(inner, below);
            }
            true
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
                empty_is_null(item, below);
            }
            true
        }),
        _ => {}
    }
}

fn empty_is_null(value: &mut Value, removed: &FieldSet) {
    let empty = match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    if empty && !removed.is_empty() {
        *value = Value::Null;
    }
}
