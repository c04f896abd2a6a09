//! Everything observed → one status that people and tools can trust. Nothing decides by what this writes.
//!
//! | file | idea |
//! | --- | --- |
//! | [`facts`] | what was seen: the cluster, its datacenters, the reports of the programs |
//! | [`datacenters`] | `status.datacenters`: an entry exactly while the object was seen |
//! | [`word`] | what each program said of this generation, and whether it has fallen silent |
//! | [`ready`] | condition Ready and the error column |
//! | [`nodes`] | what is known of single nodes: not started, not serving |
//! | [`conditions`](mod@conditions) | the other conditions |
//! | [`addons`] | fields that nobody acts on |
//! | [`difference`](mod@difference) | whether a new status is worth a write, and how soon |

pub mod addons;
pub mod conditions;
pub mod datacenters;
pub mod difference;
pub mod facts;
pub mod nodes;
pub mod ready;
pub mod word;

#[cfg(test)]
mod fixtures;

use std::time::Duration;

use api::k8ssandra_cluster::K8ssandraClusterStatus;

pub use difference::{Difference, difference};
pub use facts::{ClusterView, DatacenterView, RollupFacts, SeenDatacenter, SpecDatacenter};

/// The status as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollup {
    /// Everything except `reports`. Conditions have no times: see [`api::conditions::set`].
    pub status: K8ssandraClusterStatus,
    /// When to look again although nothing happened.
    pub look_again: Option<Duration>,
}

/// What the status shall say.
#[must_use]
pub fn rollup(facts: &RollupFacts) -> Rollup {
    let words = word::Words::of(facts);
    let former = &facts.cluster.status;
    let done = words.is_complete() && !facts.cluster.deleting;
    let generation = facts.cluster.generation;
    let status = K8ssandraClusterStatus {
        conditions: conditions::conditions(facts, &words),
        datacenters: datacenters::entries(facts),
        datacenters_ready: Some(datacenters::ready_of_all(facts)),
        error: Some(ready::error(facts, &words)),
        observed_generation: if done {
            former.observed_generation.max(Some(generation))
        } else {
            former.observed_generation
        },
        reports: api::reports::Reports::default(),
    };
    Rollup {
        status,
        look_again: words.look_again,
    }
}

#[cfg(test)]
mod tests;
