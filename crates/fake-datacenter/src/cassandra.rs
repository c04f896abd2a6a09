//! The Cassandra behind the pods: a model of it, or real processes. Operator and kubelet are the same for both.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::names::node_state;
use crate::plane::Bell;
use crate::real::{Parts, Real, RealError, Wake};
use crate::ring::{Boot, Identity, Job, JobKind, NodeId, RingError, Rings};

/// What runs in the pods. Cheap to clone.
#[derive(Clone)]
pub enum Cassandra {
    /// The model: at once, and in virtual time where tests turn the clock.
    Model(Rings),
    /// Real processes on loopback.
    Real(Real),
}

impl From<Rings> for Cassandra {
    fn from(rings: Rings) -> Self {
        Self::Model(rings)
    }
}

impl Cassandra {
    /// What is known of pods and claims; with the model, of the rings as well.
    #[must_use]
    pub fn rings(&self) -> &Rings {
        match self {
            Self::Model(rings) => rings,
            Self::Real(real) => real.rings(),
        }
    }

    /// Whether what is mounted into pods is read.
    pub(crate) fn reads_mounts(&self) -> bool {
        matches!(self, Self::Real(_))
    }

    /// Lets a started node look for its ring with these seeds. True when it must look again.
    pub(crate) fn boot(
        &self,
        node: &NodeId,
        (pod, parts): (&Value, &Parts),
        seeds: &[Ipv4Addr],
        host_id: impl FnOnce(&str) -> String,
        bell: &Arc<Bell>,
    ) -> bool {
        match self {
            Self::Model(rings) => {
                let disk = rings.lock().disk_of(node);
                let host = host_id(&disk);
                let boot = rings.lock().boot(node, seeds, &host);
                boot == Boot::Waiting
            }
            Self::Real(real) => real.boot(node, (pod, parts), seeds, wake(bell)),
        }
    }

    /// Whether a node is to look for its ring although the operator did not ask for it now.
    pub(crate) fn takes_its_start(&self, node: &NodeId) -> bool {
        match self {
            Self::Model(_) => false,
            Self::Real(real) => real.takes_its_start(node),
        }
    }

    /// Whether a pod that was there before this program began has a Cassandra that runs, or is to run again: real processes
    /// ended with their program, those that were only starting as well.
    pub(crate) fn runs_on(&self, is_ready: bool, state: &str) -> bool {
        let was_started = matches!(
            state,
            node_state::STARTING | node_state::STARTED | node_state::STARTED_NOT_READY
        );
        is_ready || (matches!(self, Self::Real(_)) && was_started)
    }

    /// A node that was started before this program began is there.
    pub(crate) fn adopt(
        &self,
        node: &NodeId,
        identity: &Identity,
        disk: &str,
        host: &str,
        address: Ipv4Addr,
    ) {
        match self {
            Self::Model(rings) => {
                let mut world = rings.lock();
                world.restore(node, identity, disk, host, address);
                world.pod_runs(node, identity.clone(), address, disk);
                world.start(node);
                world.boot(node, &[], "");
            }
            Self::Real(real) => {
                real.rings()
                    .lock()
                    .pod_runs(node, identity.clone(), address, disk);
                real.resume(node);
            }
        }
    }

    /// A server's status tells what is on a disk.
    pub(crate) fn restore(
        &self,
        node: &NodeId,
        identity: &Identity,
        disk: &str,
        host: &str,
        address: Ipv4Addr,
    ) {
        match self {
            Self::Model(rings) => rings.lock().restore(node, identity, disk, host, address),
            Self::Real(real) => real.rings().lock().remember(disk, host),
        }
    }

    /// The pod is gone.
    pub(crate) fn pod_gone(&self, node: &NodeId) {
        match self {
            Self::Model(rings) => rings.lock().pod_gone(node),
            Self::Real(real) => real.pod_gone(node),
        }
    }

    /// Whether nothing of a pod that is gone runs any more.
    pub(crate) fn has_ended(&self, node: &NodeId) -> bool {
        match self {
            Self::Model(_) => true,
            Self::Real(real) => real.has_ended(node),
        }
    }

    /// The claim is gone, and what was on its disk.
    pub(crate) fn disk_gone(&self, uid: &str) {
        match self {
            Self::Model(rings) => rings.lock().disk_gone(uid),
            Self::Real(real) => real.disk_gone(uid),
        }
    }

    /// Drains a node. A node that does not answer has nothing to flush.
    pub(crate) async fn drain(&self, node: &NodeId) {
        match self {
            Self::Model(rings) => rings.lock().drain(node),
            Self::Real(real) => match real.drain(node).await {
                Ok(()) | Err(RealError::NotUp(_)) => {}
                Err(error) => tracing::warn!(%node, %error, "not drained"),
            },
        }
    }

    /// A node begins to leave its ring. With the model it takes so long, and then [`left`](crate::ring::World::left) ends it;
    /// a real one says itself when it has left.
    pub(crate) fn decommission(
        &self,
        node: &NodeId,
        takes: Duration,
        bell: &Arc<Bell>,
    ) -> Result<Option<Instant>, RingError> {
        match self {
            Self::Model(rings) => {
                rings.lock().decommission(node)?;
                Ok(Some(Instant::now() + takes))
            }
            Self::Real(real) => {
                real.decommission(node, wake(bell))?;
                Ok(None)
            }
        }
    }

    /// The next incarnation of a node, on another disk, takes its place in its ring.
    pub(crate) fn replace(&self, node: &NodeId) {
        match self {
            Self::Model(rings) => rings.lock().replace(node),
            Self::Real(real) => real.replace(node),
        }
    }

    /// The address of the member whose place a node takes, if it takes one's.
    pub(crate) fn address_to_replace(&self, node: &NodeId) -> Option<Ipv4Addr> {
        match self {
            Self::Model(rings) => rings.lock().address_to_replace(node),
            Self::Real(real) => real.address_to_replace(node),
        }
    }

    /// Whether a quorum of a node's datacenter answers.
    pub(crate) async fn has_local_quorum(&self, node: &NodeId) -> bool {
        match self {
            Self::Model(rings) => rings.lock().has_local_quorum(node).is_ok(),
            Self::Real(real) => real.has_local_quorum(node).await.is_ok(),
        }
    }

    /// How many datacenters the ring of a node has; `None` when it does not answer.
    pub(crate) async fn datacenters(&self, node: &NodeId) -> Option<usize> {
        match self {
            Self::Model(rings) => {
                let mut world = rings.lock();
                world.ring_of(node).ok().map(|ring| ring.datacenters().len())
            }
            Self::Real(real) => real.datacenters(node).await.ok(),
        }
    }

    /// Makes a role, or gives one that is there its password. True when it is made.
    pub(crate) async fn role(&self, node: &NodeId, user: &str, password: &str, superuser: bool) -> bool {
        match self {
            Self::Model(rings) => {
                let made = rings.lock().make_role(node, user, superuser);
                is_made(node, user, &made)
            }
            Self::Real(real) => {
                let made = real.role(node, user, password, superuser).await;
                is_made(node, user, &made)
            }
        }
    }

    /// Begins a job that the model ends at `due` and a real node when it is done.
    pub(crate) fn submit(
        &self,
        id: &str,
        node: &NodeId,
        kind: JobKind,
        due: Instant,
    ) -> Result<(), RingError> {
        match self {
            Self::Model(rings) => rings.lock().submit(id, node, kind, due),
            Self::Real(real) => Ok(real.submit(id, node, kind)?),
        }
    }

    /// How a job stands.
    pub(crate) fn job(&self, id: &str) -> Option<Job> {
        self.rings().lock().job(id, Instant::now())
    }
}

fn is_made<E: std::fmt::Display>(node: &NodeId, user: &str, made: &Result<(), E>) -> bool {
    if let Err(error) = made {
        tracing::warn!(%node, user, %error, "the role is not made");
    }
    made.is_ok()
}

fn wake(bell: &Arc<Bell>) -> Wake {
    let bell = Arc::clone(bell);
    Arc::new(move || bell.ring(|_| {}))
}
