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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch_error::WatchErrorKind;

    fn cache(listed_at: &str, names: &[(&str, &str)]) -> Cache<&'static str> {
        let cache = Cache::new(1);
        let list = names
            .iter()
            .map(|(name, version)| (key(name), (*version).to_owned(), Seen::Value("listed")));
        cache.replace(None, listed_at, list.collect());
        cache
    }

    fn key(name: &str) -> Key {
        Key::new("db", name)
    }

    fn value(cache: &Cache<&'static str>, name: &str) -> Option<&'static str> {
        cache.get(&key(name)).map(|value| *value)
    }

    #[test]
    fn our_own_answer_hides_older_events_and_gives_way_to_newer_ones() {
        let cache = cache("10", &[("a", "5")]);
        cache.absorb(key("a"), "12", "ours");
        assert!(cache.take(key("a"), "11", Seen::Value("older")).is_none());
        assert_eq!(value(&cache, "a"), Some("ours"));
        assert!(cache.take(key("a"), "13", Seen::Value("newer")).is_some());
        assert_eq!(value(&cache, "a"), Some("newer"));
        cache.absorb(key("a"), "12", "ours, late");
        assert_eq!(value(&cache, "a"), Some("newer"));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let cache = cache("9", &[("a", "9")]);
        cache.absorb(key("a"), "10", "ours");
        assert_eq!(value(&cache, "a"), Some("ours"));
    }

    #[test]
    fn versions_that_are_no_numbers_are_taken_as_they_come() {
        let cache = cache("x", &[("a", "f")]);
        cache.absorb(key("a"), "e", "ours");
        assert_eq!(value(&cache, "a"), Some("ours"));
        assert!(cache.take(key("a"), "d", Seen::Value("event")).is_some());
    }

    #[test]
    fn a_late_answer_does_not_bring_a_deleted_object_back() {
        let cache = cache("10", &[("a", "5")]);
        cache.take(key("a"), "20", Seen::Nothing);
        cache.absorb(key("a"), "15", "ghost");
        assert_eq!(value(&cache, "a"), None);
        cache.absorb(key("a"), "21", "made again");
        assert_eq!(value(&cache, "a"), Some("made again"));
    }

    #[test]
    fn a_late_answer_does_not_bring_back_what_the_last_list_did_not_name() {
        let cache = cache("10", &[]);
        cache.absorb(key("a"), "9", "ghost");
        assert_eq!(value(&cache, "a"), None);
        cache.absorb(key("a"), "11", "new");
        assert_eq!(value(&cache, "a"), Some("new"));
    }

    #[test]
    fn a_list_that_is_older_than_our_own_write_does_not_remove_it() {
        let cache = cache("10", &[]);
        cache.absorb(key("a"), "25", "ours");
        let changes = cache.replace(None, "20", Vec::new());
        assert!(changes.is_empty());
        assert_eq!(value(&cache, "a"), Some("ours"));
        assert_eq!(cache.replace(None, "30", Vec::new()).len(), 1);
        assert_eq!(value(&cache, "a"), None);
    }

    #[test]
    fn a_list_of_one_namespace_says_nothing_of_others() {
        let cache: Cache<&str> = Cache::new(2);
        cache.absorb(Key::new("other", "b"), "1", "kept");
        cache.replace(
            Some("db"),
            "10",
            vec![(key("a"), "2".into(), Seen::Value("listed"))],
        );
        assert_eq!(cache.list().len(), 2);
    }

    #[test]
    fn only_the_last_deletions_are_remembered_one_by_one() {
        let cache = cache("10", &[]);
        for number in 0..1000_u32 {
            cache.take(
                key(&number.to_string()),
                &(11 + number).to_string(),
                Seen::Nothing,
            );
        }
        cache.absorb(key("0"), "10", "covered by the list");
        assert_eq!(value(&cache, "0"), None);
        cache.absorb(key("999"), "1009", "remembered");
        assert_eq!(value(&cache, "999"), None);
    }

    #[test]
    fn of_several_parts_the_worst_is_the_state_and_all_must_have_listed() {
        let cache: Cache<()> = Cache::new(2);
        assert_eq!(
            cache.set_state(0, CacheState::Synced),
            None,
            "the other one is still starting"
        );
        assert_eq!((cache.state(), cache.listed()), (CacheState::Starting, false));
        assert_eq!(cache.set_state(1, CacheState::Synced), Some(CacheState::Synced));
        assert!(cache.listed());
        let error = WatchError {
            watch: "x",
            kind: WatchErrorKind::Forbidden,
            message: "no".into(),
        };
        let stale = CacheState::Stale { error };
        assert_eq!(cache.set_state(0, stale.clone()), Some(stale.clone()));
        assert_eq!(cache.set_state(0, stale.clone()), None, "told once");
        assert_eq!((cache.state(), cache.listed()), (stale, true));
    }
}
