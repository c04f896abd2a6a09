//! A small Kubernetes API server on a loopback address, over TLS, that can be made hostile.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot be set up fails"
)]
#![allow(dead_code, unused_imports, reason = "each test file uses its part of it")]

mod answers;
mod certificates;
mod objects;
mod server;
mod stall;

pub use answers::{Answer, bytes, dripping, endless, json, pending};
pub use certificates::{Authority, kubeconfig};
pub use objects::status;
pub use server::{Asked, Server};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fleet::{Deadlines, Fleet, FleetOptions, Home, PlaneCache, PlaneLink};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::runtime::watcher;
use runtime::{CancellationToken, Metrics, Patience, Queue};

/// A tenth of the real ones.
pub fn quick() -> Deadlines {
    let tenth = |deadline: Duration| deadline / 10;
    let real = Deadlines::default();
    Deadlines {
        call: tenth(real.call),
        connection: Patience {
            connect: tenth(real.connection.connect),
            keep_alive: tenth(real.connection.keep_alive),
            keep_alive_answer: tenth(real.connection.keep_alive_answer),
        },
        probe: tenth(real.probe),
        first_pause: tenth(real.first_pause),
        longest_pause: tenth(real.longest_pause),
    }
}

/// A control plane and the fleet of a program in it.
pub struct World<C: Send + Sync + 'static> {
    pub home: Server,
    pub fleet: Arc<Fleet<C>>,
    pub changes: Arc<AtomicUsize>,
    pub metrics: Metrics,
    stop: CancellationToken,
}

impl<C: Send + Sync + 'static> Drop for World<C> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl<C: Send + Sync + 'static> World<C> {
    pub fn with(
        home: Server,
        options: FleetOptions,
        engage: impl Fn(&PlaneLink) -> C + Send + Sync + 'static,
    ) -> Self {
        let (stop, metrics) = (CancellationToken::new(), Metrics::new());
        let changes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&changes);
        let at = Home {
            client: home.client(&options),
            watch_client: home.client(&options),
            metrics: metrics.clone(),
            stop: stop.clone(),
        };
        let fleet = Fleet::start_at(at, options, engage, move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        Self {
            home,
            fleet,
            changes,
            metrics,
            stop,
        }
    }

    pub fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }
}

pub fn options() -> FleetOptions {
    let mut options = FleetOptions::new(&[], "ringspan-test");
    options.deadlines = quick();
    options
}

/// A ClientConfig `name` with its Secret, as the control plane holds them.
pub fn register(home: &Server, name: &str, kubeconfig: &str) {
    put_secret(home, name, kubeconfig);
    put_client_config(
        home,
        name,
        &serde_json::json!({"kubeConfigSecret": {"name": name}}),
    );
}

pub fn put_secret(home: &Server, name: &str, kubeconfig: &str) {
    use base64::Engine;
    let data = base64::engine::general_purpose::STANDARD.encode(kubeconfig);
    let secret = serde_json::json!({"metadata": {}, "data": {"kubeconfig": data}});
    home.put(&format!("/api/v1/namespaces/ns/secrets/{name}"), secret);
}

pub fn put_client_config(home: &Server, name: &str, spec: &serde_json::Value) {
    let path = format!("/apis/config.k8ssandra.io/v1beta1/namespaces/ns/clientconfigs/{name}");
    home.put(&path, serde_json::json!({"metadata": {}, "spec": spec}));
}

pub fn remove_client_config(home: &Server, name: &str) {
    home.delete(&format!(
        "/apis/config.k8ssandra.io/v1beta1/namespaces/ns/clientconfigs/{name}"
    ));
}

/// Waits until `holds`, and says what was waited for if it never does.
pub async fn eventually(what: &str, holds: impl Fn() -> bool) {
    within(Duration::from_secs(10), what, holds).await;
}

/// Waits until `holds`, at most that long; looks every 5 ms.
pub async fn within(at_most: Duration, what: &str, holds: impl Fn() -> bool) {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while !holds() {
            ticks.tick().await;
        }
    };
    assert!(
        tokio::time::timeout(at_most, looking).await.is_ok(),
        "not within {at_most:?}: {what}"
    );
}

/// The ConfigMaps of a plane: name and one value.
pub type ConfigMaps = PlaneCache<BTreeMap<String, String>>;

/// A fleet with the planes of these servers, each known by its context and engaged, that watches their ConfigMaps.
pub async fn fleet_of(planes: &[(&str, &Server)], options: FleetOptions) -> World<ConfigMaps> {
    let home = Server::start();
    for (context, server) in planes {
        register(&home, context, &server.kubeconfig(context));
    }
    let world = World::with(home, options, watch_config_maps());
    eventually("planes are engaged", || {
        planes
            .iter()
            .all(|(context, _)| world.fleet.plane(context).is_ok())
    })
    .await;
    world
}

pub fn watch_config_maps() -> impl Fn(&PlaneLink) -> ConfigMaps + Send + Sync + 'static {
    |link| {
        let queue = Queue::new("test", &Metrics::new());
        link.watch(
            "configmaps",
            Api::<ConfigMap>::all,
            watcher::Config::default(),
            |object| object.data,
            Arc::new(|_, _| vec![]),
            &queue,
        )
    }
}

pub const MAP: &str = "/api/v1/namespaces/db/configmaps/m";

pub fn map(value: &str) -> serde_json::Value {
    serde_json::json!({"metadata": {}, "data": {"key": value}})
}
