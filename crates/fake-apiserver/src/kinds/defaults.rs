//! Values that built-in kinds are given. Only what controllers can see or depend on; the rest of a pod's many defaults is
//! of no concern to anybody here.

use serde_json::{Map, Value, json};

use super::id;
use crate::definitions::Kind;

pub(crate) fn default(kind: &Kind, object: &mut Value) {
    match id(kind) {
        ("", "namespaces") => {
            let name = crate::object::text(object, "name").to_owned();
            if !name.is_empty() {
                super::label(object, "kubernetes.io/metadata.name", &name);
            }
        }
        ("", "secrets") => {
            set(object, "type", || "Opaque".into());
            encode(object);
        }
        ("", "services") => service(&mut object["spec"]),
        ("", "persistentvolumeclaims") => claim(&mut object["spec"]),
        ("", "pods") => {
            pod(&mut object["spec"]);
            set(&mut object["spec"], "enableServiceLinks", || true.into());
        }
        ("apps", "statefulsets") => stateful_set(&mut object["spec"]),
        ("apps", "deployments") => deployment(&mut object["spec"]),
        ("discovery.k8s.io", "endpointslices") => {
            // Lists that the API always shows.
            set(object, "endpoints", || Value::Null);
            set(object, "ports", || Value::Null);
            for port in items(object.get_mut("ports")) {
                set(port, "name", || "".into());
                set(port, "protocol", || "TCP".into());
            }
        }
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => binding(object),
        ("storage.k8s.io", "storageclasses") => {
            set(object, "reclaimPolicy", || "Delete".into());
            set(object, "volumeBindingMode", || "Immediate".into());
        }
        _ => {}
    }
}

fn set(object: &mut Value, field: &str, value: impl FnOnce() -> Value) {
    if let Value::Object(fields) = object
        && fields.get(field).is_none_or(Value::is_null)
    {
        fields.insert(field.to_owned(), value());
    }
}

fn items(list: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    list.and_then(Value::as_array_mut).into_iter().flatten()
}

/// `stringData` becomes `data`.
fn encode(secret: &mut Value) {
    use base64::Engine as _;
    let Value::Object(fields) = secret else { return };
    let Some(Value::Object(texts)) = fields.remove("stringData") else {
        return;
    };
    let data = fields.entry("data").or_insert_with(|| json!({}));
    for (key, text) in texts {
        let text = text.as_str().unwrap_or_default();
        data[key] = base64::engine::general_purpose::STANDARD.encode(text).into();
    }
}

fn service(spec: &mut Value) {
    set(spec, "sessionAffinity", || "None".into());
    set(spec, "type", || "ClusterIP".into());
    if spec["type"] != "ExternalName" {
        set(spec, "internalTrafficPolicy", || "Cluster".into());
    }
    if matches!(spec["type"].as_str(), Some("NodePort" | "LoadBalancer")) {
        set(spec, "externalTrafficPolicy", || "Cluster".into());
    }
    for port in items(spec.get_mut("ports")) {
        set(port, "protocol", || "TCP".into());
        let number = port.get("port").cloned().unwrap_or_default();
        set(port, "targetPort", || number);
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_none_or(Map::is_empty)
}

/// Addresses of a new Service; `next` counts them.
pub(super) fn service_addresses(service: &mut Value, next: impl FnOnce() -> u32) {
    let spec = &mut service["spec"];
    if spec["type"] == "ExternalName" {
        return;
    }
    // Somebody else fills in the addresses, of whatever family.
    let both = spec["clusterIP"] == "None" && spec.get("selector").is_none_or(is_empty);
    let (families, policy) = if both {
        (json!(["IPv4", "IPv6"]), "RequireDualStack")
    } else {
        (json!(["IPv4"]), "SingleStack")
    };
    set(spec, "ipFamilies", || families);
    set(spec, "ipFamilyPolicy", || policy.into());
    let given = spec.get("clusterIP").and_then(Value::as_str).unwrap_or_default();
    if given.is_empty() {
        let number = next();
        let address = format!("10.96.{}.{}", (number / 250) % 250, number % 250 + 2);
        spec["clusterIP"] = address.into();
    }
    let address = spec["clusterIP"].clone();
    spec["clusterIPs"] = json!([address]);
}

fn claim(spec: &mut Value) {
    set(spec, "volumeMode", || "Filesystem".into());
}

fn pod(spec: &mut Value) {
    for (field, value) in [
        ("restartPolicy", "Always"),
        ("dnsPolicy", "ClusterFirst"),
        ("schedulerName", "default-scheduler"),
    ] {
        set(spec, field, || value.into());
    }
    set(spec, "terminationGracePeriodSeconds", || 30.into());
    set(spec, "securityContext", || json!({}));
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        set(spec, "serviceAccount", || account);
    }
    for list in ["containers", "initContainers"] {
        for container in items(spec.get_mut(list)) {
            self::container(container);
        }
    }
}

fn container(container: &mut Value) {
    set(container, "resources", || json!({}));
    set(container, "terminationMessagePath", || {
        "/dev/termination-log".into()
    });
    set(container, "terminationMessagePolicy", || "File".into());
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let tag = image.rsplit('/').next().and_then(|last| last.split_once(':'));
    let always = !image.contains('@') && tag.is_none_or(|(_, tag)| tag == "latest");
    set(container, "imagePullPolicy", || {
        if always {
            "Always".into()
        } else {
            "IfNotPresent".into()
        }
    });
    for port in items(container.get_mut("ports")) {
        set(port, "protocol", || "TCP".into());
    }
}

/// The class that a pod's requests and limits put it into.
pub(super) fn quality(pod: &Value) -> &'static str {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    let mut all_equal = true;
    let mut any = false;
    for container in containers.into_iter().flatten() {
        let part = |name: &str| {
            container
                .pointer(&format!("/resources/{name}"))
                .and_then(Value::as_object)
        };
        let empty = Map::new();
        let (requests, limits) = (
            part("requests").unwrap_or(&empty),
            part("limits").unwrap_or(&empty),
        );
        any |= !requests.is_empty() || !limits.is_empty();
        all_equal &= ["cpu", "memory"].iter().all(|resource| {
            let limit = limits.get(*resource);
            limit.is_some()
                && requests
                    .get(*resource)
                    .is_none_or(|request| Some(request) == limit)
        });
    }
    match (any, all_equal) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

fn template(spec: &mut Value) {
    if let Some(inner) = spec.pointer_mut("/template/spec") {
        pod(inner);
    }
}

fn stateful_set(spec: &mut Value) {
    set(spec, "replicas", || 1.into());
    set(spec, "podManagementPolicy", || "OrderedReady".into());
    set(spec, "revisionHistoryLimit", || 10.into());
    set(spec, "updateStrategy", || json!({}));
    set(&mut spec["updateStrategy"], "type", || "RollingUpdate".into());
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        set(&mut spec["updateStrategy"], "rollingUpdate", || json!({}));
        set(&mut spec["updateStrategy"]["rollingUpdate"], "partition", || {
            0.into()
        });
    }
    set(
        spec,
        "persistentVolumeClaimRetentionPolicy",
        || json!({"whenDeleted": "Retain", "whenScaled": "Retain"}),
    );
    template(spec);
    for claim_template in items(spec.get_mut("volumeClaimTemplates")) {
        set(claim_template, "apiVersion", || "v1".into());
        set(claim_template, "kind", || "PersistentVolumeClaim".into());
        claim(&mut claim_template["spec"]);
        claim_template["status"] = json!({"phase": "Pending"});
    }
}

fn deployment(spec: &mut Value) {
    set(spec, "replicas", || 1.into());
    set(spec, "revisionHistoryLimit", || 10.into());
    set(spec, "progressDeadlineSeconds", || 600.into());
    set(spec, "strategy", || json!({}));
    set(&mut spec["strategy"], "type", || "RollingUpdate".into());
    if spec["strategy"]["type"] == "RollingUpdate" {
        set(&mut spec["strategy"], "rollingUpdate", || json!({}));
        let rolling = &mut spec["strategy"]["rollingUpdate"];
        set(rolling, "maxSurge", || "25%".into());
        set(rolling, "maxUnavailable", || "25%".into());
    }
    template(spec);
}

fn binding(binding: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    set(&mut binding["roleRef"], "apiGroup", || GROUP.into());
    for subject in items(binding.get_mut("subjects")) {
        if matches!(subject["kind"].as_str(), Some("User" | "Group")) {
            set(subject, "apiGroup", || GROUP.into());
        }
    }
}
