//! What was not there.

use std::sync::Arc;

use serde_json::Value;

use super::commit::{self, Author};
use super::{Done, body, metadata, update};
use crate::apply::{self, Change};
use crate::ask::Ask;
use crate::chores::{self, namespaces};
use crate::definitions::Kind;
use crate::failure::{Cause, Failure};
use crate::object::{Object, metadata_mut, text};
use crate::state::{State, key};

pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Result<Done, Failure> {
    let mut object = body::read(ask)?;
    body::check_kind(ask, &mut object)?;
    body::check_names(ask, &mut object)?;
    let manager = ask.manager();
    let author = Author::of(ask, &manager, "create", ask.dry_run(None)?);
    add(state, ask, object, &author, true)
}

/// Creates an object from a complete body, for a create (`tracks`: its manager owns what it gives) or an apply.
pub(super) fn add(
    state: &mut State,
    ask: &Ask<'_>,
    mut object: Value,
    author: &Author<'_>,
    tracks: bool,
) -> Result<Done, Failure> {
    let warnings = body::shape(ask, &mut object)?;
    match placed(state, ask, object, author, tracks) {
        Ok(object) => Ok(Done {
            code: 201,
            object,
            warnings,
        }),
        Err(failure) => Err(failure.warning(warnings)),
    }
}

fn placed(
    state: &mut State,
    ask: &Ask<'_>,
    mut object: Value,
    author: &Author<'_>,
    tracks: bool,
) -> Result<Arc<Object>, Failure> {
    let kind = &ask.kind;
    if tracks && !text(&object, "resourceVersion").is_empty() {
        return Err(Failure::new(
            500,
            "",
            "resourceVersion should not be set on objects to be created",
        ));
    }
    name(state, &mut object);
    let now = state.clock.now();
    begin(state, kind, &mut object, &now);
    namespaces::admit(state, ask, text(&object, "name"))?;
    chores::definitions::admit(state, ask, text(&object, "name"))?;
    if tracks {
        let change = Change {
            manager: author.manager,
            api_version: &kind.api_version,
            subresource: "",
            time: &now,
            owns: update::owned(ask),
        };
        apply::track(&Value::Null, &mut object, kind.at(), change);
    }
    if kind.has("status")
        && let Value::Object(fields) = &mut object
    {
        fields.remove("status");
    }
    if kind.built_in {
        crate::kinds::prepare_create(state, kind, &mut object);
    }
    check(ask, &object)?;
    let name = text(&object, "name").to_owned();
    let key = key(ask.namespace, &name);
    if let Some(known) = state.get(kind.table, &key) {
        return Err(Failure::already_exists(kind, &name, known.is_deleting()));
    }
    crate::kinds::before_store(state, kind, &mut object, author.dry_run)?;
    Ok(commit::store(state, kind, &key, object, 201, author))
}

/// Takes what only the server says from what a client has sent, and says it.
fn begin(state: &mut State, kind: &Kind, object: &mut Value, now: &str) {
    let fields = metadata_mut(object);
    for field in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "resourceVersion",
    ] {
        fields.remove(field);
    }
    fields.insert("uid".into(), state.identities.uid().into());
    fields.insert("creationTimestamp".into(), now.into());
    if kind.counts_generations() {
        fields.insert("generation".into(), 1.into());
    }
}

/// Draws a name where only its beginning is given.
fn name(state: &mut State, object: &mut Value) {
    let prefix = text(object, "generateName");
    if !text(object, "name").is_empty() || prefix.is_empty() {
        return;
    }
    let most = 63 - 5;
    let cut: String = prefix.chars().take(most).collect();
    let name = format!("{cut}{}", state.identities.suffix());
    metadata_mut(object).insert("name".into(), name.into());
}

fn check(ask: &Ask<'_>, object: &Value) -> Result<(), Failure> {
    let kind = &ask.kind;
    let name = text(object, "name");
    let mut causes = Vec::new();
    if name.is_empty() {
        causes.push(Cause::required(
            "metadata.name",
            "name or generateName is required",
        ));
    }
    causes.extend(metadata::check(kind, object));
    causes.extend(crate::kinds::check(kind, object, None));
    if causes.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid(kind, name, &causes))
}
