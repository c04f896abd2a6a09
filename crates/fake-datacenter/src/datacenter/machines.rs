//! What kube's own controllers do for a datacenter: pods of StatefulSets, claims, statuses.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Actor, View};
use crate::apiserver::{ApiError, kinds};
use crate::json::{self, label};
use crate::names;
use crate::objects::{claim_name, claim_of, pod_of, revision};

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
    /// When the pod was first seen.
    pub seen: Instant,
    /// When it is gone, once it is being deleted.
    pub terminate_at: Option<Instant>,
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
    pub fn is_due(&mut self, moment: Instant) -> bool {
        if moment <= Instant::now() {
            return true;
        }
        self.due = Some(self.due.map_or(moment, |due| due.min(moment)));
        false
    }
}

impl Actor {
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
        let held = json::number(set, "/spec/updateStrategy/rollingUpdate/partition");
        let held = usize::try_from(held).unwrap_or(0);
        let outdated = own
            .iter()
            .rev()
            .find(|(ordinal, pod)| *ordinal >= held && label(pod, "controller-revision-hash") != current);
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
                    Err(error) if error.is_namespace_ending() => return Ok(false),
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
            Err(error) if error.is_namespace_ending() => Ok(false),
            Err(error) if error.code() != Some(409) => Err(error),
            _ => Ok(true),
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
        // These three are left out at zero.
        let some = |count: usize| if count == 0 { Value::Null } else { count.into() };
        let ready = count(&|pod| json::condition(pod, "Ready") == "True");
        let updated = count(&|pod| label(pod, "controller-revision-hash") == current);
        let status = json!({
            "observedGeneration": set.pointer("/metadata/generation"),
            "replicas": own.len(),
            "readyReplicas": some(ready),
            "availableReplicas": ready,
            "currentReplicas": some(updated),
            "updatedReplicas": some(updated),
            "currentRevision": current,
            "updateRevision": current,
            "collisionCount": 0,
        });
        let is = |key: &str| set.pointer("/status").and_then(|status| status.get(key));
        let differs = |(key, value): (&String, &Value)| match is(key) {
            Some(known) => known != value,
            None => *value != json!(0) && !value.is_null(),
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
}

impl Machine {
    pub fn new(pod: &Value) -> Self {
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
pub(super) fn disk_of(view: &View, pod: &Value) -> String {
    let name = claim_name(json::name(pod));
    let claim = view.claims.iter().find(|claim| json::name(claim) == name);
    claim.map_or(name, |claim| json::uid(claim).to_owned())
}
