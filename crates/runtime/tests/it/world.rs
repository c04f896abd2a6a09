//! What the tests of watches have in common.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::runtime::watcher;
use runtime::{Cache, CacheState, CancellationToken, Failure, Key, Metrics, Next, Queue, Retry, WatchSpec};
use runtime::{WorkOptions, watch, work};

use crate::server::Server;

/// What these tests keep of a ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slim {
    pub root: String,
    pub text: String,
    pub managed: usize,
}

pub fn slim(object: ConfigMap) -> Option<Slim> {
    let root = object.metadata.labels.unwrap_or_default().remove("root")?;
    let text = object.data.unwrap_or_default().remove("text").unwrap_or_default();
    Some(Slim {
        root,
        text,
        managed: object.metadata.managed_fields.map_or(0, |fields| fields.len()),
    })
}

pub fn spec(server: &Server) -> WatchSpec<ConfigMap, Slim> {
    let roots = Arc::new(|_: &Key, slim: &Slim| vec![key(&slim.root)]);
    WatchSpec::new(
        "config-maps",
        Api::all(server.client()),
        watcher::Config::default(),
        slim,
        roots,
    )
}

pub fn key(name: &str) -> Key {
    Key::new("db", name)
}

#[derive(Debug, thiserror::Error)]
#[error("no pass of these fails")]
pub struct Never;

impl Failure for Never {
    fn retry(&self) -> Retry {
        Retry::Backoff
    }
    fn class(&self) -> &'static str {
        "never"
    }
}

/// One queue, its watches, and the passes that ran.
pub struct World {
    pub queue: Queue,
    pub metrics: Metrics,
    pub stop: CancellationToken,
    pub states: Arc<Mutex<Vec<CacheState>>>,
    passes: Arc<Mutex<Vec<String>>>,
}

impl World {
    pub fn new() -> World {
        let (metrics, stop) = (Metrics::new(), CancellationToken::new());
        let queue = Queue::new("demo", &metrics);
        let passes = Arc::<Mutex<Vec<String>>>::default();
        let ran = Arc::clone(&passes);
        tokio::spawn(work(
            queue.clone(),
            WorkOptions::default(),
            stop.clone(),
            move |key: Key| {
                ran.lock().unwrap().push(key.name);
                async { Ok::<_, Never>(Next::Done) }
            },
        ));
        World {
            queue,
            metrics,
            stop,
            states: Arc::default(),
            passes,
        }
    }

    pub fn watch(&self, spec: WatchSpec<ConfigMap, Slim>) -> Cache<Slim> {
        let states = Arc::clone(&self.states);
        let told = Arc::new(move |state| states.lock().unwrap().push(state));
        watch(
            spec,
            self.queue.clone(),
            &self.metrics,
            self.stop.clone(),
            Some(told),
        )
    }

    /// Lets everything that is due happen, and returns the passes since the last call, sorted.
    pub async fn passes(&self) -> Vec<String> {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut passes = std::mem::take(&mut *self.passes.lock().unwrap());
        passes.sort();
        passes
    }
}

/// Names and texts of what a cache shows.
pub fn shown(cache: &Cache<Slim>) -> BTreeMap<String, String> {
    cache
        .list()
        .into_iter()
        .map(|(key, slim)| (key.name, slim.text.clone()))
        .collect()
}

/// Virtual time until something is true; at most an hour.
pub async fn until(mut happened: impl FnMut() -> bool) -> Duration {
    let start = tokio::time::Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_hours(1), "it did not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}
