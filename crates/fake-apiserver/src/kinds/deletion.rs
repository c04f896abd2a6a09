//! Who is deleted when, and what is answered.

use serde_json::Value;

use super::id;
use crate::definitions::Kind;
use crate::failure::Failure;
use crate::object::Object;

/// Whether the answer to a deletion is the object that is gone, and no Status.
pub(crate) fn shows_deleted(kind: &Kind) -> bool {
    matches!(
        id(kind),
        (
            "",
            "pods" | "services" | "persistentvolumeclaims" | "persistentvolumes" | "serviceaccounts"
        ) | ("storage.k8s.io", "storageclasses")
    )
}

/// # Errors
/// Namespaces that every cluster has stay.
pub(crate) fn check_delete(kind: &Kind, object: &Object) -> Result<(), Failure> {
    let name = object.name();
    let system = matches!(name, "default" | "kube-system" | "kube-public");
    if id(kind) == ("", "namespaces") && system {
        return Err(Failure::forbidden(
            kind,
            name,
            "this namespace may not be deleted",
        ));
    }
    Ok(())
}

/// The time that an object is given, in seconds.
pub(crate) fn grace(kind: &Kind, object: &Value, wanted: Option<i64>) -> i64 {
    if id(kind) != ("", "pods") {
        return 0;
    }
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let ended = matches!(text("/status/phase"), "Failed" | "Succeeded");
    if text("/spec/nodeName").is_empty() || ended {
        return 0;
    }
    let own = object
        .pointer("/spec/terminationGracePeriodSeconds")
        .and_then(Value::as_i64);
    wanted.or(own).unwrap_or(30).max(0)
}

/// Whether something other than finalizers keeps a deleted object: a namespace has content, a pod has time.
pub(crate) fn holds_itself(kind: &Kind, object: &Value) -> bool {
    match id(kind) {
        ("", "namespaces") => object
            .pointer("/spec/finalizers")
            .and_then(Value::as_array)
            .is_some_and(|finalizers| !finalizers.is_empty()),
        ("", "pods") => object
            .pointer("/metadata/deletionGracePeriodSeconds")
            .and_then(Value::as_i64)
            .is_some_and(|seconds| seconds > 0),
        _ => false,
    }
}

/// What is noted in an object whose deletion begins.
pub(crate) fn on_delete(kind: &Kind, object: &mut Value) {
    if id(kind) == ("", "namespaces") {
        object["status"]["phase"] = "Terminating".into();
    }
}
