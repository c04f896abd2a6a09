//! A live installation of k8ssandra-operator is taken over, changed, and could be given back.
//!
//! * `addons`: what goes with the cluster in the end
//! * `upstream`: the installation, as k8ssandra-operator would leave it; `plugin`: the shipped plugin; `back`: what
//!   k8ssandra-operator would do if it were started again

mod addons;
mod back;
mod plugin;
mod upstream;

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};

use super::clusters::{SOON, cluster, dc, delete, mark, patch, ring_is, writes_since};
use crate::world::World;

const NAME: &str = "take";

/// Where each datacenter is.
const PLACES: [(&str, &str); 2] = [("dc1", "east"), ("dc2", "west")];

pub(super) async fn there_and_back(world: &mut World) -> anyhow::Result<()> {
    for program in world.programs.values_mut() {
        program.kill();
    }
    let mut dc2 = dc("dc2", "west", 1);
    dc2["perNodeConfigMapRef"] = json!({"name": upstream::NODES});
    let kc = cluster(NAME, &[dc("dc1", "east", 1), dc2]);
    upstream::install(world, &kc).await?;
    let before = datacenters(world).await?;
    let told = &before[1]["spec"]["podTemplateSpec"]["metadata"]["annotations"][upstream::NODES_HASH];
    ensure!(told == "hash-of-the-nodes", "{told}");
    ring_is(world, NAME, &[("dc1", 1), ("dc2", 1)]).await?;
    if has_webhooks(world).await? {
        upstream_is_checked_and_leaves(world).await?;
    }
    taken_over(world, &before).await?;
    changed_as_planned(world, &kc).await?;
    for program in world.programs.values_mut() {
        program.kill();
    }
    back::would_hold(world, NAME, &before).await?;
    restarted(world).await?;
    addons::install(world).await?;
    delete(world, NAME).await?;
    addons::are_gone(world).await
}

async fn restarted(world: &mut World) -> anyhow::Result<()> {
    world.restart_programs().await
}

/// Both datacenters, whole.
async fn datacenters(world: &World) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for (name, plane) in PLACES {
        all.push(serde_json::to_value(world.datacenters(plane)?.get(name).await?)?);
    }
    Ok(all)
}

/// API servers in memory have none.
async fn has_webhooks(world: &World) -> anyhow::Result<bool> {
    let client = world.planes.control.client();
    let api = Api::<ValidatingWebhookConfiguration>::all(client);
    match api.list(&ListParams::default()).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// While k8ssandra-operator runs the plugin says no; when it is gone its webhook refuses every edit, and the plugin
/// removes that entry.
async fn upstream_is_checked_and_leaves(world: &World) -> anyhow::Result<()> {
    upstream::runs(world).await?;
    let (code, said) = plugin::run(world, &["takeover"]).await?;
    ensure!(code == 1, "{code}: {said}");
    ensure!(
        said.contains("runs k8ssandra-operator as control plane"),
        "{said}"
    );
    ensure!(
        said.contains("2 datacenters are recognised as its own, and none of them would be written"),
        "{said}"
    );
    ensure!(said.trim_end().ends_with("not ready: 2 things"), "{said}");
    upstream::leaves(world).await?;
    let touch = json!({"metadata": {"annotations": {"touched": "yes"}}});
    ensure!(
        patch(world, NAME, &touch).await.is_err(),
        "the webhook that nobody serves does not refuse"
    );
    let (code, said) = plugin::run(world, &["takeover", "--remove-webhook"]).await?;
    ensure!(code == 0 && said.trim_end().ends_with("ready"), "{code}: {said}");
    upstream::other_webhook_is_there(world).await?;
    let (code, said) = plugin::run(world, &["takeover"]).await?;
    ensure!(code == 0, "{code}: {said}");
    patch(world, NAME, &touch).await
}

/// Our programs start, say Ready, and have written to no datacenter.
async fn taken_over(world: &mut World, before: &[Value]) -> anyhow::Result<()> {
    let marked = mark(world)?;
    restarted(world).await?;
    // What upstream left says Ready of nothing: the condition is ours.
    world.ready(NAME, SOON).await?;
    let after = datacenters(world).await?;
    for (before, after) in before.iter().zip(&after) {
        let name = &before["metadata"]["name"];
        for part in ["generation", "labels", "annotations", "finalizers"] {
            ensure!(
                before["metadata"][part] == after["metadata"][part],
                "{part} of {name} was changed: {} -> {}",
                before["metadata"][part],
                after["metadata"][part]
            );
        }
        ensure!(before["spec"] == after["spec"], "the spec of {name} was changed");
        let managers = after["metadata"]["managedFields"].to_string();
        ensure!(!managers.contains("ringspan"), "{name}: {managers}");
    }
    let writes = writes_since(world, marked)?;
    let touched: Vec<_> = writes
        .iter()
        .filter(|it| it.resource == "cassandradatacenters")
        .collect();
    ensure!(touched.is_empty(), "{touched:?}");
    ring_is(world, NAME, &[("dc1", 1), ("dc2", 1)]).await
}

/// A new size: what the plugin says beforehand is what is written.
async fn changed_as_planned(world: &World, kc: &Value) -> anyhow::Result<()> {
    let mut wanted = kc.clone();
    wanted["spec"]["cassandra"]["datacenters"][1]["size"] = json!(2);
    let file = world.folder().join("wanted.json");
    std::fs::write(&file, wanted.to_string())?;
    let path = file.to_str().context("a path that is no text")?;
    let (code, said) = plugin::run(world, &["plan", "-f", path]).await?;
    ensure!(code == 0, "{code}: {said}");
    ensure!(said.contains("spec.size: 1 -> 2 (stream)"), "{said}");
    let planned = plugin::objects_of(&said, NAME)?;
    let marked = mark(world)?;
    world.apply(&wanted.to_string()).await?;
    world.ready(NAME, SOON).await?;
    ring_is(world, NAME, &[("dc1", 1), ("dc2", 2)]).await?;
    let writes = writes_since(world, marked)?;
    let written: BTreeSet<(String, String)> = writes
        .iter()
        .filter(|it| it.program() == "cluster-reconciler" && it.subresource.is_empty())
        .map(|it| (it.resource.clone(), it.name.clone()))
        .collect();
    ensure!(
        written == planned,
        "planned were {planned:?}, written were {written:?}; the plan: {said}"
    );
    plugin::has_only_looked(world)
}
