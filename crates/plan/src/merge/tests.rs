use serde_json::{Value, json};

use super::ClusterOptions;

fn merged(cluster: Value, datacenter: Value) -> Value {
    ClusterOptions::of(cluster).under(datacenter)
}

#[test]
fn c050_the_datacenter_wins_and_what_only_one_says_stays() {
    assert_eq!(
        merged(
            json!({"serverVersion": "4.0.1", "serverImage": "a"}),
            json!({"serverVersion": "4.1.0", "size": 3})
        ),
        json!({"serverVersion": "4.1.0", "serverImage": "a", "size": 3})
    );
}

#[test]
fn c050_zero_values_never_override() {
    let cluster =
        json!({"config": {"cassandraYaml": {"a": true, "b": 5, "c": "x", "d": 1.5}}, "serverImage": "i"});
    let upper =
        json!({"config": {"cassandraYaml": {"a": false, "b": 0, "c": "", "d": null}}, "serverImage": ""});
    assert_eq!(merged(cluster.clone(), upper), cluster);
}

#[test]
fn c051_a_zero_value_of_another_type_or_without_counterpart_counts() {
    assert_eq!(
        merged(
            json!({"config": {"cassandraYaml": {"a": 5}}}),
            json!({"config": {"cassandraYaml": {"a": false, "b": 0}}})
        ),
        json!({"config": {"cassandraYaml": {"a": false, "b": 0}}})
    );
}

#[test]
fn c050_false_counts_for_flags_with_three_states() {
    let cluster = json!({
        "softPodAntiAffinity": true, "readOnlyRootFilesystem": true, "networking": {"hostNetwork": true},
        "config": {"jvmOptions": {"gc": "G1GC", "vm_use_tlab": true, "jmx_port": 1}}
    });
    let upper = json!({
        "softPodAntiAffinity": false, "readOnlyRootFilesystem": false, "networking": {"hostNetwork": false},
        "config": {"jvmOptions": {"gc": "G1GC", "vm_use_tlab": false, "jmx_port": 0}}
    });
    let mut expected = upper.clone();
    expected["config"]["jvmOptions"]["jmx_port"] = json!(1);
    assert_eq!(merged(cluster, upper), expected);
}

#[test]
fn jvm_options_of_a_datacenter_bring_g1_back() {
    let cluster = json!({"config": {"jvmOptions": {"gc": "CMS", "heap_max_size": "1Gi"}}});
    assert_eq!(
        merged(cluster.clone(), json!({"config": {"jvmOptions": {}}})),
        json!({"config": {"jvmOptions": {"gc": "G1GC", "heap_max_size": "1Gi"}}})
    );
    assert_eq!(merged(cluster.clone(), json!({})), cluster);
}

#[test]
fn c051_c054_lists_are_replaced_even_by_empty_ones() {
    let cluster = json!({
        "tolerations": [{"key": "a"}],
        "config": {"cassandraYaml": {"l": [1, 2]}},
        "storageConfig": {"additionalVolumes": [{"name": "v", "mountPath": "/v"}]}
    });
    let upper = json!({
        "tolerations": [],
        "config": {"cassandraYaml": {"l": [3]}},
        "storageConfig": {"additionalVolumes": [{"name": "w", "mountPath": "/w"}]}
    });
    assert_eq!(merged(cluster, upper.clone()), upper);
}

#[test]
fn c052_containers_are_merged_by_name_in_the_cluster_s_order() {
    let cluster = json!({"containers": [
        {"name": "b", "image": "b:1", "args": ["x"], "ports": [{"containerPort": 1, "name": "one"}]},
        {"name": "a", "image": "a:1"}
    ]});
    let upper = json!({"containers": [
        {"name": "c", "image": "c:1"},
        {"name": "b", "image": "b:2", "args": [], "ports": [{"containerPort": 2}, {"containerPort": 1, "hostPort": 9}]}
    ]});
    assert_eq!(
        merged(cluster, upper),
        json!({"containers": [
            {"name": "b", "image": "b:2", "args": [],
             "ports": [{"containerPort": 1, "name": "one", "hostPort": 9}, {"containerPort": 2}]},
            {"name": "a", "image": "a:1"},
            {"name": "c", "image": "c:1"}
        ]})
    );
}

#[test]
fn c053_of_two_kinds_of_environment_value_only_that_of_the_datacenter_stays() {
    let field = json!({"fieldRef": {"fieldPath": "metadata.name"}});
    let cluster = json!({"containers": [{"name": "c", "env": [
        {"name": "A", "value": "1"}, {"name": "B", "valueFrom": field}, {"name": "C", "value": "3"}
    ]}]});
    let upper = json!({"containers": [{"name": "c", "env": [
        {"name": "A", "valueFrom": field}, {"name": "B", "value": "2"}, {"name": "C"}
    ]}]});
    assert_eq!(
        merged(cluster, upper),
        json!({"containers": [{"name": "c", "env": [
            {"name": "A", "valueFrom": field}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}
        ]}]})
    );
}

#[test]
fn c052_c054_c055_volumes_and_their_sources_are_taken_whole() {
    let cluster = json!({"extraVolumes": {
        "volumes": [{"name": "v", "configMap": {"name": "c"}}, {"name": "w", "emptyDir": {}}],
        "pvcs": [{"name": "p", "mountPath": "/p", "pvcSpec": {"storageClassName": "s", "accessModes": ["A"]}}]
    }});
    let upper = json!({"extraVolumes": {
        "volumes": [{"name": "v", "secret": {"secretName": "s"}}, {"name": "w"}],
        "pvcs": [{"name": "q", "mountPath": "/q"}, {"name": "p", "mountPath": "/x", "pvcSpec": {"accessModes": ["B"]}}]
    }});
    assert_eq!(
        merged(cluster, upper),
        json!({"extraVolumes": {
            "volumes": [{"name": "v", "secret": {"secretName": "s"}}, {"name": "w", "emptyDir": {}}],
            "pvcs": [
                {"name": "p", "mountPath": "/x", "pvcSpec": {"storageClassName": "s", "accessModes": ["B"]}},
                {"name": "q", "mountPath": "/q"}
            ]
        }})
    );
}

#[test]
fn c052_racks_are_merged_by_name() {
    assert_eq!(
        merged(
            json!({"racks": [{"name": "r1", "nodeAffinityLabels": {"a": "1", "b": "2"}}, {"name": "r2"}]}),
            json!({"racks": [{"name": "r3"}, {"name": "r1", "nodeAffinityLabels": {"a": "9"}}]})
        ),
        json!({"racks": [{"name": "r1", "nodeAffinityLabels": {"a": "9", "b": "2"}}, {"name": "r2"}, {"name": "r3"}]})
    );
}

#[test]
fn c055_resources_are_merged_quantity_by_quantity() {
    assert_eq!(
        merged(
            json!({"resources": {"limits": {"cpu": "2", "memory": "4Gi"}}}),
            json!({"resources": {"limits": {"cpu": 0}, "requests": {"cpu": "1"}}})
        ),
        json!({"resources": {"limits": {"cpu": 0, "memory": "4Gi"}, "requests": {"cpu": "1"}}})
    );
}

#[test]
fn c056_what_belongs_to_one_level_is_not_merged() {
    let cluster = json!({
        "cdc": {"pulsarServiceUrl": "c"}, "datacenterName": "c", "clusterName": "x", "serverType": "dse",
        "rebuild": {"sourceDc": "a"}, "superuserSecretRef": {"name": "s"}, "additionalSeeds": ["10.0.0.1"]
    });
    let upper = json!({
        "metadata": {"name": "dc1", "namespace": "n", "labels": {"a": "b"}}, "k8sContext": "east", "size": 1,
        "rebuild": {"sourceDc": "b"}
    });
    assert_eq!(
        merged(cluster, upper),
        json!({"metadata": {"labels": {"a": "b"}}, "size": 1})
    );
}

#[test]
fn c057_labels_and_annotations_are_merged() {
    assert_eq!(
        merged(
            json!({"metadata": {"commonLabels": {"a": "c", "b": "c"}, "services": {"dcService": {"labels": {"x": "c"}}}}}),
            json!({"metadata": {"name": "dc1", "commonLabels": {"a": "d"}, "pods": {"labels": {"p": "d"}}}})
        ),
        json!({"metadata": {
            "commonLabels": {"a": "d", "b": "c"}, "services": {"dcService": {"labels": {"x": "c"}}},
            "pods": {"labels": {"p": "d"}}
        }})
    );
}

#[test]
fn both_kinds_of_management_api_authentication_stay() {
    assert_eq!(
        merged(
            json!({"managementApiAuth": {"insecure": {}}}),
            json!({"managementApiAuth": {"manual": {"a": "b"}}})
        ),
        json!({"managementApiAuth": {"insecure": {}, "manual": {"a": "b"}}})
    );
}

#[test]
fn parts_of_vector_s_pipeline_follow_those_of_the_cluster() {
    assert_eq!(
        merged(
            json!({"telemetry": {"vector": {"config": "a\n\n", "components": {"sinks": [{"name": "s"}]}}}}),
            json!({"telemetry": {"vector": {"config": "\nb", "components": {"sinks": [{"name": "t"}]}}}})
        ),
        json!({"telemetry": {"vector": {"config": "a\nb", "components": {"sinks": [{"name": "s"}, {"name": "t"}]}}}})
    );
}
