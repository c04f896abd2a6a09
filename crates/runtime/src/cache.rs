//! What one watch shows, as slim values: swapped at once at the end of a list, and never older than our own writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch as channel;

use crate::Key;
use crate::graves::Graves;
use crate::watch_error::WatchError;

/// How current a cache is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheState {
    /// The first list is on its way.
    Starting,
    /// The watch runs.
    Synced,
    /// The watch has failed and is tried again; contents are the last known ones (none, if it never listed: see
    /// [`Cache::listed`]).
    Stale {
        /// The latest failure.
        error: WatchError,
    },
}

/// The objects that one watch selects. Clones show the same contents.
pub struct Cache<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    contents: RwLock<Contents<T>>,
    health: channel::Sender<Health>,
}

struct Contents<T> {
    entries: BTreeMap<Key, Entry<T>>,
    /// Objects that are there and do not decode.
    unreadable: BTreeSet<Key>,
    graves: Graves,
}

pub(crate) struct Entry<T> {
    value: Arc<T>,
    /// `None`: not a number, so that it cannot be compared.
    version: Option<u64>,
}

/// State of each part (one namespace of a watch over several) and whether it has ever listed.
#[derive(Clone, Debug)]
struct Health {
    parts: Vec<(CacheState, bool)>,
}

/// What an event changed: the value before and after.
pub(crate) struct Change<T> {
    pub(crate) key: Key,
    pub(crate) old: Option<Arc<T>>,
    pub(crate) new: Option<Arc<T>>,
}

/// What an object is after decoding.
pub(crate) enum Seen<T> {
    Value(T),
    /// Not meant for this cache, or deleted.
    Nothing,
    Unreadable,
}

/// The part of the keys that a list speaks for: one namespace, or all.
pub(crate) type Scope<'a> = Option<&'a str>;

impl<T> Clone for Cache<T> {
    fn clone(&self) -> Self {
        Cache {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Cache<T> {
    pub(crate) fn new(parts: usize) -> Cache<T> {
        let contents = Contents {
            entries: BTreeMap::new(),
            unreadable: BTreeSet::new(),
            graves: Graves::default(),
        };
        let health = Health {
            parts: vec![(CacheState::Starting, false); parts],
        };
        Cache {
            shared: Arc::new(Shared {
                contents: RwLock::new(contents),
                health: channel::Sender::new(health),
            }),
        }
    }

    /// The last known value. `None` is *not seen*, which is no proof that the object does not exist.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<T>> {
        self.read().entries.get(key).map(|entry| Arc::clone(&entry.value))
    }

    /// All last known values, in key order.
    #[must_use]
    pub fn list(&self) -> Vec<(Key, Arc<T>)> {
        self.read()
            .entries
            .iter()
            .map(|(key, entry)| (key.clone(), Arc::clone(&entry.value)))
            .collect()
    }

    /// Whether an object of this name is there that could not be decoded, so that [`Cache::get`] hides it.
    #[must_use]
    pub fn unreadable(&self, key: &Key) -> bool {
        self.read().unreadable.contains(key)
    }

    /// How current the contents are. Of several namespaces the worst counts.
    #[must_use]
    pub fn state(&self) -> CacheState {
        self.shared.health.borrow().state()
    }

    /// Whether there has ever been a full list.
    #[must_use]
    pub fn listed(&self) -> bool {
        self.shared.health.borrow().listed()
    }

    /// Waits for the first full list. Never ends for a watch that is stopped before.
    pub async fn synced(&self) {
        let mut health = self.shared.health.subscribe();
        if health.wait_for(Health::listed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Takes the answer of our own write, which is newer than what the watch has shown. Events that are older are
    /// ignored from now on; nothing is woken. An answer that is older than what the watch has shown since, or than
    /// the object's deletion, is ignored. Only for objects that the watch's selectors select.
    pub fn absorb(&self, key: Key, resource_version: &str, value: T) {
        let version = number(resource_version);
        let mut contents = self.write();
        let (known, there) = contents.version_of(&key);
        let gone = if there {
            None
        } else {
            contents.graves.gone_at(&key)
        };
        if !older(version, known)
            && !matches!((version, gone), (Some(version), Some(gone)) if version <= gone)
        {
            contents.put(key, version, Seen::Value(value));
        }
    }

    /// One event of the watch. `None` if it is older than what is known.
    pub(crate) fn take(&self, key: Key, resource_version: &str, seen: Seen<T>) -> Option<Change<T>> {
        let version = number(resource_version);
        let mut contents = self.write();
        let (known, _) = contents.version_of(&key);
        (!older(version, known)).then(|| contents.put(key, version, seen))
    }

    /// Puts a complete list in the place of what was known of `scope`, but keeps what our own writes made after it.
    pub(crate) fn replace(
        &self,
        scope: Scope<'_>,
        resource_version: &str,
        list: Vec<(Key, String, Seen<T>)>,
    ) -> Vec<Change<T>> {
        let listed_at = number(resource_version);
        let mut contents = self.write();
        let named: BTreeSet<Key> = list.iter().map(|(key, _, _)| key.clone()).collect();
        let mut changes = contents.bury_missing(scope, listed_at, &named);
        for (key, version, seen) in list {
            let version = number(&version);
            if !older(version, contents.version_of(&key).0) {
                changes.push(contents.put(key, version, seen));
            }
        }
        contents.graves.listed(scope, listed_at);
        changes
    }

    /// Returns the new state of the whole if it changed.
    pub(crate) fn set_state(&self, part: usize, state: CacheState) -> Option<CacheState> {
        let mut changed = None;
        self.shared.health.send_if_modified(|health| {
            let before = (health.state(), health.listed());
            if let Some(one) = health.parts.get_mut(part) {
                one.1 |= state == CacheState::Synced;
                one.0 = state;
            }
            let after = (health.state(), health.listed());
            changed = (before.0 != after.0).then(|| after.0.clone());
            before != after
        });
        changed
    }

    fn read(&self) -> RwLockReadGuard<'_, Contents<T>> {
        // Every change below is complete after each of its steps, so that a panic leaves nothing half done.
        self.shared
            .contents
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Contents<T>> {
        self.shared
            .contents
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Contents<T> {
    /// The version of the value that is shown, and whether an object of this name is there at all.
    fn version_of(&self, key: &Key) -> (Option<u64>, bool) {
        let entry = self.entries.get(key);
        (
            entry.and_then(|entry| entry.version),
            entry.is_some() || self.unreadable.contains(key),
        )
    }

    fn put(&mut self, key: Key, version: Option<u64>, seen: Seen<T>) -> Change<T> {
        let old = self.entries.remove(&key).map(|entry| entry.value);
        self.unreadable.remove(&key);
        let new = match seen {
            Seen::Value(value) => {
                let value = Arc::new(value);
                self.entries.insert(
                    key.clone(),
                    Entry {
                        value: Arc::clone(&value),
                        version,
                    },
                );
                Some(value)
            }
            Seen::Nothing => {
                self.graves.bury(&key, version);
                None
            }
            Seen::Unreadable => {
                self.unreadable.insert(key.clone());
                None
            }
        };
        Change { key, old, new }
    }

    /// A list says nothing of what vanished while nobody watched: what it does not name is gone.
    fn bury_missing(
        &mut self,
        scope: Scope<'_>,
        listed_at: Option<u64>,
        named: &BTreeSet<Key>,
    ) -> Vec<Change<T>> {
        let gone = |key: &Key| covers(scope, key) && !named.contains(key);
        self.unreadable.retain(|key| !gone(key));
        let vanished: Vec<Key> = self
            .entries
            .iter()
            .filter(|(key, entry)| gone(key) && !older(listed_at, entry.version))
            .map(|(key, _)| key.clone())
            .collect();
        vanished
            .into_iter()
            .map(|key| self.put(key, listed_at, Seen::Nothing))
            .collect()
    }
}

impl Health {
    fn state(&self) -> CacheState {
        let worst = |wanted: fn(&CacheState) -> bool| {
            self.parts
                .iter()
                .map(|(state, _)| state)
                .find(|state| wanted(state))
                .cloned()
        };
        worst(|state| matches!(state, CacheState::Stale { .. }))
            .or_else(|| worst(|state| *state == CacheState::Starting))
            .unwrap_or(CacheState::Synced)
    }

    fn listed(&self) -> bool {
        self.parts.iter().all(|(_, listed)| *listed)
    }
}

pub(crate) fn covers(scope: Scope<'_>, key: &Key) -> bool {
    scope.is_none_or(|namespace| namespace == key.namespace)
}

/// Kubernetes calls versions opaque, but they are growing numbers on every API server there is; where one is not,
/// the event is taken as it comes.
fn number(resource_version: &str) -> Option<u64> {
    resource_version.parse().ok()
}

/// Whether `version` is certainly older than `known`.
fn older(version: Option<u64>, known: Option<u64>) -> bool {
    matches!((version, known), (Some(version), Some(known)) if version < known)
}
