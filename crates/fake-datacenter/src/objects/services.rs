//! The four services of a datacenter, and its disruption budget.

use serde_json::{Map, Value, json};

use super::Dc;
use crate::names;
use crate::pace::fnv;

/// The services in the order in which the operator makes them.
#[must_use]
pub fn services(dc: &Dc) -> Vec<Value> {
    let prefix = dc.prefix();
    let client = json!([
        port("native", 9042),
        port("tls-native", 9142),
        port("mgmt-api", 8080),
        port("prometheus", 9103),
        port("metrics", 9000)
    ]);
    let all_pods = json!([
        port("native", 9042),
        port("mgmt-api", 8080),
        port("prometheus", 9103),
        port("metrics", 9000)
    ]);
    let mut seeds = Map::new();
    seeds.insert(names::CLUSTER.into(), dc.selector()[names::CLUSTER].clone());
    let seed_labels = merged(dc.operator_labels(), &seeds);
    seeds.insert(names::SEED_NODE.into(), "true".into());
    let prom = json!({names::PROM_METRICS: "true"});
    vec![
        service(
            dc,
            "dcService",
            &format!("{prefix}-service"),
            dc.labels(),
            json!({"ports": client, "selector": dc.selector()}),
        ),
        service(
            dc,
            "seedService",
            &format!("{}-seed-service", dc.cluster_prefix()),
            seed_labels,
            json!({"selector": seeds, "publishNotReadyAddresses": true}),
        ),
        service(
            dc,
            "allpodsService",
            &format!("{prefix}-all-pods-service"),
            merged(dc.labels(), prom.as_object().unwrap_or(&Map::new())),
            json!({"ports": all_pods, "selector": dc.selector(), "publishNotReadyAddresses": true}),
        ),
        service(
            dc,
            "additionalSeedService",
            &dc.additional_seed_service(),
            dc.labels(),
            json!({"publishNotReadyAddresses": true}),
        ),
    ]
}

fn port(name: &str, number: u16) -> Value {
    json!({"name": name, "port": number, "targetPort": number, "protocol": "TCP"})
}

fn merged(mut labels: Map<String, Value>, more: &Map<String, Value>) -> Map<String, Value> {
    labels.extend(more.clone());
    labels
}

fn service(dc: &Dc, config: &str, name: &str, mut labels: Map<String, Value>, mut spec: Value) -> Value {
    let config = dc.0.pointer(&format!("/spec/additionalServiceConfig/{config}"));
    let given = |key: &str| {
        config
            .and_then(|config| config.get(key))
            .and_then(Value::as_object)
            .cloned()
    };
    labels.extend(given("additionalLabels").unwrap_or_default());
    let mut annotations = dc.additional_annotations();
    if name.ends_with("-seed-service") && !name.ends_with("-additional-seed-service") {
        // Every annotation of the datacenter goes onto the seed service.
        let all =
            dc.0.pointer("/metadata/annotations")
                .and_then(Value::as_object)
                .cloned();
        annotations.extend(all.unwrap_or_default());
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    annotations.extend(given("additionalAnnotations").unwrap_or_default());
    spec["clusterIP"] = "None".into();
    spec["type"] = "ClusterIP".into();
    let hash = format!(
        "{:016x}",
        fnv(json!([&labels, &annotations, &spec]).to_string().as_bytes())
    );
    annotations.insert(names::RESOURCE_HASH.into(), hash.into());
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": dc.namespace(),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [dc.owner()],
        },
        "spec": spec,
    })
}

/// The disruption budget: one node at a time.
#[must_use]
pub fn budget(dc: &Dc) -> Value {
    let available = dc.size().saturating_sub(1);
    let hash = fnv(json!([dc.name(), available]).to_string().as_bytes());
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {
            "name": format!("{}-pdb", crate::names::cleanup_for_kubernetes(dc.name())),
            "namespace": dc.namespace(),
            "labels": dc.labels(),
            "annotations": {names::RESOURCE_HASH: format!("{hash:016x}")},
            "ownerReferences": [dc.owner()],
        },
        "spec": {"minAvailable": available, "selector": {"matchLabels": dc.selector()}},
    })
}
