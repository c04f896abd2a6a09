//! What `plan` says of live clusters, and that it only looks.

#![expect(clippy::expect_used, reason = "what cannot be set up must stop the test")]

mod login;
mod takeover;
mod world;

use std::path::PathBuf;

use clap::Parser;
use kubectl_ringspan::{Refused, foretell};
use serde_json::{Value, json};
use tempfile::TempDir;
use world::{DATABASES, World};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    plan: foretell::Args,
}

fn two() -> Value {
    json!({
        "apiVersion": "k8ssandra.io/v1alpha1", "kind": "K8ssandraCluster",
        "metadata": {"name": "demo", "namespace": DATABASES},
        "spec": {"cassandra": {
            "serverVersion": "4.1.5",
            "storageConfig": {"cassandraDataVolumeClaimSpec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}},
            }},
            "datacenters": [
                {"metadata": {"name": "dc1"}, "k8sContext": "east", "size": 3},
                {"metadata": {"name": "dc2"}, "k8sContext": "west", "size": 3},
            ],
        }},
    })
}

fn file(cluster: &Value) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kc.json");
    std::fs::write(&file, cluster.to_string()).expect("a file");
    (folder, file)
}

async fn plan(world: &World, words: &[&str]) -> anyhow::Result<String> {
    let words = std::iter::once("plan").chain(words.iter().copied());
    let args = Line::parse_from(words).plan;
    let before = world.everything();
    let said = foretell::against(&args, &world.live().await).await;
    assert_eq!(world.verbs(), ["get", "list"], "nothing else was asked");
    assert!(before == world.everything(), "nothing was written");
    said
}

async fn plan_of(world: &World, cluster: &Value) -> anyhow::Result<String> {
    let (_folder, file) = file(cluster);
    plan(world, &["-f", file.to_str().expect("a path")]).await
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_only_a_file_is_planned_on_empty_planes() {
    let world = World::new();
    let said = plan_of(&world, &two()).await.expect("a plan");
    let east = said.find("Create CassandraDatacenter db/dc1 in plane east");
    let west = said.find("Create CassandraDatacenter db/dc2 in plane west");
    assert!(east.is_some() && east < west, "{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_plane_that_is_down_is_unknown_and_not_empty() {
    let mut world = World::new();
    world.down = Some("west");
    let said = plan_of(&world, &two()).await.expect("a plan");
    assert!(said.contains("Not known: plane west: "), "{said}");
    assert!(said.contains("PlaneUnreachable"), "{said}");
    assert!(!said.contains("Create CassandraDatacenter"), "{said}");
    assert!(
        said.contains("the ring is not founded before plane west answers"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_context_that_nobody_gives_is_named() {
    let world = World::new();
    let mut kc = two();
    kc["spec"]["cassandra"]["datacenters"][1]["k8sContext"] = json!("north");
    let said = plan_of(&world, &kc).await.expect("a plan");
    assert!(said.contains("No ClientConfig has the context name"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_is_there_needs_nothing_but_its_record() {
    let world = World::new();
    world.has(&two(), |_| {});
    for words in [&["demo"][..], &[]] {
        let said = plan(&world, words).await.expect("a plan");
        assert!(said.contains("K8ssandraCluster db/demo"), "{said}");
        assert!(said.contains("Write the record"), "{said}");
        for word in ["Create", "Change", "Delete", "Not known", "Held", "canary"] {
            assert!(!said.contains(word), "{word}: {said}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_is_planned_against_what_is_there() {
    let world = World::new();
    world.has(&two(), |_| {});
    let mut edited = two();
    edited["spec"]["cassandra"]["datacenters"][1]["size"] = json!(4);
    let said = plan_of(&world, &edited).await.expect("a plan");
    assert!(
        said.contains("Change CassandraDatacenter db/dc2 in plane west"),
        "{said}"
    );
    assert!(said.contains("spec.size: 3 -> 4 (stream)"), "{said}");
    assert!(!said.contains("Change CassandraDatacenter db/dc1"), "{said}");
    assert!(said.contains("Effect on nodes that run: stream"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_only_a_new_version_would_change_is_told_as_held() {
    let world = World::new();
    world.has(&two(), |object| {
        if object["kind"] == "CassandraDatacenter" && object["metadata"]["name"] == "dc1" {
            object["spec"]["config"]["cassandra-yaml"]["num_tokens"] = json!(16);
            object["spec"]["config"]["cassandra-yaml"]["roles_validity"] = json!("1s");
        }
    });
    let said = plan(&world, &["demo"]).await.expect("a plan");
    assert!(said.contains("Held (restart): dc1"), "{said}");
    assert!(
        said.contains("spec.config.cassandra-yaml.roles_validity"),
        "{said}"
    );
    assert!(!said.contains("Change CassandraDatacenter"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_is_no_edit_of_that_cluster_is_refused_with_its_field() {
    let world = World::new();
    world.has(&two(), |_| {});
    let mut renamed = two();
    renamed["spec"]["cassandra"]["clusterName"] = json!("other");
    let error = plan_of(&world, &renamed).await.expect_err("it is refused");
    let refused = error.downcast_ref::<Refused>().expect("a refusal");
    assert_eq!(refused.cluster, "db/demo");
    assert_eq!(refused.field, "spec");
    assert!(refused.message.contains("cluster name"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn where_grants_are_required_what_is_not_granted_is_refused() {
    let mut world = World::new();
    world.require_grants = true;
    let error = plan_of(&world, &two()).await.expect_err("it is refused");
    let refused = error.downcast_ref::<Refused>().expect("a refusal");
    assert_eq!(refused.field, "spec.cassandra.datacenters[0].k8sContext");
    assert!(refused.message.contains("ringspan.io/grants"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_there_is_no_empty_plan() {
    let world = World::new();
    let error = plan(&world, &["demo"]).await.expect_err("there is none");
    assert!(
        error.to_string().contains("there is no K8ssandraCluster db/demo"),
        "{error}"
    );
    let nothing = plan(&world, &[]).await.expect("there is none");
    assert_eq!(nothing, "There is no K8ssandraCluster in namespace db.\n");
}
