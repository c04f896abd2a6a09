//! Into the store and the journal.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::ask::Ask;
use crate::definitions::Kind;
use crate::journal::Write;
use crate::kinds::events::in_version;
use crate::object::Object;
use crate::state::{Key, State};

/// In whose name something is written.
#[derive(Clone, Debug)]
pub(crate) struct Author<'a> {
    pub(crate) user: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) manager: &'a str,
    pub(crate) verb: &'static str,
    pub(crate) subresource: &'a str,
    pub(crate) body: Bytes,
    pub(crate) dry_run: bool,
}

impl<'a> Author<'a> {
    pub(crate) fn of(ask: &Ask<'a>, manager: &'a str, verb: &'static str, dry_run: bool) -> Author<'a> {
        Author {
            user: &ask.user.name,
            agent: ask.agent,
            manager,
            verb,
            subresource: ask.subresource,
            body: ask.body.clone(),
            dry_run,
        }
    }

    /// One of the controllers that every cluster has.
    pub(crate) fn controller(user: &'static str, verb: &'static str) -> Author<'static> {
        Author {
            user,
            agent: "",
            manager: "kube-controller-manager",
            verb,
            subresource: "",
            body: Bytes::new(),
            dry_run: false,
        }
    }
}

/// Stores a new or changed object.
pub(crate) fn store(
    state: &mut State,
    kind: &Kind,
    key: &Key,
    value: Value,
    code: u16,
    author: &Author<'_>,
) -> Arc<Object> {
    let before = state.get(kind.table, key).cloned();
    let object = if author.dry_run {
        let version = before.as_ref().map_or(0, |before| before.version);
        Arc::new(Object::new(value, version))
    } else {
        let value = stored_as(state, kind, value);
        note_roles(state, kind);
        state.put(kind.table, key, value)
    };
    record(state, kind, code, before.as_ref(), Some(&object), author);
    object
}

/// Removes an object, which is shown as `last` in the answer.
pub(crate) fn erase(state: &mut State, kind: &Kind, key: &Key, author: &Author<'_>) -> Option<Arc<Object>> {
    let before = state.get(kind.table, key).cloned()?;
    let gone = if author.dry_run {
        Arc::clone(&before)
    } else {
        note_roles(state, kind);
        state.remove(kind.table, key)?
    };
    record(state, kind, 200, Some(&before), None, author);
    Some(gone)
}

/// Notes a write that was accepted and changed nothing.
pub(crate) fn unchanged(state: &mut State, kind: &Kind, object: &Arc<Object>, author: &Author<'_>) {
    record(state, kind, 200, Some(object), Some(object), author);
}

fn record(
    state: &mut State,
    kind: &Kind,
    code: u16,
    before: Option<&Arc<Object>>,
    after: Option<&Arc<Object>>,
    author: &Author<'_>,
) {
    let shown = after.or(before);
    let write = Write {
        number: state.writes.len(),
        version: state.version,
        at: state.clock.seconds(),
        user: author.user.to_owned(),
        user_agent: author.agent.to_owned(),
        manager: author.manager.to_owned(),
        verb: author.verb,
        group: kind.group.clone(),
        api: kind.version.clone(),
        plural: kind.plural.clone(),
        kind: kind.kind.clone(),
        namespace: shown
            .map(|object| object.namespace().to_owned())
            .unwrap_or_default(),
        name: shown.map(|object| object.name().to_owned()).unwrap_or_default(),
        subresource: author.subresource.to_owned(),
        code,
        body: author.body.clone(),
        before: before.map(|object| Arc::clone(&object.value)),
        after: after.map(|object| Arc::clone(&object.value)),
        dry_run: author.dry_run,
    };
    state.writes.push(Arc::new(write));
}

fn stored_as(state: &State, kind: &Kind, value: Value) -> Value {
    match state.served.stored(kind.table) {
        Some(stored) if !kind.storage => in_version(stored, &value).into_owned(),
        _ => value,
    }
}

fn note_roles(state: &mut State, kind: &Kind) {
    if kind.group == "rbac.authorization.k8s.io" {
        state.roles_version += 1;
    }
}
