//! The pod template of a rack.

use serde_json::{Map, Value, json};

use super::Dc;
use crate::json::{list, text};
use crate::names::{self, node_state};
use crate::pace::fnv;

/// Template annotation: a digest of those inputs that restart pods and that this program does not spell out in the
/// template. It is there only when one of them is.
const INPUT: &str = "fake-datacenter/restarting-input";

/// Fields of the spec that restart pods and are not spelled out in the template.
const RESTARTING: [&str; 11] = [
    "cdc",
    "configSecret",
    "disableSystemLoggerSidecar",
    "dseWorkloads",
    "networking",
    "nodeAffinityLabels",
    "podTemplateSpec",
    "serviceAccount",
    "serviceAccountName",
    "systemLoggerImage",
    "tolerations",
];

/// Fields of a rack that restart its pods.
const RESTARTING_RACK: [&str; 3] = ["affinity", "nodeAffinityLabels", "zone"];

/// The pods of a rack of a datacenter.
pub(super) fn template(dc: &Dc, rack: &str, labels: &Map<String, Value>) -> Value {
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
    if let Some(input) = restarting_input(dc, rack) {
        let digest = format!("{:016x}", fnv(input.to_string().as_bytes()));
        annotations.insert(INPUT.into(), digest.into());
    }
    let mut metadata = json!({"labels": labels});
    if !annotations.is_empty() {
        metadata["annotations"] = annotations.into();
    }
    let volumes = [
        "server-config",
        "server-logs",
        "tmp",
        "etc-cassandra",
        "server-config-base",
        "vector-lib",
    ];
    let mut spec = json!({
        "affinity": affinity(dc),
        "containers": [cassandra(dc), system_logger(dc)],
        "initContainers": [base_config(dc), config_builder(dc, rack)],
        "securityContext": {"fsGroup": 999, "runAsGroup": 999, "runAsNonRoot": true, "runAsUser": 999},
        "terminationGracePeriodSeconds": 120,
        "volumes": volumes.map(|name| json!({"name": name, "emptyDir": {}})),
    });
    let selector = given("/spec/nodeSelector");
    if !selector.is_empty() {
        spec["nodeSelector"] = selector.into();
    }
    json!({"metadata": metadata, "spec": spec})
}

/// What restarts pods when it changes and shows nowhere else in the template; nothing when none of it is given.
fn restarting_input(dc: &Dc, rack: &str) -> Option<Value> {
    let mut found = Map::new();
    let mut take = |from: Option<&Value>, keys: &[&str]| {
        for key in keys {
            let value = from
                .and_then(|from| from.get(*key))
                .filter(|value| !is_empty(value));
            if let Some(value) = value {
                found.insert((*key).to_owned(), value.clone());
            }
        }
    };
    let spec = dc.0.get("spec");
    let racks = list(&dc.0, "/spec/racks").iter();
    take(
        racks.into_iter().find(|entry| text(entry, "/name") == rack),
        &RESTARTING_RACK,
    );
    take(spec, &RESTARTING);
    take(dc.0.pointer("/spec/storageConfig"), &["additionalVolumes"]);
    take(dc.0.pointer("/spec/managementApiAuth"), &["manual"]);
    (!found.is_empty()).then_some(Value::Object(found))
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// One node of Cassandra on each worker, unless the user wants more.
fn affinity(dc: &Dc) -> Value {
    let several = dc.0.pointer("/spec/allowMultipleNodesPerWorker");
    if several.and_then(Value::as_bool).unwrap_or(false) {
        return json!({});
    }
    let exists = |key: &str| json!({"key": key, "operator": "Exists"});
    let all = [names::CLUSTER, names::DATACENTER, names::RACK].map(exists);
    json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchExpressions": all}, "topologyKey": "kubernetes.io/hostname"},
    ]}})
}

fn image(dc: &Dc) -> String {
    match text(&dc.0, "/spec/serverImage") {
        "" => format!(
            "docker.io/k8ssandra/cass-management-api:{}-ubi",
            text(&dc.0, "/spec/serverVersion")
        ),
        image => image.to_owned(),
    }
}

fn resources(dc: &Dc, field: &str, default: Value) -> Value {
    let given = dc.0.pointer(&format!("/spec/{field}"));
    given.filter(|value| !is_empty(value)).cloned().unwrap_or(default)
}

fn security(dc: &Dc) -> Value {
    let wanted =
        dc.0.pointer("/spec/readOnlyRootFilesystem")
            .and_then(Value::as_bool);
    if wanted == Some(false) {
        return json!({});
    }
    json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true})
}

fn cassandra(dc: &Dc) -> Value {
    let ports = [
        ("native", 9042),
        ("tls-native", 9142),
        ("internode", 7000),
        ("tls-internode", 7001),
        ("jmx", 7199),
        ("mgmt-api-http", 8080),
        ("prometheus", 9103),
        ("metrics", 9000),
    ];
    let drain = [
        "curl",
        "-X",
        "POST",
        "-s",
        "-m",
        "0",
        "-o",
        "/dev/null",
        "--show-error",
        "--fail",
        "http://localhost:8080/api/v0/ops/node/drain",
    ];
    json!({
        "name": "cassandra",
        "image": image(dc),
        "resources": resources(dc, "resources", json!({})),
        "env": [
            from_field("POD_NAME", "metadata.name"),
            from_field("NODE_NAME", "spec.nodeName"),
            variable("DS_LICENSE", "accept"),
            variable("USE_MGMT_API", "true"),
            variable("MGMT_API_NO_KEEP_ALIVE", "true"),
            variable("MGMT_API_EXPLICIT_START", "true"),
            variable("MGMT_API_DISABLE_MCAC", "true"),
        ],
        "ports": ports.map(|(name, number)| json!({"name": name, "containerPort": number, "protocol": "TCP"})),
        "lifecycle": {"preStop": {"exec": {"command": drain}}},
        "livenessProbe": probe("liveness", 15, 15),
        "readinessProbe": probe("readiness", 20, 10),
        "securityContext": security(dc),
        "volumeMounts": [
            mount("tmp", "/tmp"),
            mount("etc-cassandra", "/etc/cassandra"),
            mount("server-logs", "/var/log/cassandra"),
            mount("server-data", "/var/lib/cassandra"),
            mount("server-config", "/config"),
        ],
    })
}

fn system_logger(dc: &Dc) -> Value {
    let default = json!({"limits": {"memory": "128M"}, "requests": {"cpu": "100m", "memory": "64M"}});
    json!({
        "name": "server-system-logger",
        "image": "docker.io/k8ssandra/system-logger:v1.31.0",
        "resources": resources(dc, "systemLoggerResources", default),
        "env": [
            from_field("POD_NAME", "metadata.name"),
            from_field("NODE_NAME", "spec.nodeName"),
            variable("CLUSTER_NAME", dc.cluster()),
            variable("DATACENTER_NAME", dc.cassandra_name()),
            from_field("RACK_NAME", &format!("metadata.labels['{}']", names::RACK)),
            from_field("NAMESPACE", "metadata.namespace"),
        ],
        "securityContext": security(dc),
        "volumeMounts": [mount("server-logs", "/var/log/cassandra"), mount("vector-lib", "/var/lib/vector")],
    })
}

fn base_config(dc: &Dc) -> Value {
    json!({
        "name": "server-config-init-base",
        "image": image(dc),
        "command": ["/bin/sh"],
        "args": ["-c", "cp -rf /etc/cassandra/* /cassandra-base-config/"],
        "securityContext": security(dc),
        "volumeMounts": [mount("server-config-base", "/cassandra-base-config")],
    })
}

fn config_builder(dc: &Dc, rack: &str) -> Value {
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
    let default =
        json!({"limits": {"cpu": "1", "memory": "384M"}, "requests": {"cpu": "1", "memory": "256M"}});
    json!({
        "name": "server-config-init",
        "image": "docker.io/k8ssandra/k8ssandra-client:v0.8.12",
        "resources": resources(dc, "configBuilderResources", default),
        "args": ["config", "build"],
        "env": [
            from_field("POD_IP", "status.podIP"),
            from_field("HOST_IP", "status.hostIP"),
            variable("USE_HOST_IP_FOR_BROADCAST", "false"),
            variable("RACK_NAME", rack),
            variable("PRODUCT_VERSION", text(&dc.0, "/spec/serverVersion")),
            variable("PRODUCT_NAME", text(&dc.0, "/spec/serverType")),
            from_field("POD_NAME", "metadata.name"),
            variable("CONFIG_FILE_DATA", &config.to_string()),
        ],
        "securityContext": security(dc),
        "volumeMounts": [mount("server-config", "/config"), mount("server-config-base", "/cassandra-base-config")],
    })
}

fn variable(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn from_field(name: &str, path: &str) -> Value {
    json!({"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}})
}

fn mount(name: &str, path: &str) -> Value {
    json!({"name": name, "mountPath": path})
}

fn probe(what: &str, delay: u32, period: u32) -> Value {
    json!({
        "httpGet": {"path": format!("/api/v0/probes/{what}"), "port": 8080, "scheme": "HTTP"},
        "failureThreshold": 3,
        "successThreshold": 1,
        "initialDelaySeconds": delay,
        "periodSeconds": period,
        "timeoutSeconds": 10,
    })
}
