//! Pods and claims as the StatefulSet controller makes them, and pod statuses as a kubelet writes them.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::revision;
use crate::json::{self, text};

/// The name of a pod's claim.
#[must_use]
pub fn claim_name(pod: &str) -> String {
    format!("server-data-{pod}")
}

/// The claim of pod number `ordinal` of a set.
#[must_use]
pub fn claim_of(set: &Value, ordinal: usize) -> Value {
    let template = set
        .pointer("/spec/volumeClaimTemplates/0")
        .cloned()
        .unwrap_or_default();
    let mut metadata = template.get("metadata").cloned().unwrap_or_default();
    metadata["name"] = claim_name(&format!("{}-{ordinal}", json::name(set))).into();
    metadata["namespace"] = text(set, "/metadata/namespace").into();
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": template.get("spec"),
    })
}

/// Pod number `ordinal` of a set.
#[must_use]
pub fn pod_of(set: &Value, ordinal: usize) -> Value {
    let (owner, namespace) = (json::name(set), text(set, "/metadata/namespace"));
    let name = format!("{owner}-{ordinal}");
    let template = set.pointer("/spec/template").cloned().unwrap_or_default();
    let mut metadata = template.get("metadata").cloned().unwrap_or_default();
    metadata["name"] = name.clone().into();
    metadata["generateName"] = format!("{owner}-").into();
    metadata["namespace"] = namespace.into();
    metadata["labels"]["apps.kubernetes.io/pod-index"] = ordinal.to_string().into();
    metadata["labels"]["controller-revision-hash"] = revision(set).into();
    metadata["labels"]["statefulset.kubernetes.io/pod-name"] = name.clone().into();
    metadata["ownerReferences"] = json!([{
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": owner,
        "uid": json::uid(set),
        "controller": true,
        "blockOwnerDeletion": true,
    }]);
    let mut spec = template.get("spec").cloned().unwrap_or_default();
    spec["hostname"] = name.clone().into();
    spec["subdomain"] = text(set, "/spec/serviceName").into();
    spec["nodeName"] = "fake-node".into();
    if let Some(volumes) = spec["volumes"].as_array_mut() {
        let claim = json!({"name": "server-data", "persistentVolumeClaim": {"claimName": claim_name(&name)}});
        volumes.insert(0, claim);
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
}

/// The status of a pod that runs and is not ready.
#[must_use]
pub fn running_status(pod: &Value, address: Ipv4Addr, now: &str) -> Value {
    let mut status = conditions(pod, false, now);
    status["podIP"] = address.to_string().into();
    status["podIPs"] = json!([{"ip": address.to_string()}]);
    status["phase"] = "Running".into();
    status["startTime"] = now.into();
    status
}

/// Whether an image of this pod cannot be pulled: names below `.invalid` are no registry's, ever.
#[must_use]
pub fn lacks_an_image(pod: &Value) -> bool {
    let containers = json::list(pod, "/spec/containers").iter();
    let mut images = containers.map(|container| text(container, "/image"));
    images.any(|image| {
        image
            .split('/')
            .next()
            .is_some_and(|host| host.ends_with(".invalid"))
    })
}

/// The status of a pod that has a node and whose images cannot be pulled.
#[must_use]
pub fn waiting_status(pod: &Value, now: &str) -> Value {
    let waits = json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}});
    let container = |container: &Value| {
        json!({
            "name": text(container, "/name"),
            "image": text(container, "/image"),
            "imageID": "",
            "ready": false,
            "restartCount": 0,
            "state": waits,
        })
    };
    let containers: Vec<_> = json::list(pod, "/spec/containers")
        .iter()
        .map(container)
        .collect();
    json!({"phase": "Pending", "startTime": now, "containerStatuses": containers})
}

/// The parts of a pod's status that change when it becomes ready or ceases to be.
#[must_use]
pub fn ready_status(pod: &Value, is_ready: bool, now: &str) -> Value {
    conditions(pod, is_ready, now)
}

fn conditions(pod: &Value, is_ready: bool, now: &str) -> Value {
    let truth = |yes: bool| if yes { "True" } else { "False" };
    let condition =
        |kind: &str, yes: bool| json!({"type": kind, "status": truth(yes), "lastTransitionTime": now});
    let container = |container: &Value| {
        let ready = is_ready || text(container, "/name") != "cassandra";
        json!({
            "name": text(container, "/name"),
            "image": text(container, "/image"),
            "imageID": "",
            "ready": ready,
            "started": true,
            "restartCount": 0,
            "state": {"running": {"startedAt": now}},
        })
    };
    let containers: Vec<_> = json::list(pod, "/spec/containers")
        .iter()
        .map(container)
        .collect();
    json!({
        "conditions": [
            condition("PodScheduled", true),
            condition("Initialized", true),
            condition("ContainersReady", is_ready),
            condition("Ready", is_ready),
        ],
        "containerStatuses": containers,
    })
}
