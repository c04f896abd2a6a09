//! How each act is sent. No `if` about domain state here: that is `plan`'s business.

use api::cass_operator::CassandraDatacenter;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, finalizer, label, manager};
use api::record::Record;
use api::replicated_secret::ReplicatedSecret;
use fleet::Plane;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ObjectMeta;
use kube::{Api, ResourceExt};
use plan::cluster::acts::{Act, Deletion};
use plan::cluster::facts::ClusterIdentity;
use plan::datacenter::{DesiredConfigMap, DesiredDatacenter};
use plan::superuser;
use runtime::write::{self, Apply, Victim};
use runtime::{Key, WriteError};
use serde_json::{Value, json};

use crate::error::ActError;
use crate::watches::{ConfigMapView, DatacenterView, Remote, SecretView};
use crate::{Context, password};

const MANAGER: &str = manager::CLUSTER_RECONCILER;

/// Does one act.
pub(crate) async fn carry_out(context: &Context, kc: &K8ssandraCluster, act: &Act) -> Result<(), ActError> {
    match act {
        Act::WriteCluster {
            record,
            initial_system_replication,
            ..
        } => write_cluster(context, kc, record, initial_system_replication.as_deref()).await,
        Act::CreateSuperuserSecret { name } => create_superuser(context, kc, name).await,
        Act::LabelSuperuserSecret { name, uid, .. } => label_superuser(context, kc, name, uid).await,
        Act::CreateReplicatedSecret { targets } => create_replicated(context, kc, targets).await,
        Act::ApplyReplicatedSecret { uid, targets } => apply_replicated(context, kc, uid, targets).await,
        Act::WriteConfigMap {
            datacenter,
            context: plane,
            desired,
            uid,
        } => write_config_map(context, kc, plane, datacenter, desired, uid.as_deref()).await,
        Act::CreateDatacenter {
            context: plane,
            desired,
        } => create_datacenter(context, plane, desired).await,
        Act::ApplyDatacenter {
            context: plane,
            desired,
            uid,
            resource_version,
            ..
        } => apply_datacenter(context, plane, desired, uid, resource_version).await,
        Act::RemoveDatacenter(gone) => remove_datacenter(context, kc, gone).await,
        Act::DeleteDatacenter(gone) => delete_datacenter(context, gone, &gone.resource_version).await,
        Act::CancelRemoval(back) => decommission(context, back, Value::Null).await.map(|_| ()),
        Act::DeleteLeftovers {
            context: plane,
            namespace,
            config_maps,
            slices,
            ..
        } => delete_leftovers(context, plane, namespace, config_maps, slices).await,
        Act::RemoveFinalizer => remove_finalizer(context, kc).await,
    }
}

fn clusters(context: &Context, kc: &K8ssandraCluster) -> Api<K8ssandraCluster> {
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
async fn write_cluster(
    context: &Context,
    kc: &K8ssandraCluster,
    record: &Record,
    replication: Option<&str>,
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

fn pointer(key: &str) -> String {
    format!(
        "/metadata/annotations/{}",
        key.replace('~', "~0").replace('/', "~1")
    )
}

async fn remove_finalizer(context: &Context, kc: &K8ssandraCluster) -> Result<(), ActError> {
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

fn owner(kc: &K8ssandraCluster) -> Value {
    json!([{
        "apiVersion": "k8ssandra.io/v1alpha1",
        "kind": "K8ssandraCluster",
        "name": kc.name_any(),
        "uid": kc.uid().unwrap_or_default(),
        "controller": true,
        "blockOwnerDeletion": true,
    }])
}

fn typed<K: serde::de::DeserializeOwned>(body: Value) -> Result<K, ActError> {
    serde_json::from_value(body).map_err(|error| ActError::Unbuildable(error.to_string()))
}

async fn create_superuser(context: &Context, kc: &K8ssandraCluster, name: &str) -> Result<(), ActError> {
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
            ("password".to_owned(), password::generate()?),
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
    if let Some(view) = SecretView::of(stored) {
        context.local.secrets.absorb(key, &version, view);
    }
}

async fn label_superuser(
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

async fn create_replicated(
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

async fn apply_replicated(
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

fn plane(context: &Context, name: &str) -> Result<std::sync::Arc<Plane<Remote>>, ActError> {
    context.fleet.plane(name).map_err(ActError::Unknown)
}

async fn write_config_map(
    context: &Context,
    kc: &K8ssandraCluster,
    plane_name: &str,
    datacenter: &str,
    desired: &DesiredConfigMap,
    uid: Option<&str>,
) -> Result<(), ActError> {
    let plane = plane(context, plane_name)?;
    let mut annotations = desired.annotations.clone();
    annotations.insert(annotation::CLUSTER_UID.to_owned(), kc.uid().unwrap_or_default());
    annotations.insert(annotation::DATACENTER.to_owned(), datacenter.to_owned());
    let body = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": desired.name,
            "namespace": desired.namespace,
            "labels": desired.labels,
            "annotations": annotations,
        },
        "data": desired.data,
    });
    let api = Api::<ConfigMap>::namespaced(plane.client(), &desired.namespace);
    let stored = match uid {
        None => write::create(&api, &typed(body)?, MANAGER).await?,
        Some(uid) => {
            let how = Apply {
                manager: MANAGER,
                force: true,
                resource_version: None,
            };
            write::apply(&api, &desired.name, uid, &body, how).await?
        }
    };
    let (key, version) = (
        Key::new(&desired.namespace, &desired.name),
        stored.resource_version().unwrap_or_default(),
    );
    if let Some(view) = ConfigMapView::of(stored) {
        plane.caches.config_maps.absorb(key, &version, view);
    }
    Ok(())
}

fn datacenter_body(desired: &DesiredDatacenter) -> Value {
    json!({
        "apiVersion": "cassandra.datastax.com/v1beta1",
        "kind": "CassandraDatacenter",
        "metadata": {
            "name": desired.name,
            "namespace": desired.namespace,
            "labels": desired.labels,
            "annotations": desired.annotations,
        },
        "spec": desired.spec,
    })
}

fn absorb_datacenter(plane: &Plane<Remote>, stored: CassandraDatacenter) {
    let Some(key) = Key::of(&stored) else { return };
    let version = stored.resource_version().unwrap_or_default();
    if let Some(view) = DatacenterView::of(stored) {
        plane.caches.datacenters.absorb(key, &version, view);
    }
}

fn datacenters(plane: &Plane<Remote>, namespace: &str) -> Api<CassandraDatacenter> {
    Api::namespaced(plane.client(), namespace)
}

async fn create_datacenter(
    context: &Context,
    plane_name: &str,
    desired: &DesiredDatacenter,
) -> Result<(), ActError> {
    let plane = plane(context, plane_name)?;
    let object: CassandraDatacenter = typed(datacenter_body(desired))?;
    let stored = write::create(&datacenters(&plane, &desired.namespace), &object, MANAGER).await?;
    absorb_datacenter(&plane, stored);
    Ok(())
}

/// A change of the user's. The first one turns the ownership that our create left into that of an apply, so that a
/// field that is no longer wanted goes, and another manager's field is a conflict instead of being overwritten.
async fn apply_datacenter(
    context: &Context,
    plane_name: &str,
    desired: &DesiredDatacenter,
    uid: &str,
    resource_version: &str,
) -> Result<(), ActError> {
    let plane = plane(context, plane_name)?;
    let api = datacenters(&plane, &desired.namespace);
    let live = api
        .get(&desired.name)
        .await
        .map_err(|error| ActError::Unread(error.to_string()))?;
    let mut version = live.resource_version().unwrap_or_default();
    if live.uid().as_deref() != Some(uid) || version != resource_version {
        return Err(ActError::Changed(format!(
            "CassandraDatacenter {}/{}",
            desired.namespace, desired.name
        )));
    }
    if let Some(operations) = handover(&live.metadata) {
        let stored =
            write::json_patch(&api, &desired.name, uid, Some(&version), &operations, MANAGER).await?;
        version = stored.resource_version().unwrap_or_default();
    }
    let how = Apply {
        manager: MANAGER,
        force: false,
        resource_version: Some(&version),
    };
    let stored = write::apply(&api, &desired.name, uid, &datacenter_body(desired), how).await?;
    absorb_datacenter(&plane, stored);
    Ok(())
}

/// Turns our own `Update` entry of managedFields into an `Apply` entry; none where there is nothing to turn.
fn handover(metadata: &ObjectMeta) -> Option<Value> {
    let entries = metadata.managed_fields.as_deref()?;
    let mine = |entry: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry| {
        entry.manager.as_deref() == Some(MANAGER)
            && entry.subresource.as_deref().unwrap_or_default().is_empty()
    };
    if entries
        .iter()
        .any(|entry| mine(entry) && entry.operation.as_deref() == Some("Apply"))
    {
        return None;
    }
    let index = entries
        .iter()
        .position(|entry| mine(entry) && entry.operation.as_deref() == Some("Update"))?;
    Some(
        json!([{"op": "replace", "path": format!("/metadata/managedFields/{index}/operation"), "value": "Apply"}]),
    )
}

/// Sets or clears what makes cass-operator decommission the nodes, and returns the version that this made.
async fn decommission(context: &Context, gone: &Deletion, value: Value) -> Result<String, ActError> {
    let plane = plane(context, &gone.context)?;
    let path = pointer(annotation::DECOMMISSION_ON_DELETE);
    let operation = if value.is_null() {
        json!({"op": "remove", "path": path})
    } else {
        json!({"op": "add", "path": path, "value": value})
    };
    let api = datacenters(&plane, &gone.namespace);
    let operations = Value::Array(vec![operation]);
    let stored = write::json_patch(
        &api,
        &gone.name,
        &gone.uid,
        Some(&gone.resource_version),
        &operations,
        MANAGER,
    )
    .await?;
    let version = stored.resource_version().unwrap_or_default();
    absorb_datacenter(&plane, stored);
    Ok(version)
}

/// The user's edit is read again, live, before nodes are decommissioned for it.
async fn remove_datacenter(
    context: &Context,
    kc: &K8ssandraCluster,
    gone: &Deletion,
) -> Result<(), ActError> {
    let live = clusters(context, kc)
        .get(&kc.name_any())
        .await
        .map_err(|error| ActError::Unread(error.to_string()))?;
    let wanted = live
        .spec
        .cassandra
        .iter()
        .flat_map(|cassandra| &cassandra.datacenters)
        .any(|it| it.name() == gone.name);
    if live.uid() != kc.uid() || live.metadata.generation != kc.metadata.generation || wanted {
        return Err(ActError::Changed(format!("K8ssandraCluster {}", kc.name_any())));
    }
    let version = decommission(context, gone, json!("true")).await?;
    delete_datacenter(context, gone, &version).await
}

async fn delete_datacenter(context: &Context, gone: &Deletion, version: &str) -> Result<(), ActError> {
    let plane = plane(context, &gone.context)?;
    let victim = Victim {
        uid: &gone.uid,
        resource_version: version,
    };
    match write::delete(&datacenters(&plane, &gone.namespace), &gone.name, victim, None).await {
        Ok(Some(stored)) => absorb_datacenter(&plane, stored),
        Ok(None) | Err(WriteError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

async fn delete_leftovers(
    context: &Context,
    plane_name: &str,
    namespace: &str,
    config_maps: &[(String, String, String)],
    slices: &[(String, String, String)],
) -> Result<(), ActError> {
    let plane = plane(context, plane_name)?;
    let maps = Api::<ConfigMap>::namespaced(plane.client(), namespace);
    let endpoints = Api::<EndpointSlice>::namespaced(plane.client(), namespace);
    for (name, uid, resource_version) in config_maps {
        gone(
            write::delete(
                &maps,
                name,
                Victim {
                    uid,
                    resource_version,
                },
                None,
            )
            .await,
        )?;
    }
    for (name, uid, resource_version) in slices {
        gone(
            write::delete(
                &endpoints,
                name,
                Victim {
                    uid,
                    resource_version,
                },
                None,
            )
            .await,
        )?;
    }
    Ok(())
}

fn gone<K>(answer: Result<Option<K>, WriteError>) -> Result<(), ActError> {
    match answer {
        Ok(_) | Err(WriteError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
