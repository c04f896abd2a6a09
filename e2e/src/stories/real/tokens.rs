//! Tokens that nodes begin with.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use scylla::statement::Consistency;
use serde_json::{Value, json};

use crate::world::{DATABASES, Login, NodeView, World};

/// With so few, they are dealt out by name of the pod.
const TOKENS: usize = 4;

/// The cluster with few tokens for each node.
pub(super) fn few(mut spec: Value) -> Value {
    spec["spec"]["cassandra"]["config"] = json!({"cassandraYaml": {"num_tokens": TOKENS}});
    spec
}

/// That each node has the tokens that the ConfigMap of its datacenter has for its pod.
pub(super) async fn are_as_dealt(
    world: &World,
    cluster: &str,
    views: &[NodeView],
    login: &Login,
) -> anyhow::Result<()> {
    for view in views {
        let (plane, pod) = view.node.split_once('-').context("plane and pod")?;
        let client = world.planes.get(plane).context("no such plane")?.client();
        let name = format!("{cluster}-{}-per-node-config", view.datacenter);
        let map = Api::<ConfigMap>::namespaced(client, DATABASES).get(&name).await?;
        let part = map
            .data
            .and_then(|mut data| data.remove(&format!("{pod}_cassandra.yaml")));
        let part = part.with_context(|| format!("{name} has nothing for {pod}"))?;
        let dealt = part.trim().strip_prefix("initial_token:").context(part.clone())?;
        let dealt: BTreeSet<String> = dealt.split(',').map(|token| token.trim().to_owned()).collect();
        let node = world.log_in(view, login).await?;
        let own = node
            .texts(Consistency::One, "SELECT tokens FROM system.local")
            .await?;
        let own: BTreeSet<String> = own.into_iter().collect();
        ensure!(
            dealt == own && own.len() == TOKENS,
            "{pod} was dealt {dealt:?} and has {own:?}"
        );
    }
    Ok(())
}
