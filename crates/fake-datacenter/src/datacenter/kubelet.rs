//! What a kubelet does: a pod gets an address, its Cassandra starts or leaves, it becomes ready, it ends.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::machines::{Machine, Step, disk_of};
use super::{Actor, View, secs};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, label, text};
use crate::names;
use crate::objects::{lacks_an_image, ready_status, running_status, waiting_status};
use crate::real::Parts;
use crate::ring::Phase;

/// The volume with configuration of single nodes.
const PER_NODE: &str = "per-node-config";

impl Actor {
    /// A pod gets an address, becomes ready, or ends.
    pub(super) async fn pod_step(
        &mut self,
        view: &View,
        pod: &Value,
        step: &mut Step,
    ) -> Result<(), ApiError> {
        if self.plane.rings.lock().is_dark(&self.plane.name) {
            // It went while this pass was on its way.
            return Ok(());
        }
        let uid = json::uid(pod).to_owned();
        self.machines
            .entry(uid.clone())
            .or_insert_with(|| Machine::new(pod));
        if json::is_deleting(pod) {
            return self.end_pod(&uid, pod, step).await;
        }
        if text(pod, "/status/podIP").is_empty() {
            return self.run_pod(view, &uid, pod, step).await;
        }
        self.cassandra_step(&uid, pod, step).await?;
        let should_be_ready = {
            let (world, node) = (self.plane.rings.lock(), self.node(pod));
            matches!(world.phase(&node), Some(Phase::Up | Phase::Leaving)) && !world.impaired.contains(&node)
        };
        if should_be_ready != (json::condition(pod, "Ready") == "True") {
            let status = ready_status(pod, should_be_ready, &self.plane.clock.now());
            self.write_pod_status(pod, status).await?;
            step.changed = true;
        }
        Ok(())
    }

    async fn end_pod(&mut self, uid: &str, pod: &Value, step: &mut Step) -> Result<(), ApiError> {
        let node = self.node(pod);
        let takes = self.plane.pace.step(secs(1), &format!("terminate/{uid}"));
        let Some(machine) = self.machines.get_mut(uid) else {
            return Ok(());
        };
        let began = machine.terminate_at.is_none();
        let terminate_at = *machine.terminate_at.get_or_insert_with(|| Instant::now() + takes);
        if began {
            self.plane.cassandra.pod_gone(&node);
            if json::condition(pod, "Ready") == "True" {
                let status = ready_status(pod, false, &self.plane.clock.now());
                self.write_pod_status(pod, status).await?;
                step.changed = true;
            }
        }
        if step.is_due(terminate_at) && self.plane.cassandra.has_ended(&node) {
            self.plane.api.delete(kinds::PODS, &self.key.0, pod, true).await?;
            step.changed = true;
        }
        Ok(())
    }

    async fn run_pod(
        &mut self,
        view: &View,
        uid: &str,
        pod: &Value,
        step: &mut Step,
    ) -> Result<(), ApiError> {
        let Some(machine) = self.machines.get_mut(uid) else {
            return Ok(());
        };
        let takes = self
            .plane
            .pace
            .step(Duration::from_millis(500), &format!("run/{uid}"));
        if !step.is_due(machine.seen + takes) {
            return Ok(());
        }
        if lacks_an_image(pod) {
            if json::list(pod, "/status/containerStatuses").is_empty() {
                let status = waiting_status(pod, &self.plane.clock.now());
                self.write_pod_status(pod, status).await?;
                step.changed = true;
            }
            return Ok(());
        }
        let Some(dc) = &view.dc else { return Ok(()) };
        let address = self.plane.new_address();
        let disk = disk_of(view, pod);
        // Known to the rings first: an address that is out must not be given away again.
        self.plane.rings.lock().pod_runs(
            &self.node(pod),
            dc.identity(label(pod, names::RACK)),
            address,
            &disk,
        );
        self.write_pod_status(pod, running_status(pod, address, &self.plane.clock.now()))
            .await?;
        if let Some(machine) = self.machines.get_mut(uid) {
            machine.running_since = Some(Instant::now());
        }
        step.changed = true;
        Ok(())
    }

    async fn cassandra_step(&mut self, uid: &str, pod: &Value, step: &mut Step) -> Result<(), ApiError> {
        let node = self.node(pod);
        let Some(machine) = self.machines.get_mut(uid) else {
            return Ok(());
        };
        if self.plane.cassandra.takes_its_start(&node) {
            machine.boot_at = Some(Instant::now());
        }
        let (boot_at, leave_at) = (machine.boot_at, machine.leave_at);
        if boot_at.is_some_and(|moment| step.is_due(moment)) {
            let seeds = self.resolve_seeds(pod).await?;
            let host_id = |disk: &str| self.plane.pace.uuid(&format!("host/{disk}"));
            let parts = self.parts_for(pod).await?;
            let waits = self
                .plane
                .cassandra
                .boot(&node, (pod, &parts), &seeds, host_id, &self.bell);
            // Cassandra gives up and is started anew by its container; seeds may be others by then.
            let again = waits.then(|| Instant::now() + self.plane.pace.wait(secs(2)));
            if let Some(machine) = self.machines.get_mut(uid) {
                machine.boot_at = again;
            }
            if let Some(moment) = again {
                step.is_due(moment);
            }
            step.changed |= again.is_none();
        }
        if leave_at.is_some_and(|moment| step.is_due(moment)) {
            self.plane.rings.lock().left(&node);
            if let Some(machine) = self.machines.get_mut(uid) {
                machine.leave_at = None;
            }
            step.changed = true;
        }
        Ok(())
    }

    /// What the ConfigMap with configuration of single nodes has for this pod, as the container of that name merges it: by file.
    async fn parts_for(&self, pod: &Value) -> Result<Parts, ApiError> {
        if !self.plane.cassandra.reads_mounts() {
            return Ok(Parts::new());
        }
        let api = &self.plane.api;
        // Pods here have the volumes of the operator alone.
        let dc = api.get(kinds::DATACENTERS, &self.key.0, &self.key.1).await?;
        let mut volumes = dc
            .iter()
            .flat_map(|dc| json::list(dc, "/spec/podTemplateSpec/spec/volumes"));
        let Some(volume) = volumes.find(|volume| json::text(volume, "/name") == PER_NODE) else {
            return Ok(Parts::new());
        };
        let name = json::text(volume, "/configMap/name");
        let map = api.get(kinds::CONFIG_MAPS, &self.key.0, name).await?;
        let data = map.as_ref().and_then(|map| map["data"].as_object());
        let prefix = format!("{}_", json::name(pod));
        let part = |(key, value): (&String, &Value)| {
            let file = key.strip_prefix(&prefix)?;
            Some((file.to_owned(), value.as_str()?.to_owned()))
        };
        Ok(data.into_iter().flatten().filter_map(part).collect())
    }

    async fn write_pod_status(&self, pod: &Value, status: Value) -> Result<(), ApiError> {
        let patch = json!({"metadata": {"uid": json::uid(pod)}, "status": status});
        match self
            .plane
            .api
            .merge_status(kinds::PODS, &self.key.0, json::name(pod), &patch)
            .await
        {
            Err(error) if !matches!(error.code(), Some(404 | 409 | 422)) => Err(error),
            _ => Ok(()),
        }
    }
}
