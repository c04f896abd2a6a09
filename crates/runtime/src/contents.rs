//! The objects of a cache, by key, each with the version that it was seen in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Key;
use crate::graves::Graves;

pub(crate) struct Contents<T> {
    entries: BTreeMap<Key, Entry<T>>,
    /// Objects that are there and do not decode.
    unreadable: BTreeSet<Key>,
    graves: Graves,
}

struct Entry<T> {
    value: Arc<T>,
    /// What the watch showed last, if our own write has changed it since. Its answer may hold what others wrote in
    /// between, whose events will be older than it: without this nobody would be woken for them.
    shown: Option<Arc<T>>,
    /// `None`: not a number, so that it cannot be compared.
    version: Option<u64>,
}

/// What an event changed: the value that the watch showed before, and the one after.
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

impl<T> Contents<T> {
    pub(crate) fn new() -> Contents<T> {
        Contents {
            entries: BTreeMap::new(),
            unreadable: BTreeSet::new(),
            graves: Graves::default(),
        }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<T>> {
        self.entries.get(key).map(|entry| Arc::clone(&entry.value))
    }

    pub(crate) fn list(&self) -> Vec<(Key, Arc<T>)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.clone(), Arc::clone(&entry.value)))
            .collect()
    }

    pub(crate) fn is_unreadable(&self, key: &Key) -> bool {
        self.unreadable.contains(key)
    }

    /// The answer of our own write; ignored if it is older than what is known of the object or of its end.
    pub(crate) fn absorb(&mut self, key: Key, resource_version: &str, value: T) {
        let version = number(resource_version);
        if !self.is_late(&key, version) && !older(version, self.version_of(&key)) {
            let Change { key, old, .. } = self.put(key, version, Seen::Value(value));
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.shown = old;
            }
        }
    }

    /// One event of the watch. `None` if it is older than what is known of the object or of its end: events of one object come
    /// in order from any server, but what stands between may hold one back.
    pub(crate) fn take(&mut self, key: Key, resource_version: &str, seen: Seen<T>) -> Option<Change<T>> {
        let version = number(resource_version);
        let late = self.is_late(&key, version) || older(version, self.version_of(&key));
        (!late).then(|| self.put(key, version, seen))
    }

    /// A complete list, in the place of what was known of `scope`; what our own writes made after it stays.
    pub(crate) fn replace(
        &mut self,
        scope: Scope<'_>,
        resource_version: &str,
        list: Vec<(Key, String, Seen<T>)>,
    ) -> Vec<Change<T>> {
        let listed_at = number(resource_version);
        let named: BTreeSet<Key> = list.iter().map(|(key, _, _)| key.clone()).collect();
        let mut changes = self.bury_missing(scope, listed_at, &named);
        for (key, version, seen) in list {
            let version = number(&version);
            // What is ignored and was never shown needs no grave: the list's version covers it.
            let nothing = matches!(seen, Seen::Nothing) && !self.is_there(&key);
            if !nothing && !older(version, self.version_of(&key)) {
                changes.push(self.put(key, version, seen));
            }
        }
        self.graves.listed(scope, listed_at);
        changes
    }

    /// Whether an object that is not there was certainly gone at this version.
    fn is_late(&self, key: &Key, version: Option<u64>) -> bool {
        let gone = || self.graves.gone_at(key);
        !self.is_there(key) && version.is_some_and(|version| gone().is_some_and(|gone| version <= gone))
    }

    fn version_of(&self, key: &Key) -> Option<u64> {
        self.entries.get(key).and_then(|entry| entry.version)
    }

    /// Whether an object of this name is there, readable or not.
    fn is_there(&self, key: &Key) -> bool {
        self.entries.contains_key(key) || self.unreadable.contains(key)
    }

    fn put(&mut self, key: Key, version: Option<u64>, seen: Seen<T>) -> Change<T> {
        let old = self
            .entries
            .remove(&key)
            .map(|entry| entry.shown.unwrap_or(entry.value));
        self.unreadable.remove(&key);
        let new = match seen {
            Seen::Value(value) => {
                let value = Arc::new(value);
                self.entries.insert(
                    key.clone(),
                    Entry {
                        value: Arc::clone(&value),
                        shown: None,
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
