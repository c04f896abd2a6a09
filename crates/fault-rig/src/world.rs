//! API servers in memory, the stand-in in each of them, and the ways of the programs to them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

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
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::util::BoxCloneSyncService;

use crate::doors::{Door, Doors};
use crate::monitor::Overheard;
use crate::plan::Plan;
use crate::program::{Life, Name};
use crate::roles;
use crate::weather::{Way, Weather};
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
    crds.push(medusa_configurations());
    let built_in = Definitions::built_in();
    built_in.with(&crds).unwrap_or_else(|error| {
        // Nothing can be run without them.
        panic!("the definitions cannot be compiled: {error}")
    })
});

/// A kind that comes with Medusa, as far as it is read here.
fn medusa_configurations() -> Value {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "medusaconfigurations.medusa.k8ssandra.io"},
        "spec": {
            "group": "medusa.k8ssandra.io", "scope": "Namespaced",
            "names": {
                "kind": "MedusaConfiguration", "listKind": "MedusaConfigurationList",
                "plural": "medusaconfigurations", "singular": "medusaconfiguration",
            },
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
            }],
        },
    })
}

/// Everything of one run.
pub struct World {
    servers: BTreeMap<&'static str, Server>,
    /// The Cassandra behind the pods.
    pub rings: Rings,
    management: Management,
    /// What goes wrong.
    pub plan: Plan,
    /// What programs do beside writing.
    pub overheard: Arc<Overheard>,
    /// Calls so far, and what happens at them.
    pub switchboard: Arc<Switchboard>,
    /// Which planes are cut off.
    pub weather: Arc<Weather>,
    /// Where planes are reached.
    pub doors: Arc<Doors>,
    /// Told after each write of anybody to any server.
    pub written: Arc<Notify>,
    backups: Mutex<BTreeMap<&'static str, u64>>,
    players: Mutex<BTreeMap<&'static str, CancellationToken>>,
    living: Mutex<BTreeMap<Name, Life>>,
    pace: Pace,
    wall: fake_datacenter::clock::Clock,
    began: Instant,
    lives_begun: AtomicU64,
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
            weather: Arc::new(Weather::new(&plan)),
            doors: Arc::default(),
            written: Arc::default(),
            backups: Mutex::default(),
            players: Mutex::default(),
            living: Mutex::default(),
            pace,
            wall: fake_datacenter::clock::Clock::starting_at(epoch()?),
            plan,
            overheard: Arc::default(),
            began: Instant::now(),
            lives_begun: AtomicU64::new(0),
            stop: CancellationToken::new(),
        };
        world.install()?;
        for server in world.servers.values() {
            let written = Arc::clone(&world.written);
            server.on_write(Arc::new(move |_| written.notify_one()));
        }
        let planes: Vec<_> = world.servers.keys().copied().collect();
        for plane in planes {
            world.play(plane);
        }
        Ok(world)
    }

    fn install(&self) -> anyhow::Result<()> {
        for (plane, server) in &self.servers {
            for name in [NAMESPACE, DATABASES] {
                let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
                create(server, "/api/v1/namespaces", &namespace)?;
            }
            for (path, object) in roles::of(*plane == CONTROL_PLANE)? {
                create(server, path, object)?;
            }
        }
        let control = self.server(CONTROL_PLANE);
        for plane in PLANES {
            let secret = json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": format!("{plane}-kubeconfig"), "namespace": NAMESPACE},
                "data": {"kubeconfig": STANDARD.encode(kubeconfig(plane, &Door::first(plane)).to_string())},
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

    /// Plays cass-operator in a plane, from now on anew. Its requests suffer no faults: they are not what is tested.
    pub fn play(&self, plane: &'static str) {
        let mut players = self.players.lock().unwrap_or_else(PoisonError::into_inner);
        let stop = self.stop.child_token();
        if let Some(former) = players.insert(plane, stop.clone()) {
            former.cancel();
        }
        let index = self.servers.keys().position(|name| *name == plane);
        let service = self.server(plane).service(User::admin());
        let client = kube::Client::new(service.without_managed_fields(), "default");
        let (rings, pace) = (self.rings.clone(), self.pace);
        let index = index.unwrap_or_default();
        let plane = Plane::new(plane, index, client, rings, pace, self.wall, stop);
        tokio::spawn(plane.run());
    }

    /// A program lives this life now.
    pub fn lives(&self, name: Name, life: &Life) {
        let mut living = self.living.lock().unwrap_or_else(PoisonError::into_inner);
        living.insert(name, life.clone());
    }

    /// Ends the present life of every program.
    pub fn end_lives(&self) {
        let living = self.living.lock().unwrap_or_else(PoisonError::into_inner);
        for life in living.values() {
            life.end();
        }
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

    /// Notes the state that a plane's API server has now.
    pub fn back_up(&self, plane: &'static str) {
        let version = self.server(plane).version();
        let mut backups = self.backups.lock().unwrap_or_else(PoisonError::into_inner);
        backups.insert(plane, version);
    }

    /// The version of the state that was noted.
    #[must_use]
    pub fn backup(&self, plane: &str) -> Option<u64> {
        let backups = self.backups.lock().unwrap_or_else(PoisonError::into_inner);
        backups.get(plane).copied()
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
        let life = self.lives_begun.fetch_add(1, Ordering::Relaxed);
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
        let wires = PLANES.map(|plane| (plane, Wiretap::new(self, plane, program, life)));
        let wires: BTreeMap<&str, Wiretap> = wires.into();
        let (doors, weather) = (Arc::clone(&self.doors), Arc::clone(&self.weather));
        Arc::new(move |access, _| {
            let host = access.host();
            let wire = doors.behind(&host).and_then(|plane| wires.get_key_value(plane));
            let Some((_, wire)) = wire else {
                let message = format!("there is no {host}");
                return Err(Refusal::new(RefusalReason::ServerInvalid, message));
            };
            let token = access
                .token
                .as_ref()
                .map(|token| token.expose_secret().to_owned());
            let door = Door {
                host,
                token: token.unwrap_or_default(),
            };
            let way = Way::new(wire.clone(), wire.plane(), door, &doors, &weather);
            Ok(BoxCloneSyncService::new(way))
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

/// What the kubeconfig Secret of a plane says.
pub(crate) fn kubeconfig(plane: &str, door: &Door) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": plane,
        "contexts": [{"name": plane, "context": {"cluster": plane, "user": plane}}],
        "clusters": [{"name": plane, "cluster": {"server": format!("https://{}", door.host)}}],
        "users": [{"name": plane, "user": {"token": door.token}}],
    })
}

fn create(server: &Server, path: &str, object: &Value) -> anyhow::Result<()> {
    ask(server, "POST", path, "application/json", object)
}

pub(crate) fn ask(
    server: &Server,
    method: &str,
    path: &str,
    kind: &str,
    object: &Value,
) -> anyhow::Result<()> {
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
