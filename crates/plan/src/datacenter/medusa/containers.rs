//! Medusa's two containers: one restores before Cassandra starts, one makes backups beside it.

use api::k8ssandra_cluster::addons::Medusa as MedusaSpec;
use api::names::reason;
use api::reports::Refusal;
use serde_json::{Map, Value, json};

use super::storage::overlay;
use super::{Medusa, PORT, given_port, list, mounts, put, user_secret};
use crate::validate::refusal;
use crate::value;

/// Restores, before Cassandra starts.
const RESTORE: &str = "medusa-restore";
/// Makes backups, beside Cassandra.
const SIDECAR: &str = "medusa";
/// cass-operator's container that writes the configuration; it must come first.
const WRITER: &str = "server-config-init";
/// The options of a probe that say what is asked.
const HANDLERS: [&str; 4] = ["exec", "grpc", "httpGet", "tcpSocket"];
/// What each option of the service's certificates is called by the program that asks it.
const PROBE_FLAGS: [(&str, &str); 3] = [
    ("ca_cert", "--tls-ca-cert"),
    ("tls_cert", "--tls-client-cert"),
    ("tls_key", "--tls-client-key"),
];

/// How it is asked whether it is ready, and alive.
#[derive(Clone, Debug)]
pub(super) struct Probes {
    readiness: Value,
    liveness: Value,
}

/// With the numbers of the user's. What is asked is fixed: nothing else would tell how Medusa is.
pub(super) fn probes(spec: &MedusaSpec, tls: &[(&str, String)]) -> Result<Probes, Refusal> {
    let port = given_port(spec).unwrap_or(PORT);
    let mut command = vec!["/bin/grpc_health_probe".to_owned(), format!("--addr=:{port}")];
    if !tls.is_empty() {
        command.push("--tls".to_owned());
    }
    for (option, path) in tls {
        let flag = PROBE_FLAGS.iter().find(|(known, _)| known == option);
        command.extend(flag.map(|(_, flag)| format!("{flag}={path}")));
    }
    let default = json!({
        "exec": {"command": command},
        "initialDelaySeconds": 10, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 10,
    });
    let probe = |given: Value, field: &str| {
        let merged = overlay(&default, &given);
        if HANDLERS
            .iter()
            .all(|handler| merged.get(handler) == default.get(handler))
        {
            return Ok(merged);
        }
        let message = "changes what is asked, which is fixed; only its numbers can be given";
        Err(refusal(
            reason::INVALID_SPEC,
            &format!("spec.medusa.{field}"),
            message.into(),
        ))
    };
    Ok(Probes {
        readiness: probe(json!(spec.readiness_probe), "readinessProbe")?,
        liveness: probe(json!(spec.liveness_probe), "livenessProbe")?,
    })
}

/// Puts both into a pod's spec. One of the user's with such a name gives way, and its place stays.
pub(super) fn place(medusa: &Medusa<'_>, spec: &mut Map<String, Value>) {
    let mut init_containers = list(spec, "initContainers");
    let has = |items: &[Value], name: &str| items.iter().any(|item| value::text(item, "/name") == Some(name));
    if !has(&init_containers, RESTORE) && !has(&init_containers, WRITER) {
        init_containers.push(json!({"name": WRITER}));
    }
    put(&mut init_containers, restore(medusa));
    spec.insert("initContainers".to_owned(), Value::Array(init_containers));
    let mut containers = list(spec, "containers");
    put(&mut containers, sidecar(medusa));
    spec.insert("containers".to_owned(), Value::Array(containers));
}

fn restore(medusa: &Medusa<'_>) -> Value {
    Value::Object(container(
        medusa,
        RESTORE,
        "RESTORE",
        json!(medusa.spec.init_container_resources),
    ))
}

fn sidecar(medusa: &Medusa<'_>) -> Value {
    let resources = json!(medusa.spec.container_resources);
    let mut sidecar = container(medusa, SIDECAR, "GRPC", resources);
    let port = given_port(medusa.spec).unwrap_or(PORT);
    let ports = json!([{"name": "grpc", "containerPort": port, "protocol": "TCP"}]);
    sidecar.insert("ports".to_owned(), ports);
    sidecar.insert("readinessProbe".to_owned(), medusa.probes.readiness.clone());
    sidecar.insert("livenessProbe".to_owned(), medusa.probes.liveness.clone());
    Value::Object(sidecar)
}

/// What both have. Resources of the user's take the place of all that are given otherwise.
fn container(medusa: &Medusa<'_>, name: &str, mode: &str, resources: Value) -> Map<String, Value> {
    let default = || json!({"requests": {"cpu": "100m", "memory": "100Mi"}, "limits": {"memory": "8Gi"}});
    let resources = if resources.is_null() { default() } else { resources };
    let mut container = Map::new();
    container.insert("name".to_owned(), name.into());
    container.insert("image".to_owned(), medusa.image.text().into());
    let policy = Some(medusa.image.pull_policy.as_str()).filter(|policy| !policy.is_empty());
    value::set(&mut container, "imagePullPolicy", policy.map(Value::from));
    container.insert("env".to_owned(), Value::Array(environment(medusa, mode)));
    container.insert("resources".to_owned(), resources);
    let security = json!(medusa.spec.security_context);
    value::set(&mut container, "securityContext", value::not_empty(security));
    container.insert("volumeMounts".to_owned(), Value::Array(mounts::mounts(medusa)));
    container
}

fn environment(medusa: &Medusa<'_>, mode: &str) -> Vec<Value> {
    let mut environment = vec![
        json!({"name": "MEDUSA_MODE", "value": mode}),
        json!({"name": "MEDUSA_TMP_DIR", "value": "/var/lib/cassandra"}),
        json!({"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
    ];
    if !medusa.facts.kc.spec.has_external_secrets() {
        let secret = user_secret(medusa.facts, medusa.spec);
        let from = |key: &str| json!({"secretKeyRef": {"name": secret, "key": key}});
        environment.push(json!({"name": "CQL_USERNAME", "valueFrom": from("username")}));
        environment.push(json!({"name": "CQL_PASSWORD", "valueFrom": from("password")}));
    }
    environment
}
