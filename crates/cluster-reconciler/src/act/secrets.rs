//! The superuser's Secret, and the ReplicatedSecret that has it copied.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, finalizer, label};
use api::replicated_secret::ReplicatedSecret;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};
use plan::cluster::facts::ClusterIdentity;
use plan::superuser;
use runtime::Key;
use runtime::write::{self, Apply};
use serde_json::{Value, json};

use super::{MANAGER, owner, typed};
use crate::error::ActError;
use crate::watches::SecretView;
use crate::{Context, password};

pub(super) async fn create_superuser(
    context: &Context,
    kc: &K8ssandraCluster,
    name: &str,
) -> Result<(), ActError> {
    let namespace = kc.namespace().unwrap_or_default();
    let mut secret: Secret = typed(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": superuser::labels(kc),
            "annotations": superuser::annotations(kc),
            "ownerReferences": owner(kc),
        },
        "type": "Opaque",
    }))?;
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

pub(super) async fn label_superuser(
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
            "labels": superuser::selector_labels(kc),
            "annotations": { annotation::ORPHAN: "true" },
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

fn replicated_body(kc: &K8ssandraCluster, targets: &[(String, String)]) -> Value {
    let identity = ClusterIdentity::of(kc);
    let mut labels = superuser::labels(kc);
    labels.remove(label::REPLICATED_BY);
    let target =
        |(context, namespace): &(String, String)| json!({"k8sContextName": context, "namespace": namespace});
    json!({
        "apiVersion": "replication.k8ssandra.io/v1alpha1",
        "kind": "ReplicatedSecret",
        "metadata": {
            "name": identity.name,
            "namespace": identity.namespace,
            "labels": labels,
            "annotations": superuser::annotations(kc),
            "finalizers": [finalizer::REPLICATED_SECRET],
            "ownerReferences": owner(kc),
        },
        "spec": {
            "selector": { "matchLabels": superuser::selector_labels(kc) },
            "replicationTargets": targets.iter().map(target).collect::<Vec<_>>(),
        },
    })
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
    let object: ReplicatedSecret = typed(replicated_body(kc, targets))?;
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
    let mut body = replicated_body(kc, targets);
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
