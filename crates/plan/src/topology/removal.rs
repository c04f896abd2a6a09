//! Whether a datacenter that left the spec may be deleted: when no keyspace of the user has replicas there, from a
//! live and complete answer. What is not known holds the removal.

use api::names::reason;

use super::acts::Ask;
use super::draft::Draft;
use super::replication::{Answered, answered, ask_through, replicas_in};
use super::sites::{Datacenter, Site};

/// So many keyspaces are named at most.
const NAMED: usize = 5;

pub(super) fn plan(draft: &mut Draft<'_>) {
    let input = draft.input;
    let leaving = input.sites.iter().filter(|site| site.spec.is_none());
    for (site, own) in leaving.filter_map(|site| Some((site, site.own(&input.cluster)?))) {
        if draft.must_not_shrink() || draft.record().is_none() {
            continue;
        }
        if let Some(verdict) = verdict(draft, site, own) {
            draft.may_be_deleted.insert(site.name.clone(), verdict);
        }
    }
}

fn verdict(draft: &mut Draft<'_>, site: &Site, own: &Datacenter) -> Option<bool> {
    let generation = draft.input.cluster.generation;
    let reported = draft
        .reported()
        .filter(|report| report.observed_generation == generation);
    let before = reported
        .and_then(|report| report.datacenters.get(&site.name))
        .filter(|entry| entry.uid == own.uid)
        .and_then(|entry| entry.may_be_deleted);
    if site.is_leaving() || before == Some(true) {
        // The consent is given, or the verdict: what follows is not ours.
        return Some(true);
    }
    let Some(via) = ask_through(draft) else {
        let message = format!(
            "datacenter {} is not deleted before it is known that no keyspace has replicas there, and no other \
             datacenter is Ready to be asked: start one",
            site.name
        );
        draft.hold_quietly(site, reason::REPLICATION_UNKNOWN, message);
        return None;
    };
    let answer = match answered(draft, via, |answers| answers.keyspaces.get(&via.name)) {
        Answered::Missing => {
            draft.ask(Ask::Keyspaces(via.name.clone()));
            return before;
        }
        Answered::Failed => {
            let message = format!(
                "datacenter {} is not deleted before it is known that no keyspace has replicas there, and the nodes \
                 of datacenter {} did not tell",
                site.name, via.name
            );
            draft.hold(site, reason::REPLICATION_UNKNOWN, message);
            return None;
        }
        Answered::Known(answer) => answer,
    };
    let left: Vec<&str> = replicas_in(&draft.input.cluster, answer, &own.ring_name).collect();
    if left.is_empty() {
        return Some(true);
    }
    let named = left.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = left.len().saturating_sub(NAMED);
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    let message = format!(
        "datacenter {} is not deleted while keyspaces have replicas there: {named}{more}. Alter them so that they name \
         {} no more",
        site.name, own.ring_name
    );
    draft.hold(site, reason::REPLICAS_LEFT, message);
    Some(false)
}
