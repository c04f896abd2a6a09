//! What goes into the record: written before the act that relies on it, rebuilt from what is seen when lost.

use api::names::{annotation, reason};
use api::record::{RecordState, Role};
use api::reports::Refusal;
use api::seen::SamePlane;

use super::draft::{Draft, ours};
use crate::{datacenter, grants};

/// Takes over into the record every datacenter of ours that is seen: a lost record is rebuilt, never taken
/// for "never founded".
pub(super) fn note_what_is_seen(draft: &mut Draft<'_>) {
    let lost = matches!(draft.facts.record, RecordState::None);
    let facts = draft.facts;
    for (name, datacenter) in &facts.datacenters {
        let Some(live) = ours(&datacenter.object) else {
            continue;
        };
        let Some(Ok(plane)) = facts.planes.get(&datacenter.context) else {
            continue;
        };
        let stamped = live.role.unwrap_or(Role::Adopted);
        if draft.record.abandoned.contains_key(&live.uid) {
            continue;
        }
        let entry = draft.record_entry(name, stamped, plane, &datacenter.namespace);
        if entry.uid.is_none() && entry.leaving.is_none() {
            entry.uid = Some(live.uid.clone());
            entry.role = stamped;
        }
        if lost && stamped == Role::Founder {
            draft.record.founder = Some(name.clone());
        }
    }
}

/// Takes over from topology that a datacenter's rebuild is verified.
pub(super) fn note_what_joined(draft: &mut Draft<'_>) {
    let Some(topology) = &draft.facts.topology else {
        return;
    };
    for (name, record) in &mut draft.record.datacenters {
        let Some(reported) = topology.datacenters.get(name) else {
            continue;
        };
        if record.role == Role::Rebuild && record.uid.as_ref() == Some(&reported.uid) && reported.joined {
            record.joined = true;
        }
    }
}

/// A datacenter never moves: another plane id or namespace than the recorded one is refused. The same plane under
/// another context name is fine.
pub(super) fn check_placement(draft: &Draft<'_>) -> Option<Refusal> {
    draft.entries.iter().enumerate().find_map(|(index, entry)| {
        let record = draft.record.datacenters.get(&entry.name).filter(|record| record.uid.is_some())?;
        let known = draft.facts.planes.get(&entry.context).and_then(|plane| plane.as_ref().ok());
        let other_plane = known.is_some_and(|plane| plane.compare(&record.plane_id) == SamePlane::No);
        let (field, what) = if other_plane {
            ("k8sContext", "lives in another plane")
        } else if record.namespace != entry.namespace {
            ("metadata.namespace", "lives in another namespace")
        } else {
            return None;
        };
        Some(Refusal {
            reason: reason::PLACEMENT_CHANGED.to_owned(),
            field: format!("spec.cassandra.datacenters[{index}].{field}"),
            message: format!(
                "datacenter {} {what} ({}/{}), and a datacenter never moves: give the former value back; to move the \
                 data, add a datacenter with another name and remove this one once it is rebuilt",
                entry.name, record.plane_id, record.namespace
            ),
        })
    })
}

/// Every datacenter of the spec may be where it shall be. One that was made before a grant went stays, and the spec is held
/// until the grant is back or the datacenter is taken out.
pub(super) fn check_grants(draft: &Draft<'_>) -> Option<Refusal> {
    let from = draft.facts.kc.metadata.namespace.as_deref().unwrap_or_default();
    draft.entries.iter().enumerate().find_map(|(index, entry)| {
        let grants = draft.facts.grants.get(&entry.context)?;
        let denied = grants::denied(grants, &entry.context, from, &entry.namespace)?;
        let field = if denied.reason == reason::NOT_GRANTED {
            "k8sContext"
        } else {
            "metadata.namespace"
        };
        Some(Refusal {
            reason: denied.reason.to_owned(),
            field: format!("spec.cassandra.datacenters[{index}].{field}"),
            message: denied.message,
        })
    })
}

/// The datacenters that bind what the spec may say: ours, made, and not on their way out.
pub(super) fn bound<'a>(draft: &Draft<'a>) -> Vec<&'a datacenter::LiveDatacenter> {
    let stays = |name: &String, uid: &String| {
        let record = draft.record.datacenters.get(name);
        record.is_some_and(|record| record.uid.as_ref() == Some(uid) && record.leaving.is_none())
    };
    let live = draft
        .facts
        .datacenters
        .iter()
        .filter_map(|(name, it)| Some((name, ours(&it.object)?)));
    live.filter(|(name, live)| stays(name, &live.uid) && !live.deleting)
        .map(|(_, live)| &live.binding)
        .collect()
}

/// Enters every datacenter of the spec whose plane is known, with the role that it will have.
pub(super) fn enter_wanted(draft: &mut Draft<'_>) {
    let founder = draft.record.founder.clone();
    let behind_others = draft.stands_behind_others();
    for entry in draft.entries.clone() {
        let Some(Ok(plane)) = draft.facts.planes.get(&entry.context) else {
            continue;
        };
        let first = !draft
            .record
            .datacenters
            .values()
            .any(|record| record.uid.is_some() || record.role == Role::External);
        let role = match &founder {
            Some(name) if *name == entry.name && !draft.is_founded() => Role::Founder,
            None if behind_others && first => Role::External,
            _ => Role::Rebuild,
        };
        let record = draft.record_entry(&entry.name, role, plane, &entry.namespace);
        if record.uid.is_none() && record.leaving.is_none() {
            record.plane_id = plane.clone();
            record.namespace.clone_from(&entry.namespace);
            if record.role != Role::External {
                record.role = role;
            }
        }
    }
}

/// The replication of system keyspaces that the ring is founded with: written once, with the founder.
pub(super) fn note_initial_replication(draft: &mut Draft<'_>) {
    if draft.annotation(annotation::INITIAL_SYSTEM_REPLICATION).is_some() {
        return;
    }
    let first = draft
        .record
        .founder
        .as_deref()
        .or(draft.entries.first().map(|entry| entry.name.as_str()));
    let factors = datacenter::founding_replication(&draft.facts.kc, first.unwrap_or_default());
    if !factors.is_empty() {
        draft.initial_system_replication = serde_json::to_string(&factors).ok();
    }
}
