//! What the watches show of one ReplicatedSecret. Asks nobody, but a plane whose credentials may not say at once who
//! it is.

use std::collections::{BTreeMap, BTreeSet};

use api::names::label;
use api::replicated_secret::ReplicatedSecret;
use api::seen::Unknown;
use fleet::{Health, Plane};
use plan::replication::{Identity, PlaneFacts, ReplicationFacts, SecretView, Selector};
use runtime::Key;

use crate::Context;
use crate::watches::Remote;

/// Everything that a plan is made from; `None` while the sources have not been listed.
pub(crate) async fn facts(
    context: &Context,
    key: &Key,
    object: &ReplicatedSecret,
) -> Option<ReplicationFacts> {
    let selector = object
        .spec
        .selector
        .as_ref()
        .map(|it| Selector::parse(&it.0))
        .transpose();
    let sources = if let Ok(Some(selector)) = &selector {
        context.sources.of(key, selector)?
    } else {
        context.sources.forget(key);
        Vec::new()
    };
    Some(with(context, key, object, selector, sources).await)
}

/// As [`facts`], of one that is being deleted: its sources do not count any more.
pub(crate) async fn leaving(context: &Context, key: &Key, object: &ReplicatedSecret) -> ReplicationFacts {
    with(context, key, object, Ok(None), Vec::new()).await
}

async fn with(
    context: &Context,
    key: &Key,
    object: &ReplicatedSecret,
    selector: Result<Option<Selector>, String>,
    sources: Vec<SecretView>,
) -> ReplicationFacts {
    let mut facts = ReplicationFacts {
        identity: Identity::of(object),
        targets: object.spec.replication_targets.clone().unwrap_or_default(),
        selector,
        sources,
        former: object
            .status
            .as_ref()
            .map(|status| status.conditions.clone())
            .unwrap_or_default(),
        planes: BTreeMap::new(),
        grants: BTreeMap::new(),
    };
    let mut planes = BTreeMap::new();
    for plane in context.fleet.planes() {
        let seen = plane_facts(context, key, &facts, &plane).await;
        planes.insert(plane.context().to_owned(), Ok(seen));
    }
    for target in &facts.targets {
        let grants = context.fleet.grants(target.context());
        facts.grants.insert(target.context().to_owned(), grants);
        if let Err(unknown) = context.fleet.plane(target.context()) {
            planes.insert(target.context().to_owned(), Err(unknown));
        }
    }
    facts.planes = planes;
    facts
}

async fn plane_facts(
    context: &Context,
    key: &Key,
    facts: &ReplicationFacts,
    plane: &Plane<Remote>,
) -> PlaneFacts {
    let label = facts.identity.label();
    let is_of_this = |copy: &SecretView| copy.labels.get(label::REPLICATED_SECRET_NAME) == Some(&label);
    let listed = plane.caches.copies.list();
    let copies: Result<Vec<SecretView>, Unknown> = listed.map(|listed| {
        listed
            .into_iter()
            .filter(|(_, copy)| is_of_this(copy) && !context.graveyard.has(&copy.uid))
            .map(|(_, copy)| (*copy).clone())
            .collect()
    });
    // The last word counts: a datacenter that is not seen any more may still be there.
    let cluster = facts.identity.cluster_uid.as_deref();
    let datacenters = cluster.map(|uid| {
        let marks = plane.caches.datacenters.last_list().into_iter();
        marks
            .filter(|(_, mark)| mark.may_be_of(key, uid))
            .map(|(at, _)| at.namespace)
            .collect()
    });
    let weak_ids = if plane.id().is_none() && copies.is_ok() {
        weak_ids(facts, plane, copies.iter().flatten()).await
    } else {
        BTreeMap::new()
    };
    PlaneFacts {
        id: plane.id(),
        weak_ids,
        copies,
        datacenters: datacenters.unwrap_or_default(),
    }
}

/// Ids of the weaker form, for the namespaces where there are copies or shall be.
async fn weak_ids(
    facts: &ReplicationFacts,
    plane: &Plane<Remote>,
    copies: impl Iterator<Item = &SecretView>,
) -> BTreeMap<String, api::seen::PlaneId> {
    let targets = facts
        .targets
        .iter()
        .filter(|target| target.context() == plane.context());
    let mut namespaces: BTreeSet<String> = targets.map(|target| facts.namespace_of(target)).collect();
    namespaces.extend(copies.map(|copy| copy.namespace.clone()));
    let mut ids = BTreeMap::new();
    for namespace in namespaces {
        if let Some(id) = plane.caches.weak_id(&namespace) {
            ids.insert(namespace, id);
        } else if plane.health() == Health::Reachable
            && let Ok(id) = plane.id_in(&namespace).await
        {
            plane.caches.know_weak_id(&namespace, id.clone());
            ids.insert(namespace, id);
        }
    }
    ids
}
