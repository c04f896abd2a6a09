//! Whether both sides of a join are one ring: each lists the other's host ids.
//!
//! It is asked before keyspaces are replicated to a datacenter that joins and before it is rebuilt. Two rings that do
//! not know each other look healthy one by one, and a rebuild would then bring nothing.

use std::collections::{BTreeMap, BTreeSet};

use api::names::reason;
use api::record::Role;

use super::acts::{Ask, Ring};
use super::draft::Draft;
use super::sites::{Datacenter, Site};

/// How far a datacenter's join is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// It is part of the ring, or comes without our help.
    Done,
    /// Not yet Ready, or not yet asked.
    Waiting,
    /// Both sides list each other.
    Verified,
}

/// By name: the datacenters of the spec that exist.
pub(super) type Joins = BTreeMap<String, Join>;

pub(super) fn joins(draft: &mut Draft<'_>) -> Joins {
    let input = draft.input;
    let mut joins = Joins::new();
    for site in input
        .sites
        .iter()
        .filter(|site| site.spec.is_some() && !site.is_leaving())
    {
        let Some(own) = site.own(&input.cluster) else {
            continue;
        };
        let join = if draft.is_joined(site) {
            Join::Done
        } else {
            verify(draft, site, own)
        };
        joins.insert(site.name.clone(), join);
    }
    joins
}

fn verify(draft: &mut Draft<'_>, site: &Site, own: &Datacenter) -> Join {
    if site.role() != Some(Role::Rebuild) || !own.can_be_asked() {
        return Join::Waiting;
    }
    if super::rebuild::task_of(site, own).is_some() {
        // Its task is made only after this very check.
        return Join::Verified;
    }
    let others: Vec<(&Site, &Datacenter)> = draft.members().collect();
    if others.is_empty() {
        let message = format!(
            "datacenter {} joins once another datacenter of the ring is Ready",
            site.name
        );
        draft.hold_quietly(site, reason::DATACENTER_NOT_READY, message);
        return Join::Waiting;
    }
    let mut verified = true;
    for (other, others_own) in others {
        verified &= sees(draft, site, (site, own), (other, others_own));
        verified &= sees(draft, site, (other, others_own), (site, own));
    }
    if verified { Join::Verified } else { Join::Waiting }
}

/// Whether a node of `one` lists every node of `other`.
fn sees(
    draft: &mut Draft<'_>,
    joining: &Site,
    one: (&Site, &Datacenter),
    other: (&Site, &Datacenter),
) -> bool {
    let expected: BTreeSet<&str> = other.1.host_ids().collect();
    match draft.input.answers.rings.get(&one.0.name) {
        None => {
            draft.ask(Ask::Ring(one.0.name.clone()));
            false
        }
        Some(Err(error)) => {
            let message = format!(
                "datacenter {} joins once it is known that both sides list each other's nodes: {error}",
                joining.name
            );
            draft.hold(one.0, reason::MANAGEMENT_API_UNREACHABLE, message);
            false
        }
        Some(Ok(ring)) if !expected.is_empty() && expected.iter().all(|id| ring.contains(*id)) => true,
        Some(Ok(ring)) => {
            let message = differ(one.0, other.0, &expected, ring);
            draft.hold(joining, reason::HOST_IDS_DIFFER, message);
            false
        }
    }
}

fn differ(one: &Site, other: &Site, expected: &BTreeSet<&str>, ring: &Ring) -> String {
    let missing = expected.iter().filter(|id| !ring.contains(**id)).count();
    format!(
        "the nodes of datacenter {} do not list {missing} of the {} nodes of datacenter {}: they may be two rings; see \
         that the nodes reach each other's storage port. Nothing is replicated or rebuilt until then",
        one.name,
        expected.len(),
        other.name
    )
}
