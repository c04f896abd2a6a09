//! A CRD that changes or ends.

use std::sync::Arc;

use serde_json::Value;

use crate::definitions::Kind;
use crate::object::{finalizers, metadata_mut};
use crate::state::{Id, Key, State};
use crate::write::commit::Author;
use crate::write::delete::{Policy, Wanted, remove};
use crate::write::update::finish;

const CONTROLLER: &str = "system:serviceaccount:kube-system:customresourcedefinition-controller";
/// What holds a definition until its objects are gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

pub(super) fn look_at(state: &mut State, kind: &Arc<Kind>, id: &Id) {
    let Some(definition) = state.get(id.0, &id.1).cloned() else {
        return;
    };
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
