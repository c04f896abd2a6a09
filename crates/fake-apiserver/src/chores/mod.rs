//! What controllers of a real cluster do after a write: garbage collection, namespaces, definitions.
//!
//! | module | idea |
//! | --- | --- |
//! | [`garbage`] | objects whose owners are gone |
//! | [`namespaces`] | what a namespace begins with, and how it ends |
//! | [`definitions`] | a CRD that changes or ends |

pub(crate) mod definitions;
mod garbage;
pub(crate) mod namespaces;

use std::sync::Arc;

use crate::definitions::Kind;
use crate::state::{Id, State};

/// Does everything that is to be done.
pub(crate) fn run(state: &mut State) {
    loop {
        if let Some(uid) = state.orphaned.pop_front() {
            for id in state.dependents_of(&uid) {
                garbage::consider(state, &id);
            }
        } else if let Some(id) = state.chores.pop_front() {
            look_at(state, &id);
        } else {
            return;
        }
    }
}

/// Whether there may be anything to do; forgets what needs nothing.
pub(crate) fn anything(state: &mut State) -> bool {
    let waiting = std::mem::take(&mut state.chores);
    state.chores = waiting.into_iter().filter(|id| concerns(state, id)).collect();
    let orphaned = std::mem::take(&mut state.orphaned);
    state.orphaned = orphaned
        .into_iter()
        .filter(|uid| !state.dependents_of(uid).is_empty())
        .collect();
    !state.chores.is_empty() || !state.orphaned.is_empty()
}

fn concerns(state: &State, id: &Id) -> bool {
    let Some(object) = state.get(id.0, &id.1) else {
        return false;
    };
    let special = state
        .served
        .stored(id.0)
        .is_some_and(|kind| matches!(kind.plural.as_str(), "namespaces" | "customresourcedefinitions"));
    special || object.is_deleting() || crate::object::owners(&object.value).next().is_some()
}

fn look_at(state: &mut State, id: &Id) {
    let Some(kind) = state.served.stored(id.0).map(Arc::clone) else {
        return;
    };
    if kind.is("", "namespaces") {
        namespaces::look_at(state, &kind, id);
    } else if kind.is("apiextensions.k8s.io", "customresourcedefinitions") {
        definitions::look_at(state, &kind, id);
    }
    garbage::consider(state, id);
    garbage::finish_owner(state, id);
}

/// The kind that objects of a table are stored as.
fn kind_of(state: &State, id: &Id) -> Option<Arc<Kind>> {
    state.served.stored(id.0).map(Arc::clone)
}
