//! The whole life of a datacenter, in virtual time at pace 1.0 against an API server in memory.

mod changes;
mod creation;
mod deletion;
mod joining;
mod store;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::json::{condition, label, name, number, text};
use crate::names;
use crate::pace::Pace;
use crate::plane::Plane;
use crate::ring::{Replication, Rings};
use store::Store;

const DATACENTERS: &str = "/apis/cassandra.datastax.com/v1beta1/namespaces/ns/cassandradatacenters";
const TASKS: &str = "/apis/control.k8ssandra.io/v1alpha1/namespaces/ns/cassandratasks";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices";

/// One plane with one datacenter.
struct Stage {
    store: Store,
    plane: Arc<Plane>,
    name: String,
    began: Instant,
}

impl Stage {
    fn new(plane: &str, index: usize, rings: &Rings) -> Self {
        let store = Store::default();
        let clock = Clock::starting_at(jiff::Timestamp::UNIX_EPOCH);
        let pace = Pace::new(1.0, 7, 0.0);
        let plane = Plane::new(
            plane,
            index,
            store.client(),
            rings.clone(),
            pace,
            clock,
            CancellationToken::new(),
        );
        Self {
            store,
            plane,
            name: String::new(),
            began: Instant::now(),
        }
    }

    fn create(&mut self, datacenter: &Value) {
        self.name = name(datacenter).to_owned();
        self.began = Instant::now();
        self.store.ask(&Method::POST, DATACENTERS, datacenter.clone());
        self.ring();
    }

    fn edit(&self, patch: &Value) {
        let own = format!("{DATACENTERS}/{}", self.name);
        self.store.ask(&Method::PATCH, &own, patch.clone());
        self.ring();
    }

    fn delete(&self) {
        self.store.ask(
            &Method::DELETE,
            &format!("{DATACENTERS}/{}", self.name),
            Value::Null,
        );
        self.ring();
    }

    fn ring(&self) {
        self.plane.wake(("ns".into(), self.name.clone()), |reasons| {
            reasons.datacenter = true;
        });
    }

    fn dc(&self) -> Value {
        self.store
            .get("cassandradatacenters", &self.name)
            .unwrap_or_default()
    }

    /// Lets virtual time go on until `reached`, and returns the seconds since the last creation.
    async fn until(&self, reached: impl Fn(&Self) -> bool) -> f64 {
        let deadline = Instant::now() + Duration::from_secs(1000);
        while !reached(self) {
            assert!(
                Instant::now() < deadline,
                "not reached: {:#}\n{}",
                self.dc()["status"],
                self.plane.rings.lock().nodetool()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.began.elapsed().as_secs_f64()
    }

    async fn ready(&self) -> f64 {
        self.until(|stage| {
            let dc = stage.dc();
            number(&dc, "/metadata/generation") == number(&dc, "/status/observedGeneration")
                && text(&dc, "/status/cassandraOperatorProgress") == "Ready"
        })
        .await
    }

    /// The order in which conditions got their values.
    fn conditions(&self) -> Vec<String> {
        let mut known = json!({});
        let mut changes = Vec::new();
        for (_, plural, _, body) in self.store.writes() {
            for one in crate::json::list(&body, "/status/conditions")
                .iter()
                .filter(|_| plural == "cassandradatacenters")
            {
                let kind = text(one, "/type");
                if known[kind] != one["status"] {
                    known[kind] = one["status"].clone();
                    changes.push(format!("{kind}={}", text(one, "/status")));
                }
            }
        }
        changes
    }

    /// In order: which pods got which values of a label.
    fn labelled(&self, key: &str) -> Vec<String> {
        let of = |(_, _, pod, body): (String, String, String, Value)| {
            let value = body.pointer("/metadata/labels")?.get(key)?.as_str()?.to_owned();
            Some(format!("{pod} {value}"))
        };
        let writes = self.store.writes().into_iter();
        writes
            .filter(|(verb, plural, ..)| verb == "PATCH" && plural == "pods")
            .filter_map(of)
            .collect()
    }

    fn seeds(&self) -> Vec<String> {
        let seeds = self
            .store
            .all("pods")
            .into_iter()
            .filter(|pod| label(pod, names::SEED_NODE) == "true");
        seeds.map(|pod| text(&pod, "/status/podIP").to_owned()).collect()
    }
}

fn datacenter(name: &str, racks: &[&str], size: usize) -> Value {
    let racks: Vec<_> = racks.iter().map(|rack| json!({"name": rack})).collect();
    json!({
        "apiVersion": "cassandra.datastax.com/v1beta1",
        "kind": "CassandraDatacenter",
        "metadata": {"name": name},
        "spec": {
            "clusterName": "clus",
            "serverType": "cassandra",
            "serverVersion": "4.1.8",
            "size": size,
            "racks": racks,
            "storageConfig": {"cassandraDataVolumeClaimSpec": {"storageClassName": "standard"}},
        },
    })
}

fn slice(name: &str, service: &str, addresses: &[String]) -> Value {
    json!({
        "metadata": {"name": name, "labels": {names::SERVICE_NAME: service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": addresses}],
    })
}

const CREATED: [&str; 12] = [
    "Healthy=True",
    "ResizingVolumes=False",
    "Stopped=False",
    "ReplacingNodes=False",
    "Updating=False",
    "RollingRestart=False",
    "Resuming=False",
    "ScalingDown=False",
    "Valid=True",
    "Initialized=True",
    "Ready=True",
    "RequiresUpdate=False",
];
