//! Which addresses a datacenter is given as seeds: those of the others.
//!
//! A datacenter becomes a source once it is Ready, when all its seeds are labelled, and stays one. From then on its
//! new seeds are followed at once. While it shows as many as it should have, these alone count, so that what is published
//! does not depend on how it came to be. While some are missing, as when pods restart, an address that was published goes
//! only when its datacenter has no such node any more. While a source is unknown, everything stays that was published; and
//! the last addresses stay while another datacenter runs that has not shown its seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use api::seen::Seen;

use super::draft::Draft;
use super::sites::{Datacenter, SeedPod, Site};
use super::slices::seed_address;

/// cass-operator labels all nodes of a smaller datacenter, and no fewer of a larger one.
const USUAL: usize = 3;

/// Seeds for one datacenter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seeds {
    /// Their addresses.
    pub(super) addresses: BTreeSet<IpAddr>,
    /// The datacenters that they come from, with their UIDs.
    pub(super) sources: BTreeMap<String, String>,
    /// Some of the addresses were written by upstream, which does not say where they come from.
    pub(super) unattributed: bool,
}

impl Seeds {
    /// Where they come from, as it is written down beside them.
    pub(super) fn sources_text(&self) -> String {
        serde_json::to_string(&self.sources).unwrap_or_default()
    }
}

/// The seeds that `site` shall have, beside those that were `published` for it so far.
pub(super) fn for_site(draft: &Draft<'_>, site: &Site, published: &Seeds) -> Seeds {
    let mut wanted = Seeds::default();
    let (mut keep_all, mut another_runs) = (draft.must_not_shrink(), false);
    let others = draft.input.sites.iter().filter(|other| !same_place(other, site));
    for other in others.filter(|other| other.spec.is_some() && !other.is_leaving()) {
        match contribution(draft, other, published) {
            Contribution::None => another_runs |= runs(draft, other),
            Contribution::Unknown => keep_all = true,
            // Its pods are all between two lives: what was there last is the best that is known.
            Contribution::Of(own, addresses) if addresses.is_empty() => {
                keep_all |= published.sources.get(&other.name) == Some(&own.uid);
            }
            Contribution::Of(own, addresses) => {
                wanted.addresses.extend(addresses);
                wanted.sources.insert(other.name.clone(), own.uid.clone());
            }
        }
    }
    if keep_all || another_runs && wanted.addresses.is_empty() {
        wanted.addresses.extend(&published.addresses);
        for (name, uid) in &published.sources {
            wanted.sources.entry(name.clone()).or_insert_with(|| uid.clone());
        }
    }
    let additional = draft.input.cluster.additional_seeds.iter();
    wanted
        .addresses
        .extend(additional.filter_map(|text| seed_address(text)));
    wanted
}

fn runs(draft: &Draft<'_>, site: &Site) -> bool {
    let own = site.own(&draft.input.cluster);
    own.is_some_and(|own| own.initialized && !own.stopped && !own.stopped_wanted && !own.deleting)
}

/// A name is not an identity: two datacenters of one name in two namespaces are two.
fn same_place(one: &Site, other: &Site) -> bool {
    (&one.name, &one.namespace, &one.context) == (&other.name, &other.namespace, &other.context)
}

enum Contribution<'a> {
    /// It is no source.
    None,
    /// It was one, and what it has now is not known.
    Unknown,
    /// These addresses.
    Of(&'a Datacenter, BTreeSet<IpAddr>),
}

fn contribution<'a>(draft: &Draft<'_>, other: &'a Site, published: &Seeds) -> Contribution<'a> {
    let was_source = published.unattributed || published.sources.contains_key(&other.name);
    let Some(own) = other.own(&draft.input.cluster) else {
        let gone = matches!(other.seen, Seen::Absent(_));
        return if gone || !was_source {
            Contribution::None
        } else {
            Contribution::Unknown
        };
    };
    let Ok(pods) = &other.seeds else {
        return if was_source {
            Contribution::Unknown
        } else {
            Contribution::None
        };
    };
    let labelled: BTreeSet<IpAddr> = pods.iter().flat_map(SeedPod::addresses).collect();
    let nodes: BTreeSet<IpAddr> = own.nodes.values().filter_map(|node| node.address).collect();
    let kept: BTreeSet<IpAddr> = published.addresses.intersection(&nodes).copied().collect();
    let is_source = published.sources.get(&other.name) == Some(&own.uid) || !kept.is_empty();
    let stopped = own.stopped && labelled.is_empty();
    let new_and_unready = !is_source && (!own.ready || labelled.is_empty());
    if stopped || new_and_unready || !own.initialized {
        return Contribution::None;
    }
    if own.shows_its_seeds(pods) {
        return Contribution::Of(own, labelled);
    }
    Contribution::Of(own, &labelled | &kept)
}

impl Datacenter {
    /// Whether `pods`, which are labelled, are as many as it should have. cass-operator writes down late that a pod has
    /// another address, so that its nodes say less.
    fn shows_its_seeds(&self, pods: &[SeedPod]) -> bool {
        let with_address = pods.iter().filter(|pod| !pod.addresses.is_empty()).count();
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        with_address > 0 && with_address >= size.min(USUAL)
    }
}

impl SeedPod {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().copied()
    }
}
