//! P6: a live datacenter keeps its seeds, and they are addresses of its own cluster.

use std::net::IpAddr;

use api::names::{SeedSlice, label as labels};
use serde_json::Value;

use super::owner;
use super::sight::{DATACENTERS, Look, PODS, SLICES, Sight, holds, is_going, label, list, text};

pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    if sight.write.plural != "endpointslices" || sight.program().is_none() {
        return Vec::new();
    }
    let mut broken = Vec::new();
    if let Some(after) = sight.after().filter(|_| !sight.deletes()) {
        for address in addresses(after) {
            broken.extend(
                bad(sight.look, sight.plane, after, address).map(|why| format!("P6: {address} {why}")),
            );
        }
    }
    let seeds = |object: &Value| !label(object, labels::SEED_SLICE).is_empty();
    if let Some(before) = sight.before().filter(|before| seeds(before)) {
        broken.extend(bereft(sight, before).map(|why| format!("P6: {why}")));
    }
    broken
}

/// Addresses that stand in slices of ours and must not, when all is done.
pub(super) fn standing(look: &dyn Look) -> Vec<String> {
    let mut broken = Vec::new();
    for plane in look.planes() {
        let slices = look.all(plane, SLICES).into_iter();
        for slice in slices.filter(|slice| owner::mark(slice).is_some()) {
            for address in addresses(&slice) {
                let why = bad(look, plane, &slice, address);
                let name = text(&slice, "/metadata/name");
                broken.extend(why.map(|why| format!("P6: {address} {why}, in {name} in {plane} at the end")));
            }
        }
    }
    broken
}

fn addresses(slice: &Value) -> impl Iterator<Item = &str> {
    list(slice, "/endpoints").flat_map(|endpoint| list(endpoint, "/addresses").filter_map(Value::as_str))
}

/// Why an address must not stand in a slice.
fn bad(look: &dyn Look, plane: &str, slice: &Value, address: &str) -> Option<String> {
    let Ok(parsed) = address.parse::<IpAddr>() else {
        return Some("is no address".to_owned());
    };
    if is_forbidden(parsed) {
        return Some("is an address that no slice may have".to_owned());
    }
    let whose = owner::of(look, plane, slice);
    let (plane, pod) = look.planes().into_iter().find_map(|plane| {
        let pods = look.all(plane, PODS).into_iter();
        let mut pods = pods.filter(|pod| text(pod, "/status/podIP") == address);
        pods.next().map(|pod| (plane, pod))
    })?;
    let namespace = text(&pod, "/metadata/namespace");
    let datacenter = look.get(
        plane,
        DATACENTERS,
        namespace,
        label(&pod, labels::CASSANDRA_DATACENTER),
    );
    let Some(datacenter) = datacenter else {
        return Some(format!("is a pod's in {plane} that belongs to no datacenter"));
    };
    let other = owner::of(look, plane, &datacenter);
    (other != whose).then(|| format!("is a node's of another cluster, {other:?} in {plane}"))
}

/// Loopback, link-local with the metadata service, unspecified, multicast, broadcast.
fn is_forbidden(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_multicast()
                || v4.is_broadcast()
        }
        IpAddr::V6(v6) => {
            let metadata = "fd00:ec2::254".parse() == Ok(v6);
            v6.is_loopback()
                || v6.is_unicast_link_local()
                || v6.is_unspecified()
                || v6.is_multicast()
                || metadata
        }
    }
}

/// Whether a live datacenter loses the seeds of others while others could give some.
fn bereft(sight: &Sight<'_>, before: &Value) -> Option<String> {
    let empty = sight.deletes()
        || sight
            .after()
            .is_none_or(|after| addresses(after).next().is_none());
    if addresses(before).next().is_none() || !empty {
        return None;
    }
    let name = label(before, labels::CASSANDRA_DATACENTER);
    let uid = owner::mark(before)?;
    let datacenter = sight.look.get(
        sight.plane,
        DATACENTERS,
        text(before, "/metadata/namespace"),
        name,
    )?;
    if is_going(&datacenter) || owner::mark(&datacenter) != Some(uid) {
        return None;
    }
    if label(before, labels::SEED_SLICE) == SeedSlice::JOINING {
        let joins = !holds(&datacenter, "Initialized");
        return joins.then(|| format!("datacenter {name} joins, and its seeds are gone"));
    }
    // Upstream's slices of a datacenter may go when ours have taken their place.
    let cluster = owner::cluster(sight.look, uid)?;
    owner::entry(&cluster, name)?;
    let source = others(sight.look, uid, name)?;
    Some(format!(
        "datacenter {name} lost all seeds, and {source} could give some"
    ))
}

/// Another datacenter of the cluster that its spec wants and that is initialized, stays and runs.
fn others(look: &dyn Look, uid: &str, but: &str) -> Option<String> {
    let cluster = owner::cluster(look, uid)?;
    let source = |it: &Value| {
        let name = text(it, "/metadata/name");
        owner::mark(it) == Some(uid)
            && name != but
            && owner::entry(&cluster, name).is_some()
            && holds(it, "Initialized")
            && !is_going(it)
            && it["spec"]["stopped"] != true
    };
    look.planes().into_iter().find_map(|plane| {
        let found = look.all(plane, DATACENTERS).into_iter().find(|it| source(it));
        found.map(|it| text(&it, "/metadata/name").to_owned())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, cluster, datacenter, going, said, write};
    use super::super::sight::CLUSTERS;
    use super::*;
    use crate::world::CONTROL_PLANE;

    fn slice(kind: &str, addresses: &[&str]) -> Value {
        let endpoints = if addresses.is_empty() {
            json!([])
        } else {
            json!([{"addresses": addresses}])
        };
        json!({
            "metadata": {"name": "s", "namespace": "db", "labels": {
                "ringspan.io/cluster-uid": "kc-1", "ringspan.io/seed-slice": kind,
                "cassandra.datastax.com/datacenter": "dc1",
            }},
            "endpoints": endpoints,
        })
    }

    fn planes() -> Planes {
        Planes::default()
            .with(CONTROL_PLANE, CLUSTERS, &cluster(&[("dc1", 1), ("dc2", 1)], &[]))
            .with("east", DATACENTERS, &datacenter("dc1", 1))
    }

    fn changed(before: &Value, after: Option<Value>, planes: &Planes) -> Vec<String> {
        let verb = if after.is_some() { "apply" } else { "delete" };
        let asked = write(
            "topology-reconciler",
            verb,
            "endpointslices",
            Some(before.clone()),
            after,
        );
        said(check, "east", &asked, planes)
    }

    #[test]
    fn no_slice_has_an_address_that_leads_elsewhere() {
        for address in [
            "127.0.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
            "::1",
            "fe80::1",
            "fd00:ec2::254",
            "x",
        ] {
            let said = changed(
                &slice("lasting", &[]),
                Some(slice("lasting", &[address])),
                &planes(),
            );
            assert_eq!(said.len(), 1, "{address}");
        }
        let said = changed(
            &slice("lasting", &[]),
            Some(slice("lasting", &["198.18.16.1"])),
            &planes(),
        );
        assert_eq!(said, [""; 0]);
    }

    #[test]
    fn an_address_of_another_clusters_node_is_told() {
        let mark = "/metadata/annotations/ringspan.io~1cluster-uid";
        for (uid, count) in [("kc-1", 0), ("kc-2", 1)] {
            let dc = but(datacenter("dc2", 1), mark, json!(uid));
            let pod = json!({
                "metadata": {"namespace": "db", "labels": {"cassandra.datastax.com/datacenter": "dc2"}},
                "status": {"podIP": "198.18.16.1"},
            });
            let planes = planes().with("west", DATACENTERS, &dc).with("west", PODS, &pod);
            let after = slice("lasting", &["198.18.16.1"]);
            assert_eq!(
                changed(&slice("lasting", &[]), Some(after), &planes).len(),
                count,
                "{uid}"
            );
        }
    }

    #[test]
    fn a_live_datacenter_keeps_seeds_as_long_as_another_could_give_some() {
        let full = slice("lasting", &["198.18.16.1"]);
        let both = planes().with("west", DATACENTERS, &datacenter("dc2", 1));
        for after in [None, Some(slice("lasting", &[]))] {
            assert_eq!(
                changed(&full, after.clone(), &both),
                ["P6: datacenter dc1 lost all seeds, and dc2 could give some"]
            );
            assert_eq!(changed(&full, after.clone(), &planes()), [""; 0]);
            let leaving = planes().with("west", DATACENTERS, &going(datacenter("dc2", 1)));
            assert_eq!(changed(&full, after, &leaving), [""; 0]);
        }
        assert_eq!(
            changed(&full, Some(slice("lasting", &["198.18.16.2"])), &both),
            [""; 0]
        );
    }

    #[test]
    fn one_that_joins_keeps_its_seeds_until_it_is_initialized() {
        let full = slice("joining", &["198.18.16.1"]);
        let joining = Planes::default()
            .with(CONTROL_PLANE, CLUSTERS, &cluster(&[("dc1", 1)], &[]))
            .with(
                "east",
                DATACENTERS,
                &but(datacenter("dc1", 1), "/status/conditions", json!([])),
            );
        assert_eq!(
            changed(&full, None, &joining),
            ["P6: datacenter dc1 joins, and its seeds are gone"]
        );
        assert_eq!(changed(&full, None, &planes()), [""; 0]);
    }
}
