//! From what the watches show to what a plan is made from. Asks nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::names::{label, reason};
use api::record::{DatacenterRecord, RecordState};
use api::seen::{SamePlane, Seen, Unknown};
use fleet::Plane;
use plan::naming;
use plan::topology::{
    Answers, Cluster, ContactPoints, Datacenter, DatacenterSpec, Headless, SeedPod, Site, Slice,
    TopologyInput,
};
use runtime::Key;

use crate::Context;
use crate::act::Found;
use crate::watches::Remote;

/// What was learnt in this pass beside what the watches show.
#[derive(Default)]
pub(crate) struct Learnt {
    /// Answers of the management API.
    pub answers: Answers,
    /// Datacenters that were read live, by name.
    pub live: BTreeMap<String, Seen<Datacenter>>,
    /// What the watches do not select, but whose names are taken.
    pub found: Vec<Found>,
}

impl Learnt {
    fn found_slices(&self, plane: &str, namespace: &str) -> impl Iterator<Item = &Slice> {
        self.found.iter().filter_map(move |found| match found {
            Found::Slice(context, slice) if context == plane && slice.namespace == namespace => Some(slice),
            _ => None,
        })
    }

    fn found_services(&self, namespace: &str) -> impl Iterator<Item = &Headless> {
        self.found.iter().filter_map(move |found| match found {
            Found::Service(key, service) if key.namespace == namespace => Some(service),
            _ => None,
        })
    }
}

/// Everything that is known of a cluster's ring.
pub(crate) fn input(context: &Context, cluster: &Cluster, learnt: &Learnt) -> TopologyInput {
    let mut cluster = cluster.clone();
    if let Some(report) = context.progress.pending(&cluster) {
        cluster.report = Some(report);
    }
    let slices = every_slice(context);
    let sites: Vec<Site> = placed(context, &cluster)
        .into_iter()
        .map(|placed| site(&cluster, placed, &slices, learnt))
        .collect();
    TopologyInput {
        strays: strays(&cluster, &sites, &slices),
        contact_points: contact_points(context, &cluster, &slices, learnt),
        answers: learnt.answers.clone(),
        sites,
        cluster,
    }
}

/// Seed slices and slices of contact points of each plane that can be seen, without those that we have deleted.
type Slices = BTreeMap<String, Result<Vec<Arc<Slice>>, Unknown>>;

fn every_slice(context: &Context) -> Slices {
    let of_plane = |plane: Arc<Plane<Remote>>| {
        let slices = plane.caches.slices.list().map(|slices| {
            let slices = slices.into_iter().map(|(_, slice)| slice);
            slices
                .filter(|slice| !context.graveyard.has(&slice.uid))
                .collect()
        });
        (plane.context().to_owned(), slices)
    };
    context.fleet.planes().into_iter().map(of_plane).collect()
}

/// One datacenter and where it must be looked for.
struct Placed {
    name: String,
    namespace: String,
    spec: Option<DatacenterSpec>,
    record: Option<DatacenterRecord>,
    plane: Result<Arc<Plane<Remote>>, Unknown>,
}

/// Datacenters of the spec, then those of the record, then any other with this cluster's UID.
fn placed(context: &Context, cluster: &Cluster) -> Vec<Placed> {
    let record = match &cluster.record {
        RecordState::Known(record) => Some(record),
        RecordState::None | RecordState::Unreadable(_) => None,
    };
    let recorded = |name: &str| record.and_then(|record| record.datacenters.get(name)).cloned();
    let mut placed: Vec<Placed> = Vec::new();
    for spec in &cluster.datacenters {
        let record = recorded(&spec.name);
        let plane = context
            .fleet
            .plane(&spec.context)
            .and_then(|plane| same(plane, record.as_ref()))
            .and_then(|plane| granted(context, cluster, spec, record.as_ref()).map(|()| plane));
        placed.push(Placed {
            name: spec.name.clone(),
            namespace: spec.namespace.clone(),
            spec: Some(spec.clone()),
            record,
            plane,
        });
    }
    for (name, record) in record.iter().flat_map(|record| &record.datacenters) {
        if cluster.datacenter(name).is_none() {
            placed.push(Placed {
                name: name.clone(),
                namespace: record.namespace.clone(),
                spec: None,
                plane: find(context, name, record),
                record: Some(record.clone()),
            });
        }
    }
    let known: Vec<String> = placed.iter().map(|placed| placed.name.clone()).collect();
    placed.extend(others(context, cluster, &known));
    placed
}

/// Nothing goes where nobody is let in. A datacenter that is there already keeps its part in the ring.
fn granted(
    context: &Context,
    cluster: &Cluster,
    spec: &DatacenterSpec,
    record: Option<&DatacenterRecord>,
) -> Result<(), Unknown> {
    if record.is_some_and(|record| record.uid.is_some()) {
        return Ok(());
    }
    let grants = context.fleet.grants(&spec.context);
    match plan::grants::denied(&grants, &spec.context, &cluster.namespace, &spec.namespace) {
        None => Ok(()),
        Some(denied) => Err(Unknown {
            context: spec.context.clone(),
            reason: denied.reason.to_owned(),
            message: denied.message,
        }),
    }
}

/// Another cluster behind the same context is not where the datacenter is.
fn same(plane: Arc<Plane<Remote>>, record: Option<&DatacenterRecord>) -> Result<Arc<Plane<Remote>>, Unknown> {
    let other = |record: &DatacenterRecord| {
        plane
            .id()
            .is_some_and(|id| id.compare(&record.plane_id) == SamePlane::No)
    };
    if record.is_some_and(other) {
        return Err(Unknown {
            context: plane.context().to_owned(),
            reason: reason::PLACEMENT_CHANGED.to_owned(),
            message: "the datacenter was made in another Kubernetes cluster than the one that this context leads to now"
                .to_owned(),
        });
    }
    Ok(plane)
}

/// One that left the spec is found by the identity of its plane, whatever its context is called now; where that is
/// known in its weak form only, by its own UID.
fn find(context: &Context, name: &str, record: &DatacenterRecord) -> Result<Arc<Plane<Remote>>, Unknown> {
    let planes = context.fleet.planes();
    let key = Key::new(&record.namespace, name);
    let same_plane = |plane: &&Arc<Plane<Remote>>| {
        plane
            .id()
            .is_some_and(|id| id.compare(&record.plane_id) == SamePlane::Yes)
    };
    let same_object = |plane: &&Arc<Plane<Remote>>| {
        record.uid.is_some() && plane.caches.datacenters.last(&key).map(|seen| seen.uid.clone()) == record.uid
    };
    let found = planes
        .iter()
        .find(same_plane)
        .or_else(|| planes.iter().find(same_object));
    found.cloned().ok_or_else(|| Unknown {
        context: String::new(),
        reason: reason::UNKNOWN_CONTEXT.to_owned(),
        message: format!(
            "no ClientConfig leads to the Kubernetes cluster that datacenter {name} was made in"
        ),
    })
}

fn others(context: &Context, cluster: &Cluster, known: &[String]) -> Vec<Placed> {
    let mut others = Vec::new();
    for plane in context.fleet.planes() {
        for (key, seen) in plane.caches.datacenters.list().unwrap_or_default() {
            if seen.cluster_uid.as_ref() == Some(&cluster.uid) && !known.contains(&key.name) {
                others.push(Placed {
                    name: key.name,
                    namespace: key.namespace,
                    spec: None,
                    record: None,
                    plane: Ok(plane.clone()),
                });
            }
        }
    }
    others
}

fn site(cluster: &Cluster, placed: Placed, slices: &Slices, learnt: &Learnt) -> Site {
    let unseen = |unknown: &Unknown, placed: &Placed| Site {
        name: placed.name.clone(),
        context: placed
            .spec
            .as_ref()
            .map_or_else(|| unknown.context.clone(), |spec| spec.context.clone()),
        namespace: placed.namespace.clone(),
        plane: placed.record.as_ref().map(|record| record.plane_id.clone()),
        spec: placed.spec.clone(),
        record: placed.record.clone(),
        seen: Seen::Unknown(unknown.clone()),
        seeds: Err(unknown.clone()),
        slices: Err(unknown.clone()),
        pods: Err(unknown.clone()),
        rebuild: Seen::Unknown(unknown.clone()),
    };
    let plane = match &placed.plane {
        Ok(plane) => plane,
        Err(unknown) => return unseen(unknown, &placed),
    };
    let caches = &plane.caches;
    let key = Key::new(&placed.namespace, &placed.name);
    let seen = match (
        caches.datacenters.see(&key).map(|seen| (*seen).clone()),
        learnt.live.get(&placed.name),
    ) {
        (Seen::NotListed, Some(live)) => live.clone(),
        (seen, _) => seen,
    };
    let task = Key::new(&placed.namespace, format!("{}-rebuild", placed.name));
    let seeds = seeds(plane, &placed, seen.present());
    Site {
        context: plane.context().to_owned(),
        plane: plane
            .id()
            .or_else(|| placed.record.as_ref().map(|record| record.plane_id.clone())),
        seeds,
        slices: seed_slices(plane.context(), cluster, &placed, slices, learnt),
        pods: all_pods(plane, cluster, &placed),
        rebuild: caches.tasks.see(&task).map(|task| (*task).clone()),
        seen,
        name: placed.name,
        namespace: placed.namespace,
        spec: placed.spec,
        record: placed.record,
    }
}

/// Seeds are looked for among the pods that cass-operator lists as nodes.
fn seeds(plane: &Plane<Remote>, placed: &Placed, seen: Option<&Datacenter>) -> Result<Vec<SeedPod>, Unknown> {
    if let Some(unknown) = plane.caches.pods.blind() {
        return Err(unknown);
    }
    let names = seen.into_iter().flat_map(|seen| seen.nodes.keys());
    let pod = |name: &String| {
        let view = plane.caches.pods.last(&Key::new(&placed.namespace, name))?;
        (view.datacenter == naming::clean_label_value(&placed.name)).then(|| view.pod.clone())
    };
    Ok(names.filter_map(pod).collect())
}

fn seed_slices(
    plane: &str,
    cluster: &Cluster,
    placed: &Placed,
    slices: &Slices,
    learnt: &Learnt,
) -> Result<Vec<Slice>, Unknown> {
    let service = naming::additional_seed_service(&cluster.cassandra_name, &placed.name);
    let watched = match slices.get(plane) {
        Some(Ok(slices)) => slices,
        Some(Err(unknown)) => return Err(unknown.clone()),
        None => return Ok(Vec::new()),
    };
    let serves =
        |slice: &&Slice| slice.namespace == placed.namespace && slice.label(label::SERVICE_NAME) == service;
    let mut all: Vec<Slice> = watched
        .iter()
        .map(AsRef::as_ref)
        .filter(serves)
        .cloned()
        .collect();
    for slice in learnt.found_slices(plane, &placed.namespace) {
        if all.iter().all(|known| known.name != slice.name) {
            all.push(slice.clone());
        }
    }
    Ok(all)
}

fn all_pods(plane: &Plane<Remote>, cluster: &Cluster, placed: &Placed) -> Result<Vec<Slice>, Unknown> {
    let service = naming::all_pods_service(&cluster.cassandra_name, &placed.name);
    let serves = |slice: &&Arc<Slice>| {
        slice.namespace == placed.namespace && slice.label(label::SERVICE_NAME) == service
    };
    let slices = plane.caches.all_pods.list()?;
    Ok(slices
        .iter()
        .map(|(_, slice)| slice)
        .filter(serves)
        .map(|slice| (**slice).clone())
        .collect())
}

fn contact_points(
    context: &Context,
    cluster: &Cluster,
    slices: &Slices,
    learnt: &Learnt,
) -> Result<ContactPoints, Unknown> {
    let of_cluster = |labels: &BTreeMap<String, String>| {
        labels.contains_key(label::DATACENTER)
            && labels.get(label::CLUSTER_NAME) == Some(&cluster.name)
            && labels.get(label::CLUSTER_NAMESPACE) == Some(&cluster.namespace)
    };
    let home = match slices.get("") {
        Some(Ok(slices)) => slices.as_slice(),
        Some(Err(unknown)) => return Err(unknown.clone()),
        None => &[],
    };
    let services = context.local.services.list().into_iter();
    let in_namespace = services.filter(|(key, _)| key.namespace == cluster.namespace);
    let services = in_namespace.filter(|(_, service)| of_cluster(&service.labels));
    let alive = services.filter(|(_, service)| !context.graveyard.has(&service.uid));
    let slices = home
        .iter()
        .filter(|slice| slice.namespace == cluster.namespace && of_cluster(&slice.labels));
    let services = alive.map(|(_, service)| (*service).clone());
    let slices = slices.map(|slice| (**slice).clone());
    let namespace = &cluster.namespace;
    Ok(ContactPoints {
        services: services
            .chain(learnt.found_services(namespace).cloned())
            .collect(),
        slices: slices
            .chain(learnt.found_slices("", namespace).cloned())
            .collect(),
    })
}

/// Our seed slices for datacenters that are none of these sites.
fn strays(cluster: &Cluster, sites: &[Site], slices: &Slices) -> Vec<(String, Slice)> {
    let mut strays = Vec::new();
    for (plane, slices) in slices
        .iter()
        .filter_map(|(plane, slices)| Some((plane, slices.as_ref().ok()?)))
    {
        let ours = slices.iter().filter(|slice| {
            slice.label(label::CLUSTER_UID) == cluster.uid && slice.labels.contains_key(label::SEED_SLICE)
        });
        let known = |slice: &Slice| {
            sites.iter().any(|site| {
                site.name == slice.label(label::CASSANDRA_DATACENTER) && site.namespace == slice.namespace
            })
        };
        strays.extend(
            ours.filter(|slice| !known(slice))
                .map(|slice| (plane.clone(), (**slice).clone())),
        );
    }
    strays
}
