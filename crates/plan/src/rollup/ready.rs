//! Condition Ready, and the error column.

use api::conditions::Condition;
use api::names::{condition, reason};
use api::reports::Hold;

use super::datacenters::{Sight, owned, sights, unknown};
use super::facts::{RollupFacts, SpecDatacenter};
use super::nodes;
use super::word::{Words, is_on_its_way};
use crate::cluster::acts::plane as plane_named;

/// What keeps a cluster from being ready: status, reason, message.
type Because = (Option<bool>, String, String);

/// The condition, without its time.
#[must_use]
pub fn ready(facts: &RollupFacts, words: &Words<'_>) -> Condition {
    let (holds, reason, message) = because(facts, words);
    let message = message + &old_news(facts, &reason);
    let mut ready = Condition::new(condition::READY, holds, &reason, message);
    ready.observed_generation = Some(facts.cluster.generation);
    ready
}

/// `None` as a word when all is well or on its way, as upstream has it; else what is wrong, and the way out.
#[must_use]
pub fn error(facts: &RollupFacts, words: &Words<'_>) -> String {
    let refusal = words.cluster.and_then(|report| report.refusal.as_ref());
    let refusal = refusal.map(|refusal| refusal.message.clone());
    let hold = || {
        words
            .holds()
            .find(|hold| !is_on_its_way(hold))
            .map(|hold| hold.message.clone())
    };
    let silent = || words.silent.map(silence);
    refusal
        .or_else(hold)
        .or_else(|| nodes::told(facts, words))
        .or_else(silent)
        .unwrap_or_else(|| "None".to_owned())
}

fn because(facts: &RollupFacts, words: &Words<'_>) -> Because {
    let no = |reason: &str, message: String| (Some(false), reason.to_owned(), message);
    let generation = facts.cluster.generation;
    if facts.cluster.deleting {
        let hold = words.holds().next().map(|hold| hold.message.clone());
        return no(
            reason::DELETING,
            hold.unwrap_or_else(|| "The cluster is being deleted.".to_owned()),
        );
    }
    if let Some(refusal) = words.cluster.and_then(|report| report.refusal.as_ref()) {
        return no(&refusal.reason, format!("{}: {}", refusal.field, refusal.message));
    }
    if let Some(silent) = words.silent {
        return (None, silent.to_owned(), silence(silent));
    }
    if words.cluster.is_none() {
        return no(
            reason::PROGRESSING,
            format!("Generation {generation} has not been looked at yet."),
        );
    }
    if let Some(hold) = foremost(words) {
        return no(&hold.reason, told(facts, hold));
    }
    let sights = sights(facts);
    if let Some(message) = sights
        .iter()
        .find_map(|(spec, sight)| not_as_asked(facts, spec, *sight))
    {
        return no(reason::DATACENTER_NOT_READY, message);
    }
    if !words.is_complete() {
        let message =
            format!("Every datacenter of generation {generation} is ready; the ring is being completed.");
        return no(reason::PROGRESSING, message);
    }
    let away = sights.iter().find_map(|(spec, sight)| match sight {
        Sight::Unknown(unknown) => Some((spec, unknown)),
        _ => None,
    });
    match away {
        Some((spec, unknown)) => {
            let message = format!(
                "Datacenter {} was ready when it was last seen: {}",
                spec.name,
                calm(unknown)
            );
            (None, unknown.reason.clone(), message)
        }
        None => (
            Some(true),
            reason::AS_SPECIFIED.to_owned(),
            all_well(sights.len()),
        ),
    }
}

/// What to name first: what keeps the ring from being founded, then what needs somebody, then what is on its way.
fn foremost<'a>(words: &Words<'a>) -> Option<&'a Hold> {
    let founding = words.holds().find(|hold| hold.founding);
    founding
        .or_else(|| words.holds().find(|hold| !is_on_its_way(hold)))
        .or_else(|| words.holds().next())
}

/// A hold's message, with what it waits for as far as that is seen here: copies of Secrets, or nodes.
fn told(facts: &RollupFacts, hold: &Hold) -> String {
    let name = hold.datacenter.as_deref().unwrap_or_default();
    let seen = owned(facts);
    let seen = seen
        .get(name)
        .filter(|_| hold.reason == reason::DATACENTER_NOT_READY);
    let standing = seen.map(|seen| nodes::standing(&facts.cluster, &seen.object));
    if let Some(standing) = standing.filter(|standing| !standing.is_empty()) {
        return format!("{}. {standing}", hold.message.trim_end_matches('.'));
    }
    let context = hold.context.as_deref().unwrap_or_default();
    let waits = |reason: &str| reason == reason::SECRETS_PENDING;
    let copies = facts.replicated.iter().filter(|_| waits(&hold.reason));
    let mut open = copies.filter(|condition| condition.cluster == context && condition.status != "True");
    match open.next().and_then(|condition| condition.message.as_deref()) {
        Some(why) => format!("{}. {why}", hold.message.trim_end_matches('.')),
        None => hold.message.clone(),
    }
}

fn not_as_asked(facts: &RollupFacts, spec: &SpecDatacenter, sight: Sight<'_>) -> Option<String> {
    let place = plane_named(&spec.context);
    match sight {
        Sight::There(seen) if seen.object.settled => None,
        Sight::There(seen) => {
            let progress = seen
                .object
                .progress
                .as_deref()
                .unwrap_or("not looked at by cass-operator yet");
            let standing = nodes::standing(&facts.cluster, &seen.object);
            let message = match progress {
                // cass-operator has done its part: what is wrong is what its nodes show.
                "Ready" => format!(
                    "Datacenter {} in {place} is not as it should be. {standing}",
                    spec.name
                ),
                _ => format!(
                    "Datacenter {} in {place} is not ready: {progress}. {standing}",
                    spec.name
                ),
            };
            Some(message.trim_end().to_owned())
        }
        Sight::NotThere => Some(format!("Datacenter {} is not there in {place} yet.", spec.name)),
        Sight::Unknown(_) => None,
    }
}

fn all_well(datacenters: usize) -> String {
    match datacenters {
        1 => "The datacenter is as specified.".to_owned(),
        count => format!("All {count} datacenters are as specified."),
    }
}

fn silence(reason: &str) -> String {
    let program = match reason {
        reason::CLUSTER_RECONCILER_SILENT => "cluster-reconciler",
        _ => "topology-reconciler",
    };
    format!("{program} has not answered this generation for a minute: see whether it runs, and its log.")
}

/// Datacenters whose entries are older than the rest, unless the reason says so already.
fn old_news(facts: &RollupFacts, reason: &str) -> String {
    let entries = &facts.cluster.status.datacenters;
    let mut old: Vec<&str> = Vec::new();
    let mut why = None;
    for (name, entry) in entries {
        let seen = facts
            .datacenters
            .iter()
            .any(|it| it.object.name == *name && facts.cluster.owns(&it.object));
        if let Some(unknown) = unknown(facts, &entry.context_name).filter(|_| !seen) {
            old.push(name);
            why.get_or_insert(unknown);
        }
    }
    match why {
        Some(unknown) if unknown.reason != reason => {
            format!(
                " What is said of {} is from before: {}",
                old.join(", "),
                calm(unknown)
            )
        }
        _ => String::new(),
    }
}

/// Why a plane is not known, in words that stay the same while it is not.
fn calm(unknown: &api::seen::Unknown) -> String {
    if unknown.reason == reason::PLANE_UNREACHABLE {
        format!("{} does not answer.", plane_named(&unknown.context))
    } else {
        unknown.message.clone()
    }
}
