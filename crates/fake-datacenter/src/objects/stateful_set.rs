//! The StatefulSet of a rack.

use serde_json::{Map, Value, json};

use super::Dc;
use super::template::{is_empty, template};
use crate::json::{number, text};
use crate::names;
use crate::pace::fnv;

/// The StatefulSet of `rack` with this many replicas.
#[must_use]
pub fn stateful_set(dc: &Dc, rack: &str, replicas: usize) -> Value {
    let mut selector = dc.selector();
    selector.insert(names::RACK.into(), rack.into());
    let mut labels = dc.labels();
    labels.insert(names::RACK.into(), rack.into());
    let template = template(dc, rack, &labels);
    let hash = wanted_hash(dc, &template);
    // A canary changes templates and leaves the pods as they are.
    let is_canary = dc.0.pointer("/spec/canaryUpgrade").and_then(Value::as_bool);
    let partition = if is_canary.unwrap_or(false) { replicas } else { 0 };
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
            "minReadySeconds": min_ready_seconds(dc),
            "podManagementPolicy": "Parallel",
            "serviceName": format!("{}-all-pods-service", dc.prefix()),
            "selector": {"matchLabels": selector},
            "template": template,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}},
            "volumeClaimTemplates": [claim_template(dc, &labels, &hash)],
        },
    })
}

/// The digest that the operator leaves on the StatefulSet: it changes with the template, and with every size or stop.
#[must_use]
pub fn wanted_hash(dc: &Dc, template: &Value) -> String {
    let all = json!([
        template,
        dc.size(),
        dc.is_stopped(),
        min_ready_seconds(dc),
        dc.0.pointer("/spec/canaryUpgrade")
    ]);
    format!("{:016x}", fnv(all.to_string().as_bytes()))
}

fn min_ready_seconds(dc: &Dc) -> i64 {
    match number(&dc.0, "/spec/minReadySeconds") {
        0 => 5,
        given => given,
    }
}

/// The revision of a StatefulSet's pods: a digest of the template.
#[must_use]
pub fn revision(set: &Value) -> String {
    let template = set
        .pointer("/spec/template")
        .and_then(|template| serde_json::to_string(template).ok())
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
