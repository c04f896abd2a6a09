//! Which fields differ between two values.

use serde_json::{Map, Value};

use super::fields::{FieldSet, UNOWNED, field};
use super::typed::{is_leaf, item_step};
use crate::schema::At;

/// The fields that one value has beyond another.
#[derive(Debug, Default)]
pub(super) struct Differences {
    pub(super) added: FieldSet,
    pub(super) removed: FieldSet,
    pub(super) modified: FieldSet,
}

impl Differences {
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.modified.is_empty()
    }

    fn put_below(&mut self, step: &str, inner: Differences) {
        self.added.put_below(step, inner.added);
        self.removed.put_below(step, inner.removed);
        self.modified.put_below(step, inner.modified);
    }
}

/// Compares two objects, without what nobody owns in their metadata.
pub(super) fn compare_objects(old: &Value, new: &Value, at: At<'_>) -> Differences {
    let mut found = Differences::default();
    let (empty, here) = (Map::new(), |value: &'_ Value| value.as_object().is_some());
    if !here(new) {
        return found;
    }
    let (old, new) = (
        old.as_object().unwrap_or(&empty),
        new.as_object().unwrap_or(&empty),
    );
    for (name, old, new) in pairs(old, new) {
        if matches!(name, "apiVersion" | "kind") || old == new {
            continue;
        }
        let inner = if name == "metadata" {
            metadata(old, new, at.field(name))
        } else {
            child(&field(name), old, new, at.field(name), &mut found);
            continue;
        };
        found.put_below("f:metadata", inner);
    }
    found
}

fn metadata(old: Option<&Value>, new: Option<&Value>, at: At<'_>) -> Differences {
    let empty = Map::new();
    let fields = |value: Option<&'_ Value>| value.and_then(Value::as_object).is_some();
    let mut found = Differences::default();
    let old_fields = old
        .filter(|_| fields(old))
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let new_fields = new
        .filter(|_| fields(new))
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    for (name, old, new) in pairs(old_fields, new_fields) {
        if !UNOWNED.contains(&name) && old != new {
            child(&field(name), old, new, at.field(name), &mut found);
        }
    }
    found
}

/// Every name of either map, with both values.
fn pairs<'v>(
    old: &'v Map<String, Value>,
    new: &'v Map<String, Value>,
) -> impl Iterator<Item = (&'v str, Option<&'v Value>, Option<&'v Value>)> {
    let both = old
        .iter()
        .map(move |(name, value)| (name.as_str(), Some(value), new.get(name)));
    let only_new = new
        .iter()
        .filter(move |(name, _)| !old.contains_key(*name))
        .map(|(name, value)| (name.as_str(), None, Some(value)));
    both.chain(only_new)
}

/// Compares what stands behind one step.
fn child(step: &str, old: Option<&Value>, new: Option<&Value>, at: At<'_>, found: &mut Differences) {
    if old == new {
        return;
    }
    let nothing = |value: Option<&Value>| value.is_none_or(|value| value.is_null() || is_empty(value));
    let leaf = match (old.filter(|old| !old.is_null()), new.filter(|new| !new.is_null())) {
        (Some(one), Some(other)) => {
            is_leaf(one, at) || is_leaf(other, at) || one.is_object() != other.is_object()
        }
        (Some(one), None) | (None, Some(one)) => is_leaf(one, at),
        (None, None) => true,
    };
    let leaf = leaf || (nothing(old) && nothing(new));
    if !leaf {
        let mut inner = Differences::default();
        contents(old, new, at, &mut inner);
        found.put_below(step, inner);
    }
    match (old, new) {
        (None, _) => found.added.insert(step.to_owned()),
        (_, None) => found.removed.insert(step.to_owned()),
        _ if leaf => found.modified.insert(step.to_owned()),
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

fn contents(old: Option<&Value>, new: Option<&Value>, at: At<'_>, found: &mut Differences) {
    let either = new.or(old);
    if either.is_some_and(Value::is_object) {
        let empty = Map::new();
        let old = old.and_then(Value::as_object).unwrap_or(&empty);
        let new = new.and_then(Value::as_object).unwrap_or(&empty);
        for (name, old, new) in pairs(old, new) {
            child(&field(name), old, new, at.field(name), found);
        }
        return;
    }
    let (old, new) = (items(old, at), items(new, at));
    for (step, item) in &old {
        child(step, Some(item), find(&new, step), at.items(), found);
    }
    for (step, item) in new.iter().filter(|(step, _)| find(&old, step).is_none()) {
        child(step, None, Some(item), at.items(), found);
    }
}

fn items<'v>(list: Option<&'v Value>, at: At<'_>) -> Vec<(String, &'v Value)> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| Some((item_step(item, at)?, item)))
        .collect()
}

fn find<'v>(list: &[(String, &'v Value)], step: &str) -> Option<&'v Value> {
    let found = list.iter().find(|(known, _)| known == step);
    found.map(|(_, item)| *item)
}
