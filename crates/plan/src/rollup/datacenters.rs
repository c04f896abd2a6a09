//! `status.datacenters`: an entry exactly while the CassandraDatacenter was seen. Upstream's tools, and upstream itself
//! after a way back, derive acts from these entries: one too many or too few is worse than an old one.

use std::collections::BTreeMap;

use api::k8ssandra_cluster::DatacenterStatus;
use api::seen::Unknown;

use super::facts::{RollupFacts, SeenDatacenter, SpecDatacenter};

/// Upstream's words for the two steps of a removal.
pub const UPDATING_REPLICATION: &str = "UpdatingReplication";
/// See [`UPDATING_REPLICATION`].
pub const DECOMMISSIONING: &str = "Decommissioning";

/// The entries, by name.
#[must_use]
pub fn entries(facts: &RollupFacts) -> BTreeMap<String, DatacenterStatus> {
    let seen = owned(facts);
    let former = &facts.cluster.status.datacenters;
    let kept = former.iter().filter(|(name, entry)| {
        !seen.contains_key(name.as_str()) && unknown(facts, &entry.context_name).is_some()
    });
    let kept = kept.map(|(name, entry)| (name.clone(), entry.clone()));
    seen.iter()
        .map(|(name, datacenter)| ((*name).to_owned(), entry(facts, datacenter)))
        .chain(kept)
        .collect()
}

fn entry(facts: &RollupFacts, datacenter: &SeenDatacenter) -> DatacenterStatus {
    DatacenterStatus {
        cassandra: datacenter.object.status.clone(),
        context_name: datacenter.context.clone(),
        decommission_progress: progress(facts, datacenter).to_owned(),
        reaper: None,
        stargate: None,
    }
}

/// `Decommissioning` only once nothing can be lost by it: consent is recorded, or the deletion has begun.
fn progress(facts: &RollupFacts, datacenter: &SeenDatacenter) -> &'static str {
    let wanted = facts
        .cluster
        .spec
        .iter()
        .any(|it| it.name == datacenter.object.name);
    let goes = facts.cluster.lets_go(&datacenter.object);
    match (facts.cluster.deleting, wanted) {
        (true, _) => "",
        (_, true) if goes && datacenter.object.deleting => DECOMMISSIONING,
        (_, true) => "",
        (_, false) if goes || datacenter.object.deleting => DECOMMISSIONING,
        (_, false) => UPDATING_REPLICATION,
    }
}

/// The cluster's datacenters by name. Of two of one name the one in its place of the spec counts, then the one where the
/// status had it, then the first.
#[must_use]
pub fn owned(facts: &RollupFacts) -> BTreeMap<&str, &SeenDatacenter> {
    let mut owned: BTreeMap<&str, &SeenDatacenter> = BTreeMap::new();
    for datacenter in facts
        .datacenters
        .iter()
        .filter(|it| facts.cluster.owns(&it.object))
    {
        let rank = |it: &SeenDatacenter| {
            let spec = facts.cluster.spec.iter().any(|spec| is_in_place(spec, it));
            let former = facts.cluster.status.datacenters.get(&it.object.name);
            (
                spec,
                former.is_some_and(|former| former.context_name == it.context),
            )
        };
        let known = owned.entry(&datacenter.object.name).or_insert(datacenter);
        if rank(datacenter) > rank(known) {
            *known = datacenter;
        }
    }
    owned
}

fn is_in_place(spec: &SpecDatacenter, seen: &SeenDatacenter) -> bool {
    spec.name == seen.object.name && spec.context == seen.context && spec.namespace == seen.object.namespace
}

/// How one datacenter of the spec is.
#[derive(Clone, Copy, Debug)]
pub enum Sight<'a> {
    /// It is there.
    There(&'a SeenDatacenter),
    /// Its plane answers, and it is not there.
    NotThere,
    /// Its plane does not tell.
    Unknown(&'a Unknown),
}

/// Every datacenter of the spec, in order.
#[must_use]
pub fn sights(facts: &RollupFacts) -> Vec<(&SpecDatacenter, Sight<'_>)> {
    let seen = owned(facts);
    let sight = |spec: &SpecDatacenter| match (seen.get(spec.name.as_str()), unknown(facts, &spec.context)) {
        (Some(datacenter), _) => Sight::There(datacenter),
        (None, Some(unknown)) => Sight::Unknown(unknown),
        (None, None) => Sight::NotThere,
    };
    facts
        .cluster
        .spec
        .iter()
        .map(|spec| (spec, sight(spec)))
        .collect()
}

/// How many are as asked, of how many: `1/2`.
#[must_use]
pub fn ready_of_all(facts: &RollupFacts) -> String {
    let sights = sights(facts);
    let ready = sights
        .iter()
        .filter(|(_, sight)| matches!(sight, Sight::There(it) if it.object.settled))
        .count();
    format!("{ready}/{}", sights.len())
}

/// Why a plane is not known, if so. One that nobody looked at is not known either.
#[must_use]
pub fn unknown<'a>(facts: &'a RollupFacts, context: &str) -> Option<&'a Unknown> {
    facts
        .planes
        .get(context)
        .map_or(Some(&NOT_LOOKED), |plane| plane.as_ref().err())
}

static NOT_LOOKED: Unknown = Unknown {
    context: String::new(),
    reason: String::new(),
    message: String::new(),
};
