//! What k8ssandra-operator leaves beside datacenters for add-ons: it goes with the cluster, and with no other.

use anyhow::{Context, ensure};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::{NAME, PLACES};
use crate::eventually;
use crate::stories::clusters::SOON;
use crate::world::{DATABASES, World};

/// The plane that knows Reapers.
const REAPERS: &str = PLACES[0].1;

/// One of each kind in both planes, but Reapers in one alone, and the same of another cluster.
pub(super) async fn install(world: &World) -> anyhow::Result<()> {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "reapers.reaper.k8ssandra.io"},
        "spec": {
            "group": "reaper.k8ssandra.io", "scope": "Namespaced",
            "names": {"kind": "Reaper", "listKind": "ReaperList", "plural": "reapers", "singular": "reaper"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    world.apply_in(REAPERS, &definition.to_string()).await?;
    for (_, plane) in PLACES {
        for object in objects(plane) {
            let what = format!("{} {} is made", object["kind"], object["metadata"]["name"]);
            let made = eventually(&what, SOON, || async {
                Ok(world.apply_in(plane, &object.to_string()).await.ok())
            });
            made.await?;
        }
    }
    Ok(())
}

fn objects(plane: &str) -> Vec<Value> {
    let of = |cluster: &str| {
        let pod = json!({
            "metadata": {"labels": {"app": cluster}},
            "spec": {"containers": [{"name": "medusa", "image": "medusa:1"}], "restartPolicy": "Never"},
        });
        let mut served = pod.clone();
        served["spec"]["restartPolicy"] = json!("Always");
        let selector = json!({"app": cluster});
        let mut all = vec![
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {
                "replicas": 0, "selector": {"matchLabels": selector}, "template": served,
            }}),
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {
                "schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": pod}},
            }}),
            json!({"apiVersion": "v1", "kind": "Service", "spec": {
                "selector": selector, "ports": [{"port": 50051}], "clusterIP": "None",
            }}),
        ];
        if plane == REAPERS {
            all.push(json!({"apiVersion": "reaper.k8ssandra.io/v1alpha1", "kind": "Reaper", "spec": {}}));
        }
        for object in &mut all {
            object["metadata"] = json!({"name": format!("{cluster}-left"), "namespace": DATABASES, "labels": {
                "k8ssandra.io/cleaned-up-by": "k8ssandracluster-controller",
                "k8ssandra.io/cluster-name": cluster, "k8ssandra.io/cluster-namespace": DATABASES,
            }});
        }
        all
    };
    [of(NAME), of("another")].concat()
}

/// Those of the deleted cluster, and no others.
pub(super) async fn are_gone(world: &World) -> anyhow::Result<()> {
    for (_, plane) in PLACES {
        let client = world.planes.get(plane).context("no such plane")?.client();
        for object in objects(plane) {
            let left = api(&client, &object)
                .get_opt(object["metadata"]["name"].as_str().unwrap_or_default())
                .await?
                .filter(|it| it.metadata.deletion_timestamp.is_none());
            let goes = object["metadata"]["labels"]["k8ssandra.io/cluster-name"] == NAME;
            ensure!(left.is_some() != goes, "{} in {plane}: {left:?}", object["kind"]);
        }
    }
    Ok(())
}

fn api(client: &Client, object: &Value) -> Api<DynamicObject> {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", "v1"));
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("kind")));
    Api::namespaced_with(client.clone(), DATABASES, &kind)
}
