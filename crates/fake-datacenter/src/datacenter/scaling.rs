//! Stop, start, more nodes, fewer nodes.

use serde_json::{Value, json};

use super::{Actor, Flow, View, secs};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, condition, label};
use crate::names::{self, node_state};
use crate::objects::{Dc, claim_name};
use crate::ring::Phase;

impl Actor {
    /// A stop: every node is drained, every rack goes to zero, in one pass.
    pub(super) async fn check_stopped(&self, dc: &mut Dc, view: &View) -> Result<Flow, ApiError> {
        let running = view
            .sets
            .iter()
            .any(|set| json::number(set, "/spec/replicas") > 0);
        if !dc.is_stopped() || !running {
            return Ok(Flow::Continue);
        }
        self.set_condition(dc, "Stopped", true).await?;
        self.set_condition(dc, "Ready", false).await?;
        for rack in dc.racks(0) {
            for pod in view.pods_of(&rack.name) {
                self.drain(pod).await;
            }
            self.set_progress(dc, "Updating").await?;
            self.set_replicas(view, &dc.stateful_set_name(&rack.name), 0)
                .await?;
        }
        Ok(Flow::Again(secs(0)))
    }

    pub(super) async fn set_replicas(&self, view: &View, set: &str, replicas: usize) -> Result<(), ApiError> {
        let Some(known) = view.set(set) else { return Ok(()) };
        let patch = json!({"metadata": {"uid": json::uid(known)}, "spec": {"replicas": replicas}});
        self.plane
            .api
            .merge(kinds::STATEFUL_SETS, &self.key.0, set, &patch)
            .await
            .map(|_| ())
    }

    /// More nodes come on all racks at once, fewer go one at a time.
    pub(super) async fn check_scale(
        &mut self,
        dc: &mut Dc,
        view: &View,
        nodes: usize,
    ) -> Result<Flow, ApiError> {
        let replicas = |set: &Value| usize::try_from(json::number(set, "/spec/replicas")).unwrap_or(0);
        let now = |rack: &str| view.set(&dc.stateful_set_name(rack)).map_or(0, replicas);
        let racks: Vec<_> = dc
            .racks(nodes)
            .into_iter()
            .map(|rack| (now(&rack.name), rack))
            .collect();
        if racks.iter().any(|(now, rack)| rack.nodes > *now) {
            if condition(&dc.0, "Stopped") == "True" {
                self.set_condition(dc, "Stopped", false).await?;
                self.set_condition(dc, "Resuming", true).await?;
            } else if condition(&dc.0, "Initialized") == "True" {
                self.set_condition(dc, "ScalingUp", true).await?;
            }
            self.set_progress(dc, "Updating").await?;
            for (_, rack) in racks.iter().filter(|(now, rack)| rack.nodes > *now) {
                self.set_replicas(view, &dc.stateful_set_name(&rack.name), rack.nodes)
                    .await?;
            }
            return Ok(Flow::Again(secs(0)));
        }
        match racks.iter().rev().find(|(now, rack)| rack.nodes < *now) {
            Some((now, rack)) => {
                let pod = format!("{}-{}", dc.stateful_set_name(&rack.name), now - 1);
                self.begin_decommission(dc, view, &pod).await
            }
            None => Ok(Flow::Continue),
        }
    }

    async fn begin_decommission(&mut self, dc: &mut Dc, view: &View, name: &str) -> Result<Flow, ApiError> {
        self.set_condition(dc, "ScalingDown", true).await?;
        self.set_progress(dc, "Updating").await?;
        let Some(pod) = view.pods.iter().find(|pod| json::name(pod) == name) else {
            return Ok(Flow::Again(secs(5)));
        };
        let node = self.node(pod);
        let takes = self
            .plane
            .pace
            .step(secs(6), &format!("leave/{}", json::uid(pod)));
        self.plane
            .rings
            .lock()
            .called(&node, "POST /api/v1/ops/node/decommission?force=true");
        let leaves = self.plane.cassandra.decommission(&node, takes, &self.bell);
        match (leaves, self.machines.get_mut(json::uid(pod))) {
            (Ok(leave_at), Some(machine)) => machine.leave_at = leave_at,
            // It was never in a ring: there is nothing to give away.
            _ => self.plane.rings.lock().left(&node),
        }
        self.label_pod(pod, names::NODE_STATE, Some(node_state::DECOMMISSIONING))
            .await?;
        Ok(Flow::Again(secs(5)))
    }

    /// A node that has left loses its replica, its claim and its place in the status; the next one follows when its
    /// pod is gone.
    pub(super) async fn check_decommissioning(
        &mut self,
        dc: &mut Dc,
        view: &View,
        nodes: usize,
    ) -> Result<Flow, ApiError> {
        if condition(&dc.0, "ScalingDown") != "True" {
            return Ok(Flow::Continue);
        }
        let leaving = |pod: &&Value| label(pod, names::NODE_STATE) == node_state::DECOMMISSIONING;
        let Some(pod) = view.pods.iter().find(leaving) else {
            self.set_condition(dc, "ScalingDown", false).await?;
            let started = |pod: &Value| label(pod, names::NODE_STATE) == node_state::STARTED;
            self.check_seeds(&dc.racks(nodes), view, &started).await?;
            return Ok(Flow::Again(secs(0)));
        };
        let phase = self.plane.rings.lock().phase(&self.node(pod));
        if phase == Some(Phase::Up) && !json::is_deleting(pod) {
            // What it began has failed: it is asked again.
            return self.begin_decommission(dc, view, json::name(pod)).await;
        }
        if phase != Some(Phase::Left) || json::is_deleting(pod) {
            return Ok(Flow::Again(secs(5)));
        }
        let name = json::name(pod);
        let Some((set, ordinal)) = name.rsplit_once('-') else {
            return Ok(Flow::Done);
        };
        self.set_replicas(view, set, ordinal.parse().unwrap_or(0)).await?;
        if let Some(claim) = view
            .claims
            .iter()
            .find(|claim| json::name(claim) == claim_name(name))
        {
            self.plane
                .api
                .delete(kinds::CLAIMS, &self.key.0, claim, false)
                .await?;
        }
        self.patch_status(dc, json!({"nodeStatuses": {name: null}}))
            .await?;
        Ok(Flow::Again(secs(5)))
    }
}
