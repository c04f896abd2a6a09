//! How a starting node finds its ring: the rule that founding and joining stand on.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::keyspace::system_keyspaces;
use super::{Disk, Identity, Member, MemberState, NodeId, Phase, Replication, Ring, World};

/// What a node that has never been in a ring does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Founds a new ring: its own address is a seed and no other seed answers.
    Found,
    /// Joins the ring of this seed.
    Join {
        /// The seed's address.
        via: Ipv4Addr,
        /// Its ring.
        ring: u32,
    },
    /// Keeps trying: it is no seed itself, and no seed answers.
    Wait,
}

/// Decides from a node's own address, its resolved seeds, and the ring behind each seed that answers it.
#[must_use]
pub fn decide(own: Ipv4Addr, seeds: &[Ipv4Addr], ring_behind: impl Fn(Ipv4Addr) -> Option<u32>) -> Decision {
    let others = seeds.iter().filter(|seed| **seed != own);
    for via in others {
        if let Some(ring) = ring_behind(*via) {
            return Decision::Join { via: *via, ring };
        }
    }
    if seeds.contains(&own) {
        Decision::Found
    } else {
        Decision::Wait
    }
}

/// How a start ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Boot {
    /// It founded a ring.
    Founded,
    /// It joined a ring through this seed.
    Joined(Ipv4Addr),
    /// It is back in the ring that its disk remembers.
    Restarted,
    /// No seed answers: not up yet.
    Waiting,
    /// It is not starting (any more).
    NotStarting,
}

impl World {
    /// Lets a started node look for its ring once, with the seeds that its names resolve to now.
    pub fn boot(&mut self, node: &NodeId, seeds: &[Ipv4Addr], new_host_id: &str) -> Boot {
        let Some(process) = self
            .processes
            .get(node)
            .filter(|process| process.phase == Phase::Starting)
            .cloned()
        else {
            return Boot::NotStarting;
        };
        if let Some(disk) = self.disks.get(&process.disk).cloned() {
            self.come_back(node, process.address, &disk);
            self.came_up(node, Boot::Restarted);
            return Boot::Restarted;
        }
        let cluster = &process.identity.cluster;
        let behind = |seed| self.ring_behind(&node.plane, cluster, seed);
        let boot = match decide(process.address, seeds, behind) {
            Decision::Wait => return Boot::Waiting,
            Decision::Found => {
                self.found(node, new_host_id);
                Boot::Founded
            }
            Decision::Join { via, ring } => {
                self.join(node, ring, new_host_id, seeds.contains(&process.address));
                self.note(format!("{node} joined ring {ring} via {via}, seeds {seeds:?}"));
                Boot::Joined(via)
            }
        };
        self.set_phase(node, Phase::Up);
        self.came_up(node, boot.clone());
        boot
    }

    fn ring_behind(&self, plane: &str, cluster: &str, seed: Ipv4Addr) -> Option<u32> {
        let (id, process) = self
            .processes
            .iter()
            .find(|(_, process)| process.address == seed)?;
        let answers = process.phase == Phase::Up && process.identity.cluster == cluster;
        if !answers || !self.reaches(plane, &id.plane) {
            return None;
        }
        self.disks.get(&process.disk).map(|disk| disk.ring)
    }

    fn found(&mut self, node: &NodeId, host_id: &str) {
        let Some(process) = self.processes.get(node).cloned() else {
            return;
        };
        let number = self.rings.keys().last().map_or(1, |last| last + 1);
        let cluster = process.identity.cluster.clone();
        let mut ring = new_ring(&cluster, Some(node.clone()), &process.identity.system_replication);
        ring.members.insert(
            host_id.to_owned(),
            member(node, &process.identity, process.address),
        );
        self.rings.insert(number, ring);
        self.disks.insert(
            process.disk,
            Disk {
                ring: number,
                host_id: host_id.to_owned(),
            },
        );
        *self.founded.entry(cluster.clone()).or_default() += 1;
        self.note(format!("{node} founded ring {number} of cluster {cluster}"));
    }

    /// A seed does not bootstrap, and neither does a node whose datacenter has no data to give: both lack the data
    /// until they are rebuilt.
    fn join(&mut self, node: &NodeId, number: u32, host_id: &str, is_seed: bool) {
        let Some(process) = self.processes.get(node).cloned() else {
            return;
        };
        let Some(ring) = self.rings.get_mut(&number) else {
            return;
        };
        let datacenter = &process.identity.datacenter;
        if self.replacing.remove(node) {
            ring.members.retain(|_, member| member.up || member.node != *node);
        }
        let members = &ring.members;
        for keyspace in ring
            .keyspaces
            .values_mut()
            .filter(|keyspace| keyspace.replicas(datacenter) > 0)
        {
            let has_source = members.iter().any(|(host, member)| {
                member.up && member.datacenter == *datacenter && !keyspace.missing.contains(host)
            });
            if is_seed || !has_source {
                keyspace.missing.insert(host_id.to_owned());
            }
        }
        ring.members.insert(
            host_id.to_owned(),
            member(node, &process.identity, process.address),
        );
        self.disks.insert(
            process.disk,
            Disk {
                ring: number,
                host_id: host_id.to_owned(),
            },
        );
    }

    fn come_back(&mut self, node: &NodeId, address: Ipv4Addr, disk: &Disk) {
        let known = self
            .rings
            .get_mut(&disk.ring)
            .and_then(|ring| ring.members.get_mut(&disk.host_id));
        if let Some(member) = known {
            member.address = address;
            member.up = true;
            member.node = node.clone();
        }
        self.set_phase(node, Phase::Up);
        self.note(format!("{node} is back in ring {}", disk.ring));
    }

    /// Puts a node that a server's status lists as bootstrapped back into a ring, as it was before this program began.
    /// It is down until it runs.
    pub fn restore(
        &mut self,
        node: &NodeId,
        identity: &Identity,
        disk: &str,
        host_id: &str,
        address: Ipv4Addr,
    ) {
        if self.disks.contains_key(disk) {
            return;
        }
        let known = self
            .rings
            .iter()
            .find(|(_, ring)| ring.cluster == identity.cluster);
        let number = known.map(|(number, _)| *number);
        let number = number.unwrap_or_else(|| self.rings.keys().last().map_or(1, |last| last + 1));
        let ring = self
            .rings
            .entry(number)
            .or_insert_with(|| new_ring(&identity.cluster, None, &identity.system_replication));
        let mut member = member(node, identity, address);
        member.up = false;
        ring.members.insert(host_id.to_owned(), member);
        self.disks.insert(
            disk.to_owned(),
            Disk {
                ring: number,
                host_id: host_id.to_owned(),
            },
        );
        self.note(format!("{node} was read back into ring {number}"));
    }
}

fn new_ring(cluster: &str, founder: Option<NodeId>, system_replication: &Replication) -> Ring {
    Ring {
        cluster: cluster.to_owned(),
        founder,
        members: BTreeMap::new(),
        left: Vec::new(),
        keyspaces: system_keyspaces(system_replication),
        roles: [("cassandra".to_owned(), true)].into(),
        streams: Vec::new(),
        schema: 1,
    }
}

fn member(node: &NodeId, identity: &Identity, address: Ipv4Addr) -> Member {
    Member {
        address,
        datacenter: identity.datacenter.clone(),
        rack: identity.rack.clone(),
        tokens: identity.tokens,
        state: MemberState::Normal,
        up: true,
        lost: false,
        node: node.clone(),
    }
}
