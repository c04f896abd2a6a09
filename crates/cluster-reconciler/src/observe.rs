//! From what the watches show, and from live reads where more must be known, to the facts that a plan is made from.

use std::collections::{BTreeMap, BTreeSet};

use api::cass_operator::CassandraDatacenter;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, label, reason};
use api::record::{Record, RecordState};
use api::reports;
use api::seen::{PlaneId, SamePlane, Seen, Unknown};
use fleet::{Health, Plane};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use plan::cluster::facts::{
    ClusterFacts, ClusterIdentity, DatacenterFacts, LiveDatacenter, Owner, ReplicatedFacts, SecretFacts,
    is_unregistered, unregistered,
};
use plan::naming;
use plan::own_secrets::{self, OwnSecret};
use runtime::Key;

use crate::Context;
use crate::references;
use crate::watches::{DatacenterView, Remote, SecretView};

/// What the watches show of a cluster. Asks nobody, but for Secrets of the cluster that carry no label of ours yet.
pub(crate) async fn watched(context: &Context, kc: &K8ssandraCluster) -> ClusterFacts {
    let identity = ClusterIdentity::of(kc);
    let annotations = kc.metadata.annotations.as_ref();
    let record = RecordState::read(
        annotations
            .and_then(|map| map.get(annotation::RECORD))
            .map(String::as_str),
        &identity.uid,
    );
    let known = if let RecordState::Known(record) = &record {
        Some(record)
    } else {
        None
    };
    let mut datacenters = placed(context, kc, &identity, known);
    let planes = planes(context, datacenters.values().map(|(context, _)| context.clone()));
    for (name, context_name, namespace) in strays(context, &identity, &planes) {
        datacenters.entry(name).or_insert((context_name, namespace));
    }
    let look = |(name, (plane, namespace)): (String, (String, String))| {
        let seen = datacenter(context, &identity, &name, &plane, &namespace);
        (name, seen)
    };
    let topology = kc
        .status
        .as_ref()
        .and_then(|status| status.reports.topology.clone());
    let mut facts = ClusterFacts {
        record: record.clone(),
        control_plane: control_plane(context),
        datacenters: datacenters.into_iter().map(look).collect(),
        grants: planes
            .keys()
            .map(|name| (name.clone(), context.fleet.grants(name)))
            .collect(),
        planes,
        references: references::of_cluster(context, kc).await,
        secrets: secrets(context, kc, &identity).await,
        replicated: replicated(context, kc, &identity),
        topology: topology.filter(|report| {
            report.format == reports::FORMAT && Some(report.observed_generation) == kc.metadata.generation
        }),
        crd_deleting: None,
        kc: kc.clone(),
    };
    references::look_up_per_node_configs(context, &mut facts).await;
    facts
}

/// Reads these datacenters live, and what else must be known before a ring is founded.
pub(crate) async fn live(context: &Context, facts: &mut ClusterFacts, names: &BTreeSet<String>) {
    let identity = ClusterIdentity::of(&facts.kc);
    let cluster = plan::datacenter::cluster_name(&facts.kc).to_owned();
    let reads = names.iter().filter_map(|name| {
        let datacenter = facts.datacenters.get(name)?;
        let expected = facts.planes.get(&datacenter.context)?.as_ref().ok()?.clone();
        Some((
            name.clone(),
            datacenter.context.clone(),
            datacenter.namespace.clone(),
            expected,
        ))
    });
    let reads = reads
        .collect::<Vec<_>>()
        .into_iter()
        .map(async |(name, plane, namespace, expected)| {
            let plane = match context.fleet.plane(&plane) {
                Ok(plane) => plane,
                Err(unknown) => return (name, Seen::Unknown(unknown), None),
            };
            let object = plane
                .read::<CassandraDatacenter>(&namespace, &name, Some(&expected))
                .await;
            let service = naming::additional_seed_service(&cluster, &name);
            let stale = match object {
                Seen::Absent(_) => stale_slice(&plane, &namespace, &service, &identity.uid, &expected).await,
                _ => None,
            };
            let object = object.map(|object| with_owner(&DatacenterView::of(&object), &identity));
            (name, object, stale)
        });
    for (name, object, stale) in futures::future::join_all(reads).await {
        if let Some(datacenter) = facts.datacenters.get_mut(&name) {
            datacenter.object = object;
            datacenter.stale_seed_slice = stale;
        }
    }
}

/// Whether the CRD of K8ssandraClusters is being deleted; `None` if that cannot be read.
pub(crate) async fn crd_deleting(context: &Context) -> Option<bool> {
    let api = Api::<CustomResourceDefinition>::all(context.process.client.clone());
    let crd = api.get_metadata("k8ssandraclusters.k8ssandra.io").await.ok()?;
    Some(crd.metadata.deletion_timestamp.is_some())
}

/// Where each datacenter of the spec and of the record is: context and namespace.
fn placed(
    context: &Context,
    kc: &K8ssandraCluster,
    identity: &ClusterIdentity,
    record: Option<&Record>,
) -> BTreeMap<String, (String, String)> {
    let templates = kc
        .spec
        .cassandra
        .iter()
        .flat_map(|cassandra| &cassandra.datacenters);
    let mut placed: BTreeMap<_, _> = templates
        .map(|template| {
            let namespace = template.namespace().unwrap_or(&identity.namespace).to_owned();
            (
                template.name().to_owned(),
                (template.k8s_context.clone(), namespace),
            )
        })
        .collect();
    for (name, recorded) in record.iter().flat_map(|record| &record.datacenters) {
        // One that left the spec is found by the identity of its plane, whatever its context is called now.
        let plane = context.fleet.planes().into_iter().find(|plane| {
            plane
                .id()
                .is_some_and(|id| id.compare(&recorded.plane_id) == SamePlane::Yes)
        });
        let found = plane.map_or_else(
            || unregistered(&recorded.plane_id),
            |plane| plane.context().to_owned(),
        );
        placed
            .entry(name.clone())
            .or_insert_with(|| (found, recorded.namespace.clone()));
    }
    placed
}

fn planes(
    context: &Context,
    names: impl Iterator<Item = String>,
) -> BTreeMap<String, Result<PlaneId, Unknown>> {
    let names: BTreeSet<String> = names.collect();
    let who = |name: String| {
        let id = context.fleet.plane(&name).and_then(|plane| identified(&plane));
        (name, id)
    };
    names.into_iter().map(who).collect()
}

/// None where our credentials may not read it, which is known only when the control plane has been asked.
fn control_plane(context: &Context) -> Result<Option<PlaneId>, Unknown> {
    let plane = context.fleet.plane("")?;
    if plane.id().is_none() && plane.health() == Health::Reachable {
        return Ok(None);
    }
    identified(&plane).map(Some)
}

fn identified(plane: &Plane<Remote>) -> Result<PlaneId, Unknown> {
    if let Health::Unreachable { unknown, .. } = plane.health() {
        return Err(unknown);
    }
    plane.id().ok_or_else(|| Unknown {
        context: plane.context().to_owned(),
        reason: reason::PLANE_UNREACHABLE.to_owned(),
        message: "its identity is not read yet".to_owned(),
    })
}

/// Datacenters with this cluster's mark in places that neither spec nor record name.
fn strays(
    context: &Context,
    identity: &ClusterIdentity,
    planes: &BTreeMap<String, Result<PlaneId, Unknown>>,
) -> Vec<(String, String, String)> {
    let in_plane = |plane: std::sync::Arc<Plane<Remote>>| {
        let listed = plane.caches.datacenters.list().unwrap_or_default();
        let ours = listed
            .into_iter()
            .filter(|(_, view)| view.marks.cluster_uid.as_ref() == Some(&identity.uid));
        ours.map(|(key, _)| (key.name, plane.context().to_owned(), key.namespace))
            .collect::<Vec<_>>()
    };
    let known = |plane: &std::sync::Arc<Plane<Remote>>| planes.contains_key(plane.context());
    context
        .fleet
        .planes()
        .into_iter()
        .filter(known)
        .flat_map(in_plane)
        .collect()
}

fn datacenter(
    context: &Context,
    identity: &ClusterIdentity,
    name: &str,
    plane: &str,
    namespace: &str,
) -> DatacenterFacts {
    let key = Key::new(namespace, name);
    let cluster = Key::new(&identity.namespace, &identity.name);
    let mut facts = DatacenterFacts {
        context: plane.to_owned(),
        namespace: namespace.to_owned(),
        object: Seen::NotListed,
        last_settled: None,
        seed_slices: Seen::NotListed,
        stale_seed_slice: None,
        config_maps: Seen::NotListed,
        addons: None,
        per_node_config: None,
    };
    match context.fleet.plane(plane) {
        Err(unknown) => {
            let unknown = nowhere(context, name, plane).unwrap_or(unknown);
            facts.last_settled = context.last_seen.settled(&cluster, name);
            facts.object = Seen::Unknown(unknown.clone());
            facts.seed_slices = Seen::Unknown(unknown.clone());
            facts.config_maps = Seen::Unknown(unknown);
        }
        Ok(plane) => {
            let caches = &plane.caches;
            facts.object = caches
                .datacenters
                .see(&key)
                .map(|view| with_owner(&view, identity));
            facts.last_settled = caches.datacenters.last(&key).map(|view| view.live.settled);
            if facts.last_settled.is_some() || caches.datacenters.blind().is_none() {
                context.last_seen.note(&cluster, name, facts.last_settled);
            } else {
                // Watches that begin anew, with other credentials say, have shown nothing yet.
                facts.last_settled = context.last_seen.settled(&cluster, name);
            }
            facts.seed_slices = listed(caches.slices.list().map(|all| {
                let ours = all
                    .into_iter()
                    .filter(|(key, view)| key.namespace == namespace && view.cluster_uid == identity.uid);
                ours.map(|(_, view)| view.slice.clone())
                    .filter(|slice| slice.serves == name)
                    .collect()
            }));
            facts.config_maps = listed(caches.config_maps.list().map(|all| {
                let ours = all.into_iter().filter(|(key, view)| {
                    key.namespace == namespace
                        && view.marks.owner(identity) != Owner::Foreign
                        && view
                            .datacenter
                            .as_deref()
                            .is_none_or(|datacenter| datacenter == name)
                });
                ours.map(|(key, view)| (key.name, view.marked.clone())).collect()
            }));
        }
    }
    facts
}

/// Why the plane of a datacenter that left the spec is not found by its id; none where it has a context. One that has not
/// told who it is may be the one.
fn nowhere(context: &Context, name: &str, plane: &str) -> Option<Unknown> {
    if !is_unregistered(plane) {
        return None;
    }
    let planes = context.fleet.planes();
    let silent: Vec<&str> = planes
        .iter()
        .filter(|plane| identified(plane).is_err())
        .map(|plane| plane.context())
        .collect();
    let (reason, way_out) = if silent.is_empty() {
        (reason::UNKNOWN_CONTEXT, "make a ClientConfig for it".to_owned())
    } else {
        let silent = format!(
            "one of these may be it, and has not answered who it is: {}",
            silent.join(", ")
        );
        (reason::PLANE_UNREACHABLE, silent)
    };
    Some(Unknown {
        context: String::new(),
        reason: reason.to_owned(),
        message: format!(
            "No ClientConfig is known to lead to the Kubernetes cluster in which datacenter {name} was made; {way_out}."
        ),
    })
}

fn with_owner(view: &DatacenterView, identity: &ClusterIdentity) -> LiveDatacenter {
    LiveDatacenter {
        owner: view.marks.owner(identity),
        ..view.live.clone()
    }
}

fn listed<T>(list: Result<T, Unknown>) -> Seen<T> {
    list.map_or_else(Seen::Unknown, Seen::Present)
}

/// Name of a slice that gives a datacenter additional seeds and that nobody made for this cluster.
async fn stale_slice(
    plane: &Plane<Remote>,
    namespace: &str,
    service: &str,
    uid: &str,
    expected: &PlaneId,
) -> Option<String> {
    let selector = format!("{}={service}", label::SERVICE_NAME);
    let slices = plane
        .list_live::<EndpointSlice>(Some(namespace), &selector, Some(expected))
        .await
        .ok()?;
    let stale = slices.into_iter().find(|slice| {
        let mark = slice
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(label::CLUSTER_UID));
        mark.is_none_or(|mark| mark != uid)
    });
    stale.and_then(|slice| slice.metadata.name)
}

async fn secrets(
    context: &Context,
    kc: &K8ssandraCluster,
    identity: &ClusterIdentity,
) -> BTreeMap<String, SecretFacts> {
    let mut seen = BTreeMap::new();
    for OwnSecret { name, .. } in own_secrets::of(kc) {
        let facts = secret(context, identity, &name).await;
        seen.insert(name, facts);
    }
    seen
}

async fn secret(context: &Context, identity: &ClusterIdentity, name: &str) -> SecretFacts {
    let key = Key::new(&identity.namespace, name);
    let found = if let Some(view) = context.local.secrets.get(&key) {
        Some((*view).clone())
    } else {
        // The user's own Secret has no label yet by which the watch would list it; only its keys are looked at.
        let api = Api::<Secret>::namespaced(context.process.client.clone(), &identity.namespace);
        match api.get_opt(name).await {
            Ok(secret) => secret.map(SecretView::of),
            Err(_) => return SecretFacts::Unknown,
        }
    };
    found.map_or(SecretFacts::Missing, |view| SecretFacts::Present {
        uid: view.uid,
        resource_version: view.resource_version,
        labelled: view.labelled
            && view.cluster.as_ref() == Some(&Key::new(&identity.namespace, &identity.name)),
        missing_keys: view.missing_keys,
        goes_with_cluster: view.owners.iter().position(|uid| *uid == identity.uid),
    })
}

fn replicated(context: &Context, kc: &K8ssandraCluster, identity: &ClusterIdentity) -> ReplicatedFacts {
    let Some(object) = context
        .local
        .replicated
        .get(&Key::new(&identity.namespace, &identity.name))
    else {
        return ReplicatedFacts::Missing;
    };
    let owners = object.metadata.owner_references.iter().flatten();
    let owner = owners.enumerate().find(|(_, owner)| owner.uid == identity.uid);
    let owner = owner.map(|(at, _)| at);
    let own = |namespace: &str| {
        if namespace.is_empty() {
            identity.namespace.clone()
        } else {
            namespace.to_owned()
        }
    };
    let targets = object.spec.replication_targets.iter().flatten();
    let status = object.status.iter();
    let status = status.filter(|status| status.observed_generation == object.metadata.generation);
    let conditions = status.flat_map(|status| &status.conditions);
    ReplicatedFacts::Present {
        uid: object.metadata.uid.clone().unwrap_or_default(),
        resource_version: object.metadata.resource_version.clone().unwrap_or_default(),
        ours: owner.is_some(),
        goes_with_cluster: owner,
        selects: serde_json::to_value(&object.spec.selector)
            .is_ok_and(|selector| own_secrets::are_selected(kc, &selector)),
        deleting: object.metadata.deletion_timestamp.is_some(),
        targets: targets
            .map(|target| {
                (
                    target.context().to_owned(),
                    own(target.namespace.as_deref().unwrap_or_default()),
                )
            })
            .collect(),
        replicated: conditions
            .filter(|condition| condition.status == "True")
            .filter_map(|condition| {
                let namespace = own(condition.namespace.as_deref().unwrap_or_default());
                let place = (condition.cluster.clone(), namespace);
                Some((place, condition.content_mark.clone()?))
            })
            .collect(),
    }
}
