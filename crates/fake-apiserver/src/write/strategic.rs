//! Strategic merge patches of built-in kinds, as far as clients of today send them: maps are merged, lists that are sets or
//! maps too, `$patch: delete` and `$patch: replace` are understood.

use serde_json::{Map, Value};

use crate::schema::{At, ListType};

const DIRECTIVE: &str = "$patch";

pub(super) fn merge(target: &mut Value, patch: &Value, at: At<'_>) {
    match patch {
        Value::Object(patch) if !at.node.atomic => merge_map(target, patch, at),
        Value::Array(items) if at.node.list != ListType::Atomic => merge_list(target, items, at),
        other => *target = other.clone(),
    }
}

fn merge_map(target: &mut Value, patch: &Map<String, Value>, at: At<'_>) {
    let replaces = patch.get(DIRECTIVE).and_then(Value::as_str) == Some("replace");
    if !target.is_object() || replaces {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, value) in patch.iter().filter(|(name, _)| !name.starts_with('$')) {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(
                fields.entry(name.clone()).or_insert(Value::Null),
                value,
                at.field(name),
            );
        }
    }
}

/// Items of the patch come first, in its order.
fn merge_list(target: &mut Value, patch: &[Value], at: At<'_>) {
    let old = target.as_array().cloned().unwrap_or_default();
    let mut left = old;
    let mut merged = Vec::with_capacity(patch.len() + left.len());
    for item in patch {
        let known = left.iter().position(|other| same(other, item, at));
        let mut base = known.map(|index| left.remove(index)).unwrap_or_default();
        if item.get(DIRECTIVE).and_then(Value::as_str) == Some("delete") {
            continue;
        }
        merge(&mut base, item, at.items());
        merged.push(base);
    }
    merged.append(&mut left);
    *target = Value::Array(merged);
}

/// Whether a patch's item is about this item: by the keys that it names.
fn same(item: &Value, patch: &Value, at: At<'_>) -> bool {
    let ListType::Map(keys) = &at.node.list else {
        return item == patch;
    };
    let mut named = keys.iter().filter(|key| patch.get(*key).is_some()).peekable();
    named.peek().is_some() && named.all(|key| item.get(key) == patch.get(key))
}
