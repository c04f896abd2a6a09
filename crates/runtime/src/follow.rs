//! The loop of one watch over one collection: list, then follow the changes, and begin again when that fails.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use tokio::time::{Instant, sleep, timeout};

use crate::backoff::Backoff;
use crate::cache::CacheState;
use crate::intake::{Intake, Said};
use crate::transport::{CALL, Cut, Lines, PAGE, Transport};
use crate::watch::OnState;
use crate::watch_error::{WatchError, WatchErrorKind};
use crate::watch_metrics::WatchMetrics;
use crate::{Key, Queue};

/// How long a watch that broke may take to resume before its cache counts as stale.
const RESUME: Duration = Duration::from_secs(2);
/// A watch that is to be resumed and has no answer by then is asked for once more beside.
const BESIDE: Duration = Duration::from_secs(1);
/// Pause before the second try of a watch that is to be resumed.
const AGAIN: Duration = Duration::from_millis(500);
/// A watch that stayed open this long has worked; what it said is no proof, for it may break after each word.
const PROVEN: Duration = Duration::from_secs(5);
/// The server closes a watch after the time it was given; this much later the connection is dead.
const IDLE_MARGIN: Duration = Duration::from_secs(5);
/// Smallest page that is asked for when pages are too large.
const LEAST_PAGE: u32 = 5;

pub(crate) struct Follower {
    pub(crate) transport: Transport,
    /// Namespace of the collection; `None` = all.
    pub(crate) scope: Option<String>,
    pub(crate) intake: Box<dyn Intake>,
    pub(crate) queue: Queue,
    pub(crate) metrics: WatchMetrics,
    pub(crate) on_state: Option<OnState>,
}

/// Why an open watch ended.
enum Ended {
    /// The server closed it, or was silent for longer than it may be.
    Closed,
    Broken(WatchError),
    /// Only a new list helps.
    Relist(WatchError),
}

impl Follower {
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::of(self.transport.watch, &self.transport.path);
        let mut limit = self.transport.config.page_size.unwrap_or(PAGE).clamp(1, PAGE);
        loop {
            match self.list(limit).await {
                Ok(version) => {
                    let roots = self.intake.listed(&version);
                    self.set_state(CacheState::Synced);
                    self.wake(roots);
                    self.follow(version, &mut backoff).await;
                }
                Err(error) => {
                    self.intake.forget();
                    if error.kind == WatchErrorKind::TooLarge {
                        limit = (limit / 4).max(LEAST_PAGE.min(limit));
                    }
                    self.fail(error, &mut backoff).await;
                }
            }
        }
    }

    /// Lists the whole collection, and returns its version.
    async fn list(&mut self, limit: u32) -> Result<String, WatchError> {
        let mut next: Option<String> = None;
        loop {
            self.metrics.lists.inc();
            let bytes = self.transport.page(next.as_deref(), limit).await?;
            let page = self.intake.page(&bytes).ok_or_else(|| {
                self.transport
                    .error(WatchErrorKind::NotUnderstood, "the answer is not a list")
            })?;
            next = page.next;
            if next.is_none() {
                return Ok(page.resource_version);
            }
        }
    }

    /// Follows the changes until only a new list helps.
    async fn follow(&mut self, mut version: String, backoff: &mut Backoff) {
        let mut within = CALL;
        loop {
            self.metrics.watches.inc();
            // Boxed, so that a watch that is open does not keep the room of its opening.
            let opened = Box::pin(self.open(&version, within)).await;
            let (ended, proven) = match opened {
                Ok(lines) => {
                    self.set_state(CacheState::Synced);
                    let opened = Instant::now();
                    let ended = self.drain(lines, &mut version).await;
                    (ended, opened.elapsed() >= PROVEN)
                }
                Err(error) if error.kind == WatchErrorKind::TooOld => (Ended::Relist(error), false),
                Err(error) => {
                    self.fail(error, backoff).await;
                    within = CALL;
                    continue;
                }
            };
            if proven {
                backoff.reset();
            }
            within = RESUME;
            let relist = matches!(ended, Ended::Relist(_));
            self.resume(ended, proven, backoff).await;
            if relist {
                return;
            }
        }
    }

    /// Opens the watch. After one that worked, one failure or one request without an answer is no news: it is tried again within
    /// the same time, so that one lost connection changes nobody's status.
    async fn open(&self, version: &str, within: Duration) -> Result<Lines, WatchError> {
        if within != RESUME {
            return self.transport.changes(version, within).await;
        }
        let began = Instant::now();
        let mut first = pin!(self.transport.changes(version, RESUME));
        match timeout(BESIDE, &mut first).await {
            Ok(Err(error)) if error.kind != WatchErrorKind::TooOld => {
                tracing::debug!(%error, "watch is opened again");
                sleep(AGAIN).await;
                let left = RESUME.saturating_sub(began.elapsed());
                self.transport.changes(version, left).await
            }
            Ok(opened) => opened,
            // A slow server may still answer the first.
            Err(_) => {
                let beside = pin!(self.transport.changes(version, RESUME.saturating_sub(BESIDE)));
                match select(first, beside).await {
                    Either::Left((Err(_), beside)) => beside.await,
                    Either::Right((Err(_), first)) => first.await,
                    Either::Left((opened, _)) | Either::Right((opened, _)) => opened,
                }
            }
        }
    }

    /// Goes on at once after a watch that worked, and once after one that did not: a server that opens watches only
    /// to end them again is as good as down.
    async fn resume(&self, ended: Ended, proven: bool, backoff: &mut Backoff) {
        let error = match ended {
            Ended::Closed => self
                .transport
                .error(WatchErrorKind::Unreachable, "the server ended the watch at once"),
            Ended::Broken(error) | Ended::Relist(error) => error,
        };
        if proven || backoff.first() {
            tracing::debug!(%error, "watch resumes");
        } else {
            self.fail(error, backoff).await;
        }
    }

    /// Takes what an open watch says until it ends.
    async fn drain(&mut self, mut lines: Lines, version: &mut String) -> Ended {
        let patience = Duration::from_secs(u64::from(self.transport.seconds())) + IDLE_MARGIN;
        loop {
            let error = |kind, why: &str| self.transport.error(kind, why);
            let line = match timeout(patience, lines.next()).await {
                Err(_) | Ok(Err(Cut::Closed)) => return Ended::Closed,
                Ok(Err(Cut::Broken(why))) => return Ended::Broken(error(WatchErrorKind::Unreachable, &why)),
                Ok(Err(Cut::TooLong)) => {
                    return Ended::Broken(error(WatchErrorKind::TooLarge, "one event is larger than 4 MiB"));
                }
                Ok(Ok(line)) => line,
            };
            match self.intake.line(&line) {
                Some(Said::Bookmark { resource_version }) => *version = resource_version,
                Some(Said::Changed {
                    resource_version,
                    roots,
                }) => {
                    *version = resource_version;
                    self.wake(roots);
                }
                Some(Said::Failed { kind, message }) if kind == WatchErrorKind::TooOld => {
                    return Ended::Relist(error(kind, &message));
                }
                Some(Said::Failed { kind, message }) => return Ended::Broken(error(kind, &message)),
                // What it said is lost, so that resuming from here would miss it.
                None => return Ended::Relist(error(WatchErrorKind::NotUnderstood, "a line is not an event")),
            }
        }
    }

    fn wake(&self, roots: BTreeSet<Key>) {
        for root in roots {
            self.queue.wake(root);
        }
    }

    async fn fail(&self, error: WatchError, backoff: &mut Backoff) {
        let pause = backoff.next();
        self.metrics.failed(&error.kind.to_string());
        tracing::warn!(%error, scope = self.scope, pause_s = pause.as_secs_f64(), "watch failed");
        self.set_state(CacheState::Stale { error });
        sleep(pause).await;
    }

    fn set_state(&self, state: CacheState) {
        if let (Some(state), Some(on_state)) = (self.intake.set_state(state), &self.on_state) {
            on_state(state);
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        tracing::debug!(watch = self.transport.watch, scope = self.scope, "watch stopped");
    }
}
