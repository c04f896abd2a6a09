//! What upstream made for add-ons: found by its labels, deleted by identity.

use std::collections::BTreeSet;

use api::addons::{AddonKind, CronJob, Deployment, Reaper, Service, Stargate};
use api::names::label;
use api::seen::{PlaneId, Unknown};
use fleet::Plane;
use kube::Resource;
use kube::api::PropagationPolicy;
use plan::cluster::facts::{AddonObject, ClusterFacts, ClusterIdentity};
use runtime::write::{self, Victim};
use serde::de::DeserializeOwned;

use crate::Context;
use crate::error::ActError;
use crate::watches::Remote;

/// Looks live for what upstream made beside these datacenters.
pub(crate) async fn look_for(context: &Context, facts: &mut ClusterFacts, names: &BTreeSet<String>) {
    let identity = ClusterIdentity::of(&facts.kc);
    for name in names {
        let Some(datacenter) = facts.datacenters.get(name) else {
            continue;
        };
        let expected = facts.planes.get(&datacenter.context).cloned();
        let found = match (context.fleet.plane(&datacenter.context), expected) {
            (Ok(plane), Some(Ok(expected))) => {
                in_namespace(&plane, &datacenter.namespace, &identity, &expected).await
            }
            (Err(unknown), _) | (_, Some(Err(unknown))) => Err(unknown),
            (Ok(_), None) => continue,
        };
        if let Some(datacenter) = facts.datacenters.get_mut(name) {
            datacenter.addons = Some(found);
        }
    }
}

async fn in_namespace(
    plane: &Plane<Remote>,
    namespace: &str,
    identity: &ClusterIdentity,
    expected: &PlaneId,
) -> Result<Vec<AddonObject>, Unknown> {
    let labels = format!(
        "{}={},{}={},{}={}",
        label::CLEANED_UP_BY,
        label::CLUSTER_CONTROLLER,
        label::CLUSTER_NAME,
        identity.name,
        label::CLUSTER_NAMESPACE,
        identity.namespace
    );
    let mut found = Vec::new();
    for kind in AddonKind::ALL {
        let asked = (plane, namespace, labels.as_str(), expected);
        found.extend(match kind {
            AddonKind::Stargate => of_kind::<Stargate>(kind, asked).await?,
            AddonKind::Reaper => of_kind::<Reaper>(kind, asked).await?,
            AddonKind::CronJob => of_kind::<CronJob>(kind, asked).await?,
            AddonKind::Deployment => of_kind::<Deployment>(kind, asked).await?,
            AddonKind::Service => of_kind::<Service>(kind, asked).await?,
        });
    }
    Ok(found)
}

async fn of_kind<K>(
    kind: AddonKind,
    (plane, namespace, labels, expected): (&Plane<Remote>, &str, &str, &PlaneId),
) -> Result<Vec<AddonObject>, Unknown>
where
    K: Resource<DynamicType = ()> + DeserializeOwned,
{
    let listed = plane.list_live_if_known::<K>(Some(namespace), labels, Some(expected));
    let left = listed.await?.into_iter().filter_map(|object| {
        let metadata = object.meta();
        let stays = metadata.deletion_timestamp.is_none();
        stays.then(|| AddonObject {
            kind,
            name: metadata.name.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
            resource_version: metadata.resource_version.clone().unwrap_or_default(),
        })
    });
    Ok(left.collect())
}

/// Deletes them, with what they own.
pub(crate) async fn delete(
    context: &Context,
    plane: &str,
    namespace: &str,
    objects: &[AddonObject],
) -> Result<(), ActError> {
    let plane = context.fleet.plane(plane).map_err(ActError::Unknown)?;
    for object in objects {
        match object.kind {
            AddonKind::Stargate => delete_one::<Stargate>(&plane, namespace, object).await?,
            AddonKind::Reaper => delete_one::<Reaper>(&plane, namespace, object).await?,
            AddonKind::CronJob => delete_one::<CronJob>(&plane, namespace, object).await?,
            AddonKind::Deployment => delete_one::<Deployment>(&plane, namespace, object).await?,
            AddonKind::Service => delete_one::<Service>(&plane, namespace, object).await?,
        }
    }
    Ok(())
}

async fn delete_one<K>(plane: &Plane<Remote>, namespace: &str, object: &AddonObject) -> Result<(), ActError>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let api = kube::Api::<K>::namespaced(plane.client(), namespace);
    let victim = Victim {
        uid: &object.uid,
        resource_version: &object.resource_version,
    };
    let background = Some(PropagationPolicy::Background);
    match write::delete(&api, &object.name, victim, background).await {
        Ok(_) | Err(runtime::WriteError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
