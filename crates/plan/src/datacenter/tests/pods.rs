use api::record::Role;
use serde_json::{Value, json};

use super::{built, one};

#[test]
fn c098_te9_the_metrics_agent_s_configuration_comes_last_among_the_volumes() {
    let kc = one(json!({
        "storageConfig": {"additionalVolumes": [{"name": "v", "mountPath": "/v"}]},
        "extraVolumes": {"pvcs": [{"name": "p", "mountPath": "/p"}], "volumes": [{"name": "w", "emptyDir": {}}]}
    }));
    let datacenter = built(&kc, Role::Founder);
    let volumes = datacenter.spec["storageConfig"]["additionalVolumes"]
        .as_array()
        .expect("volumes");
    let names: Vec<&str> = volumes
        .iter()
        .filter_map(|volume| volume["name"].as_str())
        .collect();
    assert_eq!(names, ["v", "p", "metrics-agent-config"]);
    assert_eq!(
        datacenter.spec["podTemplateSpec"]["spec"]["volumes"],
        json!([{"name": "w", "emptyDir": {}}])
    );
    let config_map = &datacenter.config_maps[0];
    assert_eq!(config_map.name, "demo-dc1-metrics-agent-config");
    assert_eq!(config_map.annotations["ringspan.io/cluster-uid"], "kc-uid");
    let text = &config_map.data["metrics-collector.yaml"];
    let beginning = "relabels:\n- regex: .+\n  replacement: \"true\"\n  sourceLabels:\n  - table\n  targetLabel: should_drop\n";
    assert!(text.starts_with(beginning), "{text}");
    assert_eq!(text.matches("- regex:").count(), 12);
    assert_eq!(text.lines().filter(|line| line.starts_with("- ")).count(), 13);
}

#[test]
fn te10_relabels_of_the_user_take_the_place_of_the_default_ones() {
    let kc = one(json!({"telemetry": {"cassandra": {"relabels": [{"action": "drop", "regex": "a: b"}]}}}));
    let text = built(&kc, Role::Founder).config_maps[0].data["metrics-collector.yaml"].clone();
    assert_eq!(text, "relabels:\n- action: drop\n  regex: \"a: b\"\n");
}

#[test]
fn c094_the_container_cassandra_gets_its_environment_after_the_user_s() {
    let kc = one(json!({
        "mgmtAPIHeap": "64Mi",
        "containers": [{"name": "side"}, {"name": "cassandra", "env": [{"name": "A", "value": "1"}]}]
    }));
    let containers = built(&kc, Role::Founder).spec["podTemplateSpec"]["spec"]["containers"].clone();
    assert_eq!(
        containers,
        json!([{"name": "side"}, {"name": "cassandra", "env": [
            {"name": "A", "value": "1"},
            {"name": "MANAGEMENT_API_HEAP_SIZE", "value": "67108864"},
            {"name": "MGMT_API_DISABLE_MCAC", "value": "true"}
        ]}])
    );
}

#[test]
fn te4_the_old_collector_gets_its_filters_and_is_not_switched_off() {
    let environment = |mcac: Value| {
        let kc = one(json!({"telemetry": {"mcac": mcac}}));
        built(&kc, Role::Founder).spec["podTemplateSpec"]["spec"]["containers"][0]["env"].clone()
    };
    assert_eq!(
        environment(json!({"enabled": true, "metricFilters": ["deny:a", "allow:b"]})),
        json!([{"name": "METRIC_FILTERS", "value": "deny:a allow:b"}])
    );
    let default = environment(json!({"enabled": true}))[0]["value"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert!(default.starts_with(
        "deny:org.apache.cassandra.metrics.Table deny:org.apache.cassandra.metrics.table allow:"
    ));
    assert_eq!(default.split(' ').count(), 14);
}

#[test]
fn c092_c093_c095_c096_c097_small_fields_go_where_cass_operator_has_them() {
    let kc = one(json!({
        "softPodAntiAffinity": true, "resources": {"requests": {"cpu": "1"}}, "serviceAccount": "sa",
        "networking": {"hostNetwork": false},
        "containers": [{"name": "server-system-logger", "resources": {"limits": {"cpu": "2"}}}],
        "initContainers": [{"name": "server-config-init", "resources": {"requests": {"memory": "1Gi"}}}],
        "metadata": {"name": "dc1", "commonLabels": {"l": "1"}, "commonAnnotations": {"a": "1"},
            "services": {"allPodsService": {"labels": {"x": "y", "k8ssandra.io/cluster-name": "no"}}}}
    }));
    let spec = built(&kc, Role::Founder).spec;
    assert_eq!(spec["allowMultipleNodesPerWorker"], true);
    assert_eq!(spec["serviceAccountName"], "sa");
    assert_eq!(spec.get("networking"), None);
    assert_eq!(spec["systemLoggerResources"], json!({"limits": {"cpu": "2"}}));
    assert_eq!(
        spec["configBuilderResources"],
        json!({"requests": {"memory": "1Gi"}})
    );
    assert_eq!(spec["additionalLabels"], json!({"l": "1"}));
    assert_eq!(spec["additionalAnnotations"], json!({"a": "1"}));
    assert_eq!(
        spec["additionalServiceConfig"],
        json!({"allpodsService": {"additionalLabels": {
            "x": "y", "k8ssandra.io/cluster-name": "demo", "k8ssandra.io/cluster-namespace": "ns"
        }}})
    );
}
