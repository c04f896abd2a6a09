use serde_json::json;

use super::*;
use crate::json::{label, list, name, text};

fn dc() -> Dc {
    Dc(json!({
        "metadata": {"name": "dc1", "namespace": "ns", "uid": "u", "annotations": {"a": "b"}},
        "spec": {
            "clusterName": "My Ring",
            "serverType": "cassandra",
            "serverVersion": "4.1.8",
            "size": 4,
            "racks": [{"name": "r1"}, {"name": "R_2"}, {"name": "r3"}],
            "config": {
                "cassandra-yaml": {"num_tokens": 8},
                "cassandra-env-sh": {"additional-jvm-opts": ["-Dcassandra.system_distributed_replication=dc1:3,dc2:1"]},
            },
            "additionalServiceConfig": {"allpodsService": {"additionalLabels": {"x": "y"}}},
            "storageConfig": {"cassandraDataVolumeClaimSpec": {"storageClassName": "standard"}},
        },
    }))
}

#[test]
fn services_have_the_recorded_names_and_the_users_labels() {
    let services = services(&dc());
    let names: Vec<_> = services.iter().map(name).collect();
    assert_eq!(
        names,
        [
            "myring-dc1-service",
            "myring-seed-service",
            "myring-dc1-all-pods-service",
            "myring-dc1-additional-seed-service"
        ]
    );
    assert_eq!(label(&services[2], "x"), "y");
    assert_eq!(label(&services[1], "cassandra.datastax.com/datacenter"), "");
    assert_eq!(text(&services[1], "/metadata/annotations/a"), "b");
    let slice = service_slice(&services[2], &[]);
    assert_eq!(label(&slice, "x"), "y");
    assert_eq!(
        label(&slice, "kubernetes.io/service-name"),
        "myring-dc1-all-pods-service"
    );
}

#[test]
fn nodes_are_spread_over_racks_and_named_after_them() {
    let racks = dc().racks(4);
    assert_eq!(
        racks
            .iter()
            .map(|rack| (rack.nodes, rack.seeds))
            .collect::<Vec<_>>(),
        [(2, 1), (1, 1), (1, 1)]
    );
    assert_eq!(dc().stateful_set_name("R_2"), "myring-dc1-r-2-sts");
    let identity = dc().identity("r1");
    assert_eq!(identity.tokens, 8);
    assert_eq!(
        identity.system_replication,
        [("dc1".to_owned(), 3), ("dc2".to_owned(), 1)].into()
    );
}

/// The revision of rack r1's pods, and the digest on its StatefulSet.
fn both(dc: &Dc) -> (String, String) {
    let set = stateful_set(dc, "r1", 1);
    (
        revision(&set),
        text(
            &set,
            "/metadata/annotations/cassandra.datastax.com~1resource-hash",
        )
        .to_owned(),
    )
}

#[test]
fn a_size_rewrites_the_stateful_set_but_restarts_no_pod() {
    let mut changed = dc();
    changed.0["spec"]["size"] = 6.into();
    assert_eq!(both(&dc()).0, both(&changed).0);
    assert_ne!(both(&dc()).1, both(&changed).1);
}

#[test]
fn a_configuration_restarts_pods_and_an_empty_object_does_not() {
    let mut changed = dc();
    changed.0["spec"]["podTemplateSpec"]["spec"]["containers"] = json!([{"name": "cassandra"}]);
    assert_ne!(both(&dc()).0, both(&changed).0);
    assert_eq!(both(&dc()).0, both(&Dc(dc().with_defaults())).0);
    assert_eq!(
        list(&dc().with_defaults(), "/metadata/finalizers"),
        ["finalizer.cassandra.datastax.com"]
    );
}

#[test]
fn additional_seeds_become_a_slice_for_each_kind_of_address() {
    let mut dc = dc();
    dc.0["spec"]["additionalSeeds"] = json!(["198.18.7.7", "seed.example"]);
    let slices = additional_seed_slices(&dc);
    assert_eq!(slices[0].0, "myring-dc1-additional-seed-service-ipv4");
    assert_eq!(
        text(slices[0].1.as_ref().unwrap(), "/endpoints/0/addresses/0"),
        "198.18.7.7"
    );
    assert!(slices[1].1.is_none());
    assert_eq!(text(slices[2].1.as_ref().unwrap(), "/addressType"), "FQDN");
}

#[test]
fn a_pod_carries_its_set_its_ordinal_and_its_claim() {
    let mut set = stateful_set(&dc(), "r1", 2);
    set["metadata"]["uid"] = "set-uid".into();
    let pod = pod_of(&set, 1);
    assert_eq!(name(&pod), "myring-dc1-r1-sts-1");
    assert_eq!(label(&pod, "apps.kubernetes.io/pod-index"), "1");
    assert_eq!(label(&pod, "cassandra.datastax.com/node-state"), "Ready-to-Start");
    assert_eq!(label(&pod, "cassandra.datastax.com/cluster"), "MyRing");
    assert_eq!(
        text(&pod, "/spec/volumes/0/persistentVolumeClaim/claimName"),
        name(&claim_of(&set, 1))
    );
}
