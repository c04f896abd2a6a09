//! Real Cassandra: each pod is one process of it on loopback.
//!
//! The operator's side stays what it is; here is what the model of the rings stands in for otherwise. [`Rings`] keeps what
//! the operator and the kubelet know of pods and claims in both cases, and no ring: what a ring is, its nodes say.
//!
//! * `configuration`: what a node is started with. `addresses`: where it listens.
//! * `start` and `life`: a node from its start to its end; `process` and `leash` see to it that none is left behind.
//! * `pulse`: whether it serves clients. `harm`: what can be done to it by hand.
//! * `nodetool` (by JMX) reads and operates, `cql` changes schema and roles.
//! * `management`: the management API. `report`: what `/state` and `/nodetool` say.

mod addresses;
mod configuration;
mod cql;
mod harm;
mod java;
mod jobs;
mod leash;
mod life;
mod management;
mod nodetool;
mod process;
mod pulse;
mod report;
mod roles;
mod start;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use addresses::Addresses;
pub use configuration::{Configuration, NOT_TAKEN, Parts, Place};
pub use harm::Harm;

use crate::ring::{NodeId, RingError, Rings};
use cql::Login;
use java::Java;
use leash::Leash;
use nodetool::Nodetool;
use process::Node;

/// The internode port of every node.
pub(crate) const STORAGE_PORT: u16 = 7000;
/// The port for clients of every node.
pub(crate) const CQL_PORT: u16 = 9042;

/// Where real Cassandra is and where it may write.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder with the archives of Cassandra and of everything that it needs.
    pub jars: PathBuf,
    /// Folder for data, configuration and logs of the nodes.
    pub data: PathBuf,
    /// The program `java`; without it that of `JAVA_HOME`, else that of the `PATH`.
    pub java: Option<PathBuf>,
}

/// What real Cassandra does not do.
#[derive(Debug, thiserror::Error)]
pub enum RealError {
    /// Something is not as it must be before anything starts.
    #[error("{0}")]
    Setup(String),
    /// A file or process could not be made.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// A call of nodetool failed.
    #[error("nodetool {0}: {1}")]
    Nodetool(String, String),
    /// A statement or a login failed.
    #[error("CQL: {0}")]
    Cql(String),
    /// The node does not answer.
    #[error("Cassandra of {0} is not up")]
    NotUp(NodeId),
}

impl From<RealError> for RingError {
    fn from(error: RealError) -> Self {
        match error {
            RealError::NotUp(node) => Self::NotUp(node),
            other => Self::Refused(other.to_string()),
        }
    }
}

/// Rings a bell when something has happened to a node.
pub(crate) type Wake = Arc<dyn Fn() + Send + Sync>;

/// All nodes of this program. Cheap to clone.
#[derive(Clone)]
pub struct Real(Arc<Inner>);

struct Inner {
    rings: Rings,
    data: PathBuf,
    java: Arc<Java>,
    nodetool: Nodetool,
    leash: Leash,
    addresses: Addresses,
    version: String,
    known: Mutex<Known>,
}

/// What is known beside the pods and claims.
#[derive(Default)]
struct Known {
    /// Running processes.
    nodes: BTreeMap<NodeId, Arc<Node>>,
    /// Nodes that are to be started (again) without being asked.
    to_start: BTreeSet<NodeId>,
    /// Nodes that are kept dead, with whom to wake when one is let go: nobody while its process still ends.
    held: BTreeMap<NodeId, Option<Wake>>,
    /// Nodes whose disks have no space.
    full: BTreeSet<NodeId>,
    /// Where the node was whose place another one is to take.
    replaced: BTreeMap<NodeId, Ipv4Addr>,
    /// Superusers of each cluster, the latest first.
    logins: BTreeMap<String, Vec<Login>>,
    /// Counts changes of schemas through us.
    changes: u64,
    /// What rebuilds brought: (host id, source).
    rebuilt: Vec<(String, String)>,
}

impl Real {
    /// Nothing runs yet.
    ///
    /// # Errors
    /// Archives, folders or a block of addresses are not to be had.
    pub fn new(options: &Options, rings: Rings) -> Result<Self, RealError> {
        let io = |path: &PathBuf, error| RealError::Io(path.display().to_string(), error);
        std::fs::create_dir_all(&options.data).map_err(|error| io(&options.data, error))?;
        let data = options
            .data
            .canonicalize()
            .map_err(|error| io(&options.data, error))?;
        let jars = options
            .jars
            .canonicalize()
            .map_err(|error| io(&options.jars, error))?;
        let home = data.join("tool");
        std::fs::create_dir_all(&home).map_err(|error| io(&home, error))?;
        let java = Java {
            program: options.java.clone().unwrap_or_else(java::default_program),
            jars,
            home,
        };
        let version = java
            .version()
            .ok_or_else(|| RealError::Setup(format!("{}: no cassandra-all-*.jar", java.jars.display())))?;
        java.write_home().map_err(|error| io(&java.home, error))?;
        let addresses = Addresses::claim()
            .ok_or_else(|| RealError::Setup("no block of loopback addresses is free".to_owned()))?;
        let java = Arc::new(java);
        Ok(Self(Arc::new(Inner {
            rings,
            data,
            nodetool: Nodetool::new(Arc::clone(&java)),
            java,
            leash: Leash::new().map_err(|error| RealError::Io("sh".to_owned(), error))?,
            addresses,
            version,
            known: Mutex::default(),
        })))
    }

    /// What is known of pods and claims.
    #[must_use]
    pub fn rings(&self) -> &Rings {
        &self.0.rings
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process of a node whose Cassandra answers.
    fn up(&self, id: &NodeId) -> Result<Arc<Node>, RealError> {
        let answers = self.0.rings.lock().answers(id);
        let node = self.known().nodes.get(id).cloned();
        node.filter(|_| answers)
            .ok_or_else(|| RealError::NotUp(id.clone()))
    }
}
