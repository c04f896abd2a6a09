//! One watch: a task of its own with its own back-off, that keeps a [`Cache`] and only sends keys.
//!
//! It lists and watches by itself instead of using kube's `watcher`, because that one does not tell when a broken
//! watch works again, so that nobody could say whether a cache is current.

use std::sync::Arc;

use kube::core::NamespaceResourceScope;
use kube::runtime::watcher;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::cache::{Cache, CacheState};
use crate::follow::Follower;
use crate::intake::Collection;
use crate::metrics::Metrics;
use crate::transport::Transport;
use crate::{Key, Queue};

/// Which root objects an object concerns.
pub type Roots<T> = Arc<dyn Fn(&Key, &T) -> Vec<Key> + Send + Sync>;

/// Told when the state of a cache changes.
pub type OnState = Arc<dyn Fn(CacheState) + Send + Sync>;

/// What to watch, what to keep of it, and whom to wake.
pub struct WatchSpec<K, T> {
    name: &'static str,
    apis: Vec<Api<K>>,
    config: watcher::Config,
    decode: fn(K) -> Option<T>,
    roots: Roots<T>,
    managed_fields: bool,
    metadata_only: bool,
}

impl<K: Resource + Clone, T> WatchSpec<K, T> {
    /// `name` is for logs and metrics. `decode` makes the slim value that is kept; `None` = ignore the object. `T`
    /// must hold all that a pass reads: a change that leaves it equal wakes nobody.
    ///
    /// Of `config` the selectors, `timeout`, `bookmarks` and a `page_size` below 200 count. Lists are always the most
    /// recent state; streaming lists are not used.
    pub fn new(
        name: &'static str,
        api: Api<K>,
        config: watcher::Config,
        decode: fn(K) -> Option<T>,
        roots: Roots<T>,
    ) -> WatchSpec<K, T> {
        WatchSpec {
            name,
            apis: vec![api],
            config,
            decode,
            roots,
            managed_fields: false,
            metadata_only: false,
        }
    }

    /// Watches these namespaces instead of what the `Api` says, one request each, into one cache. None given: no
    /// change.
    #[must_use]
    pub fn in_namespaces(mut self, namespaces: &[String]) -> WatchSpec<K, T>
    where
        K: Resource<Scope = NamespaceResourceScope>,
    {
        if let Some(api) = self.apis.first().filter(|_| !namespaces.is_empty()).cloned() {
            self.apis = namespaces
                .iter()
                .map(|namespace| api.clone().constrain(namespace))
                .collect();
        }
        self
    }

    /// Shows `metadata.managedFields` to `decode`; otherwise they are dropped before.
    #[must_use]
    pub fn with_managed_fields(mut self) -> WatchSpec<K, T> {
        self.managed_fields = true;
        self
    }

    /// Asks the server for metadata only; `K` should be `PartialObjectMeta<_>`.
    #[must_use]
    pub fn metadata_only(mut self) -> WatchSpec<K, T> {
        self.metadata_only = true;
        self
    }
}

/// Starts to watch and returns what it will fill. It ends when `stop` is cancelled.
///
/// * A failure pauses this watch only, 1 s doubling to 15 s (±20 %), and makes the cache [`CacheState::Stale`]; the
///   pause shrinks again once a watch has really worked, not when a list merely begins.
/// * A watch that breaks gets 2 s to resume before it counts as failed.
/// * After a list, the roots of whatever vanished meanwhile are woken too.
/// * The roots of an object's old and new value are woken, unless both are equal.
/// * An object that does not decode is left out, named in the log and by [`Cache::unreadable`]; others are unaffected.
#[expect(
    clippy::needless_pass_by_value,
    reason = "handles are handed over, as to a spawned task"
)]
pub fn watch<K, T>(
    spec: WatchSpec<K, T>,
    queue: Queue,
    metrics: &Metrics,
    stop: CancellationToken,
    on_state: Option<OnState>,
) -> Cache<T>
where
    K: Resource + Clone + DeserializeOwned + Send + 'static,
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let cache = Cache::new(spec.apis.len());
    for (part, api) in spec.apis.into_iter().enumerate() {
        let transport = Transport {
            watch: spec.name,
            path: api.resource_url().to_owned(),
            client: api.clone().into_client(),
            config: spec.config.clone(),
            metadata_only: spec.metadata_only,
        };
        let scope = api.namespace().map(str::to_owned);
        let intake = Box::new(Collection {
            watch: spec.name,
            scope: scope.clone(),
            part,
            decode: spec.decode,
            roots: Arc::clone(&spec.roots),
            managed_fields: spec.managed_fields,
            cache: cache.clone(),
            metrics: metrics.watch(spec.name),
            pages: Vec::new(),
        });
        let follower = Follower {
            transport,
            scope,
            intake,
            queue: queue.clone(),
            metrics: metrics.watch(spec.name),
            on_state: on_state.clone(),
        };
        start(follower, stop.clone());
    }
    cache
}

/// Not of any kind: what a program has of it, it has once.
fn start(follower: Follower, stop: CancellationToken) {
    tokio::spawn(async move { stop.run_until_cancelled_owned(follower.run()).await });
}
