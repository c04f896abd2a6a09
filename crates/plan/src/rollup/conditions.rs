//! The conditions, Ready first. What a program has not said of this generation stays as it was said before.

use api::conditions::{Condition, find};
use api::names::{condition, reason};
use api::reports::Hold;

use super::facts::RollupFacts;
use super::ready::ready;
use super::word::Words;
use crate::cluster::acts::plane as plane_named;

/// All conditions of ours, without times.
#[must_use]
pub fn conditions(facts: &RollupFacts, words: &Words<'_>) -> Vec<Condition> {
    let about = |mut condition: Condition| {
        condition.observed_generation = Some(facts.cluster.generation);
        condition
    };
    let mut all = vec![ready(facts, words)];
    all.extend(accepted(facts, words, about));
    all.extend(initialized(facts, words, about));
    all.extend(requires_update(facts, words, about));
    all.extend(held(facts, words, condition::FOUNDING_HELD, |hold| hold.founding).map(|it| fresh(it, about)));
    let split = |hold: &Hold| hold.reason == reason::HOST_IDS_DIFFER;
    all.extend(held(facts, words, condition::RING_SPLIT, split).map(|it| fresh(it, about)));
    // What topology-reconciler has not said of this generation stays as it was said before.
    all.extend(match words.topology {
        Some(_) => super::nodes::down(facts, words).map(about),
        None => former(facts, condition::NODES_DOWN),
    });
    all.extend(addons(facts).map(about));
    all
}

/// A condition that was just made, or one that stays as it was.
enum Said {
    Now(Condition),
    Before(Condition),
}

fn fresh(said: Said, about: impl Fn(Condition) -> Condition) -> Condition {
    match said {
        Said::Now(condition) => about(condition),
        Said::Before(condition) => condition,
    }
}

fn former(facts: &RollupFacts, type_: &str) -> Option<Condition> {
    find(&facts.cluster.status.conditions, type_).cloned()
}

fn accepted(
    facts: &RollupFacts,
    words: &Words<'_>,
    about: impl Fn(Condition) -> Condition,
) -> Option<Condition> {
    let Some(report) = words.cluster else {
        return former(facts, condition::ACCEPTED);
    };
    Some(about(match &report.refusal {
        Some(refusal) => {
            let message = format!("{}: {}", refusal.field, refusal.message);
            Condition::new(condition::ACCEPTED, Some(false), &refusal.reason, message)
        }
        None => Condition::new(
            condition::ACCEPTED,
            Some(true),
            reason::AS_SPECIFIED,
            "The spec can be acted on.",
        ),
    }))
}

/// True from the first time on that everything was done; never anything else.
fn initialized(
    facts: &RollupFacts,
    words: &Words<'_>,
    about: impl Fn(Condition) -> Condition,
) -> Option<Condition> {
    let type_ = condition::CASSANDRA_INITIALIZED;
    let before = former(facts, type_).filter(|before| before.holds() == Some(true));
    before.or_else(|| {
        let message = "Every datacenter has been ready once.";
        let now = about(Condition::new(type_, Some(true), reason::AS_SPECIFIED, message));
        (words.is_complete() && !facts.cluster.deleting).then_some(now)
    })
}

fn requires_update(
    facts: &RollupFacts,
    words: &Words<'_>,
    about: impl Fn(Condition) -> Condition,
) -> Option<Condition> {
    let type_ = condition::REQUIRES_UPDATE;
    let Some(report) = words.cluster else {
        return former(facts, type_);
    };
    let pending = report
        .datacenters
        .iter()
        .filter(|(_, it)| it.pending_change.as_ref().is_some_and(|change| change.held))
        .map(|(name, _)| name.as_str());
    let pending: Vec<_> = pending.collect();
    if !pending.is_empty() {
        let message = format!(
            "{} would be written differently, and that is held: change the spec, or set annotation {} to `once`.",
            pending.join(", "),
            api::names::annotation::AUTOUPDATE_SPEC
        );
        return Some(about(Condition::new(
            type_,
            Some(true),
            reason::CHANGE_PENDING,
            message,
        )));
    }
    let no = Condition::new(
        type_,
        Some(false),
        reason::AS_SPECIFIED,
        "Every datacenter is as it would be written.",
    );
    (words.is_complete() || former(facts, type_).is_some()).then(|| about(no))
}

/// True while something is held in that way; afterwards False, if it has been there.
fn held(
    facts: &RollupFacts,
    words: &Words<'_>,
    type_: &str,
    is_meant: impl Fn(&Hold) -> bool,
) -> Option<Said> {
    if let Some(hold) = words.holds().find(|hold| is_meant(hold)) {
        let place = hold.context.as_deref().map(plane_named);
        let place = place.filter(|place| !hold.message.to_lowercase().contains(&place.to_lowercase()));
        let place = place.map(|place| format!("In {place}: ")).unwrap_or_default();
        let message = format!("{place}{}", hold.message);
        return Some(Said::Now(Condition::new(
            type_,
            Some(true),
            &hold.reason,
            message,
        )));
    }
    let before = former(facts, type_)?;
    // Founding is held by cluster-reconciler, a split by topology-reconciler: nobody else's silence ends it.
    let answered = match type_ {
        condition::FOUNDING_HELD => words.cluster.is_some(),
        _ => words.topology.is_some(),
    };
    Some(if answered {
        Said::Now(Condition::new(
            type_,
            Some(false),
            reason::NOT_HELD,
            "It is not held any more.",
        ))
    } else {
        Said::Before(before)
    })
}

fn addons(facts: &RollupFacts) -> Option<Condition> {
    let fields = &facts.cluster.unmanaged;
    let message = || {
        format!(
            "Nothing here acts on {}: keep what did, or take the fields out. Cassandra is not affected.",
            fields.join(", ")
        )
    };
    let no = || {
        Condition::new(
            condition::ADDONS_MANAGED,
            Some(false),
            reason::ADDONS_UNMANAGED,
            message(),
        )
    };
    (!fields.is_empty()).then(no)
}
