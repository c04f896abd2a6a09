//! Restarts and replacements of nodes: tasks, and the two fields of the spec that the operator takes back when it has
//! seen them.

use serde_json::{Value, json};

use super::{Actor, Flow, View, secs};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, label, list, text};
use crate::names::{self, node_state};
use crate::objects::{Dc, claim_name, revision};

/// Template annotation that a restart task changes.
pub(super) const RESTARTED_AT: &str = "control.k8ssandra.io/restartedAt";

impl Actor {
    /// Rack after rack gets a new template; true when all pods of the last one are back.
    pub(super) async fn restart_step(
        &self,
        view: &View,
        dc: &Dc,
        task: &mut Value,
    ) -> Result<bool, ApiError> {
        let since = text(task, "/status/startTime").to_owned();
        let only = text(task, "/spec/jobs/0/args/rack").to_owned();
        let racks = dc
            .rack_names()
            .into_iter()
            .filter(|rack| only.is_empty() || *rack == only);
        for (place, rack) in racks.enumerate() {
            let Some(set) = view.set(&dc.stateful_set_name(&rack)) else {
                continue;
            };
            let annotations = set.pointer("/spec/template/metadata/annotations");
            let marked = annotations
                .and_then(|all| all.get(RESTARTED_AT))
                .and_then(Value::as_str);
            if marked != Some(&since) {
                let patch =
                    json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: since}}}}});
                self.plane
                    .api
                    .merge(kinds::STATEFUL_SETS, &self.key.0, json::name(set), &patch)
                    .await?;
                // Recorded: the first rack counts as soon as its restart has begun, the others at the next look.
                if place == 0 {
                    self.patch_task(task, json!({"succeeded": 1})).await?;
                }
                // The machines and the operator see the new template at once.
                self.bell.ring(|reasons| reasons.datacenter = true);
                return Ok(false);
            }
            if json::number(task, "/status/succeeded") <= i64::try_from(place).unwrap_or_default() {
                self.patch_task(task, json!({"succeeded": place + 1})).await?;
            }
            let current = revision(set);
            let is_back = |pod: &Value| {
                label(pod, "controller-revision-hash") == current && json::condition(pod, "Ready") == "True"
            };
            if !view.pods_of(&rack).all(is_back) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The node is drained, its claim and its pod are deleted. Recorded: that is all that the task waits for.
    pub(super) async fn replace_step(
        &mut self,
        view: &View,
        dc: &Dc,
        task: &mut Value,
    ) -> Result<bool, ApiError> {
        let name = text(task, "/spec/jobs/0/args/pod_name").to_owned();
        let done = task.pointer("/status/podStatuses").and_then(|all| all.get(&name));
        if done.is_some_and(|entry| text(entry, "/status") == "COMPLETED") {
            return Ok(true);
        }
        let Some(pod) = view.pods.iter().find(|pod| json::name(pod) == name) else {
            // The end of the task counts it.
            task["status"]["failed"] = 1.into();
            return Ok(true);
        };
        self.note_replacements(&mut dc.clone(), view, std::slice::from_ref(&name))
            .await?;
        self.show_running(task).await?;
        let now = self.plane.clock.now();
        self.patch_task(
            task,
            json!({"podStatuses": {&name: {"startTime": now, "status": "RUNNING"}}}),
        )
        .await?;
        self.drain(pod).await;
        self.plane.cassandra.replace(&self.node(pod));
        if let Some(claim) = view
            .claims
            .iter()
            .find(|claim| json::name(claim) == claim_name(&name))
        {
            self.plane
                .api
                .delete(kinds::CLAIMS, &self.key.0, claim, false)
                .await?;
        }
        self.plane
            .api
            .delete(kinds::PODS, &self.key.0, pod, false)
            .await?;
        let ended = json!({"completionTime": self.plane.clock.now(), "status": "COMPLETED"});
        self.patch_task(task, json!({"podStatuses": {&name: ended}}))
            .await?;
        self.bell.ring(|reasons| reasons.datacenter = true);
        Ok(false)
    }

    async fn note_replacements(
        &mut self,
        dc: &mut Dc,
        view: &View,
        names: &[String],
    ) -> Result<(), ApiError> {
        for pod in view
            .pods
            .iter()
            .filter(|pod| names.iter().any(|name| name == json::name(pod)))
        {
            self.memory
                .replaced
                .insert(json::name(pod).to_owned(), json::uid(pod).to_owned());
        }
        self.set_condition(dc, "ReplacingNodes", true).await?;
        self.patch_status(dc, json!({"nodeReplacements": names})).await
    }

    /// Named nodes are noted and the field is taken back. Recorded: nothing is deleted for them, so the datacenter is not
    /// Ready at this generation until somebody deletes the pod.
    pub(super) async fn check_replacements(&mut self, dc: &mut Dc, view: &View) -> Result<Flow, ApiError> {
        let wanted: Vec<_> = list(&dc.0, "/spec/replaceNodes")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        if !wanted.is_empty() {
            self.take_back(dc, "replaceNodes").await?;
            self.note_replacements(dc, view, &wanted).await?;
            self.set_progress(dc, "Updating").await?;
        }
        let noted = list(&dc.0, "/status/nodeReplacements").to_vec();
        if noted.is_empty() {
            return Ok(Flow::Continue);
        }
        let is_open = |name: &Value| {
            let pod = view
                .pods
                .iter()
                .find(|pod| Some(json::name(pod)) == name.as_str());
            let old = name.as_str().and_then(|name| self.memory.replaced.get(name));
            pod.is_none_or(|pod| {
                label(pod, names::NODE_STATE) != node_state::STARTED
                    || old.is_some_and(|old| old == json::uid(pod))
            })
        };
        let open: Vec<_> = noted.iter().filter(|name| is_open(name)).cloned().collect();
        if open.len() < noted.len() {
            let left = if open.is_empty() { Value::Null } else { json!(open) };
            self.patch_status(dc, json!({"nodeReplacements": left})).await?;
        }
        Ok(if open.is_empty() {
            Flow::Continue
        } else {
            Flow::Again(secs(10))
        })
    }

    /// One pod after another is drained and deleted; templates stay as they are.
    pub(super) async fn check_rolling_restart(&mut self, dc: &mut Dc, view: &View) -> Result<Flow, ApiError> {
        let requested =
            dc.0.pointer("/spec/rollingRestartRequested")
                .and_then(Value::as_bool)
                .unwrap_or(false);
        if requested {
            self.set_condition(dc, "RollingRestart", true).await?;
            self.set_progress(dc, "Updating").await?;
            self.take_back(dc, "rollingRestartRequested").await?;
            self.patch_status(dc, json!({"lastRollingRestart": self.plane.clock.now()}))
                .await?;
            self.memory.to_restart = view.pods.iter().map(|pod| json::uid(pod).to_owned()).collect();
        }
        let next = view
            .pods
            .iter()
            .find(|pod| self.memory.to_restart.contains(json::uid(pod)));
        let Some(pod) = next else {
            self.memory.to_restart.clear();
            return Ok(Flow::Continue);
        };
        self.memory.to_restart.remove(json::uid(pod));
        self.drain(pod).await;
        self.plane
            .api
            .delete(kinds::PODS, &self.key.0, pod, false)
            .await?;
        Ok(Flow::Again(secs(2)))
    }

    async fn take_back(&self, dc: &mut Dc, field: &str) -> Result<(), ApiError> {
        let patch = json!({"metadata": {"uid": json::uid(&dc.0)}, "spec": {field: null}});
        dc.0 = self
            .plane
            .api
            .merge(kinds::DATACENTERS, &self.key.0, &self.key.1, &patch)
            .await?;
        Ok(())
    }
}
