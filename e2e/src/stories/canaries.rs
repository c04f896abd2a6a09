//! Secrets stay secret: what is in them is looked for in everything that the programs say.

use anyhow::ensure;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::{DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, ResourceExt};
use serde_json::json;

use super::clusters::{cluster, dc, delete, make};
use crate::world::{DATABASES, World};

const CANARY: &str = "c4n4ry-0f-th3-us3r-7f3a9e51";

/// Kinds that the programs write words into.
const KINDS: [(&str, &str, &str); 5] = [
    ("k8ssandra.io", "v1alpha1", "K8ssandraCluster"),
    ("config.k8ssandra.io", "v1beta1", "ClientConfig"),
    ("replication.k8ssandra.io", "v1alpha1", "ReplicatedSecret"),
    ("cassandra.datastax.com", "v1beta1", "CassandraDatacenter"),
    ("", "v1", "ConfigMap"),
];

pub(super) async fn stay_secret(world: &mut World) -> anyhow::Result<()> {
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "canary", "namespace": DATABASES},
        "stringData": {"username": "somebody", "password": CANARY},
    });
    world.apply(&secret.to_string()).await?;
    let mut spec = cluster("quiet", &[dc("dc1", "east", 1), dc("dc2", "west", 1)]);
    spec["spec"]["cassandra"]["superuserSecretRef"] = json!({"name": "canary"});
    make(world, &spec).await?;
    make(world, &cluster("made", &[dc("dc3", "north", 1)])).await?;

    let canaries = canaries(world).await?;
    ensure!(canaries.len() > 10, "only {} canaries were found", canaries.len());
    for (place, text) in said(world).await? {
        let shown = canaries.iter().find(|(_, canary)| text.contains(canary.as_str()));
        ensure!(
            shown.is_none(),
            "{place} shows {}",
            shown.map(|(what, _)| what.as_str()).unwrap_or_default()
        );
    }
    delete(world, "made").await?;
    delete(world, "quiet").await?;
    let secrets = Api::<Secret>::namespaced(world.planes.control.client(), DATABASES);
    secrets
        .delete("canary", &kube::api::DeleteParams::default())
        .await?;
    Ok(())
}

/// Every value of every Secret of the control plane, and the tokens inside, in the forms in which they could leak.
async fn canaries(world: &World) -> anyhow::Result<Vec<(String, String)>> {
    let secrets = Api::<Secret>::all(world.planes.control.client())
        .list(&ListParams::default())
        .await?;
    let mut canaries = Vec::new();
    for secret in secrets {
        for (key, value) in secret.data.iter().flatten().filter(|(key, _)| *key != "username") {
            let text = String::from_utf8_lossy(&value.0).into_owned();
            // What a kubeconfig holds leaks alone.
            let parts = text
                .split_whitespace()
                .map(|part| part.trim_matches('"'))
                .filter(|part| part.len() > 100);
            let mut parts: Vec<&str> = parts.collect();
            if key == "password" {
                parts.push(&text);
            }
            for part in parts {
                let what = format!("Secret {} key {key}", secret.name_any());
                let hex = part
                    .bytes()
                    .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
                let forms = [
                    part.to_owned(),
                    STANDARD.encode(part),
                    URL_SAFE_NO_PAD.encode(part),
                    hex,
                ];
                canaries.extend(forms.into_iter().map(|form| (what.clone(), form)));
            }
        }
    }
    Ok(canaries)
}

/// Everything that the programs have said: logs, metrics, events, and every object that they write words into.
async fn said(world: &World) -> anyhow::Result<Vec<(String, String)>> {
    let mut said = Vec::new();
    for (name, program) in &world.programs {
        said.push((format!("the log of {name}"), program.logs()?));
        said.push((format!("the metrics of {name}"), program.get("/metrics").await?.1));
    }
    for plane in world.planes.all() {
        let events = Api::<Event>::all(plane.client())
            .list(&ListParams::default())
            .await?;
        said.push((
            format!("an event in {}", plane.name()),
            serde_json::to_string(&events.items)?,
        ));
        for (group, version, kind) in KINDS {
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
            let objects = Api::<DynamicObject>::all_with(plane.client(), &resource);
            // Data planes have no kinds of ours.
            if let Ok(list) = objects.list(&ListParams::default()).await {
                said.push((
                    format!("a {kind} in {}", plane.name()),
                    serde_json::to_string(&list.items)?,
                ));
            }
        }
    }
    Ok(said)
}
