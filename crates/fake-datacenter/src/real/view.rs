//! What a node sees of its ring, in the addresses of nodes.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::Instant;

use super::nodetool::{self, Cluster, Gossip, Row};
use super::process::{Cached, Node};
use super::{Real, RealError};
use crate::ring::NodeId;

/// How old an answer may be that is given again: each costs the start of a virtual machine.
const FRESH: Duration = Duration::from_secs(1);

impl Real {
    /// `nodetool status`.
    pub(super) async fn table(&self, node: &Node) -> Result<Vec<Row>, RealError> {
        self.asked(node, &node.table, "status", nodetool::table).await
    }

    /// `nodetool gossipinfo`.
    pub(super) async fn gossip(&self, node: &Node) -> Result<Vec<(Ipv4Addr, Gossip)>, RealError> {
        self.asked(node, &node.gossip, "gossipinfo", nodetool::gossip)
            .await
    }

    /// `nodetool describecluster`.
    pub(super) async fn cluster(&self, node: &Node) -> Result<Cluster, RealError> {
        self.asked(node, &node.schema, "describecluster", nodetool::cluster)
            .await
    }

    /// An answer that is fresh and younger than the last change through us, else a new one. Who asks meanwhile waits for it.
    async fn asked<T: Clone>(
        &self,
        node: &Node,
        last: &Cached<T>,
        command: &str,
        read: impl Fn(&str) -> T,
    ) -> Result<T, RealError> {
        let mut last = last.lock().await;
        let changes = self.known().changes;
        if let Some((at, then, answer)) = &*last
            && *then == changes
            && at.elapsed() < FRESH
        {
            return Ok(answer.clone());
        }
        let answer = read(&self.0.nodetool.ask(node.jmx, &[command]).await?);
        *last = Some((Instant::now(), changes, answer.clone()));
        Ok(answer)
    }

    /// Whether enough nodes of a node's datacenter are up, in its own eyes, for a quorum among three replicas.
    pub(crate) async fn has_local_quorum(&self, id: &NodeId) -> Result<(), RealError> {
        let node = self.up(id)?;
        let rows = self.table(&node).await?;
        let is_local = |row: &&Row| row.datacenter == node.configuration.datacenter;
        let local = rows.iter().filter(is_local).count();
        let up = rows.iter().filter(is_local).filter(|row| row.up).count();
        if up > local.min(3) / 2 {
            return Ok(());
        }
        Err(RealError::Cql(format!(
            "LOCAL_QUORUM not reached: {up} of {local} nodes are up"
        )))
    }

    /// How many datacenters have a node in the ring of this one.
    pub(crate) async fn datacenters(&self, id: &NodeId) -> Result<usize, RealError> {
        let rows = self.table(&*self.up(id)?).await?;
        let names: BTreeSet<_> = rows.into_iter().map(|row| row.datacenter).collect();
        Ok(names.len())
    }
}
