//! Changing a datacenter that is there: what differs, whose it is, and whether it may be written now.

use std::collections::BTreeSet;

use api::names::{annotation, reason};

use super::acts::Act;
use super::draft::{Draft, Entry};
use super::drift::{self, Drift};
use super::facts::{LiveDatacenter, Owner, spec_digest};
use super::{autoupdate, config_maps, secrets};
use crate::change::{self, Change, kept};
use crate::datacenter::DesiredDatacenter;

/// Writes a changed datacenter, where the change is the user's and no other datacenter is busy. What is not written is
/// told in the report. True = it is written.
pub(super) fn change(
    draft: &mut Draft<'_>,
    entry: &Entry,
    live: &LiveDatacenter,
    desired: &DesiredDatacenter,
    busy: &mut BTreeSet<String>,
) -> bool {
    let known = draft.known_input(&entry.name, live);
    let same_input = known.as_ref() == Some(&desired.input_hash);
    // Most often they are the same to the letter.
    let same_spec = live.binding.spec == desired.spec || live.spec_digest == spec_digest(&desired.spec);
    if same_spec && (same_input || live.owner == Owner::Upstream) {
        return false;
    }
    let change = Change::between(&live.binding, desired);
    let change = if same_input {
        without_what_is_not_kept(draft, entry, live, change)
    } else {
        change
    };
    let Drift {
        change,
        conflicts,
        left_alone,
    } = drift::without(draft, entry, live, change, same_input);
    if same_input && change.spec_fields() == 0 {
        return false;
    }
    // Where no digest is known, it cannot be told whether the user changed anything.
    let by_the_user = known.is_some() && !same_input;
    let held = !by_the_user && !draft.may_update();
    let may_go = |draft: &mut Draft<'_>| {
        may_be_written(draft, entry, live, desired, busy) && !drift::conflicts(draft, entry, &conflicts)
    };
    if !held && may_go(draft) {
        config_maps::write(draft, entry, desired);
        draft.acts.push(Act::ApplyDatacenter {
            context: entry.context.clone(),
            desired: Box::new(drift::leaving_out(
                with_notes(draft, live, desired, &change),
                &left_alone,
            )),
            uid: live.uid.clone(),
            resource_version: live.resource_version.clone(),
            change,
            why: if by_the_user {
                "the spec has changed".to_owned()
            } else {
                "autoupdate-spec allows it".to_owned()
            },
        });
        busy.insert(entry.name.clone());
        return true;
    }
    draft
        .pending_changes
        .insert(entry.name.clone(), change.pending(held));
    false
}

/// Keeps what tells with which Secrets it was made: one that has not started yet is woken by that.
fn with_notes(
    draft: &Draft<'_>,
    live: &LiveDatacenter,
    desired: &DesiredDatacenter,
    change: &Change,
) -> DesiredDatacenter {
    let mut desired = desired.clone();
    let brought_up_to_date = autoupdate::mark_of_a_written_one(draft).filter(|_| change.spec_fields() > 0);
    desired.annotations.extend(brought_up_to_date);
    let seen = live.secrets_seen.clone();
    desired
        .annotations
        .extend(seen.map(|seen| (annotation::SECRETS_SEEN.to_owned(), seen)));
    desired
}

/// Leaves out what the plane's definition does not have, and reports it: to send it once more would change nothing.
fn without_what_is_not_kept(
    draft: &mut Draft<'_>,
    entry: &Entry,
    live: &LiveDatacenter,
    change: Change,
) -> Change {
    let noted = kept::read(
        live.binding
            .annotations
            .get(annotation::NOT_KEPT)
            .map(String::as_str),
    );
    let (mut lost, mut fields) = (Vec::new(), Vec::new());
    for field in change.fields {
        match kept::not_kept(&noted, &field) {
            Some(paths) => lost.extend(paths),
            None => fields.push(field),
        }
    }
    if !lost.is_empty() {
        draft.not_kept.insert(entry.name.clone(), lost);
    }
    Change { fields }
}

/// Holds a change that must not be made, or not now.
fn may_be_written(
    draft: &mut Draft<'_>,
    entry: &Entry,
    live: &LiveDatacenter,
    desired: &DesiredDatacenter,
    busy: &BTreeSet<String>,
) -> bool {
    let (reason, message) = if let Some(field) = change::would_change(&live.binding.spec, &desired.spec) {
        let message = format!(
            "datacenter {} would be written with another {field}, by which its nodes and data are known; nothing of it is \
             changed: give the field the value in the spec that it has in the CassandraDatacenter",
            entry.name
        );
        (reason::IDENTITY_WOULD_CHANGE, message)
    } else if live.paused {
        (reason::PAUSED, paused(&entry.name))
    } else if let Some(seen) = live.cluster_generation.filter(|seen| *seen > draft.generation) {
        let message = format!(
            "datacenter {} was last written for generation {seen} of this cluster, which is now at {}: it looks \
             restored from an older backup, and nothing is changed until the spec is edited again",
            entry.name, draft.generation
        );
        (reason::HISTORY_REWOUND, message)
    } else if let Err(unknown) = &draft.facts.control_plane {
        (unknown.reason.as_str(), unknown.message.clone())
    } else {
        return !waits_for_another(draft, entry, live, busy) && secrets::exist(draft, entry);
    };
    draft.hold(reason, Some(&entry.name), Some(&entry.context), message);
    false
}

/// Why nothing is written to a datacenter that the user has paused.
pub(super) fn paused(name: &str) -> String {
    format!(
        "CassandraDatacenter {name} has annotation {}: it is not changed until that goes",
        annotation::PAUSED
    )
}

/// Datacenters that a change of this one waits for: those in the middle of something.
///
/// One that is in trouble itself is mended by its change. It waits for none while cass-operator is still at our last one,
/// which the trouble may come from, and else only for those before it in the spec: two that wait for each other are never
/// mended.
pub(super) fn waited_for<'a>(
    draft: &Draft<'_>,
    entry: &Entry,
    live: &LiveDatacenter,
    busy: &'a BTreeSet<String>,
) -> Option<&'a String> {
    let mut others = busy.iter().filter(|name| **name != entry.name);
    if live.settled {
        return others.next();
    }
    if live.in_work {
        return None;
    }
    let order = draft.in_working_order();
    let place = |name: &str| order.iter().position(|it| it.name == name);
    let own = place(&entry.name);
    others.find(|name| place(name).is_some_and(|it| Some(it) < own))
}

/// One datacenter is changed at a time.
pub(super) fn waits_for_another(
    draft: &mut Draft<'_>,
    entry: &Entry,
    live: &LiveDatacenter,
    busy: &BTreeSet<String>,
) -> bool {
    let Some(other) = waited_for(draft, entry, live, busy) else {
        return false;
    };
    let message = format!(
        "the change of datacenter {} waits until datacenter {other} is ready",
        entry.name
    );
    draft.hold(
        reason::DATACENTER_NOT_READY,
        Some(&entry.name),
        Some(&entry.context),
        message,
    );
    true
}
