//! Kubernetes Events about the objects that a program works on: one per act, and one Warning per new failure. They are
//! sent beside the passes, so that none waits for one or fails because of one.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::Clock;

/// The longest one Event may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Events that may wait; more are dropped.
const WAITING: usize = 256;
/// Warnings that are remembered as said.
const SAID: usize = 1024;
/// The API's limits, in bytes.
const MOST_NOTE: usize = 1000;
const MOST_WORD: usize = 128;

/// Whether an Event tells of an act or of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// Something was done.
    Normal,
    /// Something is wrong.
    Warning,
}

/// Where Events are handed in; clones share one queue.
#[derive(Clone)]
pub struct Events {
    controller: &'static str,
    instance: String,
    clock: Clock,
    waiting: mpsc::Sender<Message>,
    said: Arc<Mutex<Said>>,
}

enum Message {
    Send(Box<Event>),
    /// Answered when all before it is sent.
    Sent(oneshot::Sender<()>),
}

/// Warnings that were sent: object, reason, note. The oldest is forgotten first.
#[derive(Default)]
struct Said {
    known: BTreeSet<(String, String, String)>,
    oldest_first: VecDeque<(String, String, String)>,
}

impl Events {
    /// Starts the task that sends, on the current runtime. `controller` is who reports; `instance` which of them
    /// (the pod's name).
    #[must_use]
    pub fn new(client: Client, controller: &'static str, instance: String, clock: Clock) -> Events {
        let (waiting, queue) = mpsc::channel(WAITING);
        tokio::spawn(send_all(client, queue));
        Events {
            controller,
            instance,
            clock,
            waiting,
            said: Arc::default(),
        }
    }

    /// Tells about `regarding` (with kind, name, namespace and uid). Returns at once; an Event that cannot be sent is
    /// lost. A Warning with the same object, reason and note is sent once.
    pub fn publish(
        &self,
        regarding: &ObjectReference,
        type_: EventType,
        reason: &str,
        action: &str,
        note: &str,
    ) {
        if type_ == EventType::Warning && !self.is_new(regarding, reason, note) {
            return;
        }
        let event = self.event(regarding, type_, reason, action, note);
        if self.waiting.try_send(Message::Send(Box::new(event))).is_err() {
            tracing::warn!(reason, "an Event is dropped: too many wait");
        }
    }

    /// The failure that a Warning told of is over: the next one is new again.
    pub fn forget(&self, regarding: &ObjectReference, reason: &str) {
        let object = identity(regarding);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &(String, String, String)| one.0 == object && one.1 == reason;
        said.known.retain(|one| !same(one));
        said.oldest_first.retain(|one| !same(one));
    }

    /// Waits until what was published before is sent or lost.
    pub async fn sent(&self) {
        let (done, told) = oneshot::channel();
        if self.waiting.send(Message::Sent(done)).await.is_ok() {
            let _ = told.await;
        }
    }

    fn is_new(&self, regarding: &ObjectReference, reason: &str, note: &str) -> bool {
        let one = (identity(regarding), reason.to_owned(), note.to_owned());
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.known.insert(one.clone()) {
            return false;
        }
        said.oldest_first.push_back(one);
        if said.oldest_first.len() > SAID
            && let Some(oldest) = said.oldest_first.pop_front()
        {
            said.known.remove(&oldest);
        }
        true
    }

    fn event(
        &self,
        regarding: &ObjectReference,
        type_: EventType,
        reason: &str,
        action: &str,
        note: &str,
    ) -> Event {
        let now = self.clock.now();
        let name = regarding.name.as_deref().unwrap_or("unknown");
        // Events of cluster-scoped objects live in `default`, as kubectl expects them.
        let namespace = regarding
            .namespace
            .clone()
            .filter(|it| !it.is_empty())
            .unwrap_or_else(|| "default".into());
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{}.{:x}", cut(name, 200), now.as_nanosecond())),
                namespace: Some(namespace),
                ..ObjectMeta::default()
            },
            type_: Some(match type_ {
                EventType::Normal => "Normal".into(),
                EventType::Warning => "Warning".into(),
            }),
            reason: Some(cut(reason, MOST_WORD)),
            action: Some(cut(action, MOST_WORD)),
            note: Some(cut(note, MOST_NOTE)),
            regarding: Some(regarding.clone()),
            event_time: Some(MicroTime(now)),
            reporting_controller: Some(format!("ringspan.io/{}", self.controller)),
            reporting_instance: Some(cut(&self.instance, MOST_WORD)),
            ..Event::default()
        }
    }
}

async fn send_all(client: Client, mut queue: mpsc::Receiver<Message>) {
    while let Some(message) = queue.recv().await {
        match message {
            Message::Send(event) => send(&client, &event).await,
            // Nobody waits any more: fine.
            Message::Sent(done) => drop(done.send(())),
        }
    }
}

async fn send(client: &Client, event: &Event) {
    let namespace = event.metadata.namespace.as_deref().unwrap_or_default();
    let api = Api::<Event>::namespaced(client.clone(), namespace);
    match timeout(DEADLINE, api.create(&PostParams::default(), event)).await {
        Ok(Ok(_)) => {}
        Ok(Err(kube::Error::Api(status))) => {
            tracing::debug!(code = status.code, reason = event.reason, "an Event was refused");
        }
        Ok(Err(_)) | Err(_) => tracing::debug!(reason = event.reason, "an Event was lost"),
    }
}

fn identity(regarding: &ObjectReference) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let names = [
        &regarding.kind,
        &regarding.namespace,
        &regarding.name,
        &regarding.uid,
    ];
    names.map(part).join("/")
}

fn cut(text: &str, most: usize) -> String {
    text.get(..text.floor_char_boundary(most))
        .unwrap_or_default()
        .to_owned()
}
