//! Starting nodes one after another, and the labels that tell how far each one is.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Actor, Flow, View, secs};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, condition, label, text};
use crate::names::{self, node_state};
use crate::objects::{Dc, Rack};

/// How long a pod must run before the operator starts its Cassandra, and how long it waits between two starts, seconds.
const WARM_UP: u64 = 10;
/// The same after a stop, seconds. Recorded: 18 and 20, for the operator's first retry comes just too early.
const WARM_UP_AFTER_STOP: u64 = 18;
pub(super) const BETWEEN_STARTS: u64 = 20;

impl Actor {
    /// Every pod of `nodes` wanted ones is labelled Started at the end, or the pass ends here.
    pub(super) async fn check_pods(
        &mut self,
        dc: &mut Dc,
        view: &View,
        nodes: usize,
    ) -> Result<Flow, ApiError> {
        let racks = dc.racks(nodes);
        let state = |pod: &Value| label(pod, names::NODE_STATE).to_owned();
        let with = |wanted: &'static str| {
            view.pods
                .iter()
                .filter(move |pod| state(pod) == wanted && !json::is_deleting(pod))
        };
        let starting: Vec<_> = with(node_state::STARTING).collect();
        let news = self.check_readiness(view).await?;
        self.check_seeds(&racks, view, &|_| true).await?;
        if news {
            return Ok(Flow::Again(secs(5)));
        }
        let waiting: Vec<_> = with(node_state::READY_TO_START).collect();
        if let Some(known) = bootstrapped(dc, view, &waiting) {
            return self.start_nodes(dc, view, known).await;
        }
        if !starting.is_empty() {
            match self.check_starting(dc, &starting).await? {
                Flow::Continue => {}
                end => return Ok(end),
            }
        }
        let done = |pod: &Value| {
            state(pod) == node_state::STARTED || starting.iter().any(|one| json::uid(one) == json::uid(pod))
        };
        if let Some(next) = next_to_start(&racks, view, &waiting, &done) {
            if racks_are_covered(&racks, view, &done) {
                self.check_health(dc, view).await?;
            }
            return self.start_nodes(dc, view, next).await;
        }
        let settled = view
            .pods
            .iter()
            .filter(|pod| done(pod) && !json::is_deleting(pod))
            .count();
        if settled < nodes {
            return Ok(Flow::Again(secs(2)));
        }
        if nodes > 0 {
            self.check_health(dc, view).await?;
        }
        let unknown =
            |pod: &Value| text(&dc.0, &format!("/status/nodeStatuses/{}/hostID", json::name(pod))).is_empty();
        Ok(if nodes > 0 && view.pods.iter().any(unknown) {
            Flow::Again(secs(2))
        } else {
            Flow::Continue
        })
    }

    /// Nodes that lost their readiness, and those that have it again.
    async fn check_readiness(&self, view: &View) -> Result<bool, ApiError> {
        let mut news = false;
        for pod in view.pods.iter().filter(|pod| !json::is_deleting(pod)) {
            let is_ready = json::condition(pod, "Ready") == "True";
            match (label(pod, names::NODE_STATE), is_ready) {
                (node_state::STARTED, false) => {
                    self.label_pod(pod, names::NODE_STATE, Some(node_state::STARTED_NOT_READY))
                        .await?;
                    self.label_pod(pod, names::SEED_NODE, None).await?;
                    self.reload_seeds(view);
                }
                (node_state::STARTED_NOT_READY, true) => {
                    self.label_pod(pod, names::NODE_STATE, Some(node_state::STARTED))
                        .await?;
                    news = true;
                }
                _ => {}
            }
        }
        Ok(news)
    }

    /// Pods whose Cassandra was started: Started when ready, deleted when the start went wrong.
    async fn check_starting(&mut self, dc: &mut Dc, starting: &[&Value]) -> Result<Flow, ApiError> {
        let is_ready = |pod: &Value| json::condition(pod, "Ready") == "True";
        for pod in starting {
            let machine = self.machines.get(json::uid(pod));
            if machine.is_some_and(|machine| machine.broken) {
                return self.give_up_start(dc, pod).await;
            }
        }
        // One in each pass, from the end.
        let Some(next) = starting.iter().rev().find(|pod| is_ready(pod)) else {
            return Ok(Flow::Again(secs(2)));
        };
        self.label_pod(next, names::NODE_STATE, Some(node_state::STARTED))
            .await?;
        Ok(match starting.len() {
            1 => Flow::Continue,
            _ => Flow::Again(secs(0)),
        })
    }

    async fn give_up_start(&self, dc: &mut Dc, pod: &Value) -> Result<Flow, ApiError> {
        self.plane.rings.lock().start_failed(&self.node(pod));
        let mut failed = json::list(&dc.0, "/status/failedStarts").to_vec();
        failed.push(json::name(pod).into());
        self.patch_status(dc, json!({"failedStarts": failed})).await?;
        self.plane
            .api
            .delete(kinds::PODS, &self.key.0, pod, false)
            .await?;
        Ok(Flow::Again(secs(2)))
    }

    /// Per rack, ready nodes in order of name are seeds, up to the rack's number.
    pub(super) async fn check_seeds(
        &self,
        racks: &[Rack],
        view: &View,
        done: &impl Fn(&Value) -> bool,
    ) -> Result<(), ApiError> {
        let ready = |pod: &Value| done(pod) && json::condition(pod, "Ready") == "True";
        for pod in view
            .pods
            .iter()
            .filter(|pod| ready(pod) && !json::is_deleting(pod))
        {
            let wanted = is_seed(racks, view, pod, &ready);
            if wanted != (label(pod, names::SEED_NODE) == "true") {
                self.label_pod(pod, names::SEED_NODE, wanted.then_some("true"))
                    .await?;
                if wanted {
                    self.reload_seeds(view);
                }
            }
        }
        Ok(())
    }

    /// Every node that is started reads its seeds again.
    fn reload_seeds(&self, view: &View) {
        let mut world = self.plane.rings.lock();
        for pod in view
            .pods
            .iter()
            .filter(|pod| json::condition(pod, "Ready") == "True")
        {
            if matches!(
                label(pod, names::NODE_STATE),
                node_state::STARTED | node_state::STARTED_NOT_READY
            ) {
                world.called(&self.node(pod), "POST /api/v0/ops/seeds/reload");
            }
        }
    }

    async fn check_health(&self, dc: &mut Dc, view: &View) -> Result<(), ApiError> {
        let ready = view
            .pods
            .iter()
            .filter(|pod| json::condition(pod, "Ready") == "True");
        let mut healthy = true;
        for pod in ready {
            healthy = healthy && self.plane.cassandra.has_local_quorum(&self.node(pod)).await;
        }
        self.set_condition(dc, "Healthy", healthy).await.map(|_| ())
    }

    async fn start_nodes(&mut self, dc: &mut Dc, view: &View, pods: Vec<&Value>) -> Result<Flow, ApiError> {
        let warm_up = if condition(&dc.0, "Resuming") == "True" {
            WARM_UP_AFTER_STOP
        } else {
            WARM_UP
        };
        let warm = |pod: &&Value| {
            let since = self
                .machines
                .get(json::uid(pod))
                .and_then(|machine| machine.running_since);
            since.map(|since| since + self.plane.pace.wait(secs(warm_up)))
        };
        let Some(warm) = pods.iter().map(warm).collect::<Option<Vec<_>>>() else {
            return Ok(Flow::Again(secs(2)));
        };
        if let Some(latest) = warm.into_iter().max().filter(|latest| *latest > Instant::now()) {
            return Ok(Flow::At(latest));
        }
        for pod in pods {
            if self.nobody_is_a_seed(dc, view).await? && label(pod, names::SEED_NODE) != "true" {
                self.label_pod(pod, names::SEED_NODE, Some("true")).await?;
            }
            self.label_pod(pod, names::NODE_STATE, Some(node_state::STARTING))
                .await?;
            self.start_cassandra(pod);
        }
        self.patch_status(dc, json!({"lastServerNodeStarted": self.plane.clock.now()}))
            .await?;
        Ok(Flow::Again(secs(BETWEEN_STARTS)))
    }

    fn start_cassandra(&mut self, pod: &Value) {
        self.memory.starts += 1;
        let luck = format!("start/{}/{}", json::uid(pod), self.memory.starts);
        let now = Instant::now();
        self.memory.last_start = Some(now);
        {
            let node = self.node(pod);
            let replaced = self.plane.cassandra.address_to_replace(&node);
            let mut world = self.plane.rings.lock();
            let replaced = replaced.map_or_else(String::new, |address| format!("?replace_ip={address}"));
            world.called(&node, format!("POST /api/v0/lifecycle/start{replaced}"));
            world.start(&node);
        }
        let takes = self.plane.pace.step(secs(3), &luck);
        if let Some(machine) = self.machines.get_mut(json::uid(pod)) {
            machine.broken = self.plane.pace.fails(&luck);
            machine.boot_at = (!machine.broken).then(|| now + takes);
        }
    }
}

/// Nodes that have been in the ring before: they start together once any node answers.
fn bootstrapped<'a>(dc: &Dc, view: &View, waiting: &[&'a Value]) -> Option<Vec<&'a Value>> {
    let statuses = dc.0.pointer("/status/nodeStatuses");
    let known = |pod: &&&Value| {
        let status = statuses.and_then(|statuses| statuses.get(json::name(pod)));
        status.is_some_and(|status| !text(status, "/hostID").is_empty())
    };
    let known: Vec<_> = waiting.iter().filter(known).copied().collect();
    let answers = |pod: &Value| json::condition(pod, "Ready") == "True" && !json::is_deleting(pod);
    (!known.is_empty() && view.pods.iter().any(answers)).then_some(known)
}

/// Which pods to start now: one for each rack, then the others by rank from the top.
fn next_to_start<'a>(
    racks: &[Rack],
    view: &'a View,
    waiting: &[&'a Value],
    done: &impl Fn(&Value) -> bool,
) -> Option<Vec<&'a Value>> {
    if waiting.is_empty() {
        return None;
    }
    let top = |rack: &Rack| {
        waiting
            .iter()
            .filter(|pod| label(pod, names::RACK) == rack.name)
            .max_by_key(|pod| ordinal(pod))
    };
    let mut uncovered = racks
        .iter()
        .filter(|rack| rack.nodes > 0 && !view.pods_of(&rack.name).any(done));
    let first = uncovered.find_map(top);
    let by_rank = racks
        .iter()
        .enumerate()
        .filter_map(|(place, rack)| Some((top(rack)?, place)));
    let next = first.or_else(|| {
        by_rank
            .max_by_key(|(pod, place)| (ordinal(pod), usize::MAX - place))
            .map(|(pod, _)| pod)
    });
    next.map(|pod| vec![*pod])
}

fn racks_are_covered(racks: &[Rack], view: &View, done: &impl Fn(&Value) -> bool) -> bool {
    racks
        .iter()
        .all(|rack| rack.nodes == 0 || view.pods_of(&rack.name).any(done))
}

fn ordinal(pod: &Value) -> usize {
    json::name(pod)
        .rsplit_once('-')
        .and_then(|(_, ordinal)| ordinal.parse().ok())
        .unwrap_or(0)
}

/// Whether a pod is among the first ready ones of its rack, in order of name, up to the rack's number of seeds.
fn is_seed(racks: &[Rack], view: &View, pod: &Value, ready: &impl Fn(&Value) -> bool) -> bool {
    let Some(rack) = racks.iter().find(|rack| rack.name == label(pod, names::RACK)) else {
        return false;
    };
    let candidates = view
        .pods_of(&rack.name)
        .filter(|other| ready(other) && !json::is_deleting(other));
    candidates
        .take(rack.seeds)
        .any(|seed| json::uid(seed) == json::uid(pod))
}
