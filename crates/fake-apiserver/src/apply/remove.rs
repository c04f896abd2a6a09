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
            if let Some(below) = set.below(&step) {
                remove(inner, below, at.field(name));
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
            }
            true
        }),
        _ => {}
    }
}
