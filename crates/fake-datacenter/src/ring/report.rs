//! The rings as JSON, for the demo and for tests.

use serde_json::{Value, json};

use super::{Member, MemberState, Phase, Ring, World};

impl World {
    /// Everything: rings with members and keyspaces, nodes that wait for a ring, how many rings were founded under each
    /// cluster name, and the journal.
    #[must_use]
    pub fn report(&self) -> Value {
        let waiting: Vec<_> = self
            .processes
            .iter()
            .filter(|(_, process)| process.phase == Phase::Starting)
            .map(|(id, process)| json!({"node": id.to_string(), "address": process.address.to_string()}))
            .collect();
        let rings: Vec<_> = self
            .rings
            .iter()
            .map(|(number, ring)| ring.report(*number))
            .collect();
        json!({
            "rings": rings,
            "ringsByCluster": self.rings_by_cluster(),
            "founded": self.founded,
            "waiting": waiting,
            "closed": self.closed.iter().map(|(a, b)| json!([a, b])).collect::<Vec<_>>(),
            "journal": self.journal,
        })
    }

    /// How many rings with a node that can answer or come back exist under each cluster name.
    #[must_use]
    pub fn rings_by_cluster(&self) -> std::collections::BTreeMap<String, u32> {
        let mut count = std::collections::BTreeMap::new();
        for ring in self.rings.values().filter(|ring| ring.is_alive()) {
            *count.entry(ring.cluster.clone()).or_insert(0) += 1;
        }
        count
    }
}

impl Ring {
    fn report(&self, number: u32) -> Value {
        let nodes: Vec<_> = self
            .members
            .iter()
            .map(|(host, member)| node(host, member))
            .collect();
        let keyspaces: serde_json::Map<_, _> = self
            .keyspaces
            .iter()
            .map(|(name, keyspace)| {
                let lacking = keyspace
                    .missing
                    .iter()
                    .filter(|host| self.members.contains_key(*host));
                let lacking: Vec<_> = lacking.collect();
                let value =
                    json!({"replication": keyspace.options, "missing": lacking, "lost": keyspace.lost});
                (name.clone(), value)
            })
            .collect();
        let streams: Vec<_> = self
            .streams
            .iter()
            .map(|(datacenter, source, host, keyspaces)| {
                json!({"datacenter": datacenter, "source": source, "hostId": host, "keyspaces": keyspaces})
            })
            .collect();
        let lost: Vec<_> = self
            .keyspaces
            .iter()
            .filter(|(_, keyspace)| keyspace.lost)
            .map(|(name, _)| name)
            .collect();
        json!({
            "id": number,
            "cluster": self.cluster,
            "alive": self.is_alive(),
            "founder": self.founder.as_ref().map(ToString::to_string),
            "nodes": nodes,
            "keyspaces": keyspaces,
            "roles": self.roles,
            "streams": streams,
            "lost": lost,
        })
    }
}

fn node(host: &str, member: &Member) -> Value {
    let state = if member.state == MemberState::Leaving {
        "L"
    } else {
        "N"
    };
    json!({
        "hostId": host,
        "address": member.address.to_string(),
        "datacenter": member.datacenter,
        "rack": member.rack,
        "tokens": member.tokens,
        "state": format!("{}{state}", if member.up { "U" } else { "D" }),
        "diskLost": member.lost,
        "plane": member.node.plane,
        "namespace": member.node.namespace,
        "pod": member.node.pod,
    })
}
