//! What is particular to one kind or another.
//!
//! | module | idea |
//! | --- | --- |
//! | [`defaults`] | values that built-in kinds are given |
//! | [`checks`], [`content`] | what built-in kinds refuse |
//! | [`deletion`] | who is deleted when, and what is answered |
//! | [`events`] | one kind under two groups |
//! | [`parts`] | `scale`, `token` and `eviction` |

mod checks;
mod content;
mod defaults;
mod deletion;
pub(crate) mod events;
mod parts;

use serde_json::{Value, json};

use crate::definitions::Kind;
use crate::failure::{Cause, Failure};
use crate::object::{metadata_mut, text};
use crate::state::State;

pub(crate) use checks::check;
pub(crate) use defaults::default;
pub(crate) use deletion::{check_delete, grace, holds_itself, on_delete, shows_deleted};
pub(crate) use parts::{post, put_scale, scale};

/// Names a kind by group and plural.
fn id(kind: &Kind) -> (&str, &str) {
    (&kind.group, &kind.plural)
}

/// Whether a PUT makes what is not there.
pub(crate) fn created_by_put(kind: &Kind) -> bool {
    matches!(
        id(kind),
        ("coordination.k8s.io", "leases")
            | ("", "events" | "endpoints")
            | ("events.k8s.io", "events")
            | ("rbac.authorization.k8s.io", _)
    )
}

/// Whether a PUT must name the version that it replaces.
pub(crate) fn needs_version(kind: &Kind) -> bool {
    !kind.built_in
        || matches!(
            id(kind),
            ("coordination.k8s.io", "leases")
                | ("apiextensions.k8s.io", "customresourcedefinitions")
                | ("policy", "poddisruptionbudgets")
        )
}

/// Whether objects can be selected by a field.
pub(crate) fn selectable(kind: &Kind, path: &str) -> bool {
    match path {
        "metadata.name" => true,
        "metadata.namespace" => kind.namespaced,
        _ => match id(kind) {
            ("", "pods") => matches!(
                path,
                "spec.nodeName"
                    | "spec.restartPolicy"
                    | "spec.schedulerName"
                    | "spec.serviceAccountName"
                    | "status.phase"
                    | "status.podIP"
                    | "status.nominatedNodeName"
            ),
            ("", "secrets") => path == "type",
            ("", "namespaces") => path == "status.phase",
            ("", "nodes") => path == "spec.unschedulable",
            ("", "services") => matches!(path, "spec.clusterIP" | "spec.type"),
            ("", "events") => {
                path.starts_with("involvedObject.")
                    || matches!(path, "reason" | "type" | "source" | "reportingComponent")
            }
            _ => false,
        },
    }
}

/// What is said about a field that objects cannot be selected by.
pub(crate) fn not_selectable(kind: &Kind, path: &str) -> String {
    let converted = matches!(
        id(kind),
        (
            "",
            "pods" | "secrets" | "namespaces" | "nodes" | "services" | "events" | "replicationcontrollers"
        )
    );
    if kind.built_in && !converted {
        return format!(
            "{path:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
    }
    format!("field label not supported: {path}")
}

/// What the server itself puts into a new object.
pub(crate) fn prepare_create(state: &mut State, kind: &Kind, object: &mut Value) {
    match id(kind) {
        ("", "namespaces") => {
            let name = text(object, "name").to_owned();
            object["spec"] = json!({"finalizers": ["kubernetes"]});
            object["status"] = json!({"phase": "Active"});
            label(object, "kubernetes.io/metadata.name", &name);
        }
        ("", "pods") => {
            object["status"] = json!({"phase": "Pending", "qosClass": defaults::quality(object)});
        }
        ("", "persistentvolumeclaims") => {
            object["status"] = json!({"phase": "Pending"});
            finalizer(object, "kubernetes.io/pvc-protection");
        }
        ("", "persistentvolumes") => {
            object["status"] = json!({"phase": "Pending"});
            finalizer(object, "kubernetes.io/pv-protection");
        }
        ("", "services") => {
            object["status"] = json!({"loadBalancer": {}});
            defaults::service_addresses(object, || {
                state.addresses += 1;
                state.addresses
            });
        }
        ("apps", "statefulsets") => object["status"] = json!({"availableReplicas": 0, "replicas": 0}),
        ("apps", "deployments" | "replicasets") => object["status"] = json!({}),
        ("policy", "poddisruptionbudgets") => {
            object["status"] =
                json!({"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0});
        }
        ("apiextensions.k8s.io", "customresourcedefinitions") => {
            object["spec"]["names"] = crate::definitions::accepted(object);
            if object["spec"].get("conversion").is_none() {
                object["spec"]["conversion"] = json!({"strategy": "None"});
            }
            let stored = crate::definitions::stored_versions(object);
            object["status"] = json!({"acceptedNames": {"kind": "", "plural": ""}, "conditions": [], "storedVersions": stored});
        }
        _ => {}
    }
}

fn label(object: &mut Value, key: &str, value: &str) {
    let labels = metadata_mut(object).entry("labels").or_insert_with(|| json!({}));
    labels[key] = value.into();
}

fn finalizer(object: &mut Value, name: &str) {
    let finalizers = metadata_mut(object)
        .entry("finalizers")
        .or_insert_with(|| json!([]));
    if let Value::Array(finalizers) = finalizers
        && !finalizers.iter().any(|known| known == name)
    {
        finalizers.push(name.into());
    }
}

/// What the server keeps of an object that a client replaces.
pub(crate) fn prepare_update(kind: &Kind, subresource: &str, old: &Value, new: &mut Value) {
    match id(kind) {
        ("", "namespaces") if subresource != "finalize" => {
            new["spec"] = old["spec"].clone();
            let name = text(old, "name").to_owned();
            label(new, "kubernetes.io/metadata.name", &name);
        }
        ("", "services") => {
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                let kept = old["spec"]
                    .get(field)
                    .filter(|_| new["spec"].get(field).is_none());
                if let Some(kept) = kept {
                    new["spec"][field] = kept.clone();
                }
            }
        }
        ("", "serviceaccounts") => {
            if let Some(secrets) = old.get("secrets").filter(|_| new.get("secrets").is_none()) {
                new["secrets"] = secrets.clone();
            }
        }
        _ => {}
    }
}

/// What a client is warned of.
pub(crate) fn warning(kind: &Kind, object: &Value) -> Option<String> {
    let name = id(kind) == ("discovery.k8s.io", "endpointslices") && object["addressType"] == "FQDN";
    name.then(|| "spec.addressType: FQDN endpoints are deprecated".to_owned())
}

/// The last step before a new object is stored: a definition starts to be served.
///
/// # Errors
/// The definition cannot be served.
pub(crate) fn before_store(
    state: &mut State,
    kind: &Kind,
    object: &mut Value,
    dry_run: bool,
) -> Result<(), Failure> {
    if id(kind) != ("apiextensions.k8s.io", "customresourcedefinitions") || dry_run {
        return Ok(());
    }
    let stored = state.get(kind.table, text(object, "name"));
    if stored.is_some_and(|stored| stored.value["spec"] == object["spec"]) {
        // Served as before; watches of it go on.
        return Ok(());
    }
    state.define(object).map_err(|why| {
        let cause = Cause::invalid("spec", &Value::Null, &why);
        Failure::invalid(kind, text(object, "name"), &[cause])
    })
}
