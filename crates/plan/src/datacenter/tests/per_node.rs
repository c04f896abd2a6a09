use std::collections::BTreeMap;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::{Value, json};

use super::{built, input, one, references};
use crate::datacenter::{DatacenterInput, DesiredDatacenter, Facts, LiveDatacenter, build, initial_tokens};
use crate::fixtures::cluster_of;

#[test]
fn c082_c083_few_tokens_are_dealt_out_and_mounted() {
    let kc = one(json!({
        "size": 2, "racks": [{"name": "r1"}, {"name": "r2"}], "config": {"cassandraYaml": {"num_tokens": 1}}
    }));
    let datacenter = built(&kc, Role::Founder);
    let config_map = &datacenter.config_maps[1];
    assert_eq!(config_map.name, "demo-dc1-per-node-config");
    let expected = [
        (
            "demo-dc1-r1-sts-0_cassandra.yaml",
            "\ninitial_token: -9223372036854775808",
        ),
        ("demo-dc1-r2-sts-0_cassandra.yaml", "\ninitial_token: 0"),
    ];
    assert_eq!(
        config_map.data,
        expected
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    );
    let spec = &datacenter.spec["podTemplateSpec"]["spec"];
    let names: Vec<&str> = spec["initContainers"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    assert_eq!(names, ["server-config-init", "per-node-config"]);
    assert_eq!(
        spec["volumes"],
        json!([{"name": "per-node-config", "configMap": {"name": "demo-dc1-per-node-config"}}])
    );
    let hash =
        &datacenter.spec["podTemplateSpec"]["metadata"]["annotations"]["k8ssandra.io/per-node-config-hash"];
    assert_eq!(hash.as_str().map(str::len), Some(44));
}

#[test]
fn tokens_that_nodes_have_begun_with_are_not_computed_anew() {
    let kc = one(json!({"size": 2, "config": {"cassandraYaml": {"num_tokens": 1}}}));
    let existing = BTreeMap::from([(
        "demo-dc1-default-sts-0_cassandra.yaml".to_owned(),
        "\ninitial_token: 5".to_owned(),
    )]);
    let built = build(&DatacenterInput {
        references: &references(&existing),
        ..input(&kc, Role::Founder)
    });
    assert_eq!(built.expect("it can be built").config_maps[1].data, existing);
}

#[test]
fn c081_pn4_tokens_are_dealt_out_for_all_datacenters_or_for_none() {
    let few = json!({"cassandraYaml": {"num_tokens": 4}});
    let with =
        |other: Value| cluster_of(json!([{"metadata": {"name": "dc1"}, "size": 3, "config": few}, other]));
    let second = |config: Value| json!({"metadata": {"name": "dc2"}, "size": 3, "config": config});
    let is_dealt = |kc: &K8ssandraCluster| {
        let all = Facts::of_all(kc).expect("they can be merged");
        !initial_tokens::of_datacenter(&all, "dc1").is_empty()
    };
    assert!(is_dealt(&with(second(few.clone()))));
    assert!(!is_dealt(&with(second(json!({})))));
    assert!(!is_dealt(&with(second(
        json!({"cassandraYaml": {"num_tokens": "4"}})
    ))));
    let random = json!({"cassandraYaml": {"num_tokens": 4, "partitioner": "org.apache.cassandra.dht.RandomPartitioner"}});
    assert!(!is_dealt(&with(second(random))));
    let mut own = second(few.clone());
    own["perNodeConfigMapRef"] = json!({"name": "mine"});
    assert!(!is_dealt(&with(own)));
}

#[test]
fn c084_pn1_a_config_map_of_the_user_s_is_mounted_and_never_made() {
    let kc = one(json!({"perNodeConfigMapRef": {"name": "mine"}}));
    let refused = build(&input(&kc, Role::Founder)).expect_err("it is not there");
    assert_eq!(
        refused.field,
        "spec.cassandra.datacenters[0].perNodeConfigMapRef.name"
    );
    let content = BTreeMap::from([("p_cassandra.yaml".to_owned(), "a: 1".to_owned())]);
    let content = references(&content);
    let given = DatacenterInput {
        references: &content,
        ..input(&kc, Role::Founder)
    };
    let datacenter = build(&given).expect("it can be built");
    assert_eq!(datacenter.config_maps.len(), 1);
    assert_eq!(
        datacenter.spec["podTemplateSpec"]["spec"]["volumes"][0]["configMap"]["name"],
        "mine"
    );
    let other = BTreeMap::from([("p_cassandra.yaml".to_owned(), "a: 2".to_owned())]);
    let edited = build(&DatacenterInput {
        references: &references(&other),
        ..given
    })
    .expect("it can be built");
    assert_ne!(edited.input_hash, datacenter.input_hash);
}

/// `dc1` as it would be after it was made by upstream.
fn live(name: &str, annotations: &[(&str, &str)]) -> LiveDatacenter {
    LiveDatacenter {
        labels: BTreeMap::new(),
        name: "dc1".into(),
        annotations: annotations
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        spec: json!({"podTemplateSpec": {
            "metadata": {"annotations": {"k8ssandra.io/per-node-config-hash": "upstream's"}},
            "spec": {
                "initContainers": [{"name": "server-config-init"}, {"name": "per-node-config", "image": "i", "command": ["old"]}],
                "volumes": [{"name": "per-node-config", "configMap": {"name": name}}]
            }
        }}),
    }
}

fn hash_and_command(datacenter: &DesiredDatacenter) -> (&Value, &Value) {
    let template = &datacenter.spec["podTemplateSpec"];
    let hash = &template["metadata"]["annotations"]["k8ssandra.io/per-node-config-hash"];
    (hash, &template["spec"]["initContainers"][1]["command"])
}

#[test]
fn pn2_what_upstream_told_the_pods_stays_while_the_content_does() {
    let kc = one(json!({"perNodeConfigMapRef": {"name": "mine"}}));
    let content = BTreeMap::from([("p_cassandra.yaml".to_owned(), "a: 1".to_owned())]);
    let of = |live: &LiveDatacenter, content: &BTreeMap<String, String>| {
        let given = DatacenterInput {
            references: &references(content),
            live: Some(live),
            ..input(&kc, Role::Adopted)
        };
        build(&given).expect("it can be built")
    };
    let adopted = of(&live("mine", &[]), &content);
    assert_eq!(
        hash_and_command(&adopted),
        (&json!("upstream's"), &json!(["old"]))
    );
    let digest = adopted.annotations["ringspan.io/per-node-config-digest"].as_str();
    let written = live("mine", &[("ringspan.io/per-node-config-digest", digest)]);
    assert_eq!(hash_and_command(&of(&written, &content)).0, "upstream's");
    let edited = BTreeMap::from([("p_cassandra.yaml".to_owned(), "a: 2".to_owned())]);
    assert_ne!(hash_and_command(&of(&written, &edited)).0, "upstream's");
    assert_ne!(
        hash_and_command(&of(&live("other", &[]), &content)).0,
        "upstream's"
    );
}

#[test]
fn a_datacenter_that_is_there_keeps_its_generated_configuration_or_none() {
    let few = one(json!({"config": {"cassandraYaml": {"num_tokens": 1}}}));
    let many = one(json!({}));
    let of = |kc: &K8ssandraCluster, live: &LiveDatacenter| {
        build(&DatacenterInput {
            live: Some(live),
            ..input(kc, Role::Founder)
        })
        .expect("it can be built")
    };
    let mounted = live("demo-dc1-per-node-config", &[]);
    assert_eq!(
        hash_and_command(&of(&few, &mounted)),
        (&json!("upstream's"), &json!(["old"]))
    );
    let kept = of(&many, &mounted);
    assert_eq!(hash_and_command(&kept), (&json!("upstream's"), &json!(["old"])));
    assert_eq!(kept.config_maps.len(), 1);
    let none = of(
        &few,
        &LiveDatacenter {
            labels: BTreeMap::new(),
            name: "dc1".into(),
            ..LiveDatacenter::default()
        },
    );
    assert_eq!(none.spec["podTemplateSpec"]["spec"].get("initContainers"), None);
}
