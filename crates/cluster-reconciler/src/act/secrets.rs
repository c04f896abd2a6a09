//! The cluster's own Secrets, and the ReplicatedSecret that has them copied.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::annotation;
use api::replicated_secret::ReplicatedSecret;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};
use plan::cluster::facts::ClusterIdentity;
use plan::{objects, own_secrets};
use runtime::Key;
use runtime::write::{self, Apply};
use serde_json::{Value, json};

use super::{MANAGER, pointer, typed};
use crate::error::ActError;
use crate::watches::SecretView;
use crate::{Context, password};

pub(super) async fn create(context: &Context, kc: &K8ssandraCluster, name: &str) -> Result<(), ActError> {
    let namespace = kc.namespace().unwrap_or_default();
    let mut secret: Secret = typed(objects::own_secret(kc, name))?;
    secret.string_data = Some(
        [
            ("username".to_owned(), name.to_owned()),
            (
                "password".to_owned(),
                password::generate(&context.process.outside.random)?,
            ),
        ]
        .into(),
    );
    let api = Api::<Secret>::namespaced(context.process.client.clone(), &namespace);
    let stored = write::create(&api, &secret, MANAGER).await?;
    absorb_secret(context, stored);
    Ok(())
}

fn absorb_secret(context: &Context, stored: Secret) {
    let Some(key) = Key::of(&stored) else { return };
    let version = stored.resource_version().unwrap_or_default();
    context
        .local
        .secrets
        .absorb(key, &version, SecretView::of(stored));
}

pub(super) async fn label(
    context: &Context,
    kc: &K8ssandraCluster,
    name: &str,
    uid: &str,
) -> Result<(), ActError> {
    let identity = ClusterIdentity::of(kc);
    let body = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "labels": own_secrets::selector_labels(kc),
            "annotations": own_secrets::annotations_of_adopted(),
        },
    });
    let api = Api::<Secret>::namespaced(context.process.client.clone(), &identity.namespace);
    let how = Apply {
        manager: MANAGER,
        force: false,
        resource_version: None,
    };
    absorb_secret(context, write::apply(&api, name, uid, &body, how).await?);
    Ok(())
}

/// Takes the cluster out of the owners of exactly this version, and marks the Secret so that its copies stay too.
pub(super) async fn keep(
    context: &Context,
    kc: &K8ssandraCluster,
    name: &str,
    uid: &str,
    resource_version: &str,
    owner: usize,
) -> Result<(), ActError> {
    let identity = ClusterIdentity::of(kc);
    let key = Key::new(&identity.namespace, name);
    let mut operations = Vec::new();
    if context.local.secrets.get(&key).is_none_or(|view| !view.annotated) {
        operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
    operations.push(json!({"op": "add", "path": pointer(annotation::ORPHAN), "value": "true"}));
    let path = format!("/metadata/ownerReferences/{owner}");
    operations.push(json!({"op": "remove", "path": path}));
    let api = Api::<Secret>::namespaced(context.process.client.clone(), &identity.namespace);
    let operations = Value::Array(operations);
    let stored = write::json_patch(&api, name, uid, Some(resource_version), &operations, MANAGER).await?;
    absorb_secret(context, stored);
    Ok(())
}

/// Takes the cluster out of the owners of exactly this version.
pub(super) async fn keep_replicated(
    context: &Context,
    kc: &K8ssandraCluster,
    uid: &str,
    resource_version: &str,
    owner: usize,
) -> Result<(), ActError> {
    let identity = ClusterIdentity::of(kc);
    let path = format!("/metadata/ownerReferences/{owner}");
    let operations = json!([{"op": "remove", "path": path}]);
    let api = Api::<ReplicatedSecret>::namespaced(context.process.client.clone(), &identity.namespace);
    let version = Some(resource_version);
    let stored = write::json_patch(&api, &identity.name, uid, version, &operations, MANAGER).await?;
    absorb_replicated(context, stored);
    Ok(())
}

fn absorb_replicated(context: &Context, stored: ReplicatedSecret) {
    let Some(key) = Key::of(&stored) else { return };
    let version = stored.resource_version().unwrap_or_default();
    let mut stored = stored;
    stored.metadata.managed_fields = None;
    context.local.replicated.absorb(key, &version, stored);
}

pub(super) async fn create_replicated(
    context: &Context,
    kc: &K8ssandraCluster,
    targets: &[(String, String)],
) -> Result<(), ActError> {
    let object: ReplicatedSecret = typed(objects::replicated_secret(kc, targets))?;
    let api = Api::namespaced(
        context.process.client.clone(),
        &kc.namespace().unwrap_or_default(),
    );
    absorb_replicated(context, write::create(&api, &object, MANAGER).await?);
    Ok(())
}

pub(super) async fn apply_replicated(
    context: &Context,
    kc: &K8ssandraCluster,
    uid: &str,
    targets: &[(String, String)],
) -> Result<(), ActError> {
    let mut body = objects::replicated_secret(kc, targets);
    body["metadata"]["finalizers"].take();
    let api = Api::<ReplicatedSecret>::namespaced(
        context.process.client.clone(),
        &kc.namespace().unwrap_or_default(),
    );
    let how = Apply {
        manager: MANAGER,
        force: true,
        resource_version: None,
    };
    absorb_replicated(
        context,
        write::apply(&api, &kc.name_any(), uid, &body, how).await?,
    );
    Ok(())
}
