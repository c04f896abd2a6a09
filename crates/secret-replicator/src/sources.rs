//! The selected Secrets of each ReplicatedSecret.
//!
//! One watch shows all Secrets with the label that cluster-reconciler gives (`k8ssandra.io/replicated-by`): it serves
//! every ReplicatedSecret whose selector asks for that label, which are those of all clusters. Each other one gets a
//! watch of its own, with its selector, in its namespace. No Secret that nobody selects is ever read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::names::label;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::runtime::watcher;
use plan::replication::{SecretView, Selector};
use runtime::{Cache, CacheState, CancellationToken, Key, Process, Queue, Roots, WatchSpec};

use crate::view;

/// The sources of all ReplicatedSecrets.
pub(crate) struct Sources {
    process: Arc<Process>,
    queue: Queue,
    of_clusters: Cache<SecretView>,
    selectors: Selectors,
    own: Mutex<BTreeMap<Key, Own>>,
}

/// Who has to be woken for a Secret of the shared watch.
#[derive(Clone, Default)]
struct Selectors(Arc<Mutex<BTreeMap<Key, Selector>>>);

/// A watch for one ReplicatedSecret.
struct Own {
    query: String,
    cache: Cache<SecretView>,
    stop: CancellationToken,
}

impl Sources {
    pub fn start(process: &Arc<Process>, queue: &Queue) -> Sources {
        let selectors = Selectors::default();
        let wake = selectors.clone();
        // A copy is never a source.
        let labels = format!(
            "{}={},!{}",
            label::REPLICATED_BY,
            label::CLUSTER_CONTROLLER,
            label::REPLICATED_SECRET_NAME
        );
        let roots: Roots<SecretView> = Arc::new(move |_, secret| wake.of(secret));
        let spec = spec(
            "Secret of a cluster",
            Api::all(process.watch_client.clone()),
            &labels,
            roots,
        );
        let spec = spec.in_namespaces(&process.args.namespaces());
        let of_clusters = runtime::watch(spec, queue.clone(), &process.metrics, process.stop.clone(), None);
        Sources {
            process: process.clone(),
            queue: queue.clone(),
            of_clusters,
            selectors,
            own: Mutex::default(),
        }
    }

    /// Waits for the first list of the shared watch.
    pub async fn synced(&self) {
        self.of_clusters.synced().await;
    }

    /// The Secrets that a ReplicatedSecret selects, by name; `None` until they are listed, after which `key` is woken.
    pub fn of(&self, key: &Key, selector: &Selector) -> Option<Vec<SecretView>> {
        let cache = if selector.requires(label::REPLICATED_BY, label::CLUSTER_CONTROLLER) {
            self.selectors.all().insert(key.clone(), selector.clone());
            self.stop_own(key);
            self.of_clusters.clone()
        } else {
            self.selectors.all().remove(key);
            self.own_watch(key, selector)
        };
        if !cache.listed() {
            return None;
        }
        let listed = cache.list().into_iter().map(|(_, secret)| secret);
        let selected = listed.filter(|secret| {
            secret.namespace == key.namespace
                && !secret.deleting
                && selector.matches(&secret.labels)
                && crate::watches::replicated_by(secret).as_ref() != Some(key)
        });
        Some(selected.map(|secret| (*secret).clone()).collect())
    }

    /// The ReplicatedSecret is gone, or selects nothing.
    pub fn forget(&self, key: &Key) {
        self.selectors.all().remove(key);
        self.stop_own(key);
    }

    fn stop_own(&self, key: &Key) {
        if let Some(own) = self.own().remove(key) {
            own.stop.cancel();
        }
    }

    fn own_watch(&self, key: &Key, selector: &Selector) -> Cache<SecretView> {
        let query = selector.query();
        let mut own = self.own();
        if let Some(known) = own.get(key) {
            if known.query == query {
                return known.cache.clone();
            }
            known.stop.cancel();
        }
        let stop = self.process.stop.child_token();
        let (wake, root) = (self.queue.clone(), key.clone());
        let listed = (self.queue.clone(), key.clone());
        let on_state = move |state: CacheState| {
            // An empty list wakes nobody by itself.
            if state == CacheState::Synced {
                listed.0.wake(listed.1.clone());
            }
        };
        let roots: Roots<SecretView> = Arc::new(move |_, _| vec![root.clone()]);
        let api = Api::namespaced(self.process.watch_client.clone(), &key.namespace);
        let spec = spec("selected Secret", api, &query, roots);
        let metrics = &self.process.metrics;
        let cache = runtime::watch(spec, wake, metrics, stop.clone(), Some(Arc::new(on_state)));
        own.insert(
            key.clone(),
            Own {
                query,
                cache: cache.clone(),
                stop,
            },
        );
        cache
    }

    fn own(&self) -> MutexGuard<'_, BTreeMap<Key, Own>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spec(
    name: &'static str,
    api: Api<Secret>,
    labels: &str,
    roots: Roots<SecretView>,
) -> WatchSpec<Secret, SecretView> {
    let config = if labels.is_empty() {
        watcher::Config::default()
    } else {
        watcher::Config::default().labels(labels)
    };
    WatchSpec::new(name, api, config, view::view, roots)
}

impl Selectors {
    /// The ReplicatedSecrets that select a Secret.
    fn of(&self, secret: &SecretView) -> Vec<Key> {
        let all = self.all();
        let first = Key::new(&secret.namespace, "");
        let same = all
            .range(first..)
            .take_while(|(key, _)| key.namespace == secret.namespace);
        same.filter(|(_, selector)| selector.matches(&secret.labels))
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, Selector>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
