//! One edit of a datacenter that is ready, and what comes of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fake_apiserver::Write;
use http::Method;
use serde_json::{Value, json};

use crate::effects::Facts;
use crate::play::Stage;

const DATACENTERS: &str = "/apis/cassandra.datastax.com/v1beta1/namespaces/ns/cassandradatacenters";

impl Stage {
    /// Makes the datacenter, waits until it is at rest, edits it, and gives it five minutes.
    pub async fn edit(&self, datacenter: &Value, patch: &Value) -> Facts {
        self.create_namespace("ns");
        for (name, user) in [("su2", "admin2"), ("u2", "user2"), ("cfg", "none")] {
            let data = json!({"username": user, "password": "secret"});
            let secret =
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
            self.request(&Method::POST, "/api/v1/namespaces/ns/secrets", &secret);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.request(&Method::POST, DATACENTERS, datacenter);
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert!(self.is_ready(), "not ready before the edit");
        let (pods, roles) = (self.pod_uids(), self.roles());
        let first = self.writes_so_far();
        let accepted = self.try_request(&Method::PATCH, &format!("{DATACENTERS}/dc1"), patch);
        tokio::time::sleep(Duration::from_mins(5)).await;
        let replaced = !pods.is_subset(&self.pod_uids());
        let live = self.roles() != roles || self.writes_from(first).iter().any(changes_something);
        let class = match (replaced, live) {
            (true, _) if patch.pointer("/spec/stopped").is_none() => "rolling restart",
            (_, true) => "live",
            _ => "none",
        };
        Facts {
            accepted,
            replaced,
            ready: accepted.then(|| self.is_ready()),
            class: Some(class.to_owned()),
        }
    }

    fn is_ready(&self) -> bool {
        let dc = self.server.get(
            "cassandra.datastax.com/v1beta1",
            "cassandradatacenters",
            "ns",
            "dc1",
        );
        dc.is_some_and(|dc| {
            dc["status"]["cassandraOperatorProgress"] == "Ready"
                && dc["status"]["observedGeneration"] == dc["metadata"]["generation"]
        })
    }

    fn pod_uids(&self) -> BTreeSet<String> {
        let pods = self.server.all("v1", "pods");
        let uid = |pod: &Arc<Value>| pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        pods.iter().map(uid).collect()
    }

    fn roles(&self) -> BTreeSet<String> {
        let world = self.rings.lock();
        let roles = world
            .calls()
            .iter()
            .filter(|call| call.what.contains("/auth/role"));
        roles.map(|call| call.what.clone()).collect()
    }
}

/// Whether the operator's write changed anything but the digest that it leaves, or who reads a Secret.
fn changes_something(write: &Write) -> bool {
    let compared = [
        "services",
        "statefulsets",
        "endpointslices",
        "poddisruptionbudgets",
        "cassandratasks",
    ];
    let by_operator = write.user == "cass-operator" && write.subresource.is_empty();
    if !by_operator || !compared.contains(&write.plural.as_str()) {
        return false;
    }
    let content = |object: &Option<Arc<Value>>| {
        let mut object = object
            .as_ref()
            .map(|object| Value::clone(object))
            .unwrap_or_default();
        let is_controllers = object["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"]
            == "endpointslice-controller.k8s.io";
        if is_controllers {
            return Value::Null;
        }
        let metadata = object["metadata"].as_object_mut();
        if let Some(metadata) = metadata {
            for key in ["managedFields", "resourceVersion", "generation"] {
                metadata.remove(key);
            }
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove("cassandra.datastax.com/resource-hash");
            }
        }
        object
    };
    content(&write.before) != content(&write.after)
}
