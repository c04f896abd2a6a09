//! A world to decide on: a cluster and what was seen of it, changed one fact at a time.

use std::collections::{BTreeMap, BTreeSet};

use api::k8ssandra_cluster::CassandraDatacenterTemplate;
use api::names::{annotation, finalizer, reason};
use api::record::{Record, RecordState, Role};
use api::reports::{self, TopologyDatacenterReport, TopologyReport};
use api::seen::{Absence, PlaneId, Seen, Unknown};
use serde_json::{Value, json};

use crate::change::Ownership;
use crate::cluster::acts::{Act, ClusterPlan};
use crate::cluster::facts::{
    ClusterFacts, DatacenterFacts, LiveDatacenter, MarkedObject, Owner, ReplicatedFacts, SecretFacts,
    SeedSlice, data_digest, spec_digest,
};
use crate::cluster::plan;
use crate::datacenter::{self, DatacenterInput, DesiredDatacenter, References};
use crate::fixtures::cluster_of;

pub(super) struct World {
    pub facts: ClusterFacts,
}

pub(super) fn plane_id(context: &str) -> PlaneId {
    PlaneId(format!("id-of-{context}"))
}

pub(super) fn absent(context: &str, name: &str) -> Seen<LiveDatacenter> {
    Seen::Absent(Absence {
        plane: plane_id(context),
        kind: "CassandraDatacenter".to_owned(),
        namespace: "ns".to_owned(),
        name: name.to_owned(),
    })
}

/// Copies of the superuser's Secret in these places.
fn copies(places: BTreeSet<(String, String)>) -> BTreeMap<(String, String), String> {
    let mark = |place| (place, "s/1".to_owned());
    places.into_iter().map(mark).collect()
}

pub(super) fn unknown(context: &str) -> Unknown {
    Unknown {
        context: context.to_owned(),
        reason: reason::PLANE_UNREACHABLE.to_owned(),
        message: "it does not answer".to_owned(),
    }
}

impl World {
    /// dc1 in east, dc2 in west, three nodes each; nothing made yet, Secrets copied, both proven absent.
    pub fn new() -> World {
        World::of(json!([
            {"metadata": {"name": "dc1"}, "k8sContext": "east", "size": 3},
            {"metadata": {"name": "dc2"}, "k8sContext": "west", "size": 3},
        ]))
    }

    pub fn of(datacenters: Value) -> World {
        let kc = cluster_of(datacenters);
        let places: Vec<(String, String)> = kc
            .spec
            .cassandra
            .iter()
            .flat_map(|it| &it.datacenters)
            .map(|it| (it.name().to_owned(), it.k8s_context.clone()))
            .collect();
        let targets: BTreeSet<_> = places
            .iter()
            .map(|(_, context)| (context.clone(), "ns".to_owned()))
            .collect();
        let facts = ClusterFacts {
            kc,
            record: RecordState::None,
            control_plane: Ok(Some(plane_id(""))),
            planes: places
                .iter()
                .map(|(_, context)| (context.clone(), Ok(plane_id(context))))
                .collect(),
            grants: BTreeMap::new(),
            datacenters: places
                .iter()
                .map(|(name, context)| (name.clone(), place(name, context)))
                .collect(),
            references: BTreeMap::new(),
            secrets: BTreeMap::from([("demo-superuser".to_owned(), secret("s"))]),
            replicated: ReplicatedFacts::Present {
                goes_with_cluster: None,
                uid: "r".into(),
                resource_version: "1".into(),
                ours: true,
                selects: true,
                targets: targets.clone(),
                deleting: false,
                replicated: copies(targets),
            },
            topology: None,
            crd_deleting: None,
        };
        World { facts }
    }

    pub fn datacenter(&mut self, name: &str) -> &mut DatacenterFacts {
        self.facts.datacenters.get_mut(name).unwrap()
    }

    pub fn annotate(&mut self, key: &str, value: &str) {
        self.facts
            .kc
            .metadata
            .annotations
            .get_or_insert_default()
            .insert(key.to_owned(), value.to_owned());
    }

    /// Takes over what an act would have written on the cluster.
    pub fn write_record(&mut self) -> Record {
        let plan = plan(&self.facts);
        let Some(Act::WriteCluster {
            record,
            initial_system_replication,
            ..
        }) = plan.acts.first()
        else {
            panic!("no record is written: {:?}", sentences(&plan));
        };
        if let Some(replication) = initial_system_replication {
            self.annotate(annotation::INITIAL_SYSTEM_REPLICATION, replication);
        }
        self.facts.kc.metadata.finalizers = Some(vec![finalizer::CLUSTER.to_owned()]);
        self.facts.record = RecordState::Known(record.clone());
        record.clone()
    }

    pub fn record(&mut self) -> &mut Record {
        match &mut self.facts.record {
            RecordState::Known(record) => record,
            other => panic!("no record: {other:?}"),
        }
    }

    pub fn desired(&self, name: &str, role: Role) -> DesiredDatacenter {
        self.desired_with(name, role, &self.references(name))
    }

    fn references(&self, name: &str) -> References {
        self.facts.references.get(name).cloned().unwrap_or_default()
    }

    fn desired_with(&self, name: &str, role: Role, references: &References) -> DesiredDatacenter {
        datacenter::build(&DatacenterInput {
            kc: &self.facts.kc,
            datacenter: name,
            all: None,
            role,
            initial_system_replication: Some(&BTreeMap::from([("dc1".to_owned(), 3)])),
            control_plane_id: Some("id-of-"),
            references,
            live: None,
        })
        .unwrap()
    }

    /// A datacenter that we made as the spec now says, ready.
    pub fn make(&mut self, name: &str, role: Role) {
        self.make_with(name, role, &self.references(name));
    }

    /// The same, of one that refers to something.
    pub fn make_with(&mut self, name: &str, role: Role, references: &References) {
        let desired = self.desired_with(name, role, references);
        let live = LiveDatacenter {
            uid: format!("uid-of-{name}"),
            resource_version: "5".into(),
            deleting: false,
            owner: Owner::Ours,
            role: Some(role),
            input_hash: Some(desired.input_hash.clone()),
            ownership: Ownership::default(),
            paused: false,
            spec_digest: spec_digest(&desired.spec),
            binding: datacenter::LiveDatacenter {
                name: name.into(),
                labels: desired.labels,
                annotations: desired.annotations,
                spec: desired.spec,
            },
            cluster_generation: Some(7),
            decommission_on_delete: false,
            cluster_name: "demo".into(),
            cassandra_name: name.into(),
            stopped_wanted: false,
            started: true,
            initialized: true,
            settled: true,
            in_work: false,
            secrets_seen: None,
            addresses: BTreeSet::from([format!("198.18.0.{}", name.len())]),
        };
        let maps = desired.config_maps.iter().map(|map| {
            let marked = MarkedObject {
                uid: format!("uid-of-{}", map.name),
                resource_version: "4".into(),
                digest: data_digest(&map.data),
                shared: map.shared,
                content: None,
            };
            (map.name.clone(), marked)
        });
        let maps = maps.collect();
        let datacenter = self.datacenter(name);
        datacenter.config_maps = Seen::Present(maps);
        datacenter.object = Seen::Present(live);
    }

    /// A datacenter whose spec an older version of ours wrote, but for this.
    pub fn written_before(&mut self, name: &str, write: impl FnOnce(&mut Value)) {
        let live = self.live(name);
        write(&mut live.binding.spec);
        live.spec_digest = spec_digest(&live.binding.spec);
    }

    /// An annotation of a datacenter.
    pub fn note(&mut self, name: &str, key: &str, value: &str) {
        let annotations = &mut self.live(name).binding.annotations;
        annotations.insert(key.to_owned(), value.to_owned());
    }

    pub fn live(&mut self, name: &str) -> &mut LiveDatacenter {
        match &mut self.datacenter(name).object {
            Seen::Present(live) => live,
            other => panic!("{name} is not there: {other:?}"),
        }
    }

    /// dc1 made, ready and in the record.
    pub fn founded() -> World {
        let mut world = World::new();
        world.write_record();
        world.make("dc1", Role::Founder);
        world.write_record();
        world
    }

    /// Both made, ready, joined and in the record.
    pub fn complete() -> World {
        let mut world = World::founded();
        world.make("dc2", Role::Rebuild);
        world.write_record();
        world.record().datacenters.get_mut("dc2").unwrap().joined = true;
        world
    }

    /// The joining slice of dc2 with an address of dc1.
    pub fn seeds_for_dc2(&mut self) {
        let addresses = self.live("dc1").addresses.clone();
        let slice = SeedSlice {
            name: "demo-dc2-additional-seed-service-ipv4".into(),
            uid: "u".into(),
            resource_version: "1".into(),
            serves: "dc2".into(),
            joining: true,
            addresses,
            sources: BTreeMap::from([("dc1".to_owned(), "uid-of-dc1".to_owned())]),
        };
        self.datacenter("dc2").seed_slices = Seen::Present(vec![slice]);
    }

    /// The datacenters of the spec.
    pub fn templates(&mut self) -> &mut Vec<CassandraDatacenterTemplate> {
        let cassandra = self.facts.kc.spec.cassandra.as_mut();
        &mut cassandra.expect("it is given").datacenters
    }

    /// Takes a datacenter out of the spec.
    pub fn drop_from_spec(&mut self, name: &str) {
        self.templates().retain(|it| it.name() != name);
        self.facts.kc.metadata.generation = Some(8);
    }

    /// Somebody deletes the cluster.
    pub fn delete(&mut self) {
        self.facts.kc.metadata.deletion_timestamp =
            Some(serde_json::from_value("2026-01-01T00:00:00Z".into()).unwrap());
        self.facts.crd_deleting = Some(false);
    }

    /// The ReplicatedSecret names these contexts, and the copies are there.
    pub fn copied_to(&mut self, contexts: &[&str]) {
        let places: BTreeSet<_> = contexts
            .iter()
            .map(|context| ((*context).to_owned(), "ns".to_owned()))
            .collect();
        if let ReplicatedFacts::Present {
            targets, replicated, ..
        } = &mut self.facts.replicated
        {
            (*targets, *replicated) = (places.clone(), copies(places));
        }
    }

    /// The ReplicatedSecret names this place, and the copies are there.
    pub fn copied_in(&mut self, context: &str, namespace: &str) {
        let places = BTreeSet::from([(context.to_owned(), namespace.to_owned())]);
        if let ReplicatedFacts::Present {
            targets, replicated, ..
        } = &mut self.facts.replicated
        {
            (*targets, *replicated) = (places.clone(), copies(places));
        }
    }

    /// The copies are of these versions of Secrets.
    pub fn copies_are_of(&mut self, marks: &str) {
        if let ReplicatedFacts::Present { replicated, .. } = &mut self.facts.replicated {
            for copied in replicated.values_mut() {
                marks.clone_into(copied);
            }
        }
    }

    /// What topology says of a datacenter that left the spec.
    pub fn may_be_deleted(&mut self, name: &str, answer: bool) {
        let report = TopologyDatacenterReport {
            uid: format!("uid-of-{name}"),
            plane_id: self.record().datacenters[name].plane_id.clone(),
            joined: true,
            may_be_deleted: Some(answer),
            not_serving: Vec::new(),
        };
        self.facts.topology = Some(TopologyReport {
            format: reports::FORMAT,
            observed_generation: 8,
            datacenters: BTreeMap::from([(name.to_owned(), report)]),
            ..TopologyReport::default()
        });
    }
}

/// A Secret that is as it must be.
pub(super) fn secret(uid: &str) -> SecretFacts {
    SecretFacts::Present {
        goes_with_cluster: None,
        uid: uid.to_owned(),
        resource_version: "1".into(),
        labelled: true,
        missing_keys: Vec::new(),
    }
}

fn place(name: &str, context: &str) -> DatacenterFacts {
    DatacenterFacts {
        context: context.to_owned(),
        namespace: "ns".to_owned(),
        object: absent(context, name),
        last_settled: None,
        seed_slices: Seen::Present(Vec::new()),
        stale_seed_slice: None,
        config_maps: Seen::Present(BTreeMap::new()),
        addons: None,
        per_node_config: None,
    }
}

/// A ConfigMap that carries our mark.
pub(super) fn marked(digest: &str) -> MarkedObject {
    MarkedObject {
        uid: "u".into(),
        resource_version: "3".into(),
        digest: digest.into(),
        shared: false,
        content: None,
    }
}

/// Names of the ConfigMaps that would be deleted.
pub(super) fn deleted_config_maps(world: &World) -> Vec<String> {
    let acts = plan(&world.facts).acts.into_iter();
    let names = acts.filter_map(|act| match act {
        Act::DeleteLeftovers { config_maps, .. } => Some(config_maps),
        _ => None,
    });
    names.flatten().map(|(name, ..)| name).collect()
}

pub(super) fn sentences(plan: &ClusterPlan) -> Vec<String> {
    plan.acts.iter().map(Act::sentence).collect()
}

pub(super) fn reasons(plan: &ClusterPlan) -> Vec<&str> {
    plan.acts.iter().map(Act::reason).collect()
}

pub(super) fn holds(plan: &ClusterPlan) -> Vec<(&str, Option<&str>)> {
    plan.report
        .holds
        .iter()
        .map(|hold| (hold.reason.as_str(), hold.datacenter.as_deref()))
        .collect()
}
