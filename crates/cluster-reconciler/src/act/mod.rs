//! How each act is sent. No `if` about domain state here: that is `plan`'s business.
//!
//! * `own`: what is written on the cluster itself
//! * `secrets`: the cluster's own Secrets and the ReplicatedSecret
//! * `datacenters`: what is written in planes

mod datacenters;
mod own;
mod secrets;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, manager};
use plan::cluster::acts::Act;
use serde_json::{Value, json};

pub(crate) use own::absorb_cluster;

use crate::Context;
use crate::addons;
use crate::error::ActError;

const MANAGER: &str = manager::CLUSTER_RECONCILER;

/// Does one act.
pub(crate) async fn carry_out(context: &Context, kc: &K8ssandraCluster, act: &Act) -> Result<(), ActError> {
    match act {
        Act::WriteCluster {
            record,
            initial_system_replication,
            consume_autoupdate,
            ..
        } => {
            let replication = initial_system_replication.as_deref();
            own::write(context, kc, record, replication, *consume_autoupdate).await
        }
        Act::CreateSecret { secret } => secrets::create(context, kc, &secret.name).await,
        Act::LabelSecret { secret, uid, .. } => secrets::label(context, kc, &secret.name, uid).await,
        Act::CreateReplicatedSecret { targets } => secrets::create_replicated(context, kc, targets).await,
        Act::ApplyReplicatedSecret { uid, targets } => {
            secrets::apply_replicated(context, kc, uid, targets).await
        }
        Act::WriteConfigMap {
            datacenter,
            context: plane,
            desired,
            uid,
        } => datacenters::write_config_map(context, kc, plane, datacenter, desired, uid.as_deref()).await,
        Act::KeepSecret {
            name,
            uid,
            resource_version,
            owner,
        } => secrets::keep(context, kc, name, uid, resource_version, *owner).await,
        Act::KeepReplicatedSecret {
            uid,
            resource_version,
            owner,
        } => secrets::keep_replicated(context, kc, uid, resource_version, *owner).await,
        Act::LabelConfigMap {
            context: plane,
            namespace,
            name,
            uid,
            ..
        } => datacenters::label_config_map(context, kc, plane, (namespace, name), uid).await,
        Act::CreateDatacenter {
            context: plane,
            desired,
        } => datacenters::create(context, plane, desired).await,
        Act::ApplyDatacenter {
            context: plane,
            desired,
            uid,
            resource_version,
            ..
        } => datacenters::apply(context, plane, desired, uid, resource_version).await,
        Act::WakeDatacenter { datacenter, seen } => {
            let seen = [(annotation::SECRETS_SEEN, json!(seen))];
            datacenters::annotate(context, datacenter, &seen)
                .await
                .map(|_| ())
        }
        Act::AllowUpdates {
            datacenter,
            permission,
        } => datacenters::allow_updates(context, datacenter, permission.as_ref()).await,
        Act::RemoveDatacenter(gone) => datacenters::remove(context, kc, gone).await,
        Act::DeleteDatacenter(gone) => datacenters::delete(context, gone, &gone.resource_version).await,
        Act::CancelRemoval(back) => datacenters::stay(context, kc, back).await,
        Act::DeleteLeftovers {
            context: plane,
            namespace,
            config_maps,
            slices,
            ..
        } => datacenters::delete_leftovers(context, plane, namespace, config_maps, slices).await,
        Act::DeleteAddons {
            context: plane,
            namespace,
            objects,
            ..
        } => addons::delete(context, plane, namespace, objects).await,
        Act::RemoveFinalizer => own::remove_finalizer(context, kc).await,
    }
}

fn pointer(key: &str) -> String {
    format!(
        "/metadata/annotations/{}",
        key.replace('~', "~0").replace('/', "~1")
    )
}

fn typed<K: serde::de::DeserializeOwned>(body: Value) -> Result<K, ActError> {
    serde_json::from_value(body).map_err(|error| ActError::Unbuildable(error.to_string()))
}
