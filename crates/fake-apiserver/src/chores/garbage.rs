//! Objects whose owners are gone, and owners that wait for their dependents.

use std::sync::Arc;

use serde_json::Value;

use super::kind_of;
use crate::definitions::Kind;
use crate::object::{Object, finalizers, metadata_mut, owners};
use crate::state::{Id, State};
use crate::write::commit::Author;
use crate::write::delete::{FOREGROUND, ORPHAN, Policy, Wanted, remove};
use crate::write::update::finish;

const COLLECTOR: &str = "system:serviceaccount:kube-system:generic-garbage-collector";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// There, and staying.
    Solid,
    /// There, and waiting for this dependent to go.
    Waiting,
    Gone,
    /// Of a kind that nobody serves.
    Unknown,
}

fn text<'v>(reference: &'v Value, field: &str) -> &'v str {
    reference.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn look_up(state: &State, dependent: &Object, reference: &Value) -> Owner {
    let Some(kind) = state
        .served
        .of_kind(text(reference, "apiVersion"), text(reference, "kind"))
    else {
        return Owner::Unknown;
    };
    let owner = state
        .of_uid(text(reference, "uid"))
        .and_then(|id| state.get(id.0, &id.1).map(|object| (id.0, object)));
    let Some((table, owner)) = owner else {
        return Owner::Gone;
    };
    let same_place = !kind.namespaced || owner.namespace() == dependent.namespace();
    if table != kind.table || owner.name() != text(reference, "name") || !same_place {
        return Owner::Gone;
    }
    let waits = owner.is_deleting()
        && finalizers(&owner.value).any(|finalizer| finalizer == FOREGROUND)
        && reference.get("blockOwnerDeletion") == Some(&Value::Bool(true));
    if waits { Owner::Waiting } else { Owner::Solid }
}

/// Deletes an object without an owner, and takes off references to owners that are gone.
pub(super) fn consider(state: &mut State, id: &Id) {
    let Some(object) = state.get(id.0, &id.1).cloned() else {
        return;
    };
    let references: Vec<_> = owners(&object.value).cloned().collect();
    if references.is_empty() || object.is_deleting() {
        return;
    }
    let Some(kind) = kind_of(state, id) else { return };
    let found: Vec<_> = references
        .iter()
        .map(|reference| look_up(state, &object, reference))
        .collect();
    if found.contains(&Owner::Unknown) {
        return;
    }
    if found.contains(&Owner::Solid) {
        let kept: Vec<_> = references
            .iter()
            .zip(&found)
            .filter(|(_, owner)| **owner == Owner::Solid)
            .map(|(reference, _)| reference.clone())
            .collect();
        if kept.len() < references.len() {
            let mut new = Value::clone(&object.value);
            metadata_mut(&mut new).insert("ownerReferences".into(), kept.into());
            finish(
                state,
                &kind,
                &id.1,
                &object,
                new,
                &Author::controller(COLLECTOR, "patch"),
            );
        }
        return;
    }
    let has = |name: &str| finalizers(&object.value).any(|finalizer| finalizer == name);
    let has_dependents = !state.dependents_of(object.uid()).is_empty();
    let policy = if has(ORPHAN) {
        Policy::Orphan
    } else if has(FOREGROUND) || (found.contains(&Owner::Waiting) && has_dependents) {
        Policy::Foreground
    } else {
        Policy::Background
    };
    let wanted = Wanted {
        policy: Some(policy),
        grace: None,
    };
    remove(
        state,
        &kind,
        &id.1,
        &object,
        wanted,
        &Author::controller(COLLECTOR, "delete"),
    );
}

/// Lets an owner go that has waited for its dependents, or lets its dependents go.
pub(super) fn finish_owner(state: &mut State, id: &Id) {
    let Some(object) = state.get(id.0, &id.1).cloned() else {
        return;
    };
    if !object.is_deleting() {
        return;
    }
    let has = |name: &str| finalizers(&object.value).any(|finalizer| finalizer == name);
    if has(ORPHAN) {
        for dependent in state.dependents_of(object.uid()) {
            disown(state, &dependent, object.uid());
        }
        without_finalizer(state, id, &object, ORPHAN);
    } else if has(FOREGROUND) {
        for dependent in state.dependents_of(object.uid()) {
            consider(state, &dependent);
        }
        let blocked = state
            .dependents_of(object.uid())
            .iter()
            .any(|dependent| blocks(state, dependent, object.uid()));
        if !blocked {
            without_finalizer(state, id, &object, FOREGROUND);
        }
    }
}

fn blocks(state: &State, dependent: &Id, owner: &str) -> bool {
    let dependent = state.get(dependent.0, &dependent.1);
    dependent.is_some_and(|dependent| {
        owners(&dependent.value).any(|reference| {
            text(reference, "uid") == owner && reference.get("blockOwnerDeletion") == Some(&Value::Bool(true))
        })
    })
}

fn disown(state: &mut State, id: &Id, owner: &str) {
    let (Some(object), Some(kind)) = (state.get(id.0, &id.1).cloned(), kind_of(state, id)) else {
        return;
    };
    let kept = owners(&object.value).filter(|reference| text(reference, "uid") != owner);
    let kept = kept.cloned().collect();
    keep(state, &kind, id, &object, "ownerReferences", kept);
}

fn without_finalizer(state: &mut State, id: &Id, object: &Arc<Object>, name: &str) {
    let Some(kind) = kind_of(state, id) else { return };
    let kept = finalizers(&object.value).filter(|finalizer| *finalizer != name);
    let kept = kept.map(Value::from).collect();
    keep(state, &kind, id, object, "finalizers", kept);
}

/// Leaves these in a list of the metadata; an empty list goes.
fn keep(state: &mut State, kind: &Kind, id: &Id, object: &Arc<Object>, field: &str, kept: Vec<Value>) {
    let mut new = Value::clone(&object.value);
    let metadata = metadata_mut(&mut new);
    if kept.is_empty() {
        metadata.remove(field);
    } else {
        metadata.insert(field.into(), kept.into());
    }
    finish(
        state,
        kind,
        &id.1,
        object,
        new,
        &Author::controller(COLLECTOR, "patch"),
    );
}
