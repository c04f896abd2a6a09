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

#[cfg(test)]
mod tests {
    use api::seen::Seen;

    use super::super::fixture::*;
    use super::super::{Ask, Ring, TopologyInput};

    /// dc2 is up and not yet verified.
    fn joining() -> TopologyInput {
        let mut input = nothing();
        bring_up(&mut input, 1);
        converge(&mut input);
        bring_up(&mut input, 2);
        input
    }

    fn ring(nodes: &[&str]) -> Ring {
        nodes.iter().map(|node| (*node).to_owned()).collect()
    }

    const ALL: [&str; 6] = ["h10", "h11", "h12", "h20", "h21", "h22"];

    #[test]
    fn both_sides_are_asked_before_anything_is_replicated_or_rebuilt() {
        let input = joining();
        let plan = planned(&input);
        assert_eq!(
            plan.asks,
            [Ask::Ring("dc2".to_owned()), Ask::Ring("dc1".to_owned())]
        );
        assert!(
            sentences(&input)
                .iter()
                .all(|act| !act.contains("keyspace") && !act.contains("CassandraTask"))
        );
    }

    #[test]
    fn two_rings_that_look_healthy_are_held() {
        let mut input = joining();
        input.answers.rings.insert("dc1".to_owned(), Ok(ring(&ALL[..3])));
        input.answers.rings.insert("dc2".to_owned(), Ok(ring(&ALL[3..])));
        let plan = planned(&input);
        assert_eq!(plan.asks, []);
        assert!(plan.next_check.is_some());
        let report = plan.report.unwrap();
        assert_eq!(report.holds.len(), 2);
        assert_eq!(report.holds[0].reason, "HostIdsDiffer");
        assert_eq!(report.holds[0].datacenter.as_deref(), Some("dc2"));
        assert_eq!(
            report.holds[0].message,
            "the nodes of datacenter dc2 do not list 3 of the 3 nodes of datacenter dc1: they may be two rings; see \
             that the nodes reach each other's storage port. Nothing is replicated or rebuilt until then"
        );
        assert!(
            sentences(&input)
                .iter()
                .all(|act| !act.contains("keyspace") && !act.contains("CassandraTask"))
        );
    }

    #[test]
    fn one_side_that_misses_one_node_is_enough_to_hold() {
        let mut input = joining();
        input.answers.rings.insert("dc1".to_owned(), Ok(ring(&ALL[..5])));
        input.answers.rings.insert("dc2".to_owned(), Ok(ring(&ALL)));
        assert_eq!(holds(&input), ["HostIdsDiffer"]);
    }

    #[test]
    fn a_side_that_does_not_answer_holds_the_join() {
        let mut input = joining();
        input
            .answers
            .rings
            .insert("dc1".to_owned(), Err("no node answers".to_owned()));
        input.answers.rings.insert("dc2".to_owned(), Ok(ring(&ALL)));
        assert_eq!(holds(&input), ["ManagementApiUnreachable"]);
    }

    #[test]
    fn without_another_ready_datacenter_nothing_is_asked() {
        let mut input = joining();
        input.sites[0].seen = Seen::Unknown(unknown("east"));
        assert_eq!(planned(&input).asks, []);
        assert!(holds(&input).contains(&"DatacenterNotReady".to_owned()));
    }
}
