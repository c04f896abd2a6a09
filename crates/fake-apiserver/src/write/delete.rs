//! One object, or a collection.

use std::sync::Arc;

use serde_json::Value;

use super::commit::{self, Author};
use super::success;
use crate::answer::Answer;
use crate::ask::Ask;
use crate::definitions::Kind;
use crate::failure::{Cause, Failure};
use crate::object::{Object, finalizers, metadata_mut, text};
use crate::state::{Key, State};

/// What happens to dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    Background,
    Foreground,
    Orphan,
}

/// The finalizers by which the garbage collector knows what is wanted.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
pub(crate) const ORPHAN: &str = "orphan";

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Result<Answer, Failure> {
    let options = options(ask)?;
    let old = state.get(ask.kind.table, &ask.key()).cloned();
    let old = old.ok_or_else(|| Failure::not_found(&ask.kind, ask.name))?;
    check_preconditions(ask, &old, &options)?;
    crate::kinds::check_delete(&ask.kind, &old)?;
    let manager = ask.manager();
    let author = Author::of(ask, &manager, "delete", ask.dry_run(Some(&options))?);
    let wanted = Wanted {
        policy: policy(ask, &options)?,
        grace: grace(ask, &options),
    };
    let (object, gone) = remove(state, &ask.kind, &ask.key(), &old, wanted, &author);
    if gone && !crate::kinds::shows_deleted(&ask.kind) {
        return Ok(Answer::json(200, success(ask, &object).to_string()));
    }
    let mut text = Vec::new();
    object.write(&ask.kind, ask.shown, &mut text);
    Ok(Answer::json(200, text))
}

pub(super) fn delete_collection(state: &mut State, ask: &Ask<'_>) -> Result<Answer, Failure> {
    if !ask.kind.verbs.iter().any(|verb| verb == "deletecollection") {
        return Err(Failure::method_not_allowed());
    }
    let options = options(ask)?;
    let listed = crate::read::list(state, ask)?;
    let selected = crate::read::selected(state, ask)?;
    let manager = ask.manager();
    let author = Author::of(ask, &manager, "deletecollection", ask.dry_run(Some(&options))?);
    let wanted = Wanted {
        policy: policy(ask, &options)?,
        grace: grace(ask, &options),
    };
    for (key, object) in selected {
        remove(state, &ask.kind, &key, &object, wanted, &author);
    }
    Ok(listed)
}

fn options(ask: &Ask<'_>) -> Result<Value, Failure> {
    if ask.body.is_empty() {
        return Ok(Value::Null);
    }
    let options: Value = serde_json::from_slice(ask.body).map_err(|error| {
        Failure::bad_request(format!("couldn't get version/kind; json parse error: {error}"))
    })?;
    let kind = options
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or("DeleteOptions");
    if kind != "DeleteOptions" {
        let message = format!("decoded object cannot be converted to DeleteOptions: {kind}");
        return Err(Failure::bad_request(message));
    }
    if options.get("orphanDependents").is_some() && options.get("propagationPolicy").is_some() {
        let why = "orphanDependents and deletionPropagation cannot be both set";
        let cause = Cause::invalid("propagationPolicy", &options["propagationPolicy"], why);
        return Err(Failure::invalid_named(
            "meta.k8s.io",
            "DeleteOptions",
            "",
            &[cause],
        ));
    }
    Ok(options)
}

fn check_preconditions(ask: &Ask<'_>, old: &Object, options: &Value) -> Result<(), Failure> {
    let wanted = |field: &str| {
        let text = options.pointer(&format!("/preconditions/{field}"))?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let conflict = |why: String| Err(Failure::conflict_of_kind(&ask.kind, ask.name, &why));
    if let Some(uid) = wanted("uid").filter(|uid| ask.kind.is("", "namespaces") && uid != old.uid()) {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            old.uid()
        );
        return Err(Failure::conflict(&ask.kind, ask.name, &why));
    }
    if let Some(uid) = wanted("uid").filter(|uid| uid != old.uid()) {
        return conflict(format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been \
             deleted and then recreated",
            old.uid()
        ));
    }
    let version = text(&old.value, "resourceVersion");
    if let Some(wanted) = wanted("resourceVersion").filter(|wanted| wanted != version) {
        return conflict(format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record \
             ({version}). The object might have been modified"
        ));
    }
    Ok(())
}

fn policy(ask: &Ask<'_>, options: &Value) -> Result<Option<Policy>, Failure> {
    let in_body = options
        .get("propagationPolicy")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let given = ask
        .query
        .get("propagationPolicy")
        .map(std::borrow::Cow::into_owned)
        .or(in_body);
    match given.as_deref() {
        None => Ok(match options.get("orphanDependents").and_then(Value::as_bool) {
            Some(true) => Some(Policy::Orphan),
            Some(false) => Some(Policy::Background),
            None => None,
        }),
        Some("Background") => Ok(Some(Policy::Background)),
        Some("Foreground") => Ok(Some(Policy::Foreground)),
        Some("Orphan") => Ok(Some(Policy::Orphan)),
        Some(other) => {
            let cause = Cause::new(
                "FieldValueNotSupported",
                "propagationPolicy",
                format!(
                    "Unsupported value: {other:?}: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
                ),
            );
            Err(Failure::invalid_named(
                "meta.k8s.io",
                "DeleteOptions",
                "",
                &[cause],
            ))
        }
    }
}

fn grace(ask: &Ask<'_>, options: &Value) -> Option<i64> {
    let in_query = ask
        .query
        .get("gracePeriodSeconds")
        .and_then(|text| text.parse().ok());
    in_query.or_else(|| options.get("gracePeriodSeconds").and_then(Value::as_i64))
}

/// How something is deleted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) policy: Option<Policy>,
    pub(crate) grace: Option<i64>,
}

/// Deletes an object, or marks it if something holds it. Whether it is gone.
pub(crate) fn remove(
    state: &mut State,
    kind: &Kind,
    key: &Key,
    old: &Arc<Object>,
    wanted: Wanted,
    author: &Author<'_>,
) -> (Arc<Object>, bool) {
    let mut new = Value::clone(&old.value);
    set_policy(&mut new, wanted.policy);
    if kind.is("apiextensions.k8s.io", "customresourcedefinitions") && !old.is_deleting() {
        crate::chores::definitions::hold(&mut new);
    }
    let grace = crate::kinds::grace(kind, &old.value, wanted.grace);
    let has_content = !kind.is("", "pods") && crate::kinds::holds_itself(kind, &new);
    let held = finalizers(&new).next().is_some() || grace > 0 || has_content;
    if !held {
        let gone = commit::erase(state, kind, key, author).unwrap_or_else(|| Arc::clone(old));
        if !kind.is("", "pods") {
            return (gone, true);
        }
        mark(state, kind, &mut new, 0);
        let version = gone.version.to_string();
        metadata_mut(&mut new).insert("resourceVersion".into(), version.into());
        return (Arc::new(Object::new(new, gone.version)), true);
    }
    mark(state, kind, &mut new, grace);
    if new == *old.value {
        commit::unchanged(state, kind, old, author);
        return (Arc::clone(old), false);
    }
    (commit::store(state, kind, key, new, 200, author), false)
}

fn set_policy(object: &mut Value, policy: Option<Policy>) {
    let Some(policy) = policy else { return };
    let mut all: Vec<String> = finalizers(object)
        .filter(|finalizer| !matches!(*finalizer, FOREGROUND | ORPHAN))
        .map(str::to_owned)
        .collect();
    match policy {
        Policy::Background => {}
        Policy::Foreground => all.push(FOREGROUND.to_owned()),
        Policy::Orphan => all.push(ORPHAN.to_owned()),
    }
    let metadata = metadata_mut(object);
    if all.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".into(), all.into());
    }
}

/// Says since when an object is being deleted; later deletes may only shorten the time it has.
fn mark(state: &State, kind: &Kind, object: &mut Value, grace: i64) {
    let now = state.clock.seconds();
    let metadata = metadata_mut(object);
    let former = metadata.get("deletionGracePeriodSeconds").and_then(Value::as_i64);
    if metadata.contains_key("deletionTimestamp") {
        if former.is_some_and(|former| grace < former) {
            metadata.insert("deletionGracePeriodSeconds".into(), grace.into());
            metadata.insert(
                "deletionTimestamp".into(),
                crate::clock::written(now + grace).into(),
            );
        }
        return;
    }
    metadata.insert(
        "deletionTimestamp".into(),
        crate::clock::written(now + grace).into(),
    );
    if !kind.is("", "namespaces") {
        metadata.insert("deletionGracePeriodSeconds".into(), grace.into());
    }
    let definition = kind.is("apiextensions.k8s.io", "customresourcedefinitions");
    if let Some(generation) = metadata
        .get("generation")
        .filter(|_| !definition)
        .and_then(Value::as_i64)
    {
        metadata.insert("generation".into(), (generation + 1).into());
    }
    if kind.built_in {
        crate::kinds::on_delete(kind, object);
    }
}
