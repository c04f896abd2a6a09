//! The stand-in on an API server in memory, driven as the recorded operator was.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use fake_apiserver::{Definitions, Options, Server, User, Write};
use fake_datacenter::clock::Clock;
use fake_datacenter::management::{Call, Management};
use fake_datacenter::pace::Pace;
use fake_datacenter::plane::Plane;
use fake_datacenter::ring::{Boot, Rings};
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::catalogue::Scenario;
use crate::driver::{Act, Entry, plan};
use crate::lines::{self, Line};
use crate::observed;
use crate::recording::Recording;
use crate::times::{Times, beginning};

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| {
    let own = fake_datacenter::crds::manifests();
    Definitions::built_in().with(&own).unwrap()
});

/// How much longer than recorded something may take before it counts as never.
const PATIENCE: Duration = Duration::from_mins(5);

/// One run.
pub struct Stage {
    pub(crate) server: Server,
    pub(crate) rings: Rings,
    plane: Arc<Plane>,
    stop: CancellationToken,
    writes: Arc<Mutex<Vec<(Instant, Write)>>>,
    began: Instant,
}

/// What the stand-in did in one scenario, in recorded time.
pub struct Played {
    /// What happened.
    pub lines: Vec<Line>,
    /// All objects, where the recording has them.
    pub states: Vec<(usize, Vec<Value>)>,
    /// When the driver's waits ended; nothing: never.
    pub reached: Vec<(String, f64, Option<f64>)>,
    /// How its time is read.
    pub times: Times,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Stage {
    /// An empty API server with the stand-in on it.
    pub fn new() -> Self {
        let began = Instant::now();
        let server = Server::new(Options {
            definitions: DEFINITIONS.clone(),
            ..Options::default()
        });
        let operator = User {
            name: "cass-operator".into(),
            groups: vec!["system:masters".into()],
        };
        let client = kube::Client::new(server.service(operator), "default");
        let (rings, stop) = (Rings::default(), CancellationToken::new());
        let plane = Plane::new(
            "east",
            0,
            client,
            rings.clone(),
            Pace::as_recorded(),
            Clock::starting_at(beginning()),
            stop.clone(),
        );
        tokio::spawn(Arc::clone(&plane).run());
        let writes: Arc<Mutex<Vec<_>>> = Arc::default();
        let log = Arc::clone(&writes);
        server.on_write(Arc::new(move |write| {
            log.lock().unwrap().push((Instant::now(), write.clone()));
        }));
        Self {
            server,
            rings,
            plane,
            stop,
            writes,
            began,
        }
    }

    /// Does what the driver did.
    pub async fn play(&self, scenario: &Scenario, recording: &Recording) -> Played {
        for namespace in recording.namespaces() {
            self.create_namespace(&namespace);
        }
        for (namespace, datacenter, number) in recording.forgotten_quiet_periods() {
            self.rings
                .lock()
                .forget_quiet_period(&namespace, &datacenter, number);
        }
        if scenario.any_source {
            self.rings.lock().accept_any_source();
        }
        if scenario.probes_fail {
            self.rings.lock().fail_quorum_probes(true);
        }
        // The watches begin.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut times = Times::starting(self.began);
        let mut last = (Instant::now(), 0.0);
        let (mut reached, mut states) = (Vec::new(), Vec::new());
        let first_write = self.writes.lock().unwrap().len();
        let (first_call, first_up) = {
            let world = self.rings.lock();
            (world.calls().len(), world.ups().len())
        };
        let plan = plan(scenario, recording);
        let final_look = plan
            .iter()
            .rposition(|(_, entry)| matches!(entry, Entry::Reached(_)));
        for (number, (t, entry)) in plan.into_iter().enumerate() {
            if let Entry::Reached(label) = entry {
                if Some(number) == final_look {
                    tokio::time::sleep(Duration::from_secs(scenario.pause)).await;
                }
                let limit = last.0 + Duration::from_secs_f64(t - last.1) + PATIENCE;
                let when = self.until(recording, &label, limit).await;
                reached.push((label, t, when.map(|when| times.recorded(when))));
                last = (Instant::now(), t);
                continue;
            }
            tokio::time::sleep_until(last.0 + Duration::from_secs_f64((t - last.1).max(0.0))).await;
            last = (Instant::now(), t);
            match entry {
                Entry::State(number) => states.push((number, self.objects(recording))),
                Entry::Ask(line) => {
                    times.step(t);
                    self.ask(recording, &line);
                }
                Entry::Act(act) => {
                    times.step(t);
                    self.act(recording, &act);
                }
                Entry::InVain(label) if crate::reached::is_so(&self.server, recording, &label) => {
                    reached.push((label, f64::INFINITY, Some(t)));
                }
                Entry::InVain(_) | Entry::Reached(_) => {}
            }
        }
        let rest = (recording.end() - last.1).max(0.0) + crate::compare::TOLERANCE;
        tokio::time::sleep(Duration::from_secs_f64(rest)).await;
        Played {
            lines: self.lines(recording, &times, first_write, first_call, first_up),
            states,
            reached,
            times,
        }
    }

    /// What a node that is up says of its management API.
    pub fn features(&self) -> Option<Value> {
        let node = self.rings.lock().ups().last()?.node.clone();
        let pod = self.server.get("v1", "pods", &node.namespace, &node.pod)?;
        let address = pod["status"]["podIP"].as_str()?.parse().ok()?;
        let management = Management::new(self.rings.clone(), Pace::as_recorded());
        let call = Call {
            method: &Method::GET,
            path: "/api/v0/metadata/versions/features",
            query: "",
            body: Value::Null,
        };
        serde_json::from_str(&management.answer(address, &call).body).ok()
    }

    /// How many writes there were so far.
    pub fn writes_so_far(&self) -> usize {
        self.writes.lock().unwrap().len()
    }

    /// The writes from a number on.
    pub fn writes_from(&self, first: usize) -> Vec<Write> {
        let writes = self.writes.lock().unwrap();
        writes[first..].iter().map(|(_, write)| write.clone()).collect()
    }

    /// Makes a namespace.
    pub fn create_namespace(&self, name: &str) {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.request(&Method::POST, "/api/v1/namespaces", &object);
    }

    /// A request of the driver, as it was traced.
    fn ask(&self, recording: &Recording, line: &Value) {
        let text = |key: &str| line[key].as_str().unwrap_or_default();
        let mut body = line["request"].clone();
        self.place_addresses(recording, &mut body);
        if text("resource") == "secrets" {
            for value in body["data"]
                .as_object_mut()
                .into_iter()
                .flat_map(|data| data.values_mut())
            {
                *value = BASE64_STANDARD.encode(value.as_str().unwrap_or_default()).into();
            }
        }
        let all = format!(
            "{}/namespaces/{}/{}",
            root(text("resource")),
            text("ns"),
            text("resource")
        );
        let own = format!("{all}/{}", text("name"));
        match text("verb") {
            "create" => self.request(&Method::POST, &all, &body),
            "patch" => self.request(&Method::PATCH, &own, &body),
            "delete" => self.request(&Method::DELETE, &own, &Value::Null),
            verb => panic!("{}: the driver's verb {verb}", recording.name),
        }
    }

    /// A request of the driver that must be accepted.
    pub fn request(&self, method: &Method, path: &str, body: &Value) {
        assert!(
            self.try_request(method, path, body),
            "{method} {path} was refused"
        );
    }

    /// A request of the driver, and whether it was accepted. What is there already counts as made.
    pub fn try_request(&self, method: &Method, path: &str, body: &Value) -> bool {
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let kind = if *method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .header("user-agent", "driver")
            .body(bytes)
            .unwrap();
        let answer = self.server.answer(&User::admin(), &request);
        answer.status.is_success() || answer.status == 409
    }

    /// Puts the stand-in's addresses where the recorder's were.
    fn place_addresses(&self, recording: &Recording, value: &mut Value) {
        match value {
            Value::Object(map) => map
                .values_mut()
                .for_each(|value| self.place_addresses(recording, value)),
            Value::Array(list) => list
                .iter_mut()
                .for_each(|value| self.place_addresses(recording, value)),
            Value::String(text) if text.starts_with("ip-") => *text = self.address(recording, text),
            _ => {}
        }
    }

    /// The address of the pod that had this one in the recording; of a seed of another scenario when it is not in this one.
    fn address(&self, recording: &Recording, recorded: &str) -> String {
        let had = |line: &&Value| line["ip"] == recorded && line["event"] == "running";
        let pod = recording.nodes.iter().find(had).map(|line| &line["pod"]);
        let pods = self.server.all("v1", "pods");
        let is_it = |object: &&Arc<Value>| match pod {
            Some(pod) => object["metadata"]["name"] == *pod,
            None => object["metadata"]["labels"]["cassandra.datastax.com/seed-node"] == "true",
        };
        let found = pods.iter().find(is_it);
        let found = found.unwrap_or_else(|| panic!("{}: whose address is {recorded}?", recording.name));
        found["status"]["podIP"].as_str().unwrap_or_default().to_owned()
    }

    fn act(&self, recording: &Recording, act: &Act) {
        match act {
            Act::QuorumProbesFail => self.rings.lock().fail_quorum_probes(true),
            Act::Readiness { rack, ready } => {
                let namespaces = recording.namespaces();
                for pod in self.server.all("v1", "pods") {
                    let (ns, name) = (&pod["metadata"]["namespace"], &pod["metadata"]["name"]);
                    let (ns, name) = (ns.as_str().unwrap_or_default(), name.as_str().unwrap_or_default());
                    if namespaces.iter().any(|known| known == ns) && name.contains(rack.as_str()) {
                        self.plane.impair(ns, name, !ready);
                    }
                }
            }
        }
    }

    /// Looks twice a second, as the driver did, whether something is so.
    async fn until(&self, recording: &Recording, label: &str, limit: Instant) -> Option<Instant> {
        while Instant::now() < limit {
            if crate::reached::is_so(&self.server, recording, label) {
                return Some(Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        None
    }

    fn objects(&self, recording: &Recording) -> Vec<Value> {
        let namespaces = recording.namespaces();
        let here = |object: &&Arc<Value>| {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            namespaces.iter().any(|known| known == namespace)
        };
        let all = self.server.snapshot();
        all.iter()
            .filter(here)
            .map(|object| Value::clone(object))
            .collect()
    }

    fn lines(
        &self,
        recording: &Recording,
        times: &Times,
        first_write: usize,
        first_call: usize,
        first_up: usize,
    ) -> Vec<Line> {
        let namespaces = recording.namespaces();
        let here = |ns: &str| namespaces.iter().any(|known| known == ns);
        let mut lines = Vec::new();
        let world = self.rings.lock();
        for call in world.calls()[first_call..]
            .iter()
            .filter(|call| here(&call.node.namespace))
        {
            let t = times.recorded(call.at);
            lines.push(lines::made_call(
                t,
                &call.node.namespace,
                &call.node.pod,
                &call.what,
            ));
        }
        for up in world.ups()[first_up..]
            .iter()
            .filter(|up| here(&up.node.namespace))
        {
            let words = match up.how {
                Boot::Founded => "up: founded a ring",
                Boot::Joined(_) => "up: joined a ring",
                _ => "up: back in its ring",
            };
            lines.push(lines::node(
                times.recorded(up.at),
                &up.node.namespace,
                &up.node.pod,
                words,
            ));
        }
        drop(world);
        for (at, write) in &self.writes.lock().unwrap()[first_write..] {
            if here(&write.namespace) {
                lines.extend(observed::lines_of(times.recorded(*at), write));
            }
        }
        lines.sort_by(|one, other| one.t.total_cmp(&other.t));
        lines
    }
}

/// Where a kind is.
pub fn root(resource: &str) -> &'static str {
    match resource {
        "cassandradatacenters" => "/apis/cassandra.datastax.com/v1beta1",
        "cassandratasks" => "/apis/control.k8ssandra.io/v1alpha1",
        "endpointslices" => "/apis/discovery.k8s.io/v1",
        "statefulsets" => "/apis/apps/v1",
        _ => "/api/v1",
    }
}
