//! Datacenters that were there before us: what they were found with, so that a later edit of the user's can be told from
//! what only this version would write differently.

use api::record::{Found, RecordState};

use super::draft::{Draft, ours};
use super::facts::{LiveDatacenter, Owner};
use crate::datacenter::{
    LiveDatacenter as LiveBinding, PER_NODE_CONFIG_DIGEST, References, per_node_config_digest,
};

/// Notes the input of a datacenter with upstream's marks alone when it is first seen, and again when somebody else has
/// changed it, as upstream may have while we were away: it takes our marks off what it writes, also off what we made.
/// Nothing is left to note once we have written it.
pub(super) fn note_what_is_found(
    draft: &mut Draft<'_>,
    name: &str,
    references: &References,
    input: impl FnOnce() -> String,
) {
    let Some(live) = draft.datacenter(name).and_then(|it| ours(&it.object)) else {
        return;
    };
    let unseen = !is_recorded(draft, name, live) && is_behind(draft);
    let Some(record) = draft.record.datacenters.get_mut(name) else {
        return;
    };
    if record.uid.as_ref() != Some(&live.uid) {
        return;
    }
    if live.owner != Owner::Upstream || live.input_hash.is_some() {
        record.found = None;
    } else if record.found.as_ref().is_none_or(|it| it.spec != live.spec_digest) {
        record.found = Some(Found {
            input: if unseen { String::new() } else { input() },
            spec: live.spec_digest.clone(),
            per_node_config: references.per_node_config.as_ref().map(per_node_config_digest),
        });
    }
}

/// A datacenter with what its operator would have noted on it, had it been us: of which content its pods were told. `None` =
/// as it is.
pub(super) fn as_noted(draft: &Draft<'_>, name: &str, live: &LiveDatacenter) -> Option<LiveBinding> {
    let record = draft.record.datacenters.get(name)?;
    let digest = record.found.as_ref()?.per_node_config.as_ref()?;
    let mut binding = live.binding.clone();
    let noted = binding.annotations.entry(PER_NODE_CONFIG_DIGEST.to_owned());
    noted.or_insert_with(|| digest.clone());
    Some(binding)
}

fn is_recorded(draft: &Draft<'_>, name: &str, live: &LiveDatacenter) -> bool {
    let RecordState::Known(record) = &draft.facts.record else {
        return false;
    };
    let recorded = record.datacenters.get(name);
    recorded.is_some_and(|it| it.uid.as_ref() == Some(&live.uid))
}

/// Whether the cluster was edited after whoever had it last was done with it: then the edit is still to be made.
fn is_behind(draft: &Draft<'_>) -> bool {
    let status = draft.facts.kc.status.as_ref();
    let observed = status.and_then(|status| status.observed_generation);
    observed.is_some_and(|observed| observed < draft.generation)
}
