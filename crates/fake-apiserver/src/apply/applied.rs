//! The result of an apply, and its conflicts.

use serde_json::Value;

use super::compare::compare_objects;
use super::fields::{FieldSet, UNOWNED};
use super::managers::{self, Who};
use super::merge::{covers, merge};
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

/// Applies onto `live`; null: onto nothing. The object with its managed fields; nothing: neither a field nor its ownership
/// has changed.
///
/// # Errors
/// A conflict with another manager, or a body that does not fit the schema.
pub(crate) fn apply(live: &Value, at: At<'_>, intent: Intent<'_>) -> Result<Option<Value>, Failure> {
    let untyped = |error: Untyped| {
        let message = format!("failed to create typed patch object ({}): {error}", intent.shown);
        Failure::new(500, "", message)
    };
    let mut wanted = field_set(intent.given, at).map_err(untyped)?;
    wanted.retain(intent.by.owns);
    let me = Who::by(intent.by, true);
    let former = managers::of(live).iter().find(|entry| Who::of(entry).is(&me));
    let last = former.map(|former| FieldSet::parse(former.get("fieldsV1").unwrap_or(&Value::Null)));
    let mut owned = wanted.clone();
    owned.strip();
    let same_fields = last.as_ref() == Some(&owned);
    if same_fields && covers(live, intent.given, at) {
        return Ok(None);
    }
    let mut object = live.clone();
    let mut entries = managers::take(&mut object);
    if entries.is_empty() && !live.is_null() {
        entries.push(before_first_apply(live, at, intent.by));
    }
    merge(&mut object, intent.given, at).map_err(untyped)?;
    let mine = entries.iter().position(|entry| Who::of(entry).is(&me));
    let former = mine.map(|mine| entries.remove(mine));
    if let Some(last) = last.filter(|last| !last.is_within(&wanted)) {
        object = prune(&object, &last, &wanted, &entries, at);
    }
    let changes = take_over(live, &object, at, &mut entries, intent)?;

    // As the real server does it: who changes nothing gets no time.
    let time = match &former {
        _ if changes || live.is_null() => intent.by.time,
        Some(former) => managers::text(former, "time"),
        None => "",
    };
    entries.push(me.entry(&owned, time));
    managers::put(&mut object, entries);
    Ok((object != *live).then_some(object))
}

/// Who owns an object that nobody tracked.
fn before_first_apply(live: &Value, at: At<'_>, by: Change<'_>) -> Value {
    let mut fields = compare_objects(&Value::Null, live, at).added;
    fields.strip();
    let who = Who {
        name: "before-first-apply",
        applies: false,
        api_version: by.api_version,
        subresource: "",
    };
    who.entry(&fields, "")
}

/// Takes out what the applier named the last time and does not name now, unless somebody else owns it.
fn prune(merged: &Value, last: &FieldSet, wanted: &FieldSet, others: &[Value], at: At<'_>) -> Value {
    let last = last.with_parents(at);
    let mut pruned = merged.clone();
    remove(&mut pruned, &last, at);
    let whole = |value: &Value| {
        let set = field_set(value, at).unwrap_or_default();
        set.with_parents(at)
    };
    let all_of_it = whole(merged);
    let mut managed = wanted.clone();
    for other in others {
        managed.add(FieldSet::parse(other.get("fieldsV1").unwrap_or(&Value::Null)));
    }
    let gone = all_of_it.minus(&whole(&pruned)).minus(&managed.with_parents(at));
    let mut pruned = merged.clone();
    remove(&mut pruned, &gone, at);
    let dangling = all_of_it.minus(&whole(&pruned)).shared_with(&last);
    let mut pruned = merged.clone();
    remove(&mut pruned, &dangling, at);
    keep_identity(merged, &mut pruned);
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

/// What changes is taken from others by force, or is a conflict. Whether anything changes.
fn take_over(
    live: &Value,
    object: &Value,
    at: At<'_>,
    others: &mut [Value],
    intent: Intent<'_>,
) -> Result<bool, Failure> {
    let differences = compare_objects(live, object, at);
    let changes = !differences.is_empty();
    let mut taken: FieldSet = differences.modified;
    taken.add(differences.added);
    taken.retain(intent.by.owns);
    let mut conflicts = Vec::new();
    for other in others.iter() {
        let fields = other.get("fieldsV1").unwrap_or(&Value::Null);
        let paths = taken.shared_with_fields(fields).paths();
        if !paths.is_empty() {
            conflicts.push((Who::of(other).shown(), paths));
        }
    }
    conflicts.sort();
    if !conflicts.is_empty() && !intent.force {
        return Err(conflict(&conflicts));
    }
    for other in others {
        let fields = managers::fields_mut(other);
        taken.take_from(fields);
        differences.removed.take_from(fields);
    }
    Ok(changes)
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
