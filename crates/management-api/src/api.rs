//! The calls, as a trait: a caller takes `&dyn ManagementApi` and can be tested without a socket.

use std::collections::BTreeMap;

use futures::future::BoxFuture;

use crate::{EndpointState, Error, Node, Replication};

/// The key under which a node lists those whose schema version it could not learn.
pub const UNREACHABLE: &str = "UNREACHABLE";

/// Calls of the management API that a ring's topology needs. Each asks the given node once.
pub trait ManagementApi: Send + Sync {
    /// The names of all keyspaces, system keyspaces included, in the node's order.
    fn keyspaces(&self, node: Node) -> BoxFuture<'_, Result<Vec<String>, Error>>;

    /// Whether the keyspace exists. `Refused` for an empty name.
    fn keyspace_exists<'a>(&'a self, node: Node, keyspace: &'a str) -> BoxFuture<'a, Result<bool, Error>>;

    /// How the keyspace is replicated. `Refused` for an empty name; `Status` 404 where the node does not know the
    /// keyspace; `Malformed` where an entry cannot be understood.
    fn replication<'a>(&'a self, node: Node, keyspace: &'a str) -> BoxFuture<'a, Result<Replication, Error>>;

    /// Creates the keyspace with `NetworkTopologyStrategy` and these replicas per Cassandra datacenter. The server
    /// does nothing where a keyspace of this name exists. `Refused` for an empty name or no datacenter.
    fn create_keyspace<'a>(
        &'a self,
        node: Node,
        keyspace: &'a str,
        factors: &'a BTreeMap<String, u32>,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Gives the keyspace `NetworkTopologyStrategy` with exactly these replicas per Cassandra datacenter: what is not
    /// listed is dropped, and transient replicas cannot be expressed (see [`Replication::full_factors`]).
    /// `Refused` for an empty name or no datacenter.
    fn alter_keyspace<'a>(
        &'a self,
        node: Node,
        keyspace: &'a str,
        factors: &'a BTreeMap<String, u32>,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Schema versions with the addresses of the nodes at each; nodes that did not answer are under
    /// [`UNREACHABLE`].
    fn schema_versions(&self, node: Node) -> BoxFuture<'_, Result<BTreeMap<String, Vec<String>>, Error>>;

    /// What the node knows from gossip of every node of the ring, itself included, in the node's order.
    fn endpoints(&self, node: Node) -> BoxFuture<'_, Result<Vec<EndpointState>, Error>>;
}
