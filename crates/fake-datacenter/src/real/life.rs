//! A node that was started, until its end.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::Child;

use super::process::{self, Node};
use super::{CQL_PORT, Real, RealError, Wake, cql};
use crate::ring::{Boot, NodeId};

/// How often a starting node is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often a new ring is asked to let its first superuser in.
const TRIES: u32 = 20;
/// How long a node waits at most until it and its neighbours see each other.
const SETTLE: Duration = Duration::from_secs(15);
/// How long a node that ended by itself stays down.
const PAUSE: Duration = Duration::from_secs(2);

impl Real {
    /// From its start to its end.
    pub(super) async fn watch(self, node: Arc<Node>, mut child: Child, seeds: Vec<Ipv4Addr>, wake: Wake) {
        let life = async {
            self.until_up(&node, &seeds).await;
            wake();
            self.follow(&node, &wake).await;
        };
        let status = tokio::select! {
            () = node.stop.cancelled() => None,
            () = node.dead.cancelled() => Some(killed(&mut child).await),
            status = child.wait() => Some(status),
            () = life => None,
        };
        if status.is_none() {
            process::end(&mut child).await;
        }
        self.0.leash.release(node.pid);
        if let Some(status) = status {
            let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            self.note(format!(
                "{} ended by itself ({status}): {}",
                node.id,
                node.last_lines(3)
            ));
        }
        let again = {
            let mut world = self.0.rings.lock();
            world.impaired.remove(&node.id);
            world.ended_by_itself(&node.id, node.pod)
        };
        if again {
            wake();
            tokio::time::sleep(PAUSE).await;
        }
        let mut known = self.known();
        known.nodes.remove(&node.id);
        if again {
            match known.held.get_mut(&node.id) {
                Some(waits) => *waits = Some(Arc::clone(&wake)),
                // Nothing comes of it when the pod has gone meanwhile.
                None => drop(known.to_start.insert(node.id.clone())),
            }
        }
        drop(known);
        wake();
    }

    /// Waits until clients can connect, and notes who the node is then.
    async fn until_up(&self, node: &Node, seeds: &[Ipv4Addr]) {
        while TcpStream::connect((node.address, CQL_PORT)).await.is_err() {
            tokio::time::sleep(LOOK).await;
        }
        let rows = loop {
            match self.table(node).await {
                Ok(rows) => break rows,
                Err(error) => tracing::warn!(node = %node.id, %error, "trying again"),
            }
            tokio::time::sleep(LOOK).await;
        };
        let own = rows.iter().find(|row| row.address == node.address);
        let Some(host) = own.map(|row| row.host_id.clone()) else {
            self.note(format!("{} does not list itself", node.id));
            return;
        };
        let was_member = self.0.rings.lock().disks.contains_key(&node.disk);
        let how = match seeds.iter().find(|seed| **seed != node.pod) {
            _ if was_member => Boot::Restarted,
            Some(via) if rows.len() > 1 => Boot::Joined(*via),
            _ => Boot::Founded,
        };
        if how == Boot::Founded {
            self.spread_system_keyspaces(node).await;
        }
        if tokio::time::timeout(SETTLE, self.until_settled(node))
            .await
            .is_err()
        {
            self.note(format!(
                "{} does not see all its neighbours, or they not it",
                node.id
            ));
        }
        let took = node.began.elapsed();
        *node
            .up_after
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(took);
        self.known().replaced.remove(&node.id);
        let mut world = self.0.rings.lock();
        world.came_up_as(&node.id, node.pod, &host, how);
        world.note(format!(
            "{} is up after {:.1} s as {host}",
            node.id,
            took.as_secs_f64()
        ));
    }

    /// What the image's agent does for the founder of a ring when an option asks for it.
    async fn spread_system_keyspaces(&self, node: &Node) {
        let over = &node.configuration.system_replication;
        if over.is_empty() {
            return;
        }
        for keyspace in ["system_auth", "system_distributed", "system_traces"] {
            let statement = cql::alter_keyspace(keyspace, over);
            let mut tries = 0;
            // The first superuser comes a moment after the first connection.
            while let Err(error) = self.change(node, &statement).await {
                tries += 1;
                if tries == TRIES {
                    self.note(format!("{}: {keyspace} is not spread: {error}", node.id));
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Waits until a node and those of its cluster that answer see each other up. A node of usual speed is ready some ten
    /// seconds after its gossip has settled; these do not wait for that, and a probe for a quorum would come too early.
    async fn until_settled(&self, node: &Node) {
        for other in self.others(node) {
            for (one, seen) in [(node, other.address), (&other, node.address)] {
                let is_up = |row: &super::nodetool::Row| row.address == seen && row.up;
                while !self.table(one).await.is_ok_and(|rows| rows.iter().any(is_up)) {
                    if !self.known().nodes.contains_key(&other.id) {
                        break;
                    }
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    /// The pod of a node is gone: its process is asked to end.
    pub(crate) fn pod_gone(&self, id: &NodeId) {
        let mut known = self.known();
        known.to_start.remove(id);
        known.held.remove(id);
        if let Some(node) = known.nodes.get(id) {
            node.stop.cancel();
        }
        drop(known);
        self.0.rings.lock().pod_gone(id);
    }

    /// Takes a plane's power away: whatever runs there is dead at once. Or gives it back: then its nodes start again.
    pub(crate) fn set_power(&self, plane: &str, on: bool) {
        self.0.rings.lock().set_power(plane, on);
        let known = self.known();
        let there = known.nodes.values().filter(|node| node.id.plane == plane);
        for node in there.filter(|_| !on) {
            node.dead.cancel();
        }
    }

    /// Whether no process of a node is left.
    pub(crate) fn has_ended(&self, id: &NodeId) -> bool {
        !self.known().nodes.contains_key(id)
    }

    /// Whether a node is to be started although nobody asks for it now; it is then.
    pub(crate) fn takes_its_start(&self, id: &NodeId) -> bool {
        self.known().to_start.remove(id)
    }

    /// Lets a node start that ran before this program did.
    pub(crate) fn resume(&self, id: &NodeId) {
        self.0.rings.lock().start(id);
        self.known().to_start.insert(id.clone());
    }

    /// A claim is gone, and what is on its disk goes when its process has ended.
    pub(crate) fn disk_gone(&self, uid: &str) {
        self.0.rings.lock().disk_gone(uid);
        let (real, uid) = (self.clone(), uid.to_owned());
        tokio::spawn(async move {
            while real.known().nodes.values().any(|node| node.disk == uid) {
                tokio::time::sleep(LOOK).await;
            }
            if let Ok(disk) = real.disk(&uid) {
                // It is not there when the node has never been started.
                let _ = tokio::task::spawn_blocking(|| std::fs::remove_dir_all(disk)).await;
            }
        });
    }

    /// The node's next incarnation, on another disk, takes the place of this one.
    pub(crate) fn replace(&self, id: &NodeId) {
        let old = self
            .0
            .rings
            .lock()
            .processes
            .get(id)
            .map(|process| process.address);
        if let Some(old) = old {
            self.known().replaced.insert(id.clone(), old);
        }
    }

    /// The address of the node whose place this one is to take.
    pub(crate) fn address_to_replace(&self, id: &NodeId) -> Option<Ipv4Addr> {
        self.known().replaced.get(id).copied()
    }

    /// Flushes everything and tells the others; the process stays.
    pub(crate) async fn drain(&self, id: &NodeId) -> Result<(), RealError> {
        let node = self.up(id)?;
        self.0.nodetool.ask(node.jmx, &["drain"]).await?;
        self.0.rings.lock().drain(id);
        Ok(())
    }

    pub(super) fn note(&self, line: String) {
        self.0.rings.lock().note(line);
    }
}

async fn killed(child: &mut Child) -> std::io::Result<std::process::ExitStatus> {
    child.kill().await?;
    child.wait().await
}
