//! Writes that a plan asks for. Planes are worked on at the same time, and one that fails stops its own acts only.

use std::collections::BTreeMap;

use api::cass_operator::CassandraTask;
use api::names::manager::TOPOLOGY_RECONCILER as MANAGER;
use fleet::Plane;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::jiff::Timestamp;
use kube::core::NamespaceResourceScope;
use kube::{Api, Resource, ResourceExt};
use plan::topology::{Act, Headless, Kind, RebuildTask, Slice, TopologyInput, Where};
use runtime::write::{self, Apply, Victim};
use runtime::{Key, WriteError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Context;
use crate::ask::Nodes;
use crate::error::ActError;
use crate::kinds::ServiceParts;
use crate::views;
use crate::watches::Remote;

/// What became of one act.
pub(crate) struct Outcome<'a> {
    pub act: &'a Act,
    pub result: Result<(), ActError>,
    /// What has the name of one that was to be created; nothing was written then.
    pub found: Option<Found>,
}

/// What no watch selects, and whose name is taken.
pub(crate) enum Found {
    /// A slice, and the context of its plane.
    Slice(String, Slice),
    /// A Service in the control plane.
    Service(Key, Headless),
}

/// Does the acts: those of one lane one after another until one fails, the lanes at the same time. Acts that were
/// not tried have no outcome.
pub(crate) async fn carry_out<'a>(
    context: &Context,
    input: &TopologyInput,
    acts: &'a [Act],
) -> Vec<Outcome<'a>> {
    let mut lanes: BTreeMap<&str, Vec<&Act>> = BTreeMap::new();
    for act in acts {
        lanes.entry(act.lane()).or_default().push(act);
    }
    let lanes = lanes.into_values().map(async |lane| {
        let mut outcomes = Vec::new();
        for act in lane {
            let outcome = one(context, input, act).await;
            let failed = outcome.result.is_err();
            outcomes.push(outcome);
            if failed {
                break;
            }
        }
        outcomes
    });
    futures::future::join_all(lanes)
        .await
        .into_iter()
        .flatten()
        .collect()
}

async fn one<'a>(context: &Context, input: &TopologyInput, act: &'a Act) -> Outcome<'a> {
    let mut found = None;
    let result = match act {
        Act::Create {
            at,
            kind,
            name,
            object,
        } => create(context, at, *kind, name, object, &mut found).await,
        Act::Apply {
            at,
            kind,
            name,
            uid,
            object,
        } => apply(context, at, *kind, name, uid, object).await,
        Act::Delete {
            at,
            kind,
            name,
            uid,
            resource_version,
        } => {
            delete(
                context,
                at,
                *kind,
                name,
                Victim {
                    uid,
                    resource_version,
                },
            )
            .await
        }
        Act::Replicate {
            via,
            keyspace,
            factors,
            create,
        } => match input.sites.iter().find(|site| site.name == *via) {
            Some(site) => match Nodes::of(context, site).await {
                Ok(nodes) => nodes.replicate(keyspace, factors, *create).await,
                Err(error) => Err(error),
            },
            None => Ok(()),
        },
    };
    Outcome { act, result, found }
}

async fn create(
    context: &Context,
    at: &Where,
    kind: Kind,
    name: &str,
    object: &Value,
    found: &mut Option<Found>,
) -> Result<(), ActError> {
    let plane = context.fleet.plane(&at.context).map_err(ActError::Unknown)?;
    let created = match kind {
        Kind::EndpointSlice => post::<EndpointSlice>(&plane, at, name, object)
            .await
            .map(|stored| absorb_slice(&plane, stored)),
        Kind::Service => post::<ServiceParts>(&plane, at, name, object)
            .await
            .map(|stored| absorb_service(context, stored)),
        Kind::CassandraTask => {
            let mut object = object.clone();
            object["spec"]["scheduledTime"] = Value::from(whole_seconds(context.process.outside.clock));
            post::<CassandraTask>(&plane, at, name, &object)
                .await
                .map(|stored| absorb_task(&plane, &stored))
        }
    };
    match created {
        Err(ActError::Write(WriteError::AlreadyExists { target })) => {
            // Whose it is decides what is done: the next plan is shown it.
            *found = taken(&plane, at, kind, name).await;
            match found {
                Some(_) => Ok(()),
                None => Err(ActError::Write(WriteError::AlreadyExists { target })),
            }
        }
        created => created,
    }
}

/// What is there already; nothing where that cannot be read, and of kinds whose watches show everybody's.
async fn taken(plane: &Plane<Remote>, at: &Where, kind: Kind, name: &str) -> Option<Found> {
    match kind {
        Kind::EndpointSlice => {
            let slice = namespaced::<EndpointSlice>(plane, at).get(name).await.ok()?;
            Some(Found::Slice(at.context.clone(), views::slice(slice)?))
        }
        Kind::Service => {
            let service = namespaced::<ServiceParts>(plane, at).get(name).await.ok()?;
            Some(Found::Service(
                Key::new(&at.namespace, name),
                views::headless(service),
            ))
        }
        Kind::CassandraTask => None,
    }
}

/// Whole seconds, as upstream writes them.
fn whole_seconds(clock: runtime::Clock) -> String {
    let now = clock.now();
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

async fn apply(
    context: &Context,
    at: &Where,
    kind: Kind,
    name: &str,
    uid: &str,
    object: &Value,
) -> Result<(), ActError> {
    let plane = context.fleet.plane(&at.context).map_err(ActError::Unknown)?;
    // Whatever is applied was made by us, or by upstream for this very cluster and adopted.
    let how = Apply {
        manager: MANAGER,
        force: true,
        resource_version: None,
    };
    match kind {
        Kind::EndpointSlice => {
            let stored =
                write::apply(&namespaced::<EndpointSlice>(&plane, at), name, uid, object, how).await?;
            absorb_slice(&plane, stored);
        }
        Kind::Service => {
            let stored =
                write::apply(&namespaced::<ServiceParts>(&plane, at), name, uid, object, how).await?;
            absorb_service(context, stored);
        }
        Kind::CassandraTask => {
            let stored =
                write::apply(&namespaced::<CassandraTask>(&plane, at), name, uid, object, how).await?;
            absorb_task(&plane, &stored);
        }
    }
    Ok(())
}

async fn delete(
    context: &Context,
    at: &Where,
    kind: Kind,
    name: &str,
    victim: Victim<'_>,
) -> Result<(), ActError> {
    let plane = context.fleet.plane(&at.context).map_err(ActError::Unknown)?;
    let deleted = match kind {
        Kind::EndpointSlice => write::delete(&namespaced::<EndpointSlice>(&plane, at), name, victim, None)
            .await
            .map(drop),
        Kind::Service => write::delete(&namespaced::<ServiceParts>(&plane, at), name, victim, None)
            .await
            .map(drop),
        Kind::CassandraTask => write::delete(&namespaced::<CassandraTask>(&plane, at), name, victim, None)
            .await
            .map(drop),
    };
    match deleted {
        Ok(()) | Err(WriteError::NotFound { .. }) => {
            context.graveyard.bury(victim.uid);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn post<K>(plane: &Plane<Remote>, at: &Where, name: &str, object: &Value) -> Result<K, ActError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Serialize
        + std::fmt::Debug,
{
    let unbuildable = || ActError::Unbuildable {
        what: format!("{} {}/{name}", K::kind(&()), at.namespace),
    };
    let object = serde_json::from_value::<K>(object.clone()).map_err(|_| unbuildable())?;
    Ok(write::create(&namespaced::<K>(plane, at), &object, MANAGER).await?)
}

fn namespaced<K>(plane: &Plane<Remote>, at: &Where) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    Api::namespaced(plane.client(), &at.namespace)
}

fn absorb_slice(plane: &Plane<Remote>, stored: EndpointSlice) {
    let (key, version) = (Key::of(&stored), stored.resource_version().unwrap_or_default());
    if let Some((key, slice)) = key.zip(views::slice(stored)) {
        plane.caches.slices.absorb(key, &version, slice);
    }
}

fn absorb_service(context: &Context, stored: ServiceParts) {
    let version = stored.resource_version().unwrap_or_default();
    if let Some(key) = Key::of(&stored) {
        let service = views::headless(stored);
        context.local.services.absorb(key, &version, service);
    }
}

fn absorb_task(plane: &Plane<Remote>, stored: &CassandraTask) {
    let version = stored.resource_version().unwrap_or_default();
    if let Some(key) = Key::of(stored) {
        plane.caches.tasks.absorb(key, &version, RebuildTask::of(stored));
    }
}
