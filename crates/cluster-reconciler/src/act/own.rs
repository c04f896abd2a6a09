//! What is written on the cluster itself: finalizer and record.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, finalizer};
use api::record::Record;
use kube::{Api, ResourceExt};
use runtime::write;
use runtime::{Key, WriteError};
use serde_json::{Value, json};

use super::{MANAGER, pointer};
use crate::Context;
use crate::error::ActError;

pub(super) fn clusters(context: &Context, kc: &K8ssandraCluster) -> Api<K8ssandraCluster> {
    Api::namespaced(
        context.process.client.clone(),
        &kc.namespace().unwrap_or_default(),
    )
}

/// Remembers what was written, so that the next pass decides on it.
pub(crate) fn absorb_cluster(context: &Context, stored: K8ssandraCluster) {
    let Some(key) = Key::of(&stored) else { return };
    let version = stored.resource_version().unwrap_or_default();
    let mut stored = stored;
    stored.metadata.managed_fields = None;
    context.local.clusters.absorb(key, &version, stored);
}

/// One JSON patch. It tests the record that was read, so that status writes in between are no conflict and another
/// writer of the record is one.
pub(super) async fn write(
    context: &Context,
    kc: &K8ssandraCluster,
    record: &Record,
    replication: Option<&str>,
    consume_autoupdate: bool,
) -> Result<(), ActError> {
    let annotations = kc.metadata.annotations.as_ref();
    let before = annotations.and_then(|map| map.get(annotation::RECORD));
    let mut operations = Vec::new();
    if annotations.is_none() {
        operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
    if let Some(before) = before {
        operations.push(json!({"op": "test", "path": pointer(annotation::RECORD), "value": before}));
    }
    operations
        .push(json!({"op": "add", "path": pointer(annotation::RECORD), "value": record.to_annotation()}));
    if let Some(replication) = replication {
        let path = pointer(annotation::INITIAL_SYSTEM_REPLICATION);
        operations.push(json!({"op": "add", "path": path, "value": replication}));
    }
    if consume_autoupdate {
        let path = pointer(annotation::AUTOUPDATE_SPEC);
        // The user may have made it `always` meanwhile.
        operations.push(json!({"op": "test", "path": path, "value": "once"}));
        operations.push(json!({"op": "remove", "path": path}));
    }
    match kc.metadata.finalizers.as_deref() {
        Some(finalizers) if finalizers.iter().any(|text| text == finalizer::CLUSTER) => {}
        Some(finalizers) if !finalizers.is_empty() => {
            operations
                .push(json!({"op": "add", "path": "/metadata/finalizers/-", "value": finalizer::CLUSTER}));
        }
        _ => operations
            .push(json!({"op": "add", "path": "/metadata/finalizers", "value": [finalizer::CLUSTER]})),
    }
    let version = if before.is_none() {
        kc.resource_version()
    } else {
        None
    };
    let (name, uid) = (kc.name_any(), kc.uid().unwrap_or_default());
    let api = clusters(context, kc);
    let stored = write::json_patch(
        &api,
        &name,
        &uid,
        version.as_deref(),
        &Value::Array(operations),
        MANAGER,
    )
    .await?;
    absorb_cluster(context, stored);
    Ok(())
}

pub(super) async fn remove_finalizer(context: &Context, kc: &K8ssandraCluster) -> Result<(), ActError> {
    let finalizers = kc.metadata.finalizers.as_deref().unwrap_or_default();
    let Some(index) = finalizers.iter().position(|text| text == finalizer::CLUSTER) else {
        return Ok(());
    };
    let path = format!("/metadata/finalizers/{index}");
    let operations = json!([
        {"op": "test", "path": path, "value": finalizer::CLUSTER},
        {"op": "remove", "path": path},
    ]);
    let (name, uid) = (kc.name_any(), kc.uid().unwrap_or_default());
    match write::json_patch(&clusters(context, kc), &name, &uid, None, &operations, MANAGER).await {
        Ok(_) | Err(WriteError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
