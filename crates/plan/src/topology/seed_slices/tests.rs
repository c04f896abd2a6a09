//! Seeds and the slices that carry them, one rule a test.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::json;

use api::record::{Leaving, Role};
use api::seen::Seen;

use super::super::fixture::*;
use super::super::{Act, Site, TopologyInput};

fn addresses(site: &Site) -> BTreeSet<IpAddr> {
    let slices = site.slices.as_ref().unwrap();
    slices
        .iter()
        .flat_map(|slice| &slice.addresses)
        .copied()
        .collect()
}

/// Addresses of the seed slice that is written next.
fn written(input: &TopologyInput) -> Vec<String> {
    let objects = planned(input).acts.into_iter().filter_map(|act| match act {
        Act::Create { name, object, .. } | Act::Apply { name, object, .. } => Some((name, object)),
        _ => None,
    });
    let slice = objects
        .into_iter()
        .find(|(name, _)| name.contains("seed-service"));
    let slice = slice.expect("a seed slice is written").1;
    serde_json::from_value(slice["endpoints"][0]["addresses"].clone()).unwrap()
}

#[test]
fn a_joining_slice_is_as_upstream_makes_it_but_for_its_name_and_our_marks() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    let Act::Create { object, .. } = &planned(&input).acts[0] else {
        panic!()
    };
    assert_eq!(
        *object,
        json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "demo-dc2-additional-seed-service-ipv4",
                "namespace": "db",
                "labels": {
                    "app.kubernetes.io/created-by": "cass-operator",
                    "app.kubernetes.io/instance": "cassandra-demo",
                    "app.kubernetes.io/managed-by": "cass-operator",
                    "app.kubernetes.io/name": "cassandra",
                    "app.kubernetes.io/version": "5.0.4",
                    "cassandra.datastax.com/cluster": "demo",
                    "cassandra.datastax.com/datacenter": "dc2",
                    "endpointslice.kubernetes.io/managed-by": "k8ssandra-operator",
                    "k8ssandra.io/cluster-name": "demo",
                    "k8ssandra.io/cluster-namespace": "db",
                    "kubernetes.io/service-name": "demo-dc2-additional-seed-service",
                    "ringspan.io/cluster-uid": "kc-uid",
                    "ringspan.io/seed-slice": "joining",
                    "team": "blue",
                },
                "annotations": { "ringspan.io/seed-sources": "{\"dc1\":\"uid-dc1\"}" },
            },
            "addressType": "IPv4",
            "endpoints": [{ "addresses": ["198.18.1.10", "198.18.1.11", "198.18.1.12"] }],
        })
    );
}

#[test]
fn a_lasting_slice_is_owned_by_its_datacenter() {
    let input = two_datacenters();
    let slices = input.sites[1].slices.as_ref().unwrap();
    assert_eq!(slices.len(), 1);
    assert_eq!(slices[0].name, "demo-demo-dc2-additional-seed-service-ipv4");
    assert_eq!(slices[0].labels["ringspan.io/seed-slice"], "lasting");
    assert_eq!(
        (
            slices[0].owners[0].kind.as_str(),
            slices[0].owners[0].uid.as_str()
        ),
        ("CassandraDatacenter", "uid-dc2")
    );
}

#[test]
fn a_founder_that_has_not_started_gets_no_seeds() {
    let mut input = nothing();
    bring_up(&mut input, 2);
    input.sites[0].seen = Seen::Present(created(1));
    assert!(
        sentences(&input)
            .iter()
            .all(|act| !act.contains("dc1-additional-seed")),
        "{:?}",
        sentences(&input)
    );
}

#[test]
fn seeds_are_not_published_label_by_label_while_their_datacenter_starts() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    let Seen::Present(dc1) = &mut input.sites[0].seen else {
        panic!()
    };
    dc1.ready = false;
    input.sites[0].seeds.as_mut().unwrap().truncate(1);
    assert_eq!(sentences(&input), Vec::<String>::new());
}

#[test]
fn a_datacenter_that_was_created_stopped_is_no_source() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    let Seen::Present(dc1) = &mut input.sites[0].seen else {
        panic!()
    };
    (dc1.initialized, dc1.ready) = (false, false);
    assert_eq!(sentences(&input), Vec::<String>::new());
}

#[test]
fn a_plane_that_cannot_be_read_keeps_its_seeds() {
    let mut input = two_datacenters();
    input.sites[1].seen = Seen::Unknown(unknown("west"));
    input.sites[1].seeds = Err(unknown("west"));
    assert_eq!(sentences(&input), Vec::<String>::new());
    assert_eq!(addresses(&input.sites[0]).len(), 3);

    let mut input = two_datacenters();
    input.sites[1].seeds = Err(unknown("west"));
    assert_eq!(sentences(&input), Vec::<String>::new());
}

#[test]
fn a_source_that_is_only_not_listed_keeps_its_seeds_and_one_that_is_absent_loses_them() {
    let mut input = two_datacenters();
    input.sites[1].seen = Seen::NotListed;
    input.sites[1].seeds = Ok(Vec::new());
    assert_eq!(sentences(&input), Vec::<String>::new());
    input.sites[1].seen = Seen::Absent(absent("dc2"));
    assert_eq!(
        sentences(&input),
        ["Delete EndpointSlice db/demo-demo-dc1-additional-seed-service-ipv4 in plane east"]
    );
}

#[test]
fn seeds_whose_labels_are_all_gone_for_a_moment_stay() {
    let mut input = two_datacenters();
    input.sites[1].seeds = Ok(Vec::new());
    assert_eq!(sentences(&input), Vec::<String>::new());
    let Seen::Present(dc2) = &mut input.sites[1].seen else {
        panic!()
    };
    dc2.nodes.clear();
    assert_eq!(sentences(&input), Vec::<String>::new());
}

/// dc2 leaves, of whose seeds dc1 has its own, before any seed of dc3 was seen.
#[test]
fn the_last_seeds_stay_until_another_datacenter_that_runs_shows_its_own() {
    let mut input = two_datacenters();
    let before = addresses(&input.sites[0]);
    assert!(!before.is_empty());
    let mut dc3 = input.sites[1].clone();
    "dc3".clone_into(&mut dc3.name);
    dc3.slices = Ok(Vec::new());
    dc3.seeds = Ok(Vec::new());
    if let Seen::Present(own) = &mut dc3.seen {
        "dc3".clone_into(&mut own.name);
        "uid-dc3".clone_into(&mut own.uid);
        own.nodes = ready(3).nodes;
    }
    if let Some(record) = &mut dc3.record {
        record.uid = Some("uid-dc3".to_owned());
    }
    input.sites[1].spec = None;
    let touches_dc1 = |input: &TopologyInput| {
        sentences(input)
            .iter()
            .any(|act| act.contains("dc1-additional-seed"))
    };
    assert!(touches_dc1(&input), "nobody else runs: {:?}", sentences(&input));
    input.sites.push(dc3);
    assert!(!touches_dc1(&input), "{:?}", sentences(&input));
    input.sites[2].seeds = Ok(seeds(3));
    assert!(touches_dc1(&input), "{:?}", sentences(&input));
}

/// A pod of dc2 that was a seed has restarted: it comes back with another address, which cass-operator writes down later.
fn restarted(input: &mut TopologyInput) {
    input.sites[1].seeds.as_mut().unwrap()[0].addresses = vec![ip("198.18.2.99")];
}

#[test]
fn while_seeds_are_missing_the_address_of_a_node_stays() {
    let mut input = two_datacenters();
    let labelled = input.sites[1].seeds.as_mut().unwrap();
    labelled.truncate(2);
    restarted(&mut input);
    assert_eq!(
        written(&input),
        ["198.18.2.10", "198.18.2.11", "198.18.2.12", "198.18.2.99"]
    );
    converge(&mut input);
    let Seen::Present(dc2) = &mut input.sites[1].seen else {
        panic!()
    };
    dc2.nodes.get_mut("p0").unwrap().address = Some(ip("198.18.2.99"));
    assert_eq!(written(&input), ["198.18.2.11", "198.18.2.12", "198.18.2.99"]);
}

/// Whoever was away while pods restarted must come to the seeds of one who saw it all.
#[test]
fn a_datacenter_that_shows_all_its_seeds_gives_these_alone_whatever_was_published_before() {
    let mut input = two_datacenters();
    restarted(&mut input);
    let all = ["198.18.2.11", "198.18.2.12", "198.18.2.99"];
    assert_eq!(written(&input), all);
    input.sites[0].slices = Ok(Vec::new());
    assert_eq!(written(&input), all);
}

/// cass-operator labels all nodes of a small datacenter, and three of a larger one that has few racks.
#[test]
fn how_many_seeds_a_datacenter_shows_is_held_against_its_size() {
    for (size, labelled, kept) in [(1, 1, 0), (2, 1, 3), (2, 2, 0), (3, 2, 2), (9, 2, 2), (9, 3, 0)] {
        let mut input = two_datacenters();
        input.sites[1].seeds.as_mut().unwrap().truncate(labelled);
        restarted(&mut input);
        let Seen::Present(dc2) = &mut input.sites[1].seen else {
            panic!()
        };
        dc2.size = size;
        let before = addresses(&input.sites[0]);
        let labels = input.sites[1].seeds.as_ref().unwrap().iter();
        let labels: BTreeSet<IpAddr> = labels.flat_map(|pod| pod.addresses.clone()).collect();
        let written: BTreeSet<IpAddr> = written(&input).iter().map(|text| ip(text)).collect();
        let more = written.difference(&labels).count();
        assert!(written.is_superset(&labels));
        assert_eq!(more, kept, "size {size}, {labelled} labelled, {before:?} before");
    }
}

#[test]
fn a_stopped_datacenter_gives_no_seeds_once_its_pods_are_gone() {
    let mut input = two_datacenters();
    let Seen::Present(dc2) = &mut input.sites[1].seen else {
        panic!()
    };
    (dc2.ready, dc2.stopped, dc2.stopped_wanted) = (false, false, true);
    input.sites[1].seeds = Ok(Vec::new());
    assert_eq!(sentences(&input), Vec::<String>::new());
    let Seen::Present(dc2) = &mut input.sites[1].seen else {
        panic!()
    };
    dc2.stopped = true;
    assert_eq!(
        sentences(&input),
        ["Delete EndpointSlice db/demo-demo-dc1-additional-seed-service-ipv4 in plane east"]
    );
    converge(&mut input);
    let Seen::Present(dc2) = &mut input.sites[1].seen else {
        panic!()
    };
    (dc2.ready, dc2.stopped, dc2.stopped_wanted) = (true, false, false);
    input.sites[1].seeds = Ok(seeds(2));
    assert_eq!(
        sentences(&input),
        ["Create EndpointSlice db/demo-demo-dc1-additional-seed-service-ipv4 in plane east"]
    );
}

#[test]
fn cc25_additional_seeds_are_given_to_every_datacenter_and_names_and_loopback_are_not() {
    let mut input = nothing();
    let seeds = [
        "198.18.77.1",
        "198.18.77.1",
        "seed.example.com",
        "127.0.0.1",
        "::",
        "0.0.0.0",
        "fd00::7",
        "",
    ];
    input.cluster.additional_seeds = seeds.map(str::to_owned).to_vec();
    input.sites[0].record = None;
    assert_eq!(
        sentences(&input),
        [
            "Create EndpointSlice db/demo-dc1-additional-seed-service-ipv4 in plane east",
            "Create EndpointSlice db/demo-dc1-additional-seed-service-ipv6 in plane east",
            "Create EndpointSlice db/demo-dc2-additional-seed-service-ipv4 in plane west",
            "Create EndpointSlice db/demo-dc2-additional-seed-service-ipv6 in plane west",
        ]
    );
    assert_eq!(written(&input), ["198.18.77.1"]);
}

/// An API server takes a hundred addresses in an endpoint and a thousand endpoints in a slice.
#[test]
fn cc25_ten_thousand_additional_seeds_fit_into_a_slice() {
    let mut input = nothing();
    let seeds = (0..10_000).map(|number| format!("198.18.{}.{}", number / 250, number % 250));
    input.cluster.additional_seeds = seeds.collect();
    input.sites[0].record = None;
    let Act::Create { object, .. } = &planned(&input).acts[0] else {
        panic!()
    };
    let endpoints = object["endpoints"].as_array().unwrap();
    let counts: Vec<_> = endpoints
        .iter()
        .map(|endpoint| endpoint["addresses"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [100; 100]);
}

#[test]
fn datacenters_of_one_name_in_two_namespaces_give_each_other_seeds() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    let mut twin = input.sites[0].clone();
    twin.namespace = "other".to_owned();
    twin.spec.as_mut().unwrap().namespace = "other".to_owned();
    twin.record = None;
    twin.seen = Seen::Present(super::super::Datacenter {
        uid: "uid-twin".to_owned(),
        ..ready(3)
    });
    twin.seeds = Ok(seeds(3));
    input.sites = vec![input.sites[0].clone(), twin];
    assert_eq!(written(&input), ["198.18.3.10", "198.18.3.11", "198.18.3.12"]);
}

#[test]
fn a_slice_that_another_cluster_made_is_left_and_reported() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    converge(&mut input);
    let slices = input.sites[1].slices.as_mut().unwrap();
    slices[0]
        .labels
        .insert("ringspan.io/cluster-uid".to_owned(), "former".to_owned());
    assert_eq!(sentences(&input), Vec::<String>::new());
    assert_eq!(holds(&input), ["NotOwned"]);
}

#[test]
fn a_slice_of_upstream_with_the_right_addresses_is_left_as_it_is() {
    let mut input = two_datacenters();
    let slice = &mut input.sites[1].slices.as_mut().unwrap()[0];
    slice
        .labels
        .retain(|key, _| !key.starts_with("ringspan.io") && !key.starts_with("k8ssandra.io"));
    slice.annotations.clear();
    slice.owners.clear();
    assert_eq!(sentences(&input), Vec::<String>::new());
    let Seen::Present(dc1) = &mut input.sites[0].seen else {
        panic!()
    };
    dc1.nodes.get_mut("p2").unwrap().address = Some(ip("198.18.1.99"));
    input.sites[0].seeds.as_mut().unwrap()[2].addresses = vec![ip("198.18.1.99")];
    assert_eq!(
        sentences(&input),
        ["Update EndpointSlice db/demo-demo-dc2-additional-seed-service-ipv4 in plane west"]
    );
}

#[test]
fn a_datacenter_that_vanished_without_consent_gets_no_joining_slice_and_one_with_consent_does() {
    let mut input = two_datacenters();
    input.sites[1].seen = Seen::NotListed;
    input.sites[1].slices = Ok(Vec::new());
    assert_eq!(sentences(&input), Vec::<String>::new());
    input.sites[1].seen = Seen::Absent(absent("dc2"));
    input.sites[1].record = Some(api::record::DatacenterRecord {
        leaving: Some(Leaving {
            uid: "uid-dc2".to_owned(),
            generation: 1,
        }),
        ..recorded(Role::Rebuild, 2)
    });
    assert!(
        sentences(&input).contains(
            &"Create EndpointSlice db/demo-dc2-additional-seed-service-ipv4 in plane west".to_owned()
        )
    );
}

#[test]
fn a_cluster_restored_from_an_old_backup_takes_no_seed_away() {
    let mut input = two_datacenters();
    input.sites[1].seen = Seen::Absent(absent("dc2"));
    let Seen::Present(dc1) = &mut input.sites[0].seen else {
        panic!()
    };
    dc1.cluster_generation = Some(9);
    assert!(
        sentences(&input)
            .iter()
            .all(|act| !act.contains("dc1-additional-seed")),
        "{:?}",
        sentences(&input)
    );
}

#[test]
fn a_joining_slice_for_a_datacenter_that_nobody_knows_any_more_goes() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    converge(&mut input);
    let stray = input.sites[1].slices.as_ref().unwrap()[0].clone();
    input.sites.truncate(1);
    input.strays = vec![("west".to_owned(), stray)];
    assert_eq!(
        sentences(&input)[0],
        "Delete EndpointSlice db/demo-dc2-additional-seed-service-ipv4 in plane west"
    );
}

/// It is part of the ring until its removal begins, which may be asked a second consent for.
#[test]
fn a_datacenter_that_left_the_spec_follows_the_seeds_of_others_until_its_removal_begins() {
    let mut input = two_datacenters();
    input.sites[0].spec = None;
    assert!(
        !sentences(&input)
            .iter()
            .any(|act| act.contains("dc1-additional-seed")),
        "{:?}",
        sentences(&input)
    );
    let before = input.sites[0].slices.as_ref().unwrap()[0].clone();
    restarted(&mut input);
    assert_eq!(written(&input), ["198.18.2.11", "198.18.2.12", "198.18.2.99"]);

    let mut going = input.clone();
    going.sites[0].record.as_mut().unwrap().leaving = Some(Leaving {
        uid: "uid-dc1".to_owned(),
        generation: 1,
    });
    let mut gone = input.clone();
    gone.sites[1].seen = Seen::Absent(absent("dc2"));
    let mut deleting = input.clone();
    if let Seen::Present(own) = &mut deleting.sites[0].seen {
        own.deleting = true;
    }
    for input in [going, gone, deleting] {
        let acts = sentences(&input);
        assert!(
            !acts.iter().any(|act| act.contains("dc1-additional-seed")),
            "{acts:?}"
        );
    }

    converge(&mut input);
    let after = &input.sites[0].slices.as_ref().unwrap()[0];
    assert_eq!(
        (&after.labels, &after.annotations, &after.owners),
        (&before.labels, &before.annotations, &before.owners)
    );
}
