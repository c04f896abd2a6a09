//! What `takeover` says of an installation of k8ssandra-operator, and the one thing that it writes.

use clap::Parser;
use kubectl_ringspan::takeover::{self, Verdict};
use serde_json::{Value, json};

use crate::two;
use crate::world::{DATABASES, World};

const UPSTREAM: &str = "k8ssandra-operator";
const WEBHOOKS: &str = "k8ssandra-operator-validating-webhook-configuration";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    takeover: takeover::Args,
}

async fn looked(world: &World, words: &[&str]) -> Verdict {
    let words = std::iter::once("takeover").chain(words.iter().copied());
    let args = Line::parse_from(words).takeover;
    let verdict = takeover::check(&args, &world.live().await).await;
    verdict.expect("the control plane can be read")
}

/// Without writing anything.
async fn only_looked(world: &World) -> Verdict {
    let before = world.everything();
    let verdict = looked(world, &[]).await;
    assert_eq!(world.verbs(), ["get", "list"], "nothing else was asked");
    assert!(before == world.everything(), "nothing was written");
    verdict
}

/// What k8ssandra-operator leaves of an object that Ringspan would make: nothing of ours, and its hash.
fn as_upstream(object: &mut Value) {
    for map in ["labels", "annotations"] {
        if let Some(marks) = object["metadata"][map].as_object_mut() {
            marks.retain(|key, _| !key.starts_with("ringspan.io/") || key == "ringspan.io/plane");
        }
    }
    object["metadata"]["annotations"]["k8ssandra.io/resource-hash"] = json!("aGFzaA==");
}

fn deployment(switch: &str, replicas: u8) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "k8ssandra-operator", "namespace": UPSTREAM},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"control-plane": "k8ssandra-operator"}},
            "template": {
                "metadata": {"labels": {"control-plane": "k8ssandra-operator"}},
                "spec": {"containers": [{
                    "name": "manager", "image": "k8ssandra-operator",
                    "env": [{"name": "K8SSANDRA_CONTROL_PLANE", "value": switch}],
                }]},
            },
        },
    })
}

fn webhooks() -> Value {
    let hook = |name: &str| json!({"name": name, "clientConfig": {}, "sideEffects": "None", "admissionReviewVersions": ["v1"]});
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": WEBHOOKS},
        "webhooks": [hook("vmedusabackupschedule.kb.io"), hook("vk8ssandracluster.kb.io"), hook("vother.kb.io")],
    })
}

/// An installation of k8ssandra-operator with a cluster that it has finished.
fn installed(switch: &str, replicas: u8, spec: &Value) -> World {
    let mut world = World::new();
    world.maker = "manager";
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": UPSTREAM}});
    world.create("control", &namespace);
    world.create("control", &deployment(switch, replicas));
    world.create("control", &webhooks());
    world.has(spec, as_upstream);
    world
}

#[tokio::test(start_paused = true)]
async fn an_installation_that_runs_is_not_ready_and_each_thing_is_told() {
    let mut kc = two();
    kc["spec"]["reaper"] = json!({});
    let verdict = only_looked(&installed("true", 1, &kc)).await;
    let said = &verdict.text;
    for expected in [
        "TODO Deployment k8ssandra-operator/k8ssandra-operator runs k8ssandra-operator as control plane",
        "TODO webhook vk8ssandracluster.kb.io of ValidatingWebhookConfiguration",
        "ok   the definitions are Ringspan's",
        "Plane east\n  ok   answers (v1.35.4)",
        "2 datacenters are recognised as its own, and none of them would be written",
        "note would be done: Write the record: dc1 (adopted, made), dc2 (adopted, made)",
        "Ringspan does not act on spec.reaper",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(said.ends_with("not ready: 2 things\n"), "{said}");
    assert_eq!(verdict.things, 2);
    assert!(!said.contains("canary"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn the_webhook_s_entry_goes_alone_and_only_when_it_is_asked_for_and_unserved() {
    let running = installed("true", 1, &two());
    let before = running.everything();
    let verdict = looked(&running, &["--remove-webhook"]).await;
    assert!(
        verdict.text.ends_with("not ready: 2 things\n"),
        "{}",
        verdict.text
    );
    assert!(before == running.everything(), "it is still served");

    for (switch, replicas) in [("true", 0), ("false", 1)] {
        let world = installed(switch, replicas, &two());
        let verdict = only_looked(&world).await;
        assert!(verdict.text.ends_with("not ready: 1 thing\n"), "{}", verdict.text);
        let before = world.everything();
        let verdict = looked(&world, &["--remove-webhook"]).await;
        assert!(
            verdict.text.ends_with("ready\n") && verdict.things == 0,
            "{}",
            verdict.text
        );
        let mut expected = before.clone();
        let mut changed = 0;
        for (old, new) in expected.iter_mut().zip(world.everything()) {
            if *old == new {
                continue;
            }
            changed += 1;
            assert_eq!(old["metadata"]["name"], WEBHOOKS);
            let hooks = old["webhooks"].as_array_mut().expect("a list");
            hooks.remove(1);
            assert_eq!(old["webhooks"], new["webhooks"]);
        }
        assert_eq!(changed, 1);
        assert!(only_looked_again(&world).await.text.ends_with("ready\n"));
    }
}

async fn only_looked_again(world: &World) -> Verdict {
    let before = world.everything();
    let verdict = looked(world, &[]).await;
    assert!(before == world.everything());
    verdict
}

#[tokio::test(start_paused = true)]
async fn what_would_be_written_at_once_stands_in_the_way() {
    let world = installed("true", 0, &two());
    let edit =
        json!({"spec": {"cassandra": {"serverVersion": "4.1.6"}}, "status": {"observedGeneration": 1}});
    let path = format!("/apis/k8ssandra.io/v1alpha1/namespaces/{DATABASES}/k8ssandraclusters/demo");
    world.ask(
        "control",
        "PATCH",
        &format!("{path}/status"),
        &json!({"status": {"observedGeneration": 1}}),
    );
    world.ask("control", "PATCH", &path, &edit);
    let verdict = only_looked(&world).await;
    let said = &verdict.text;
    let expected = "TODO this would be done at once: Change CassandraDatacenter db/dc1 in plane east";
    assert!(said.contains(expected), "{said}");
    assert!(!said.contains("none of them would be written"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_plane_that_is_down_stands_in_the_way_and_nothing_is_said_of_its_datacenters() {
    let mut world = installed("false", 1, &two());
    world.down = Some("west");
    let verdict = only_looked(&world).await;
    let said = &verdict.text;
    assert!(
        said.contains("Plane west\n  TODO plane west gave no answer"),
        "{said}"
    );
    assert!(said.contains("1 datacenters are recognised"), "{said}");
    assert!(verdict.things >= 2, "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_upstream_is_about_is_waited_for() {
    let world = installed("true", 0, &two());
    let path = format!("/apis/k8ssandra.io/v1alpha1/namespaces/{DATABASES}/k8ssandraclusters/demo");
    let rebuild = json!({"metadata": {"annotations": {"k8ssandra.io/rebuild-dc": "dc2"}}});
    world.ask("control", "PATCH", &path, &rebuild);
    let status = json!({"status": {"datacenters": {"dc3": {"decommissionProgress": "Decommissioning"}}}});
    world.ask("control", "PATCH", &format!("{path}/status"), &status);
    world.create(
        "control",
        &json!({
            "apiVersion": "control.k8ssandra.io/v1alpha1", "kind": "K8ssandraTask",
            "metadata": {"name": "clean", "namespace": DATABASES},
            "spec": {"cluster": {"name": "demo"}, "template": {"jobs": [{"name": "clean", "command": "cleanup"}]}},
        }),
    );
    let said = only_looked(&world).await.text;
    for expected in [
        "k8ssandra-operator is adding datacenter dc2",
        "k8ssandra-operator is removing datacenter dc3",
        "K8ssandraTask clean is not complete",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plane_that_upstream_s_account_may_not_name_stands_in_the_way_with_the_way_out() {
    let mut world = installed("false", 1, &two());
    world.nameless = Some("east");
    let said = only_looked(&world).await.text;
    let expected = "Plane east\n  TODO its credentials may not read namespace kube-system";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("deploy/base/remote-access/rbac.yaml"), "{said}");
    assert!(said.contains("Plane west\n  ok "), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_second_client_config_of_a_context_is_told() {
    let world = installed("false", 1, &two());
    world.create(
        "control",
        &json!({
            "apiVersion": "config.k8ssandra.io/v1beta1", "kind": "ClientConfig",
            "metadata": {"name": "west", "namespace": UPSTREAM},
            "spec": {"contextName": "west", "kubeConfigSecret": {"name": "west"}},
        }),
    );
    let said = only_looked(&world).await.text;
    assert!(said.contains("TODO ClientConfig "), "{said}");
    assert!(said.contains("is older and has the context name"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn images_that_only_upstream_would_read_are_told() {
    let world = installed("false", 1, &two());
    let mut map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"image_config.yaml": ""},
        "metadata": {"name": "images", "namespace": UPSTREAM, "labels": {"k8ssandra.io/config": "image"}},
    });
    world.create("control", &map);
    let verdict = only_looked(&world).await;
    assert!(
        verdict
            .text
            .contains("note ConfigMap k8ssandra-operator/images names images"),
        "{}",
        verdict.text
    );
    assert_eq!(
        verdict.things, 1,
        "only the webhook is in the way: {}",
        verdict.text
    );
    map["metadata"]["namespace"] = json!("ringspan");
    world.create("control", &map);
    assert!(!only_looked(&world).await.text.contains("names images"));
}
