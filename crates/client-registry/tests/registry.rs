//! The program against a control plane and planes on loopback addresses: what stands in the status, and how often it
//! is written.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up fails"
)]

#[path = "../../fleet/tests/loopback/mod.rs"]
mod loopback;

use std::sync::Arc;

use clap::Parser;
use loopback::{
    Server, eventually, json, options, put_client_config, put_secret, register, remove_client_config, status,
};
use runtime::{Process, ProcessArgs};
use serde_json::{Value, json};

const DATACENTERS: &str = "/apis/cassandra.datastax.com/v1beta1/cassandradatacenters";

#[derive(clap::Parser)]
struct Program {
    #[command(flatten)]
    process: ProcessArgs,
}

/// The program, running until it is dropped.
struct Registry {
    home: Server,
    process: Arc<Process>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.stop.cancel();
    }
}

impl Registry {
    fn start(home: Server) -> Self {
        let args = Program::parse_from(["client-registry", "--debounce-ms", "10"]).process;
        let process = Process::with_clients(
            client_registry::NAME,
            args,
            home.client(&options()),
            home.client(&options()),
            runtime::Outside::default(),
        );
        tokio::spawn(client_registry::serve(process.clone(), options()));
        Self { home, process }
    }

    fn status(&self, name: &str) -> Value {
        self.home.get(&path(name))["status"].clone()
    }

    /// Status, reason and message of a condition.
    fn told(&self, name: &str, type_: &str) -> Option<(String, String, String)> {
        let status = self.status(name);
        let condition = status["conditions"]
            .as_array()?
            .iter()
            .find(|condition| condition["type"] == type_)?;
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        Some((text("status"), text("reason"), text("message")))
    }

    async fn is_told(&self, name: &str, status: &str, reason: &str) {
        let told = || {
            self.told(name, "Usable")
                .is_some_and(|told| (&*told.0, &*told.1) == (status, reason))
        };
        eventually(
            &format!("{name}: {status} {reason}, not {}", self.status(name)),
            told,
        )
        .await;
    }

    fn writes(&self) -> usize {
        self.home
            .asked()
            .iter()
            .filter(|asked| asked.path.ends_with("/status"))
            .count()
    }

    fn events(&self) -> Vec<Value> {
        let asked = self.home.asked();
        let events = asked.iter().filter(|asked| asked.path.ends_with("/events"));
        events
            .map(|asked| serde_json::from_slice(&asked.body).unwrap())
            .collect()
    }
}

fn path(name: &str) -> String {
    format!("/apis/config.k8ssandra.io/v1beta1/namespaces/ns/clientconfigs/{name}")
}

fn plane_with(names: &[&str]) -> (Server, Server) {
    let (home, plane) = (Server::start(), Server::start());
    for name in names {
        register(&home, name, &plane.kubeconfig(name));
    }
    (home, plane)
}

#[tokio::test]
async fn a_usable_plane_is_told_who_it_is() {
    let (home, east) = plane_with(&["east"]);
    let image = "cr.k8ssandra.io/k8ssandra/cass-operator:v1.31.0";
    let containers = json!([{"name": "manager", "image": image}]);
    let template = json!({"spec": {"containers": containers}});
    east.put(
        "/apis/apps/v1/namespaces/cass-operator/deployments/cass-operator",
        json!({"metadata": {}, "spec": {"selector": {}, "template": template}}),
    );
    let registry = Registry::start(home);
    registry.is_told("east", "True", "AsSpecified").await;
    let status = registry.status("east");
    assert_eq!(status["planeId"], east.uid("/api/v1/namespaces/kube-system"));
    assert_eq!(status["serverVersion"], "v1.35.4");
    assert_eq!(status["cassOperatorVersion"], "v1.31.0");
    assert_eq!(registry.told("east", "Reachable").unwrap().0, "True");
    eventually("an Event", || {
        registry
            .events()
            .iter()
            .any(|event| event["reason"] == "PlaneUsable")
    })
    .await;
    assert_eq!(registry.writes(), 1);
}

#[tokio::test]
async fn each_refusal_is_told_with_its_way_out_and_heals_without_a_restart() {
    let (home, east) = plane_with(&["east"]);
    let registry = Registry::start(home);
    registry.is_told("east", "True", "AsSpecified").await;
    let good = east.kubeconfig("east");
    let exec = good.replace("user: {token: tok}", "user: {exec: {command: hunter2}}");
    for (kubeconfig, reason, names) in [
        (exec.as_str(), "ExecRefused", "users[u].user.exec"),
        ("hunter2: [", "KubeconfigUnreadable", "kubectl config view"),
        (&east.kubeconfig("other"), "ContextMissing", "spec.contextName"),
        (
            &good.replace("https:", "http:"),
            "PlainHttpRefused",
            "clusters[c].cluster.server",
        ),
    ] {
        put_secret(&registry.home, "east", kubeconfig);
        registry.is_told("east", "False", reason).await;
        let (_, _, message) = registry.told("east", "Usable").unwrap();
        assert!(
            message.contains("Secret ns/east") && message.contains(names),
            "{message}"
        );
        assert!(!registry.status("east").to_string().contains("hunter2"));
        assert_eq!(registry.status("east")["planeId"], Value::Null);
    }
    registry.home.delete("/api/v1/namespaces/ns/secrets/east");
    registry.is_told("east", "False", "SecretMissing").await;
    put_secret(&registry.home, "east", &good);
    registry.is_told("east", "True", "AsSpecified").await;
    let warned = |reason: &str| {
        registry
            .events()
            .iter()
            .filter(|event| event["reason"] == reason)
            .count()
    };
    eventually("a Warning for each", || {
        warned("ExecRefused") == 1 && warned("SecretMissing") == 1
    })
    .await;
}

#[tokio::test]
async fn a_plane_that_is_lost_and_comes_back_is_told_twice_and_not_more() {
    let (home, east) = plane_with(&["east"]);
    let registry = Registry::start(home);
    registry.is_told("east", "True", "AsSpecified").await;
    let before = registry.writes();
    east.refuse();
    registry.is_told("east", "False", "PlaneUnreachable").await;
    assert_eq!(
        registry.status("east")["serverVersion"],
        "v1.35.4",
        "what was known stays"
    );
    assert_ne!(registry.status("east")["planeId"], Value::Null);
    // Several tries fail, with different words.
    east.freeze();
    let connections = east.connections();
    east.accept_again();
    eventually("it is tried", || east.connections() > connections + 1).await;
    east.thaw();
    registry.is_told("east", "True", "AsSpecified").await;
    assert_eq!(registry.writes(), before + 2);
}

#[tokio::test]
async fn a_plane_without_cass_operator_says_so_until_it_is_there() {
    let (home, east) = plane_with(&["east"]);
    east.answer(|asked| (asked.path == DATACENTERS).then(|| json(404, &Value::Null)));
    let registry = Registry::start(home);
    registry.is_told("east", "False", "CassOperatorMissing").await;
    assert_eq!(registry.told("east", "Reachable").unwrap().0, "True");
    east.behave();
    registry.is_told("east", "True", "AsSpecified").await;
}

#[tokio::test]
async fn a_plane_that_forbids_or_rejects_us_says_so() {
    let (home, east) = plane_with(&["east"]);
    let long = "x".repeat(5_000);
    east.answer(move |asked| {
        (asked.path == DATACENTERS).then(|| {
            let mut answer = status(403, "Forbidden", "cassandradatacenters", "");
            answer["message"] = json!(long);
            json(403, &answer)
        })
    });
    let registry = Registry::start(home);
    registry.is_told("east", "False", "PlaneForbidden").await;
    let (_, _, message) = registry.told("east", "Usable").unwrap();
    assert!(message.len() < 500 && message.contains("rights"), "{message}");
    east.answer(|_| Some(json(401, &status(401, "Unauthorized", "", ""))));
    east.end_watches();
    let rejected = || {
        registry
            .told("east", "Usable")
            .is_some_and(|told| told.2.contains("does not accept"))
    };
    eventually("rejected", rejected).await;
}

#[tokio::test]
async fn the_end_of_the_credentials_is_told() {
    use base64::Engine;
    let (home, east) = plane_with(&[]);
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"exp":1600000000}"#);
    register(
        &home,
        "east",
        &east.kubeconfig_with("east", &format!("h.{claims}.s")),
    );
    let registry = Registry::start(home);
    registry.is_told("east", "True", "AsSpecified").await;
    assert_eq!(
        registry.status("east")["credentialsExpire"],
        "2020-09-13T12:26:40Z"
    );
    east.answer(|_| Some(json(401, &status(401, "Unauthorized", "", ""))));
    east.end_watches();
    registry.is_told("east", "False", "CredentialsExpired").await;
}

#[tokio::test]
async fn a_restart_and_a_touch_that_means_nothing_write_nothing() {
    let (home, _east) = plane_with(&["east"]);
    let registry = Registry::start(home.clone());
    registry.is_told("east", "True", "AsSpecified").await;
    drop(registry);
    home.forget_asked();
    let again = Registry::start(home);
    eventually("ready", || again.process.ready.is_ready()).await;
    let mut touched = again.home.get(&path("east"));
    touched["metadata"]["annotations"] = json!({"touched": "yes"});
    again.home.put(&path("east"), touched);
    // What is told of another one proves that this one was looked at.
    put_client_config(&again.home, "second", &json!({}));
    again.is_told("second", "False", "SecretNotNamed").await;
    let about_east = |asked: &loopback::Asked| asked.path.ends_with("/east/status");
    assert_eq!(
        again
            .home
            .asked()
            .iter()
            .filter(|asked| about_east(asked))
            .count(),
        0
    );
}

#[tokio::test]
async fn two_contexts_of_one_cluster_are_both_usable_and_told_of_each_other() {
    let (home, _plane) = plane_with(&["east", "west"]);
    let registry = Registry::start(home);
    for (name, other) in [("east", "west"), ("west", "east")] {
        registry.is_told(name, "True", "AsSpecified").await;
        let told = || {
            registry
                .told(name, "DuplicateCluster")
                .is_some_and(|told| told.2.contains(other))
        };
        eventually("told of the other", told).await;
    }
    remove_client_config(&registry.home, "west");
    eventually("alone again", || {
        registry.told("east", "DuplicateCluster").is_none()
    })
    .await;
}

#[tokio::test]
async fn the_younger_of_two_with_one_context_is_refused() {
    let (home, plane) = plane_with(&["east"]);
    let registry = Registry::start(home);
    registry.is_told("east", "True", "AsSpecified").await;
    put_secret(&registry.home, "second", &plane.kubeconfig("east"));
    put_client_config(
        &registry.home,
        "second",
        &json!({"contextName": "east", "kubeConfigSecret": {"name": "second"}}),
    );
    registry.is_told("second", "False", "DuplicateContext").await;
    assert_eq!(registry.told("east", "Usable").unwrap().0, "True");
}

#[tokio::test]
async fn a_converged_world_is_left_alone() {
    let (home, east) = plane_with(&["east"]);
    let registry = Registry::start(home);
    registry.is_told("east", "True", "AsSpecified").await;
    eventually("watched", || east.watchers(DATACENTERS) == 1).await;
    eventually("ready", || registry.process.ready.is_ready()).await;
    let before = (registry.home.asked().len(), east.asked().len());
    // A touch is looked at, and the look asks nobody.
    let mut touched = registry.home.get(&path("east"));
    touched["metadata"]["annotations"] = json!({"touched": "yes"});
    registry.home.put(&path("east"), touched);
    let passes = || {
        let text = registry.process.metrics.render();
        let line = text.lines().find(|line| {
            line.starts_with("controller_runtime_reconcile_total")
                && line.contains("client-registry")
                && line.contains("success")
        });
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .unwrap_or_default()
    };
    let seen = passes();
    eventually("a pass", || passes() > seen).await;
    let events = registry.events().len();
    let asked = registry.home.asked().len() - events;
    assert!(
        asked <= before.0 && east.asked().len() == before.1,
        "{:?}",
        registry.home.asked().last()
    );
}
