//! Ownership after a create or an update.

use serde_json::Value;

use super::compare::{Differences, compare_objects};
use super::fields::FieldSet;
use super::managers::{self, Who};
use crate::schema::At;

/// Who changes an object, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'c> {
    pub(crate) manager: &'c str,
    pub(crate) api_version: &'c str,
    /// Empty: the object itself.
    pub(crate) subresource: &'c str,
    pub(crate) time: &'c str,
    /// Whether a first step (`f:status`) may be owned at this endpoint.
    pub(crate) owns: fn(&str) -> bool,
}

/// Everything may be owned.
pub(crate) fn everything(_: &str) -> bool {
    true
}

/// Writes into `new` who owns its fields after it has replaced `old` (null: nothing was there).
pub(crate) fn track(old: &Value, new: &mut Value, at: At<'_>, change: Change<'_>) {
    let given = managers::of(new);
    let resets = matches!(given, [Value::Object(only)] if only.is_empty());
    let explicit = change.subresource.is_empty() && given != managers::of(old);
    let skeleton;
    let before = if old.is_null() {
        skeleton = always_there(at);
        &skeleton
    } else {
        old
    };
    let differences = differences(before, new, at, change);
    if differences.is_empty() && given == managers::of(old) {
        return;
    }
    let mut entries = managers::take(new);
    if explicit {
        entries = managers::normalized(&entries);
    }
    if resets {
        entries = Vec::new();
    } else if entries.is_empty() || !change.subresource.is_empty() {
        entries = managers::of(old).to_vec();
    }
    let untracked = entries.is_empty() && !old.is_null();
    if untracked {
        return;
    }
    let mut taken = differences.modified;
    taken.add(differences.added);
    for entry in &mut entries {
        let fields = managers::fields_mut(entry);
        taken.take_from(fields);
        differences.removed.take_from(fields);
    }
    taken.strip();
    own(&mut entries, &taken, change);
    managers::put(new, entries);
}

/// What differs, as far as it can be owned.
fn differences(old: &Value, new: &Value, at: At<'_>, change: Change<'_>) -> Differences {
    let mut found = compare_objects(old, new, at);
    for set in [&mut found.added, &mut found.removed, &mut found.modified] {
        set.retain(change.owns);
    }
    found
}

/// Adds fields to the update entry of a manager.
fn own(entries: &mut Vec<Value>, taken: &FieldSet, change: Change<'_>) {
    if taken.is_empty() {
        return;
    }
    let me = Who::by(change, false);
    match entries.iter_mut().find(|entry| Who::of(entry).is(&me)) {
        Some(known) => {
            taken.add_to(managers::fields_mut(known));
            known["time"] = change.time.into();
        }
        None => entries.push(me.entry(taken, change.time)),
    }
}

/// The parts of a built-in kind that are there without anybody having given them: nobody owns these.
fn always_there(at: At<'_>) -> Value {
    let mut parts = serde_json::Map::new();
    for (name, part) in at.parts() {
        let given = part.node.default.as_ref().is_some_and(Value::is_object);
        if given {
            parts.insert(name.clone(), always_there(part));
        } else if at.node.required.contains(name) {
            parts.insert(name.clone(), Value::Null);
        }
    }
    Value::Object(parts)
}
