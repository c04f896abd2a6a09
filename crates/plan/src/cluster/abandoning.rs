//! Planes that are gone for good: what lives there is forgotten, by a consent that names the plane, and that is recorded.
//!
//! Only what is to go anyway can be abandoned, and only while its plane does not tell. Nothing is written there: should it
//! come back, its objects are as they were, and nobody here takes them for ours again.

use api::names::{annotation, reason};
use api::record::Abandoned;
use api::seen::Unknown;

use super::draft::Draft;
use crate::consent;

/// Forgets a datacenter that cannot be seen and is to go, where the user has given its plane up. True = it is forgotten,
/// now or before.
pub(super) fn is_given_up(draft: &mut Draft<'_>, name: &str) -> bool {
    let Some(record) = draft.record.datacenters.get(name).cloned() else {
        return draft.record.abandoned.values().any(|it| it.name == name);
    };
    let given_up = consent::abandoned_planes(draft.facts.kc.metadata.annotations.as_ref());
    if !given_up.contains(&record.plane_id.0) {
        return false;
    }
    draft.record.datacenters.remove(name);
    if let Some(uid) = record.uid {
        let left = Abandoned {
            name: name.to_owned(),
            plane_id: record.plane_id,
            namespace: record.namespace,
            generation: draft.generation,
        };
        draft.record.abandoned.insert(uid, left);
    }
    true
}

/// Holds what is to go until its plane tells, and says what to do if it never will.
pub(super) fn hold(draft: &mut Draft<'_>, name: &str, unknown: &Unknown) {
    let plane = draft
        .record
        .datacenters
        .get(name)
        .map(|record| record.plane_id.clone());
    let way_out = plane.map(|id| {
        format!(
            " If that plane is gone for good, annotation {}={id} forgets what was there; nodes of {name} that the ring still \
             lists are then to be removed by hand",
            annotation::ABANDON
        )
    });
    let message = format!("{}{}", unknown.message, way_out.unwrap_or_default());
    draft.hold(&unknown.reason, Some(name), Some(&unknown.context), message);
}

/// Tells of abandoned datacenters that are seen again.
pub(super) fn tell_what_is_back(draft: &mut Draft<'_>) {
    let facts = draft.facts;
    for (name, datacenter) in &facts.datacenters {
        let live = datacenter.object.present();
        let Some(live) = live.filter(|live| draft.record.abandoned.contains_key(&live.uid)) else {
            continue;
        };
        let message = format!(
            "CassandraDatacenter {}/{name} (UID {}) was abandoned, and its plane answers again: it is left as it is; delete it \
             by hand",
            datacenter.namespace, live.uid
        );
        draft.hold(reason::ABANDONED, Some(name), Some(&datacenter.context), message);
    }
}
