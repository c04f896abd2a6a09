//! The slices that carry a datacenter's seeds, in its own plane and namespace.
//!
//! While a datacenter joins it has the *joining* slice, whose name has no prefix: only then does cass-operator not
//! make the first pod its own seed, which could found a second ring. It is written before the datacenter exists.
//! Once the datacenter is Initialized it gets the *lasting* slice, under upstream's name and owned by the
//! datacenter, and the joining one goes. A founder that has not started gets none: it must not find another ring.
//!
//! A datacenter that left the spec is part of the ring until its removal begins, so that its slice follows the others'
//! seeds until then. What else is in that slice stays as it is: the spec says nothing about it any more.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::{Value, json};

use api::names::{SeedSlice, annotation, label, reason};
use api::record::{RecordState, Role};
use api::seen::Seen;

use super::acts::{Act, Kind, plane as plane_name};
use super::cluster::DatacenterSpec;
use super::draft::Draft;
use super::seeds::{self, Seeds};
use super::sites::{Datacenter, Site};
use super::slices::{Claim, Family, Slice, endpoints_together, has_all};
use crate::naming;

/// Which slice a datacenter needs.
enum Need {
    /// None, and what is there stays.
    Nothing,
    /// The one that lets it join.
    Joining,
    /// The one that lasts.
    Lasting,
}

pub(super) fn plan(draft: &mut Draft<'_>) {
    let input = draft.input;
    for site in &input.sites {
        let Ok(slices) = &site.slices else { continue };
        match &site.spec {
            Some(spec) => for_site(draft, site, spec, slices),
            None => follow(draft, site, slices),
        }
    }
    delete_strays(draft);
}

fn for_site(draft: &mut Draft<'_>, site: &Site, spec: &DatacenterSpec, slices: &[Slice]) {
    let joining = match need(draft, site, spec) {
        Need::Nothing => return,
        Need::Joining => true,
        Need::Lasting => false,
    };
    let cluster = &draft.input.cluster;
    let service = naming::additional_seed_service(&cluster.cassandra_name, &site.name);
    let own: Vec<&Slice> = slices
        .iter()
        .filter(|slice| slice.label(label::SERVICE_NAME) == service)
        .filter(|slice| slice.claim_as_seeds(cluster) != Claim::Foreign)
        .collect();
    let wanted = seeds::for_site(draft, site, &published(&own));
    for family in Family::ALL {
        let name = if joining {
            format!("{service}-{}", family.suffix())
        } else {
            format!("{}-{service}-{}", cluster.name, family.suffix())
        };
        let body = Body {
            draft,
            site,
            spec,
            service: &service,
            seeds: &wanted,
            family,
            joining,
        };
        let existing = slices.iter().find(|slice| slice.name == name);
        if let Some(act) = body.act(name, existing) {
            match act {
                Ok(act) => draft.acts.push(act),
                Err(message) => draft.hold_quietly(site, reason::NOT_OWNED, message),
            }
        }
    }
    if !joining {
        let marked = |slice: &&&Slice| slice.label(label::SEED_SLICE) == SeedSlice::JOINING;
        draft
            .acts
            .extend(own.iter().filter(marked).map(|slice| delete(site.at(), slice)));
    }
}

/// Keeps the lasting slices of a datacenter that left the spec up to date. None is made, and none is deleted.
fn follow(draft: &mut Draft<'_>, site: &Site, slices: &[Slice]) {
    let cluster = &draft.input.cluster;
    let lives = |own: &&Datacenter| own.initialized && !own.deleting;
    let Some(own) = site.own(cluster).filter(lives) else {
        return;
    };
    if site.is_leaving() || matches!(cluster.record, RecordState::Unreadable(_)) {
        return;
    }
    let service = naming::additional_seed_service(&cluster.cassandra_name, &site.name);
    let lasting: Vec<&Slice> = slices
        .iter()
        .filter(|slice| slice.label(label::SERVICE_NAME) == service)
        .filter(|slice| slice.claim_as_seeds(cluster) == Claim::Ours)
        .filter(|slice| slice.label(label::SEED_SLICE) == SeedSlice::LASTING)
        .collect();
    let wanted = seeds::for_site(draft, site, &published(&lasting));
    for slice in lasting {
        let addresses = slice.family.of(&wanted.addresses);
        let mut annotations = slice.annotations.clone();
        annotations.insert(annotation::SEED_SOURCES.to_owned(), wanted.sources_text());
        let same = slice.addresses == addresses && slice.annotations == annotations;
        if same || addresses.is_empty() {
            continue;
        }
        let metadata = metadata(site, &slice.name, &slice.labels, &annotations, Some(&own.uid));
        draft.acts.push(Act::Apply {
            at: site.at(),
            kind: Kind::EndpointSlice,
            name: slice.name.clone(),
            uid: slice.uid.clone(),
            object: object(&metadata, slice.family, &addresses),
        });
    }
}

fn need(draft: &Draft<'_>, site: &Site, spec: &DatacenterSpec) -> Need {
    if matches!(draft.input.cluster.record, RecordState::Unreadable(_)) || site.is_leaving() && !is_gone(site)
    {
        return Need::Nothing;
    }
    let own = site.own(&draft.input.cluster);
    let joins = match site.role() {
        Some(Role::Rebuild | Role::External) => true,
        Some(Role::Founder | Role::Adopted) => false,
        None => stands_behind_a_ring(draft, site),
    };
    match (&site.seen, own) {
        (Seen::Present(_), Some(own)) if own.deleting => Need::Nothing,
        (Seen::Present(_), Some(own)) if own.initialized || site.role() == Some(Role::Adopted) => {
            Need::Lasting
        }
        (Seen::Present(_), Some(_)) if joins => Need::Joining,
        (Seen::NotListed | Seen::Absent(_), _) if joins && !spec.stopped && may_be_created(site) => {
            Need::Joining
        }
        _ => Need::Nothing,
    }
}

fn is_gone(site: &Site) -> bool {
    matches!(site.seen, Seen::NotListed | Seen::Absent(_))
}

/// One that existed and vanished without consent is not created again, so it needs no seeds.
fn may_be_created(site: &Site) -> bool {
    site.record
        .as_ref()
        .is_none_or(|record| record.uid.is_none() || record.leaving.is_some())
}

/// A datacenter that nobody has decided about yet will join, if there is a ring to join.
fn stands_behind_a_ring(draft: &Draft<'_>, site: &Site) -> bool {
    let cluster = &draft.input.cluster;
    let founder = draft.record().and_then(|record| record.founder.as_deref());
    let has_ring = |other: &Site| {
        Some(other.name.as_str()) == founder && other.own(cluster).is_some_and(|own| own.initialized)
    };
    let founded_by_another = founder != Some(site.name.as_str()) && draft.input.sites.iter().any(has_ring);
    founded_by_another || !cluster.additional_seeds.is_empty() || !cluster.external_datacenters.is_empty()
}

/// What was published so far. Upstream does not say where addresses came from.
fn published(slices: &[&Slice]) -> Seeds {
    let mut seeds = Seeds::default();
    for slice in slices {
        seeds.addresses.extend(&slice.addresses);
        match slice.annotations.get(annotation::SEED_SOURCES) {
            Some(text) => seeds.sources.extend(sources(text)),
            None => seeds.unattributed |= !slice.addresses.is_empty(),
        }
    }
    seeds
}

fn sources(text: &str) -> BTreeMap<String, String> {
    serde_json::from_str(text).unwrap_or_default()
}

fn delete(at: super::Where, slice: &Slice) -> Act {
    Act::Delete {
        at,
        kind: Kind::EndpointSlice,
        name: slice.name.clone(),
        uid: slice.uid.clone(),
        resource_version: slice.resource_version.clone(),
    }
}

/// Slices of ours for datacenters that nobody wants and nobody knows: they never came to be.
fn delete_strays(draft: &mut Draft<'_>) {
    if draft.must_not_shrink() || draft.record().is_none() {
        return;
    }
    let cluster = &draft.input.cluster;
    let ours = draft
        .input
        .strays
        .iter()
        .filter(|(_, slice)| slice.label(label::CLUSTER_UID) == cluster.uid);
    let acts = ours.map(|(context, slice)| {
        let datacenter = slice.label(label::CASSANDRA_DATACENTER).to_owned();
        let at = super::Where {
            context: context.clone(),
            namespace: slice.namespace.clone(),
            datacenter,
        };
        delete(at, slice)
    });
    draft.acts.extend(acts);
}

/// One slice as it shall be.
struct Body<'a, 'b> {
    draft: &'a Draft<'b>,
    site: &'a Site,
    spec: &'a DatacenterSpec,
    service: &'a str,
    seeds: &'a Seeds,
    family: Family,
    joining: bool,
}

impl Body<'_, '_> {
    /// What is due; the error says why nothing can be done.
    fn act(&self, name: String, existing: Option<&Slice>) -> Option<Result<Act, String>> {
        let cluster = &self.draft.input.cluster;
        let addresses = self.family.of(&self.seeds.addresses);
        let (at, kind) = (self.site.at(), Kind::EndpointSlice);
        let Some(slice) = existing else {
            return (!addresses.is_empty()).then(|| {
                Ok(Act::Create {
                    at,
                    kind,
                    object: self.object(&name),
                    name,
                })
            });
        };
        let claim = slice.claim_as_seeds(cluster);
        match claim {
            Claim::Foreign => Some(Err(format!(
                "EndpointSlice {}/{name} in {} was not made for this cluster and is left as it is: delete it if nobody \
                 needs it, so that datacenter {} gets its seeds",
                self.site.namespace,
                plane_name(&self.site.context),
                self.site.name
            ))),
            _ if addresses.is_empty() => Some(Ok(delete(at, slice))),
            _ if slice.addresses == addresses && (claim == Claim::Upstream || self.is_marked(slice)) => None,
            _ => Some(Ok(Act::Apply {
                at,
                kind,
                uid: slice.uid.clone(),
                object: self.object(&name),
                name,
            })),
        }
    }

    /// Whether everything but the addresses is as it shall be.
    fn is_marked(&self, slice: &Slice) -> bool {
        let owned = self
            .owner()
            .is_none_or(|uid| slice.owners.iter().any(|owner| owner.uid == uid));
        owned && has_all(&slice.labels, &self.labels()) && has_all(&slice.annotations, &self.annotations())
    }

    fn owner(&self) -> Option<&str> {
        let own = self.site.own(&self.draft.input.cluster)?;
        (!self.joining).then_some(own.uid.as_str())
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let cluster = &self.draft.input.cluster;
        let clean = naming::clean_label_value;
        let mut labels: BTreeMap<String, String> = self
            .spec
            .labels
            .iter()
            .map(|(key, value)| (key.clone(), clean(value)))
            .collect();
        let kind = if self.joining {
            SeedSlice::JOINING
        } else {
            SeedSlice::LASTING
        };
        let own = [
            (label::CASSANDRA_CLUSTER, clean(&cluster.cassandra_name)),
            (label::CASSANDRA_DATACENTER, self.site.name.clone()),
            (label::APP_MANAGED_BY, "cass-operator".to_owned()),
            (label::APP_NAME, "cassandra".to_owned()),
            (label::APP_VERSION, clean(&self.spec.server_version)),
            (
                label::APP_INSTANCE,
                format!("cassandra-{}", clean(&cluster.cassandra_name)),
            ),
            (label::APP_CREATED_BY, "cass-operator".to_owned()),
            (label::SERVICE_NAME, self.service.to_owned()),
            (label::SLICE_MANAGED_BY, label::SLICE_MANAGER.to_owned()),
            (label::CLUSTER_NAME, cluster.name.clone()),
            (label::CLUSTER_NAMESPACE, cluster.namespace.clone()),
            (label::CLUSTER_UID, cluster.uid.clone()),
            (label::SEED_SLICE, kind.to_owned()),
        ];
        labels.extend(own.map(|(key, value)| (key.to_owned(), value)));
        labels
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let mut annotations = self.spec.annotations.clone();
        annotations.insert(annotation::SEED_SOURCES.to_owned(), self.seeds.sources_text());
        annotations
    }

    fn object(&self, name: &str) -> Value {
        let addresses = self.family.of(&self.seeds.addresses);
        let metadata = metadata(self.site, name, &self.labels(), &self.annotations(), self.owner());
        object(&metadata, self.family, &addresses)
    }
}

fn metadata(
    site: &Site,
    name: &str,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
    owner: Option<&str>,
) -> Value {
    let mut metadata = json!({
        "name": name,
        "namespace": site.namespace,
        "labels": labels,
        "annotations": annotations,
    });
    if let Some(uid) = owner {
        metadata["ownerReferences"] = json!([{
            "apiVersion": "cassandra.datastax.com/v1beta1",
            "kind": "CassandraDatacenter",
            "name": site.name,
            "uid": uid,
        }]);
    }
    metadata
}

fn object(metadata: &Value, family: Family, addresses: &BTreeSet<IpAddr>) -> Value {
    json!({
        "apiVersion": Kind::EndpointSlice.api_version(),
        "kind": Kind::EndpointSlice.as_str(),
        "metadata": metadata,
        "addressType": family.address_type(),
        "endpoints": endpoints_together(addresses),
    })
}

#[cfg(test)]
mod tests;
