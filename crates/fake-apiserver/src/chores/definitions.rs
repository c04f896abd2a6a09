//! A CRD that changes or ends.

use std::sync::Arc;

use serde_json::Value;

use crate::ask::Ask;
use crate::definitions::{Kind, established};
use crate::failure::Failure;
use crate::object::{Object, finalizers, metadata_mut};
use crate::state::{Id, Key, State};
use crate::write::commit::Author;
use crate::write::delete::{Policy, Wanted, remove};
use crate::write::update::finish;

const CONTROLLER: &str = "system:serviceaccount:kube-system:customresourcedefinition-controller";
/// What holds a definition until its objects are gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// # Errors
/// Nothing is created of a kind whose definition is going.
pub(crate) fn admit(state: &State, ask: &Ask<'_>, name: &str) -> Result<(), Failure> {
    if ask.kind.built_in {
        return Ok(());
    }
    let Some(kind) = state
        .served
        .find("apiextensions.k8s.io/v1", "customresourcedefinitions")
    else {
        return Ok(());
    };
    let definition = state.get(kind.table, &ask.kind.qualified());
    if !definition.is_some_and(|definition| definition.is_deleting()) {
        return Ok(());
    }
    let why = "create not allowed while custom resource definition is terminating";
    Err(Failure::forbidden(&ask.kind, name, why))
}

/// Holds a definition until its objects are gone.
pub(crate) fn hold(definition: &mut Value) {
    let finalizers = metadata_mut(definition)
        .entry("finalizers")
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(finalizers) = finalizers
        && !finalizers.iter().any(|finalizer| finalizer == CLEANUP)
    {
        finalizers.push(CLEANUP.into());
    }
}

/// Accepts the names of a new definition.
fn establish(state: &mut State, kind: &Arc<Kind>, id: &Id, definition: &Arc<Object>) {
    let mut new = Value::clone(&definition.value);
    new["status"] = established(&new, &state.clock.now());
    let author = Author {
        subresource: "status",
        ..Author::controller(CONTROLLER, "update")
    };
    finish(state, kind, &id.1, definition, new, &author);
}

pub(super) fn look_at(state: &mut State, kind: &Arc<Kind>, id: &Id) {
    let Some(definition) = state.get(id.0, &id.1).cloned() else {
        return;
    };
    if definition.value.pointer("/status/conditions/0").is_none() {
        establish(state, kind, id, &definition);
        return;
    }
    if !definition.is_deleting() || !finalizers(&definition.value).any(|finalizer| finalizer == CLEANUP) {
        return;
    }
    let text = |pointer: &str| {
        definition
            .value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (group, plural) = (text("/spec/group"), text("/spec/names/plural"));
    let defined = state
        .served
        .all()
        .iter()
        .find(|kind| kind.is(group, plural) && kind.storage)
        .map(Arc::clone);
    if let Some(defined) = &defined {
        let objects = &state.table(defined.table).objects;
        let all: Vec<_> = objects
            .iter()
            .map(|(key, object)| (Key::clone(key), Arc::clone(object)))
            .collect();
        for (key, object) in all {
            if !object.is_deleting() {
                let wanted = Wanted {
                    policy: Some(Policy::Background),
                    grace: None,
                };
                let author = Author::controller(CONTROLLER, "delete");
                remove(state, defined, &key, &object, wanted, &author);
            }
        }
        if !state.table(defined.table).objects.is_empty() {
            return;
        }
    }
    let mut new = Value::clone(&definition.value);
    let kept: Vec<Value> = finalizers(&new)
        .filter(|finalizer| *finalizer != CLEANUP)
        .map(Into::into)
        .collect();
    if kept.is_empty() {
        metadata_mut(&mut new).remove("finalizers");
    } else {
        metadata_mut(&mut new).insert("finalizers".into(), kept.into());
    }
    finish(
        state,
        kind,
        &id.1,
        &definition,
        new,
        &Author::controller(CONTROLLER, "update"),
    );
    if state.get(id.0, &id.1).is_none() {
        state.forget(group, plural);
    }
}
