//! The datacenters of the spec: which may be made now, which may be changed, and why not the others.

use std::collections::{BTreeMap, BTreeSet};

use api::names::{annotation, reason};
use api::record::Role;
use api::seen::Seen;

use super::acts::{Act, ThisDatacenter, plane};
use super::changing::{change, waited_for, waits_for_another};
use super::draft::{Draft, Entry};
use super::facts::{LiveDatacenter, Owner};
use super::founding::{self, not_owned};
use super::stores::{self, Built};
use super::{autoupdate, config_maps, joining, secrets};
use crate::datacenter::DesiredDatacenter;

/// Decides for each datacenter of the spec, in working order.
pub(super) fn plan(draft: &mut Draft<'_>, desired: &BTreeMap<String, Built>) {
    let mut busy = busy(draft);
    for entry in draft.in_working_order() {
        let Some(desired) = desired.get(&entry.name) else {
            continue;
        };
        let Some(datacenter) = draft.datacenter(&entry.name) else {
            continue;
        };
        match &datacenter.object {
            Seen::Present(live) if live.owner == Owner::Foreign => {
                let message = not_owned(&entry.name, &entry.namespace, &entry.context);
                draft.hold(
                    reason::NOT_OWNED,
                    Some(&entry.name),
                    Some(&entry.context),
                    message,
                );
            }
            Seen::Present(live) => existing(draft, &entry, live, desired, &mut busy),
            Seen::Absent(_) | Seen::NotListed => missing(draft, &entry, desired, &mut busy),
            Seen::Unknown(unknown) => draft.hold_unknown(&entry.name, unknown),
        }
    }
}

/// Datacenters in the middle of something: at most one may be, and one that cannot be seen counts as in the middle
/// of what it was last seen in.
pub(super) fn busy(draft: &Draft<'_>) -> BTreeSet<String> {
    let is_busy = |name: &String| {
        let Some(datacenter) = draft.datacenter(name) else {
            return false;
        };
        let exists = draft
            .record
            .datacenters
            .get(name)
            .is_some_and(|record| record.uid.is_some());
        match &datacenter.object {
            Seen::Present(live) if live.owner == Owner::Foreign => false,
            Seen::Present(live) => {
                !live.settled
                    || live.deleting
                    || waits_for_rebuild(draft, name, live)
                    || autoupdate::is_under_way(live)
            }
            Seen::Unknown(_) => exists && datacenter.last_settled != Some(true),
            Seen::Absent(_) | Seen::NotListed => false,
        }
    };
    draft
        .facts
        .datacenters
        .keys()
        .filter(|name| is_busy(name))
        .cloned()
        .collect()
}

fn waits_for_rebuild(draft: &Draft<'_>, name: &str, live: &LiveDatacenter) -> bool {
    let joins = |record: &api::record::DatacenterRecord| record.role == Role::Rebuild && !record.joined;
    live.initialized && !live.stopped_wanted && draft.record.datacenters.get(name).is_some_and(joins)
}

fn existing(
    draft: &mut Draft<'_>,
    entry: &Entry,
    live: &LiveDatacenter,
    built: &Built,
    busy: &mut BTreeSet<String>,
) {
    let hold = |draft: &mut Draft<'_>, reason: &str, message: String| {
        draft.hold(reason, Some(&entry.name), Some(&entry.context), message);
    };
    let recorded = draft.record.datacenters.get(&entry.name).cloned();
    let Some(recorded) = recorded else {
        return hold(
            draft,
            reason::PROGRESSING,
            format!("datacenter {} is not in the record yet", entry.name),
        );
    };
    if recorded.uid.as_ref() != Some(&live.uid) {
        return hold(draft, reason::DATACENTER_VANISHED, replaced(entry, live));
    }
    if live.deleting {
        return hold(
            draft,
            reason::DELETING,
            format!(
                "datacenter {} is being deleted, and is made again once it is gone",
                entry.name
            ),
        );
    }
    if recorded.leaving.is_some() {
        draft.acts.push(Act::CancelRemoval(exactly(entry, live)));
        if let Some(record) = draft.record.datacenters.get_mut(&entry.name) {
            record.leaving = None;
        }
        return;
    }
    let desired = match built {
        // Nothing is read before it can be used.
        Built::Unread { edited: true } if waits_for_another(draft, entry, live, busy) => None,
        Built::Unread { edited: false } if waited_for(draft, entry, live, busy).is_some() => None,
        _ => stores::needed(draft, entry, built),
    };
    let changed = desired.is_some_and(|desired| change(draft, entry, live, desired, busy));
    if !changed {
        wake(draft, entry, live);
    }
    let same_input = |desired: &&DesiredDatacenter| live.input_hash.as_ref() == Some(&desired.input_hash);
    if let Some(desired) = desired.filter(same_input).filter(|_| !changed) {
        // Pods mount them: without them no pod would start again.
        config_maps::write_missing(draft, entry, desired);
        config_maps::delete_unused(draft, entry, live, desired);
    }
    if let Some(desired) =
        desired.filter(|_| !changed && live.settled && !draft.waits_to_be_changed(&entry.name))
    {
        let own = desired
            .annotations
            .contains_key(annotation::DATACENTER_AUTOUPDATE_SPEC);
        autoupdate::hand_down(draft, entry, live, own, busy);
    }
    if !changed && !live.settled {
        hold(draft, reason::DATACENTER_NOT_READY, not_ready(entry, live));
    } else if waits_for_rebuild(draft, &entry.name, live) {
        let message = format!(
            "datacenter {} is in the ring and waits for its rebuild to be verified",
            entry.name
        );
        hold(draft, reason::REBUILDING, message);
    }
}

fn missing(draft: &mut Draft<'_>, entry: &Entry, built: &Built, busy: &mut BTreeSet<String>) {
    let absent = draft
        .datacenter(&entry.name)
        .is_some_and(|datacenter| datacenter.object.is_absent());
    let recorded = draft.record.datacenters.get(&entry.name).cloned();
    let Some(recorded) = recorded else {
        draft.incomplete = true;
        return;
    };
    if recorded.uid.is_some() {
        gone(draft, entry, absent, recorded.leaving.is_some());
        return;
    }
    draft.incomplete = true;
    if entry.stopped {
        let message = format!(
            "datacenter {} is stopped, and is made once it is started",
            entry.name
        );
        draft.hold(
            reason::STOPPED_BEFORE_FOUNDING,
            Some(&entry.name),
            Some(&entry.context),
            message,
        );
        return;
    }
    if !busy.is_empty() {
        return;
    }
    busy.insert(entry.name.clone());
    let may = match recorded.role {
        Role::Founder => draft.record.founder.as_deref() == Some(entry.name.as_str()),
        Role::Rebuild => draft.is_founded(),
        Role::External | Role::Adopted => true,
    };
    if !may || !secrets::are_there(draft, entry) {
        return;
    }
    let open = match recorded.role {
        Role::Founder => founding::nobody_could_have_founded(draft) && !founding::exists(draft, &entry.name),
        Role::Rebuild => joining::seeds_are_there(draft, entry),
        Role::External | Role::Adopted => joining::outside_seeds_are_there(draft, entry),
    };
    if !open || !may_be_stamped(draft, entry) {
        return;
    }
    if !absent {
        draft.wants_live.insert(entry.name.clone());
        return;
    }
    let Some(desired) = stores::needed(draft, entry, built) else {
        return;
    };
    config_maps::write(draft, entry, desired);
    let mut desired = desired.clone();
    if let Some(seen) = secrets::seen(draft, entry) {
        desired
            .annotations
            .insert(annotation::SECRETS_SEEN.to_owned(), seen);
    }
    desired
        .annotations
        .extend(autoupdate::mark_of_a_written_one(draft));
    draft.acts.push(Act::CreateDatacenter {
        context: entry.context.clone(),
        desired: Box::new(desired),
    });
}

/// Every datacenter carries which control plane writes it; none is written before that is known.
fn may_be_stamped(draft: &mut Draft<'_>, entry: &Entry) -> bool {
    let Err(unknown) = &draft.facts.control_plane else {
        return true;
    };
    draft.hold_unknown(&entry.name, unknown);
    false
}

/// A datacenter that existed is not there: with consent it is made anew and rebuilt, without it nobody touches
/// anything.
fn gone(draft: &mut Draft<'_>, entry: &Entry, absent: bool, consented: bool) {
    draft.incomplete = true;
    if !absent {
        draft.wants_live.insert(entry.name.clone());
        return;
    }
    if !consented {
        let message = format!(
            "datacenter {} existed in {} and is gone without having been removed here; it is not made again empty: \
             restore it, or remove it from the spec and add it again",
            entry.name,
            plane(&entry.context)
        );
        draft.hold(
            reason::DATACENTER_VANISHED,
            Some(&entry.name),
            Some(&entry.context),
            message,
        );
        return;
    }
    if let Some(record) = draft.record.datacenters.get_mut(&entry.name) {
        record.uid = None;
        record.leaving = None;
        record.joined = false;
        record.role = Role::Rebuild;
    }
}

/// cass-operator gives a datacenter up whose Secret is missing when it is made. It says so in an Event alone, and looks
/// again only when the object itself changes. So it is touched once each time that its Secrets were written anew since,
/// until its first node has started. The mark stays: cass-operator copies it to a Service and takes none away there.
fn wake(draft: &mut Draft<'_>, entry: &Entry, live: &LiveDatacenter) {
    let Some(known) = live.secrets_seen.as_ref().filter(|_| !live.initialized) else {
        return;
    };
    match secrets::seen(draft, entry) {
        Some(seen) if live.owner == Owner::Ours && seen != *known => {
            let datacenter = exactly(entry, live);
            draft.acts.push(Act::WakeDatacenter { datacenter, seen });
        }
        _ => {}
    }
}

/// The datacenter as it was seen, for an act that means no other.
pub(super) fn exactly(entry: &Entry, live: &LiveDatacenter) -> ThisDatacenter {
    ThisDatacenter {
        context: entry.context.clone(),
        namespace: entry.namespace.clone(),
        name: entry.name.clone(),
        uid: live.uid.clone(),
        resource_version: live.resource_version.clone(),
    }
}

fn replaced(entry: &Entry, live: &LiveDatacenter) -> String {
    format!(
        "datacenter {} in {} is not the one that was made (its UID is {}): it is left as it is; remove it from the spec \
         and add it again if it shall be managed",
        entry.name,
        plane(&entry.context),
        live.uid
    )
}

fn not_ready(entry: &Entry, live: &LiveDatacenter) -> String {
    let state = if live.stopped_wanted { "Stopped" } else { "Ready" };
    format!(
        "datacenter {} is not {state} yet: `kubectl describe cassandradatacenter {}` in {} tells how far it is",
        entry.name,
        entry.name,
        plane(&entry.context)
    )
}
