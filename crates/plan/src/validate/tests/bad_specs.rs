//! Rows of the specification of bad inputs that a spec shows by itself, or against what is there.

use super::*;

fn named(name: &str, cassandra: &str) -> Value {
    with(name, json!({"datacenterName": cassandra}))
}

fn in_cluster(name: &str) -> K8ssandraCluster {
    let mut kc = cluster_of(json!([entry("dc1")]));
    kc.spec.cassandra.as_mut().expect("given").cluster_name = Some(name.into());
    kc
}

#[test]
fn cc03_two_names_that_clean_to_one_are_refused() {
    let duplicate = at(
        "DuplicateDatacenter",
        "spec.cassandra.datacenters[1].datacenterName",
    );
    for (one, other) in [
        ("DC_1", "dc-1"),
        ("DC 1", "Dc 2"),
        ("\u{1f600}east", "\u{1f601}east"),
    ] {
        let kc = cluster_of(json!([named("a", one), named("b", other)]));
        assert_eq!(refused(&kc), duplicate, "{one} {other}");
    }
    assert_eq!(
        check(&cluster_of(json!([named("a", "DC_1"), named("b", "DC_2")]))),
        Ok(())
    );
}

#[test]
fn cc10_a_new_datacenter_has_a_node_for_each_rack_and_one_that_has_not_gets_no_fewer() {
    const FIELD: &str = "spec.cassandra.datacenters[0].size";
    let racks = |count: usize| {
        (0..count)
            .map(|number| json!({"name": format!("r{number}")}))
            .collect::<Value>()
    };
    let kc = |size: i32, count: usize| {
        cluster_of(json!([with("dc1", json!({"size": size, "racks": racks(count)}))]))
    };
    assert_eq!(refused_against(&kc(2, 3), &[]), FIELD);
    assert_eq!(against(&kc(3, 3), &[]), Ok(()));
    let there = |size: i32, count: usize| [live("dc1", json!({"size": size, "racks": racks(count)}))];
    assert_eq!(refused_against(&kc(2, 3), &there(3, 3)), FIELD);
    // As upstream made it.
    assert_eq!(against(&kc(2, 3), &there(2, 3)), Ok(()));
    assert_eq!(refused_against(&kc(1, 3), &there(2, 3)), FIELD);
    assert_eq!(refused_against(&kc(2, 4), &there(2, 3)), FIELD);
    // Racks of the cluster count as those of its datacenters.
    let mut kc = cluster_of(json!([entry("dc1")]));
    kc.spec.cassandra.as_mut().expect("given").options.racks =
        serde_json::from_value(racks(4)).expect("racks");
    assert_eq!(refused_against(&kc, &[]), FIELD);
}

#[test]
fn cc18_the_number_of_tokens_stays_wherever_it_is_written() {
    let there = [live("dc1", json!({}))];
    let config = json!({"cassandraYaml": {"num_tokens": 8}});
    let mut of_cluster = cluster_of(json!([entry("dc1")]));
    let options = &mut of_cluster.spec.cassandra.as_mut().expect("given").options;
    options.config = serde_json::from_value(config.clone()).expect("a configuration");
    let of_datacenter = cluster_of(json!([with("dc1", json!({"config": config}))]));
    for kc in [&of_cluster, &of_datacenter] {
        let field = "spec.cassandra.datacenters[0].config.cassandraYaml.num_tokens";
        assert_eq!(refused_against(kc, &there), field);
    }
}

/// As upstream has it: Cassandra itself says what it can read.
#[test]
fn cc22_a_version_can_be_read_and_may_go_in_both_directions() {
    let of_version = |version: &str| cluster_of(json!([with("dc1", json!({"serverVersion": version}))]));
    for version in ["latest", "four.one", "4.x.1"] {
        let field = "spec.cassandra.datacenters[0].serverVersion";
        assert_eq!(
            refused(&of_version(version)),
            at("InvalidSpec", field),
            "{version}"
        );
    }
    // Where a datacenter says nothing, what the cluster says counts.
    assert_eq!(check(&of_version("")), Ok(()));
    for version in ["3.11.17", "4.0.11", "5.0.4"] {
        let config = json!({"cassandra-yaml": {"num_tokens": 16}});
        let there = live("dc1", json!({"serverVersion": version, "config": config}));
        assert_eq!(
            against(&cluster_of(json!([entry("dc1")])), &[there]),
            Ok(()),
            "{version}"
        );
    }
}

#[test]
fn cc44_a_name_of_cassandra_s_is_its_own_and_has_room() {
    let duplicate = at(
        "DuplicateDatacenter",
        "spec.cassandra.datacenters[1].datacenterName",
    );
    assert_eq!(
        refused(&cluster_of(json!([entry("dc1"), named("dc2", "dc1")]))),
        duplicate
    );
    let long = cluster_of(json!([named("dc1", &"x".repeat(300))]));
    assert_eq!(
        refused(&long),
        at("InvalidSpec", "spec.cassandra.datacenters[0].datacenterName")
    );
    // Whatever else upstream takes is taken.
    for odd in ["Real DC", "DC_1", "o'hare", "\u{1f600}"] {
        assert_eq!(check(&cluster_of(json!([named("dc1", odd)]))), Ok(()), "{odd}");
    }
}

#[test]
fn cc45_a_cluster_s_name_leaves_letters_for_the_names_of_objects() {
    for odd in ["\"\"", "\n\n", "123", "\u{1f600}\u{1f600}", "x"] {
        assert_eq!(
            refused(&in_cluster(odd)),
            at("InvalidSpec", "spec.cassandra.clusterName"),
            "{odd:?}"
        );
    }
    for name in ["My \"Ring\"", "a\nb", ""] {
        assert_eq!(check(&in_cluster(name)), Ok(()), "{name:?}");
    }
    let (reason, field) = refused(&in_cluster(&"n".repeat(300)));
    assert_eq!(reason, "InvalidSpec");
    assert!(field.starts_with("spec.cassandra.datacenters[0]"), "{field}");
}
