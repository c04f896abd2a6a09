//! One datacenter on one API server: its operator, its StatefulSet controller and its kubelet in one loop.
//!
//! The loop reads what the server has, lets the machines take their next step, lets the operator take its next
//! step, and sleeps until something is due or rings. Everything that outlives the loop is on the server or in the rings.

mod adoption;
mod deletion;
mod kubelet;
mod machines;
mod operator;
mod restarts;
mod rolling;
mod scaling;
mod seeds;
mod slices;
mod starting;
mod status;
mod tasks;
#[cfg(test)]
mod tests;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::apiserver::{ApiError, kinds};
use crate::json::{self, label};
use crate::names;
use crate::objects::Dc;
use crate::plane::{Bell, Key, Plane, Reasons};
use crate::ring::NodeId;

use machines::Machine;

/// Plays one datacenter.
pub struct Actor {
    plane: Arc<Plane>,
    key: Key,
    bell: Arc<Bell>,
    /// Running pods by uid.
    machines: BTreeMap<String, Machine>,
    /// Claims that were seen, by uid.
    claims: BTreeMap<String, String>,
    /// Digests of the slices that were written, by service.
    slices: BTreeMap<String, u64>,
    memory: Memory,
    adopted: bool,
    failures: u32,
}

/// What the operator remembers between its passes.
#[derive(Default)]
struct Memory {
    /// When it wants to look again.
    due: Option<Instant>,
    /// Until when it does nothing.
    quiet_until: Option<Instant>,
    /// When it last started a node.
    last_start: Option<Instant>,
    /// The next pass does not keep the quiet period.
    hasty: bool,
    /// It has changed a service: that wakes it once more.
    echo: bool,
    /// The digests on the StatefulSets as it knows them, by name.
    digests: BTreeMap<String, String>,
    /// It gave up until the datacenter itself changes.
    gave_up: bool,
    /// When the task at hand is to be looked at again.
    task_due: Option<Instant>,
    /// Pods that a rolling restart has still to delete, by uid.
    to_restart: BTreeSet<String>,
    /// Pods that are being replaced, with the uids that they had.
    replaced: BTreeMap<String, String>,
    /// Nothing of the status was written yet in this pass.
    fresh: AtomicBool,
    /// Starts that were tried, to give each its own luck.
    starts: u64,
}

/// What the API server has of this datacenter.
struct View {
    dc: Option<Dc>,
    /// StatefulSets.
    sets: Vec<Value>,
    /// Its pods, in order of name.
    pods: Vec<Value>,
    /// Pods of all datacenters of the namespace.
    neighbours: Vec<Value>,
    claims: Vec<Value>,
}

impl View {
    fn set(&self, name: &str) -> Option<&Value> {
        self.sets.iter().find(|set| json::name(set) == name)
    }

    fn pods_of<'a>(&'a self, rack: &'a str) -> impl DoubleEndedIterator<Item = &'a Value> {
        self.pods
            .iter()
            .filter(move |pod| label(pod, names::RACK) == rack)
    }
}

/// How a step of the operator ended.
enum Flow {
    /// The next step may follow.
    Continue,
    /// The pass ends; the next one comes after this recorded time, or when something happens.
    Again(Duration),
    /// The pass ends; the next one comes at this moment, or when something happens.
    At(Instant),
    /// The pass ends until something happens.
    Done,
}

/// Seconds, as recorded.
const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Actor {
    pub(crate) fn new(plane: Arc<Plane>, key: Key, bell: Arc<Bell>) -> Self {
        Self {
            plane,
            key,
            bell,
            machines: BTreeMap::new(),
            claims: BTreeMap::new(),
            slices: BTreeMap::new(),
            memory: Memory::default(),
            adopted: false,
            failures: 0,
        }
    }

    pub(crate) async fn run(mut self) {
        let stop = self.plane.stop.clone();
        let mut reasons = Reasons {
            datacenter: true,
            secret: false,
            task: true,
        };
        loop {
            let pass = tokio::select! {
                () = stop.cancelled() => return,
                pass = self.pass_with_power(reasons) => pass,
            };
            let wake = match pass {
                Ok(None) if self.plane.forget(&self.key, &self.bell) => return,
                Ok(wake) => {
                    self.failures = 0;
                    reasons = Reasons::default();
                    wake.unwrap_or_else(Instant::now)
                }
                Err(error) => self.after_failure(&error),
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(wake) => {}
                () = self.bell.rung() => {}
            }
            let news = self.bell.take();
            reasons.datacenter |= news.datacenter;
            reasons.secret |= news.secret;
            reasons.task |= news.task;
        }
    }

    /// When to try again: conflicts soon, an ailing server with patience.
    fn after_failure(&mut self, error: &ApiError) -> Instant {
        self.failures += 1;
        if error.code() == Some(409) {
            tracing::debug!(%error, "conflict");
            return Instant::now() + Duration::from_millis(20);
        }
        if self.failures == 1 {
            tracing::warn!(%error, namespace = self.key.0, datacenter = self.key.1, "trying again");
        }
        Instant::now() + Duration::from_millis(100 << self.failures.min(4))
    }

    async fn pass_with_power(&mut self, reasons: Reasons) -> Result<Option<Instant>, ApiError> {
        self.plane.rings.powered(&self.plane.name).await;
        self.pass(reasons).await
    }

    /// One look at everything. `None` when nothing is left of this datacenter.
    async fn pass(&mut self, reasons: Reasons) -> Result<Option<Instant>, ApiError> {
        let mut view = self.observe().await?;
        self.adopt(&view);
        let mut step = self.machines_step(&view).await?;
        let mut something_happened = step.changed;
        while step.changed || step.stale {
            view = self.observe().await?;
            step = self.machines_step(&view).await?;
            something_happened |= step.changed;
        }
        if view.dc.is_none() && view.pods.is_empty() && view.claims.is_empty() {
            return Ok(None);
        }
        let now = Instant::now();
        let operator_due = self.memory.due.is_some_and(|due| due <= now);
        if reasons.datacenter {
            self.memory.gave_up = false;
        }
        something_happened |= self.foreign_digest(&view);
        let called = reasons.datacenter || reasons.secret || something_happened || operator_due;
        if called && !self.memory.gave_up {
            self.operator_pass(&mut view).await?;
            // What the operator wrote, the machines carry out at once.
            step = self.machines_step(&self.observe().await?).await?;
            if step.changed {
                return Ok(Some(Instant::now()));
            }
        }
        let task_due = self.memory.task_due.is_some_and(|due| due <= now);
        // While one runs, others wait for the next look at it.
        if task_due || (reasons.task && self.memory.task_due.is_none()) {
            self.tasks_pass(&view).await?;
        }
        let dues = [
            step.due,
            self.memory.due.filter(|_| !self.memory.gave_up),
            self.memory.task_due,
        ];
        // Far enough for "never": bells wake earlier.
        Ok(Some(
            dues.into_iter()
                .flatten()
                .min()
                .unwrap_or_else(|| now + secs(86_400)),
        ))
    }

    async fn observe(&self) -> Result<View, ApiError> {
        let (namespace, name) = (self.key.0.as_str(), self.key.1.as_str());
        let api = &self.plane.api;
        let own = format!("{}={name}", names::DATACENTER);
        let (dc, sets, neighbours, claims) = tokio::try_join!(
            api.get(kinds::DATACENTERS, namespace, name),
            api.list(kinds::STATEFUL_SETS, namespace, &own),
            api.list(kinds::PODS, namespace, names::DATACENTER),
            api.list(kinds::CLAIMS, namespace, &own),
        )?;
        let is_own = |pod: &&Value| label(pod, names::DATACENTER) == name;
        let mut pods: Vec<_> = neighbours.iter().filter(is_own).cloned().collect();
        pods.sort_by(|one, other| json::name(one).cmp(json::name(other)));
        Ok(View {
            dc: dc.map(Dc),
            sets,
            pods,
            neighbours,
            claims,
        })
    }

    /// Whether somebody else changed the digest on a StatefulSet.
    fn foreign_digest(&self, view: &View) -> bool {
        view.sets.iter().any(|set| {
            let known = self.memory.digests.get(json::name(set)).map(String::as_str);
            known.is_some_and(|known| json::annotation(set, names::RESOURCE_HASH) != Some(known))
        })
    }

    /// The operator knows of this digest.
    fn know_digest(&mut self, set: &Value) {
        let digest = json::annotation(set, names::RESOURCE_HASH).unwrap_or_default();
        self.memory
            .digests
            .insert(json::name(set).to_owned(), digest.to_owned());
    }

    fn node(&self, pod: &Value) -> NodeId {
        self.plane.node(&self.key.0, json::name(pod))
    }

    /// The operator drains a node.
    async fn drain(&self, pod: &Value) {
        let node = self.node(pod);
        self.plane
            .rings
            .lock()
            .called(&node, "POST /api/v0/ops/node/drain");
        self.plane.cassandra.drain(&node).await;
    }

    async fn label_pod(&self, pod: &Value, key: &str, value: Option<&str>) -> Result<(), ApiError> {
        let patch = serde_json::json!({"metadata": {"uid": json::uid(pod), "labels": {key: value}}});
        self.plane
            .api
            .merge(kinds::PODS, &self.key.0, json::name(pod), &patch)
            .await
            .map(|_| ())
    }
}
