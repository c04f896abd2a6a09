//! One process of Cassandra.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::configuration::Configuration;
use super::nodetool::{Cluster, Gossip, Row};
use crate::ring::NodeId;

/// How long a node may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(20);

/// A process that was started.
pub(super) struct Node {
    pub id: NodeId,
    /// Process id.
    pub pid: u32,
    /// Where it listens.
    pub address: Ipv4Addr,
    /// The address of its pod.
    pub pod: Ipv4Addr,
    /// The uid of its claim.
    pub disk: String,
    pub jmx: u16,
    pub cluster: String,
    pub configuration: Configuration,
    pub log: PathBuf,
    pub began: Instant,
    /// How long it took until it answered.
    pub up_after: Mutex<Option<Duration>>,
    /// Asks it to end.
    pub stop: CancellationToken,
    /// Its machine is dead.
    pub dead: CancellationToken,
    pub table: Cached<Vec<Row>>,
    pub gossip: Cached<Vec<(Ipv4Addr, Gossip)>>,
    pub schema: Cached<Cluster>,
}

/// The last answer of a node, with when it was given and how many changes there had been.
pub(super) type Cached<T> = tokio::sync::Mutex<Option<(Instant, u64, T)>>;

/// Starts it, its output at the end of `log`.
pub(super) fn spawn(mut command: Command, log: &PathBuf) -> io::Result<Child> {
    let output: File = OpenOptions::new().create(true).append(true).open(log)?;
    command
        .process_group(0)
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
}

/// Asks it to end, which lets it tell the others; kills it when that takes too long.
pub(super) async fn end(child: &mut Child) {
    if let Some(id) = child.id() {
        // The child was not waited for yet, so the id is its own.
        let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status();
        if asked.await.is_ok_and(|status| status.success())
            && tokio::time::timeout(GRACE, child.wait()).await.is_ok()
        {
            return;
        }
    }
    // Fails only when it has ended already.
    let _ = child.kill().await;
}

impl Node {
    /// Resident and proportional memory in KiB, where `/proc` tells it.
    pub fn memory(&self) -> Option<(u64, u64)> {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).ok()?;
        let size = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Some((size("Rss:")?, size("Pss:")?))
    }

    /// The last lines of its log.
    pub fn last_lines(&self, count: usize) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }
}

/// A port on 127.0.0.1 that nobody listens on.
pub(super) fn free_port() -> io::Result<u16> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
