//! What real nodes say of their ring, each by itself, and what they take.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{DATABASES, World};

/// How one node sees its ring.
#[derive(Clone, Debug)]
pub struct NodeView {
    /// Plane and pod.
    pub node: String,
    /// Cassandra's name of its datacenter.
    pub datacenter: String,
    /// The pod's address.
    pub address: String,
    /// What its `nodetool status` prints.
    pub status: String,
}

/// What all processes of Cassandra take, in MiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// How many processes.
    pub nodes: usize,
    /// Proportional set sizes: what several share counts once.
    pub pss: u64,
    /// Resident set sizes.
    pub rss: u64,
}

/// One call of nodetool starts a Java; a loaded machine takes its time.
const NODETOOL: Duration = Duration::from_mins(1);

impl World {
    /// What every node of a cluster's ring that is up says of a keyspace: one after the other, to load nobody.
    ///
    /// # Errors
    /// The stand-in, or a node, does not answer.
    pub async fn node_views(&self, cluster: &str, keyspace: &str) -> anyhow::Result<Vec<NodeView>> {
        let state = self.ring_state().await?;
        let mut views = Vec::new();
        for node in members(&state, cluster) {
            let text = |field: &str| node[field].as_str().unwrap_or_default();
            let (plane, namespace, pod) = (text("plane"), text("namespace"), text("pod"));
            let path = format!("/nodetool?plane={plane}&namespace={namespace}&pod={pod}&keyspace={keyspace}");
            let asked = tokio::time::timeout(NODETOOL, self.stand_in.get(&path)).await;
            let (code, status) =
                asked.with_context(|| format!("nodetool status of {pod} takes too long"))??;
            ensure!(code == 200, "nodetool status of {pod}: {status}");
            views.push(NodeView {
                node: format!("{plane}-{pod}"),
                datacenter: text("datacenter").to_owned(),
                address: text("address").to_owned(),
                status,
            });
        }
        Ok(views)
    }

    /// The view of one node of each datacenter.
    ///
    /// # Errors
    /// As [`World::node_views`].
    pub async fn datacenter_views(&self, cluster: &str, keyspace: &str) -> anyhow::Result<Vec<NodeView>> {
        let mut views = self.node_views(cluster, keyspace).await?;
        views.sort_by(|one, other| one.datacenter.cmp(&other.datacenter));
        views.dedup_by(|one, other| one.datacenter == other.datacenter);
        Ok(views)
    }

    /// Does something to one real node: a word of the stand-in's `/node`.
    ///
    /// # Errors
    /// The stand-in does not know the word, or the node refuses.
    pub async fn do_to_node(&self, plane: &str, pod: &str, what: &str) -> anyhow::Result<()> {
        let path = format!("/node?plane={plane}&namespace={DATABASES}&pod={pod}&do={what}");
        self.post(&path, "localhost", "").await
    }

    /// The process id of a real node, while it has a process.
    ///
    /// # Errors
    /// The stand-in does not answer.
    pub async fn process(&self, plane: &str, pod: &str) -> anyhow::Result<Option<u64>> {
        let state = self.ring_state().await?;
        let node = format!("{plane}/{DATABASES}/{pod}");
        let mut processes = state["processes"].as_array().into_iter().flatten();
        let process = processes.find(|process| process["node"] == node.as_str());
        Ok(process.and_then(|process| process["pid"].as_u64()))
    }

    /// What the processes of Cassandra take now.
    ///
    /// # Errors
    /// The stand-in does not answer.
    pub async fn memory(&self) -> anyhow::Result<Memory> {
        let state = self.ring_state().await?;
        let sum = |field: &str| state["memory"][field].as_u64().unwrap_or_default() / 1024;
        let running = state["processes"].as_array().into_iter().flatten();
        Ok(Memory {
            nodes: running.filter(|process| process["pid"].is_u64()).count(),
            pss: sum("pssKiB"),
            rss: sum("rssKiB"),
        })
    }

    /// Takes the power of a plane's machines away, or gives it back: nodes, operator and kubelet, but not the API server.
    ///
    /// # Errors
    /// The nodes are modelled: the stand-in does not do that to them.
    pub async fn power(&self, plane: &str, on: bool) -> anyhow::Result<()> {
        let wish = serde_json::json!({"plane": plane, "on": on});
        self.post("/power", "127.0.0.1", &wish.to_string()).await
    }

    /// What the shipped `kubectl ringspan ring verify` says of these views, each of `nodetool status system_auth`, and the
    /// code that it ends with. `manifest` is the K8ssandraCluster.
    ///
    /// # Errors
    /// It cannot be run.
    pub async fn verdict(&self, manifest: &str, views: &[NodeView]) -> anyhow::Result<(i32, String)> {
        let folder = self.folder().join("ring-verify");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("cluster.yaml"), manifest)?;
        let mut command = Command::new(&self.setup().programs.kubectl_ringspan);
        command
            .current_dir(&folder)
            .args(["ring", "verify", "-f", "cluster.yaml"]);
        for view in views {
            let name = format!("{}.txt", view.node);
            std::fs::write(folder.join(&name), &view.status)?;
            command.args(["--system-auth", &name]);
        }
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let text = [output.stdout, output.stderr].concat();
        let code = output.status.code().context("ring verify was killed")?;
        Ok((code, String::from_utf8_lossy(&text).into_owned()))
    }

    /// The schema versions that a node sees: by version the nodes that have it.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn schema_versions(&self, view: &NodeView) -> anyhow::Result<Value> {
        let answer = self
            .ask("/api/v1/ops/node/schema/versions", &view.address)
            .await?;
        serde_json::from_str(&answer).with_context(|| format!("schema versions of {}: {answer}", view.node))
    }
}

/// The nodes of a cluster's ring that are up.
fn members<'a>(state: &'a Value, cluster: &'a str) -> impl Iterator<Item = &'a Value> {
    let rings = state["rings"].as_array().into_iter().flatten();
    let rings = rings.filter(move |ring| ring["cluster"] == cluster);
    let nodes = rings.flat_map(|ring| ring["nodes"].as_array().into_iter().flatten());
    nodes.filter(|node| {
        node["pod"].is_string() && node["state"].as_str().is_some_and(|it| it.starts_with('U'))
    })
}
