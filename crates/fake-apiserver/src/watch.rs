//! Watches: a cursor in the history of a kind, moved when somebody reads.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use serde_json::{Value, json};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::definitions::Kind;
use crate::object::{Object, Shown};
use crate::selectors::Selection;
use crate::server::Server;
use crate::state::{Change, State};

/// Without a time of its own a watch ends after half an hour.
const SECONDS: u64 = 1800;

/// How a watch begins.
pub(crate) struct Begin {
    pub(crate) kind: Arc<Kind>,
    pub(crate) selection: Selection,
    /// Shown as added first.
    pub(crate) objects: Vec<Arc<Object>>,
    pub(crate) from: u64,
    /// Nothing after this version is shown.
    pub(crate) until: Option<u64>,
    /// The only event, if there is one.
    pub(crate) expired: Option<Value>,
    pub(crate) bookmarks: bool,
    pub(crate) says_when_complete: bool,
    pub(crate) metadata_only: bool,
    pub(crate) shown: Shown,
    pub(crate) seconds: Option<u64>,
    pub(crate) cuts: u64,
    pub(crate) served_version: u64,
}

/// The events of a watch, each one line of JSON.
pub struct WatchStream {
    server: Server,
    begin: Begin,
    objects: VecDeque<Arc<Object>>,
    cursor: u64,
    complete: bool,
    ended: bool,
    /// What was served when it was last looked whether its kind still is.
    served_version: u64,
    timeout: Option<Pin<Box<Sleep>>>,
    bookmark: Option<Pin<Box<Sleep>>>,
    deadline: Instant,
}

impl fmt::Debug for WatchStream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("WatchStream")
            .field("kind", &self.begin.kind.plural)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

impl WatchStream {
    pub(crate) fn new(server: Server, mut begin: Begin) -> WatchStream {
        let objects = std::mem::take(&mut begin.objects).into();
        let seconds = begin.seconds.unwrap_or(SECONDS);
        WatchStream {
            server,
            objects,
            cursor: begin.from,
            complete: !begin.says_when_complete,
            ended: false,
            served_version: begin.served_version,
            timeout: None,
            bookmark: None,
            deadline: Instant::now() + Duration::from_secs(seconds),
            begin,
        }
    }

    /// The next event, if it is there already.
    fn next_line(&mut self, state: &State) -> Option<Bytes> {
        if let Some(status) = self.begin.expired.take() {
            self.ended = true;
            return Some(line_of("ERROR", &status));
        }
        if let Some(object) = self.objects.pop_front() {
            return Some(self.line("ADDED", &object));
        }
        if !self.complete {
            self.complete = true;
            if self.begin.bookmarks {
                return Some(self.bookmark_line(self.begin.from, true));
            }
        }
        let table = state.table(self.begin.kind.table);
        let changes = &table.changes[table.first_after(self.cursor)..];
        for change in changes {
            if self.begin.until.is_some_and(|until| change.version > until) {
                return None;
            }
            self.cursor = change.version;
            if let Some(line) = self.change_line(change) {
                return Some(line);
            }
        }
        None
    }

    /// Whether its kind is served as it was when the watch began.
    fn is_served(&mut self, state: &State) -> bool {
        if self.served_version == state.served_version {
            return true;
        }
        self.served_version = state.served_version;
        let kind = &self.begin.kind;
        let now = state.served.find(&kind.api_version, &kind.plural);
        now.is_some_and(|now| Arc::ptr_eq(now, kind))
    }

    fn change_line(&self, change: &Change) -> Option<Bytes> {
        let shown = |object: &Option<Arc<Object>>| {
            object
                .as_ref()
                .is_some_and(|object| self.begin.selection.has(object))
        };
        match (&change.before, &change.after) {
            (Some(before), Some(after)) => match (shown(&change.before), shown(&change.after)) {
                (true, true) => Some(self.line("MODIFIED", after)),
                (false, true) => Some(self.line("ADDED", after)),
                (true, false) => Some(self.line("DELETED", &before.at_version(change.version))),
                (false, false) => None,
            },
            (None, Some(after)) => shown(&change.after).then(|| self.line("ADDED", after)),
            _ => {
                let gone = change.gone.as_ref()?;
                shown(&change.before).then(|| self.line("DELETED", gone))
            }
        }
    }

    fn line(&self, kind: &str, object: &Object) -> Bytes {
        let mut line = format!("{{\"type\":\"{kind}\",\"object\":").into_bytes();
        if self.begin.metadata_only {
            object.write_metadata(&mut line);
        } else {
            object.write(&self.begin.kind, self.begin.shown, &mut line);
        }
        line.extend_from_slice(b"}\n");
        line.into()
    }

    fn bookmark_line(&self, version: u64, complete: bool) -> Bytes {
        let kind = &self.begin.kind;
        let (name, api_version) = if self.begin.metadata_only {
            ("PartialObjectMetadata", "meta.k8s.io/v1")
        } else {
            (kind.kind.as_str(), kind.api_version.as_str())
        };
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if complete {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = json!({"kind": name, "apiVersion": api_version, "metadata": metadata});
        line_of("BOOKMARK", &object)
    }

    /// What time alone brings: a bookmark, or the end.
    fn poll_time(&mut self, version: u64, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let deadline = self.deadline;
        let timeout = self
            .timeout
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timeout.as_mut().poll(context).is_ready() {
            self.ended = true;
            return Poll::Ready(None);
        }
        if !self.begin.bookmarks {
            return Poll::Pending;
        }
        let every = self.server.options().bookmark_every;
        let bookmark = self.bookmark.get_or_insert_with(|| Box::pin(sleep(every)));
        if bookmark.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        bookmark.as_mut().reset(Instant::now() + every);
        let _ = bookmark.as_mut().poll(context);
        let version = self.begin.until.unwrap_or(version).max(self.cursor);
        self.cursor = version;
        Poll::Ready(Some(self.bookmark_line(version, false)))
    }
}

fn line_of(kind: &str, object: &Value) -> Bytes {
    format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n").into()
}

impl Stream for WatchStream {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let server = self.server.clone();
        let mut state = server.lock();
        if state.cuts != self.begin.cuts {
            self.ended = true;
            return Poll::Ready(None);
        }
        if let Some(line) = self.next_line(&state) {
            return Poll::Ready(Some(line));
        }
        if !self.is_served(&state) {
            self.ended = true;
            return Poll::Ready(None);
        }
        let table = self.begin.kind.table;
        state.tables[table].wait(context.waker());
        let version = state.version;
        drop(state);
        if tokio::runtime::Handle::try_current().is_err() {
            // Nobody's clock: such a reader sees events and no time.
            return Poll::Pending;
        }
        self.poll_time(version, context)
    }
}
