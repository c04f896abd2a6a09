//! The management API of a node, as far as a control plane uses it.

mod answers;

pub(crate) use answers::job_state;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::cassandra::Cassandra;
use crate::json::{list, text};
use crate::pace::Pace;
use crate::ring::{JobKind, NodeId, Replication, RingError, Rings, World};

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
    /// What is known of pods, claims and rings.
    pub rings: Rings,
    pub(crate) cassandra: Cassandra,
    pace: Pace,
    calls: Arc<AtomicU64>,
}

impl Management {
    /// Management APIs of these nodes.
    #[must_use]
    pub fn new(cassandra: impl Into<Cassandra>, pace: Pace) -> Self {
        let cassandra = cassandra.into();
        Self {
            rings: cassandra.rings().clone(),
            cassandra,
            pace,
            calls: Arc::default(),
        }
    }

    /// What `/state` shows.
    pub async fn state(&self) -> Value {
        match &self.cassandra {
            Cassandra::Model(rings) => rings.lock().report(),
            Cassandra::Real(real) => real.report().await,
        }
    }

    /// What the node at this address answers, modelled or real.
    pub async fn respond(&self, address: Ipv4Addr, call: &Call<'_>) -> Answer {
        let Cassandra::Real(real) = &self.cassandra else {
            return self.answer(address, call);
        };
        match self.begin(address) {
            Ok((node, job)) => real.answer(&node, call, &job).await.unwrap_or_else(Answer::from),
            Err(refused) => refused,
        }
    }

    /// What the modelled node at this address answers.
    #[must_use]
    pub fn answer(&self, address: Ipv4Addr, call: &Call<'_>) -> Answer {
        match self.begin(address) {
            Ok((node, job)) => {
                let takes = self.pace.step(Duration::from_secs(3), &job);
                let answer = dispatch(&mut self.rings.lock(), &node, call, &job, takes);
                answer.unwrap_or_else(Answer::from)
            }
            Err(refused) => refused,
        }
    }

    /// The node at this address and the id of a job that it may begin. Nothing listens at an address of no
    /// running pod, or in a plane without power: 502.
    fn begin(&self, address: Ipv4Addr) -> Result<(NodeId, String), Answer> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let node = {
            let world = self.rings.lock();
            let node = world.node_at(address);
            node.filter(|node| !world.is_dark(&node.plane))
        };
        let Some(node) = node else {
            let error = RingError::NoSuchNode(address.to_string());
            return Err(Answer::text(StatusCode::BAD_GATEWAY, error.to_string()));
        };
        if self.pace.fails(&format!("management/{number}")) {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Err(Answer::text(status, "a failure by chance".into()));
        }
        Ok((node, self.pace.uuid(&format!("management-job/{number}"))))
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
        ("GET", "/api/v0/probes/cluster") => answers::probe_cluster(world, node),
        ("GET", "/api/v0/metadata/versions/release") => Ok(Answer::text(StatusCode::OK, "4.1.8".into())),
        ("GET", "/api/v0/metadata/versions/features") => Ok(features("4.1.8")),
        ("GET", "/api/v0/metadata/endpoints") => answers::endpoints(world, node),
        ("GET", "/api/v1/ops/node/schema/versions") => answers::schema_versions(world, node),
        ("GET", "/api/v0/ops/keyspace") => answers::keyspaces(world, node, &query(call, "keyspaceName")),
        ("GET", "/api/v0/ops/keyspace/replication") => {
            answers::replication(world, node, query(call, "keyspaceName"))
        }
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
            let user = query(call, "username");
            world.make_role(node, &user, superuser).and_then(|()| ok())
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
        ("GET", "/api/v0/ops/executor/job") => Ok(job_state(world, &query(call, "job_id"))),
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

/// What a node of this version can do.
pub(crate) fn features(version: &str) -> Answer {
    Answer::json(&json!({"cassandra_version": version, "mgmt_version": "0.1.110", "features": FEATURES}))
}

const FEATURES: [&str; 10] = [
    "async_sstable_tasks",
    "rebuild",
    "async_upgrade_sstable_task",
    "full_query_logging",
    "async_move_task",
    "async_gc_task",
    "async_flush_task",
    "async_scrub_task",
    "async_compaction_task",
    "reload_internode_truststore",
];

/// One value of the query, decoded.
pub(crate) fn query(call: &Call<'_>, key: &str) -> String {
    value(call.query, key)
}

/// One value of a query, decoded; empty when it is not there.
pub(crate) fn value(query: &str, key: &str) -> String {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
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
pub(crate) fn wish(body: &Value) -> Result<(String, Replication), RingError> {
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

#[cfg(test)]
mod tests;
