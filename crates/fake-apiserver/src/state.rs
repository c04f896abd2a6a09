//! What a server holds: tables of objects, and every change to them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use serde_json::Value;

use crate::clock::Clock;
use crate::definitions::Served;
use crate::identity::Identities;
use crate::journal::Write;
use crate::object::{Object, owners};
use crate::options::{Compaction, Options};
use crate::place::Place;
use crate::schema::default::add_defaults;
use crate::schema::prune::prune;
use crate::tokens::Tokens;

/// `namespace/name`, or the name alone: in the order in which the real server lists.
pub(crate) type Key = Arc<str>;

pub(crate) fn key(namespace: &str, name: &str) -> Key {
    if namespace.is_empty() {
        name.into()
    } else {
        format!("{namespace}/{name}").into()
    }
}

/// Objects of one kind.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) objects: BTreeMap<Key, Arc<Object>>,
    /// Every change, oldest first.
    pub(crate) changes: Vec<Change>,
    wakers: Vec<Waker>,
}

#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) at: i64,
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<Object>>,
    pub(crate) after: Option<Arc<Object>>,
    /// A deleted object at the version of its deletion.
    pub(crate) gone: Option<Arc<Object>>,
}

impl Table {
    /// Index of the first change after a version.
    pub(crate) fn first_after(&self, version: u64) -> usize {
        self.changes.partition_point(|change| change.version <= version)
    }

    /// The objects as they were at a version.
    pub(crate) fn at(&self, version: u64) -> BTreeMap<Key, Arc<Object>> {
        let mut objects = self.objects.clone();
        for change in self.changes[self.first_after(version)..].iter().rev() {
            match &change.before {
                Some(before) => objects.insert(Key::clone(&change.key), Arc::clone(before)),
                None => objects.remove(&change.key),
            };
        }
        objects
    }

    /// One object as it was at a version.
    pub(crate) fn get_at(&self, key: &str, version: u64) -> Option<Arc<Object>> {
        let later = &self.changes[self.first_after(version)..];
        match later.iter().find(|change| &*change.key == key) {
            Some(change) => change.before.clone(),
            None => self.objects.get(key).cloned(),
        }
    }

    pub(crate) fn wait(&mut self, waker: &Waker) {
        if !self.wakers.iter().any(|known| known.will_wake(waker)) {
            self.wakers.push(waker.clone());
        }
    }

    fn wake(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }
}

/// Which object: its table and key.
pub(crate) type Id = (usize, Key);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) identities: Identities,
    pub(crate) served: Arc<Served>,
    pub(crate) tables: Vec<Table>,
    pub(crate) version: u64,
    /// Versions up to this one are gone for clients.
    pub(crate) compacted: u64,
    pub(crate) compaction: Compaction,
    /// Watches begun before the last cut end.
    pub(crate) cuts: u64,
    pub(crate) writes: Vec<Arc<Write>>,
    /// Changes with what is served.
    pub(crate) served_version: u64,
    /// Changes with each write to a role or a binding.
    pub(crate) roles_version: u64,
    by_uid: HashMap<String, Id>,
    dependents: HashMap<String, BTreeSet<Id>>,
    /// Objects whose owners or finalizers may ask for something.
    pub(crate) chores: VecDeque<Id>,
    /// Owners that are gone.
    pub(crate) orphaned: VecDeque<String>,
    pub(crate) addresses: u32,
    pub(crate) tokens: Tokens,
    /// What `kube-root-ca.crt` has.
    pub(crate) root_certificate: Arc<str>,
}

impl State {
    pub(crate) fn new(options: &Options) -> State {
        let served = options.definitions.served();
        State {
            clock: Clock::starting_at(options.epoch),
            identities: Identities::new(options.seed),
            tables: (0..served.tables()).map(|_| Table::default()).collect(),
            served,
            version: 0,
            compacted: 0,
            compaction: options.compaction,
            cuts: 0,
            writes: Vec::new(),
            served_version: 0,
            roles_version: 0,
            by_uid: HashMap::new(),
            dependents: HashMap::new(),
            chores: VecDeque::new(),
            orphaned: VecDeque::new(),
            addresses: 0,
            tokens: Tokens::new(options.seed),
            root_certificate: options.root_certificate.as_str().into(),
        }
    }

    pub(crate) fn table(&self, table: usize) -> &Table {
        &self.tables[table]
    }

    pub(crate) fn get(&self, table: usize, key: &str) -> Option<&Arc<Object>> {
        self.tables[table].objects.get(key)
    }

    pub(crate) fn of_uid(&self, uid: &str) -> Option<&Id> {
        self.by_uid.get(uid)
    }

    pub(crate) fn dependents_of(&self, uid: &str) -> Vec<Id> {
        self.dependents
            .get(uid)
            .map(|dependents| dependents.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// Stores an object under the next version and tells the watches.
    pub(crate) fn put(&mut self, table: usize, key: &Key, mut value: Value) -> Arc<Object> {
        self.version += 1;
        crate::object::metadata_mut(&mut value)
            .insert("resourceVersion".into(), self.version.to_string().into());
        let object = Arc::new(Object::new(value, self.version));
        let before = self.tables[table]
            .objects
            .insert(Key::clone(key), Arc::clone(&object));
        self.index(table, key, before.as_deref(), Some(&object));
        self.record(table, key, before, Some(Arc::clone(&object)), None);
        self.chores.push_back((table, Key::clone(key)));
        object
    }

    /// Stores an object that all servers share.
    pub(crate) fn put_first(&mut self, table: usize, key: &Key, object: Arc<Object>) {
        self.version = object.version;
        self.tables[table]
            .objects
            .insert(Key::clone(key), Arc::clone(&object));
        self.index(table, key, None, Some(&object));
        self.record(table, key, None, Some(object), None);
    }

    /// Removes an object; the answer is what its watches are shown.
    pub(crate) fn remove(&mut self, table: usize, key: &Key) -> Option<Arc<Object>> {
        let before = self.tables[table].objects.remove(key)?;
        self.version += 1;
        let gone = Arc::new(before.at_version(self.version));
        self.index(table, key, Some(&before), None);
        self.orphaned.push_back(before.uid().to_owned());
        self.remember_above(table, &before);
        self.record(table, key, Some(before), None, Some(Arc::clone(&gone)));
        Some(gone)
    }

    /// Owners, the definition and the namespace of what is gone may have waited for it.
    fn remember_above(&mut self, table: usize, gone: &Object) {
        let definitions = self
            .served
            .find("apiextensions.k8s.io/v1", "customresourcedefinitions");
        if let (Some(kind), Some(definitions)) = (self.served.stored(table), definitions)
            && !kind.built_in
        {
            self.chores
                .push_back((definitions.table, kind.qualified().into()));
        }
        for owner in owners(&gone.value) {
            let id = owner
                .get("uid")
                .and_then(Value::as_str)
                .and_then(|uid| self.by_uid.get(uid));
            if let Some(id) = id.cloned() {
                self.chores.push_back(id);
            }
        }
        let defined = self.served.stored(table).filter(|kind| !kind.built_in);
        let definitions = self
            .served
            .find("apiextensions.k8s.io/v1", "customresourcedefinitions");
        if let (Some(defined), Some(definitions)) = (defined, definitions) {
            let id = (definitions.table, defined.qualified().as_str().into());
            self.chores.push_back(id);
        }
        if let (Some(kind), false) = (self.served.find("v1", "namespaces"), gone.namespace().is_empty()) {
            self.chores.push_back((kind.table, gone.namespace().into()));
        }
    }

    fn record(
        &mut self,
        table: usize,
        key: &Key,
        before: Option<Arc<Object>>,
        after: Option<Arc<Object>>,
        gone: Option<Arc<Object>>,
    ) {
        let change = Change {
            version: self.version,
            at: self.clock.seconds(),
            key: Key::clone(key),
            before,
            after,
            gone,
        };
        let table = &mut self.tables[table];
        table.changes.push(change);
        table.wake();
    }

    fn index(&mut self, table: usize, key: &Key, before: Option<&Object>, after: Option<&Object>) {
        let id = (table, Key::clone(key));
        let uids = |object: Option<&Object>| -> Vec<String> {
            let owners = object.map(|object| owners(&object.value)).into_iter().flatten();
            owners
                .filter_map(|owner| owner.get("uid")?.as_str().map(str::to_owned))
                .collect()
        };
        let (old, new) = (uids(before), uids(after));
        for uid in old.iter().filter(|uid| !new.contains(uid)) {
            if let Some(dependents) = self.dependents.get_mut(uid) {
                dependents.remove(&id);
            }
        }
        for uid in new.into_iter().filter(|uid| !old.contains(uid)) {
            self.dependents.entry(uid).or_default().insert(id.clone());
        }
        match (before, after) {
            (None, Some(object)) => {
                self.by_uid.insert(object.uid().to_owned(), id);
            }
            (Some(object), None) => {
                self.by_uid.remove(object.uid());
            }
            _ => {}
        }
    }

    pub(crate) fn wake_all(&mut self) {
        for table in &mut self.tables {
            table.wake();
        }
    }

    /// Forgets for clients what is too old.
    pub(crate) fn compact(&mut self) {
        let Compaction::After(age) = self.compaction else {
            return;
        };
        let oldest = self.clock.seconds() - i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        let last = |table: &Table| {
            let kept = table.changes.partition_point(|change| change.at < oldest);
            kept.checked_sub(1).map(|index| table.changes[index].version)
        };
        let newest = self.tables.iter().filter_map(last).max();
        self.compacted = self.compacted.max(newest.unwrap_or_default());
    }

    /// The oldest version that a watch of a table can start from.
    pub(crate) fn oldest(&self, table: usize) -> u64 {
        let Compaction::Changes(most) = self.compaction else {
            return self.compacted;
        };
        let changes = &self.tables[table].changes;
        let dropped = changes.len().checked_sub(most + 1);
        let bound = dropped.map_or(0, |index| changes[index].version);
        self.compacted.max(bound)
    }

    /// Nothing waits to be done.
    pub(crate) fn is_idle(&self) -> bool {
        self.chores.is_empty() && self.orphaned.is_empty()
    }

    /// Starts to serve what a CRD defines.
    pub(crate) fn define(&mut self, crd: &Value) -> Result<(), String> {
        let table = Arc::make_mut(&mut self.served).define(crd)?;
        while self.tables.len() < self.served.tables() {
            self.tables.push(Table::default());
        }
        self.reshape(table);
        self.served_anew();
        Ok(())
    }

    /// Watches of a kind that is served no more, or otherwise than when they began, end.
    fn served_anew(&mut self) {
        self.served_version += 1;
        self.wake_all();
    }

    /// Shows stored objects as a changed definition wants them: without what it does not know, and with its defaults.
    fn reshape(&mut self, table: usize) {
        let Some(kind) = self.served.stored(table).cloned() else {
            return;
        };
        for object in self.tables[table].objects.values_mut() {
            let mut value = Value::clone(&object.value);
            prune(&mut value, kind.at(), Place::Root, &mut Vec::new());
            add_defaults(&mut value, kind.at());
            if value != *object.value {
                *object = Arc::new(Object::new(value, object.version));
            }
        }
    }

    pub(crate) fn forget(&mut self, group: &str, plural: &str) {
        Arc::make_mut(&mut self.served).forget(group, plural);
        self.served_anew();
    }

    /// Everything as it was at a version; what came later has never been.
    pub(crate) fn rewind(&mut self, version: u64) {
        let defined = self.stored_definitions();
        for table in &mut self.tables {
            table.objects = table.at(version);
            let kept = table.first_after(version);
            table.changes.truncate(kept);
        }
        self.version = version.min(self.version);
        self.compacted = self.compacted.min(self.version);
        self.roles_version += 1;
        self.reindex();
        self.serve_stored(&defined);
        self.cuts += 1;
        self.wake_all();
    }

    fn stored_definitions(&self) -> BTreeMap<Key, Arc<Object>> {
        self.served
            .find("apiextensions.k8s.io/v1", "customresourcedefinitions")
            .map(|kind| self.tables[kind.table].objects.clone())
            .unwrap_or_default()
    }

    /// Serves exactly what the stored definitions say.
    fn serve_stored(&mut self, served: &BTreeMap<Key, Arc<Object>>) {
        let stored = self.stored_definitions();
        let name = |crd: &Value| {
            let text = |pointer: &str| {
                crd.pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            (text("/spec/group"), text("/spec/names/plural"))
        };
        let names: Vec<_> = stored.values().map(|crd| name(&crd.value)).collect();
        let gone: Vec<_> = self
            .served
            .all()
            .iter()
            .filter(|kind| !kind.built_in && !names.contains(&(kind.group.clone(), kind.plural.clone())))
            .map(|kind| (kind.group.clone(), kind.plural.clone()))
            .collect();
        for (group, plural) in gone {
            Arc::make_mut(&mut self.served).forget(&group, &plural);
        }
        for (key, crd) in stored {
            let same = served
                .get(&key)
                .is_some_and(|now| now.value["spec"] == crd.value["spec"]);
            if !same {
                // What was stored was served, so it can be served again.
                let _ = self.define(&crd.value);
            }
        }
    }

    /// Builds the indexes anew from the objects.
    pub(crate) fn reindex(&mut self) {
        self.by_uid.clear();
        self.dependents.clear();
        let all: Vec<_> = self
            .tables
            .iter()
            .enumerate()
            .flat_map(|(table, content)| {
                let objects = content.objects.iter();
                objects.map(move |(key, object)| (table, Key::clone(key), Arc::clone(object)))
            })
            .collect();
        for (table, key, object) in all {
            self.index(table, &key, None, Some(&object));
            self.chores.push_back((table, key));
        }
    }
}
