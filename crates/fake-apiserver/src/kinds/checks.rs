//! What is refused: by the schema of a CRD, and by built-in kinds as far as anybody here depends on it.

use serde_json::Value;

use super::{content, id};
use crate::definitions::Kind;
use crate::failure::Cause;
use crate::schema::validate::validate;

pub(crate) fn check(kind: &Kind, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    if !kind.built_in {
        return validate(object, old, kind.at());
    }
    let mut causes = Vec::new();
    match id(kind) {
        ("", "secrets") => {
            immutable_kind(object, old, &mut causes);
            content::secret(object, &mut causes);
            if old.is_some_and(|old| old.get("type") != object.get("type")) {
                causes.push(fixed("type", object.get("type")));
            }
        }
        ("", "configmaps") => {
            immutable_kind(object, old, &mut causes);
            content::config_map(object, &mut causes);
        }
        ("", "pods") => content::pod(object, old, &mut causes),
        ("", "persistentvolumeclaims") => content::claim(object, old, &mut causes),
        ("", "services") => service(object, old, &mut causes),
        ("discovery.k8s.io", "endpointslices") => slice(object, old, &mut causes),
        ("apps", "statefulsets") => stateful_set(object, old, &mut causes),
        ("events.k8s.io", "events") => content::event(object, old, &mut causes),
        ("apiextensions.k8s.io", "customresourcedefinitions") => content::definition(object, &mut causes),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
            let changed = old.filter(|old| old.get("roleRef") != object.get("roleRef"));
            if changed.is_some() {
                let why = "cannot change roleRef";
                causes.push(Cause::invalid(
                    "roleRef",
                    object.get("roleRef").unwrap_or(&Value::Null),
                    why,
                ));
            }
        }
        _ => {}
    }
    causes
}

fn fixed(field: &str, value: Option<&Value>) -> Cause {
    Cause::invalid(field, value.unwrap_or(&Value::Null), "field is immutable")
}

/// Secrets and ConfigMaps that say that they never change.
fn immutable_kind(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    for (key, _) in object
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let letters = key
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter));
        if !letters || key.is_empty() {
            let field = format!("data[{key}]");
            let why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
                       'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
            causes.push(Cause::invalid(field, &key.clone().into(), why));
        }
    }
    let Some(old) = old.filter(|old| old.get("immutable") == Some(&Value::Bool(true))) else {
        return;
    };
    let forbid = |field: &str| Cause::forbidden(field, "field is immutable when `immutable` is set");
    if object.get("immutable") != Some(&Value::Bool(true)) {
        causes.push(forbid("immutable"));
    }
    for field in ["data", "binaryData"] {
        if object.get(field) != old.get(field) {
            causes.push(forbid(field));
        }
    }
}

fn service(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    let ports = spec.get("ports").and_then(Value::as_array).map_or(0, Vec::len);
    let headless = spec["clusterIP"] == "None";
    if ports == 0 && !headless && spec["type"] != "ExternalName" {
        causes.push(Cause::required("spec.ports", ""));
    }
    content::ports(spec, causes);
    let addresses = |service: &Value| service["spec"].get("clusterIP").cloned();
    if let Some(before) = old.and_then(addresses).filter(|before| *before != "")
        && addresses(object).is_some_and(|now| now != before)
    {
        let now = Value::Array(vec![spec["clusterIP"].clone()]);
        causes.push(Cause::invalid(
            "spec.clusterIPs[0]",
            &now,
            "may not change once set",
        ));
    }
}

fn slice(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let kind = object
        .get("addressType")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if kind.is_empty() {
        causes.push(Cause::required("addressType", ""));
    } else if !matches!(kind, "IPv4" | "IPv6" | "FQDN") {
        let message = format!("Unsupported value: {kind:?}: supported values: \"FQDN\", \"IPv4\", \"IPv6\"");
        causes.push(Cause::new("FieldValueNotSupported", "addressType", message));
    }
    if old.is_some_and(|old| old.get("addressType") != object.get("addressType")) {
        causes.push(fixed("addressType", object.get("addressType")));
    }
    let endpoints = object.get("endpoints").and_then(Value::as_array);
    for (number, endpoint) in endpoints.into_iter().flatten().enumerate() {
        let addresses = endpoint.get("addresses").and_then(Value::as_array);
        let place = format!("endpoints[{number}].addresses");
        if addresses.is_none_or(Vec::is_empty) {
            causes.push(Cause::required(place.clone(), "must contain at least 1 address"));
        }
        for (index, address) in addresses.into_iter().flatten().enumerate() {
            causes.extend(content::address(kind, address, &place, index));
        }
    }
}

/// Of a StatefulSet only some parts of the spec may change.
fn stateful_set(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    const MAY: [&str; 8] = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
        "status",
    ];
    let Some(old) = old else {
        content::selects_its_template(object, causes);
        return;
    };
    let fixed = |spec: &Value| {
        let mut spec = spec.as_object().cloned().unwrap_or_default();
        spec.retain(|field, _| !MAY.contains(&field.as_str()));
        spec
    };
    if fixed(&old["spec"]) != fixed(&object["spec"]) {
        causes.push(Cause::forbidden(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
             'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ));
    }
}
