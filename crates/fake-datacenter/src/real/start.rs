//! How a node is started: its files, its process.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::process::Child;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::configuration::{Configuration, Parts, Place};
use super::process::{self, Cached, Node};
use super::{Real, RealError, Wake};
use crate::ring::{NodeId, Phase, Process};

impl Real {
    /// Starts the process of a node that the operator has started. True when that must be tried again: there is no seed, or no power.
    pub(crate) fn boot(&self, id: &NodeId, pod: (&Value, &Parts), seeds: &[Ipv4Addr], wake: Wake) -> bool {
        let process = {
            let world = self.0.rings.lock();
            world.processes.get(id).cloned()
        };
        let Some(process) = process.filter(|process| process.phase == Phase::Starting) else {
            return false;
        };
        let former = self.known().nodes.contains_key(id);
        let dark = self.0.rings.lock().is_dark(&id.plane);
        if seeds.is_empty() || former || dark {
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
        (pod, parts): (&Value, &Parts),
        seeds: &[Ipv4Addr],
    ) -> Result<(Arc<Node>, Child), RealError> {
        let configuration = Configuration::of_pod(pod, parts)
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
        if self.known().full.contains(id) {
            let mut limit = super::harm::limit(pid, true).into_std();
            limit
                .status()
                .map_err(|error| RealError::Io("prlimit".to_owned(), error))?;
        }
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
            dead: CancellationToken::new(),
            table: Cached::default(),
            gossip: Cached::default(),
            schema: Cached::default(),
        };
        Ok((Arc::new(node), child))
    }

    /// The folder of a claim.
    pub(super) fn disk(&self, uid: &str) -> Result<PathBuf, RealError> {
        Ok(self.0.data.join("claims").join(file_name(uid)?))
    }

    /// The folder with configuration and log of a node.
    fn folder(&self, id: &NodeId) -> PathBuf {
        let name = format!("{}.{}.{}", id.plane, id.namespace, id.pod);
        self.0.data.join("nodes").join(name)
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
    let mut said = String::new();
    let keys: Vec<_> = configuration.not_taken.iter().map(|(key, _)| *key).collect();
    if !keys.is_empty() {
        said.push_str("; not taken from its datacenter: ");
        said.push_str(&keys.join(", "));
    }
    if !configuration.not_merged.is_empty() {
        said.push_str("; not merged: ");
        said.push_str(&configuration.not_merged.join(", "));
    }
    said
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
