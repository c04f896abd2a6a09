//! Values that a schema adds where none is given.

use serde_json::Value;

use super::At;

/// Adds defaults, also inside of what a default has added.
pub(crate) fn add_defaults(value: &mut Value, at: At<'_>) {
    if !at.node.defaults_below {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, id) in &at.node.properties {
                let child = at.to(*id);
                let Some(default) = &child.node.default else {
                    continue;
                };
                let missing = match fields.get(name) {
                    None => true,
                    Some(given) => given.is_null() && !child.node.nullable,
                };
                if missing {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, inner) in fields {
                add_defaults(inner, at.field(name));
            }
        }
        Value::Array(items) => {
            for inner in items {
                add_defaults(inner, at.items());
            }
        }
        _ => {}
    }
}
