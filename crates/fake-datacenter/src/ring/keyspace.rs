//! Keyspaces: where their copies should be, and which members do not have them yet.

use std::collections::{BTreeMap, BTreeSet};

use super::{NodeId, RingError, World};

/// The class that a replication over datacenters has.
pub const NETWORK_TOPOLOGY: &str = "org.apache.cassandra.locator.NetworkTopologyStrategy";
const SIMPLE: &str = "org.apache.cassandra.locator.SimpleStrategy";

/// Replication over datacenters.
pub type Replication = BTreeMap<String, u32>;

/// One keyspace of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyspace {
    /// The replication class and its options, as Cassandra shows them.
    pub options: BTreeMap<String, String>,
    /// Host ids of members that should have data and were not given it.
    pub missing: BTreeSet<String>,
    /// Whether its last copy is gone.
    pub lost: bool,
}

impl Keyspace {
    /// A keyspace with this many replicas in each datacenter.
    #[must_use]
    pub fn over(replication: &Replication) -> Self {
        Self {
            options: network_options(replication),
            missing: BTreeSet::new(),
            lost: false,
        }
    }

    /// A keyspace of a ring that was never told about datacenters.
    #[must_use]
    pub fn simple(replicas: u32) -> Self {
        let options = [
            ("class", SIMPLE.to_owned()),
            ("replication_factor", replicas.to_string()),
        ];
        Self {
            options: options
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            missing: BTreeSet::new(),
            lost: false,
        }
    }

    /// A keyspace that lies whole on every node (`system`, `system_schema`).
    #[must_use]
    pub fn local() -> Self {
        let class = "org.apache.cassandra.locator.LocalStrategy".to_owned();
        Self {
            options: [("class".to_owned(), class)].into(),
            missing: BTreeSet::new(),
            lost: false,
        }
    }

    /// How many replicas a datacenter should have (`3/1` counts as 3).
    #[must_use]
    pub fn replicas(&self, datacenter: &str) -> u32 {
        let is_simple = self.options.get("class").is_some_and(|class| class == SIMPLE);
        let key = if is_simple {
            "replication_factor"
        } else {
            datacenter
        };
        let factor = self.options.get(key).map_or("0", String::as_str);
        factor
            .split('/')
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(0)
    }
}

fn network_options(replication: &Replication) -> BTreeMap<String, String> {
    let class = ("class".to_owned(), NETWORK_TOPOLOGY.to_owned());
    let factors = replication.iter().filter(|(_, factor)| **factor > 0);
    factors
        .map(|(name, factor)| (name.clone(), factor.to_string()))
        .chain([class])
        .collect()
}

/// The keyspaces of a new ring: replication of the distributed ones as its founder's options say. Virtual ones are not among
/// them: a node does not list those.
pub(super) fn system_keyspaces(replication: &Replication) -> BTreeMap<String, Keyspace> {
    let distributed = [
        ("system_auth", 1),
        ("system_distributed", 3),
        ("system_traces", 2),
    ];
    let local = ["system", "system_schema"];
    let local = local.into_iter().map(|name| (name.to_owned(), Keyspace::local()));
    let distributed = distributed.into_iter().map(|(name, replicas)| {
        let keyspace = if replication.is_empty() {
            Keyspace::simple(replicas)
        } else {
            Keyspace::over(replication)
        };
        (name.to_owned(), keyspace)
    });
    local.chain(distributed).collect()
}

impl World {
    /// Creates a keyspace through `node`. One that is there stays as it is, as the management API asks for it.
    ///
    /// # Errors
    /// When the node is not up, or a datacenter has no node.
    pub fn create_keyspace(
        &mut self,
        node: &NodeId,
        name: &str,
        over: &Replication,
    ) -> Result<(), RingError> {
        let ring = self.ring_of(node)?;
        if ring.keyspaces.contains_key(name) {
            return Ok(());
        }
        check_datacenters(&ring.datacenters(), name, over)?;
        ring.keyspaces.insert(name.to_owned(), Keyspace::over(over));
        ring.schema += 1;
        self.note(format!("keyspace {name} created over {over:?} through {node}"));
        Ok(())
    }

    /// Changes where a keyspace's copies should be. Members of a datacenter that is new to it lack its data until
    /// they are rebuilt.
    ///
    /// # Errors
    /// When the node is not up, the keyspace does not exist, or a datacenter has no node.
    pub fn alter_keyspace(&mut self, node: &NodeId, name: &str, over: &Replication) -> Result<(), RingError> {
        let ring = self.ring_of(node)?;
        check_datacenters(&ring.datacenters(), name, over)?;
        let members = ring.members.clone();
        let keyspace = ring
            .keyspaces
            .get_mut(name)
            .ok_or_else(|| RingError::NoSuchKeyspace(name.to_owned()))?;
        let before = keyspace.clone();
        keyspace.options = network_options(over);
        for (host, member) in members {
            let has = keyspace.replicas(&member.datacenter) > 0;
            if has && before.replicas(&member.datacenter) == 0 {
                keyspace.missing.insert(host);
            } else if !has {
                keyspace.missing.remove(&host);
            }
        }
        ring.schema += 1;
        let lost = ring.note_losses();
        self.note(format!("keyspace {name} altered to {over:?} through {node}"));
        for keyspace in lost {
            self.note(format!(
                "DATA LOST: no datacenter of the new replication of {keyspace} has its data"
            ));
        }
        Ok(())
    }
}

fn check_datacenters(known: &BTreeSet<String>, keyspace: &str, over: &Replication) -> Result<(), RingError> {
    match over.keys().find(|name| !known.contains(*name)) {
        Some(stranger) => Err(RingError::UnknownDatacenter(
            stranger.clone(),
            keyspace.to_owned(),
        )),
        None => Ok(()),
    }
}
