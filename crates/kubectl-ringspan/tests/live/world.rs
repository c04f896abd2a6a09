//! A control plane and two planes in memory, whose every request is noted.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fake_apiserver::{Attributes, Body, Definitions, Options, Server, User};
use fleet::dial::through;
use fleet::{FleetOptions, Refusal, RefusalReason};
use http_body_util::BodyExt;
use kube::Client;
use kubectl_ringspan::live::Live;
use kubectl_ringspan::render::Input;
use serde_json::{Value, json};
use tower::ServiceExt;

/// Namespace of the databases.
pub const DATABASES: &str = "db";
/// Where Ringspan runs.
pub const NAMESPACE: &str = "ringspan";
/// Who makes what belongs to a cluster, unless somebody else is said to have.
const OURS: &str = "ringspan-cluster-reconciler";

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| {
    let ours = api::definitions::all();
    let ours = ours
        .iter()
        .map(|crd| serde_json::to_value(crd).expect("a definition"));
    let others = fake_datacenter::crds::manifests().into_iter().chain([webhooks()]);
    let crds: Vec<Value> = ours.chain(others).collect();
    Definitions::built_in().with(&crds).expect("they can be served")
});

/// A kind that the server in memory does not build in, as far as it is read here.
fn webhooks() -> Value {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "validatingwebhookconfigurations.admissionregistration.k8s.io"},
        "spec": {
            "group": "admissionregistration.k8s.io", "scope": "Cluster",
            "names": {
                "kind": "ValidatingWebhookConfiguration", "listKind": "ValidatingWebhookConfigurationList",
                "plural": "validatingwebhookconfigurations", "singular": "validatingwebhookconfiguration",
            },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
            }],
        },
    })
}

/// An account with the rights that k8ssandra-operator gives to its own.
static NAMELESS: LazyLock<User> =
    LazyLock::new(|| User::service_account("k8ssandra-operator", "k8ssandra-operator"));

/// What was asked of whom.
pub type Asked = Arc<Mutex<Vec<(String, Attributes)>>>;

/// The servers, by name: `control`, `east`, `west`.
pub struct World {
    pub servers: BTreeMap<&'static str, Server>,
    pub asked: Asked,
    /// A plane that answers nobody.
    pub down: Option<&'static str>,
    /// A plane whose credentials may not read namespace `kube-system`.
    pub nameless: Option<&'static str>,
    /// Whether a plane may be used only where it is granted.
    pub require_grants: bool,
    /// Field manager of what belongs to a cluster.
    pub maker: &'static str,
}

impl World {
    /// Empty planes, registered in the control plane.
    pub fn new() -> Self {
        let names = ["control", "east", "west"];
        let server = |(at, name)| {
            let options = Options {
                definitions: DEFINITIONS.clone(),
                seed: at,
                authorize: true,
                ..Options::default()
            };
            (name, Server::new(options))
        };
        let world = World {
            servers: (1..).zip(names).map(server).collect(),
            asked: Asked::default(),
            down: None,
            nameless: None,
            require_grants: false,
            maker: OURS,
        };
        for (plane, namespace) in names
            .iter()
            .flat_map(|plane| [(plane, DATABASES), (plane, NAMESPACE)])
        {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
            world.create(plane, &namespace);
        }
        for plane in &names[1..] {
            world.register(plane);
            world.let_in(plane);
        }
        world
    }

    fn register(&self, plane: &str) {
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config",
            "contexts": [{"name": plane, "context": {"cluster": plane, "user": plane}}],
            "clusters": [{"name": plane, "cluster": {"server": format!("https://{plane}")}}],
            "users": [{"name": plane, "user": {"token": "token-canary"}}],
        });
        self.create(
            "control",
            &json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": plane, "namespace": NAMESPACE},
                "data": {"kubeconfig": STANDARD.encode(kubeconfig.to_string())},
            }),
        );
        self.create(
            "control",
            &json!({
                "apiVersion": "config.k8ssandra.io/v1beta1", "kind": "ClientConfig",
                "metadata": {"name": plane, "namespace": NAMESPACE},
                "spec": {"contextName": plane, "kubeConfigSecret": {"name": plane}},
            }),
        );
    }

    /// k8ssandra-operator's account may read datacenters and the like, but no namespace.
    fn let_in(&self, plane: &str) {
        let read = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": ["get", "list"]});
        let named = |kind: &str| {
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "k8ssandra-operator"},
            })
        };
        let mut role = named("ClusterRole");
        role["rules"] = json!([
            read("", &["configmaps", "secrets"]),
            read("cassandra.datastax.com", &["cassandradatacenters"]),
            read("discovery.k8s.io", &["endpointslices"]),
        ]);
        self.create(plane, &role);
        let mut binding = named("ClusterRoleBinding");
        binding["roleRef"] = json!({
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "k8ssandra-operator",
        });
        binding["subjects"] = json!([{
            "kind": "ServiceAccount", "namespace": "k8ssandra-operator", "name": "k8ssandra-operator",
        }]);
        self.create(plane, &binding);
    }

    pub fn server(&self, name: &str) -> &Server {
        &self.servers[name]
    }

    /// Makes an object with its status.
    pub fn create(&self, plane: &str, object: &Value) {
        let mut object = object.clone();
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (api_version, kind) = (text("/apiVersion").to_owned(), text("/kind").to_owned());
        let namespace = text("/metadata/namespace").to_owned();
        let name = text("/metadata/name").to_owned();
        let status = object.as_object_mut().and_then(|it| it.remove("status"));
        let plural = format!("{}s", kind.to_lowercase());
        let root = if api_version == "v1" {
            "/api/v1".to_owned()
        } else {
            format!("/apis/{api_version}")
        };
        let folder = if namespace.is_empty() {
            format!("{root}/{plural}")
        } else {
            format!("{root}/namespaces/{namespace}/{plural}")
        };
        let manager = match kind.as_str() {
            "CassandraDatacenter" | "ReplicatedSecret" => self.maker,
            _ => "user",
        };
        self.ask(
            plane,
            "POST",
            &format!("{folder}?fieldManager={manager}"),
            &object,
        );
        if let Some(status) = status {
            let status = json!({ "status": status });
            self.ask(plane, "PATCH", &format!("{folder}/{name}/status"), &status);
        }
    }

    /// One request of a stranger's, which must go well and is not noted.
    pub fn ask(&self, plane: &str, method: &str, path: &str, body: &Value) {
        let kind = if method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, kind)
            .body(Bytes::from(body.to_string()));
        let answer = self
            .server(plane)
            .answer(&User::admin(), &request.expect("a request"));
        let said = match &answer.body {
            Body::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Body::Watch(_) => String::new(),
        };
        assert!(answer.status.is_success(), "{method} {path}: {said}");
    }

    /// A cluster in the control plane, with everything of it in its place, done and ready.
    pub fn has(&self, cluster: &Value, change: impl Fn(&mut Value)) {
        self.create("control", cluster);
        let name = cluster["metadata"]["name"].as_str().expect("a name");
        let there = self.kc(name);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("kc.json");
        std::fs::write(&file, there.to_string()).expect("a file");
        let text = Input::read(&file, None, DATABASES).and_then(|input| input.rendered());
        for mut object in objects(&text.expect("it is rendered").objects) {
            change(&mut object);
            let plane = object["metadata"]["annotations"]["ringspan.io/plane"].as_str();
            let plane = plane.filter(|it| !it.is_empty()).unwrap_or("control").to_owned();
            self.create(&plane, &complete(object));
        }
    }

    pub fn kc(&self, name: &str) -> Value {
        let found = self
            .server("control")
            .get("k8ssandra.io/v1alpha1", "k8ssandraclusters", DATABASES, name);
        (*found.expect("it is there")).clone()
    }

    /// Looks at it as the plugin does.
    pub async fn live(&self) -> Live {
        let mut options = FleetOptions::new(&[], "kubectl-ringspan/test");
        options.require_grants = self.require_grants;
        let clients = self
            .servers
            .keys()
            .map(|name| ((*name).to_owned(), self.client(name)));
        let clients: BTreeMap<String, Client> = clients.collect();
        options.dial = Arc::new(move |access, _| match clients.get(&access.host()) {
            Some(client) => Ok(through(client.clone())),
            None => Err(Refusal::new(
                RefusalReason::ServerInvalid,
                "there is no such server",
            )),
        });
        let live = Live::look(self.client("control"), NAMESPACE, options).await;
        live.expect("the control plane answers")
    }

    fn client(&self, name: &'static str) -> Client {
        let (server, asked) = (self.server(name).clone(), Arc::clone(&self.asked));
        let down = self.down == Some(name);
        let user = if self.nameless == Some(name) {
            NAMELESS.clone()
        } else {
            User::admin()
        };
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            let (server, asked, user) = (server.clone(), Arc::clone(&asked), user.clone());
            async move {
                let attributes = Attributes::of(request.method(), request.uri());
                asked
                    .lock()
                    .expect("nobody panics")
                    .push((name.to_owned(), attributes));
                if down {
                    return Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
                }
                let Ok(answer) = server.service(user).oneshot(request).await;
                Ok(answer.map(BodyExt::boxed_unsync))
            }
        });
        Client::new(service, DATABASES)
    }

    /// Verbs that were used, and how many writes anybody has seen since the world was set up.
    pub fn verbs(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("nobody panics");
        let mut verbs: Vec<String> = asked.iter().map(|(_, it)| it.verb.clone()).collect();
        verbs.sort();
        verbs.dedup();
        verbs
    }

    /// All that stands in all servers.
    pub fn everything(&self) -> Vec<Value> {
        let all = self.servers.values().flat_map(Server::snapshot);
        all.map(|object| (*object).clone()).collect()
    }
}

/// The documents of a YAML stream.
pub fn objects(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).expect("YAML")
}

/// With what others add: values of Secrets, and what cass-operator and secret-replicator say.
fn complete(mut object: Value) -> Value {
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.remove("ringspan.io/plane");
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    match object["kind"].as_str() {
        Some("Secret") => {
            object["data"] =
                json!({"username": STANDARD.encode("u"), "password": STANDARD.encode("password-canary")});
        }
        Some("CassandraDatacenter") => {
            object["status"] = json!({
                "cassandraOperatorProgress": "Ready", "observedGeneration": 1,
                "nodeStatuses": {format!("{name}-0"): {"hostID": name, "ip": "198.18.0.1"}},
                "conditions": [condition("Initialized"), condition("Ready"), condition("Healthy")],
            });
        }
        Some("ReplicatedSecret") => {
            let targets = object["spec"]["replicationTargets"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let copied = |target: &Value| {
                json!({
                    "cluster": target["k8sContextName"], "namespace": target["namespace"],
                    "type": "Replication", "status": "True", "contentMark": "all",
                })
            };
            let conditions: Vec<Value> = targets.iter().map(copied).collect();
            object["status"] = json!({"conditions": conditions, "observedGeneration": 1});
        }
        _ => {}
    }
    object
}

fn condition(type_: &str) -> Value {
    json!({"type": type_, "status": "True", "reason": "", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"})
}
