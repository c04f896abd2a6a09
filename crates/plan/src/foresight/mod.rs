//! What would be done for a cluster, from now until nothing is left to do: every act in its order, and what is sent for it.
//!
//! * [`Snapshot`]: what was read. * `world`: what becomes of it. * [`foresee`]: the decisions of
//!   [`plan`], taken again and again while everybody else does their part at once.
//!
//! Nothing is written anywhere: this is how `kubectl ringspan plan` and `render` know.

mod references;
mod snapshot;
mod world;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::reports::{ClusterReport, Refusal};
use serde_json::Value;

pub use snapshot::{PlaneObjects, Snapshot};

use crate::cluster::acts::Act;
use crate::cluster::facts::ClusterFacts;
use crate::cluster::plan;

/// No cluster takes more rounds than this for each of its datacenters.
const ROUNDS_EACH: usize = 12;

/// One act of the future.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub act: Act,
    /// What is made or changed by it: context of the plane, and the object.
    pub object: Option<(String, Value)>,
}

/// What would be done.
#[derive(Clone, Debug)]
pub struct Foresight {
    /// In order.
    pub steps: Vec<Step>,
    /// What is said at the end: what waits for a human, what is held, what is refused.
    pub report: ClusterReport,
}

impl Foresight {
    /// Why nothing can be done at all.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.report.refusal.as_ref()
    }
}

/// Foresees what would be done for a cluster, if from this moment on nobody but Ringspan changed anything and everybody
/// else did their part.
#[must_use]
pub fn foresee(kc: &K8ssandraCluster, snapshot: &Snapshot) -> Foresight {
    played(kc, snapshot).foresight
}

/// The facts of that future's end, when nothing is left to do.
#[must_use]
pub fn settled(kc: &K8ssandraCluster, snapshot: &Snapshot) -> ClusterFacts {
    let end = played(kc, snapshot);
    end.snapshot.facts(&end.kc)
}

/// A future and its end, where the next edit begins.
#[derive(Clone, Debug)]
pub struct Played {
    /// What was done on the way.
    pub foresight: Foresight,
    /// The cluster.
    pub kc: K8ssandraCluster,
    /// Everything else.
    pub snapshot: Snapshot,
}

/// As [`foresee`], with the end itself.
#[must_use]
pub fn played(kc: &K8ssandraCluster, snapshot: &Snapshot) -> Played {
    let (mut kc, mut snapshot) = (kc.clone(), snapshot.clone());
    let datacenters = kc.spec.cassandra.as_ref().map_or(0, |it| it.datacenters.len());
    let mut steps = Vec::new();
    let mut last = plan(&snapshot.facts(&kc));
    for _ in 0..ROUNDS_EACH * (datacenters + 1) {
        let acted = !last.acts.is_empty();
        for act in std::mem::take(&mut last.acts) {
            let object = world::done(&mut snapshot, &mut kc, &act);
            steps.push(Step { act, object });
        }
        let moved = world::others_do_their_part(&mut snapshot, &mut kc);
        last = plan(&snapshot.facts(&kc));
        if !acted && !moved {
            break;
        }
    }
    let report = last.report;
    Played {
        foresight: Foresight { steps, report },
        kc,
        snapshot,
    }
}

#[cfg(test)]
mod tests;
