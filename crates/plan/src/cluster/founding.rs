//! A ring is founded once. When in doubt, nobody founds.

use api::names::reason;
use api::record::Role;
use api::seen::Seen;

use super::acts::plane;
use super::draft::{Draft, ours};
use super::facts::Owner;

/// Chooses who founds a ring that was never founded, and writes it into the record: the first in working order that is
/// not stopped. Nobody, while anything about any of the cluster's datacenters is unknown.
pub(super) fn choose(draft: &mut Draft<'_>) {
    if draft.is_founded() {
        return;
    }
    draft.record.founder = None;
    if draft.stands_behind_others() || !nobody_could_have_founded(draft) {
        return;
    }
    let Some(founder) = draft.in_working_order().into_iter().find(|entry| !entry.stopped) else {
        let first = draft.entries[0].clone();
        draft.hold_founding(
            reason::STOPPED_BEFORE_FOUNDING,
            &first.name,
            &first.context,
            "every datacenter is stopped, and a stopped one cannot found the ring: start one".to_owned(),
        );
        return;
    };
    let stale = draft
        .datacenter(&founder.name)
        .and_then(|datacenter| datacenter.stale_seed_slice.clone());
    if let Some(slice) = stale {
        let message = format!(
            "EndpointSlice {}/{slice} in {} gives {} seeds of another ring, which it would join instead of founding its \
             own: delete that EndpointSlice if its ring is gone",
            founder.namespace,
            plane(&founder.context),
            founder.name
        );
        draft.hold_founding(reason::STALE_SEED_SLICE, &founder.name, &founder.context, message);
        return;
    }
    let Some(Ok(plane)) = draft.facts.planes.get(&founder.context) else {
        return;
    };
    draft.record_entry(&founder.name, Role::Founder, plane, &founder.namespace);
    draft.record.founder = Some(founder.name);
}

/// Whether it is proven, live, that no datacenter of this cluster has ever started anywhere. Asks for what is
/// missing, and holds what cannot be had.
pub(super) fn nobody_could_have_founded(draft: &mut Draft<'_>) -> bool {
    let facts = draft.facts;
    let mut proven = true;
    for entry in draft.entries.clone() {
        if let Some(Err(unknown)) = facts.planes.get(&entry.context) {
            let message = format!(
                "the ring is not founded before {} answers: {}",
                plane(&entry.context),
                unknown.message
            );
            draft.hold_founding(&unknown.reason, &entry.name, &entry.context, message);
            proven = false;
        }
    }
    for (name, datacenter) in &facts.datacenters {
        if matches!(facts.planes.get(&datacenter.context), Some(Err(_))) {
            proven = false;
            continue;
        }
        proven &= match &datacenter.object {
            Seen::Absent(_) => true,
            Seen::Present(live) if live.owner == Owner::Foreign => {
                draft.hold_founding(
                    reason::NOT_OWNED,
                    name,
                    &datacenter.context,
                    not_owned(name, &datacenter.namespace, &datacenter.context),
                );
                false
            }
            Seen::Present(live) => !live.started,
            Seen::NotListed => {
                draft.wants_live.insert(name.clone());
                false
            }
            Seen::Unknown(unknown) => {
                let message = format!(
                    "the ring is not founded before {} tells whether datacenter {name} is there: {}",
                    plane(&datacenter.context),
                    unknown.message
                );
                draft.hold_founding(&unknown.reason, name, &datacenter.context, message);
                false
            }
        };
    }
    proven
}

/// What to do about an object that somebody else made.
pub(super) fn not_owned(name: &str, namespace: &str, context: &str) -> String {
    format!(
        "CassandraDatacenter {namespace}/{name} in {} was not made for this cluster and is left as it is: delete it if \
         nobody needs it, or give this datacenter another name",
        plane(context)
    )
}

/// Whether a datacenter with that name exists and is ours.
pub(super) fn exists(draft: &Draft<'_>, name: &str) -> bool {
    draft
        .datacenter(name)
        .is_some_and(|datacenter| ours(&datacenter.object).is_some())
}
