//! The management API of a node, as far as a control plane uses it.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::json::{list, text};
use crate::pace::Pace;
use crate::ring::{JobKind, JobState, MemberState, NodeId, Replication, RingError, Rings, World};

/// One call.
pub struct Call<'a> {
    /// Method.
    pub method: &'a Method,
    /// Path.
    pub path: &'a str,
    /// Query without the question mark.
    pub query: &'a str,
    /// The body, null when there is none.
    pub body: Value,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Body.
    pub body: String,
    /// Whether the body is JSON.
    pub is_json: bool,
}

impl Answer {
    /// 200 with a JSON body.
    #[must_use]
    pub fn json(body: &Value) -> Self {
        Self {
            status: StatusCode::OK,
            body: body.to_string(),
            is_json: true,
        }
    }

    /// A plain text.
    #[must_use]
    pub fn text(status: StatusCode, body: String) -> Self {
        Self {
            status,
            body,
            is_json: false,
        }
    }
}

impl From<RingError> for Answer {
    fn from(error: RingError) -> Self {
        let status = match error {
            RingError::NoSuchKeyspace(_) => StatusCode::NOT_FOUND,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::text(status, error.to_string())
    }
}

/// The management APIs of all nodes. Cheap to clone.
#[derive(Clone)]
pub struct Management {
    /// The rings behind it.
    pub rings: Rings,
    pace: Pace,
    calls: Arc<AtomicU64>,
}

impl Management {
    /// Management APIs of the nodes of `rings`.
    #[must_use]
    pub fn new(rings: Rings, pace: Pace) -> Self {
        Self {
            rings,
            pace,
            calls: Arc::default(),
        }
    }

    /// What the node at this address answers. Nothing listens at an address of no running pod: 502.
    #[must_use]
    pub fn answer(&self, address: Ipv4Addr, call: &Call<'_>) -> Answer {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut world = self.rings.lock();
        let Some(node) = world.node_at(address) else {
            let error = RingError::NoSuchNode(address.to_string());
            return Answer::text(StatusCode::BAD_GATEWAY, error.to_string());
        };
        if self.pace.fails(&format!("management/{number}")) {
            return Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "a failure by chance".into());
        }
        let id = self.pace.uuid(&format!("management-job/{number}"));
        let takes = self.pace.step(Duration::from_secs(3), &id);
        dispatch(&mut world, &node, call, &id, takes).unwrap_or_else(Answer::from)
    }
}

fn dispatch(
    world: &mut World,
    node: &NodeId,
    call: &Call<'_>,
    job: &str,
    takes: Duration,
) -> Result<Answer, RingError> {
    let ok = || Ok(Answer::text(StatusCode::OK, "OK".into()));
    let now = Instant::now();
    match (call.method.as_str(), call.path) {
        ("GET", "/api/v0/probes/liveness") => ok(),
        ("GET", "/api/v0/probes/readiness") => world.ring_of(node).and_then(|_| ok()),
        ("GET", "/api/v0/probes/cluster") => probe_cluster(world, node),
        ("GET", "/api/v0/metadata/versions/release") => Ok(Answer::text(StatusCode::OK, "4.1.8".into())),
        ("GET", "/api/v0/metadata/versions/features") => Ok(Answer::json(
            &json!({"cassandra_version": "4.1.8", "mgmt_version": "0.1.110", "features": FEATURES}),
        )),
        ("GET", "/api/v0/metadata/endpoints") => endpoints(world, node),
        ("GET", "/api/v1/ops/node/schema/versions") => schema_versions(world, node),
        ("GET", "/api/v0/ops/keyspace") => keyspaces(world, node, &query(call, "keyspaceName")),
        ("GET", "/api/v0/ops/keyspace/replication") => replication(world, node, query(call, "keyspaceName")),
        ("POST", "/api/v0/ops/keyspace/create") => {
            let (name, over) = wish(&call.body)?;
            world.create_keyspace(node, &name, &over).and_then(|()| ok())
        }
        ("POST", "/api/v0/ops/keyspace/alter") => {
            let (name, over) = wish(&call.body)?;
            world.alter_keyspace(node, &name, &over).and_then(|()| ok())
        }
        ("POST", "/api/v0/ops/auth/role") => {
            let superuser = query(call, "is_superuser") == "true";
            world
                .ring_of(node)?
                .roles
                .insert(query(call, "username"), superuser);
            ok()
        }
        ("GET", "/api/v0/ops/auth/role") => {
            let roles = world.ring_of(node)?.roles.clone();
            let role =
                |(name, superuser): (String, bool)| json!({"name": name, "super": superuser.to_string()});
            Ok(Answer::json(&roles.into_iter().map(role).collect()))
        }
        ("POST", "/api/v0/ops/node/drain") => {
            world.ring_of(node)?;
            world.drain(node);
            ok()
        }
        ("POST", "/api/v0/ops/seeds/reload") => world.ring_of(node).map(|_| Answer::json(&json!([]))),
        ("GET", "/api/v0/ops/executor/job") => Ok(job_state(world, &query(call, "job_id"), now)),
        ("POST", "/api/v1/ops/node/rebuild") => {
            let source = query(call, "src_dc");
            submit(world, node, job, JobKind::Rebuild { source }, now + takes)
        }
        ("POST", "/api/v1/ops/node/decommission") => {
            world.decommission(node)?;
            submit(world, node, job, JobKind::Decommission, now + takes)
        }
        ("POST", path) if path.starts_with("/api/v1/ops/") => {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            submit(world, node, job, JobKind::Other(name), now + takes)
        }
        _ => Ok(Answer::text(
            StatusCode::NOT_FOUND,
            format!("{} {}", call.method, call.path),
        )),
    }
}

const FEATURES: [&str; 4] = [
    "async_sstable_tasks",
    "rebuild",
    "async_flush_task",
    "async_scrub_task",
];

/// One value of the query, decoded.
fn query(call: &Call<'_>, key: &str) -> String {
    let pairs = call.query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs
        .into_iter()
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value);
    decode(value.unwrap_or_default())
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The body of create and alter.
fn wish(body: &Value) -> Result<(String, Replication), RingError> {
    let bad = || RingError::Refused(format!("not understood: {body}"));
    let name = text(body, "/keyspace_name");
    if name.is_empty() || list(body, "/replication_settings").is_empty() {
        return Err(bad());
    }
    let mut over = Replication::new();
    for setting in list(body, "/replication_settings") {
        let factor = match setting.get("replication_factor") {
            Some(Value::String(factor)) => factor.parse().ok(),
            Some(factor) => factor.as_u64().and_then(|factor| u32::try_from(factor).ok()),
            None => None,
        };
        over.insert(text(setting, "/dc_name").to_owned(), factor.ok_or_else(bad)?);
    }
    Ok((name.to_owned(), over))
}

fn submit(
    world: &mut World,
    node: &NodeId,
    id: &str,
    kind: JobKind,
    due: Instant,
) -> Result<Answer, RingError> {
    world.submit(id, node, kind, due)?;
    Ok(Answer::text(StatusCode::ACCEPTED, id.to_owned()))
}

fn job_state(world: &mut World, id: &str, now: Instant) -> Answer {
    let Some(job) = world.job(id, now) else {
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

fn probe_cluster(world: &mut World, node: &NodeId) -> Result<Answer, RingError> {
    let (_, host) = world
        .membership(node)
        .ok_or_else(|| RingError::NotUp(node.clone()))?;
    let ring = world.ring_of(node)?;
    let own = ring.members.get(&host).map(|member| member.datacenter.clone());
    let local: Vec<_> = ring
        .members
        .values()
        .filter(|member| Some(&member.datacenter) == own.as_ref())
        .collect();
    let up = local.iter().filter(|member| member.up).count();
    if up > local.len().min(3) / 2 {
        return Ok(Answer::text(StatusCode::OK, "OK".into()));
    }
    Err(RingError::Refused(format!(
        "LOCAL_QUORUM not reached: {up} of {} nodes are up",
        local.len()
    )))
}

/// What gossip tells this node, one entry for each member.
fn endpoints(world: &mut World, node: &NodeId) -> Result<Answer, RingError> {
    let own = world.processes.get(node).map(|process| process.address);
    let ring = world.ring_of(node)?;
    let entities: Vec<_> = ring
        .members
        .iter()
        .map(|(host, member)| {
            let status = if member.state == MemberState::Leaving {
                "LEAVING"
            } else {
                "NORMAL"
            };
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
        })
        .collect();
    Ok(Answer::json(
        &json!({"entity": entities, "variant": null, "annotations": []}),
    ))
}

fn schema_id(schema: u64) -> String {
    format!("00000000-0000-4000-8000-{schema:012x}")
}

fn schema_versions(world: &mut World, node: &NodeId) -> Result<Answer, RingError> {
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

fn keyspaces(world: &mut World, node: &NodeId, wanted: &str) -> Result<Answer, RingError> {
    let ring = world.ring_of(node)?;
    let names: Vec<_> = ring
        .keyspaces
        .keys()
        .filter(|name| wanted.is_empty() || name.as_str() == wanted)
        .cloned()
        .collect();
    Ok(Answer::json(&names.into()))
}

fn replication(world: &mut World, node: &NodeId, name: String) -> Result<Answer, RingError> {
    let ring = world.ring_of(node)?;
    let keyspace = ring.keyspaces.get(&name).ok_or(RingError::NoSuchKeyspace(name))?;
    Ok(Answer::json(&json!(keyspace.options)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::Identity;

    fn one_node() -> (Management, Ipv4Addr) {
        let (rings, address) = (Rings::default(), Ipv4Addr::new(198, 18, 0, 1));
        let node = NodeId {
            plane: "p".into(),
            namespace: "ns".into(),
            pod: "a".into(),
        };
        let identity = Identity {
            cluster: "ring".into(),
            datacenter: "dc1".into(),
            rack: "r1".into(),
            tokens: 16,
            system_replication: Replication::new(),
        };
        {
            let mut world = rings.lock();
            world.pod_runs(&node, identity, address, "disk");
            world.start(&node);
            world.boot(&node, &[address], "host");
        }
        (Management::new(rings, Pace::new(1.0, 1, 0.0)), address)
    }

    fn call(
        management: &Management,
        address: Ipv4Addr,
        method: &Method,
        uri: &str,
        body: Value,
    ) -> (u16, String) {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let answer = management.answer(
            address,
            &Call {
                method,
                path,
                query,
                body,
            },
        );
        (answer.status.as_u16(), answer.body)
    }

    #[test]
    fn a_keyspace_is_created_listed_and_altered() {
        let (management, node) = one_node();
        let body = json!({
            "keyspace_name": "my ks",
            "replication_settings": [{"dc_name": "dc1", "replication_factor": "3"}],
        });
        let get = |uri: &str| call(&management, node, &Method::GET, uri, Value::Null);
        let post = |uri: &str, body: &Value| call(&management, node, &Method::POST, uri, body.clone());
        assert_eq!(post("/api/v0/ops/keyspace/create", &body).0, 200);
        assert_eq!(post("/api/v0/ops/keyspace/create", &body).0, 500);
        assert_eq!(get("/api/v0/ops/keyspace?keyspaceName=my+ks").1, r#"["my ks"]"#);
        assert_eq!(get("/api/v0/ops/keyspace?keyspaceName=other").1, "[]");
        let (status, body) = get("/api/v0/ops/keyspace/replication?keyspaceName=my%20ks");
        assert_eq!((status, body.contains(r#""dc1":"3""#)), (200, true));
        let unknown = json!({
            "keyspace_name": "my ks",
            "replication_settings": [{"dc_name": "dc2", "replication_factor": "1"}],
        });
        assert_eq!(post("/api/v0/ops/keyspace/alter", &unknown).0, 500);
        assert_eq!(get("/api/v0/ops/keyspace/replication?keyspaceName=none").0, 404);
    }

    #[test]
    fn a_node_that_is_not_up_answers_500_and_an_address_without_pod_502() {
        let (management, node) = one_node();
        let endpoints = |address| {
            call(
                &management,
                address,
                &Method::GET,
                "/api/v0/metadata/endpoints",
                Value::Null,
            )
        };
        assert!(endpoints(node).1.contains(r#""HOST_ID":"host""#));
        assert_eq!(
            call(
                &management,
                node,
                &Method::POST,
                "/api/v0/ops/node/drain",
                Value::Null
            )
            .0,
            200
        );
        assert_eq!(endpoints(node).0, 500);
        assert_eq!(endpoints(Ipv4Addr::new(198, 18, 0, 9)).0, 502);
    }

    #[test]
    fn a_member_that_is_down_shows_as_unreachable() {
        let (management, node) = one_node();
        let other = NodeId {
            plane: "p".into(),
            namespace: "ns".into(),
            pod: "b".into(),
        };
        {
            let mut world = management.rings.lock();
            let identity = world.processes.values().next().unwrap().identity.clone();
            world.pod_runs(&other, identity, Ipv4Addr::new(198, 18, 0, 2), "disk-2");
            world.start(&other);
            world.boot(&other, &[node], "host-2");
            world.pod_gone(&other);
        }
        let (_, body) = call(
            &management,
            node,
            &Method::GET,
            "/api/v1/ops/node/schema/versions",
            Value::Null,
        );
        assert!(body.contains(r#""UNREACHABLE":["198.18.0.2"]"#), "{body}");
    }
}
