//! What the reading calls answer.

use std::net::Ipv4Addr;

use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Answer;
use crate::ring::{JobState, Member, MemberState, NodeId, Ring, RingError, World};

pub(crate) fn job_state(world: &mut World, id: &str) -> Answer {
    let Some(job) = world.job(id, Instant::now()) else {
        return Answer::text(StatusCode::NOT_FOUND, "no such job".into());
    };
    let (status, error) = match &job.state {
        JobState::Waiting => ("WAITING", ""),
        JobState::Completed => ("COMPLETED", ""),
        JobState::Failed(why) => ("ERROR", why.as_str()),
    };
    let ended = if job.state == JobState::Waiting { "0" } else { "1" };
    Answer::json(&json!({
        "id": id,
        "type": job.kind.name(),
        "status": status,
        "submit_time": "1",
        "end_time": ended,
        "error": error,
        "status_changes": [],
    }))
}

pub(super) fn probe_cluster(world: &mut World, node: &NodeId) -> Result<Answer, RingError> {
    world.has_local_quorum(node)?;
    Ok(Answer::text(StatusCode::OK, "OK".into()))
}

/// What gossip tells this node: one entry for each member, and for each node that has left not long ago.
pub(super) fn endpoints(world: &mut World, node: &NodeId) -> Result<Answer, RingError> {
    let own = world.processes.get(node).map(|process| process.address);
    let ring = world.ring_of(node)?;
    let members = ring.members.iter().map(|(host, member)| {
        let status = if member.state == MemberState::Leaving {
            "LEAVING"
        } else {
            "NORMAL"
        };
        entity(ring, own, host, member, status)
    });
    // An address that has been given to another node is that node's.
    let is_taken = |member: &Member| ring.members.values().any(|other| other.address == member.address);
    let left = ring.still_told().filter(|(_, member)| !is_taken(member));
    let left = left.map(|(host, member)| {
        let mut entity = entity(ring, own, host, member, "LEFT");
        entity["IS_ALIVE"] = "false".into();
        entity
    });
    let entities: Vec<_> = members.chain(left).collect();
    Ok(Answer::json(
        &json!({"entity": entities, "variant": null, "annotations": []}),
    ))
}

fn entity(ring: &Ring, own: Option<Ipv4Addr>, host: &str, member: &Member, status: &str) -> Value {
    json!({
        "ENDPOINT_IP": member.address.to_string(),
        "RPC_ADDRESS": member.address.to_string(),
        "NATIVE_ADDRESS_AND_PORT": format!("{}:9042", member.address),
        "HOST_ID": host,
        "DC": member.datacenter,
        "RACK": member.rack,
        "IS_ALIVE": member.up.to_string(),
        "IS_LOCAL": (Some(member.address) == own).to_string(),
        "STATUS": format!("{status},-9223372036854775808"),
        "STATUS_WITH_PORT": format!("{status},-9223372036854775808"),
        "RPC_READY": member.up.to_string(),
        "RELEASE_VERSION": "4.1.8",
        "CLUSTER_NAME": ring.cluster,
        "PARTITIONER": "org.apache.cassandra.dht.Murmur3Partitioner",
        "SCHEMA": schema_id(ring.schema),
        "LOAD": "75000.0",
    })
}

fn schema_id(schema: u64) -> String {
    format!("00000000-0000-4000-8000-{schema:012x}")
}

pub(super) fn schema_versions(world: &mut World, node: &NodeId) -> Result<Answer, RingError> {
    let ring = world.ring_of(node)?;
    let addresses = |up: bool| -> Vec<String> {
        let members = ring.members.values().filter(|member| member.up == up);
        members.map(|member| member.address.to_string()).collect()
    };
    let mut versions = Map::new();
    versions.insert(schema_id(ring.schema), addresses(true).into());
    if !addresses(false).is_empty() {
        versions.insert("UNREACHABLE".into(), addresses(false).into());
    }
    Ok(Answer::json(&Value::Object(versions)))
}

pub(super) fn keyspaces(world: &mut World, node: &NodeId, wanted: &str) -> Result<Answer, RingError> {
    let ring = world.ring_of(node)?;
    let names: Vec<_> = ring
        .keyspaces
        .keys()
        .filter(|name| wanted.is_empty() || name.as_str() == wanted)
        .cloned()
        .collect();
    Ok(Answer::json(&names.into()))
}

pub(super) fn replication(world: &mut World, node: &NodeId, name: String) -> Result<Answer, RingError> {
    let ring = world.ring_of(node)?;
    let keyspace = ring.keyspaces.get(&name).ok_or(RingError::NoSuchKeyspace(name))?;
    Ok(Answer::json(&json!(keyspace.options)))
}
