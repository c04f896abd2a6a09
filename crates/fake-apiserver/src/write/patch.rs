//! The kinds of patches: merge, JSON and server-side apply. Strategic merge is refused.

use serde_json::Value;

use super::commit::Author;
use super::{Done, body, create, update};
use crate::apply::{self, Change, Intent};
use crate::ask::Ask;
use crate::failure::{Cause, Failure};
use crate::object::{Object, text};
use crate::state::State;

pub(super) fn patch(state: &mut State, ask: &Ask<'_>) -> Result<Done, Failure> {
    let media = ask.content_type.split(';').next().unwrap_or_default().trim();
    match media {
        "application/apply-patch+yaml" | "application/apply-patch+json" => applied(state, ask),
        "application/merge-patch+json" | "application/json-patch+json" => {
            let manager = ask.manager();
            let author = Author::of(ask, &manager, "patch", ask.dry_run(None)?);
            check_force(ask)?;
            let old = state.get(ask.kind.table, &ask.key()).cloned();
            let old = old.ok_or_else(|| Failure::not_found(&ask.kind, ask.name))?;
            let live = live(ask, &old);
            let mut new = if media.starts_with("application/merge") {
                merged(ask, live)?
            } else {
                operated(ask, live)?
            };
            if ask.subresource == "scale" {
                return crate::kinds::put_scale(state, ask, &new);
            }
            body::check_kind(ask, &mut new)?;
            body::check_names(ask, &mut new)?;
            update::replace(state, ask, &old, new, &author, true)
        }
        _ => {
            let strategic = match ask.kind.built_in {
                true => "application/strategic-merge-patch+json, ",
                false => "",
            };
            let message = format!(
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json, {strategic}application/apply-patch+yaml"
            );
            Err(Failure::unsupported(message))
        }
    }
}

/// What a patch starts from, in the version that was asked for.
fn live(ask: &Ask<'_>, old: &Object) -> Value {
    if ask.subresource == "scale" {
        return crate::kinds::scale(&ask.kind, &old.value);
    }
    let mut live = Value::clone(&old.value);
    if live["apiVersion"] != *ask.kind.api_version {
        live["apiVersion"] = ask.kind.api_version.clone().into();
    }
    live
}

fn merged(ask: &Ask<'_>, mut live: Value) -> Result<Value, Failure> {
    let patch = body::parse(ask).map_err(|_| bad_json(ask))?;
    if !patch.is_object() {
        return Err(bad_json(ask));
    }
    json_patch::merge(&mut live, &patch);
    Ok(live)
}

fn bad_json(ask: &Ask<'_>) -> Failure {
    let why = serde_json::from_slice::<serde_json::Map<String, Value>>(ask.body).err();
    let why = why.map(|error| error.to_string()).unwrap_or_default();
    Failure::bad_request(format!("error decoding patch: {why}"))
}

fn operated(ask: &Ask<'_>, mut live: Value) -> Result<Value, Failure> {
    let operations: Vec<Value> = serde_json::from_slice(ask.body).map_err(|error| {
        let why = match serde_json::from_slice::<Value>(ask.body) {
            Ok(Value::Object(_)) => {
                "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp".into()
            }
            _ => error.to_string(),
        };
        Failure::bad_request(format!("error decoding patch: {why}"))
    })?;
    for operation in operations {
        let operation = leniently(operation, &live);
        let patch = serde_json::from_value(operation.into_iter().collect());
        let patch: json_patch::Patch = patch.map_err(|_| Failure::inapplicable())?;
        json_patch::patch(&mut live, &patch).map_err(|_| Failure::inapplicable())?;
    }
    Ok(live)
}

/// The library of a real server replaces what is not there, and finds null where there is nothing.
fn leniently(mut operation: Value, live: &Value) -> Option<Value> {
    let pointer = operation.get("path").and_then(Value::as_str).unwrap_or_default();
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let absent = live.pointer(pointer).is_none() && live.pointer(parent).is_some_and(Value::is_object);
    match operation.get("op").and_then(Value::as_str) {
        Some("test") if absent && operation.get("value") == Some(&Value::Null) => return None,
        Some("replace") if absent => operation["op"] = "add".into(),
        _ => {}
    }
    Some(operation)
}

fn check_force(ask: &Ask<'_>) -> Result<(), Failure> {
    if !ask.query.has("force") {
        return Ok(());
    }
    let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
    Err(Failure::invalid_named(
        "meta.k8s.io",
        "PatchOptions",
        "",
        &[cause],
    ))
}

fn applied(state: &mut State, ask: &Ask<'_>) -> Result<Done, Failure> {
    let Some(manager) = ask.query.get("fieldManager") else {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(Failure::invalid_named(
            "meta.k8s.io",
            "PatchOptions",
            "",
            &[cause],
        ));
    };
    let mut given = serde_json::from_slice::<Value>(ask.body)
        .map_err(|error| Failure::bad_request(format!("error decoding YAML: {error}")))?;
    body::check_kind(ask, &mut given)?;
    if given
        .pointer("/metadata/managedFields")
        .is_some_and(|managed| !managed.is_null())
    {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    if text(&given, "name").is_empty() {
        crate::object::metadata_mut(&mut given).insert("name".into(), ask.name.into());
    }
    body::check_names(ask, &mut given)?;
    let author = Author::of(ask, &manager, "apply", ask.dry_run(None)?);
    let old = state.get(ask.kind.table, &ask.key()).cloned();
    let now = state.clock.now();
    let shown = format!(
        "{}/{}; {}, Kind={}",
        ask.namespace, ask.name, ask.kind.api_version, ask.kind.kind
    );
    let intent = Intent {
        given: &given,
        force: ask.query.flag("force"),
        by: Change {
            manager: &manager,
            api_version: &ask.kind.api_version,
            subresource: ask.subresource,
            time: &now,
        },
        owns: owned(ask),
        shown: &shown,
    };
    let Some(old) = old else {
        return first(state, ask, intent, &author);
    };
    let live = live(ask, &old);
    let applied = apply::apply(&live, ask.kind.at(), intent)?;
    if applied.unchanged {
        super::commit::unchanged(state, &ask.kind, &old, &author);
        return Ok(Done {
            code: 200,
            object: old,
            warnings: Vec::new(),
        });
    }
    update::replace(state, ask, &old, applied.object, &author, false)
}

/// An apply of what is not there.
fn first(state: &mut State, ask: &Ask<'_>, intent: Intent<'_>, author: &Author<'_>) -> Result<Done, Failure> {
    if !ask.subresource.is_empty() {
        return Err(Failure::not_found(&ask.kind, ask.name));
    }
    let uid = text(intent.given, "uid");
    if !uid.is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        return Err(Failure::conflict(&ask.kind, ask.name, &why));
    }
    let applied = apply::apply(&Value::Null, ask.kind.at(), intent)?;
    create::add(state, ask, applied.object, author, false)
}

/// Which parts of an object an applier can own at an endpoint.
fn owned(ask: &Ask<'_>) -> fn(&str) -> bool {
    match (ask.kind.has("status"), ask.subresource) {
        (true, "") => |step| step != "f:status",
        (_, "status") => |step| step == "f:status",
        _ => |_| true,
    }
}
