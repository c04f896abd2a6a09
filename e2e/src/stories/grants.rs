//! Planes that their owners let only some namespaces use.

use anyhow::ensure;
use api::names::annotation;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::clusters::{
    SOON, TOLD, client_configs, cluster, dc, delete, make, mark, ring_is, set_datacenters, writes_since,
};
use crate::world::{DATABASES, World};

const NAME: &str = "granted";

/// A ring in east wants to grow into west, which is not granted to its namespace, then is, then is not any more.
pub(super) async fn grants(world: &mut World) -> anyhow::Result<()> {
    allow(world, "west", &json!("{}")).await?;
    make(world, &cluster(NAME, &[dc("dc1", "east", 1)])).await?;
    let from = mark(world)?;
    let both = [dc("dc1", "east", 1), dc("dc2", "west", 1)];
    set_datacenters(world, NAME, &both).await?;
    let message = world.says(NAME, "Accepted", "False", "NotGranted", TOLD).await?;
    for word in ["datacenters[1].k8sContext", "west", DATABASES, annotation::GRANTS] {
        ensure!(message.contains(word), "{word} is not named: {message}");
    }
    let elsewhere = json!({"others": ["*"], DATABASES: ["another"]}).to_string();
    allow(world, "west", &json!(elsewhere)).await?;
    world
        .says(NAME, "Accepted", "False", "NamespaceNotAllowed", TOLD)
        .await?;
    ensure!(
        left_in(world, "west").await?.is_empty(),
        "something was put into west"
    );
    let crossed = writes_since(world, from)?;
    let crossed: Vec<_> = crossed.iter().filter(|entry| entry.plane == "west").collect();
    ensure!(crossed.is_empty(), "written in west: {crossed:?}");

    // Granted, it goes on by itself.
    let granted = json!({DATABASES: [DATABASES]}).to_string();
    allow(world, "west", &json!(granted)).await?;
    world.ready(NAME, SOON).await?;
    ring_is(world, NAME, &[("dc1", 1), ("dc2", 1)]).await?;

    // Taken back, what runs goes on, and a removal is let through.
    allow(world, "west", &json!("{}")).await?;
    world.says(NAME, "Accepted", "False", "NotGranted", TOLD).await?;
    ring_is(world, NAME, &[("dc1", 1), ("dc2", 1)]).await?;
    let left = left_in(world, "west").await?;
    ensure!(!left.is_empty(), "seeds and copies were taken out of west");
    set_datacenters(world, NAME, &[dc("dc1", "east", 1)]).await?;
    world.ready(NAME, SOON).await?;
    ring_is(world, NAME, &[("dc1", 1)]).await?;
    delete(world, NAME).await?;
    allow(world, "west", &Value::Null).await
}

/// Says in the plane's ClientConfig whom it lets in; null takes the word back.
async fn allow(world: &World, plane: &str, grants: &Value) -> anyhow::Result<()> {
    let patch = json!({"metadata": {"annotations": {annotation::GRANTS: grants}}});
    client_configs(world)
        .patch(plane, &PatchParams::default(), &Patch::Merge(&patch))
        .await?;
    Ok(())
}

/// Names of the slices and Secrets of this cluster in a plane.
async fn left_in(world: &World, plane: &str) -> anyhow::Result<Vec<String>> {
    let plane = world.planes.get(plane);
    let client = anyhow::Context::context(plane, "no such plane")?.client();
    let slices = Api::<EndpointSlice>::namespaced(client.clone(), DATABASES);
    let secrets = Api::<Secret>::namespaced(client, DATABASES);
    let mut names = Vec::new();
    for slice in slices.list(&ListParams::default()).await? {
        names.push(slice.name_any());
    }
    for secret in secrets.list(&ListParams::default()).await? {
        names.push(secret.name_any());
    }
    names.retain(|name| name.starts_with(NAME));
    Ok(names)
}
