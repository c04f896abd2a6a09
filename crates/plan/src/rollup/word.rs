//! What each program said of this generation. A report of another generation or of a later format says nothing.

use std::time::Duration;

use api::conditions;
use api::names::{condition, reason};
use api::reports::{ClusterReport, FORMAT, Hold, TopologyReport};

use super::facts::RollupFacts;

/// How long a program may take to answer a generation.
pub const SILENCE: Duration = Duration::from_mins(1);

/// Reasons to wait that need nobody: no error.
const ON_ITS_WAY: [&str; 9] = [
    reason::PROGRESSING,
    reason::DELETING,
    reason::SECRETS_PENDING,
    reason::SEEDS_PENDING,
    reason::DATACENTER_NOT_READY,
    reason::CHANGE_PENDING,
    reason::DECOMMISSIONING,
    reason::REPLICATION_PENDING,
    reason::REBUILDING,
];

/// Whether a hold is a step on the way that needs nobody.
#[must_use]
pub fn is_on_its_way(hold: &Hold) -> bool {
    !hold.founding && ON_ITS_WAY.contains(&hold.reason.as_str())
}

/// What the two programs said of this generation.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    /// Of cluster-reconciler.
    pub cluster: Option<&'a ClusterReport>,
    /// Of topology-reconciler.
    pub topology: Option<&'a TopologyReport>,
    /// The program that has not answered for too long, as a reason.
    pub silent: Option<&'static str>,
    /// When that will have to be judged again.
    pub look_again: Option<Duration>,
}

impl<'a> Words<'a> {
    /// Reads the reports.
    #[must_use]
    pub fn of(facts: &'a RollupFacts) -> Self {
        let generation = facts.cluster.generation;
        let reports = &facts.cluster.status.reports;
        let cluster = reports.cluster.as_ref();
        let cluster = cluster.filter(|it| it.format == FORMAT && it.observed_generation == generation);
        let topology = reports.topology.as_ref();
        let topology = topology.filter(|it| it.format == FORMAT && it.observed_generation == generation);
        // A spec that is refused is nobody's business but cluster-reconciler's, and so is a cluster that goes.
        let refused = cluster.is_some_and(|report| report.refusal.is_some());
        let missing = match (cluster, topology) {
            (None, _) => Some(reason::CLUSTER_RECONCILER_SILENT),
            (_, None) if !refused && !facts.cluster.deleting => Some(reason::TOPOLOGY_RECONCILER_SILENT),
            _ => None,
        };
        // What was said of this generation before a restart of this program still holds.
        let ready = conditions::find(&facts.cluster.status.conditions, condition::READY);
        let said = |reason: &str| {
            ready.is_some_and(|ready| {
                ready.reason.as_deref() == Some(reason) && ready.observed_generation == Some(generation)
            })
        };
        let silent = missing.filter(|reason| facts.waited >= SILENCE || said(reason));
        let look_again = missing
            .filter(|_| silent.is_none())
            .map(|_| SILENCE.saturating_sub(facts.waited));
        Words {
            cluster,
            topology,
            silent,
            look_again,
        }
    }

    /// What waits, in the words of cluster-reconciler first.
    pub fn holds(&self) -> impl Iterator<Item = &'a Hold> {
        let cluster = self.cluster.into_iter().flat_map(|report| &report.holds);
        cluster.chain(self.topology.into_iter().flat_map(|report| &report.holds))
    }

    /// Whether both are done with this generation.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.cluster
            .is_some_and(|report| report.complete && report.refusal.is_none())
            && self.topology.is_some_and(|report| report.complete)
    }
}
