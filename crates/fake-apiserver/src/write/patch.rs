//! The kinds of patches: merge, JSON, strategic merge of built-in kinds, and server-side apply.

use std::borrow::Cow;

use serde_json::Value;

use super::commit::Author;
use super::{Done, body, create, json_patch, strategic, update};
use crate::apply::{self, Change, Intent};
use crate::ask::Ask;
use crate::failure::{Cause, Failure};
use crate::object::{Object, text};
use crate::state::State;

pub(super) fn patch(state: &mut State, ask: &Ask<'_>) -> Result<Done, Failure> {
    let media = ask.content_type.split(';').next().unwrap_or_default().trim();
    match media {
        "application/apply-patch+yaml" | "application/apply-patch+json" => applied(state, ask),
        "application/strategic-merge-patch+json" if ask.kind.built_in => changed(state, ask, strategic),
        "application/merge-patch+json" => changed(state, ask, merged),
        "application/json-patch+json" => changed(state, ask, operated),
        _ => {
            let built_in = if ask.kind.built_in {
                "application/strategic-merge-patch+json, "
            } else {
                ""
            };
            let message = format!(
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json, {built_in}application/apply-patch+yaml"
            );
            Err(Failure::unsupported(message))
        }
    }
}

/// A patch that is computed from what is there.
fn changed(
    state: &mut State,
    ask: &Ask<'_>,
    computed: fn(&Ask<'_>, Value) -> Result<Value, Failure>,
) -> Result<Done, Failure> {
    let manager = ask.manager();
    let author = Author::of(ask, &manager, "patch", ask.dry_run(None)?);
    check_force(ask)?;
    let old = update::current(state, ask);
    let old = old.ok_or_else(|| Failure::not_found(&ask.kind, ask.name))?;
    let mut new = computed(ask, live(ask, &old).into_owned())?;
    if ask.subresource == "scale" {
        return crate::kinds::put_scale(state, ask, &new);
    }
    body::check_kind(ask, &mut new)?;
    body::check_names(ask, &mut new)?;
    update::replace(state, ask, &old, new, &author, true)
}

/// What a patch starts from, in the version that was asked for.
fn live<'o>(ask: &Ask<'_>, old: &'o Object) -> Cow<'o, Value> {
    if ask.subresource == "scale" {
        return Cow::Owned(crate::kinds::scale(&ask.kind, &old.value));
    }
    Cow::Borrowed(&old.value)
}

fn merged(ask: &Ask<'_>, mut live: Value) -> Result<Value, Failure> {
    let patch = parse(ask, "map[string]interface {}", Value::is_object)?;
    json_patch::merge(&mut live, &patch);
    Ok(live)
}

fn strategic(ask: &Ask<'_>, mut live: Value) -> Result<Value, Failure> {
    let patch = parse(ask, "map[string]interface {}", Value::is_object)?;
    strategic::merge(&mut live, &patch, ask.kind.at());
    Ok(live)
}

fn operated(ask: &Ask<'_>, mut live: Value) -> Result<Value, Failure> {
    let patch = parse(ask, "[]handlers.jsonPatchOp", Value::is_array)?;
    let operations = patch.as_array().map(Vec::as_slice).unwrap_or_default();
    json_patch::apply(&mut live, operations).map_err(|_| Failure::inapplicable())?;
    Ok(live)
}

/// A patch of the form that its media type asks for.
fn parse(ask: &Ask<'_>, wanted: &str, fits: fn(&Value) -> bool) -> Result<Value, Failure> {
    let bad = |why: String| Failure::bad_request(format!("error decoding patch: {why}"));
    let patch = body::json(ask.body).map_err(bad)?;
    if fits(&patch) {
        return Ok(patch);
    }
    let given = body::go_type(&patch);
    Err(bad(format!(
        "json: cannot unmarshal {given} into Go value of type {wanted}"
    )))
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
    let mut given =
        body::yaml(ask.body).map_err(|why| Failure::bad_request(format!("error decoding YAML: {why}")))?;
    check_applied_kind(ask, &given)?;
    if given
        .pointer("/metadata/managedFields")
        .is_some_and(|managed| !managed.is_null())
    {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    let shown = format!(
        "{}/{}; {}, Kind={}",
        text(&given, "namespace"),
        ask.name,
        group_version(&ask.kind.api_version),
        ask.kind.kind
    );
    if text(&given, "name").is_empty() {
        crate::object::metadata_mut(&mut given).insert("name".into(), ask.name.into());
    }
    body::check_names(ask, &mut given)?;
    let author = Author::of(ask, &manager, "apply", ask.dry_run(None)?);
    let old = update::current(state, ask);
    let now = state.clock.now();
    let intent = Intent {
        given: &given,
        force: ask.query.flag("force"),
        by: Change {
            manager: &manager,
            api_version: &ask.kind.api_version,
            subresource: ask.subresource,
            time: &now,
            owns: update::owned(ask),
        },
        shown: &shown,
    };
    let Some(old) = old else {
        return first(state, ask, intent, &author);
    };
    let live = live(ask, &old);
    let Some(applied) = apply::apply(&live, ask.kind.at(), intent)? else {
        super::commit::unchanged(state, &ask.kind, &old, &author);
        return Ok(Done {
            code: 200,
            object: old,
            warnings: Vec::new(),
        });
    };
    update::replace(state, ask, &old, applied, &author, false)
}

/// An apply of what is not there.
fn first(state: &mut State, ask: &Ask<'_>, intent: Intent<'_>, author: &Author<'_>) -> Result<Done, Failure> {
    if !ask.subresource.is_empty() {
        return Err(Failure::not_found(&ask.kind, ask.name));
    }
    let uid = text(intent.given, "uid").to_owned();
    let applied = apply::apply(&Value::Null, ask.kind.at(), intent)?;
    if !uid.is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        return Err(Failure::conflict(&ask.kind, ask.name, &why));
    }
    create::add(state, ask, applied.unwrap_or_default(), author, false)
}

/// As the real server writes a version: core has an empty group.
fn group_version(api_version: &str) -> String {
    if api_version.is_empty() || api_version.contains('/') {
        return api_version.to_owned();
    }
    format!("/{api_version}")
}

fn check_applied_kind(ask: &Ask<'_>, given: &Value) -> Result<(), Failure> {
    let text = |field: &str| given.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if api_version == ask.kind.api_version && kind == ask.kind.kind {
        return Ok(());
    }
    let version = match api_version {
        "" => "/".to_owned(),
        other => group_version(other),
    };
    Err(Failure::bad_request(format!(
        "invalid object type: {version}, Kind={kind}"
    )))
}
