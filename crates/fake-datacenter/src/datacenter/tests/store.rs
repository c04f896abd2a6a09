//! An API server in memory, asked in the words of these tests.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use fake_apiserver::{Definitions, Options, Server, User, Write};
use http::{Method, Request};
use serde_json::{Value, json};

/// Compiled once for all tests.
static DEFINITIONS: LazyLock<Definitions> =
    LazyLock::new(|| Definitions::built_in().with(&crate::crds::manifests()).unwrap());

/// One API server; all clones see the same objects.
#[derive(Clone)]
pub(super) struct Store(Server);

impl Default for Store {
    fn default() -> Self {
        let store = Self(Server::new(Options {
            definitions: DEFINITIONS.clone(),
            ..Options::default()
        }));
        store.ask(
            &Method::POST,
            "/api/v1/namespaces",
            json!({"metadata": {"name": "ns"}}),
        );
        store
    }
}

impl Store {
    pub(super) fn client(&self) -> kube::Client {
        kube::Client::new(self.0.service(User::admin()), "default")
    }

    pub(super) fn get(&self, plural: &str, name: &str) -> Option<Value> {
        let (api_version, _) = kind_of(plural);
        let found = self.0.get(api_version, plural, "ns", name);
        found.map(Arc::unwrap_or_clone)
    }

    pub(super) fn all(&self, plural: &str) -> Vec<Value> {
        let (api_version, _) = kind_of(plural);
        let all = self.0.all(api_version, plural).into_iter();
        all.map(Arc::unwrap_or_clone)
            .filter(|object| object["metadata"]["namespace"] == "ns")
            .collect()
    }

    /// Every accepted write: verb, plural, name, body.
    pub(super) fn writes(&self) -> Vec<(String, String, String, Value)> {
        let told = |write: &Arc<Write>| {
            let verb = match (write.verb, write.subresource.as_str()) {
                ("create", _) => "POST".to_owned(),
                ("update", _) => "PUT".to_owned(),
                ("patch", "") => "PATCH".to_owned(),
                ("patch", part) => format!("PATCH {part}"),
                _ => "DELETE".to_owned(),
            };
            let body = serde_json::from_slice(&write.body).unwrap_or_default();
            (verb, write.plural.clone(), write.name.clone(), body)
        };
        let writes = self.0.writes_since(0);
        let here = writes
            .iter()
            .filter(|write| write.namespace == "ns" && !write.is_chore());
        here.map(told).collect()
    }

    /// A request of the user, which must be accepted.
    pub(super) fn ask(&self, method: &Method, path: &str, mut body: Value) {
        let plural = path.rsplit('/').find(|part| !kind_of(part).1.is_empty());
        let content = if *method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        if *method == Method::POST {
            let (api_version, kind) = kind_of(plural.unwrap_or_default());
            body["apiVersion"] = api_version.into();
            body["kind"] = kind.into();
        }
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content)
            .header("user-agent", "user")
            .body(bytes)
            .unwrap();
        let answer = self.0.answer(&User::admin(), &request);
        assert!(answer.status.is_success(), "{method} {path}: {answer:?}");
    }
}

/// API version and kind by the plural name; empty when it is none that is asked for.
fn kind_of(plural: &str) -> (&'static str, &'static str) {
    match plural {
        "cassandradatacenters" => ("cassandra.datastax.com/v1beta1", "CassandraDatacenter"),
        "cassandratasks" => ("control.k8ssandra.io/v1alpha1", "CassandraTask"),
        "endpointslices" => ("discovery.k8s.io/v1", "EndpointSlice"),
        "namespaces" => ("v1", "Namespace"),
        "persistentvolumeclaims" => ("v1", "PersistentVolumeClaim"),
        "pods" => ("v1", "Pod"),
        "secrets" => ("v1", "Secret"),
        "services" => ("v1", "Service"),
        "statefulsets" => ("apps/v1", "StatefulSet"),
        _ => ("", ""),
    }
}
