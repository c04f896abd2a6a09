//! What real nodes tell: here the rings are not modelled, and only what the operator knows of a node is kept.

use std::net::Ipv4Addr;

use super::{Boot, Disk, NodeId, Phase, World};

/// Real nodes say themselves which ring they are in.
const SOME_RING: u32 = 1;

impl World {
    /// Whether a node's Cassandra answers.
    #[must_use]
    pub fn answers(&self, node: &NodeId) -> bool {
        matches!(self.phase(node), Some(Phase::Up | Phase::Leaving))
    }

    /// A node that was started answers, and has this host id. Nothing happens when its pod is another one by now.
    pub(crate) fn came_up_as(&mut self, node: &NodeId, address: Ipv4Addr, host_id: &str, how: Boot) {
        let is_it =
            |process: &&mut super::Process| process.address == address && process.phase == Phase::Starting;
        let Some(process) = self.processes.get_mut(node).filter(is_it) else {
            return;
        };
        process.phase = Phase::Up;
        let (disk, cluster) = (process.disk.clone(), process.identity.cluster.clone());
        self.remember(&disk, host_id);
        if how == Boot::Founded {
            *self.founded.entry(cluster).or_default() += 1;
        }
        self.came_up(node, how);
    }

    /// What is on a disk.
    pub(crate) fn remember(&mut self, disk: &str, host_id: &str) {
        let disk_of = Disk {
            ring: SOME_RING,
            host_id: host_id.to_owned(),
        };
        self.disks.insert(disk.to_owned(), disk_of);
    }

    /// The process of a pod that is still there has ended: it is to be started again when this says so.
    pub(crate) fn ended_by_itself(&mut self, node: &NodeId, address: Ipv4Addr) -> bool {
        let Some(process) = self.processes.get_mut(node) else {
            return false;
        };
        let ran = matches!(process.phase, Phase::Starting | Phase::Up | Phase::Leaving);
        if process.address != address || !ran {
            return false;
        }
        process.phase = Phase::Starting;
        true
    }

    /// A node gives its data away, or does so no more.
    pub(crate) fn is_leaving(&mut self, node: &NodeId, leaving: bool) {
        self.set_phase(node, if leaving { Phase::Leaving } else { Phase::Up });
    }
}
