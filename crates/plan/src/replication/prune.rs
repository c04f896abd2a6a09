//! Copies that have to go.
//!
//! * Of a ReplicatedSecret that is there: copies that we wrote, in places (plane id, namespace, name) that no target
//!   means any more. A copy whose *source* is gone is kept, as upstream keeps it: without its source it may be the last
//!   one, and a running datacenter may need it.
//! * Of a ReplicatedSecret that goes: every copy, also those that upstream wrote.
//! * Never one that is marked as an orphan, and never one in a namespace where a CassandraDatacenter of the cluster is.

use std::collections::BTreeSet;

use api::names::{annotation, reason};
use api::replicated_secret::{ReplicationCondition, ReplicationTarget};
use api::seen::{PlaneId, SamePlane};

use super::facts::{Owner, PlaneFacts, ReplicationFacts, SecretView};
use crate::cluster::acts::plane as plane_named;

/// One copy that goes, exactly as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prune {
    /// Context that leads to the plane now.
    pub context: String,
    /// The plane.
    pub plane: PlaneId,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
}

impl Prune {
    /// One sentence for logs, events and people.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!(
            "Delete copy {}/{} in {}",
            self.namespace,
            self.name,
            plane_named(&self.context)
        )
    }
}

/// What goes, and what is in the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pruning {
    /// To be deleted now, once a live look has shown that no datacenter of the cluster is in the namespace.
    pub now: Vec<Prune>,
    /// What is to go and cannot yet: one entry for each place, for the status.
    pub waits: Vec<ReplicationCondition>,
}

/// Decides what goes. `deleting`: the ReplicatedSecret itself goes, and everything with it; with nothing in `now` and
/// `waits`, its finalizer may go.
#[must_use]
pub fn prune(facts: &ReplicationFacts, deleting: bool) -> Pruning {
    let wanted = if deleting { BTreeSet::new() } else { wanted(facts) };
    let mut pruning = Pruning::default();
    let mut looked_at = BTreeSet::new();
    for (context, plane) in &facts.planes {
        let Ok(plane) = plane else { continue };
        let Ok(copies) = &plane.copies else { continue };
        for copy in copies {
            let Some(id) = plane.id_in(&copy.namespace) else {
                continue;
            };
            let at = (id.clone(), copy.namespace.clone(), copy.name.clone());
            if !goes(facts, copy, deleting) || wanted.contains(&at) || !looked_at.insert(at) {
                continue;
            }
            prune_one(&mut pruning, context, id, plane, copy);
        }
    }
    remember_unseen(facts, deleting, &mut pruning);
    pruning
}

fn goes(facts: &ReplicationFacts, copy: &SecretView, deleting: bool) -> bool {
    let ours = match facts.identity.owner_of(copy) {
        Owner::Ours => true,
        Owner::Upstream => deleting,
        Owner::Foreign => false,
    };
    ours && !copy.is_orphan()
}

fn prune_one(pruning: &mut Pruning, context: &str, id: &PlaneId, plane: &PlaneFacts, copy: &SecretView) {
    let wait = if plane.datacenters.contains(&copy.namespace) {
        format!(
            "goes once the datacenters of this cluster in namespace {} are gone",
            copy.namespace
        )
    } else if copy.deleting {
        "is being deleted; something else than Ringspan has put a finalizer on it".to_owned()
    } else {
        pruning.now.push(Prune {
            context: context.to_owned(),
            plane: id.clone(),
            namespace: copy.namespace.clone(),
            name: copy.name.clone(),
            uid: copy.uid.clone(),
            resource_version: copy.resource_version.clone(),
        });
        return;
    };
    let message = format!(
        "Copy {}/{} in {} {wait}.",
        copy.namespace,
        copy.name,
        plane_named(context)
    );
    wait_for(pruning, context, &copy.namespace, id, message);
}

/// Places where copies were made and that cannot be looked into now. They stay in the status, so that they are not
/// forgotten.
fn remember_unseen(facts: &ReplicationFacts, deleting: bool, pruning: &mut Pruning) {
    let current: BTreeSet<_> = if deleting {
        BTreeSet::new()
    } else {
        facts
            .targets
            .iter()
            .map(|target| (target.context().to_owned(), facts.namespace_of(target)))
            .collect()
    };
    for condition in &facts.former {
        let Some(id) = condition.plane_id.clone().map(PlaneId) else {
            continue;
        };
        let namespace = condition
            .namespace
            .clone()
            .unwrap_or_else(|| facts.identity.namespace.clone());
        if current.contains(&(condition.cluster.clone(), namespace.clone()))
            || is_visible(facts, &id, &namespace)
        {
            continue;
        }
        let way_out = if deleting {
            "bring it back, or remove the finalizer of this ReplicatedSecret: the copies there then stay"
        } else {
            "bring it back, or delete the copies there yourself"
        };
        let message = format!(
            "Copies in namespace {namespace} of {} (cluster {id}) are to go, and it cannot be looked into: {way_out}.",
            plane_named(&condition.cluster)
        );
        wait_for(pruning, &condition.cluster, &namespace, &id, message);
    }
}

fn is_visible(facts: &ReplicationFacts, id: &PlaneId, namespace: &str) -> bool {
    facts
        .planes
        .values()
        .filter_map(|plane| plane.as_ref().ok())
        .any(|plane| {
            plane.copies.is_ok()
                && plane
                    .id_in(namespace)
                    .is_some_and(|seen| seen.compare(id) == SamePlane::Yes)
        })
}

fn wait_for(pruning: &mut Pruning, context: &str, namespace: &str, id: &PlaneId, message: String) {
    let same = |condition: &ReplicationCondition| {
        condition.plane_id.as_deref() == Some(id.0.as_str())
            && condition.namespace.as_deref() == Some(namespace)
    };
    if pruning.waits.iter().any(same) {
        return;
    }
    pruning.waits.push(ReplicationCondition {
        cluster: context.to_owned(),
        namespace: Some(namespace.to_owned()),
        plane_id: Some(id.0.clone()),
        reason: Some(reason::PENDING_REMOVAL.to_owned()),
        message: Some(message),
        ..super::status::condition(None)
    });
}

/// Every place that a target means, by the identity of its plane, with whatever is known of it.
fn wanted(facts: &ReplicationFacts) -> BTreeSet<(PlaneId, String, String)> {
    let mut wanted = BTreeSet::new();
    for target in &facts.targets {
        let namespace = facts.namespace_of(target);
        let named = facts.plane_id_of(target.context(), &namespace);
        for id in facts
            .planes
            .values()
            .filter_map(|plane| plane.as_ref().ok()?.id_in(&namespace))
        {
            // Without an id of the target's plane, it may be any of them.
            if named
                .as_ref()
                .is_some_and(|named| named.compare(id) == SamePlane::No)
            {
                continue;
            }
            for name in names_in(facts, target, id, &namespace) {
                wanted.insert((id.clone(), namespace.clone(), name));
            }
        }
    }
    wanted
}

/// Names of a target's copies: of the sources that are there, and of those that are gone, whose copies are kept.
fn names_in(
    facts: &ReplicationFacts,
    target: &ReplicationTarget,
    id: &PlaneId,
    namespace: &str,
) -> BTreeSet<String> {
    let prefix = target.target_prefix.as_deref().unwrap_or_default();
    let of_sources = facts
        .sources
        .iter()
        .map(|source| format!("{prefix}{}", source.name));
    let planes = facts.planes.values().filter_map(|plane| plane.as_ref().ok());
    let planes = planes.filter(|plane| plane.id_in(namespace) == Some(id));
    let copies = planes.filter_map(|plane| plane.copies.as_ref().ok()).flatten();
    let kept = copies.filter(|copy| {
        copy.namespace == namespace && copy.name.starts_with(prefix) && !has_source(facts, copy)
    });
    of_sources.chain(kept.map(|copy| copy.name.clone())).collect()
}

/// Whether the Secret that a copy was made from is still a source.
fn has_source(facts: &ReplicationFacts, copy: &SecretView) -> bool {
    let from = copy
        .annotations
        .get(annotation::CONTENT_MARK)
        .and_then(|mark| mark.split_once('/'));
    from.is_some_and(|(uid, _)| facts.sources.iter().any(|source| source.uid == uid))
}

#[cfg(test)]
mod tests;
