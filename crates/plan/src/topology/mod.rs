//! The topology of a ring: who is a seed for whom, where clients find the nodes, how keyspaces are replicated, how a
//! datacenter joins, and when one may be deleted.
//!
//! [`plan`] is a pure function from what was seen to the writes that are due, the reads that are missing, and the
//! report. In its order:
//!
//! * [`ring`]: do both sides of a join list each other's nodes?
//! * [`seeds`] and [`seed_slices`]: the seeds that each datacenter is given, and the slices that carry them;
//! * [`contact_points`]: Service and slices in the control plane, by which clients find a datacenter;
//! * [`replication`]: system keyspaces always, user keyspaces for a datacenter that joins;
//! * [`dc_replication`]: what the user says about that;
//! * [`rebuild`]: the task that streams data to a datacenter that joins;
//! * [`removal`]: whether keyspaces still have replicas in a datacenter that shall go;
//! * [`progress`]: the report, and whether it can wait.
//!
//! What is unknown changes nothing: it keeps the seeds, the replication and the verdicts that are there.

mod acts;
mod cluster;
mod contact_points;
mod dc_replication;
mod draft;
#[cfg(test)]
mod fixture;
mod progress;
mod rebuild;
mod removal;
mod replication;
mod ring;
mod seed_slices;
mod seeds;
mod sites;
mod slices;
#[cfg(test)]
mod tests;

pub use acts::{Act, Answers, Ask, Keyspaces, Kind, Replicas, Ring, Schema, TopologyPlan, Where};
pub use cluster::{Cluster, DatacenterSpec};
pub use progress::can_wait;
pub use sites::{ContactPoints, Datacenter, Node, RebuildTask, SeedPod, Site, TopologyInput};
pub use slices::{Family, Headless, Owner, Port, Slice, seed_address};

use draft::Draft;

/// Decides what is due for the ring of one cluster.
///
/// A cluster that is paused or is being deleted gets nothing: cluster-reconciler deletes what was made for it.
#[must_use]
pub fn plan(input: &TopologyInput) -> TopologyPlan {
    if input.cluster.deleting || input.cluster.paused || input.cluster.datacenters.is_empty() {
        return TopologyPlan::default();
    }
    let mut draft = Draft::new(input);
    let joins = ring::joins(&mut draft);
    seed_slices::plan(&mut draft);
    contact_points::plan(&mut draft);
    let replicated = replication::system(&mut draft, &joins);
    rebuild::plan(&mut draft, &joins, replicated);
    removal::plan(&mut draft);
    progress::conclude(draft)
}
