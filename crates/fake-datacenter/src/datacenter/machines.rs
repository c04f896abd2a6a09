//! What kube's own controllers and a kubelet do for a datacenter: pods, claims, readiness, slices.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Actor, View, secs};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, label, text};
use crate::names;
use crate::objects::{
    Dc, Endpoint, claim_name, claim_of, pod_of, ready_status, revision, running_status, service_slice,
};
use crate::pace::fnv;
use crate::ring::{Boot, Phase};

/// One incarnation of a pod.
#[derive(Debug)]
pub(super) struct Machine {
    /// The pod's name.
    pub pod: String,
    /// When its containers run; `None` until it has an address.
    pub running_since: Option<Instant>,
    /// When Cassandra looks for its ring next.
    pub boot_at: Option<Instant>,
    /// When Cassandra has given its data away.
    pub leave_at: Option<Instant>,
    /// The start went wrong.
    pub broken: bool,
    seen: Instant,
    terminate_at: Option<Instant>,
}

/// What the machines did.
#[derive(Default)]
pub(super) struct Step {
    /// Something on the server changed.
    pub changed: bool,
    /// Only a status of a StatefulSet changed: what was read is stale, and nothing else follows.
    pub stale: bool,
    /// When the next thing is due.
    pub due: Option<Instant>,
}

impl Step {
    /// Whether `moment` has come; if not, it is remembered.
    fn is_due(&mut self, moment: Instant) -> bool {
        if moment <= Instant::now() {
            return true;
        }
        self.due = Some(self.due.map_or(moment, |due| due.min(moment)));
        false
    }
}

impl Actor {
    /// At the first look: nodes that were there before this program began are taken as they are.
    pub(super) fn adopt(&mut self, view: &View) {
        if std::mem::replace(&mut self.adopted, true) {
            return;
        }
        let Some(dc) = &view.dc else { return };
        let nodes =
            dc.0.pointer("/status/nodeStatuses")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
        for (pod, status) in &nodes {
            let claim = view
                .claims
                .iter()
                .find(|claim| json::name(claim) == claim_name(pod));
            let host = text(status, "/hostID");
            if let (Some(claim), false) = (claim, host.is_empty()) {
                let node = self.plane.node(&self.key.0, pod);
                let address = text(status, "/ip").parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
                let identity = dc.identity(text(status, "/rack"));
                self.plane
                    .rings
                    .lock()
                    .restore(&node, &identity, json::uid(claim), host, address);
            }
        }
        for pod in &view.pods {
            self.adopt_pod(dc, view, pod);
        }
    }

    fn adopt_pod(&mut self, dc: &Dc, view: &View, pod: &Value) {
        let Ok(address) = text(pod, "/status/podIP").parse::<Ipv4Addr>() else {
            return;
        };
        let now = Instant::now();
        let machine = Machine {
            running_since: Some(now),
            ..Machine::new(pod)
        };
        self.machines.insert(json::uid(pod).to_owned(), machine);
        let node = self.node(pod);
        let disk = disk_of(view, pod);
        let identity = dc.identity(label(pod, names::RACK));
        let mut world = self.plane.rings.lock();
        let was_ready = json::condition(pod, "Ready") == "True";
        if was_ready {
            let host = self.plane.pace.uuid(&format!("host/{disk}"));
            world.restore(&node, &identity, &disk, &host, address);
        }
        world.pod_runs(&node, identity, address, &disk);
        if was_ready {
            world.start(&node);
            world.boot(&node, &[], "");
        }
    }

    /// Everything that is due now for pods, claims and slices.
    pub(super) async fn machines_step(&mut self, view: &View) -> Result<Step, ApiError> {
        let mut step = Step::default();
        self.forget_vanished(view);
        for set in view.sets.iter().filter(|set| !json::is_deleting(set)) {
            self.set_step(view, set, &mut step).await?;
        }
        for pod in &view.pods {
            self.pod_step(view, pod, &mut step).await?;
        }
        self.claims_step(view, &mut step).await?;
        for set in view.sets.iter().filter(|set| !json::is_deleting(set)) {
            step.stale |= self.set_status(view, set).await?;
        }
        if let Some(dc) = &view.dc {
            self.slices_step(dc, view).await?;
        }
        Ok(step)
    }

    fn forget_vanished(&mut self, view: &View) {
        let is_there = |objects: &[Value], uid: &str| objects.iter().any(|object| json::uid(object) == uid);
        let (plane, namespace) = (&self.plane, &self.key.0);
        self.machines.retain(|uid, machine| {
            let stays = is_there(&view.pods, uid);
            if !stays {
                plane.rings.lock().pod_gone(&plane.node(namespace, &machine.pod));
            }
            stays
        });
        self.claims.retain(|uid, _| {
            let stays = is_there(&view.claims, uid);
            if !stays {
                plane.rings.lock().disk_gone(uid);
            }
            stays
        });
        for claim in &view.claims {
            self.claims
                .insert(json::uid(claim).to_owned(), json::name(claim).to_owned());
        }
    }

    /// The StatefulSet controller: missing pods are made, surplus ones deleted, outdated ones replaced one at a time.
    async fn set_step(&self, view: &View, set: &Value, step: &mut Step) -> Result<(), ApiError> {
        let replicas = usize::try_from(json::number(set, "/spec/replicas")).unwrap_or(0);
        let named = |ordinal: usize| format!("{}-{ordinal}", json::name(set));
        for ordinal in 0..replicas {
            if !view.pods.iter().any(|pod| json::name(pod) == named(ordinal)) {
                step.changed |= self.make_pod(view, set, ordinal).await?;
            }
        }
        let (current, own) = (revision(set), pods_of_set(view, set));
        let surplus = own.iter().filter(|(ordinal, _)| *ordinal >= replicas);
        let healthy = own.iter().all(|(_, pod)| {
            !json::is_deleting(pod)
                && (label(pod, "controller-revision-hash") != current
                    || json::condition(pod, "Ready") == "True")
        });
        let outdated = own
            .iter()
            .rev()
            .find(|(_, pod)| label(pod, "controller-revision-hash") != current);
        let outdated = outdated.filter(|_| healthy && own.len() == replicas);
        for (_, pod) in surplus.chain(outdated).filter(|(_, pod)| !json::is_deleting(pod)) {
            self.plane
                .api
                .delete(kinds::PODS, &self.key.0, pod, false)
                .await?;
            step.changed = true;
        }
        Ok(())
    }

    async fn make_pod(&self, view: &View, set: &Value, ordinal: usize) -> Result<bool, ApiError> {
        let (api, namespace) = (&self.plane.api, &self.key.0);
        let claim = claim_of(set, ordinal);
        match view
            .claims
            .iter()
            .find(|known| json::name(known) == json::name(&claim))
        {
            Some(known) if json::is_deleting(known) => return Ok(false),
            Some(_) => {}
            None => {
                let made = match api.create(kinds::CLAIMS, namespace, &claim).await {
                    Err(error) if error.code() != Some(409) => return Err(error),
                    made => made.unwrap_or(claim),
                };
                let bound = json!({"status": {
                    "phase": "Bound",
                    "accessModes": made.pointer("/spec/accessModes"),
                    "capacity": made.pointer("/spec/resources/requests"),
                }});
                api.merge_status(kinds::CLAIMS, namespace, json::name(&made), &bound)
                    .await?;
            }
        }
        match api.create(kinds::PODS, namespace, &pod_of(set, ordinal)).await {
            // Admission wants an account that a controller would have made.
            Err(error) if error.code() == Some(403) && error.to_string().contains("service account") => {
                let account =
                    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
                match api.create(kinds::SERVICE_ACCOUNTS, namespace, &account).await {
                    Err(refused) if refused.code() != Some(409) => Err(refused),
                    _ => Ok(true),
                }
            }
            Err(error) if error.code() != Some(409) => Err(error),
            _ => Ok(true),
        }
    }

    /// The kubelet: a pod gets an address, becomes ready, or ends.
    async fn pod_step(&mut self, view: &View, pod: &Value, step: &mut Step) -> Result<(), ApiError> {
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
        let phase = self.plane.rings.lock().phase(&self.node(pod));
        let should_be_ready = matches!(phase, Some(Phase::Up | Phase::Leaving));
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
        let terminate_at = *machine.terminate_at.get_or_insert_with(|| {
            self.plane.rings.lock().pod_gone(&node);
            Instant::now() + takes
        });
        if step.is_due(terminate_at) {
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
        let (boot_at, leave_at) = match self.machines.get(uid) {
            Some(machine) => (machine.boot_at, machine.leave_at),
            None => return Ok(()),
        };
        if boot_at.is_some_and(|moment| step.is_due(moment)) {
            let seeds = self.resolve_seeds(pod).await?;
            let disk = self.plane.rings.lock().disk_of(&node);
            let host = self.plane.pace.uuid(&format!("host/{disk}"));
            let boot = self.plane.rings.lock().boot(&node, &seeds, &host);
            // Cassandra gives up and is started anew by its container; seeds may be others by then.
            let again = (boot == Boot::Waiting).then(|| Instant::now() + self.plane.pace.wait(secs(2)));
            if let Some(machine) = self.machines.get_mut(uid) {
                machine.boot_at = again;
            }
            again.into_iter().for_each(|moment| {
                step.is_due(moment);
            });
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

    /// The protection of claims in use: a deleted claim goes when its pod is gone.
    async fn claims_step(&self, view: &View, step: &mut Step) -> Result<(), ApiError> {
        for claim in view.claims.iter().filter(|claim| json::is_deleting(claim)) {
            let used = view
                .pods
                .iter()
                .any(|pod| claim_name(json::name(pod)) == json::name(claim));
            if !used && !json::list(claim, "/metadata/finalizers").is_empty() {
                let finalizers: Vec<_> = json::list(claim, "/metadata/finalizers")
                    .iter()
                    .filter(|name| name.as_str() != Some(names::PVC_PROTECTION))
                    .collect();
                let patch = json!({"metadata": {"uid": json::uid(claim), "finalizers": finalizers}});
                match self
                    .plane
                    .api
                    .merge(kinds::CLAIMS, &self.key.0, json::name(claim), &patch)
                    .await
                {
                    Err(error) if error.code() != Some(404) => return Err(error),
                    _ => step.changed = true,
                }
            }
        }
        Ok(())
    }

    async fn set_status(&self, view: &View, set: &Value) -> Result<bool, ApiError> {
        let (current, own) = (revision(set), pods_of_set(view, set));
        let count = |wanted: &dyn Fn(&Value) -> bool| own.iter().filter(|(_, pod)| wanted(pod)).count();
        let ready = count(&|pod| json::condition(pod, "Ready") == "True");
        let updated = count(&|pod| label(pod, "controller-revision-hash") == current);
        let status = json!({
            "observedGeneration": set.pointer("/metadata/generation"),
            "replicas": own.len(),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "currentReplicas": updated,
            "updatedReplicas": updated,
            "currentRevision": current,
            "updateRevision": current,
        });
        let is = |key: &str| set.pointer("/status").and_then(|status| status.get(key));
        let differs = |(key, value): (&String, &Value)| match is(key) {
            Some(known) => known != value,
            None => *value != json!(0),
        };
        if !status.as_object().into_iter().flatten().any(differs) {
            return Ok(false);
        }
        let patch = json!({"metadata": {"uid": json::uid(set)}, "status": status});
        self.plane
            .api
            .merge_status(kinds::STATEFUL_SETS, &self.key.0, json::name(set), &patch)
            .await?;
        Ok(true)
    }

    /// The endpoint slice controller, for the services of this datacenter.
    async fn slices_step(&mut self, dc: &Dc, view: &View) -> Result<(), ApiError> {
        let api = &self.plane.api;
        let cluster = text(&json!(dc.selector()), "/cassandra.datastax.com~1cluster").to_owned();
        let selector = format!(
            "app.kubernetes.io/managed-by=cass-operator,{}={cluster}",
            names::CLUSTER
        );
        let prefix = format!("{}-", dc.prefix());
        let seed_service = format!("{}-seed-service", dc.cluster_prefix());
        for service in api.list(kinds::SERVICES, &self.key.0, &selector).await? {
            let is_own = json::name(&service).starts_with(&prefix) || json::name(&service) == seed_service;
            let Some(wanted) = service.pointer("/spec/selector").filter(|_| is_own) else {
                continue;
            };
            let slice = service_slice(&service, &endpoints(view, wanted));
            let digest = fnv(slice.to_string().as_bytes());
            if self.slices.get(json::name(&service)) != Some(&digest) {
                self.write_slice(slice).await?;
                self.slices.insert(json::name(&service).to_owned(), digest);
            }
        }
        Ok(())
    }

    async fn write_slice(&self, mut slice: Value) -> Result<(), ApiError> {
        let (api, namespace) = (&self.plane.api, &self.key.0);
        match api.get(kinds::SLICES, namespace, json::name(&slice)).await? {
            None => api.create(kinds::SLICES, namespace, &slice).await.map(|_| ()),
            Some(known) => {
                slice["metadata"]["resourceVersion"] = known["metadata"]["resourceVersion"].clone();
                api.replace(kinds::SLICES, namespace, &slice).await.map(|_| ())
            }
        }
    }
}

impl Machine {
    fn new(pod: &Value) -> Self {
        Self {
            pod: json::name(pod).to_owned(),
            running_since: None,
            boot_at: None,
            leave_at: None,
            broken: false,
            seen: Instant::now(),
            terminate_at: None,
        }
    }
}

/// The pods of a set with their ordinals, in order.
fn pods_of_set<'a>(view: &'a View, set: &Value) -> Vec<(usize, &'a Value)> {
    let prefix = format!("{}-", json::name(set));
    let ordinal = |pod: &Value| json::name(pod).strip_prefix(&prefix)?.parse().ok();
    let mut own: Vec<_> = view
        .pods
        .iter()
        .filter_map(|pod| Some((ordinal(pod)?, pod)))
        .collect();
    own.sort_by_key(|(ordinal, _)| *ordinal);
    own
}

/// The uid of a pod's claim, or its name when there is none.
fn disk_of(view: &View, pod: &Value) -> String {
    let name = claim_name(json::name(pod));
    let claim = view.claims.iter().find(|claim| json::name(claim) == name);
    claim.map_or(name, |claim| json::uid(claim).to_owned())
}

fn endpoints(view: &View, selector: &Value) -> Vec<Endpoint> {
    let picks = |pod: &&Value| {
        let wanted = selector.as_object().into_iter().flatten();
        wanted
            .into_iter()
            .all(|(key, value)| Some(label(pod, key)) == value.as_str())
    };
    let with_address = view
        .neighbours
        .iter()
        .filter(|pod| !text(pod, "/status/podIP").is_empty());
    with_address
        .filter(picks)
        .map(|pod| Endpoint {
            address: text(pod, "/status/podIP").to_owned(),
            pod: json::name(pod).to_owned(),
            uid: json::uid(pod).to_owned(),
            ready: json::condition(pod, "Ready") == "True",
            terminating: json::is_deleting(pod),
        })
        .collect()
}
