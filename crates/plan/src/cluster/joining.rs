//! A joiner is made only where it finds a ring: its seeds must lie in its namespace before it exists.

use std::collections::BTreeSet;

use api::names::reason;
use api::seen::Seen;

use super::acts::plane;
use super::draft::{Draft, Entry};
use super::facts::{LiveDatacenter, SeedSlice};

/// Whether the joining slice of this datacenter carries this cluster's UID, names an initialized datacenter whose
/// UID the record knows, and lists an address of one of its nodes. Holds the datacenter where not.
pub(super) fn seeds_are_there(draft: &mut Draft<'_>, entry: &Entry) -> bool {
    let sources: Vec<(String, LiveDatacenter)> = draft
        .initialized()
        .filter(|(name, _)| **name != entry.name)
        .map(|(name, live)| (name.clone(), live.clone()))
        .collect();
    if sources.is_empty() {
        let message = format!(
            "datacenter {} joins once a datacenter of the ring is initialized and can be seen",
            entry.name
        );
        draft.hold(
            reason::SEEDS_PENDING,
            Some(&entry.name),
            Some(&entry.context),
            message,
        );
        return false;
    }
    let proves = |slice: &SeedSlice| {
        slice.joining
            && slice.serves == entry.name
            && sources.iter().any(|(name, live)| {
                slice.sources.get(name) == Some(&live.uid) && !slice.addresses.is_disjoint(&live.addresses)
            })
    };
    slices_hold(draft, entry, proves, "of the ring")
}

/// The same for a datacenter that joins nodes that nobody here manages: an address that the user gave is enough.
pub(super) fn outside_seeds_are_there(draft: &mut Draft<'_>, entry: &Entry) -> bool {
    let cassandra = draft.facts.kc.spec.cassandra.as_ref();
    let given: BTreeSet<String> = cassandra
        .and_then(|it| it.additional_seeds.clone())
        .unwrap_or_default()
        .into_iter()
        .collect();
    if given.is_empty() {
        let message = format!(
            "datacenter {} stands behind `externalDatacenters`: give addresses of their nodes in \
             `spec.cassandra.additionalSeeds`, or it would found a ring of its own",
            entry.name
        );
        draft.hold(
            reason::SEEDS_PENDING,
            Some(&entry.name),
            Some(&entry.context),
            message,
        );
        return false;
    }
    let proves = |slice: &SeedSlice| slice.serves == entry.name && !slice.addresses.is_disjoint(&given);
    slices_hold(draft, entry, proves, "that the user gave")
}

fn slices_hold(
    draft: &mut Draft<'_>,
    entry: &Entry,
    proves: impl Fn(&SeedSlice) -> bool,
    whose: &str,
) -> bool {
    let Some(datacenter) = draft.datacenter(&entry.name) else {
        return false;
    };
    match &datacenter.seed_slices {
        Seen::Present(slices) if slices.iter().any(proves) => true,
        Seen::Unknown(unknown) => {
            draft.hold_unknown(&entry.name, unknown);
            false
        }
        _ => {
            let message = format!(
                "datacenter {} is made once addresses {whose} are published as its seeds in namespace {} of {}",
                entry.name,
                entry.namespace,
                plane(&entry.context)
            );
            draft.hold(
                reason::SEEDS_PENDING,
                Some(&entry.name),
                Some(&entry.context),
                message,
            );
            false
        }
    }
}
