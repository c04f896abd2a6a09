//! The management API of a real node.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::nodetool::Row;
use super::process::Node;
use super::{Real, RealError};
use crate::management::{Answer, Call, features, job_state, query, wish};
use crate::ring::{JobKind, NodeId, RingError};

impl Real {
    /// What a node answers. `job` is the id of what it may begin.
    pub(crate) async fn answer(&self, id: &NodeId, call: &Call<'_>, job: &str) -> Result<Answer, RingError> {
        match (call.method.as_str(), call.path) {
            // The API itself answers these, whatever its Cassandra does.
            ("GET", "/api/v0/probes/liveness") => Ok(ok()),
            ("GET", "/api/v0/metadata/versions/release") => {
                Ok(Answer::text(StatusCode::OK, self.0.version.clone()))
            }
            ("GET", "/api/v0/metadata/versions/features") => Ok(features(&self.0.version)),
            ("GET", "/api/v0/ops/executor/job") => {
                let mut world = self.0.rings.lock();
                Ok(job_state(&mut world, &query(call, "job_id")))
            }
            ("GET", _) => self.read(&*self.up(id)?, call).await,
            ("POST", path) if path.starts_with("/api/v1/ops/") => {
                self.submit(job, id, kind(call))?;
                Ok(Answer::text(StatusCode::ACCEPTED, job.to_owned()))
            }
            _ => self.write(&*self.up(id)?, call).await,
        }
    }

    async fn read(&self, node: &Node, call: &Call<'_>) -> Result<Answer, RingError> {
        match call.path {
            "/api/v0/probes/readiness" => Ok(ok()),
            "/api/v0/probes/cluster" => {
                self.has_local_quorum(&node.id).await?;
                Ok(ok())
            }
            "/api/v0/metadata/endpoints" => Ok(self.endpoints(node).await?),
            "/api/v1/ops/node/schema/versions" => Ok(self.schema_versions(node).await?),
            "/api/v0/ops/keyspace" => Ok(self.keyspaces(node, &query(call, "keyspaceName")).await?),
            "/api/v0/ops/keyspace/replication" => {
                let name = query(call, "keyspaceName");
                let known = self.cluster(node).await?.keyspaces.remove(&name);
                let known = known.ok_or(RingError::NoSuchKeyspace(name))?;
                Ok(Answer::json(&json!(known)))
            }
            _ => Ok(unknown(call)),
        }
    }

    async fn write(&self, node: &Node, call: &Call<'_>) -> Result<Answer, RingError> {
        match call.path {
            "/api/v0/ops/keyspace/create" => {
                let (name, over) = wish(&call.body)?;
                self.create_keyspace(node, &name, &over).await?;
            }
            "/api/v0/ops/keyspace/alter" => {
                let (name, over) = wish(&call.body)?;
                self.alter_keyspace(node, &name, &over).await?;
            }
            "/api/v0/ops/auth/role" => {
                let superuser = query(call, "is_superuser") == "true";
                let (user, password) = (query(call, "username"), query(call, "password"));
                self.role(&node.id, &user, &password, superuser).await?;
            }
            "/api/v0/ops/node/drain" => self.drain(&node.id).await?,
            "/api/v0/ops/seeds/reload" => {
                self.0.nodetool.ask(node.jmx, &["reloadseeds"]).await?;
            }
            _ => return Ok(unknown(call)),
        }
        Ok(ok())
    }

    /// What gossip tells this node, nodes that have left included, and whom it thinks alive.
    async fn endpoints(&self, node: &Node) -> Result<Answer, RealError> {
        let (rows, gossip) = tokio::try_join!(self.table(node), self.gossip(node))?;
        let alive = |address| rows.iter().any(|row: &Row| row.address == address && row.up);
        let entities: Vec<_> = gossip
            .into_iter()
            .map(|(address, states)| {
                let states = states.into_iter();
                let mut entity: Map<_, _> = states
                    .map(|(name, value)| (name, Value::from(self.0.addresses.as_pods_have_them(&value))))
                    .collect();
                let pod = self.0.addresses.of_pod(address).to_string();
                entity.insert("ENDPOINT_IP".into(), pod.into());
                entity.insert("IS_ALIVE".into(), alive(address).to_string().into());
                entity.insert("IS_LOCAL".into(), (address == node.address).to_string().into());
                entity.insert("CLUSTER_NAME".into(), node.cluster.clone().into());
                Value::Object(entity)
            })
            .collect();
        Ok(Answer::json(
            &json!({"entity": entities, "variant": null, "annotations": []}),
        ))
    }

    async fn schema_versions(&self, node: &Node) -> Result<Answer, RealError> {
        let versions = self.cluster(node).await?.schema.into_iter();
        let versions: Map<_, _> = versions
            .map(|(version, nodes)| {
                let pods = nodes
                    .into_iter()
                    .map(|node| self.0.addresses.of_pod(node).to_string());
                (version, Value::from(pods.collect::<Vec<_>>()))
            })
            .collect();
        Ok(Answer::json(&Value::Object(versions)))
    }

    async fn keyspaces(&self, node: &Node, wanted: &str) -> Result<Answer, RealError> {
        let names = self.cluster(node).await?.keyspaces.into_keys();
        let names: Vec<_> = names.filter(|name| wanted.is_empty() || name == wanted).collect();
        Ok(Answer::json(&names.into()))
    }
}

fn ok() -> Answer {
    Answer::text(StatusCode::OK, "OK".into())
}

fn unknown(call: &Call<'_>) -> Answer {
    Answer::text(StatusCode::NOT_FOUND, format!("{} {}", call.method, call.path))
}

/// What a call begins that takes its time.
fn kind(call: &Call<'_>) -> JobKind {
    match call.path.rsplit('/').next().unwrap_or_default() {
        "rebuild" => JobKind::Rebuild {
            source: query(call, "src_dc"),
        },
        "decommission" => JobKind::Decommission,
        other => JobKind::Other(other.to_owned()),
    }
}
