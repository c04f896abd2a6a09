//! What is there becomes something else.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::commit::{self, Author};
use super::{Done, body, metadata};
use crate::apply::{self, Change};
use crate::ask::Ask;
use crate::definitions::Kind;
use crate::failure::{Cause, Failure};
use crate::kinds::events::in_version;
use crate::object::{Object, finalizers, is_deleting, metadata_mut, text};
use crate::state::{Key, State};

pub(super) fn put(state: &mut State, ask: &Ask<'_>) -> Result<Done, Failure> {
    let mut object = body::read(ask)?;
    if ask.subresource == "scale" {
        return crate::kinds::put_scale(state, ask, &object);
    }
    body::check_kind(ask, &mut object)?;
    body::check_names(ask, &mut object)?;
    let Some(old) = current(state, ask) else {
        let manager = ask.manager();
        if ask.subresource.is_empty() && crate::kinds::created_by_put(&ask.kind) {
            let author = Author::of(ask, &manager, "create", ask.dry_run(None)?);
            metadata_mut(&mut object).remove("resourceVersion");
            return super::create::add(state, ask, object, &author, true);
        }
        return Err(Failure::not_found(&ask.kind, ask.name));
    };
    let uid = text(&object, "uid");
    if !uid.is_empty() && uid != old.uid() {
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}{}/{}, ResourceVersion: 0, AdditionalErrorMsg: \
             Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            if ask.kind.built_in {
                String::new()
            } else {
                format!("{}/", ask.kind.group)
            },
            ask.kind.plural,
            ask.key(),
            old.uid()
        );
        return Err(Failure::conflict(&ask.kind, ask.name, &why));
    }
    if text(&object, "resourceVersion").is_empty() {
        if crate::kinds::needs_version(&ask.kind) {
            let cause = Cause::new(
                "FieldValueInvalid",
                "metadata.resourceVersion",
                "Invalid value: 0: must be specified for an update",
            );
            return Err(Failure::invalid_of_plural(&ask.kind, ask.name, &[cause]));
        }
        let version = text(&old.value, "resourceVersion").to_owned();
        metadata_mut(&mut object).insert("resourceVersion".into(), version.into());
    }
    let manager = ask.manager();
    let author = Author::of(ask, &manager, "update", ask.dry_run(None)?);
    check_version(&object)?;
    replace(state, ask, &old, object, &author, true)
}

/// What is there, in the version that was asked for.
pub(super) fn current(state: &State, ask: &Ask<'_>) -> Option<Arc<Object>> {
    let object = state.get(ask.kind.table, &ask.key())?;
    let shown = match in_version(&ask.kind, &object.value) {
        Cow::Borrowed(_) => return Some(Arc::clone(object)),
        Cow::Owned(shown) => shown,
    };
    Some(Arc::new(Object::new(shown, object.version)))
}

/// A version is a number.
fn check_version(object: &Value) -> Result<(), Failure> {
    let version = text(object, "resourceVersion");
    if version.is_empty() || version.parse::<u64>().is_ok() {
        return Ok(());
    }
    let message = format!("strconv.ParseUint: parsing {version:?}: invalid syntax");
    Err(Failure::new(500, "", message))
}

/// Replaces an object by what a client has made of it. `tracks`: what is different becomes the manager's.
pub(crate) fn replace(
    state: &mut State,
    ask: &Ask<'_>,
    old: &Arc<Object>,
    mut new: Value,
    author: &Author<'_>,
    tracks: bool,
) -> Result<Done, Failure> {
    let kind = &ask.kind;
    let version = text(&new, "resourceVersion");
    if !version.is_empty() && version != text(&old.value, "resourceVersion") {
        return Err(Failure::modified(kind, ask.name));
    }
    let warnings = body::shape(ask, &mut new)?;
    if tracks {
        let now = state.clock.now();
        let change = Change {
            manager: author.manager,
            api_version: &kind.api_version,
            subresource: ask.subresource,
            time: &now,
            owns: owned(ask),
        };
        apply::track(&old.value, &mut new, kind.at(), change);
    }
    isolate(kind, ask.subresource, &old.value, &mut new);
    keep_metadata(&old.value, &mut new);
    if kind.built_in {
        crate::kinds::prepare_update(kind, ask.subresource, &old.value, &mut new);
    }
    count_generation(kind, &old.value, &mut new);
    check(ask, &old.value, &new)?;
    crate::kinds::before_store(state, kind, &mut new, author.dry_run)?;
    let object = finish(state, kind, &ask.key(), old, new, author);
    Ok(Done {
        code: 200,
        object,
        warnings,
    })
}

/// Which parts of an object can be owned at an endpoint.
pub(super) fn owned(ask: &Ask<'_>) -> fn(&str) -> bool {
    match (ask.kind.has("status"), ask.subresource) {
        (true, "") => |step| step != "f:status",
        (_, "status") => |step| step != "f:spec",
        _ => |_| true,
    }
}

/// Stores what has changed, and removes what only waited for its last finalizer.
pub(crate) fn finish(
    state: &mut State,
    kind: &Kind,
    key: &Key,
    old: &Arc<Object>,
    new: Value,
    author: &Author<'_>,
) -> Arc<Object> {
    if *old.value == new {
        commit::unchanged(state, kind, old, author);
        return Arc::clone(old);
    }
    if is_deleting(&new) && finalizers(&new).next().is_none() && !crate::kinds::holds_itself(kind, &new) {
        // What is shown is the last state, which was never stored.
        commit::erase(state, kind, key, author);
        return Arc::new(Object::new(new, old.version));
    }
    commit::store(state, kind, key, new, 200, author)
}

/// The main endpoint writes no status, and `/status` nothing else.
fn isolate(kind: &Kind, subresource: &str, old: &Value, new: &mut Value) {
    if !kind.has("status") {
        return;
    }
    let Value::Object(fields) = new else { return };
    if subresource != "status" {
        match old.get("status") {
            Some(status) => fields.insert("status".into(), status.clone()),
            None => fields.remove("status"),
        };
        return;
    }
    let empty = Map::new();
    let old = old.as_object().unwrap_or(&empty);
    fields.retain(|name, _| matches!(name.as_str(), "status" | "metadata") || old.contains_key(name));
    for (name, kept) in old
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "status" | "metadata"))
    {
        if fields.get(name) != Some(kept) {
            fields.insert(name.clone(), kept.clone());
        }
    }
    let (Some(Value::Object(new)), Some(Value::Object(kept)), false) =
        (fields.get_mut("metadata"), old.get("metadata"), kind.built_in)
    else {
        return;
    };
    let own = |name: &str| matches!(name, "managedFields" | "resourceVersion");
    new.retain(|name, _| own(name) || kept.contains_key(name));
    for (name, kept) in kept.iter().filter(|(name, _)| !own(name)) {
        if new.get(name) != Some(kept) {
            new.insert(name.clone(), kept.clone());
        }
    }
}

/// Fields of metadata that a client need not send.
const KEPT: [&str; 5] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "resourceVersion",
    "uid",
];

fn keep_metadata(old: &Value, new: &mut Value) {
    let empty = Map::new();
    let old = old.get("metadata").and_then(Value::as_object).unwrap_or(&empty);
    let new = metadata_mut(new);
    for field in KEPT {
        let fixed = matches!(
            field,
            "creationTimestamp" | "deletionTimestamp" | "deletionGracePeriodSeconds"
        );
        if fixed || !new.contains_key(field) {
            let Some(value) = old.get(field) else {
                new.remove(field);
                continue;
            };
            new.insert(field.into(), value.clone());
        }
    }
    match old.get("generation") {
        Some(generation) => new.insert("generation".into(), generation.clone()),
        None => new.remove("generation"),
    };
    new.remove("selfLink");
}

fn count_generation(kind: &Kind, old: &Value, new: &mut Value) {
    if !kind.counts_generations() {
        return;
    }
    let counted = |name: &str| {
        !(matches!(name, "metadata" | "apiVersion" | "kind") || (name == "status" && kind.has("status")))
    };
    let (Some(before), Some(after)) = (old.as_object(), new.as_object()) else {
        return;
    };
    let differs = before.keys().chain(after.keys()).any(|name| {
        let only_spec = !kind.built_in || name == "spec" || kind.plural == "endpointslices";
        counted(name) && only_spec && before.get(name) != after.get(name)
    });
    if differs {
        let generation = old
            .pointer("/metadata/generation")
            .and_then(Value::as_i64)
            .unwrap_or_default();
        metadata_mut(new).insert("generation".into(), (generation + 1).into());
    }
}

fn check(ask: &Ask<'_>, old: &Value, new: &Value) -> Result<(), Failure> {
    let kind = &ask.kind;
    // The real server finds these twice.
    let mut causes = metadata::check_update(old, new);
    causes.extend(causes.clone());
    causes.extend(metadata::check(kind, new));
    let found = crate::kinds::check(kind, new, Some(old)).into_iter();
    let at_status = ask.subresource == "status" && !kind.built_in;
    causes.extend(found.map(|cause| if at_status { cause.below("status") } else { cause }));
    if causes.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid(kind, ask.name, &causes))
}
