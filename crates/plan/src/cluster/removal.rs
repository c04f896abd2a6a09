//! Datacenters that left the spec: deleted only with consent, one at a time, and by UID.

use api::names::{annotation, reason};
use api::record::{DatacenterRecord, Leaving};
use api::seen::{Seen, Unknown};

use super::acts::{Act, ThisDatacenter, plane};
use super::datacenters::busy;
use super::draft::Draft;
use super::facts::{DatacenterFacts, LiveDatacenter, Owner};
use super::{abandoning, addons, secrets};
use crate::consent::{self, RemovalConsent};

/// Decides for each datacenter that is recorded and no longer wanted.
pub(super) fn plan(draft: &mut Draft<'_>) {
    let leaving: Vec<_> = draft
        .record
        .datacenters
        .keys()
        .filter(|name| !draft.wants(name))
        .cloned()
        .collect();
    for name in leaving {
        draft.incomplete = true;
        let (Some(datacenter), Some(record)) = (
            draft.datacenter(&name),
            draft.record.datacenters.get(&name).cloned(),
        ) else {
            continue;
        };
        match &datacenter.object {
            Seen::Unknown(_) if abandoning::is_given_up(draft, &name) => {}
            Seen::Unknown(unknown) => abandoning::hold(draft, &name, unknown),
            Seen::NotListed => {
                draft.wants_live.insert(name);
            }
            Seen::Absent(_) => forget(draft, &name, datacenter),
            Seen::Present(live) if live.owner == Owner::Foreign || record.uid.as_ref() != Some(&live.uid) => {
                // Not the one that we made: ours is gone, and this one is nobody's business.
                forget(draft, &name, datacenter);
            }
            Seen::Present(live) if live.deleting => {
                let message = format!("the nodes of datacenter {name} leave the ring, then it is deleted");
                draft.hold(
                    reason::DECOMMISSIONING,
                    Some(&name),
                    Some(&datacenter.context),
                    message,
                );
            }
            Seen::Present(live) => remove(draft, &name, datacenter, live, &record),
        }
    }
}

fn remove(
    draft: &mut Draft<'_>,
    name: &str,
    datacenter: &DatacenterFacts,
    live: &LiveDatacenter,
    record: &DatacenterRecord,
) {
    let context = Some(datacenter.context.as_str());
    if live
        .cluster_generation
        .is_some_and(|seen| seen > draft.generation)
    {
        let message = format!(
            "datacenter {name} was written for a later generation of this cluster than it has now: it looks restored \
             from an older backup, and nothing is removed until the spec is edited again"
        );
        return draft.hold(reason::HISTORY_REWOUND, Some(name), context, message);
    }
    let consent = RemovalConsent::of(draft.facts.kc.metadata.annotations.as_ref());
    if !consent.covers(&live.uid) {
        let message = format!(
            "datacenter {name} is not in the spec any more, and annotation {}={} asks for a second consent: it stays as \
             it is until annotation {}={} is there, or it is in the spec again",
            annotation::REMOVAL,
            consent::CONFIRM,
            annotation::CONFIRM_REMOVAL,
            live.uid
        );
        return draft.hold(reason::REMOVAL_NOT_CONFIRMED, Some(name), context, message);
    }
    let reported = draft
        .facts
        .topology
        .as_ref()
        .and_then(|topology| topology.datacenters.get(name));
    let reported = reported.filter(|it| it.uid == live.uid && it.plane_id == record.plane_id);
    match reported.and_then(|it| it.may_be_deleted) {
        None => {
            let message =
                format!("datacenter {name} is removed once it is known that no keyspace has replicas there");
            draft.hold(reason::REPLICATION_UNKNOWN, Some(name), context, message);
        }
        Some(false) => {
            let message = format!(
                "keyspaces still have replicas in datacenter {name}: alter them so that they have none there; nothing is \
                 deleted before"
            );
            draft.hold(reason::REPLICAS_LEFT, Some(name), context, message);
        }
        Some(true) if waits_for_another(draft, name, context) => {}
        Some(true) if !addons::of_datacenter_are_gone(draft, name, datacenter, live) => {}
        Some(true) => {
            if let Some(record) = draft.record.datacenters.get_mut(name) {
                record.leaving = Some(Leaving {
                    uid: live.uid.clone(),
                    generation: draft.generation,
                });
            }
            draft.acts.push(Act::RemoveDatacenter(ThisDatacenter {
                context: datacenter.context.clone(),
                namespace: datacenter.namespace.clone(),
                name: name.to_owned(),
                uid: live.uid.clone(),
                resource_version: live.resource_version.clone(),
            }));
        }
    }
}

/// Datacenters come, change and go one after another. One that leaves as well is waited for once its nodes are going: until
/// then two that are broken could wait for each other.
fn waits_for_another(draft: &mut Draft<'_>, name: &str, context: Option<&str>) -> bool {
    let goes = |other: &String| {
        let live = draft.datacenter(other).and_then(|it| it.object.present());
        live.is_some_and(|live| live.deleting)
    };
    let mut busy = busy(draft).into_iter().filter(|it| draft.wants(it) || goes(it));
    let is_one = |act: &&Act| {
        matches!(
            act,
            Act::CreateDatacenter { .. } | Act::ApplyDatacenter { .. } | Act::RemoveDatacenter(_)
        )
    };
    let acted = draft
        .acts
        .iter()
        .find(is_one)
        .and_then(Act::datacenter)
        .map(str::to_owned);
    let Some(other) = busy.find(|it| it != name).or(acted) else {
        return false;
    };
    let message = format!("datacenter {name} is removed once datacenter {other} is ready or gone");
    draft.hold(reason::DATACENTER_NOT_READY, Some(name), context, message);
    true
}

/// It is gone, and so is what was made for it; then the record may forget it.
fn forget(draft: &mut Draft<'_>, name: &str, datacenter: &DatacenterFacts) {
    if let Some(unknown) = unseen_leftovers(datacenter) {
        return draft.hold_unknown(name, unknown);
    }
    if let Some(act) = leftovers(draft, name, datacenter) {
        draft.acts.push(act);
        return;
    }
    let place = (datacenter.context.clone(), datacenter.namespace.clone());
    draft.gone.insert(name.to_owned(), place);
    if secrets::are_copied_in_vain(draft) {
        // Nothing but the record knows that the copies may go: it forgets last.
        draft.incomplete = true;
        return;
    }
    let record = draft.record.datacenters.remove(name);
    let never_made = record.is_some_and(|record| record.uid.is_none());
    if never_made && draft.record.founder.as_deref() == Some(name) {
        draft.record.founder = None;
    }
}

/// Why it is not known what is left of a datacenter: its object can be read live while the lists are still old.
pub(super) fn unseen_leftovers(datacenter: &DatacenterFacts) -> Option<&Unknown> {
    datacenter
        .config_maps
        .unknown()
        .or_else(|| datacenter.seed_slices.unknown())
}

/// Deletion of what was made for a datacenter that is gone; none where nothing is left. What datacenters share goes with
/// the last of them.
pub(super) fn leftovers(draft: &Draft<'_>, name: &str, datacenter: &DatacenterFacts) -> Option<Act> {
    let is_last = is_last_in_its_place(draft, name, datacenter);
    let maps = datacenter.config_maps.present().into_iter().flatten();
    let maps = maps.filter(|(_, map)| is_last || !map.shared);
    let config_maps: Vec<_> = maps
        .map(|(name, map)| (name.clone(), map.uid.clone(), map.resource_version.clone()))
        .collect();
    let slices = datacenter
        .seed_slices
        .present()
        .into_iter()
        .flatten()
        .filter(|slice| slice.serves == name);
    let slices: Vec<_> = slices
        .map(|slice| {
            (
                slice.name.clone(),
                slice.uid.clone(),
                slice.resource_version.clone(),
            )
        })
        .collect();
    if config_maps.is_empty() && slices.is_empty() {
        return None;
    }
    Some(Act::DeleteLeftovers {
        datacenter: name.to_owned(),
        context: datacenter.context.clone(),
        namespace: datacenter.namespace.clone(),
        config_maps,
        slices,
    })
}

/// Whether no other datacenter of the cluster is, or is wanted, in the same namespace of the same plane.
fn is_last_in_its_place(draft: &Draft<'_>, name: &str, datacenter: &DatacenterFacts) -> bool {
    let cluster_stays = draft.facts.kc.metadata.deletion_timestamp.is_none();
    let may_be_there = |object: &Seen<LiveDatacenter>| match object {
        Seen::Present(live) => live.owner != Owner::Foreign,
        Seen::Absent(_) => false,
        Seen::Unknown(_) | Seen::NotListed => true,
    };
    let uses = |(other, it): (&String, &DatacenterFacts)| {
        other != name
            && draft.may_be_same_place(it, datacenter)
            && (may_be_there(&it.object) || cluster_stays && draft.wants(other))
    };
    !draft.facts.datacenters.iter().any(uses)
}

/// How a plane that is not told about is named.
pub(super) fn where_is(datacenter: &DatacenterFacts) -> String {
    plane(&datacenter.context)
}
