//! The user's permission to change what runs without a change of the spec, as far as it is cass-operator's to use.
//!
//! A newer cass-operator may make pods differently. It keeps that back until the spec of the datacenter changes, or annotation
//! `cassandra.datastax.com/autoupdate-spec` allows it. `k8ssandra.io/autoupdate-spec` on the cluster is handed down to its
//! datacenters, one after another, when we have nothing left to change in them. For upstream it makes a task with command
//! `refresh` do that, which it waits to need until the condition `RequiresUpdate` shows; cass-operator 1.31 takes that
//! condition back within the pass that sets it, so that nobody can go by it.

use std::collections::BTreeSet;

use api::names::{annotation, reason};

use super::acts::Act;
use super::changing::{paused, waits_for_another};
use super::datacenters::exactly;
use super::draft::{Draft, Entry};
use super::facts::LiveDatacenter;

const ONCE: &str = "once";
const ALWAYS: &str = "always";

/// Whether cass-operator was told to bring it up to date and has not done so.
pub(super) fn is_under_way(live: &LiveDatacenter) -> bool {
    permission(live) == Some(ONCE) && !live.stopped_wanted
}

/// Hands the cluster's permission down to one datacenter that is as the spec wants it, or takes it back.
pub(super) fn hand_down(
    draft: &mut Draft<'_>,
    entry: &Entry,
    live: &LiveDatacenter,
    its_own: bool,
    busy: &mut BTreeSet<String>,
) {
    // What the spec says of the datacenter's own annotation is written with the datacenter.
    if its_own {
        return;
    }
    if is_under_way(live) {
        let message = format!(
            "cass-operator brings datacenter {} up to date, as annotation {} allows",
            entry.name,
            annotation::AUTOUPDATE_SPEC
        );
        return draft.hold(
            reason::PROGRESSING,
            Some(&entry.name),
            Some(&entry.context),
            message,
        );
    }
    let noted = live.binding.annotations.get(annotation::UPDATES_ALLOWED);
    if permission(live) == Some(ALWAYS) && noted.is_none_or(|note| note != ALWAYS) {
        return; // Somebody else's, and there is no more to allow.
    }
    let wanted = match draft.annotation(annotation::AUTOUPDATE_SPEC) {
        Some(ONCE) if live.stopped_wanted => return,
        Some(ONCE) => Some((ONCE.to_owned(), this_time(draft))),
        Some(ALWAYS) => Some((ALWAYS.to_owned(), ALWAYS.to_owned())),
        _ => None,
    };
    let is_done = match &wanted {
        Some((_, note)) => noted == Some(note),
        None => noted.is_none_or(|note| note != ALWAYS) || permission(live).is_none(),
    };
    if is_done {
        return;
    }
    if live.paused {
        return draft.hold(
            reason::PAUSED,
            Some(&entry.name),
            Some(&entry.context),
            paused(&entry.name),
        );
    }
    if wanted.is_some() && waits_for_another(draft, entry, live, busy) {
        return;
    }
    if wanted.is_some() {
        busy.insert(entry.name.clone());
    }
    draft.acts.push(Act::AllowUpdates {
        datacenter: exactly(entry, live),
        permission: wanted,
    });
}

/// What a datacenter is marked with whose spec is written: cass-operator brings it up to date with that.
pub(super) fn mark_of_a_written_one(draft: &Draft<'_>) -> Option<(String, String)> {
    let once = draft.annotation(annotation::AUTOUPDATE_SPEC) == Some(ONCE);
    once.then(|| (annotation::UPDATES_ALLOWED.to_owned(), this_time(draft)))
}

fn this_time(draft: &Draft<'_>) -> String {
    (draft.record.updates_allowed + 1).to_string()
}

fn permission(live: &LiveDatacenter) -> Option<&str> {
    let value = live
        .binding
        .annotations
        .get(annotation::DATACENTER_AUTOUPDATE_SPEC);
    value.map(String::as_str)
}
