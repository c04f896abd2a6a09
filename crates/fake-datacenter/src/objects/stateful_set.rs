//! The StatefulSet of a rack and its pod template.

use serde_json::{Map, Value, json};

use super::Dc;
use crate::json::text;
use crate::names::{self, node_state};
use crate::pace::fnv;

/// Template annotation: a digest of those inputs that restart pods and that this program does not spell out in the
/// template.
const INPUT: &str = "fake-datacenter/restarting-input";

/// What a change of the datacenter's spec leaves as it is: these restart nothing (`metadata` never does).
const LIVE: [&str; 12] = [
    "additionalSeeds",
    "additionalServiceConfig",
    "canaryUpgrade",
    "canaryUpgradeCount",
    "forceUpgradeRacks",
    "racks",
    "replaceNodes",
    "rollingRestartRequested",
    "size",
    "stopped",
    "superuserSecretName",
    "users",
];

/// The StatefulSet of `rack` with this many replicas.
#[must_use]
pub fn stateful_set(dc: &Dc, rack: &str, replicas: usize) -> Value {
    let mut selector = dc.selector();
    selector.insert(names::RACK.into(), rack.into());
    let mut labels = dc.labels();
    labels.insert(names::RACK.into(), rack.into());
    let template = template(dc, rack, &labels);
    let hash = wanted_hash(dc, &template);
    json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {
            "name": dc.stateful_set_name(rack),
            "namespace": dc.namespace(),
            "labels": labels,
            "annotations": with(dc.additional_annotations(), names::RESOURCE_HASH, &hash),
            "ownerReferences": [dc.owner()],
        },
        "spec": {
            "replicas": replicas,
            "minReadySeconds": 5,
            "podManagementPolicy": "Parallel",
            "serviceName": format!("{}-all-pods-service", dc.prefix()),
            "selector": {"matchLabels": selector},
            "template": template,
            "volumeClaimTemplates": [claim_template(dc, &labels, &hash)],
        },
    })
}

/// The digest that the operator leaves on the StatefulSet: it changes with the template, and with every size or stop.
#[must_use]
pub fn wanted_hash(dc: &Dc, template: &Value) -> String {
    let all = json!([template, dc.size(), dc.is_stopped()]);
    format!("{:016x}", fnv(all.to_string().as_bytes()))
}

/// The revision of a StatefulSet's pods: a digest of the template.
#[must_use]
pub fn revision(set: &Value) -> String {
    let template = set
        .pointer("/spec/template")
        .map(ToString::to_string)
        .unwrap_or_default();
    format!(
        "{}-{:010x}",
        crate::json::name(set),
        fnv(template.as_bytes()) >> 24
    )
}

fn with(mut map: Map<String, Value>, key: &str, value: &str) -> Map<String, Value> {
    map.insert(key.into(), value.into());
    map
}

/// What restarts pods when it changes, without the fields that do not.
fn restarting_input(dc: &Dc, rack: &str) -> Value {
    let mut spec =
        dc.0.get("spec")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
    for key in LIVE {
        spec.remove(key);
    }
    if let Some(storage) = spec.get_mut("storageConfig").and_then(Value::as_object_mut) {
        storage.remove("cassandraDataVolumeClaimSpec");
    }
    spec.retain(|_, value| !is_empty(value));
    let own = crate::json::list(&dc.0, "/spec/racks")
        .iter()
        .find(|entry| text(entry, "/name") == rack);
    json!([spec, own])
}

fn is_empty(value: &Value) -> bool {
    value.is_null()
        || value.as_object().is_some_and(Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty)
}

fn template(dc: &Dc, rack: &str, labels: &Map<String, Value>) -> Value {
    let given = |pointer: &str| {
        dc.0.pointer(pointer)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let mut labels = labels.clone();
    labels.extend(given("/spec/podTemplateSpec/metadata/labels"));
    labels.insert(names::NODE_STATE.into(), node_state::READY_TO_START.into());
    let mut annotations = dc.additional_annotations();
    annotations.extend(given("/spec/podTemplateSpec/metadata/annotations"));
    let input = format!("{:016x}", fnv(restarting_input(dc, rack).to_string().as_bytes()));
    let version = text(&dc.0, "/spec/serverVersion");
    let image = match text(&dc.0, "/spec/serverImage") {
        "" => format!("docker.io/k8ssandra/cass-management-api:{version}-ubi"),
        image => image.to_owned(),
    };
    let empty = |name: &str| json!({"name": name, "emptyDir": {}});
    json!({
        "metadata": {"labels": labels, "annotations": with(annotations, INPUT, &input)},
        "spec": {
            "terminationGracePeriodSeconds": 120,
            "automountServiceAccountToken": false,
            "initContainers": [init_container(dc, rack, version)],
            "containers": [
                {
                    "name": "cassandra",
                    "image": image,
                    "resources": dc.0.pointer("/spec/resources").cloned().unwrap_or_else(|| json!({})),
                    "ports": [
                        container_port("native", 9042),
                        container_port("tls-native", 9142),
                        container_port("internode", 7000),
                        container_port("tls-internode", 7001),
                        container_port("jmx", 7199),
                        container_port("mgmt-api-http", 8080),
                        container_port("prometheus", 9103),
                        container_port("metrics", 9000),
                    ],
                    "volumeMounts": [
                        {"name": "server-data", "mountPath": "/var/lib/cassandra"},
                        {"name": "server-config", "mountPath": "/config"},
                        {"name": "server-logs", "mountPath": "/var/log/cassandra"},
                    ],
                },
                {
                    "name": "server-system-logger",
                    "image": "docker.io/k8ssandra/system-logger:v1.31.0",
                    "volumeMounts": [{"name": "server-logs", "mountPath": "/var/log/cassandra"}],
                },
            ],
            "volumes": [empty("server-config"), empty("server-logs")],
        },
    })
}

fn container_port(name: &str, number: u16) -> Value {
    json!({"name": name, "containerPort": number, "protocol": "TCP"})
}

fn init_container(dc: &Dc, rack: &str, version: &str) -> Value {
    let mut config =
        dc.0.pointer("/spec/config")
            .cloned()
            .filter(Value::is_object)
            .unwrap_or_else(|| json!({}));
    config["cluster-info"] = json!({
        "name": dc.cluster(),
        "seeds": format!("{}-seed-service,{}", dc.cluster_prefix(), dc.additional_seed_service()),
    });
    config["datacenter-info"] =
        json!({"name": dc.cassandra_name(), "graph-enabled": 0, "solr-enabled": 0, "spark-enabled": 0});
    json!({
        "name": "server-config-init",
        "image": "docker.io/k8ssandra/k8ssandra-client:v0.8.12",
        "args": ["config", "build"],
        "env": [
            {"name": "RACK_NAME", "value": rack},
            {"name": "PRODUCT_VERSION", "value": version},
            {"name": "PRODUCT_NAME", "value": text(&dc.0, "/spec/serverType")},
            {"name": "CONFIG_FILE_DATA", "value": config.to_string()},
        ],
        "volumeMounts": [{"name": "server-config", "mountPath": "/config"}],
    })
}

fn claim_template(dc: &Dc, labels: &Map<String, Value>, hash: &str) -> Value {
    let mut spec =
        dc.0.pointer("/spec/storageConfig/cassandraDataVolumeClaimSpec")
            .cloned()
            .unwrap_or_else(|| json!({}));
    if is_empty(&spec["accessModes"]) {
        spec["accessModes"] = json!(["ReadWriteOnce"]);
    }
    if text(&spec, "/resources/requests/storage").is_empty() {
        spec["resources"]["requests"]["storage"] = "1Gi".into();
    }
    json!({
        "metadata": {"name": "server-data", "labels": labels, "annotations": {names::RESOURCE_HASH: hash}},
        "spec": spec,
    })
}
