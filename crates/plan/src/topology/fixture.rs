//! A cluster `demo` in namespace `db`: dc1 in plane east, dc2 in plane west, and a stand-in that carries plans out.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use api::cass_operator::CassandraDatacenter;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::{DatacenterRecord, Record, RecordState, Role};
use api::reports::TopologyReport;
use api::seen::{Absence, PlaneId, Seen, Unknown};

use super::*;

/// Plans.
pub(super) fn planned(input: &TopologyInput) -> TopologyPlan {
    plan(input)
}

/// Sentences of the acts that are due.
pub(super) fn sentences(input: &TopologyInput) -> Vec<String> {
    plan(input).acts.iter().map(Act::sentence).collect()
}

/// Reasons of the holds.
pub(super) fn holds(input: &TopologyInput) -> Vec<String> {
    let report = plan(input).report.unwrap();
    report.holds.into_iter().map(|hold| hold.reason).collect()
}

pub(super) fn kc(annotations: &Value) -> K8ssandraCluster {
    serde_json::from_value(json!({
        "apiVersion": "k8ssandra.io/v1alpha1",
        "kind": "K8ssandraCluster",
        "metadata": {
            "name": "demo", "namespace": "db", "uid": "kc-uid", "generation": 1, "resourceVersion": "7",
            "annotations": annotations,
        },
        "spec": { "cassandra": {
            "serverVersion": "5.0.4",
            "metadata": { "commonLabels": { "team": "blue" } },
            "datacenters": [
                { "metadata": { "name": "dc1" }, "k8sContext": "east", "size": 3 },
                { "metadata": { "name": "dc2" }, "k8sContext": "west", "size": 3 },
            ],
        } },
    }))
    .unwrap()
}

pub(super) fn unknown(context: &str) -> Unknown {
    Unknown {
        context: context.to_owned(),
        reason: "PlaneUnreachable".to_owned(),
        message: "it does not answer".to_owned(),
    }
}

pub(super) fn absent(name: &str) -> Absence {
    Absence {
        plane: PlaneId("p".to_owned()),
        kind: "CassandraDatacenter".to_owned(),
        namespace: "db".to_owned(),
        name: name.to_owned(),
    }
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The n-th datacenter as cass-operator leaves it: three nodes, Ready.
pub(super) fn ready(n: usize) -> Datacenter {
    datacenter(
        n,
        "True",
        &json!({
            "p0": { "hostID": format!("h{n}0"), "ip": format!("198.18.{n}.10"), "rack": "r1" },
            "p1": { "hostID": format!("h{n}1"), "ip": format!("198.18.{n}.11"), "rack": "r2" },
            "p2": { "hostID": format!("h{n}2"), "ip": format!("198.18.{n}.12"), "rack": "r3" },
        }),
    )
}

/// The n-th datacenter, just created.
pub(super) fn created(n: usize) -> Datacenter {
    datacenter(n, "False", &json!({}))
}

fn datacenter(n: usize, state: &str, nodes: &Value) -> Datacenter {
    let object: CassandraDatacenter = serde_json::from_value(json!({
        "metadata": {
            "name": format!("dc{n}"), "namespace": "db", "uid": format!("uid-dc{n}"), "generation": 2,
            "labels": { "k8ssandra.io/cluster-name": "demo", "k8ssandra.io/cluster-namespace": "db" },
            "annotations": { "ringspan.io/cluster-uid": "kc-uid", "ringspan.io/cluster-generation": "1" },
        },
        "spec": { "clusterName": "demo", "size": 3 },
        "status": {
            "observedGeneration": 2, "cassandraOperatorProgress": "Ready", "nodeStatuses": nodes,
            "conditions": [
                { "type": "Initialized", "status": state, "lastTransitionTime": "2026-01-01T00:00:00Z" },
                { "type": "Ready", "status": state, "lastTransitionTime": "2026-01-01T00:00:00Z" },
            ],
        },
    }))
    .unwrap();
    Datacenter::of(&object)
}

pub(super) fn seeds(n: usize) -> Vec<SeedPod> {
    let pod = |node: usize| SeedPod {
        name: format!("p{node}"),
        addresses: vec![ip(&format!("198.18.{n}.1{node}"))],
        management_port: None,
    };
    (0..3).map(pod).collect()
}

/// The slice of the all-pods service of the n-th datacenter.
pub(super) fn all_pods(n: usize) -> Slice {
    let endpoints = [0, 1, 2].map(|node| json!({ "addresses": [format!("198.18.{n}.1{node}")] }));
    slice(&json!({
        "metadata": {
            "name": format!("demo-dc{n}-all-pods-service-x"), "namespace": "db", "uid": format!("uid-pods-{n}"),
            "labels": {
                "kubernetes.io/service-name": format!("demo-dc{n}-all-pods-service"),
                "k8ssandra.io/cluster-name": "demo", "k8ssandra.io/cluster-namespace": "db",
            },
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{ "name": "native", "port": 9042, "protocol": "TCP" }],
    }))
}

/// An EndpointSlice as its JSON says.
pub(super) fn slice(object: &Value) -> Slice {
    let texts = |at: &str| -> BTreeMap<String, String> {
        object
            .pointer(at)
            .map(|map| serde_json::from_value(map.clone()).unwrap())
            .unwrap_or_default()
    };
    let addresses = object["endpoints"].as_array().unwrap().iter();
    let addresses = addresses.flat_map(|endpoint| endpoint["addresses"].as_array().unwrap());
    Slice {
        name: object["metadata"]["name"].as_str().unwrap().to_owned(),
        namespace: object["metadata"]["namespace"].as_str().unwrap().to_owned(),
        uid: object["metadata"]["uid"]
            .as_str()
            .unwrap_or("uid-slice")
            .to_owned(),
        resource_version: "5".to_owned(),
        labels: texts("/metadata/labels"),
        annotations: texts("/metadata/annotations"),
        owners: owners(object),
        family: Family::parse(object["addressType"].as_str().unwrap()).unwrap(),
        addresses: addresses.map(|address| ip(address.as_str().unwrap())).collect(),
        not_serving: std::collections::BTreeSet::new(),
        ports: ports(&object["ports"]),
    }
}

fn owners(object: &Value) -> Vec<Owner> {
    let owners = object["metadata"]["ownerReferences"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let text = |owner: &Value, key: &str| owner[key].as_str().unwrap().to_owned();
    owners
        .iter()
        .map(|owner| Owner {
            kind: text(owner, "kind"),
            uid: text(owner, "uid"),
        })
        .collect()
}

fn ports(ports: &Value) -> Vec<Port> {
    let port = |port: &Value| Port {
        name: port["name"].as_str().unwrap().to_owned(),
        port: i32::try_from(port["port"].as_i64().unwrap()).unwrap(),
        protocol: "TCP".to_owned(),
    };
    ports.as_array().into_iter().flatten().map(port).collect()
}

pub(super) fn recorded(role: Role, n: usize) -> DatacenterRecord {
    DatacenterRecord {
        role,
        plane_id: PlaneId(format!("plane-{n}")),
        namespace: "db".to_owned(),
        uid: Some(format!("uid-dc{n}")),
        joined: false,
        leaving: None,
        found: None,
    }
}

fn empty_site(n: usize, cluster: &Cluster) -> Site {
    Site {
        name: format!("dc{n}"),
        context: ["", "east", "west", "north"][n].to_owned(),
        namespace: "db".to_owned(),
        plane: Some(PlaneId(format!("plane-{n}"))),
        spec: cluster.datacenter(&format!("dc{n}")).cloned(),
        record: None,
        seen: Seen::NotListed,
        seeds: Ok(Vec::new()),
        slices: Ok(Vec::new()),
        pods: Ok(Vec::new()),
        rebuild: Seen::NotListed,
    }
}

/// Nothing is there but the cluster, and dc1 is chosen to found the ring.
pub(super) fn nothing() -> TopologyInput {
    let cluster = Cluster::of(&kc(&json!({})));
    let mut input = TopologyInput {
        sites: vec![empty_site(1, &cluster), empty_site(2, &cluster)],
        cluster,
        contact_points: Ok(ContactPoints::default()),
        strays: Vec::new(),
        answers: Answers::default(),
    };
    let mut record = Record::new("kc-uid");
    record.founder = Some("dc1".to_owned());
    input.cluster.record = RecordState::Known(record);
    input.sites[0].record = Some(DatacenterRecord {
        uid: None,
        ..recorded(Role::Founder, 1)
    });
    input
}

/// cass-operator brings the n-th datacenter up.
pub(super) fn bring_up(input: &mut TopologyInput, n: usize) {
    let site = &mut input.sites[n - 1];
    let role = if n == 1 { Role::Founder } else { Role::Rebuild };
    site.record = Some(recorded(role, n));
    site.seen = Seen::Present(ready(n));
    site.seeds = Ok(seeds(n));
    site.pods = Ok(vec![all_pods(n)]);
}

/// Carries the plan out on what was seen, asks a ring that is as it should be, and plans again until nothing is
/// left. Returns the sentences of all writes.
pub(super) fn converge(input: &mut TopologyInput) -> Vec<String> {
    let mut ring = FakeRing::default();
    let mut written = Vec::new();
    for _ in 0..10 {
        let plan = plan(input);
        input.cluster.report.clone_from(&plan.report);
        if plan.acts.is_empty() && plan.asks.is_empty() {
            input.answers = Answers::default();
            return written;
        }
        for act in &plan.acts {
            written.push(act.sentence());
            perform(input, &mut ring, act);
            if matches!(act, Act::Replicate { .. }) {
                // What was read before is no longer true.
                input.answers = Answers::default();
            }
        }
        plan.asks.iter().for_each(|ask| ring.answer(input, ask));
    }
    panic!("no end: {:?}", plan(input));
}

#[derive(Default)]
struct FakeRing {
    keyspaces: BTreeMap<String, BTreeMap<String, u32>>,
}

impl FakeRing {
    fn answer(&self, input: &mut TopologyInput, ask: &Ask) {
        let keyspaces: Keyspaces = self
            .keyspaces
            .iter()
            .map(|(name, factors)| (name.clone(), replicas(factors)))
            .collect();
        let nodes = input.sites.iter().filter_map(|site| site.seen.present());
        let ring: Ring = nodes.flat_map(Datacenter::host_ids).map(str::to_owned).collect();
        let answers = &mut input.answers;
        match ask {
            Ask::Datacenter(name) => {
                let site = input.sites.iter_mut().find(|site| site.name == *name).unwrap();
                site.seen = Seen::Absent(absent(name));
            }
            Ask::Ring(of) => drop(answers.rings.insert(of.clone(), Ok(ring))),
            Ask::Agreement(via) => drop(answers.agreement.insert(via.clone(), Ok(agreed()))),
            Ask::System { via, .. } => drop(answers.system.insert(via.clone(), Ok(keyspaces))),
            Ask::Keyspaces(via) => drop(answers.keyspaces.insert(via.clone(), Ok(keyspaces))),
        }
    }
}

/// All nodes have one version.
pub(super) fn agreed() -> Schema {
    Schema {
        versions: vec![vec!["198.18.1.10".to_owned()]],
        unreachable: Vec::new(),
    }
}

pub(super) fn replicas(factors: &BTreeMap<String, u32>) -> Replicas {
    Replicas {
        by_datacenter: factors.clone(),
        full: Some(factors.clone()),
    }
}

fn perform(input: &mut TopologyInput, ring: &mut FakeRing, act: &Act) {
    match act {
        Act::Create {
            at,
            kind,
            name,
            object,
        }
        | Act::Apply {
            at,
            kind,
            name,
            object,
            ..
        } => {
            write(input, at, *kind, name, object);
        }
        Act::Delete { at, name, .. } => {
            let site = input
                .sites
                .iter_mut()
                .find(|site| site.name == at.datacenter)
                .unwrap();
            site.slices.as_mut().unwrap().retain(|slice| slice.name != *name);
            let contact_points = input.contact_points.as_mut().unwrap();
            contact_points.services.retain(|service| service.name != *name);
            contact_points.slices.retain(|slice| slice.name != *name);
        }
        Act::Replicate {
            keyspace, factors, ..
        } => drop(ring.keyspaces.insert(keyspace.clone(), factors.clone())),
    }
}

fn write(input: &mut TopologyInput, at: &Where, kind: Kind, name: &str, object: &Value) {
    let site = input
        .sites
        .iter_mut()
        .find(|site| site.name == at.datacenter)
        .unwrap();
    let contact_points = input.contact_points.as_mut().unwrap();
    match kind {
        Kind::EndpointSlice => {
            let slices = if at.context.is_empty() {
                &mut contact_points.slices
            } else {
                site.slices.as_mut().unwrap()
            };
            slices.retain(|slice| slice.name != *name);
            slices.push(slice(object));
        }
        Kind::Service => {
            let like = slice(&json!({
                "metadata": object["metadata"], "addressType": "IPv4", "endpoints": [], "ports": object["spec"]["ports"],
            }));
            contact_points.services.retain(|service| service.name != *name);
            contact_points.services.push(Headless {
                name: like.name,
                uid: "uid-service".to_owned(),
                resource_version: like.resource_version,
                labels: like.labels,
                annotations: like.annotations,
                owners: like.owners,
                ports: like.ports,
            });
        }
        Kind::CassandraTask => {
            let nodes = object["metadata"]["labels"]["k8ssandra.io/rebuild-nodes"]
                .as_str()
                .unwrap();
            site.rebuild = Seen::Present(RebuildTask {
                owners: owners(object),
                nodes: Some(nodes.parse().unwrap()),
                ..RebuildTask::default()
            });
        }
    }
}

/// cass-operator finishes the rebuild of the n-th datacenter.
pub(super) fn finish_rebuild(input: &mut TopologyInput, n: usize) {
    let Seen::Present(task) = &mut input.sites[n - 1].rebuild else {
        panic!("no task")
    };
    task.succeeded = task.nodes.unwrap();
}

/// Both datacenters are up, joined and written down.
pub(super) fn two_datacenters() -> TopologyInput {
    let mut input = nothing();
    bring_up(&mut input, 1);
    converge(&mut input);
    bring_up(&mut input, 2);
    converge(&mut input);
    finish_rebuild(&mut input, 2);
    converge(&mut input);
    input
}

/// The last report.
pub(super) fn report(input: &TopologyInput) -> TopologyReport {
    plan(input).report.unwrap()
}
