//! Keyspaces, as a user would make and alter them.

use anyhow::Context;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::World;

impl World {
    /// Makes a keyspace in the ring of a cluster, or alters its replication.
    ///
    /// # Errors
    /// The cluster has no node that is up, or it refuses.
    pub async fn keyspace(&self, cluster: &str, name: &str, factors: &[(&str, u32)]) -> anyhow::Result<()> {
        let state = self.ring_state().await?;
        let ring = state["rings"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|ring| ring["cluster"] == cluster);
        let ring = ring.with_context(|| format!("cluster {cluster} has no ring"))?;
        let nodes = ring["nodes"].as_array().into_iter().flatten();
        let address = nodes
            .filter(|node| node["state"] == "UN")
            .find_map(|node| node["address"].as_str());
        let address = address.context("no node is up")?;
        let act = if ring["keyspaces"].get(name).is_some() {
            "alter"
        } else {
            "create"
        };
        let setting = |(datacenter, factor): &(&str, u32)| json!({"dc_name": datacenter, "replication_factor": factor.to_string()});
        let body = json!({"keyspace_name": name, "replication_settings": factors.iter().map(setting).collect::<Vec<Value>>()});
        self.post(&format!("/api/v0/ops/keyspace/{act}"), address, &body.to_string())
            .await
    }

    pub(super) async fn post(&self, path: &str, pod: &str, body: &str) -> anyhow::Result<()> {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.0\r\nHost: {pod}:8080\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.exchange(path, &request).await.map(|_| ())
    }

    /// What the management API of a pod answers.
    ///
    /// # Errors
    /// It does not, or refuses.
    pub async fn ask(&self, path: &str, pod: &str) -> anyhow::Result<String> {
        let request = format!("GET {path} HTTP/1.0\r\nHost: {pod}:8080\r\n\r\n");
        self.exchange(path, &request).await
    }

    async fn exchange(&self, path: &str, request: &str) -> anyhow::Result<String> {
        let mut socket = TcpStream::connect(self.stand_in.admin()).await?;
        socket.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer.as_str(), ""));
        anyhow::ensure!(
            head.split(' ').nth(1).is_some_and(|code| code.starts_with('2')),
            "{path}: {answer}"
        );
        Ok(body.to_owned())
    }
}
