//! What cluster-reconciler does for one K8ssandraCluster: record, Secrets, datacenters, removal, deletion.
//!
//! * [`facts`]: what was seen. * [`acts`]: what can be asked for. * [`plan`]: from the one to the other.
//!
//! The protocols are those of founding (`founding`), joining (`joining`), change (`datacenters`, `changing`; of what others have
//! set, `drift`; of what is cass-operator's to change, `autoupdate`), removal (`removal`), deletion (`deletion`; of what upstream
//! leaves, `addons`) and of planes that are gone for good (`abandoning`). What cannot be seen again is in the record (`record_keeping`; of what was there before us, `adoption`),
//! and what a datacenter is built from beside the spec is looked up by `references`.

pub mod acts;
pub mod facts;

mod abandoning;
mod addons;
mod adoption;
mod autoupdate;
mod changing;
mod config_maps;
mod datacenters;
mod deletion;
mod draft;
mod drift;
mod founding;
mod joining;
mod record_keeping;
mod references;
mod removal;
mod secrets;
mod stores;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use api::names::{annotation, reason};
use api::record::{RecordState, Role};
use api::reports::Refusal;

use acts::ClusterPlan;
use draft::Draft;
use facts::ClusterFacts;
use stores::Built;

use crate::datacenter::{self, DatacenterInput, Facts};
use crate::validate;

/// Decides what to do for a cluster, from what was seen of it. Pure: the same facts give the same plan.
#[must_use]
pub fn plan(facts: &ClusterFacts) -> ClusterPlan {
    let mut draft = Draft::new(facts);
    if facts.kc.metadata.deletion_timestamp.is_some() {
        return deletion::plan(draft);
    }
    if draft.annotation(annotation::PAUSED) == Some("true") {
        let message = format!(
            "annotation {} is `true`: nothing is written until it goes",
            annotation::PAUSED
        );
        draft.hold(reason::PAUSED, None, None, message);
        return draft.finish_without_record();
    }
    if let RecordState::Unreadable(why) = &facts.record {
        let message = format!(
            "annotation {} cannot be used: {why}. Nothing is done before it is mended; if its text is lost, take the \
             annotation away, and it is rebuilt from the datacenters that exist",
            annotation::RECORD
        );
        draft.hold(reason::RECORD_UNREADABLE, None, None, message);
        return draft.finish_without_record();
    }
    let wanted = match validate::checked(&facts.kc) {
        Ok(wanted) => wanted,
        Err(refusal) => return draft.refuse(refusal),
    };
    record_keeping::note_what_is_seen(&mut draft);
    record_keeping::note_what_joined(&mut draft);
    if let Some(refusal) =
        record_keeping::check_placement(&draft).or_else(|| record_keeping::check_grants(&draft))
    {
        return draft.refuse(refusal);
    }
    let bound = record_keeping::bound(&draft);
    if let Err(refusal) = validate::against(&facts.kc, &wanted, &bound) {
        return draft.refuse(refusal);
    }
    draft.warnings = validate::warnings(&wanted, &bound);
    founding::choose(&mut draft);
    record_keeping::enter_wanted(&mut draft);
    if draft.record.founder.is_some() || draft.stands_behind_others() {
        record_keeping::note_initial_replication(&mut draft);
    }
    let desired = match build_all(&mut draft, &wanted) {
        Ok(desired) => desired,
        Err(refusal) => return draft.refuse(refusal),
    };
    datacenters::plan(&mut draft, &desired);
    removal::plan(&mut draft);
    abandoning::tell_what_is_back(&mut draft);
    secrets_before_datacenters(&mut draft);
    draft.finish()
}

/// Secrets are decided on last, when it is known which datacenters are gone, and written first.
fn secrets_before_datacenters(draft: &mut Draft<'_>) {
    let later = std::mem::take(&mut draft.acts);
    secrets::plan(draft);
    draft.acts.extend(later);
}

fn build_all(draft: &mut Draft<'_>, wanted: &[Facts<'_>]) -> Result<BTreeMap<String, Built>, Refusal> {
    let replication = initial_replication(draft);
    let known = draft.facts.control_plane.as_ref().ok();
    let control_plane = known.and_then(|id| id.as_ref()).map(|plane| plane.0.as_str());
    let mut all = BTreeMap::new();
    for entry in draft.entries.clone() {
        let Some(mut references) = references::of(draft, &entry) else {
            continue;
        };
        let merged = datacenter::named(wanted, &entry.name)?;
        adoption::note_what_is_found(draft, &entry.name, &references, || merged.input_hash(&references));
        let record = draft.record.datacenters.get(&entry.name);
        let live = draft
            .datacenter(&entry.name)
            .and_then(|it| draft::ours(&it.object));
        if let Some(not_built) = stores::complete(draft, &entry, wanted, live, &mut references)? {
            all.insert(entry.name.clone(), not_built);
            continue;
        }
        let noted = live.and_then(|live| adoption::as_noted(draft, &entry.name, live));
        let input = DatacenterInput {
            kc: &draft.facts.kc,
            datacenter: &entry.name,
            all: Some(wanted),
            role: record.map_or(Role::Rebuild, |record| record.role),
            initial_system_replication: replication.as_ref(),
            control_plane_id: control_plane,
            references: &references,
            live: noted.as_ref().or(live.map(|live| &live.binding)),
        };
        let desired = Box::new(datacenter::build(&input)?);
        all.insert(entry.name.clone(), Built::Yes(desired));
    }
    Ok(all)
}

fn initial_replication(draft: &Draft<'_>) -> Option<BTreeMap<String, u32>> {
    let text = draft
        .annotation(annotation::INITIAL_SYSTEM_REPLICATION)
        .or(draft.initial_system_replication.as_deref())?;
    serde_json::from_str(text).ok()
}
