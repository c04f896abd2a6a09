//! Whether a new status is worth a write, and how soon.

use api::conditions::{Condition, find};
use api::k8ssandra_cluster::{DatacenterStatus, K8ssandraClusterStatus};
use api::names::condition;

use super::facts::quiet;

/// How a new status differs from the one that is stored, as far as anybody should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Not at all, or only in times that change while nothing happens.
    None,
    /// In details: nodes, messages, conditions of datacenters.
    Detail,
    /// In what is said of the whole: conditions, entries, error, generation.
    Step,
    /// Ready became another.
    Ready,
}

/// Compares what we write: `reports`, and what add-ons write, do not count.
#[must_use]
pub fn difference(stored: &K8ssandraClusterStatus, new: &K8ssandraClusterStatus) -> Difference {
    let ready = |status: &K8ssandraClusterStatus| {
        find(&status.conditions, condition::READY).map(|it| it.status.clone())
    };
    if ready(stored) != ready(new) {
        return Difference::Ready;
    }
    if steps(stored, new) {
        return Difference::Step;
    }
    let details = |status: &K8ssandraClusterStatus| -> Vec<_> {
        status
            .datacenters
            .iter()
            .map(|(name, entry)| (name.clone(), entry.cassandra.as_ref().map(quiet)))
            .collect()
    };
    let texts = new.conditions.iter().any(|condition| !is_said(stored, condition));
    if texts || details(stored) != details(new) {
        Difference::Detail
    } else {
        Difference::None
    }
}

fn steps(stored: &K8ssandraClusterStatus, new: &K8ssandraClusterStatus) -> bool {
    let outline = |status: &K8ssandraClusterStatus| -> Vec<_> {
        let line = |(name, entry): (&String, &DatacenterStatus)| {
            (
                name.clone(),
                entry.context_name.clone(),
                entry.decommission_progress.clone(),
            )
        };
        status.datacenters.iter().map(line).collect()
    };
    let gist = |condition: &Condition| (condition.status.clone(), condition.reason.clone());
    let moved = |it: &Condition| find(&stored.conditions, &it.type_).map(gist) != Some(gist(it));
    let left =
        |it: &Condition| it.type_ == condition::ADDONS_MANAGED && find(&new.conditions, &it.type_).is_none();
    outline(stored) != outline(new)
        || new.conditions.iter().any(moved)
        || stored.conditions.iter().any(left)
        || (
            &stored.error,
            stored.observed_generation,
            &stored.datacenters_ready,
        ) != (&new.error, new.observed_generation, &new.datacenters_ready)
}

/// Whether a condition is stored with the same words; times do not count.
fn is_said(stored: &K8ssandraClusterStatus, new: &Condition) -> bool {
    let words = |it: &Condition| {
        (
            it.status.clone(),
            it.reason.clone(),
            it.message.clone(),
            it.observed_generation,
        )
    };
    find(&stored.conditions, &new.type_).map(words) == Some(words(new))
}
