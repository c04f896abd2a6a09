//! Ownership after a create or an update.

use serde_json::Value;

use super::compare::compare_objects;
use super::fields::FieldSet;
use super::managers::{self, Manager};
use crate::object::metadata_mut;
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
    let given = new.pointer("/metadata/managedFields").cloned();
    let resets = matches!(&given, Some(Value::Array(entries)) if *entries == [serde_json::json!({})]);
    let explicit = change.subresource.is_empty() && given.as_ref() != old.pointer("/metadata/managedFields");
    let skeleton;
    let before = if old.is_null() {
        skeleton = always_there(at);
        &skeleton
    } else {
        old
    };
    let mut differences = compare_objects(before, new, at);
    for set in [
        &mut differences.added,
        &mut differences.removed,
        &mut differences.modified,
    ] {
        set.retain(change.owns);
    }
    if differences.is_empty() && !explicit {
        return;
    }
    let mut all = Vec::new();
    if !resets {
        if explicit {
            all = managers::read(new);
        }
        if all.is_empty() {
            all = managers::read(old);
        }
    }
    let untracked = all.is_empty() && !old.is_null();
    if untracked {
        metadata_mut(new).remove("managedFields");
        return;
    }
    if differences.is_empty() {
        managers::write(new, all);
        return;
    }
    let mut taken = differences.modified;
    taken.add(differences.added);
    for manager in &mut all {
        manager.fields = manager.fields.minus(&taken).minus(&differences.removed);
    }
    taken.strip();
    own(&mut all, taken, change);
    managers::write(new, all);
}

/// Adds fields to the update entry of a manager.
fn own(all: &mut Vec<Manager>, taken: FieldSet, change: Change<'_>) {
    if taken.is_empty() {
        return;
    }
    let mine = Manager {
        name: change.manager.to_owned(),
        applies: false,
        api_version: change.api_version.to_owned(),
        subresource: change.subresource.to_owned(),
        time: change.time.to_owned(),
        fields: taken,
    };
    match all.iter_mut().find(|manager| manager.is(&mine)) {
        Some(known) => {
            known.fields.add(mine.fields);
            known.time = mine.time;
        }
        None => all.push(mine),
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
