use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::{Value, json};

use super::{DesiredConfigMap, built, one};
use crate::validate;

fn with(telemetry: Value) -> K8ssandraCluster {
    one(json!({"telemetry": telemetry}))
}

fn config_map(kc: &K8ssandraCluster) -> Option<DesiredConfigMap> {
    let maps = built(kc, Role::Founder).config_maps.into_iter();
    maps.into_iter().find(|map| map.name.ends_with("cass-vector"))
}

/// The file, with a sink for the metrics, so that they are read at all.
fn file(mut telemetry: Value) -> String {
    telemetry["vector"]["enabled"] = json!(true);
    telemetry["vector"]["components"] =
        json!({"sinks": [{"name": "s", "type": "blackhole", "inputs": ["cassandra_metrics"]}]});
    config_map(&with(telemetry)).expect("a ConfigMap").data["vector.toml"].clone()
}

#[test]
fn te11_vector_has_a_config_map_a_volume_and_resources_where_it_is_switched_on() {
    let off = built(&with(json!({"vector": {"enabled": false}})), Role::Founder);
    assert_eq!(off.config_maps.len(), 1);
    assert_eq!(off.switched_off, ["demo-dc1-cass-vector"]);
    assert_eq!(off.spec.get("systemLoggerResources"), None);
    let on = built(&with(json!({"vector": {"enabled": true}})), Role::Founder);
    assert_eq!(on.switched_off, Vec::<String>::new());
    assert_eq!(on.config_maps[1].name, "demo-dc1-cass-vector");
    let volumes = &on.spec["storageConfig"]["additionalVolumes"];
    let expected = json!({"name": "vector-config", "mountPath": "/etc/vector",
        "volumeSource": {"configMap": {"name": "demo-dc1-cass-vector"}}});
    assert_eq!(volumes[0], expected);
    assert_eq!(volumes[1]["name"], "metrics-agent-config");
    assert_eq!(
        on.spec["systemLoggerResources"],
        json!({"requests": {"cpu": "200m", "memory": "128Mi"}, "limits": {"cpu": "2", "memory": "2Gi"}})
    );
    let containers = &on.spec["podTemplateSpec"]["spec"]["containers"];
    assert_eq!(containers[1], json!({"name": "server-system-logger"}));
}

#[test]
fn te11_the_container_s_own_resources_win_and_its_image_does_not() {
    let kc = one(json!({
        "telemetry": {"vector": {"enabled": true, "image": "v:1", "resources": {"limits": {"cpu": "1"}}}},
        "containers": [{"name": "server-system-logger", "image": "x", "resources": {"limits": {"cpu": "3"}}}],
    }));
    let spec = built(&kc, Role::Founder).spec;
    assert_eq!(spec["systemLoggerResources"], json!({"limits": {"cpu": "3"}}));
    assert_eq!(spec["podTemplateSpec"]["spec"]["containers"][0]["image"], "v:1");
    let given = with(json!({"vector": {"enabled": true, "resources": {"limits": {"cpu": "1"}}}}));
    assert_eq!(
        built(&given, Role::Founder).spec["systemLoggerResources"],
        json!({"limits": {"cpu": "1"}})
    );
}

#[test]
fn te12_without_parts_of_the_user_s_the_log_goes_to_the_output() {
    let map = config_map(&with(json!({"vector": {"enabled": true}}))).expect("a ConfigMap");
    let text = &map.data["vector.toml"];
    let tables: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
    let expected = [
        "[sources.systemlog]",
        "[sources.systemlog.multiline]",
        "[sinks.console_log]",
    ];
    assert_eq!(tables, expected);
    assert!(
        text.starts_with("\n[sources.systemlog]\ntype = \"file\"\ninclude = "),
        "{text}"
    );
    let end = "inputs = [\"systemlog\"]\ntarget = \"stdout\"\nencoding.codec = \"text\"\n\n";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(
        map.labels["k8ssandra.io/cleaned-up-by"],
        "k8ssandracluster-controller"
    );
    assert_eq!(map.labels.get("app.kubernetes.io/component"), None);
    assert_eq!(map.annotations["ringspan.io/cluster-uid"], "kc-uid");
}

#[test]
fn te12_metrics_are_read_from_the_agent_or_from_the_old_collector() {
    let of_agent = file(json!({"vector": {"scrapeInterval": "1m30s"}}));
    let expected = "endpoints = [ \"http://localhost:9000/metrics\" ]\nscrape_interval_secs = 90\n";
    assert!(of_agent.contains(expected), "{of_agent}");
    let of_collector = file(json!({"mcac": {"enabled": true}, "vector": {}}));
    let expected = "endpoints = [ \"http://localhost:9103\" ]\nscrape_interval_secs = 30\n";
    assert!(of_collector.contains(expected), "{of_collector}");
}

#[test]
fn te12_the_parsed_log_is_there_for_who_asks_for_it() {
    let kc = with(json!({"vector": {"enabled": true, "components": {
        "sinks": [{"name": "s", "type": "console", "inputs": ["parse_cassandra_log"]}]
    }}}));
    let text = config_map(&kc).expect("a ConfigMap").data["vector.toml"].clone();
    for field in [
        "loglevel",
        "thread",
        "timestamp",
        "class",
        "line",
        "message",
        ".pod_name",
        ".node_name",
        ".cluster",
        ".datacenter",
        ".rack",
        ".namespace",
    ] {
        assert!(text.contains(field), "{field}: {text}");
    }
    // Each script stands between two triples of quotes, and has none itself.
    assert_eq!(text.matches("'''").count(), 2);
}

#[test]
fn te12_a_pause_that_is_none_is_refused() {
    for (interval, is_good) in [("45s", true), ("10", false), ("0s", false)] {
        let kc = with(json!({"vector": {"enabled": true, "scrapeInterval": interval}}));
        let refused = validate::cluster(&kc).err().map(|it| it.field);
        let expected = "spec.cassandra.datacenters[0].telemetry.vector.scrapeInterval".to_owned();
        assert_eq!(refused, (!is_good).then_some(expected), "{interval}");
    }
}

#[test]
fn te14_an_endpoint_of_the_user_s_gives_address_port_and_certificates() {
    let endpoint = json!({"address": "198.18.0.1", "port": "9500",
        "tls": {"ca.crt": "/c/ca", "tls.crt": "/c/crt", "tls.key": "/c/key"}});
    let text = file(json!({"vector": {}, "cassandra": {"endpoint": endpoint}}));
    let expected = "endpoints = [ \"https://198.18.0.1:9500/metrics\" ]\nscrape_interval_secs = 30\n\
                    tls.ca_file = \"/c/ca\"\ntls.crt_file = \"/c/crt\"\ntls.key_file = \"/c/key\"\n";
    assert!(text.contains(expected), "{text}");
    for (port, is_good) in [
        ("1024", false),
        ("1025", true),
        ("65535", true),
        ("65536", false),
        ("x", false),
    ] {
        let telemetry = json!({"vector": {"enabled": true}, "cassandra": {"endpoint": {"port": port}}});
        let refused = validate::cluster(&with(telemetry)).err().map(|it| it.field);
        let expected = "spec.cassandra.datacenters[0].telemetry.cassandra.endpoint.port".to_owned();
        assert_eq!(refused, (!is_good).then_some(expected), "{port}");
    }
}

#[test]
fn te15_parts_and_text_of_the_cluster_come_before_the_datacenter_s() {
    let sink = |name: &str| json!({"name": name, "type": "blackhole", "inputs": ["systemlog"]});
    let mut kc = with(json!({"vector": {"config": "\nb = 1", "components": {"sinks": [sink("of_dc")]}}}));
    let of_cluster =
        json!({"vector": {"enabled": true, "config": "a = 1\n", "components": {"sinks": [sink("of_kc")]}}});
    kc.spec.cassandra.as_mut().expect("given").options.telemetry =
        Some(serde_json::from_value(of_cluster).expect("telemetry"));
    let text = config_map(&kc).expect("a ConfigMap").data["vector.toml"].clone();
    assert!(text.starts_with("a = 1\nb = 1\n\n[sources.systemlog]"), "{text}");
    let (first, second) = (text.find("[sinks.of_kc]"), text.find("[sinks.of_dc]"));
    assert!(first.is_some() && first < second && second < text.find("[sinks.console_log]"));
}
