use std::collections::BTreeMap;

use api::record::Role;
use serde_json::json;

use super::{built, input, one, options};
use crate::datacenter::{DatacenterInput, LiveDatacenter, build, founding_replication};
use crate::fixtures::cluster_of;

#[test]
fn c066_c067_c102_a_founder_is_told_how_to_replicate_and_creates_users() {
    let founder = built(&one(json!({})), Role::Founder);
    assert!(
        !founder
            .annotations
            .contains_key("cassandra.datastax.com/skip-user-creation")
    );
    assert_eq!(
        options(&founder),
        &json!([
            "-Dcassandra.allow_alter_rf_during_range_movement=true",
            "-Dcassandra.system_distributed_replication=dc1:3"
        ])
    );
}

#[test]
fn c102_every_other_role_is_the_reverse() {
    for role in [Role::Rebuild, Role::External, Role::Adopted] {
        let joiner = built(&one(json!({})), role);
        assert_eq!(
            joiner.annotations["cassandra.datastax.com/skip-user-creation"], "true",
            "{role:?}"
        );
        assert_eq!(
            options(&joiner),
            &json!(["-Dcassandra.allow_alter_rf_during_range_movement=true"]),
            "{role:?}"
        );
    }
}

#[test]
fn c066_the_replication_of_the_founding_is_what_was_noted_then() {
    let kc = one(json!({"size": 1}));
    let noted = BTreeMap::from([("z".to_owned(), 2), ("dc1".to_owned(), 3)]);
    let founder = build(&DatacenterInput {
        initial_system_replication: Some(&noted),
        ..input(&kc, Role::Founder)
    });
    let options = options(founder.as_ref().expect("it can be built")).to_string();
    assert!(
        options.contains("system_distributed_replication=dc1:3,z:2\""),
        "{options}"
    );
}

#[test]
fn c120_the_founding_counts_its_own_nodes_and_three_in_each_external_datacenter() {
    let mut kc = one(json!({"size": 5, "datacenterName": "DC 1"}));
    assert_eq!(
        founding_replication(&kc, "dc1"),
        BTreeMap::from([("DC 1".to_owned(), 3)])
    );
    kc.spec.external_datacenters = Some(vec!["old".into()]);
    let expected = BTreeMap::from([("DC 1".to_owned(), 3), ("old".to_owned(), 3)]);
    assert_eq!(founding_replication(&kc, "dc1"), expected);
    assert_eq!(founding_replication(&kc, "nowhere"), BTreeMap::new());
}

#[test]
fn what_follows_from_the_role_does_not_depend_on_the_position_in_the_list() {
    let first = json!({"metadata": {"name": "dc1"}, "size": 3});
    let second = json!({"metadata": {"name": "dc2"}, "size": 3, "k8sContext": "west"});
    let one_way = cluster_of(json!([first, second]));
    let other_way = cluster_of(json!([second, first]));
    assert_eq!(built(&one_way, Role::Founder), built(&other_way, Role::Founder));
    assert_eq!(built(&one_way, Role::Rebuild), built(&other_way, Role::Rebuild));
}

#[test]
fn an_adopted_datacenter_keeps_what_it_was_founded_with() {
    let kc = one(json!({}));
    let live = LiveDatacenter {
        labels: BTreeMap::new(),
        name: "dc1".into(),
        annotations: BTreeMap::new(),
        spec: json!({
            "superuserSecretName": "first-secret",
            "config": {"cassandra-env-sh": {"additional-jvm-opts":
                ["-Dx", "-Dcassandra.system_distributed_replication=dc1:1"]}}
        }),
    };
    let adopted = build(&DatacenterInput {
        live: Some(&live),
        ..input(&kc, Role::Adopted)
    })
    .expect("it can be built");
    assert!(
        !adopted
            .annotations
            .contains_key("cassandra.datastax.com/skip-user-creation")
    );
    assert!(
        options(&adopted)
            .to_string()
            .contains("system_distributed_replication=dc1:1\"")
    );
    assert_eq!(adopted.spec["superuserSecretName"], "first-secret");
    assert_eq!(adopted.superuser_secret, "first-secret");
}

#[test]
fn c069_beside_external_datacenters_its_own_annotations_are_not_used() {
    let mut kc = one(json!({"metadata": {"name": "dc1", "annotations": {"mine": "y"}}}));
    kc.spec.external_datacenters = Some(vec!["old".into()]);
    let annotations = built(&kc, Role::Founder).annotations;
    assert_eq!(annotations["cassandra.datastax.com/skip-user-creation"], "true");
    assert!(!annotations.contains_key("mine"));
}
