//! One API server and everything that this program plays on it: an actor for each datacenter, woken by watches.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::apiserver::Apiserver;
use crate::cassandra::Cassandra;
use crate::clock::Clock;
use crate::datacenter::Actor;
use crate::json;
use crate::pace::Pace;
use crate::ring::{NodeId, Rings};

/// Addresses that a plane can give to pods.
const ADDRESSES_PER_PLANE: u32 = 4096;
/// Planes that fit into 198.18.0.0/15.
pub const MAX_PLANES: usize = 32;

/// A datacenter's namespace and name.
pub type Key = (String, String);

/// One API server.
pub struct Plane {
    /// Its name in this run.
    pub name: String,
    /// Requests to it.
    pub api: Apiserver,
    /// What is known of pods, claims and rings, shared with the other planes.
    pub rings: Rings,
    /// What runs in the pods.
    pub cassandra: Cassandra,
    /// How long things take.
    pub pace: Pace,
    /// Wall time.
    pub clock: Clock,
    pub(crate) stop: CancellationToken,
    index: u32,
    next_address: Mutex<u32>,
    actors: Mutex<BTreeMap<Key, Arc<Bell>>>,
    tasks: TaskTracker,
}

/// Wakes one actor and says why.
#[derive(Default)]
pub struct Bell {
    notify: Notify,
    reasons: Mutex<Reasons>,
}

/// Why an actor was woken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reasons {
    /// The datacenter itself changed: the operator looks, even after it gave up.
    pub datacenter: bool,
    /// A Secret that the datacenter reads changed.
    pub secret: bool,
    /// A task appeared or changed.
    pub task: bool,
}

impl Bell {
    /// Rings; `set` says why.
    pub fn ring(&self, set: impl FnOnce(&mut Reasons)) {
        set(&mut self.reasons.lock().unwrap_or_else(PoisonError::into_inner));
        self.notify.notify_one();
    }

    pub(crate) fn take(&self) -> Reasons {
        std::mem::take(&mut self.reasons.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) async fn rung(&self) {
        self.notify.notified().await;
    }
}

impl Plane {
    /// Plane number `index` of this run; `index` decides which addresses its pods get.
    ///
    /// # Panics
    /// When `index` is not below [`MAX_PLANES`].
    #[must_use]
    pub fn new(
        name: &str,
        index: usize,
        client: kube::Client,
        cassandra: impl Into<Cassandra>,
        pace: Pace,
        clock: Clock,
        stop: CancellationToken,
    ) -> Arc<Self> {
        assert!(index < MAX_PLANES, "more than {MAX_PLANES} planes");
        let cassandra = cassandra.into();
        Arc::new(Self {
            name: name.to_owned(),
            api: Apiserver::new(name, client),
            rings: cassandra.rings().clone(),
            cassandra,
            pace,
            clock,
            stop,
            index: u32::try_from(index).unwrap_or_default(),
            next_address: Mutex::new(0),
            actors: Mutex::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// A node of this plane.
    #[must_use]
    pub fn node(&self, namespace: &str, pod: &str) -> NodeId {
        NodeId {
            plane: self.name.clone(),
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
        }
    }

    /// An address that no running pod has.
    #[must_use]
    pub fn new_address(&self) -> Ipv4Addr {
        let mut next = self.next_address.lock().unwrap_or_else(PoisonError::into_inner);
        let world = self.rings.lock();
        loop {
            *next = *next % (ADDRESSES_PER_PLANE - 2) + 1;
            let address = Ipv4Addr::from(self.first_address() + *next);
            if world.node_at(address).is_none() {
                return address;
            }
        }
    }

    /// Keeps an address that a pod of an earlier run has from being given away again.
    pub(crate) fn address_is_taken(&self, address: &str) {
        let Ok(address) = address.parse::<Ipv4Addr>() else {
            return;
        };
        let Some(offset) = u32::from(address).checked_sub(self.first_address()) else {
            return;
        };
        if offset < ADDRESSES_PER_PLANE {
            let mut next = self.next_address.lock().unwrap_or_else(PoisonError::into_inner);
            *next = (*next).max(offset);
        }
    }

    fn first_address(&self) -> u32 {
        u32::from(Ipv4Addr::new(198, 18, 0, 0)) + self.index * ADDRESSES_PER_PLANE
    }

    /// Wakes the actor of a datacenter, and makes it when there is none.
    pub(crate) fn wake(self: &Arc<Self>, key: Key, set: impl FnOnce(&mut Reasons)) {
        let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = actors.entry(key.clone()).or_insert_with(|| {
            let bell = Arc::new(Bell::default());
            self.tasks
                .spawn(Actor::new(Arc::clone(self), key, Arc::clone(&bell)).run());
            bell
        });
        bell.ring(set);
    }

    /// Wakes the actor of the datacenter whose label an object carries.
    pub(crate) fn wake_owner(self: &Arc<Self>, object: &Value) {
        let datacenter = json::label(object, crate::names::DATACENTER);
        if !datacenter.is_empty() {
            let namespace = json::text(object, "/metadata/namespace");
            self.wake((namespace.to_owned(), datacenter.to_owned()), |_| {});
        }
    }

    /// Wakes the actor of a datacenter when there is one.
    pub(crate) fn wake_known_one(&self, (namespace, name): (&str, &str), set: impl FnOnce(&mut Reasons)) {
        let actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = actors.get(&(namespace.to_owned(), name.to_owned())) {
            bell.ring(set);
        }
    }

    /// Wakes the actors of a namespace.
    pub(crate) fn wake_all(&self, namespace: &str, set: impl Fn(&mut Reasons)) {
        let actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, bell) in actors.iter().filter(|((place, _), _)| place == namespace) {
            bell.ring(&set);
        }
    }

    /// Keeps a node from being ready, or lets it be ready again.
    pub fn impair(&self, namespace: &str, pod: &str, impaired: bool) {
        let node = self.node(namespace, pod);
        {
            let mut world = self.rings.lock();
            if impaired {
                world.impaired.insert(node);
            } else {
                world.impaired.remove(&node);
            }
        }
        self.wake_all(namespace, |_| {});
    }

    /// Wakes every actor that there is, for no reason of its own.
    pub(crate) fn wake_known(&self) {
        let actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        for bell in actors.values() {
            bell.ring(|_| {});
        }
    }

    /// An actor has nothing left to do. False when it was rung meanwhile: then it must go on.
    pub(crate) fn forget(&self, key: &Key, bell: &Bell) -> bool {
        let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        let reasons = bell.take();
        if reasons.datacenter || reasons.task {
            return false;
        }
        actors.remove(key);
        true
    }

    /// Plays on this API server until stopped.
    pub async fn run(self: Arc<Self>) {
        crate::watches::run(&self).await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}
