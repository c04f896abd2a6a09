//! A node from its start to its end.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::configuration::{Configuration, Place};
use super::process::{self, Cached, Node};
use super::{CQL_PORT, Real, RealError, Wake, cql};
use crate::ring::{Boot, NodeId, Phase, Process};

/// How often a starting node is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long a node that ended by itself stays down.
const PAUSE: Duration = Duration::from_secs(2);

impl Real {
    /// Starts the process of a node that the operator has started. True when that must be tried again: there is no seed.
    pub(crate) fn boot(&self, id: &NodeId, pod: &Value, seeds: &[Ipv4Addr], wake: Wake) -> bool {
        let process = {
            let world = self.0.rings.lock();
            world.processes.get(id).cloned()
        };
        let Some(process) = process.filter(|process| process.phase == Phase::Starting) else {
            return false;
        };
        let former = self.known().nodes.contains_key(id);
        if seeds.is_empty() || former {
            return true;
        }
        match self.start(id, &process, pod, seeds) {
            Ok((node, child)) => {
                self.known().nodes.insert(id.clone(), Arc::clone(&node));
                tokio::spawn(self.clone().watch(node, child, seeds.to_vec(), wake));
                false
            }
            Err(error) => {
                self.note(format!("{id} cannot be started: {error}"));
                true
            }
        }
    }

    fn start(
        &self,
        id: &NodeId,
        process: &Process,
        pod: &Value,
        seeds: &[Ipv4Addr],
    ) -> Result<(Arc<Node>, Child), RealError> {
        let configuration = Configuration::of_pod(pod)
            .ok_or_else(|| RealError::Setup("its pod has no configuration builder".to_owned()))?;
        let disk = self.disk(&process.disk)?;
        let folder = self.folder(id);
        let jmx = process::free_port().map_err(|error| RealError::Io("JMX".to_owned(), error))?;
        let address = self.0.addresses.of_node(process.address);
        let seeds: Vec<_> = seeds.iter().map(|seed| self.0.addresses.of_node(*seed)).collect();
        let replaces = self.known().replaced.get(id).copied();
        let place = Place {
            address,
            seeds: &seeds,
            disk: &disk,
            folder: &folder,
            jmx,
            replaces: replaces.map(|old| self.0.addresses.of_node(old)),
        };
        write(&configuration, &place).map_err(|error| RealError::Io(folder.display().to_string(), error))?;
        let log = folder.join("cassandra.log");
        let command = self.0.java.daemon(&configuration.properties(&place));
        let child = process::spawn(command, &log)
            .map_err(|error| RealError::Io(self.0.java.program.display().to_string(), error))?;
        let pid = child.id().unwrap_or_default();
        self.0
            .leash
            .hold(pid)
            .map_err(|error| RealError::Io("the shell that holds the nodes".to_owned(), error))?;
        self.note(format!(
            "{id} starts as process {pid} on {address}, seeds {seeds:?}{}",
            said_of(&configuration)
        ));
        let node = Node {
            id: id.clone(),
            pid,
            address,
            pod: process.address,
            disk: process.disk.clone(),
            jmx,
            cluster: process.identity.cluster.clone(),
            configuration,
            log,
            began: Instant::now(),
            up_after: Mutex::new(None),
            stop: CancellationToken::new(),
            table: Cached::default(),
            gossip: Cached::default(),
            schema: Cached::default(),
        };
        Ok((Arc::new(node), child))
    }

    /// From its start to its end.
    async fn watch(self, node: Arc<Node>, mut child: Child, seeds: Vec<Ipv4Addr>, wake: Wake) {
        let life = async {
            self.until_up(&node, &seeds).await;
            wake();
            std::future::pending::<()>().await;
        };
        let status = tokio::select! {
            () = node.stop.cancelled() => None,
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
            tokio::time::sleep(PAUSE).await;
        }
        self.known().nodes.remove(&node.id);
        if self.0.rings.lock().ended_by_itself(&node.id, node.pod) {
            self.known().to_start.insert(node.id.clone());
        }
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
            if let Err(error) = self.change(node, &statement).await {
                self.note(format!("{}: {keyspace} is not spread: {error}", node.id));
            }
        }
    }

    /// The pod of a node is gone: its process is asked to end.
    pub(crate) fn pod_gone(&self, id: &NodeId) {
        self.known().to_start.remove(id);
        if let Some(node) = self.known().nodes.get(id) {
            node.stop.cancel();
        }
        self.0.rings.lock().pod_gone(id);
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

    /// The folder of a claim.
    fn disk(&self, uid: &str) -> Result<PathBuf, RealError> {
        Ok(self.0.data.join("claims").join(file_name(uid)?))
    }

    /// The folder with configuration and log of a node.
    fn folder(&self, id: &NodeId) -> PathBuf {
        let name = format!("{}.{}.{}", id.plane, id.namespace, id.pod);
        self.0.data.join("nodes").join(name)
    }

    pub(super) fn note(&self, line: String) {
        self.0.rings.lock().note(line);
    }
}

/// A name from an API server as the name of a file, when it cannot mean another place.
fn file_name(name: &str) -> Result<&str, RealError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(RealError::Setup(format!("{name:?} is no uid of a claim")));
    }
    Ok(name)
}

fn said_of(configuration: &Configuration) -> String {
    let keys: Vec<_> = configuration.not_taken.iter().map(|(key, _)| *key).collect();
    if keys.is_empty() {
        return String::new();
    }
    format!("; not taken from its datacenter: {}", keys.join(", "))
}

fn write(configuration: &Configuration, place: &Place<'_>) -> std::io::Result<()> {
    std::fs::create_dir_all(place.disk)?;
    std::fs::create_dir_all(place.folder)?;
    let file = |name: &str| -> PathBuf { Path::new(place.folder).join(name) };
    std::fs::write(file("cassandra.yaml"), configuration.yaml(place))?;
    std::fs::write(
        file("cassandra-rackdc.properties"),
        configuration.rack_properties(),
    )?;
    std::fs::write(file("logback.xml"), LOGBACK)
}

const LOGBACK: &str = r#"<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{ISO8601} %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
"#;
