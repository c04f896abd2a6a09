//! Processes and members: what happens to them when pods and claims come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::Instant;

use super::{Disk, Keyspace, NodeId, RingError, World};

/// How long gossip tells of a node that has left.
const REMEMBERED: Duration = Duration::from_hours(72);

/// How far the Cassandra of a running pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Only the management API runs.
    NotStarted,
    /// Cassandra was started and looks for its ring.
    Starting,
    /// Cassandra answers.
    Up,
    /// Cassandra gives its data away.
    Leaving,
    /// Cassandra has left its ring.
    Left,
    /// Cassandra was drained.
    Drained,
}

/// Who a node is, as its configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The cluster name, uncleaned.
    pub cluster: String,
    /// The datacenter's name in Cassandra.
    pub datacenter: String,
    /// The rack.
    pub rack: String,
    /// `num_tokens`.
    pub tokens: u32,
    /// Replication that the founder of a ring gives to the system keyspaces, when its options ask for it.
    pub system_replication: BTreeMap<String, u32>,
}

/// One incarnation of a pod.
#[derive(Clone, Debug)]
pub struct Process {
    /// Who it is.
    pub identity: Identity,
    /// The pod's address.
    pub address: Ipv4Addr,
    /// The uid of its claim.
    pub disk: String,
    /// How far it is.
    pub phase: Phase,
}

/// The second letter of `nodetool status`; whether it is up follows from its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// `N`.
    Normal,
    /// `L`.
    Leaving,
}

/// What a ring knows of a node.
#[derive(Clone, Debug)]
pub struct Member {
    /// The last known address.
    pub address: Ipv4Addr,
    /// Its datacenter.
    pub datacenter: String,
    /// Its rack.
    pub rack: String,
    /// How many tokens it owns.
    pub tokens: u32,
    /// Its state.
    pub state: MemberState,
    /// Whether it answers.
    pub up: bool,
    /// Whether its disk is gone: it will never come back.
    pub lost: bool,
    /// Which pod it is or was.
    pub node: NodeId,
}

/// One ring.
#[derive(Clone, Debug)]
pub struct Ring {
    /// The cluster name.
    pub cluster: String,
    /// Which node founded it; `None` when it was read back from a server.
    pub founder: Option<NodeId>,
    /// By host id.
    pub members: BTreeMap<String, Member>,
    /// Who has left, and when: gossip tells of them for a while.
    pub left: Vec<(String, Member, Instant)>,
    /// By name.
    pub keyspaces: BTreeMap<String, Keyspace>,
    /// Names of roles, and whether they are superusers.
    pub roles: BTreeMap<String, bool>,
    /// What rebuilds brought: (datacenter, source, host id, keyspaces).
    pub streams: Vec<(String, String, String, Vec<String>)>,
    /// Counts schema changes.
    pub schema: u64,
}

impl Ring {
    /// The names of all datacenters that have a member.
    #[must_use]
    pub fn datacenters(&self) -> BTreeSet<String> {
        self.members
            .values()
            .map(|member| member.datacenter.clone())
            .collect()
    }

    /// Who has left, as gossip still tells.
    pub(crate) fn still_told(&self) -> impl Iterator<Item = (&String, &Member)> {
        let told = self
            .left
            .iter()
            .filter(|(_, _, since)| since.elapsed() < REMEMBERED);
        told.map(|(host, member, _)| (host, member))
    }

    /// Whether any member can still answer or come back.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.members.values().any(|member| !member.lost)
    }

    /// Checks every user keyspace for its last copy being gone, and names those newly lost.
    pub(super) fn note_losses(&mut self) -> Vec<String> {
        let members = &self.members;
        let mut lost = Vec::new();
        for (name, keyspace) in &mut self.keyspaces {
            if name.starts_with("system") || keyspace.lost {
                continue;
            }
            let held = members.iter().any(|(host, member)| {
                !member.lost && keyspace.replicas(&member.datacenter) > 0 && !keyspace.missing.contains(host)
            });
            if !held {
                keyspace.lost = true;
                lost.push(name.clone());
            }
        }
        lost
    }
}

impl World {
    /// A pod runs: its management API answers, its Cassandra is not started.
    pub fn pod_runs(&mut self, node: &NodeId, identity: Identity, address: Ipv4Addr, disk: &str) {
        let process = Process {
            identity,
            address,
            disk: disk.to_owned(),
            phase: Phase::NotStarted,
        };
        self.processes.insert(node.clone(), process);
    }

    /// Cassandra is asked to start.
    pub fn start(&mut self, node: &NodeId) {
        self.set_phase(node, Phase::Starting);
    }

    /// The start went wrong: the process is back at its beginning.
    pub fn start_failed(&mut self, node: &NodeId) {
        self.note(format!("{node} failed to start"));
        self.set_phase(node, Phase::NotStarted);
    }

    /// Cassandra is drained: its member is down from now on.
    pub fn drain(&mut self, node: &NodeId) {
        self.set_phase(node, Phase::Drained);
        self.set_up(node, false);
    }

    /// Cassandra begins to leave its ring.
    ///
    /// # Errors
    /// [`RingError::NotUp`] when it is in none.
    pub fn decommission(&mut self, node: &NodeId) -> Result<(), RingError> {
        let (ring, host) = self
            .membership(node)
            .ok_or_else(|| RingError::NotUp(node.clone()))?;
        self.ring_of(node)?
            .members
            .entry(host)
            .and_modify(|member| member.state = MemberState::Leaving);
        self.set_phase(node, Phase::Leaving);
        self.note(format!("{node} leaves ring {ring}"));
        Ok(())
    }

    /// Cassandra has left its ring, its data went to the others.
    pub fn left(&mut self, node: &NodeId) {
        self.set_phase(node, Phase::Left);
        let Some((number, host)) = self.membership(node) else {
            return;
        };
        let disk = self
            .processes
            .get(node)
            .map(|process| process.disk.clone())
            .unwrap_or_default();
        self.disks.remove(&disk);
        let Some(ring) = self.rings.get_mut(&number) else {
            return;
        };
        if let Some(member) = ring.members.remove(&host) {
            ring.left.push((host, member, Instant::now()));
        }
        let lost = ring.note_losses();
        self.note(format!("{node} has left ring {number}"));
        self.note_lost(number, &lost);
    }

    /// The node's next incarnation, on another disk, takes the place of this one in its ring.
    pub fn replace(&mut self, node: &NodeId) {
        self.replacing.insert(node.clone());
    }

    /// Whether enough nodes of a node's datacenter are up for a quorum among three replicas.
    ///
    /// # Errors
    /// [`RingError::NotUp`] when the node does not answer, [`RingError::Refused`] when there is no quorum.
    pub fn has_local_quorum(&mut self, node: &NodeId) -> Result<(), RingError> {
        let fail = self.probes_fail;
        let (_, host) = self
            .membership(node)
            .ok_or_else(|| RingError::NotUp(node.clone()))?;
        let ring = self.ring_of(node)?;
        let own = ring.members.get(&host).map(|member| member.datacenter.clone());
        // A member whose disk is gone is not counted, as if somebody had removed it: no recording shows what a probe
        // says of it.
        let is_local = |member: &&Member| Some(&member.datacenter) == own.as_ref() && !member.lost;
        let local = ring.members.values().filter(is_local).count();
        let up = ring
            .members
            .values()
            .filter(is_local)
            .filter(|member| member.up)
            .count();
        if up > local.min(3) / 2 && !fail {
            return Ok(());
        }
        Err(RingError::Refused(format!(
            "LOCAL_QUORUM not reached: {up} of {local} nodes are up"
        )))
    }

    /// Makes a role, or changes one. Cassandra writes roles at a quorum of the copies of `system_auth` that there should be in
    /// each datacenter (`auth_write_consistency_level`), however few nodes one has.
    ///
    /// # Errors
    /// [`RingError::NotUp`] when the node does not answer, [`RingError::Refused`] when there is no such quorum.
    pub fn make_role(&mut self, node: &NodeId, user: &str, superuser: bool) -> Result<(), RingError> {
        let (number, _) = self
            .membership(node)
            .ok_or_else(|| RingError::NotUp(node.clone()))?;
        if let Some(ring) = self.rings.get(&number) {
            let auth = ring.keyspaces.get("system_auth");
            for datacenter in ring.datacenters() {
                let copies = auth.map_or(0, |keyspace| keyspace.replicas(&datacenter));
                let answers = |member: &&Member| {
                    member.datacenter == datacenter
                        && member.up
                        && self.reaches(&node.plane, &member.node.plane)
                };
                let up = ring.members.values().filter(answers).count();
                if copies > 0 && up < copies as usize / 2 + 1 {
                    return Err(RingError::Refused(format!(
                        "cannot achieve consistency level EACH_QUORUM: {up} nodes are up for {copies} copies of system_auth in \
                         {datacenter}"
                    )));
                }
            }
        }
        self.ring_of(node)?.roles.insert(user.to_owned(), superuser);
        Ok(())
    }

    /// The address of the member whose place a node takes, if it takes one's.
    #[must_use]
    pub fn address_to_replace(&self, node: &NodeId) -> Option<std::net::Ipv4Addr> {
        let members = self.rings.values().flat_map(|ring| ring.members.values());
        let mut down = members.filter(|member| !member.up && member.node == *node);
        let old = down.next()?.address;
        self.replacing.contains(node).then_some(old)
    }

    /// A pod is gone: its member, if it was one, is down.
    pub fn pod_gone(&mut self, node: &NodeId) {
        self.set_up(node, false);
        self.processes.remove(node);
    }

    /// A claim is gone, and with it what was on its disk.
    pub fn disk_gone(&mut self, disk: &str) {
        let Some(Disk {
            ring: number,
            host_id,
        }) = self.disks.remove(disk)
        else {
            return;
        };
        let Some(ring) = self.rings.get_mut(&number) else {
            return;
        };
        if let Some(member) = ring.members.get_mut(&host_id) {
            member.lost = true;
            member.up = false;
        }
        let lost = ring.note_losses();
        self.note(format!("the disk of {host_id} in ring {number} is gone"));
        self.note_lost(number, &lost);
    }

    fn note_lost(&mut self, ring: u32, keyspaces: &[String]) {
        for keyspace in keyspaces {
            self.note(format!(
                "DATA LOST: the last copy of keyspace {keyspace} of ring {ring} is gone"
            ));
        }
    }

    pub(super) fn set_phase(&mut self, node: &NodeId, phase: Phase) {
        if let Some(process) = self.processes.get_mut(node) {
            process.phase = phase;
        }
    }

    fn set_up(&mut self, node: &NodeId, up: bool) {
        let Some((ring, host)) = self.membership(node) else {
            return;
        };
        if let Some(member) = self
            .rings
            .get_mut(&ring)
            .and_then(|ring| ring.members.get_mut(&host))
        {
            member.up = up;
        }
    }
}
