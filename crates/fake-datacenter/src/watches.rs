//! The watches of one plane: what wakes which actor.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, future};
use kube::Api;
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{Config, Event, watcher};
use serde_json::Value;

use crate::json;
use crate::names::{DATACENTER, RESOURCE_HASH, WATCHED, WATCHED_BY};
use crate::pace::fnv;
use crate::plane::Plane;
use crate::whole::Whole;

/// What is watched, and what an event of it does.
struct Watch {
    resource: ApiResource,
    labels: &'static str,
    on_event: fn(&Arc<Plane>, &mut Memory, &Value, bool),
}

/// Digests of what was seen, so that our own status writes wake nobody.
type Memory = BTreeMap<String, u64>;

pub(crate) async fn run(plane: &Arc<Plane>) {
    let watches = [
        Watch {
            resource: resource("cassandra.datastax.com", "v1beta1", "CassandraDatacenter"),
            labels: "",
            on_event: on_datacenter,
        },
        Watch {
            resource: resource("control.k8ssandra.io", "v1alpha1", "CassandraTask"),
            labels: "",
            on_event: on_task,
        },
        Watch {
            resource: resource("", "v1", "Pod"),
            labels: DATACENTER,
            on_event: on_machine,
        },
        Watch {
            resource: resource("", "v1", "PersistentVolumeClaim"),
            labels: DATACENTER,
            on_event: on_machine,
        },
        Watch {
            resource: resource("apps", "v1", "StatefulSet"),
            labels: DATACENTER,
            on_event: on_set,
        },
        Watch {
            resource: resource("", "v1", "Secret"),
            labels: WATCHED,
            on_event: on_secret,
        },
    ];
    let all = watches.into_iter().map(|watch| watch_one(plane, watch));
    tokio::select! {
        () = plane.stop.cancelled() => {}
        _ = future::join_all(all) => {}
    }
}

fn resource(group: &str, version: &str, kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

async fn watch_one(plane: &Arc<Plane>, watch: Watch) {
    let api: Api<Whole> = Api::all_with(plane.api.client().clone(), &watch.resource);
    let config = if watch.labels.is_empty() {
        Config::default()
    } else {
        Config::default().labels(watch.labels)
    };
    let mut events = watcher(api, config).backoff(Patience::default()).boxed();
    let mut memory = Memory::new();
    let mut ailing = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                if std::mem::take(&mut ailing) {
                    tracing::info!(plane = plane.name, kind = watch.resource.kind, "watch is back");
                }
                let (object, deleted) = match event {
                    Event::Apply(object) | Event::InitApply(object) => (object, false),
                    Event::Delete(object) => (object, true),
                    // What vanished while nobody looked shows only in a look at everything.
                    Event::InitDone => {
                        plane.wake_known();
                        continue;
                    }
                    Event::Init => continue,
                };
                (watch.on_event)(plane, &mut memory, &object.value, deleted);
            }
            Err(error) if !ailing => {
                ailing = true;
                tracing::warn!(plane = plane.name, kind = watch.resource.kind, %error, "watch failed, trying again");
            }
            Err(_) => {}
        }
    }
}

fn key(object: &Value) -> (String, String) {
    (
        json::text(object, "/metadata/namespace").to_owned(),
        json::name(object).to_owned(),
    )
}

/// Whether the object is new, or differs from what was seen under its uid in anything but its status.
fn is_news(memory: &mut Memory, object: &Value, deleted: bool) -> bool {
    let uid = json::uid(object).to_owned();
    if deleted {
        memory.remove(&uid);
        return true;
    }
    let part = |pointer: &str| object.pointer(pointer).cloned().unwrap_or_default();
    let parts = [
        part("/metadata/generation"),
        part("/metadata/labels"),
        part("/metadata/annotations"),
        part("/metadata/deletionTimestamp"),
        part("/data"),
    ];
    let digest = fnv(Value::from(parts.to_vec()).to_string().as_bytes());
    memory.insert(uid, digest) != Some(digest)
}

fn on_datacenter(plane: &Arc<Plane>, memory: &mut Memory, object: &Value, deleted: bool) {
    if is_news(memory, object, deleted) {
        plane.wake(key(object), |reasons| reasons.datacenter = true);
    }
}

fn on_task(plane: &Arc<Plane>, memory: &mut Memory, object: &Value, deleted: bool) {
    let datacenter = json::text(object, "/spec/datacenter/name");
    if is_news(memory, object, deleted) && !datacenter.is_empty() {
        let namespace = json::text(object, "/metadata/namespace").to_owned();
        plane.wake((namespace, datacenter.to_owned()), |reasons| reasons.task = true);
    }
}

/// Pods and claims: only what others did to them is news, the actor knows its own writes.
fn on_machine(plane: &Arc<Plane>, memory: &mut Memory, object: &Value, deleted: bool) {
    plane.address_is_taken(json::text(object, "/status/podIP"));
    let first_seen = !memory.contains_key(json::uid(object));
    if is_news(memory, object, deleted) && (deleted || first_seen || json::is_deleting(object)) {
        plane.wake_owner(object);
    }
}

/// The actor sees by the digest whether it was its own write.
fn on_set(plane: &Arc<Plane>, memory: &mut Memory, object: &Value, deleted: bool) {
    let digest = fnv(json::annotation(object, RESOURCE_HASH)
        .unwrap_or_default()
        .as_bytes());
    let known = memory.insert(json::uid(object).to_owned(), digest);
    if !deleted && known.is_some_and(|known| known != digest) {
        plane.wake_owner(object);
    }
}

fn on_secret(plane: &Arc<Plane>, memory: &mut Memory, object: &Value, deleted: bool) {
    if is_news(memory, object, deleted) {
        let marks = json::annotation(object, WATCHED_BY).unwrap_or("[]");
        let watchers: Vec<String> = serde_json::from_str(marks).unwrap_or_default();
        for watcher in watchers.iter().filter_map(|watcher| watcher.split_once('/')) {
            plane.wake_known_one(watcher, |reasons| reasons.secret = true);
        }
    }
}

/// Waits of 0.2 s to 2 s between attempts, for as long as it takes.
#[derive(Default)]
struct Patience {
    failures: u32,
}

impl Iterator for Patience {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = Duration::from_millis(200 << self.failures.min(4));
        self.failures += 1;
        Some(wait.min(Duration::from_secs(2)))
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {
        self.failures = 0;
    }
}
