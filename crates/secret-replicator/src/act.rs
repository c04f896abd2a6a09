//! Copies made and brought up to date. Every target works for itself: one that hangs or refuses neither stops nor
//! delays another, and what the others did is in the status while it still hangs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use api::names::{manager, reason};
use api::replicated_secret::{ReplicatedSecret, ReplicationCondition, ReplicationTarget};
use fleet::Plane;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use plan::replication::acts::Held;
use plan::replication::{
    CopyAct, Outcome, ReplicationFacts, SecretView, Step, TargetPlan, Verdict, copy as copies, judge,
};
use runtime::write::{create, json_patch};
use runtime::{Key, WriteError};
use tokio::time::{Instant, timeout_at};

use crate::contention::Place;
use crate::error::PassError;
use crate::payload::Payload;
use crate::watches::Remote;
use crate::{CALL_AGAIN, Context, report, view};

/// How long fast targets wait for slow ones before what they did is said.
const GRACE: Duration = Duration::from_secs(2);
/// When a write that hit a newer version is tried again.
const AFTER_CONFLICT: Duration = Duration::from_secs(1);

/// What became of a step, and when to look again although nothing happens.
type Ended = (Outcome, Option<Duration>);

/// Carries out all steps. Returns the outcomes of each target, and when to look again.
pub(crate) async fn copy(
    context: &Context,
    key: &Key,
    object: &ReplicatedSecret,
    facts: &ReplicationFacts,
    plans: &[TargetPlan],
    waits: &[ReplicationCondition],
    blink: &BTreeSet<report::Place>,
) -> Result<(Vec<Vec<Outcome>>, Option<Duration>), PassError> {
    let mut outcomes: Vec<Vec<Outcome>> = plans.iter().map(before).collect();
    if plans.iter().any(|plan| plan.has_lost_a_copy(facts)) {
        // Whoever saw the loss learns from the next change of the status that it is mended.
        report::publish(context, key, facts, plans, &outcomes, waits, blink).await?;
    }
    let payloads = payloads(context, facts, plans).await;
    let mut running: FuturesUnordered<_> = plans
        .iter()
        .enumerate()
        .filter(|(index, _)| {
            outcomes
                .get(*index)
                .is_some_and(|all| all.contains(&Outcome::Pending))
        })
        .filter_map(|(index, plan)| {
            let target = facts.targets.get(index)?;
            let job = Job {
                context,
                object,
                facts,
                plan,
                target,
                payloads: &payloads,
            };
            Some(async move { (index, job.run().await) })
        })
        .collect();
    let mut again: Option<Duration> = None;
    let mut grace = Some(Instant::now() + GRACE);
    while !running.is_empty() {
        let next = match grace {
            Some(until) => timeout_at(until, running.next()).await,
            None => Ok(running.next().await),
        };
        match next {
            Ok(Some((index, ended))) => {
                again = ended.iter().filter_map(|(_, again)| *again).chain(again).min();
                if let Some(place) = outcomes.get_mut(index) {
                    *place = ended.into_iter().map(|(outcome, _)| outcome).collect();
                }
            }
            Ok(None) => break,
            Err(_) => {
                grace = None;
                // What cannot be said now is said at the end.
                let _ = report::publish(context, key, facts, plans, &outcomes, waits, blink).await;
            }
        }
    }
    drop(running);
    Ok((outcomes, again))
}

/// Outcomes before anything is done.
fn before(plan: &TargetPlan) -> Vec<Outcome> {
    let steps = plan.steps.iter().flatten();
    steps
        .map(|step| match &step.act {
            CopyAct::Keep { mark } => Outcome::Done { mark: mark.clone() },
            CopyAct::Refuse(held) => Outcome::Failed(held.clone()),
            CopyAct::Create { .. } | CopyAct::Write { .. } => Outcome::Pending,
        })
        .collect()
}

/// The sources that something has to be written from, by name.
type Payloads = BTreeMap<String, Result<Payload, Held>>;

async fn payloads(context: &Context, facts: &ReplicationFacts, plans: &[TargetPlan]) -> Payloads {
    let Ok(Some(selector)) = &facts.selector else {
        return Payloads::new();
    };
    let steps = plans.iter().flat_map(|plan| plan.steps.iter().flatten());
    let written = steps.filter(|step| matches!(step.act, CopyAct::Create { .. } | CopyAct::Write { .. }));
    let names: BTreeSet<&str> = written.map(|step| step.source.as_str()).collect();
    let sources = facts
        .sources
        .iter()
        .filter(|source| names.contains(source.name.as_str()));
    let client = &context.process.client;
    let reads = sources
        .map(|source| async move { (source.name.clone(), Payload::read(client, source, selector).await) });
    futures::future::join_all(reads).await.into_iter().collect()
}

/// The work for one target.
struct Job<'a> {
    context: &'a Context,
    object: &'a ReplicatedSecret,
    facts: &'a ReplicationFacts,
    plan: &'a TargetPlan,
    target: &'a ReplicationTarget,
    payloads: &'a Payloads,
}

impl Job<'_> {
    async fn run(&self) -> Vec<Ended> {
        let mut ended: Vec<Ended> = Vec::new();
        let plane = self.context.fleet.plane(&self.plan.context);
        let steps = self.plan.steps.iter().flatten();
        for (step, outcome) in steps.zip(before(self.plan)) {
            let done = match (&outcome, &plane) {
                (Outcome::Pending, Ok(plane)) => self.step(plane, step).await,
                (Outcome::Pending, Err(unknown)) => (Outcome::Failed(Held::unknown(unknown)), None),
                _ => (outcome, None),
            };
            ended.push(done);
        }
        ended
    }

    async fn step(&self, plane: &Arc<Plane<Remote>>, step: &Step) -> Ended {
        let payload = match self.payloads.get(&step.source) {
            Some(Ok(payload)) => payload,
            Some(Err(held)) => return (Outcome::Failed(held.clone()), Some(CALL_AGAIN)),
            None => return (Outcome::Pending, Some(CALL_AGAIN)),
        };
        let made = match &step.act {
            CopyAct::Create { look_first: true } => match self.look(plane, step).await {
                Ok(Some(found)) => self.settle(plane, step, payload, &found).await,
                Ok(None) => self.create(plane, step, payload).await,
                Err(ended) => Ok(ended),
            },
            CopyAct::Create { look_first: false } => self.create(plane, step, payload).await,
            CopyAct::Write { uid, .. } => match self.listed(step, uid) {
                Some(found) => self.write(plane, step, payload, found).await,
                None => Ok((Outcome::Pending, Some(AFTER_CONFLICT))),
            },
            CopyAct::Keep { .. } | CopyAct::Refuse(_) => return (Outcome::Pending, None),
        };
        made.unwrap_or_else(|error| {
            // A conflict is somebody's write before ours. Nobody has undone what the server did not do; what it may have done
            // without an answer does not count either, and is slowed down as a failure is.
            if !matches!(error, WriteError::Conflict { .. }) {
                self.context.contention.not_made(&self.place(step));
            }
            self.failed(step, &error)
        })
    }

    /// The copy as the plan saw it.
    fn listed(&self, step: &Step, uid: &str) -> Option<&SecretView> {
        let copies = self.facts.plane(&self.plan.context).ok()?.copies.as_ref().ok()?;
        copies
            .iter()
            .find(|it| it.namespace == self.plan.namespace && it.name == step.name && it.uid == uid)
    }

    /// What of that name is there now.
    async fn look(&self, plane: &Plane<Remote>, step: &Step) -> Result<Option<SecretView>, Ended> {
        let seen = plane
            .read::<Secret>(&self.plan.namespace, &step.name, self.plan.plane.as_ref())
            .await;
        match seen {
            api::seen::Seen::Present(secret) => Ok(view::of(&secret)),
            api::seen::Seen::Absent(_) => Ok(None),
            api::seen::Seen::NotListed => Err((Outcome::Pending, Some(CALL_AGAIN))),
            api::seen::Seen::Unknown(unknown) => {
                Err((Outcome::Failed(Held::unknown(&unknown)), Some(CALL_AGAIN)))
            }
        }
    }

    async fn create(
        &self,
        plane: &Arc<Plane<Remote>>,
        step: &Step,
        payload: &Payload,
    ) -> Result<Ended, WriteError> {
        if let Err(ended) = self.admit(step, payload) {
            return Ok(ended);
        }
        let metadata = copies::metadata(&self.facts.identity, self.target, &payload.view);
        let secret = payload.copy(&self.plan.namespace, &step.name, metadata);
        match create(&self.api(plane), &secret, manager::SECRET_REPLICATOR).await {
            Ok(stored) => Ok(self.written(plane, step, payload, &stored, "SecretCopied")),
            Err(WriteError::AlreadyExists { .. }) => match self.look(plane, step).await {
                Ok(Some(found)) => self.settle(plane, step, payload, &found).await,
                Ok(None) => Ok((Outcome::Pending, Some(AFTER_CONFLICT))),
                Err(ended) => Ok(ended),
            },
            Err(error) => Err(error),
        }
    }

    /// Something of that name is there: it is compared as the plan would have done.
    async fn settle(
        &self,
        plane: &Arc<Plane<Remote>>,
        step: &Step,
        payload: &Payload,
        found: &SecretView,
    ) -> Result<Ended, WriteError> {
        match judge(&self.facts.identity, &payload.view, found) {
            Verdict::Equal { mark } => Ok((Outcome::Done { mark }, None)),
            Verdict::Write => self.write(plane, step, payload, found).await,
            Verdict::Refused(held) => Ok((Outcome::Failed(held), None)),
        }
    }

    async fn write(
        &self,
        plane: &Arc<Plane<Remote>>,
        step: &Step,
        payload: &Payload,
        found: &SecretView,
    ) -> Result<Ended, WriteError> {
        if let Err(ended) = self.admit(step, payload) {
            return Ok(ended);
        }
        let metadata = copies::metadata(&self.facts.identity, self.target, &payload.view);
        let operations = payload.operations(found, &metadata);
        let version = Some(found.resource_version.as_str());
        let api = self.api(plane);
        let stored = json_patch(
            &api,
            &step.name,
            &found.uid,
            version,
            &operations,
            manager::SECRET_REPLICATOR,
        )
        .await?;
        Ok(self.written(plane, step, payload, &stored, "CopyUpdated"))
    }

    fn written(
        &self,
        plane: &Plane<Remote>,
        step: &Step,
        payload: &Payload,
        stored: &Secret,
        event: &str,
    ) -> Ended {
        let Some(seen) = view::of(stored) else {
            return (Outcome::Pending, Some(AFTER_CONFLICT));
        };
        let as_sent = seen.content == payload.view.content;
        let key = Key::new(&self.plan.namespace, &step.name);
        let version = seen.resource_version.clone();
        plane.caches.copies.absorb(key, &version, seen);
        report::done(
            self.context,
            self.object,
            event,
            &step.sentence(self.plan).unwrap_or_default(),
        );
        if as_sent {
            return (
                Outcome::Done {
                    mark: copies::mark(&payload.view),
                },
                None,
            );
        }
        (
            Outcome::Failed(self.contention(step, "is stored with another content than was sent")),
            None,
        )
    }

    fn admit(&self, step: &Step, payload: &Payload) -> Result<(), Ended> {
        let mark = copies::mark(&payload.view);
        let admitted = self
            .context
            .contention
            .admit(&self.place(step), &mark, Instant::now());
        admitted.map_err(|wait| {
            let held = self.contention(step, "is changed or deleted by somebody after each of our writes");
            (Outcome::Failed(held), Some(wait))
        })
    }

    fn place(&self, step: &Step) -> Place {
        (
            self.plan.context.clone(),
            self.plan.namespace.clone(),
            step.name.clone(),
        )
    }

    fn contention(&self, step: &Step, what: &str) -> Held {
        Held {
            holds: Some(false),
            reason: reason::FIELD_CONTENTION.to_owned(),
            message: format!(
                "Secret {}/{} {what}: it is written ever less often. See the managers in its metadata.managedFields.",
                self.plan.namespace, step.name
            ),
        }
    }

    fn api(&self, plane: &Plane<Remote>) -> Api<Secret> {
        Api::namespaced(plane.client(), &self.plan.namespace)
    }

    fn failed(&self, step: &Step, error: &WriteError) -> Ended {
        let place = format!("Secret {}/{}", self.plan.namespace, step.name);
        tracing::warn!(replicated = self.facts.identity.label(), plane = self.plan.context, %error, "copy not written");
        let no = |reason: &str, message: String| {
            (
                Outcome::Failed(Held {
                    holds: Some(false),
                    reason: reason.to_owned(),
                    message,
                }),
                None,
            )
        };
        match error {
            WriteError::Conflict { .. } | WriteError::AlreadyExists { .. } => {
                (Outcome::Pending, Some(AFTER_CONFLICT))
            }
            WriteError::NotFound { .. } if matches!(step.act, CopyAct::Create { .. }) => {
                let message = format!(
                    "Namespace {} does not exist in the plane. Create it.",
                    self.plan.namespace
                );
                no(reason::NAMESPACE_MISSING, message)
            }
            WriteError::NotFound { .. } => (Outcome::Pending, Some(AFTER_CONFLICT)),
            WriteError::Forbidden { message, .. } => {
                let way_out =
                    "Give the account of the kubeconfig the rights of the shipped role, or make room.";
                no(
                    reason::PLANE_FORBIDDEN,
                    format!("{place} may not be written: {message}. {way_out}"),
                )
            }
            WriteError::Refused { message, .. } => no(
                reason::WRITE_REFUSED,
                format!("{place} is refused by the plane: {message}"),
            ),
            WriteError::Unreachable { .. } | WriteError::Other { .. } => (
                Outcome::Failed(Held::no_answer(&self.plan.context)),
                Some(CALL_AGAIN),
            ),
        }
    }
}
