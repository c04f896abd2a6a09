//! What real nodes say, for the demo and for tests: their rings, their processes, and their own `nodetool status`.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value, json};

use super::nodetool::Row;
use super::process::Node;
use super::{Real, RealError};
use crate::ring::{NodeId, Phase};

impl Real {
    /// Rings as their nodes see them, processes with their memory, and the journal.
    pub(crate) async fn report(&self) -> Value {
        let mut rings: Vec<Value> = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for node in self.all_up() {
            let own = self.0.rings.lock().membership(&node.id).map(|(_, host)| host);
            if own.is_some_and(|host| seen.contains(&host)) {
                continue;
            }
            let Ok(rows) = self.table(&node).await else {
                continue;
            };
            seen.extend(rows.iter().map(|row| row.host_id.clone()));
            rings.push(self.ring(rings.len() + 1, &node, &rows).await);
        }
        let mut by_cluster = Map::new();
        for ring in &rings {
            let name = ring["cluster"].as_str().unwrap_or_default();
            let count = by_cluster.get(name).and_then(Value::as_u64).unwrap_or(0);
            by_cluster.insert(name.to_owned(), (count + 1).into());
        }
        let (processes, memory) = self.processes();
        let world = self.0.rings.lock();
        json!({
            "cassandra": self.0.version,
            "rings": rings,
            "ringsByCluster": by_cluster,
            "founded": world.founded,
            "processes": processes,
            "memory": {"rssKiB": memory.0, "pssKiB": memory.1},
            "journal": world.journal,
        })
    }

    async fn ring(&self, number: usize, node: &Node, rows: &[Row]) -> Value {
        let nodes: Vec<_> = rows.iter().map(|row| self.member(row)).collect();
        let schema = self.cluster(node).await.unwrap_or_default();
        let keyspaces: Map<_, _> = schema
            .keyspaces
            .into_iter()
            .map(|(name, replication)| (name, json!({"replication": replication})))
            .collect();
        let streams: Vec<_> = self
            .known()
            .rebuilt
            .iter()
            .filter(|(host, _)| rows.iter().any(|row| row.host_id == *host))
            .map(|(host, source)| json!({"hostId": host, "source": source}))
            .collect();
        json!({
            "id": number,
            "cluster": node.cluster,
            "alive": true,
            "seenBy": node.id.to_string(),
            "nodes": nodes,
            "keyspaces": keyspaces,
            "streams": streams,
        })
    }

    fn member(&self, row: &Row) -> Value {
        let node = self.with_host(&row.host_id);
        json!({
            "hostId": row.host_id,
            "address": self.0.addresses.of_pod(row.address).to_string(),
            "datacenter": row.datacenter,
            "rack": row.rack,
            "tokens": row.tokens,
            "state": format!("{}{}", if row.up { 'U' } else { 'D' }, row.state),
            "plane": node.as_ref().map(|node| &node.plane),
            "namespace": node.as_ref().map(|node| &node.namespace),
            "pod": node.as_ref().map(|node| &node.pod),
        })
    }

    fn with_host(&self, host: &str) -> Option<NodeId> {
        let world = self.0.rings.lock();
        let has = |id: &&NodeId| world.membership(id).is_some_and(|(_, own)| own == host);
        world.processes.keys().find(has).cloned()
    }

    /// Every pod with its process, and the memory of all: resident and proportional, in KiB.
    fn processes(&self) -> (Vec<Value>, (u64, u64)) {
        let nodes = self.known().nodes.clone();
        let mut sum = (0, 0);
        let world = self.0.rings.lock();
        let pods = world.processes.iter();
        let values = pods.map(|(id, process)| {
            let node = nodes.get(id);
            let memory = node.and_then(|node| node.memory());
            let (rss, pss) = memory.unwrap_or_default();
            sum = (sum.0 + rss, sum.1 + pss);
            let took = node.and_then(|node| *node.up_after.lock().unwrap_or_else(PoisonError::into_inner));
            json!({
                "node": id.to_string(),
                "phase": format!("{:?}", process.phase),
                "address": process.address.to_string(),
                "hostId": world.membership(id).map(|(_, host)| host),
                "pid": node.map(|node| node.pid),
                "listens": node.map(|node| node.address.to_string()),
                "jmx": node.map(|node| node.jmx),
                "upAfterSeconds": took.map(|took| took.as_secs_f64()),
                "memory": memory.map(|_| json!({"rssKiB": rss, "pssKiB": pss})),
                "log": node.map(|node| node.log.display().to_string()),
            })
        });
        (values.collect(), sum)
    }

    /// `nodetool status` of the first node that answers and is one of these; an empty name fits every one. Of a keyspace, if
    /// one is named: without, it tells who owns how much of the keyspaces of users, or of one that nodetool chooses.
    ///
    /// # Errors
    /// No such node answers.
    pub async fn nodetool_status(
        &self,
        plane: &str,
        namespace: &str,
        pod: &str,
        keyspace: &str,
    ) -> Result<String, RealError> {
        let fits = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        let node = self.all_up().into_iter().find(|node| {
            fits(plane, &node.id.plane) && fits(namespace, &node.id.namespace) && fits(pod, &node.id.pod)
        });
        let node = node.ok_or_else(|| RealError::Setup("no such node answers".to_owned()))?;
        let words = ["status", keyspace];
        let given = if keyspace.is_empty() { 1 } else { 2 };
        let text = self.0.nodetool.ask(node.jmx, &words[..given]).await?;
        Ok(self.0.addresses.as_pods_have_them(&text))
    }

    fn all_up(&self) -> Vec<Arc<Node>> {
        let nodes = self.known().nodes.clone();
        let world = self.0.rings.lock();
        let is_up = |node: &Arc<Node>| world.phase(&node.id) == Some(Phase::Up);
        nodes.into_values().filter(is_up).collect()
    }
}
