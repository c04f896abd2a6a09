//! The objects of a server, by their paths, and who watches them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

#[derive(Default)]
pub struct Objects {
    version: u64,
    by_path: BTreeMap<String, Value>,
    watchers: Vec<Watcher>,
    /// What happened: version, path, event.
    history: Vec<(u64, String, String)>,
}

struct Watcher {
    collection: String,
    name: Option<String>,
    events: UnboundedSender<String>,
}

/// A `Status` as API servers write it.
pub fn status(code: u16, reason: &str, kind: &str, name: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason,
        "message": format!("{kind} \"{name}\" {reason}"), "details": {"kind": kind, "name": name},
    })
}

impl Objects {
    pub fn put(&mut self, path: &str, mut object: Value) {
        self.version += 1;
        let (namespace, name) = names(path);
        let new = !self.by_path.contains_key(path);
        let version = self.version;
        let old = self.by_path.get(path).map(|old| old["metadata"].clone());
        let meta = &mut object["metadata"];
        let kept = |field: &str, fresh: Value| old.as_ref().map_or(fresh, |old| old[field].clone());
        if meta["uid"].is_null() {
            meta["uid"] = kept("uid", json!(format!("uid-{version}")));
        }
        if meta["creationTimestamp"].is_null() {
            meta["creationTimestamp"] = kept(
                "creationTimestamp",
                json!(format!("2026-01-01T00:00:{:02}Z", version % 60)),
            );
        }
        meta["name"] = json!(name);
        if let Some(namespace) = namespace {
            meta["namespace"] = json!(namespace);
        }
        meta["resourceVersion"] = json!(version.to_string());
        self.by_path.insert(path.to_owned(), object.clone());
        self.tell(path, if new { "ADDED" } else { "MODIFIED" }, &object);
    }

    pub fn delete(&mut self, path: &str) {
        self.version += 1;
        if let Some(mut object) = self.by_path.remove(path) {
            object["metadata"]["resourceVersion"] = json!(self.version.to_string());
            self.tell(path, "DELETED", &object);
        }
    }

    pub fn get(&self, path: &str) -> Option<&Value> {
        self.by_path.get(path)
    }

    pub fn list(&self, collection: &str, name: Option<&str>) -> Value {
        let items: Vec<_> = self
            .by_path
            .iter()
            .filter(|(path, _)| belongs(path, collection, name))
            .map(|(_, object)| object)
            .collect();
        json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": self.version.to_string()}, "items": items})
    }

    /// Tells what happened after `since`, and then what happens.
    pub fn watch(
        &mut self,
        collection: &str,
        name: Option<&str>,
        since: u64,
        events: UnboundedSender<String>,
    ) {
        for (version, path, event) in &self.history {
            if *version > since && belongs(path, collection, name) {
                let _ = events.send(event.clone());
            }
        }
        self.watchers.push(Watcher {
            collection: collection.to_owned(),
            name: name.map(str::to_owned),
            events,
        });
    }

    /// Watches that somebody still reads.
    pub fn watchers(&self, collection: &str) -> usize {
        self.watchers
            .iter()
            .filter(|watcher| watcher.collection == collection && !watcher.events.is_closed())
            .count()
    }

    pub fn end_watches(&mut self) {
        self.watchers.clear();
    }

    fn tell(&mut self, path: &str, kind: &str, object: &Value) {
        let event = format!("{}\n", json!({"type": kind, "object": object}));
        self.history.push((self.version, path.to_owned(), event.clone()));
        for watcher in &self.watchers {
            if belongs(path, &watcher.collection, watcher.name.as_deref()) {
                let _ = watcher.events.send(event.clone());
            }
        }
    }
}

/// Namespace and name in the path of an object.
pub fn names(path: &str) -> (Option<&str>, &str) {
    let segments: Vec<_> = path.split('/').collect();
    let name = segments.last().copied().unwrap_or_default();
    let at = segments.iter().position(|segment| *segment == "namespaces");
    let namespace = at.filter(|at| segments.len() > at + 3).map(|at| segments[at + 1]);
    (namespace, name)
}

/// Whether an object is of a collection, which names a namespace or spans all.
fn belongs(path: &str, collection: &str, wanted: Option<&str>) -> bool {
    let (namespace, name) = names(path);
    let Some(parent) = path
        .strip_suffix(name)
        .and_then(|parent| parent.strip_suffix('/'))
    else {
        return false;
    };
    let everywhere = namespace.map(|namespace| parent.replacen(&format!("/namespaces/{namespace}/"), "/", 1));
    (parent == collection || everywhere.as_deref() == Some(collection))
        && wanted.is_none_or(|wanted| wanted == name)
}
