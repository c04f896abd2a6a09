use std::collections::BTreeMap;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::{Value, json};

use super::{built, input, one};
use crate::datacenter::{DatacenterInput, LiveDatacenter, build};

#[test]
fn cc63_our_annotations_say_whose_it_is_and_cannot_be_overridden() {
    let kc = one(json!({"metadata": {
        "name": "dc1", "annotations": {"ringspan.io/join": "x", "ringspan.io/cluster-uid": "x", "mine": "y"}
    }}));
    let datacenter = built(&kc, Role::Rebuild);
    let expected = [
        ("cassandra.datastax.com/skip-user-creation", "true"),
        ("mine", "y"),
        ("ringspan.io/cluster-generation", "7"),
        ("ringspan.io/cluster-uid", "kc-uid"),
        ("ringspan.io/control-plane-id", "cp"),
        ("ringspan.io/input-hash", &datacenter.input_hash),
        ("ringspan.io/join", "rebuild"),
    ];
    assert_eq!(
        datacenter.annotations,
        expected
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    );
}

#[test]
fn c099_labels_of_the_cluster_win_over_those_of_the_datacenter() {
    let mut kc = one(json!({"metadata": {"name": "dc1", "labels": {"a": "dc", "b": "dc"}}}));
    let cassandra = kc.spec.cassandra.as_mut().expect("given");
    cassandra.metadata = serde_json::from_value(json!({"labels": {"a": "cluster"}})).expect("metadata");
    let labels = built(&kc, Role::Founder).labels;
    assert_eq!((labels["a"].as_str(), labels["b"].as_str()), ("cluster", "dc"));
    assert_eq!(labels["k8ssandra.io/cluster-name"], "demo");
    assert_eq!(
        labels["k8ssandra.io/cleaned-up-by"],
        "k8ssandracluster-controller"
    );
}

#[test]
fn c060_en6_authentication_is_on_unless_switched_off_and_the_user_s_value_stays() {
    let mut kc = one(json!({"config": {"cassandraYaml": {"authorizer": "Mine", "role_manager": null}}}));
    let yaml = |kc: &K8ssandraCluster| built(kc, Role::Founder).spec["config"]["cassandra-yaml"].clone();
    assert_eq!(
        yaml(&kc),
        json!({"authenticator": "PasswordAuthenticator", "authorizer": "Mine",
               "role_manager": "CassandraRoleManager", "num_tokens": 16})
    );
    kc.spec.auth = Some(false);
    assert_eq!(yaml(&kc)["authenticator"], "AllowAllAuthenticator");
}

#[test]
fn c063_c064_cassandra_3_has_its_own_defaults() {
    let config = |version: &str| {
        let datacenter = built(&one(json!({"serverVersion": version})), Role::Rebuild);
        (
            datacenter.spec["config"].clone(),
            datacenter.spec["serverVersion"].clone(),
        )
    };
    let (config_3, _) = config("3.11.17");
    assert_eq!(config_3["cassandra-yaml"]["num_tokens"], 256);
    assert_eq!(config_3["cassandra-yaml"]["start_rpc"], false);
    assert_eq!(config_3["cassandra-env-sh"], Value::Null);
    let (config_5, version) = config("v5.0");
    assert_eq!(config_5["cassandra-yaml"]["num_tokens"], 16);
    assert_eq!(config_5["cassandra-yaml"]["start_rpc"], Value::Null);
    assert_eq!(version, "5.0.0");
}

#[test]
fn c108_an_upgrade_from_cassandra_3_keeps_the_number_of_tokens() {
    let kc = one(json!({}));
    let live = LiveDatacenter {
        labels: BTreeMap::new(),
        name: "dc1".into(),
        annotations: BTreeMap::new(),
        spec: json!({"serverVersion": "3.11.17", "config": {"cassandra-yaml": {"num_tokens": 256}}}),
    };
    let upgraded = build(&DatacenterInput {
        live: Some(&live),
        ..input(&kc, Role::Founder)
    })
    .expect("it can be built");
    assert_eq!(upgraded.spec["config"]["cassandra-yaml"]["num_tokens"], 256);
}

#[test]
fn c045_where_something_else_provides_secrets_none_is_named() {
    let mut kc = one(json!({}));
    kc.spec.secrets_provider = Some("external".into());
    let datacenter = built(&kc, Role::Founder);
    assert_eq!(datacenter.superuser_secret, "");
    assert_eq!(datacenter.spec.get("superuserSecretName"), None);
}

#[test]
fn a_datacenter_that_is_not_in_the_spec_is_refused() {
    let kc = one(json!({}));
    let refused = build(&DatacenterInput {
        datacenter: "dc9",
        ..input(&kc, Role::Founder)
    })
    .expect_err("no dc9");
    assert_eq!(refused.field, "spec.cassandra.datacenters");
}

#[test]
fn a_version_that_cannot_be_read_is_refused_and_nothing_panics() {
    for version in ["", "latest"] {
        let mut kc = one(json!({}));
        kc.spec.cassandra.as_mut().expect("given").options.server_version = Some(version.into());
        let refused = build(&input(&kc, Role::Founder)).expect_err("no version");
        assert_eq!(
            refused.field, "spec.cassandra.datacenters[0].serverVersion",
            "{version}"
        );
    }
}
