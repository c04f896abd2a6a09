//! A collection of ConfigMaps behind a client without sockets: lists in pages, watches, breaks on demand.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::Notify;

type Answer = Response<UnsyncBoxBody<Bytes, std::io::Error>>;

/// How the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Healthy,
    /// This status to everything.
    Status(u16),
    /// Never.
    Hang,
    /// Watches are opened and ended at once.
    CloseAtOnce,
    /// Watches are opened, say one thing and end.
    CloseAfterAWord,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    pub uri: String,
}

impl Asked {
    pub fn is_watch(&self) -> bool {
        self.uri.contains("watch=true")
    }
}

#[derive(Default)]
struct World {
    mode: Option<Mode>,
    version: u64,
    /// Watches from before this version are answered 410.
    oldest: u64,
    objects: BTreeMap<(String, String), Value>,
    history: Vec<(u64, Value)>,
    asked: Vec<Asked>,
    /// Watches opened before this number was reached break.
    cuts: u64,
    /// A continued list is answered 410 this many times.
    expire_continues: u32,
    /// Bytes above which a page is padded: makes pages too large.
    padding: usize,
}

/// The server; clones are the same one.
#[derive(Clone, Default)]
pub struct Server {
    world: Arc<Mutex<World>>,
    changed: Arc<Notify>,
}

impl Server {
    pub fn client(&self) -> Client {
        let server = self.clone();
        Client::new(
            tower::service_fn(move |request: Request<Body>| {
                let server = server.clone();
                let uri = request.uri().to_string();
                async move { Ok::<_, Infallible>(server.answer(uri).await) }
            }),
            "default",
        )
    }

    pub fn set(&self, mode: Mode) {
        self.world.lock().unwrap().mode = Some(mode);
        self.changed.notify_waiters();
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.world.lock().unwrap().asked.clone()
    }

    pub fn lists(&self) -> usize {
        self.asked().iter().filter(|one| !one.is_watch()).count()
    }

    /// Writes a ConfigMap of root `root`, with `text` as its content. Returns its version.
    pub fn put(&self, name: &str, root: &str, text: &str) -> u64 {
        self.put_value(
            name,
            json!({"labels": {"root": root}}),
            json!({"data": {"text": text}}),
        )
    }

    pub fn put_value(&self, name: &str, more_metadata: Value, rest: Value) -> u64 {
        self.put_in("db", name, more_metadata, rest)
    }

    pub fn put_in(&self, namespace: &str, name: &str, more_metadata: Value, rest: Value) -> u64 {
        let mut world = self.world.lock().unwrap();
        world.version += 1;
        let version = world.version;
        let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": more_metadata});
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.insert("namespace".into(), namespace.into());
        metadata.insert("name".into(), name.into());
        metadata.insert("resourceVersion".into(), version.to_string().into());
        for (field, value) in rest.as_object().unwrap() {
            object[field] = value.clone();
        }
        let known = world
            .objects
            .insert((namespace.into(), name.into()), object.clone())
            .is_some();
        let what = if known { "MODIFIED" } else { "ADDED" };
        world
            .history
            .push((version, json!({"type": what, "object": object})));
        drop(world);
        self.changed.notify_waiters();
        version
    }

    pub fn delete(&self, name: &str) {
        let mut world = self.world.lock().unwrap();
        world.version += 1;
        let version = world.version;
        let mut object = world.objects.remove(&("db".into(), name.into())).unwrap();
        object["metadata"]["resourceVersion"] = version.to_string().into();
        world
            .history
            .push((version, json!({"type": "DELETED", "object": object})));
        drop(world);
        self.changed.notify_waiters();
    }

    /// Sends a line to all watches as it is.
    pub fn say(&self, line: Value) {
        let mut world = self.world.lock().unwrap();
        world.version += 1;
        let version = world.version;
        world.history.push((version, line));
        drop(world);
        self.changed.notify_waiters();
    }

    /// Breaks all open watches.
    pub fn cut(&self) {
        self.world.lock().unwrap().cuts += 1;
        self.changed.notify_waiters();
    }

    /// Forgets the history: who resumes from here gets 410.
    pub fn compact(&self) {
        let mut world = self.world.lock().unwrap();
        world.oldest = world.version + 1;
        world.version += 1;
    }

    pub fn expire_continues(&self, times: u32) {
        self.world.lock().unwrap().expire_continues = times;
    }

    /// Adds this many bytes to each listed object.
    pub fn pad(&self, bytes: usize) {
        self.world.lock().unwrap().padding = bytes;
    }

    async fn answer(&self, uri: String) -> Answer {
        let mode = {
            let mut world = self.world.lock().unwrap();
            world.asked.push(Asked { uri: uri.clone() });
            world.mode.unwrap_or(Mode::Healthy)
        };
        let watch = uri.contains("watch=true");
        match mode {
            Mode::Hang => std::future::pending().await,
            Mode::Status(code) => status(code),
            Mode::CloseAtOnce if watch => full(Vec::new(), 200),
            Mode::CloseAfterAWord if watch => {
                let bookmark = json!({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "1"}}});
                full(format!("{bookmark}\n").into_bytes(), 200)
            }
            Mode::Healthy if watch => self.changes(&uri),
            _ => self.page(&uri),
        }
    }

    fn page(&self, uri: &str) -> Answer {
        let mut world = self.world.lock().unwrap();
        let from: usize = parameter(uri, "continue").map_or(0, |at| at.parse().unwrap());
        let limit: usize = parameter(uri, "limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
        if from > 0 && world.expire_continues > 0 {
            world.expire_continues -= 1;
            return status(410);
        }
        let namespace = namespace(uri);
        let all: Vec<Value> = world
            .objects
            .iter()
            .filter(|((ns, _), _)| namespace.as_ref().is_none_or(|wanted| wanted == ns))
            .map(|(_, object)| object.clone())
            .collect();
        let mut items: Vec<Value> = all.iter().skip(from).take(limit).cloned().collect();
        if world.padding > 0 {
            for item in &mut items {
                item["data"]["padding"] = "x".repeat(world.padding).into();
            }
        }
        let next = if from + limit < all.len() {
            (from + limit).to_string()
        } else {
            String::new()
        };
        let meta = json!({"resourceVersion": world.version.to_string(), "continue": next});
        let list = json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": meta, "items": items});
        full(serde_json::to_vec(&list).unwrap(), 200)
    }

    fn changes(&self, uri: &str) -> Answer {
        let from: u64 = parameter(uri, "resourceVersion").unwrap().parse().unwrap();
        let world = self.world.lock().unwrap();
        if from < world.oldest {
            return status(410);
        }
        let (server, cuts, namespace) = (self.clone(), world.cuts, namespace(uri));
        let body = stream::unfold(Some((server, from)), move |state| {
            let namespace = namespace.clone();
            async move {
                let (server, from) = state?;
                match server.next(from, cuts, namespace.as_deref()).await {
                    Some((version, line)) => {
                        let mut line = serde_json::to_vec(&line).unwrap();
                        line.push(b'\n');
                        Some((Ok(Frame::data(Bytes::from(line))), Some((server, version))))
                    }
                    None => Some((Err(std::io::Error::other("connection reset")), None)),
                }
            }
        });
        Response::new(StreamBody::new(body.boxed()).boxed_unsync())
    }

    /// The first change after `from`; `None` if the watch is cut.
    async fn next(&self, from: u64, cuts: u64, namespace: Option<&str>) -> Option<(u64, Value)> {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            {
                let world = self.world.lock().unwrap();
                if world.cuts > cuts {
                    return None;
                }
                let here = |line: &Value| {
                    namespace.is_none_or(|wanted| line["object"]["metadata"]["namespace"] == wanted)
                };
                if let Some(found) = world
                    .history
                    .iter()
                    .find(|(version, line)| *version > from && here(line))
                {
                    return Some(found.clone());
                }
            }
            changed.await;
        }
    }
}

fn parameter(uri: &str, name: &str) -> Option<String> {
    let (_, query) = uri.split_once('?')?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")))
        .map(str::to_owned)
}

fn namespace(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once("/namespaces/")?;
    rest.split('/').next().map(str::to_owned)
}

pub fn status(code: u16) -> Answer {
    let status = json!({"kind": "Status", "status": "Failure", "code": code, "message": "as told"});
    full(serde_json::to_vec(&status).unwrap(), code)
}

pub fn full(bytes: Vec<u8>, code: u16) -> Answer {
    let mut answer = Response::new(
        Full::new(Bytes::from(bytes))
            .map_err(|never| match never {})
            .boxed_unsync(),
    );
    *answer.status_mut() = code.try_into().unwrap();
    answer
}
