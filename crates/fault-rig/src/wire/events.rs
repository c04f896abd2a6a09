//! The body of a watch, taken apart into its events, so that each can suffer what the plan says.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use runtime::WireBody;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use tower::BoxError;

use super::replies::{broken, gone};
use super::switchboard::{Switchboard, Watched};
use crate::plan::What;

/// An open watch.
struct Events {
    body: WireBody,
    watched: Watched,
    switchboard: Arc<Switchboard>,
    /// What is to be shown next.
    ready: VecDeque<Result<Bytes, BoxError>>,
    /// An event that is late, and since when it no longer has to be; no time: after the next one.
    late: Option<(Bytes, Option<Instant>)>,
    /// Nothing is shown before.
    silent: Option<Instant>,
    /// After the silence, what happened in it is never shown.
    unseen: bool,
    /// The server takes its lies back then.
    until: Option<Instant>,
    ended: bool,
}

/// The same watch, with what the plan says done to its events. It is closed at `until`, if there is such a time.
pub(super) fn reframed(
    body: WireBody,
    watched: Watched,
    switchboard: Arc<Switchboard>,
    until: Option<Instant>,
) -> WireBody {
    let events = Events {
        body,
        watched,
        switchboard,
        ready: VecDeque::new(),
        late: None,
        silent: None,
        unseen: false,
        until,
        ended: false,
    };
    let frames = futures::stream::unfold(events, |mut events| async {
        let bytes = events.next().await?;
        Some((bytes.map(Frame::data), events))
    });
    StreamBody::new(frames).boxed_unsync()
}

/// What comes next from the server, or with time.
enum Next {
    Line(Bytes),
    Late(Bytes),
    End(Option<BoxError>),
}

impl Events {
    async fn next(&mut self) -> Option<Result<Bytes, BoxError>> {
        loop {
            self.wait().await;
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            if self.ended {
                return None;
            }
            match self.hear().await {
                Next::Late(line) => self.ready.push_back(Ok(line)),
                Next::End(error) => {
                    self.let_go();
                    self.ready.extend(error.map(Err));
                    self.ended = true;
                }
                // What is late comes before a bookmark, which would say that it has been shown.
                Next::Line(line) if is_bookmark(&line) => {
                    self.let_go();
                    self.ready.push_back(Ok(line));
                }
                Next::Line(line) => self.suffer(line),
            }
        }
    }

    /// Waits for the end of a silence of this watch, and of all watches of this collection.
    async fn wait(&mut self) {
        if let Some(silent) = self.silent.take() {
            sleep_until(silent).await;
            if self.unseen {
                self.cut([Ok(gone_line())]);
            }
        }
        while let Some(frozen) = self.switchboard.frozen(&self.watched) {
            sleep_until(frozen).await;
        }
    }

    async fn hear(&mut self) -> Next {
        let due = self.late.as_ref().and_then(|(_, due)| *due);
        let end = self.until;
        let at = |time: Option<Instant>| async move {
            match time {
                Some(time) => sleep_until(time).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = at(end) => Next::End(None),
            () = at(due) => match self.late.take() {
                Some((line, _)) => Next::Late(line),
                None => pending().await,
            },
            frame = self.body.frame() => match frame {
                None => Next::End(None),
                Some(Err(error)) => Next::End(Some(error)),
                Some(Ok(frame)) => Next::Line(frame.into_data().unwrap_or_default()),
            },
        }
    }

    /// Shows an event, or what becomes of it.
    fn suffer(&mut self, line: Bytes) {
        let what = self.switchboard.show(&self.watched);
        let swapped = matches!(self.late, Some((_, None)));
        if what != Some(What::Drop) && self.switchboard.hides(&self.watched) {
            self.switchboard.makes_up(&self.watched, Some(&object(&line)));
        }
        match what {
            Some(What::Drop) => self.switchboard.drop_event(&self.watched, object(&line)),
            Some(What::Hold(time)) => self.late = Some((line, Some(Instant::now() + time))),
            Some(What::Swap) => self.late = Some((line, None)),
            Some(What::Duplicate) => self.ready.extend([Ok(line.clone()), Ok(line)]),
            Some(What::Truncate) => self.cut([Ok(line.slice(..line.len() / 2))]),
            Some(What::Garbage) => self
                .ready
                .extend([Ok(Bytes::from_static(b"\x00\xff{{no event\n")), Ok(line)]),
            Some(What::End) => self.cut([]),
            Some(What::Reset) => self.cut([Err(broken())]),
            Some(What::Expired) => self.cut([Ok(gone_line())]),
            Some(What::Silent(time)) => {
                self.silent = Some(Instant::now() + time);
                self.ready.push_back(Ok(line));
            }
            Some(What::Unseen(time)) => {
                self.silent = Some(Instant::now() + time);
                self.unseen = true;
            }
            // A frozen collection waits before it shows this.
            _ => self.ready.push_back(Ok(line)),
        }
        if swapped {
            self.let_go();
        }
    }

    /// Shows what was to be late.
    fn let_go(&mut self) {
        let late = self.late.take();
        self.ready.extend(late.map(|(line, _)| Ok(line)));
    }

    fn cut(&mut self, last: impl IntoIterator<Item = Result<Bytes, BoxError>>) {
        self.ready.extend(last);
        self.ended = true;
    }
}

fn is_bookmark(line: &Bytes) -> bool {
    line.starts_with(b"{\"type\":\"BOOKMARK\"")
}

/// Namespace and name of the object of an event.
fn object(line: &Bytes) -> String {
    let event: Value = serde_json::from_slice(line).unwrap_or_default();
    let text = |pointer| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!(
        "{}/{}",
        text("/object/metadata/namespace"),
        text("/object/metadata/name")
    )
}

fn gone_line() -> Bytes {
    let mut line = json!({"type": "ERROR", "object": gone()}).to_string();
    line.push('\n');
    line.into()
}
