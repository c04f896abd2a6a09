//! What the watches show of one cluster. Asks nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use api::seen::Unknown;
use plan::rollup::{ClusterView, RollupFacts, SeenDatacenter};
use runtime::Key;

use crate::Context;
use crate::watches::cluster as cluster_of;

/// Everything that the status of `cluster` is made from.
pub(crate) fn facts(context: &Context, key: &Key, cluster: &ClusterView, waited: Duration) -> RollupFacts {
    let mut planes: BTreeMap<String, Result<(), Unknown>> = BTreeMap::new();
    let mut datacenters = Vec::new();
    for plane in context.fleet.planes() {
        let listed = plane.caches.datacenters.list();
        for (_, view) in listed
            .iter()
            .flatten()
            .filter(|(_, view)| cluster_of(view) == *key)
        {
            datacenters.push(SeenDatacenter {
                context: plane.context().to_owned(),
                object: (**view).clone(),
            });
        }
        planes.insert(plane.context().to_owned(), listed.map(|_| ()));
    }
    let spec = cluster.spec.iter().map(|it| it.context.as_str());
    let entries = cluster
        .status
        .datacenters
        .values()
        .map(|it| it.context_name.as_str());
    for name in spec.chain(entries) {
        if !planes.contains_key(name) {
            // Engaged meanwhile is as good as not known yet: the fleet wakes this cluster then.
            let known = context
                .fleet
                .plane(name)
                .map(|plane| plane.caches.datacenters.blind());
            let known = known.and_then(|blind| blind.map_or(Ok(()), Err));
            planes.insert(name.to_owned(), known);
        }
    }
    RollupFacts {
        cluster: cluster.clone(),
        planes,
        datacenters,
        replicated: context
            .local
            .replicated
            .get(key)
            .map(|it| (*it).clone())
            .unwrap_or_default(),
        waited,
    }
}
