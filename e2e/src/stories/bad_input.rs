//! What users get wrong: a condition with a reason of its own and the way out, and everybody else goes on.

use anyhow::ensure;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::clusters::{
    SOON, TOLD, client_config_says, client_configs, cluster, dc, delete, make, mark, no_datacenter, patch,
    ring_is, writes_since,
};
use crate::world::{DATABASES, NAMESPACE, World};

/// A good cluster is made beside the bad one and deleted with it.
async fn others_go_on(world: &World) -> anyhow::Result<()> {
    make(world, &cluster("good", &[dc("fine", "west", 1)])).await?;
    delete(world, "good").await
}

pub(super) async fn no_cassandra(world: &mut World) -> anyhow::Result<()> {
    let mut bad = cluster("bare", &[]);
    bad["spec"] = json!({"auth": true});
    world.apply(&bad.to_string()).await?;
    let message = world
        .says("bare", "Accepted", "False", "CassandraMissing", TOLD)
        .await?;
    ensure!(message.contains("spec.cassandra"), "{message}");
    others_go_on(world).await?;
    delete(world, "bare").await
}

pub(super) async fn unknown_context(world: &mut World) -> anyhow::Result<()> {
    world
        .apply(&cluster("lost", &[dc("dc1", "nowhere", 1)]).to_string())
        .await?;
    let message = world
        .says("lost", "FoundingHeld", "True", "UnknownContext", TOLD)
        .await?;
    ensure!(
        message.contains("nowhere") && message.contains("ClientConfig"),
        "{message}"
    );
    others_go_on(world).await?;
    // The way out: another context.
    patch(
        world,
        "lost",
        &json!({"spec": {"cassandra": {"datacenters": [dc("dc1", "east", 1)]}}}),
    )
    .await?;
    world.ready("lost", SOON).await?;
    delete(world, "lost").await
}

/// A kubeconfig with one thing changed.
fn kubeconfig(user: &Value, cluster: &Value) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bad",
        "clusters": [{"name": "bad", "cluster": cluster}],
        "users": [{"name": "bad", "user": user}],
        "contexts": [{"name": "bad", "context": {"cluster": "bad", "user": "bad"}}],
    })
    .to_string()
}

pub(super) async fn client_configs_are_refused(world: &World) -> anyhow::Result<()> {
    let token = json!({"token": "t0k3n-that-must-not-be-shown"});
    let server = json!({"server": "https://127.0.0.1:1"});
    let exec = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch"}});
    let path = json!({"server": "https://127.0.0.1:1", "certificate-authority": "/etc/passwd"});
    let plain = json!({"server": "http://127.0.0.1:1"});
    let cases = [
        ("exec", kubeconfig(&exec, &server), "ExecRefused"),
        ("path", kubeconfig(&token, &path), "FilePathRefused"),
        ("plain", kubeconfig(&token, &plain), "PlainHttpRefused"),
        (
            "garbage",
            "]: t0k3n-that-must-not-be-shown".to_owned(),
            "KubeconfigUnreadable",
        ),
    ];
    for (name, text, reason) in cases {
        refused(world, name, Some(json!({"kubeconfig": text})), reason).await?;
    }
    refused(
        world,
        "nokey",
        Some(json!({"other": "x"})),
        "KubeconfigKeyMissing",
    )
    .await?;
    refused(world, "nosecret", None, "SecretMissing").await
}

async fn refused(world: &World, name: &str, data: Option<Value>, reason: &str) -> anyhow::Result<()> {
    if let Some(data) = data {
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": format!("bad-{name}"), "namespace": NAMESPACE},
            "stringData": data,
        });
        world.apply(&secret.to_string()).await?;
    }
    let config = json!({
        "apiVersion": "config.k8ssandra.io/v1beta1",
        "kind": "ClientConfig",
        "metadata": {"name": format!("bad-{name}"), "namespace": NAMESPACE},
        "spec": {"contextName": "bad", "kubeConfigSecret": {"name": format!("bad-{name}")}},
    });
    world.apply(&config.to_string()).await?;
    let message = client_config_says(world, &format!("bad-{name}"), "False", reason).await?;
    ensure!(
        message.contains(&format!("bad-{name}")),
        "the object is not named: {message}"
    );
    ensure!(!message.contains("t0k3n"), "a secret is shown: {message}");
    client_configs(world)
        .delete(&format!("bad-{name}"), &DeleteParams::default())
        .await?;
    let secrets = Api::<Secret>::namespaced(world.planes.control.client(), NAMESPACE);
    let _ = secrets
        .delete(&format!("bad-{name}"), &DeleteParams::default())
        .await;
    Ok(())
}

pub(super) async fn client_configs_story(world: &mut World) -> anyhow::Result<()> {
    client_configs_are_refused(world).await?;
    for program in world.programs.values() {
        ensure!(
            !program.logs()?.contains("t0k3n"),
            "{} logs a secret",
            program.name()
        );
    }
    others_go_on(world).await
}

pub(super) async fn no_cass_operator(world: &mut World) -> anyhow::Result<()> {
    let north = &world.planes.data[2];
    let crds = Api::<CustomResourceDefinition>::all(north.client());
    let name = "cassandradatacenters.cassandra.datastax.com";
    let mut crd = crds.get(name).await?;
    crds.delete(name, &DeleteParams::default()).await?;
    super::clusters::gone(&crds, name, SOON).await?;
    world
        .apply(&cluster("early", &[dc("dc1", "north", 1)]).to_string())
        .await?;
    let message = world
        .says("early", "FoundingHeld", "True", "CassOperatorMissing", TOLD)
        .await?;
    ensure!(message.contains("north"), "{message}");
    client_config_says(world, "north", "False", "CassOperatorMissing").await?;
    others_go_on(world).await?;
    crd.metadata = kube::api::ObjectMeta {
        name: Some(crd.name_any()),
        ..Default::default()
    };
    crd.status = None;
    crds.create(&PostParams::default(), &crd).await?;
    world.ready("early", SOON).await?;
    delete(world, "early").await
}

pub(super) async fn foreign_datacenter(world: &mut World) -> anyhow::Result<()> {
    let foreign = json!({
        "apiVersion": "cassandra.datastax.com/v1beta1",
        "kind": "CassandraDatacenter",
        "metadata": {"name": "taken", "namespace": DATABASES},
        "spec": {
            "clusterName": "somebody-elses", "serverType": "cassandra", "serverVersion": "4.1.5", "size": 1,
            "storageConfig": {"cassandraDataVolumeClaimSpec": {"storageClassName": "standard", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
        },
    });
    world.apply_in("east", &foreign.to_string()).await?;
    let there = world.datacenters("east")?;
    crate::eventually("the foreign datacenter is ready", SOON, || async {
        Ok(there.get("taken").await?.is_ready().then_some(()))
    })
    .await?;
    let before = mark(world)?;
    world
        .apply(&cluster("taker", &[dc("taken", "east", 1), dc("free", "west", 1)]).to_string())
        .await?;
    let message = world
        .says("taker", "FoundingHeld", "True", "NotOwned", TOLD)
        .await?;
    ensure!(message.contains("taken"), "{message}");
    others_go_on(world).await?;
    delete(world, "taker").await?;
    // Its cass-operator goes on writing it; the programs must not even try.
    let tried = writes_since(world, before)?;
    let touched: Vec<_> = tried.iter().filter(|entry| entry.name == "taken").collect();
    ensure!(
        touched.is_empty(),
        "the foreign datacenter was touched: {touched:?}"
    );
    there.delete("taken", &DeleteParams::default()).await?;
    super::clusters::gone(&there, "taken", SOON).await
}

pub(super) async fn superuser_secret(world: &mut World) -> anyhow::Result<()> {
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "mine", "namespace": DATABASES},
        "stringData": {"username": "admin"},
    });
    world.apply(&secret.to_string()).await?;
    let mut bad = cluster("keys", &[dc("dc1", "east", 1)]);
    bad["spec"]["cassandra"]["superuserSecretRef"] = json!({"name": "mine"});
    world.apply(&bad.to_string()).await?;
    let message = world
        .says("keys", "Ready", "False", "SuperuserSecretIncomplete", TOLD)
        .await?;
    ensure!(
        message.contains("password") && message.contains("mine"),
        "{message}"
    );
    no_datacenter(world, "east", "dc1").await?;
    others_go_on(world).await?;
    // The way out.
    let secrets = Api::<Secret>::namespaced(world.planes.control.client(), DATABASES);
    let whole = json!({"stringData": {"password": "s3cr3t-of-the-user"}});
    secrets
        .patch("mine", &PatchParams::default(), &Patch::Merge(&whole))
        .await?;
    world.ready("keys", SOON).await?;
    ring_is(world, "keys", &[("dc1", 1)]).await?;
    delete(world, "keys").await?;
    // It is the user's: it stays.
    ensure!(
        secrets.get_opt("mine").await?.is_some(),
        "the user's Secret is gone"
    );
    for program in world.programs.values() {
        ensure!(
            !program.logs()?.contains("s3cr3t"),
            "{} logs a secret",
            program.name()
        );
    }
    secrets.delete("mine", &DeleteParams::default()).await?;
    Ok(())
}
