//! API servers in memory, the stand-in in each of them, and the ways of the programs to them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use anyhow::Context as _;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fake_apiserver::{Body, Definitions, Options, Server, User};
use fake_datacenter::management::Management;
use fake_datacenter::pace::Pace;
use fake_datacenter::plane::Plane;
use fake_datacenter::ring::Rings;
use fleet::dial::Dial;
use fleet::{Refusal, RefusalReason};
use jiff::Timestamp;
use runtime::{Clock, Random};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::util::BoxCloneSyncService;

use crate::plan::Plan;
use crate::program::{Life, Name};
use crate::roles;
use crate::wire::{Switchboard, Wiretap, dial_nodes};

/// Name of the control plane among the planes.
pub const CONTROL_PLANE: &str = "control-plane";
/// The data planes.
pub const PLANES: [&str; 3] = ["east", "west", "north"];
/// Namespace of the installation.
pub const NAMESPACE: &str = "ringspan";
/// Namespace of the databases.
pub const DATABASES: &str = "db";

/// Time of day at which every run begins.
const EPOCH: &str = "2026-01-01T00:00:00Z";

/// Compiled once for all runs.
static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| {
    let ours = api::definitions::all();
    let mut crds: Vec<Value> = ours
        .iter()
        .filter_map(|crd| serde_json::to_value(crd).ok())
        .collect();
    crds.extend(fake_datacenter::crds::manifests());
    let built_in = Definitions::built_in();
    built_in.with(&crds).unwrap_or_else(|error| {
        // Nothing can be run without them.
        panic!("the definitions cannot be compiled: {error}")
    })
});

/// Everything of one run.
pub struct World {
    servers: BTreeMap<&'static str, Server>,
    /// The Cassandra behind the pods.
    pub rings: Rings,
    management: Management,
    /// What goes wrong.
    pub plan: Plan,
    /// Calls so far, and what happens at them.
    pub switchboard: Arc<Switchboard>,
    began: Instant,
    lives: AtomicU64,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    /// A control plane and three data planes that are joined, the stand-in in each, and no programs yet.
    ///
    /// # Errors
    /// What is installed is refused.
    pub fn start(plan: Plan) -> anyhow::Result<Self> {
        let names = [CONTROL_PLANE].into_iter().chain(PLANES);
        let servers: BTreeMap<_, _> = names
            .zip(1..)
            .map(|(name, number)| {
                let options = Options {
                    definitions: DEFINITIONS.clone(),
                    seed: plan.seed.wrapping_mul(31).wrapping_add(number),
                    ..Options::default()
                };
                (name, Server::new(options))
            })
            .collect();
        let rings = Rings::default();
        let pace = Pace::new(0.05, plan.seed, 0.0);
        let world = Self {
            management: Management::new(rings.clone(), pace),
            switchboard: Arc::new(Switchboard::new(&plan, &servers)),
            servers,
            rings,
            plan,
            began: Instant::now(),
            lives: AtomicU64::new(0),
            stop: CancellationToken::new(),
        };
        world.install()?;
        world.play(pace)?;
        Ok(world)
    }

    fn install(&self) -> anyhow::Result<()> {
        for (plane, server) in &self.servers {
            for name in [NAMESPACE, DATABASES] {
                let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
                create(server, "/api/v1/namespaces", &namespace)?;
            }
            for (path, object) in roles::of(*plane == CONTROL_PLANE)? {
                create(server, &path, &object)?;
            }
        }
        let control = self.server(CONTROL_PLANE);
        for plane in PLANES {
            let secret = json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": format!("{plane}-kubeconfig"), "namespace": NAMESPACE},
                "data": {"kubeconfig": STANDARD.encode(kubeconfig(plane).to_string())},
            });
            create(control, "/api/v1/namespaces/ringspan/secrets", &secret)?;
            let config = json!({
                "apiVersion": "config.k8ssandra.io/v1beta1", "kind": "ClientConfig",
                "metadata": {"name": plane, "namespace": NAMESPACE},
                "spec": {"contextName": plane, "kubeConfigSecret": {"name": format!("{plane}-kubeconfig")}},
            });
            create(
                control,
                "/apis/config.k8ssandra.io/v1beta1/namespaces/ringspan/clientconfigs",
                &config,
            )?;
        }
        Ok(())
    }

    /// Plays cass-operator in every plane. Its requests suffer no faults: they are not what is tested.
    fn play(&self, pace: Pace) -> anyhow::Result<()> {
        let clock = fake_datacenter::clock::Clock::starting_at(epoch()?);
        for (index, (name, server)) in self.servers.iter().enumerate() {
            let client = kube::Client::new(server.service(User::admin()), "default");
            let plane = Plane::new(
                name,
                index,
                client,
                self.rings.clone(),
                pace,
                clock,
                self.stop.clone(),
            );
            tokio::spawn(plane.run());
        }
        Ok(())
    }

    /// An API server.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    pub fn server(&self, name: &str) -> &Server {
        let Some(server) = self.servers.get(name) else {
            panic!("no plane {name}")
        };
        server
    }

    /// All API servers by name.
    #[must_use]
    pub fn servers(&self) -> &BTreeMap<&'static str, Server> {
        &self.servers
    }

    /// Virtual time since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> std::time::Duration {
        self.began.elapsed()
    }

    /// Makes or changes the user's cluster.
    ///
    /// # Errors
    /// It is refused.
    pub fn apply(&self, cluster: &Value) -> anyhow::Result<()> {
        let name = cluster["metadata"]["name"].as_str().context("no name")?;
        let path = format!("/apis/k8ssandra.io/v1alpha1/namespaces/{DATABASES}/k8ssandraclusters/{name}");
        let path = format!("{path}?fieldManager=user&force=true");
        ask(
            self.server(CONTROL_PLANE),
            "PATCH",
            &path,
            "application/apply-patch+yaml",
            cluster,
        )
    }

    /// The time of day of the programs.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock::Since {
            epoch: epoch().unwrap_or_default(),
            began: self.began,
        }
    }

    /// Bytes that follow from the seed, the program and how many programs were started before.
    #[must_use]
    pub fn random(&self, name: Name) -> Random {
        let life = self.lives.fetch_add(1, Ordering::Relaxed);
        let state = AtomicU64::new(fake_datacenter::pace::fnv(
            format!("{}/{name}/{life}", self.plan.seed).as_bytes(),
        ));
        Random::from_source(move |bytes| {
            for byte in bytes {
                // Knuth's MMIX generator; its upper bits are the good ones.
                let next = |state: u64| {
                    Some(
                        state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407),
                    )
                };
                let drawn = state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
                *byte = drawn.unwrap_or_else(|state| state).to_be_bytes()[0];
            }
            Ok(())
        })
    }

    /// How a program reaches the data planes.
    #[must_use]
    pub fn dial(&self, program: Name, life: &Life) -> Dial {
        let wires: BTreeMap<String, Wiretap> = PLANES
            .into_iter()
            .map(|plane| (host(plane), Wiretap::new(self, plane, program, life)))
            .collect();
        Arc::new(move |access, _| {
            let wire = wires.get(&access.host()).cloned().ok_or_else(|| {
                Refusal::new(
                    RefusalReason::ServerInvalid,
                    format!("there is no {}", access.host()),
                )
            })?;
            Ok(BoxCloneSyncService::new(wire))
        })
    }

    /// How a program reaches the nodes' management API.
    #[must_use]
    pub fn management(&self, program: Name, life: &Life) -> management_api::Dial {
        let switchboard = Arc::clone(&self.switchboard);
        dial_nodes(self.management.clone(), switchboard, program, life.clone())
    }
}

fn epoch() -> anyhow::Result<Timestamp> {
    Ok(EPOCH.parse()?)
}

fn host(plane: &str) -> String {
    format!("{plane}.example:6443")
}

fn kubeconfig(plane: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": plane,
        "contexts": [{"name": plane, "context": {"cluster": plane, "user": plane}}],
        "clusters": [{"name": plane, "cluster": {"server": format!("https://{}", host(plane))}}],
        "users": [{"name": plane, "user": {"token": format!("token-of-{plane}")}}],
    })
}

fn create(server: &Server, path: &str, object: &Value) -> anyhow::Result<()> {
    ask(server, "POST", path, "application/json", object)
}

fn ask(server: &Server, method: &str, path: &str, kind: &str, object: &Value) -> anyhow::Result<()> {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::CONTENT_TYPE, kind)
        .header(http::header::USER_AGENT, "user")
        .body(Bytes::from(object.to_string()))?;
    let answer = server.answer(&User::admin(), &request);
    let said = match &answer.body {
        Body::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Body::Watch(_) => String::new(),
    };
    anyhow::ensure!(answer.status.is_success(), "{method} {path}: {said}");
    Ok(())
}
