//! The operator's pass, in its order.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::starting::BETWEEN_STARTS;
use super::{Actor, Flow, View, secs};
use crate::apiserver::{ApiError, Kind, kinds};
use crate::json::{self, condition, label, text};
use crate::names::{self, node_state};
use crate::objects::{Dc, additional_seed_slices, budget, services, stateful_set};

/// Ends the pass unless the step says to go on.
macro_rules! step {
    ($flow:expr) => {
        match $flow.await? {
            Flow::Continue => {}
            end => return Ok(end),
        }
    };
}

impl Actor {
    pub(super) async fn operator_pass(&mut self, view: &mut View) -> Result<(), ApiError> {
        let Some(mut dc) = view.dc.clone() else {
            self.memory.due = None;
            return Ok(());
        };
        let now = Instant::now();
        let between_starts = self.plane.pace.wait(secs(BETWEEN_STARTS));
        let cool = self.memory.last_start.map(|start| start + between_starts);
        let hasty = std::mem::take(&mut self.memory.hasty);
        let quiet = self.memory.quiet_until.max(cool).filter(|until| *until > now);
        if let Some(until) = quiet.filter(|_| !hasty) {
            self.memory.due = Some(until);
            return Ok(());
        }
        let flow = self.reconcile(&mut dc, view).await;
        self.memory.due = match &flow {
            Ok(Flow::Again(recorded)) => Some(Instant::now() + self.plane.pace.wait(*recorded)),
            Ok(Flow::At(moment)) => Some(*moment),
            Ok(Flow::Continue | Flow::Done) => None,
            // The loop tries again by itself; then this is still due.
            Err(_) => Some(now),
        };
        view.dc = Some(dc);
        flow.map(|_| ())
    }

    async fn reconcile(&mut self, dc: &mut Dc, view: &View) -> Result<Flow, ApiError> {
        self.memory.fresh.store(true, Ordering::Relaxed);
        self.memory.echo = false;
        for set in &view.sets {
            self.know_digest(set);
        }
        let mut size = dc.size();
        if json::is_deleting(&dc.0) {
            match self.deletion(dc, view, &mut size).await? {
                Flow::Continue => {}
                end => return Ok(end),
            }
        } else {
            step!(self.is_valid(dc));
            self.first_write(dc).await?;
        }
        if text(&dc.0, "/status/cassandraOperatorProgress").is_empty() {
            self.set_progress(dc, "Updating").await?;
        }
        let made = self.check_services(dc).await?;
        // Services that were made just now are not in the operator's cache.
        if !made {
            self.check_additional_seeds(dc).await?;
        }
        if size < dc.rack_names().len() && !json::is_deleting(&dc.0) {
            tracing::warn!(
                datacenter = self.key.1,
                "the number of nodes is smaller than the number of racks"
            );
            return Ok(Flow::Done);
        }
        self.node_statuses(dc, view).await?;
        if dc
            .0
            .pointer("/spec/storageConfig/cassandraDataVolumeClaimSpec")
            .is_none()
        {
            tracing::warn!(datacenter = self.key.1, "no claims for data are described");
            return Ok(Flow::Done);
        }
        let nodes = if dc.is_stopped() { 0 } else { size };
        step!(self.check_racks(dc, view, nodes));
        step!(self.check_decommissioning(dc, view, nodes));
        self.default_superuser(dc).await?;
        step!(self.check_failed_pods(dc, view, nodes));
        step!(self.check_stopped(dc, view));
        step!(self.check_scale(dc, view, nodes));
        step!(self.check_pods(dc, view, nodes));
        if json::is_deleting(&dc.0) {
            return Ok(Flow::Again(secs(5)));
        }
        step!(self.check_replacements(dc, view));
        step!(self.check_rolling_restart(dc, view));
        self.check_budget(dc).await?;
        if resizes(dc, view) && json::annotation(&dc.0, names::ALLOW_STORAGE_CHANGES) != Some("true") {
            // Recorded: every pass ends here, without a condition.
            tracing::warn!(
                datacenter = self.key.1,
                "the size of the claims may not be changed"
            );
            return Ok(Flow::Again(secs(10)));
        }
        self.set_condition(dc, "ResizingVolumes", false).await?;
        step!(self.check_templates(dc, view, nodes));
        step!(self.check_users(dc, view));
        let first = text(&dc.0, "/status/datacenterName").is_empty();
        self.finish(dc).await?;
        let quiet = self.quiet_period(dc, 5).await?;
        // Recorded: only the first time it looks once more by itself.
        Ok(
            if self.memory.hasty || self.memory.echo || (first && !dc.is_stopped()) {
                quiet
            } else {
                Flow::Done
            },
        )
    }

    /// A named superuser Secret that is missing ends it until the datacenter itself changes.
    async fn is_valid(&mut self, dc: &Dc) -> Result<Flow, ApiError> {
        let (superuser, named) = dc.superuser_secret();
        let mut wanted: Vec<_> = dc.user_secrets().into_iter().map(|(name, _)| name).collect();
        if named {
            wanted.insert(0, superuser);
        }
        for name in wanted {
            if self
                .plane
                .api
                .get(kinds::SECRETS, &self.key.0, &name)
                .await?
                .is_none()
            {
                // Recorded: an event tells of it, and nothing else.
                tracing::warn!(datacenter = self.key.1, secret = name, "the Secret was not found");
                self.memory.gave_up = true;
                return Ok(Flow::Done);
            }
        }
        Ok(Flow::Continue)
    }

    /// The finalizer, and empty objects where nothing was given: this raises the generation of a sparse spec.
    async fn first_write(&mut self, dc: &mut Dc) -> Result<(), ApiError> {
        let has_finalizer = json::list(&dc.0, "/metadata/finalizers").contains(&names::FINALIZER.into());
        if has_finalizer || json::annotation(&dc.0, names::NO_FINALIZER).is_some() {
            return Ok(());
        }
        dc.0 = self
            .plane
            .api
            .replace(kinds::DATACENTERS, &self.key.0, &dc.with_defaults())
            .await?;
        Ok(())
    }

    /// True when one was made.
    async fn check_services(&mut self, dc: &mut Dc) -> Result<bool, ApiError> {
        let mut made = false;
        for service in services(dc) {
            let known = self
                .plane
                .api
                .get(kinds::SERVICES, &self.key.0, json::name(&service))
                .await?;
            let hash = |object: &Value| json::annotation(object, names::RESOURCE_HASH).map(str::to_owned);
            match known {
                None => {
                    self.create_if_absent(kinds::SERVICES, &service).await?;
                    made = true;
                }
                // The seed service belongs to the cluster: another datacenter's is left as it is.
                Some(known) if hash(&known) != hash(&service) && is_owned_by(&known, dc) => {
                    let mut metadata = service["metadata"].clone();
                    // What is not wanted any more goes.
                    let annotations = known.pointer("/metadata/annotations").and_then(Value::as_object);
                    for key in annotations.into_iter().flat_map(Map::keys) {
                        if metadata["annotations"].get(key).is_none() {
                            metadata["annotations"][key] = Value::Null;
                        }
                    }
                    let patch = json!({"metadata": metadata, "spec": {"ports": service["spec"]["ports"]}});
                    self.plane
                        .api
                        .merge(kinds::SERVICES, &self.key.0, json::name(&service), &patch)
                        .await?;
                    self.memory.echo = true;
                }
                Some(_) => {}
            }
        }
        if made {
            self.set_progress(dc, "Updating").await?;
        }
        Ok(made)
    }

    async fn check_additional_seeds(&self, dc: &Dc) -> Result<(), ApiError> {
        // Slices that are there are left alone while nothing is given.
        if json::list(&dc.0, "/spec/additionalSeeds").is_empty() {
            return Ok(());
        }
        let api = &self.plane.api;
        let hash = |object: &Value| json::annotation(object, names::RESOURCE_HASH).map(str::to_owned);
        for (name, slice) in additional_seed_slices(dc) {
            match (api.get(kinds::SLICES, &self.key.0, &name).await?, slice) {
                (None, Some(slice)) => self.create_if_absent(kinds::SLICES, &slice).await?,
                (Some(known), None) => api.delete(kinds::SLICES, &self.key.0, &known, false).await?,
                // A server fills in more than what was written.
                (Some(known), Some(mut slice)) if hash(&known) != hash(&slice) => {
                    slice["metadata"]["resourceVersion"] = known["metadata"]["resourceVersion"].clone();
                    api.replace(kinds::SLICES, &self.key.0, &slice).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) async fn create_if_absent(&self, kind: Kind, object: &Value) -> Result<(), ApiError> {
        match self.plane.api.create(kind, &self.key.0, object).await {
            Err(error) if error.code() != Some(409) && !error.is_namespace_ending() => Err(error),
            _ => Ok(()),
        }
    }

    /// What the rings know of the nodes that are labelled Started.
    async fn node_statuses(&self, dc: &mut Dc, view: &View) -> Result<(), ApiError> {
        let known = dc.0.pointer("/status/nodeStatuses").cloned();
        let mut new = Map::new();
        for pod in view
            .pods
            .iter()
            .filter(|pod| label(pod, names::NODE_STATE) == node_state::STARTED)
        {
            let Some((_, host)) = self.plane.rings.lock().membership(&self.node(pod)) else {
                continue;
            };
            let entry =
                json!({"hostID": host, "ip": text(pod, "/status/podIP"), "rack": label(pod, names::RACK)});
            if known.as_ref().and_then(|known| known.get(json::name(pod))) != Some(&entry) {
                new.insert(json::name(pod).to_owned(), entry);
            }
        }
        if known.is_none() || !new.is_empty() {
            self.patch_status(dc, json!({"nodeStatuses": new})).await?;
        }
        Ok(())
    }

    /// A StatefulSet for every rack.
    async fn check_racks(&mut self, dc: &Dc, view: &View, nodes: usize) -> Result<Flow, ApiError> {
        let mut made = false;
        for rack in dc.racks(nodes) {
            if view.set(&dc.stateful_set_name(&rack.name)).is_none() && !json::is_deleting(&dc.0) {
                let set = stateful_set(dc, &rack.name, rack.nodes);
                self.create_if_absent(kinds::STATEFUL_SETS, &set).await?;
                self.know_digest(&set);
                made = true;
            }
        }
        if made {
            self.default_superuser(dc).await?;
        }
        // The next pass sees them; the machines make their pods at once.
        Ok(if made {
            Flow::Again(secs(0))
        } else {
            Flow::Continue
        })
    }

    async fn check_budget(&self, dc: &Dc) -> Result<(), ApiError> {
        let (api, budget) = (&self.plane.api, budget(dc));
        let known = api.get(kinds::BUDGETS, &self.key.0, json::name(&budget)).await?;
        if let Some(known) = known {
            if known.pointer("/spec/minAvailable") == budget.pointer("/spec/minAvailable") {
                return Ok(());
            }
            api.delete(kinds::BUDGETS, &self.key.0, &known, false).await?;
        }
        self.create_if_absent(kinds::BUDGETS, &budget).await
    }

    /// Everything is as wanted: actions end, one condition after another, and the generation counts as done.
    async fn finish(&self, dc: &mut Dc) -> Result<(), ApiError> {
        if condition(&dc.0, "ScalingUp") == "True" {
            self.create_cleanup(dc).await?;
            self.set_condition(dc, "ScalingUp", false).await?;
        }
        let stopped = dc.is_stopped();
        self.set_condition(dc, "Stopped", stopped).await?;
        for kind in [
            "ReplacingNodes",
            "Updating",
            "RollingRestart",
            "Resuming",
            "ScalingDown",
        ] {
            self.set_condition(dc, kind, false).await?;
        }
        self.set_condition(dc, "Valid", true).await?;
        self.set_condition(dc, "Initialized", true).await?;
        if !stopped {
            self.set_condition(dc, "Ready", true).await?;
        }
        if text(&dc.0, "/status/cassandraOperatorProgress") != "Ready" {
            let name = dc.name().to_owned();
            self.patch_status(
                dc,
                json!({"cassandraOperatorProgress": "Ready", "datacenterName": name}),
            )
            .await?;
        }
        let generation = json::number(&dc.0, "/metadata/generation");
        if json::number(&dc.0, "/status/observedGeneration") != generation {
            self.patch_status(
                dc,
                json!({"observedGeneration": generation, "metadataVersion": 1}),
            )
            .await?;
        }
        self.set_condition(dc, "RequiresUpdate", false).await?;
        if json::annotation(&dc.0, names::AUTO_UPDATE) == Some("once") {
            let patch =
                json!({"metadata": {"uid": json::uid(&dc.0), "annotations": {names::AUTO_UPDATE: null}}});
            dc.0 = self
                .plane
                .api
                .merge(kinds::DATACENTERS, &self.key.0, &self.key.1, &patch)
                .await?;
        }
        Ok(())
    }
}

/// Whether the datacenter asks for claims of another size than those of its StatefulSets.
fn resizes(dc: &Dc, view: &View) -> bool {
    let size = "resources/requests/storage";
    let wanted = text(
        &dc.0,
        &format!("/spec/storageConfig/cassandraDataVolumeClaimSpec/{size}"),
    );
    let has = |set: &Value| text(set, &format!("/spec/volumeClaimTemplates/0/spec/{size}")).to_owned();
    !wanted.is_empty() && view.sets.iter().any(|set| has(set) != wanted)
}

fn is_owned_by(object: &Value, dc: &Dc) -> bool {
    let owners = json::list(object, "/metadata/ownerReferences").iter();
    owners
        .into_iter()
        .any(|owner| text(owner, "/uid") == json::uid(&dc.0))
}
