//! What Medusa and Reaper must be told.

use serde_json::{Value, json};

use super::{Pair, pair};

pub(super) fn medusa() -> Vec<Pair> {
    let referring = |reference: Value, prefix: &str| json!({"medusaConfigurationRef": reference, "storageProperties": {"prefix": prefix}});
    let shared = json!({"name": "shared"});
    let by_itself = |properties: Value| json!({"storageProperties": properties});
    let whole = by_itself(json!({"storageProvider": "s3", "bucketName": "b"}));
    let row =
        |rule, message, refused, accepted| pair(rule, ("spec.medusa", message), "/medusa", refused, accepted);
    let mut table = vec![
        row(
            "V6",
            "medusa storage prefix must be set",
            referring(shared.clone(), ""),
            referring(shared.clone(), "demo"),
        ),
        row(
            "V6",
            "Medusa config must be namespace local",
            referring(json!({"name": "shared", "namespace": "other"}), "demo"),
            referring(json!({"name": "shared", "namespace": ""}), "demo"),
        ),
        row(
            "V7",
            "medusa storage provider must be set",
            by_itself(json!({"bucketName": "b"})),
            whole.clone(),
        ),
        row(
            "V7",
            "medusa bucket name must be set",
            by_itself(json!({"storageProvider": "s3"})),
            whole,
        ),
    ];
    table.extend(
        ["apiVersion", "kind", "fieldPath", "resourceVersion", "uid"].map(|field| {
            row(
                "V6",
                "Medusa config invalid, invalid field used",
                referring(json!({"name": "shared", field: "x"}), "demo"),
                referring(json!({"name": "shared", field: ""}), "demo"),
            )
        }),
    );
    table
}

pub(super) fn reaper() -> Vec<Pair> {
    let claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let local = |mode: &str, claim: Value| json!({"storageType": "local", "deploymentMode": mode, "storageConfig": claim});
    let whole = local("SINGLE", claim.clone());
    let modes = json!(["ReadWriteOnce"]);
    [
        ("reaper StorageConfig not set", Value::Null),
        (
            "reaper StorageConfig.AccessModes not set",
            json!({"resources": {"requests": {"storage": "1Gi"}}}),
        ),
        (
            "reaper StorageConfig.Resources.Requests not set",
            json!({"accessModes": modes}),
        ),
        (
            "reaper StorageConfig.Resources.Requests not set",
            json!({"accessModes": modes, "resources": {}}),
        ),
        (
            "reaper StorageConfig.Resources.Requests.Storage not set",
            json!({"accessModes": modes, "resources": {"requests": {"cpu": "1"}}}),
        ),
    ]
    .map(|(message, incomplete)| ("V8", message, local("SINGLE", incomplete)))
    .into_iter()
    .chain([(
        "V8",
        "reaper DeploymentModePerDc is only supported when using cassandra storage",
        local("PER_DC", claim),
    )])
    .map(|(rule, message, refused)| pair(rule, ("spec.reaper", message), "/reaper", refused, whole.clone()))
    .collect()
}
