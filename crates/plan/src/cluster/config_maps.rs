//! ConfigMaps that datacenters mount: written before their datacenter, and deleted after it has settled without them.

use super::acts::Act;
use super::draft::{Draft, Entry};
use super::facts::{LiveDatacenter, data_digest};
use crate::datacenter::{DesiredConfigMap, DesiredDatacenter};

/// Makes those that are not there, and leaves those that are: what they say changes with the datacenter only.
pub(super) fn write_missing(draft: &mut Draft<'_>, entry: &Entry, desired: &DesiredDatacenter) {
    let datacenter = draft.datacenter(&entry.name);
    let Some(there) = datacenter.and_then(|datacenter| datacenter.config_maps.present()) else {
        return;
    };
    for wanted in &desired.config_maps {
        if !there.contains_key(&wanted.name) {
            write_one(draft, entry, wanted, None);
        }
    }
}

/// Deletes those of what is switched off, when the datacenter has settled without them.
pub(super) fn delete_unused(
    draft: &mut Draft<'_>,
    entry: &Entry,
    live: &LiveDatacenter,
    desired: &DesiredDatacenter,
) {
    let there = draft
        .datacenter(&entry.name)
        .and_then(|it| it.config_maps.present());
    let Some(there) = there.filter(|_| live.settled) else {
        return;
    };
    let unused = desired
        .switched_off
        .iter()
        .filter(|name| !live.binding.mounts(name));
    let config_maps: Vec<_> = unused
        .filter_map(|name| Some((name, there.get(name)?)))
        .map(|(name, map)| (name.clone(), map.uid.clone(), map.resource_version.clone()))
        .collect();
    if !config_maps.is_empty() {
        draft.acts.push(Act::DeleteLeftovers {
            datacenter: entry.name.clone(),
            context: entry.context.clone(),
            namespace: entry.namespace.clone(),
            config_maps,
            slices: Vec::new(),
        });
    }
}

/// Makes them, or brings them up to date.
pub(super) fn write(draft: &mut Draft<'_>, entry: &Entry, desired: &DesiredDatacenter) {
    let Some(datacenter) = draft.datacenter(&entry.name) else {
        return;
    };
    for wanted in &desired.config_maps {
        let existing = datacenter
            .config_maps
            .present()
            .and_then(|maps| maps.get(&wanted.name));
        if existing.is_none_or(|marked| marked.digest != data_digest(&wanted.data)) {
            write_one(draft, entry, wanted, existing.map(|marked| marked.uid.clone()));
        }
    }
}

/// One write for one object, also where several datacenters share it.
fn write_one(draft: &mut Draft<'_>, entry: &Entry, wanted: &DesiredConfigMap, uid: Option<String>) {
    let is_it = |act: &Act| {
        matches!(act, Act::WriteConfigMap { context, desired, .. }
            if *context == entry.context && desired.namespace == wanted.namespace && desired.name == wanted.name)
    };
    if !draft.acts.iter().any(is_it) {
        draft.acts.push(Act::WriteConfigMap {
            datacenter: entry.name.clone(),
            context: entry.context.clone(),
            desired: wanted.clone(),
            uid,
        });
    }
}
