//! The result of an apply, and its conflicts.

use serde_json::Value;

use super::compare::compare_objects;
use super::fields::{FieldSet, UNOWNED};
use super::managers::{self, Manager};
use super::merge::merge;
use super::remove::remove;
use super::typed::{Untyped, field_set};
use super::update::Change;
use crate::failure::{Cause, Failure};
use crate::object::metadata_mut;
use crate::schema::At;

/// What an applier wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intent<'i> {
    pub(crate) given: &'i Value,
    pub(crate) force: bool,
    pub(crate) by: Change<'i>,
    /// Who is shown in an error: namespace, name and kind.
    pub(crate) shown: &'i str,
}

/// The object after an apply, with its managed fields.
pub(crate) struct Applied {
    pub(crate) object: Value,
    /// Neither a field nor its ownership has changed.
    pub(crate) unchanged: bool,
}

/// Applies onto `live`; null: onto nothing.
///
/// # Errors
/// A conflict with another manager, or a body that does not fit the schema.
pub(crate) fn apply(live: &Value, at: At<'_>, intent: Intent<'_>) -> Result<Applied, Failure> {
    let untyped = |error: Untyped| {
        let message = format!("failed to create typed patch object ({}): {error}", intent.shown);
        Failure::new(500, "", message)
    };
    let mut all = managers::read(live);
    if all.is_empty() && !live.is_null() {
        all.push(before_first_apply(live, at, intent.by));
    }
    let mut wanted = field_set(intent.given, at).map_err(untyped)?;
    wanted.retain(intent.by.owns);
    let merged = if live.is_null() {
        intent.given.clone()
    } else {
        merge(live, intent.given, at).map_err(untyped)?
    };
    let mut me = Manager {
        name: intent.by.manager.to_owned(),
        applies: true,
        api_version: intent.by.api_version.to_owned(),
        subresource: intent.by.subresource.to_owned(),
        time: intent.by.time.to_owned(),
        fields: wanted,
    };
    let mine = all.iter().position(|manager| manager.is(&me));
    let former = mine.map(|mine| all.remove(mine));
    let object = prune(merged, former.as_ref(), &me, &all, at);
    take_over(live, &object, at, &mut all, &me, intent)?;

    if !live.is_null() && same_but_managers(live, &object) {
        // As the real server does it: who changes nothing gets no time.
        me.time = former.map(|former| former.time).unwrap_or_default();
    }
    me.fields.strip();
    all.push(me);
    let mut object = object;
    managers::write(&mut object, all);
    Ok(Applied {
        unchanged: object == *live,
        object,
    })
}

fn same_but_managers(live: &Value, object: &Value) -> bool {
    let same = |one: &Value, other: &Value, field: &str| one.get(field) == other.get(field);
    let fields = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
    fields(live) == fields(object)
        && object.as_object().into_iter().flatten().all(|(name, value)| {
            if name != "metadata" {
                return live.get(name) == Some(value);
            }
            let keys = value.as_object().into_iter().flat_map(serde_json::Map::keys);
            keys.chain(live[name].as_object().into_iter().flat_map(serde_json::Map::keys))
                .all(|key| key == "managedFields" || same(&live[name], value, key))
        })
}

/// Who owns an object that nobody tracked.
fn before_first_apply(live: &Value, at: At<'_>, by: Change<'_>) -> Manager {
    let mut fields = compare_objects(&Value::Null, live, at).added;
    fields.strip();
    Manager {
        name: "before-first-apply".to_owned(),
        applies: false,
        api_version: by.api_version.to_owned(),
        subresource: String::new(),
        time: String::new(),
        fields,
    }
}

/// Takes out what the applier named the last time and does not name now, unless somebody else owns it.
fn prune(merged: Value, former: Option<&Manager>, me: &Manager, others: &[Manager], at: At<'_>) -> Value {
    let Some(former) = former.filter(|former| !former.fields.is_empty()) else {
        return merged;
    };
    let last = former.fields.with_parents(at);
    let mut pruned = merged.clone();
    remove(&mut pruned, &last, at);
    let whole = |value: &Value| {
        let set = field_set(value, at).unwrap_or_default();
        set.with_parents(at)
    };
    let all_of_it = whole(&merged);
    let mut managed = me.fields.clone();
    for other in others {
        managed.add(other.fields.clone());
    }
    let gone = all_of_it.minus(&whole(&pruned)).minus(&managed.with_parents(at));
    let mut pruned = merged.clone();
    remove(&mut pruned, &gone, at);
    let dangling = all_of_it.minus(&whole(&pruned)).shared_with(&last);
    let mut pruned = merged.clone();
    remove(&mut pruned, &dangling, at);
    keep_identity(&merged, &mut pruned);
    pruned
}

/// What nobody owns is not removed by anybody.
fn keep_identity(merged: &Value, pruned: &mut Value) {
    let Some(from) = merged.get("metadata").and_then(Value::as_object) else {
        return;
    };
    let to = metadata_mut(pruned);
    for field in UNOWNED {
        if let Some(value) = from.get(field) {
            to.entry(field).or_insert_with(|| value.clone());
        }
    }
    for field in ["apiVersion", "kind"] {
        if let Some(value) = merged.get(field) {
            pruned[field] = value.clone();
        }
    }
}

/// What changes is taken from others by force, or is a conflict.
fn take_over(
    live: &Value,
    object: &Value,
    at: At<'_>,
    others: &mut [Manager],
    me: &Manager,
    intent: Intent<'_>,
) -> Result<(), Failure> {
    let differences = compare_objects(live, object, at);
    let mut taken: FieldSet = differences.modified;
    taken.add(differences.added);
    taken.retain(intent.by.owns);
    let mut conflicts = Vec::new();
    for other in others.iter().filter(|other| !other.is(me)) {
        let paths = other.fields.shared_with(&taken).paths();
        if !paths.is_empty() {
            conflicts.push((other.shown(), paths));
        }
    }
    if !conflicts.is_empty() && !intent.force {
        return Err(conflict(&conflicts));
    }
    for other in others {
        other.fields = other.fields.minus(&taken).minus(&differences.removed);
    }
    Ok(())
}

fn conflict(conflicts: &[(String, Vec<String>)]) -> Failure {
    let causes: Vec<_> = conflicts
        .iter()
        .flat_map(|(manager, paths)| {
            paths.iter().map(move |path| {
                Cause::new(
                    "FieldManagerConflict",
                    path.clone(),
                    format!("conflict with {manager}"),
                )
            })
        })
        .collect();
    let message = if let ([(manager, _)], [one]) = (conflicts, causes.as_slice()) {
        format!(
            "Apply failed with 1 conflict: conflict with {manager}: {}",
            one.field
        )
    } else {
        let lines = conflicts.iter().flat_map(|(manager, paths)| {
            let paths = paths.iter().map(|path| format!("- {path}"));
            std::iter::once(format!("conflicts with {manager}:")).chain(paths)
        });
        let lines: Vec<_> = lines.collect();
        format!(
            "Apply failed with {} conflicts: {}",
            causes.len(),
            lines.join("\n")
        )
    };
    Failure::new(409, "Conflict", message).caused(&causes)
}
