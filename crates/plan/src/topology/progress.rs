//! The report: how far topology is with this generation, and whether writing that can wait.

use std::collections::{BTreeMap, BTreeSet};

use api::names::reason;
use api::reports::{FORMAT, TopologyDatacenterReport, TopologyReport};
use api::seen::Seen;

use super::acts::{Ask, TopologyPlan};
use super::contact_points::sources;
use super::draft::Draft;
use super::sites::{Datacenter, Site};

/// What is due, missing and reported.
pub(super) fn conclude(mut draft: Draft<'_>) -> TopologyPlan {
    let datacenters = datacenters(&mut draft);
    hold_what_is_unseen(&mut draft);
    let complete = is_complete(&draft, &datacenters);
    let cluster = &draft.input.cluster;
    let last = draft.reported().map(|report| report.system_replication.clone());
    let replication_pending =
        draft.system_replication.is_none() && last.as_ref().is_some_and(|last| !last.is_empty());
    let report = TopologyReport {
        format: FORMAT,
        observed_generation: cluster.generation,
        holds: draft.holds,
        datacenters,
        system_replication: draft.system_replication.or(last).unwrap_or_default(),
        replication_pending,
        complete,
    };
    TopologyPlan {
        acts: draft.acts,
        asks: draft.asks,
        report: Some(report),
        next_check: draft.next_check,
    }
}

/// Whether the new report can wait some seconds for a better one: it neither finishes this generation nor gives
/// or takes the permission to delete. Most reports on the way are overtaken before anybody reads them.
#[must_use]
pub fn can_wait(before: Option<&TopologyReport>, now: &TopologyReport) -> bool {
    let verdicts = |report: &TopologyReport| -> Vec<(String, bool)> {
        let entries = report.datacenters.iter();
        entries
            .filter_map(|(name, entry)| Some((name.clone(), entry.may_be_deleted?)))
            .collect()
    };
    let finished = |report: &TopologyReport| report.complete.then_some(report.observed_generation);
    let split = |report: &TopologyReport| {
        report
            .holds
            .iter()
            .any(|hold| hold.reason == reason::HOST_IDS_DIFFER)
    };
    let Some(before) = before else {
        return !now.complete && verdicts(now).is_empty();
    };
    let is_end = now.complete && finished(before) != finished(now);
    !is_end && verdicts(before) == verdicts(now) && (split(before) || !split(now))
}

/// An entry for each datacenter that is there, or may be.
fn datacenters(draft: &mut Draft<'_>) -> BTreeMap<String, TopologyDatacenterReport> {
    let input = draft.input;
    let mut entries = BTreeMap::new();
    for site in &input.sites {
        let before = draft
            .reported()
            .and_then(|report| report.datacenters.get(&site.name));
        let entry = match (&site.seen, site.own(&input.cluster)) {
            (_, Some(own)) => {
                let plane = site
                    .plane
                    .clone()
                    .or_else(|| site.record.as_ref().map(|record| record.plane_id.clone()));
                plane.map(|plane_id| TopologyDatacenterReport {
                    uid: own.uid.clone(),
                    plane_id,
                    joined: draft.is_joined(site),
                    may_be_deleted: draft.may_be_deleted.get(&site.name).copied(),
                    not_serving: not_serving(draft, site, own),
                })
            }
            (Seen::Unknown(_) | Seen::NotListed, None) => before
                .filter(|entry| is_the_recorded_one(site, &entry.uid))
                .cloned(),
            (Seen::Present(_) | Seen::Absent(_), None) => None,
        };
        entries.extend(entry.map(|entry| (site.name.clone(), entry)));
    }
    entries
}

/// Pods of a datacenter that are not ready although cass-operator has nothing to do there: it calls a datacenter Ready whose
/// nodes fail later. While it works, nodes come and go, and that is nobody's trouble.
fn not_serving(draft: &Draft<'_>, site: &Site, own: &Datacenter) -> Vec<String> {
    if !draft.is_joined(site) || !own.can_be_asked() {
        return Vec::new();
    }
    let slices = sources(&draft.input.cluster, site).into_iter();
    let pods: BTreeSet<String> = slices.flat_map(|slice| slice.not_serving.clone()).collect();
    pods.into_iter().collect()
}

fn is_the_recorded_one(site: &Site, uid: &str) -> bool {
    site.record
        .as_ref()
        .and_then(|record| record.uid.as_deref())
        .is_none_or(|recorded| recorded == uid)
}

/// A plane that cannot be seen holds what is not finished, and is not worth a word where all was.
fn hold_what_is_unseen(draft: &mut Draft<'_>) {
    if was_complete(draft) {
        return;
    }
    let input = draft.input;
    for site in input.sites.iter().filter(|site| site.spec.is_some()) {
        let unknown = site.seen.unknown().or(site.slices.as_ref().err());
        if let Some(unknown) = unknown {
            draft.hold_quietly(site, &unknown.reason, unknown.message.clone());
        }
    }
}

fn was_complete(draft: &Draft<'_>) -> bool {
    draft.still_true().is_some_and(|report| report.complete)
}

fn is_complete(draft: &Draft<'_>, entries: &BTreeMap<String, TopologyDatacenterReport>) -> bool {
    let input = draft.input;
    let asks_for_the_ring = draft.asks.iter().any(|ask| !matches!(ask, Ask::Datacenter(_)));
    if !draft.acts.is_empty() || asks_for_the_ring || !draft.holds.is_empty() {
        return false;
    }
    let latched = was_complete(draft);
    let in_spec = input.sites.iter().filter(|site| site.spec.is_some());
    in_spec.into_iter().all(|site| {
        let joined = entries.get(&site.name).is_some_and(|entry| entry.joined);
        let never_created = site.spec.as_ref().is_some_and(|spec| spec.stopped) && site.record.is_none();
        let settled = site.own(&input.cluster).is_some_and(|own| {
            let stopped_as_asked = own.stopped_wanted == site.spec.as_ref().is_some_and(|spec| spec.stopped);
            stopped_as_asked
                && (own.ready || own.stopped)
                && site.spec.as_ref().map(|spec| spec.size) == Some(own.size)
        });
        never_created || joined && (latched || settled)
    }) && (latched || !draft.waiting && draft.system_replication.is_some())
        && input.sites.iter().filter(|site| site.spec.is_none()).all(gone)
}

/// Out of the spec, and not seen any more.
fn gone(site: &Site) -> bool {
    matches!(site.seen, Seen::Absent(_) | Seen::NotListed)
}
