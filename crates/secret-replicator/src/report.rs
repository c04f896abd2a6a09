//! The status of a ReplicatedSecret, and Events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::names::manager;
use api::replicated_secret::{ReplicatedSecret, ReplicatedSecretStatus, ReplicationCondition};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Api;
use plan::replication::{Outcome, ReplicationFacts, TargetPlan};
use runtime::write::{Apply, apply_status};
use runtime::{EventType, Key, WriteError};
use serde_json::json;
use tokio::time::Instant;

use crate::Context;
use crate::error::PassError;

/// How long a plane may be out of sight before a target that was done is said to be unknown: new credentials make a
/// plane's watches start again, and that is nothing to tell.
const BLINK: Duration = Duration::from_secs(3);

/// Context and namespace of a target.
pub(crate) type Place = (String, String);

/// Says how the targets are, if that is not what the status says already. Targets that `blink` keep their word.
pub(crate) async fn publish(
    context: &Context,
    key: &Key,
    facts: &ReplicationFacts,
    plans: &[TargetPlan],
    outcomes: &[Vec<Outcome>],
    waits: &[ReplicationCondition],
    blink: &BTreeSet<Place>,
) -> Result<(), PassError> {
    let mut conditions = plan::replication::conditions(facts, plans, outcomes, waits);
    for (condition, plan) in conditions.iter_mut().zip(plans) {
        let place = (plan.context.clone(), plan.namespace.clone());
        if let Some(former) = facts
            .former_of(&place.0, &place.1)
            .filter(|_| blink.contains(&place))
        {
            *condition = former.clone();
        }
    }
    write(context, key, conditions).await
}

/// Says what the deletion waits for.
pub(crate) async fn waiting(
    context: &Context,
    key: &Key,
    waits: &[ReplicationCondition],
) -> Result<(), PassError> {
    if waits.is_empty() {
        Ok(())
    } else {
        write(context, key, waits.to_vec()).await
    }
}

async fn write(context: &Context, key: &Key, conditions: Vec<ReplicationCondition>) -> Result<(), PassError> {
    // Our own writes of this pass have moved the version on.
    let Some(object) = context.local.replicated.get(key) else {
        return Ok(());
    };
    let former = object.status.clone().unwrap_or_default();
    let conditions = stamped(
        &former.conditions,
        conditions,
        &Time(context.process.outside.clock.now()),
    );
    let status = ReplicatedSecretStatus {
        conditions,
        observed_generation: object.metadata.generation,
    };
    if status == former {
        return Ok(());
    }
    warn(context, &object, &former, &status);
    let body = json!({
        "apiVersion": "replication.k8ssandra.io/v1alpha1", "kind": "ReplicatedSecret", "status": &status,
    });
    let version = object.metadata.resource_version.as_deref();
    let how = Apply {
        manager: manager::SECRET_REPLICATOR,
        force: true,
        resource_version: version,
    };
    let api = Api::<ReplicatedSecret>::namespaced(context.process.client.clone(), &key.namespace);
    match apply_status(&api, &key.name, &body, how).await {
        Ok(stored) => absorb(context, key, stored),
        Err(WriteError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Takes the answer of a write of ours.
pub(crate) fn absorb(context: &Context, key: &Key, mut stored: ReplicatedSecret) {
    stored.metadata.managed_fields = None;
    let version = stored.metadata.resource_version.clone().unwrap_or_default();
    context.local.replicated.absorb(key.clone(), &version, stored);
}

/// Each condition with its time: that of the former one of the same place, unless its status moved. Targets that share
/// a place are told apart by their order.
fn stamped(
    former: &[ReplicationCondition],
    conditions: Vec<ReplicationCondition>,
    now: &Time,
) -> Vec<ReplicationCondition> {
    let place = |it: &ReplicationCondition| (it.cluster.clone(), it.namespace.clone());
    let mut seen: BTreeMap<_, usize> = BTreeMap::new();
    let stamp = |condition: ReplicationCondition| {
        let at = place(&condition);
        let before = seen.entry(at.clone()).or_default();
        let old = former.iter().filter(|it| place(it) == at).nth(*before);
        *before += 1;
        let kept = old
            .filter(|old| old.status == condition.status)
            .and_then(|old| old.last_transition_time.clone());
        ReplicationCondition {
            last_transition_time: Some(kept.unwrap_or_else(|| now.clone())),
            ..condition
        }
    };
    conditions.into_iter().map(stamp).collect()
}

/// One Event per act.
pub(crate) fn done(context: &Context, object: &ReplicatedSecret, reason: &str, sentence: &str) {
    tracing::info!(replicated = object.metadata.name, act = sentence, "done");
    context
        .process
        .events
        .publish(&reference(object), EventType::Normal, reason, reason, sentence);
}

/// One Warning per new failure.
fn warn(
    context: &Context,
    object: &ReplicatedSecret,
    former: &ReplicatedSecretStatus,
    status: &ReplicatedSecretStatus,
) {
    let failed = status.conditions.iter().filter(|it| it.status == "False");
    for condition in failed.filter(|it| !former.conditions.contains(it)) {
        let (reason, note) = (condition.reason.as_deref(), condition.message.as_deref());
        let (Some(reason), Some(note)) = (reason, note) else {
            continue;
        };
        context
            .process
            .events
            .publish(&reference(object), EventType::Warning, reason, "Replicate", note);
    }
}

fn reference(object: &ReplicatedSecret) -> ObjectReference {
    ObjectReference {
        api_version: Some("replication.k8ssandra.io/v1alpha1".to_owned()),
        kind: Some("ReplicatedSecret".to_owned()),
        namespace: object.metadata.namespace.clone(),
        name: object.metadata.name.clone(),
        uid: object.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}

/// Since when targets that were done have been out of sight.
#[derive(Default)]
pub(crate) struct Blinks(Mutex<BTreeMap<Key, BTreeMap<Place, Instant>>>);

impl Blinks {
    /// The targets that were done and have only just become unknown, and when to judge them again.
    pub fn of(
        &self,
        key: &Key,
        facts: &ReplicationFacts,
        plans: &[TargetPlan],
        now: Instant,
    ) -> (BTreeSet<Place>, Option<Duration>) {
        let unknown = plans
            .iter()
            .filter(|plan| plan.steps.as_ref().err().is_some_and(|held| held.holds.is_none()));
        let was_done = |plan: &&TargetPlan| {
            facts
                .former_of(&plan.context, &plan.namespace)
                .is_some_and(|former| former.status == "True")
        };
        let places = unknown
            .filter(was_done)
            .map(|plan| (plan.context.clone(), plan.namespace.clone()));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.remove(key).unwrap_or_default();
        let since: BTreeMap<Place, Instant> = places
            .map(|place| {
                let at = known.get(&place).copied().unwrap_or(now);
                (place, at)
            })
            .collect();
        let young: BTreeSet<Place> = since
            .iter()
            .filter(|(_, at)| now - **at < BLINK)
            .map(|(place, _)| place.clone())
            .collect();
        if !since.is_empty() {
            all.insert(key.clone(), since);
        }
        let again = (!young.is_empty()).then_some(BLINK);
        (young, again)
    }

    /// The ReplicatedSecret is gone.
    pub fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn at(second: i64) -> Time {
        Time(Timestamp::from_second(second).unwrap())
    }

    fn condition(cluster: &str, status: &str, time: Option<i64>) -> ReplicationCondition {
        ReplicationCondition {
            cluster: cluster.into(),
            status: status.into(),
            last_transition_time: time.map(at),
            ..ReplicationCondition::default()
        }
    }

    #[test]
    fn a_time_moves_only_with_its_status_and_targets_of_one_place_do_not_mix() {
        let former = [
            condition("east", "True", Some(1)),
            condition("east", "False", Some(2)),
        ];
        let new = vec![
            condition("east", "True", None),
            condition("east", "False", None),
            condition("east", "True", None),
            condition("west", "True", None),
        ];
        let times: Vec<_> = stamped(&former, new, &at(9))
            .into_iter()
            .map(|it| it.last_transition_time.unwrap())
            .collect();
        assert_eq!(times, [at(1), at(2), at(9), at(9)]);
        let moved = stamped(&former, vec![condition("east", "False", None)], &at(9));
        assert_eq!(moved[0].last_transition_time, Some(at(9)));
    }
}
