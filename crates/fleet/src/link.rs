//! What a controller gets to start its watches of one plane with.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use kube::core::NamespaceResourceScope;
use kube::runtime::watcher;
use kube::{Api, Client, Resource};
use runtime::{CacheState, CancellationToken, Metrics, Queue, Roots, WatchErrorKind, WatchSpec, Wire};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tower::Layer;

use crate::cache::PlaneCache;
use crate::guard::{Guard, Rules};
use crate::health::Pulse;
use crate::limits::{Deadlines, Limits};
use crate::refusal::Refusal;

/// Makes one more connection pool to the plane.
pub(crate) type Pool = Arc<dyn Fn() -> Result<Wire, Refusal> + Send + Sync>;

/// One plane, as the controller's `engage` sees it. Clones are the same plane.
#[derive(Clone)]
pub struct PlaneLink {
    /// Name of the context; empty for the control plane itself.
    pub context: String,
    /// Guarded client for requests: connections of its own, a deadline and a bounded number of calls at once.
    pub requests: Client,
    pub(crate) probe: Client,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) stop: CancellationToken,
    shared: Arc<Shared>,
}

struct Shared {
    pool: Pool,
    watches: Mutex<WatchClient>,
    namespaces: Arc<[String]>,
    metrics: Metrics,
    bounds: Bounds,
}

/// What every client of a plane obeys.
#[derive(Clone)]
pub(crate) struct Bounds {
    pub deadlines: Deadlines,
    pub limits: Limits,
    pub user_agent: HeaderValue,
    /// Counts requests; `None` for the control plane, whose client counts already.
    pub counter: Option<runtime::Guard>,
}

/// The client that the next watch gets, and how many more its connection carries.
struct WatchClient {
    client: Client,
    room: usize,
}

impl PlaneLink {
    pub(crate) fn new(
        context: &str,
        pool: Pool,
        bounds: &Bounds,
        namespaces: &[String],
        pulse: Arc<Pulse>,
        metrics: &Metrics,
        stop: CancellationToken,
    ) -> Result<Self, Refusal> {
        let requests = pool()?;
        let suspect = suspicion(&pulse);
        // A probe must not raise the suspicion that it answers, nor wait for calls that hang.
        let probe = guarded(requests.clone(), bounds, Arc::new(|| {}));
        let watches = WatchClient {
            client: guarded(pool()?, bounds, Arc::clone(&suspect)),
            room: bounds.limits.watches,
        };
        let shared = Shared {
            pool,
            watches: Mutex::new(watches),
            namespaces: namespaces.into(),
            metrics: metrics.clone(),
            bounds: bounds.clone(),
        };
        Ok(Self {
            context: context.to_owned(),
            requests: guarded(requests, bounds, suspect),
            probe,
            pulse,
            stop,
            shared: Arc::new(shared),
        })
    }

    /// Starts to watch a namespaced kind in the namespaces that this program looks at (all, if none are given).
    ///
    /// See [`runtime::watch`] for `decode` and `roots`. Whoever the plane's state concerns is also told by the fleet's
    /// `changed`, so a pass that saw `Unknown` runs again once that is over.
    pub fn watch<K, T>(
        &self,
        name: &'static str,
        api: fn(Client) -> Api<K>,
        config: watcher::Config,
        decode: fn(K) -> Option<T>,
        roots: Roots<T>,
        queue: &Queue,
    ) -> PlaneCache<T>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Debug
            + Send
            + 'static,
        T: Clone + PartialEq + Send + Sync + 'static,
    {
        let spec = |client| WatchSpec::new(name, api(client), config, decode, roots);
        self.watch_in_namespaces(spec, queue)
    }

    /// As [`PlaneLink::watch`], of whatever else the spec says.
    pub fn watch_in_namespaces<K, T>(
        &self,
        spec: impl FnOnce(Client) -> WatchSpec<K, T>,
        queue: &Queue,
    ) -> PlaneCache<T>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Debug
            + Send
            + 'static,
        T: Clone + PartialEq + Send + Sync + 'static,
    {
        let namespaces = &self.shared.namespaces;
        let streams = namespaces.len().max(1);
        let spec = |client| spec(client).in_namespaces(namespaces);
        self.start(spec, streams, Arc::clone(namespaces), queue)
    }

    /// As [`PlaneLink::watch`], of whatever the spec says: another scope, or metadata only.
    pub fn watch_spec<K, T>(
        &self,
        spec: impl FnOnce(Client) -> WatchSpec<K, T>,
        queue: &Queue,
    ) -> PlaneCache<T>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Send + 'static,
        T: Clone + PartialEq + Send + Sync + 'static,
    {
        self.start(spec, 1, Arc::from([]), queue)
    }

    /// The namespaces that this program looks at; none = all.
    #[must_use]
    pub fn namespaces(&self) -> &[String] {
        &self.shared.namespaces
    }

    /// Cancelled when the plane is removed or its credentials are replaced.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    fn start<K, T>(
        &self,
        spec: impl FnOnce(Client) -> WatchSpec<K, T>,
        streams: usize,
        namespaces: Arc<[String]>,
        queue: &Queue,
    ) -> PlaneCache<T>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Send + 'static,
        T: Clone + PartialEq + Send + Sync + 'static,
    {
        let number = self.pulse.add_watch();
        let pulse = Arc::clone(&self.pulse);
        let on_state = move |state: CacheState| {
            if let CacheState::Stale { error } = &state
                && !answered(error.kind)
            {
                pulse.suspect();
            }
            pulse.watch_changed(number, state != CacheState::Starting);
        };
        let spec = spec(self.watch_client(streams));
        let cache = runtime::watch(
            spec,
            queue.clone(),
            &self.shared.metrics,
            self.stop.clone(),
            Some(Arc::new(on_state)),
        );
        PlaneCache {
            cache,
            pulse: Arc::clone(&self.pulse),
            context: self.context.as_str().into(),
            group: K::group(&()).into(),
            namespaces,
            stop: self.stop.clone(),
        }
    }

    /// A client whose connection has room for that many more watches.
    fn watch_client(&self, streams: usize) -> Client {
        let mut watches = self.shared.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = watches.room == self.shared.bounds.limits.watches;
        if watches.room < streams && !fresh {
            match (self.shared.pool)() {
                Ok(wire) => {
                    watches.client = guarded(wire, &self.shared.bounds, suspicion(&self.pulse));
                    watches.room = self.shared.bounds.limits.watches;
                }
                // It was made before from the same credentials; a crowded connection is better than none.
                Err(refusal) => {
                    tracing::warn!(plane = self.context, %refusal, "no further connection for watches");
                }
            }
        }
        watches.room = watches.room.saturating_sub(streams);
        watches.client.clone()
    }
}

/// Whether a watch failed although the plane answered, and as it should.
fn answered(kind: WatchErrorKind) -> bool {
    matches!(
        kind,
        WatchErrorKind::Forbidden
            | WatchErrorKind::NoSuchKind
            | WatchErrorKind::TooOld
            | WatchErrorKind::TooLarge
    )
}

fn suspicion(pulse: &Arc<Pulse>) -> Arc<dyn Fn() + Send + Sync> {
    let pulse = Arc::clone(pulse);
    Arc::new(move || pulse.suspect())
}

/// The outer guard of `runtime` only counts: ours is stricter in everything else.
fn guarded(wire: Wire, bounds: &Bounds, suspect: Arc<dyn Fn() + Send + Sync>) -> Client {
    let rules = Rules {
        deadlines: bounds.deadlines,
        limits: bounds.limits,
        slots: Arc::new(Semaphore::new(bounds.limits.calls)),
        user_agent: bounds.user_agent.clone(),
        suspect,
    };
    let guard = Guard::new(wire, rules).wire();
    match &bounds.counter {
        Some(counter) => Client::new(counter.layer(guard), "default"),
        None => Client::new(guard, "default"),
    }
}
