//! The Cassandra that the pods would run: processes, disks and rings, shared by all planes of one program.
//!
//! A *disk* is a claim of a pod and remembers which member it belongs to, a *process* is one incarnation of a
//! pod, a *member* is what a ring knows of a node. So a deleted pod is a member that is down, a deleted claim is a
//! member that is lost for good, and a re-created datacenter over kept claims is its old self.

mod boot;
mod calls;
mod jobs;
mod keyspace;
mod members;
mod nodetool;
mod observed;
mod power;
mod report;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use boot::{Boot, Decision, decide};
pub use calls::{Call, Up};
pub use jobs::{Job, JobKind, JobState};
pub use keyspace::{Keyspace, NETWORK_TOPOLOGY, Replication};
pub use members::{Identity, Member, MemberState, Phase, Process, Ring};

/// Which node: a pod's name in a namespace of a plane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId {
    /// Plane.
    pub plane: String,
    /// Namespace.
    pub namespace: String,
    /// Pod.
    pub pod: String,
}

impl std::fmt::Display for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.plane, self.namespace, self.pod)
    }
}

/// What a node refuses to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RingError {
    /// There is no such pod.
    #[error("no node has the address {0}")]
    NoSuchNode(String),
    /// Its Cassandra does not answer.
    #[error("Cassandra of {0} is not up")]
    NotUp(NodeId),
    /// The keyspace is not there.
    #[error("keyspace {0} does not exist")]
    NoSuchKeyspace(String),
    /// Cassandra accepts only datacenters that have a node.
    #[error("unrecognized datacenter {0} in the replication of {1}")]
    UnknownDatacenter(String, String),
    /// A member of the ring is unreachable or has another schema.
    #[error("{0}")]
    Refused(String),
}

/// Everything that the rings know. Cheap to clone; all clones see the same rings.
#[derive(Clone, Default)]
pub struct Rings(Arc<Mutex<World>>);

/// The content of [`Rings`].
#[derive(Default)]
pub struct World {
    pub(crate) rings: BTreeMap<u32, Ring>,
    pub(crate) processes: BTreeMap<NodeId, Process>,
    /// What is written on the disk of each claim, by the claim's uid.
    pub(crate) disks: BTreeMap<String, Disk>,
    pub(crate) jobs: BTreeMap<String, Job>,
    pub(crate) journal: Vec<String>,
    /// How many rings were ever founded under a cluster name.
    pub(crate) founded: BTreeMap<String, u32>,
    /// Nodes whose next incarnation takes the place of the former one.
    pub(crate) replacing: std::collections::BTreeSet<NodeId>,
    /// Quiet periods that an operator does not keep: namespace, datacenter, and which one, counted from 1.
    pub(crate) hasty: std::collections::BTreeSet<(String, String, usize)>,
    /// How many quiet periods the operator of a datacenter has written.
    pub(crate) quiet_periods: BTreeMap<(String, String), usize>,
    /// Every probe for a quorum fails.
    pub(crate) probes_fail: bool,
    /// A rebuild from a datacenter that is not there is completed, as the recorder's own nodes did.
    pub(crate) any_source: bool,
    /// Nodes that are not ready, whatever their Cassandra says.
    pub(crate) impaired: std::collections::BTreeSet<NodeId>,
    /// What the operators called, oldest first.
    pub(crate) calls: Vec<Call>,
    /// When which node came up, oldest first.
    pub(crate) ups: Vec<Up>,
    /// Pairs of planes, in order of names, between which no gossip passes.
    pub(crate) closed: std::collections::BTreeSet<(String, String)>,
    /// Planes without power.
    pub(crate) dark: std::collections::BTreeSet<String>,
    /// Tells that a plane has its power again.
    pub(crate) power: Arc<tokio::sync::Notify>,
}

/// What a disk remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// The ring it belongs to.
    pub ring: u32,
    /// The member that it is.
    pub host_id: String,
}

impl Rings {
    /// The content, locked. Never hold it across an await.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// Writes a line into the journal; old lines go when there are very many.
    pub(crate) fn note(&mut self, line: String) {
        tracing::info!("{line}");
        if self.journal.len() >= 10_000 {
            self.journal.drain(..1000);
        }
        self.journal.push(line);
    }

    /// The node whose pod has this address.
    #[must_use]
    pub fn node_at(&self, address: Ipv4Addr) -> Option<NodeId> {
        self.processes
            .iter()
            .find(|(_, process)| process.address == address)
            .map(|(id, _)| id.clone())
    }

    /// How far a node's process is; `None` when the pod does not run.
    #[must_use]
    pub fn phase(&self, node: &NodeId) -> Option<Phase> {
        self.processes.get(node).map(|process| process.phase)
    }

    /// The uid of the claim of a running node, empty when it does not run.
    #[must_use]
    pub fn disk_of(&self, node: &NodeId) -> String {
        self.processes
            .get(node)
            .map(|process| process.disk.clone())
            .unwrap_or_default()
    }

    /// Lets rebuilds from datacenters that are not there be completed.
    pub fn accept_any_source(&mut self) {
        self.any_source = true;
    }

    /// Lets the operator of a datacenter make one pass at once in its quiet period number `count` from now on: the real one does so now
    /// and then, when it reads its cache before its own write has come there.
    pub fn forget_quiet_period(&mut self, namespace: &str, datacenter: &str, count: usize) {
        let key = (namespace.to_owned(), datacenter.to_owned());
        let before = self.quiet_periods.get(&key).copied().unwrap_or(0);
        self.hasty.insert((key.0, key.1, before + count));
    }

    /// Lets every probe for a quorum fail, or not any more.
    pub fn fail_quorum_probes(&mut self, fail: bool) {
        self.probes_fail = fail;
    }

    /// Opens or closes the way between two planes (both directions).
    pub fn set_reachable(&mut self, one: &str, other: &str, open: bool) {
        let pair = if one < other {
            (one.to_owned(), other.to_owned())
        } else {
            (other.to_owned(), one.to_owned())
        };
        if open {
            self.closed.remove(&pair);
        } else {
            self.closed.insert(pair);
        }
    }

    fn reaches(&self, one: &str, other: &str) -> bool {
        let pair = if one < other { (one, other) } else { (other, one) };
        !self.closed.iter().any(|(a, b)| (a.as_str(), b.as_str()) == pair)
    }

    /// The ring and the host id of a node that has joined one.
    #[must_use]
    pub fn membership(&self, node: &NodeId) -> Option<(u32, String)> {
        let process = self.processes.get(node)?;
        let disk = self.disks.get(&process.disk)?;
        Some((disk.ring, disk.host_id.clone()))
    }

    /// The ring of a node whose Cassandra answers.
    ///
    /// # Errors
    /// [`RingError::NotUp`] when it does not.
    pub fn ring_of(&mut self, node: &NodeId) -> Result<&mut Ring, RingError> {
        let not_up = || RingError::NotUp(node.clone());
        let phase = self.phase(node).ok_or_else(not_up)?;
        if !matches!(phase, Phase::Up | Phase::Leaving) {
            return Err(not_up());
        }
        let (ring, _) = self.membership(node).ok_or_else(not_up)?;
        self.rings.get_mut(&ring).ok_or_else(not_up)
    }
}

#[cfg(test)]
mod tests;
