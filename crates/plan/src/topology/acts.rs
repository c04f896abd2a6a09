//! What a plan can ask to be done or read, in order, each with a sentence.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use api::reports::TopologyReport;

/// What is due for the ring of one cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopologyPlan {
    /// In order. One that fails ends the acts for its plane, not those for others.
    pub acts: Vec<Act>,
    /// Reads that are missing: perform them and plan again.
    pub asks: Vec<Ask>,
    /// What is reported when nothing is left to do or read; none = what was reported stays.
    pub report: Option<TopologyReport>,
    /// After this time a new plan may say something else although nothing was seen to change.
    pub next_check: Option<Duration>,
}

/// Kinds that topology writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// discovery.k8s.io/v1.
    EndpointSlice,
    /// v1.
    Service,
    /// control.k8ssandra.io/v1alpha1.
    CassandraTask,
}

/// A namespace of a plane, and the datacenter for which something is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Where {
    /// Context of the plane; empty for the control plane itself.
    pub context: String,
    /// The namespace.
    pub namespace: String,
    /// Name of the CassandraDatacenter.
    pub datacenter: String,
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// A new object. Where one of that name exists, it must be read and shown to the next plan.
    Create {
        /// Where.
        at: Where,
        /// What it is.
        kind: Kind,
        /// Its name.
        name: String,
        /// All of it.
        object: Value,
    },
    /// A changed object, by server-side apply with its uid and with force.
    Apply {
        /// Where.
        at: Where,
        /// What it is.
        kind: Kind,
        /// Its name.
        name: String,
        /// UID of the one that is meant.
        uid: String,
        /// All of it that is ours.
        object: Value,
    },
    /// An object that goes, with uid and resourceVersion as preconditions.
    Delete {
        /// Where.
        at: Where,
        /// What it is.
        kind: Kind,
        /// Its name.
        name: String,
        /// UID of the one that is meant.
        uid: String,
        /// The version that showed the reason.
        resource_version: String,
    },
    /// Replication of a keyspace, through the management API.
    Replicate {
        /// Name of the CassandraDatacenter whose nodes are asked.
        via: String,
        /// The keyspace.
        keyspace: String,
        /// Cassandra's names of datacenters, with the number of replicas.
        factors: BTreeMap<String, u32>,
        /// It does not exist yet.
        create: bool,
    },
}

/// One read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// The CassandraDatacenter, live: only that proves that it is absent.
    Datacenter(String),
    /// What a node of this datacenter lists of the ring.
    Ring(String),
    /// Which nodes have which version of the schema, as a node of this datacenter sees it.
    Agreement(String),
    /// These keyspaces and their replication, from a node of this datacenter.
    System {
        /// Name of the CassandraDatacenter whose nodes are asked.
        via: String,
        /// The keyspaces.
        keyspaces: Vec<String>,
    },
    /// All keyspaces and their replication, from a node of this datacenter.
    Keyspaces(String),
}

/// What a node sees of the schema of its ring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// For each version the addresses of the nodes that have it, those with the fewest nodes first.
    pub versions: Vec<Vec<String>>,
    /// Addresses of nodes that do not say which one they have.
    pub unreachable: Vec<String>,
}

impl Schema {
    /// Whether all nodes that say which version they have, have the same. Nobody's word is no agreement.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        self.versions.len() == 1
    }
}

/// Host ids that a node lists as members of the ring.
pub type Ring = BTreeSet<String>;
/// Keyspaces by name.
pub type Keyspaces = BTreeMap<String, Replicas>;

/// How a keyspace is replicated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replicas {
    /// Replicas by Cassandra's names of datacenters, transient ones included; empty where the strategy does not
    /// tell datacenters apart.
    pub by_datacenter: BTreeMap<String, u32>,
    /// The same, where it can be written back without loss: `NetworkTopologyStrategy` with full replicas only.
    pub full: Option<BTreeMap<String, u32>>,
}

/// What was answered in this pass, by name of the CassandraDatacenter that was asked. An error is a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// To [`Ask::Ring`].
    pub rings: BTreeMap<String, Result<Ring, String>>,
    /// To [`Ask::Agreement`].
    pub agreement: BTreeMap<String, Result<Schema, String>>,
    /// To [`Ask::System`]; a keyspace that does not exist is not in it.
    pub system: BTreeMap<String, Result<Keyspaces, String>>,
    /// To [`Ask::Keyspaces`].
    pub keyspaces: BTreeMap<String, Result<Keyspaces, String>>,
}

impl Kind {
    /// Name of the kind.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::EndpointSlice => "EndpointSlice",
            Kind::Service => "Service",
            Kind::CassandraTask => "CassandraTask",
        }
    }

    /// `apiVersion` of its objects.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Kind::EndpointSlice => "discovery.k8s.io/v1",
            Kind::Service => "v1",
            Kind::CassandraTask => "control.k8ssandra.io/v1alpha1",
        }
    }
}

impl Act {
    /// One sentence for logs, events and people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Act::Create { at, kind, name, .. } => format!("Create {}", at.object(*kind, name)),
            Act::Apply { at, kind, name, .. } => format!("Update {}", at.object(*kind, name)),
            Act::Delete { at, kind, name, .. } => format!("Delete {}", at.object(*kind, name)),
            Act::Replicate {
                via,
                keyspace,
                factors,
                create,
            } => {
                let verb = if *create { "Create" } else { "Alter" };
                let factors: Vec<String> = factors.iter().map(|(name, n)| format!("{name}: {n}")).collect();
                format!(
                    "{verb} keyspace {keyspace} with replicas {{{}}}, through datacenter {via}",
                    factors.join(", ")
                )
            }
        }
    }

    /// Reason of the event that tells of it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Act::Create {
                kind: Kind::CassandraTask,
                ..
            } => "RebuildStarted",
            Act::Create {
                at,
                kind: Kind::EndpointSlice,
                name,
                ..
            }
            | Act::Apply {
                at,
                kind: Kind::EndpointSlice,
                name,
                ..
            } if !at.is_contact_points(name) => "SeedsWritten",
            Act::Delete {
                at,
                kind: Kind::EndpointSlice,
                name,
                ..
            } if !at.is_contact_points(name) => "SeedsDeleted",
            Act::Create { .. } | Act::Apply { .. } => "ContactPointsWritten",
            Act::Delete { .. } => "ContactPointsDeleted",
            Act::Replicate { .. } => "ReplicationSet",
        }
    }

    /// Context of the plane that it concerns, or the datacenter that it goes through: acts of one lane wait for
    /// one another, and none of them for another lane.
    #[must_use]
    pub fn lane(&self) -> &str {
        match self {
            Act::Create { at, .. } | Act::Apply { at, .. } | Act::Delete { at, .. } => &at.context,
            Act::Replicate { via, .. } => via,
        }
    }
}

impl Where {
    fn object(&self, kind: Kind, name: &str) -> String {
        format!(
            "{} {}/{name} in {}",
            kind.as_str(),
            self.namespace,
            plane(&self.context)
        )
    }

    fn is_contact_points(&self, name: &str) -> bool {
        self.context.is_empty() && name.contains("-contact-points-service")
    }
}

/// How a plane is called in sentences.
pub(super) fn plane(context: &str) -> String {
    if context.is_empty() {
        "the control plane".to_owned()
    } else {
        format!("plane {context}")
    }
}
