//! Copies deleted, and the finalizer.

use std::collections::BTreeMap;
use std::time::Duration;

use api::cass_operator::CassandraDatacenter;
use api::names::{annotation, finalizer, label, manager, reason};
use api::replicated_secret::ReplicatedSecret;
use api::seen::{Seen, Unknown};
use fleet::Plane;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use plan::replication::{Identity, Prune};
use runtime::write::{Victim, delete, json_patch};
use runtime::{Key, Next, WriteError};
use serde_json::json;

use crate::error::PassError;
use crate::watches::Remote;
use crate::{CALL_AGAIN, Context, observe, report};

/// What became of copies that were to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pruned {
    /// Whether some are left.
    pub left: bool,
    /// When to look again although nothing happens.
    pub again: Option<Duration>,
}

/// A pass over a ReplicatedSecret that is being deleted: its copies go, and then its finalizer.
pub(crate) async fn release(
    context: &Context,
    key: &Key,
    object: &ReplicatedSecret,
) -> Result<Next, PassError> {
    context.sources.forget(key);
    if !crate::has_finalizer(object) {
        return Ok(Next::Done);
    }
    let facts = observe::leaving(context, key, object).await;
    let pruning = plan::replication::prune(&facts, true);
    let pruned = prune(context, object, &facts.identity, &pruning.now).await;
    if pruned.left || !pruning.waits.is_empty() {
        report::waiting(context, key, &pruning.waits).await?;
        return Ok(pruned.again.map_or(Next::Done, Next::After));
    }
    remove_finalizer(context, key, object).await?;
    Ok(Next::Done)
}

/// Deletes copies, each exactly as it was seen, where no datacenter of the cluster needs it.
pub(crate) async fn prune(
    context: &Context,
    object: &ReplicatedSecret,
    identity: &Identity,
    copies: &[Prune],
) -> Pruned {
    let mut result = Pruned::default();
    let mut needed: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for copy in copies {
        let mut later = |wait: Option<Duration>| {
            result.left = true;
            result.again = result.again.into_iter().chain(wait).min();
        };
        let Ok(plane) = context.fleet.plane(&copy.context) else {
            later(None);
            continue;
        };
        let at = (copy.context.as_str(), copy.namespace.as_str());
        let is_needed = match needed.get(&at) {
            Some(known) => *known,
            None => match is_needed(identity, &plane, copy).await {
                Ok(is_needed) => is_needed,
                Err(unknown) => {
                    tracing::info!(
                        plane = copy.context,
                        why = unknown.message,
                        "a copy cannot be deleted yet"
                    );
                    later(Some(CALL_AGAIN));
                    continue;
                }
            },
        };
        needed.insert(at, is_needed);
        if is_needed {
            // Its end is an event.
            later(None);
            continue;
        }
        match delete_one(context, &plane, copy).await {
            Ok(()) => report::done(context, object, "CopyDeleted", &copy.sentence()),
            Err(error) => {
                tracing::warn!(plane = copy.context, %error, "copy not deleted");
                later(Some(if error.is_conflict() {
                    Duration::from_secs(1)
                } else {
                    CALL_AGAIN
                }));
            }
        }
    }
    result
}

/// Whether a datacenter of the cluster is in the copy's namespace, from a live look at the plane that is meant. Of a
/// ReplicatedSecret without a cluster only the plane is checked.
async fn is_needed(identity: &Identity, plane: &Plane<Remote>, prune: &Prune) -> Result<bool, Unknown> {
    let Some(cluster_uid) = &identity.cluster_uid else {
        return match plane
            .read::<Secret>(&prune.namespace, &prune.name, Some(&prune.plane))
            .await
        {
            Seen::Unknown(unknown) => Err(unknown),
            _ => Ok(false),
        };
    };
    let labels = format!(
        "{}={},{}={}",
        label::CLUSTER_NAME,
        identity.name,
        label::CLUSTER_NAMESPACE,
        identity.namespace
    );
    let listed = plane
        .list_live::<CassandraDatacenter>(Some(&prune.namespace), &labels, Some(&prune.plane))
        .await;
    match listed {
        Ok(datacenters) => Ok(datacenters.iter().any(|datacenter| {
            let annotations = datacenter.metadata.annotations.as_ref();
            annotations
                .and_then(|map| map.get(annotation::CLUSTER_UID))
                .is_none_or(|uid| uid == cluster_uid)
        })),
        // Without the kind there is no datacenter of it; and whose plane it is, is checked by another read.
        Err(unknown) if unknown.reason == reason::CASS_OPERATOR_MISSING => {
            match plane
                .read::<Secret>(&prune.namespace, &prune.name, Some(&prune.plane))
                .await
            {
                Seen::Unknown(unknown) => Err(unknown),
                _ => Ok(false),
            }
        }
        Err(unknown) => Err(unknown),
    }
}

async fn delete_one(context: &Context, plane: &Plane<Remote>, prune: &Prune) -> Result<(), WriteError> {
    let api = Api::<Secret>::namespaced(plane.client(), &prune.namespace);
    let victim = Victim {
        uid: &prune.uid,
        resource_version: &prune.resource_version,
    };
    match delete(&api, &prune.name, victim, None).await {
        // Somebody's finalizer keeps it.
        Ok(Some(_)) => Ok(()),
        Ok(None) | Err(WriteError::NotFound { .. }) => {
            context.graveyard.bury(&prune.uid);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Puts the finalizer on a ReplicatedSecret that a user made, before its first copy.
pub(crate) async fn add_finalizer(
    context: &Context,
    key: &Key,
    object: &ReplicatedSecret,
) -> Result<(), PassError> {
    let mut all = object.metadata.finalizers.clone().unwrap_or_default();
    all.push(finalizer::REPLICATED_SECRET.to_owned());
    let operations = json!([{"op": "add", "path": "/metadata/finalizers", "value": all}]);
    patch(context, key, object, &operations).await
}

async fn remove_finalizer(context: &Context, key: &Key, object: &ReplicatedSecret) -> Result<(), PassError> {
    let all = object.metadata.finalizers.iter().flatten();
    let kept: Vec<_> = all.filter(|it| *it != finalizer::REPLICATED_SECRET).collect();
    let operations = json!([{"op": "add", "path": "/metadata/finalizers", "value": kept}]);
    match patch(context, key, object, &operations).await {
        Err(PassError::Write(WriteError::NotFound { .. })) => Ok(()),
        other => other,
    }
}

async fn patch(
    context: &Context,
    key: &Key,
    object: &ReplicatedSecret,
    operations: &serde_json::Value,
) -> Result<(), PassError> {
    let api = Api::<ReplicatedSecret>::namespaced(context.process.client.clone(), &key.namespace);
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    let version = object.metadata.resource_version.as_deref();
    let stored = json_patch(
        &api,
        &key.name,
        uid,
        version,
        operations,
        manager::SECRET_REPLICATOR,
    )
    .await?;
    if stored.metadata.deletion_timestamp.is_none() {
        report::absorb(context, key, stored);
    }
    Ok(())
}
