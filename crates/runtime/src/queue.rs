//! The queue of one controller: keys in, at most one pass per key at a time out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::Key;
use crate::heart::Heart;
use crate::metrics::Metrics;
use crate::queue_metrics::QueueMetrics;
use crate::schedule::Schedule;

/// The quiet time that a key waits for more events before its pass begins, unless options say otherwise.
pub const DEBOUNCE: Duration = Duration::from_millis(100);

/// What a pass that went well asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing until something happens.
    Done,
    /// Another pass after this time, or earlier if something happens.
    After(Duration),
}

/// When a failed pass is repeated. Any event repeats it earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After 1 s, doubled with every failure in a row up to 60 s.
    Backoff,
    /// After 1 s: somebody else wrote first, so read again.
    Conflict,
    /// Not before something happens: only the user can mend it.
    AfterChange,
}

/// The error of a pass.
pub trait Failure: std::error::Error + Send + Sync + 'static {
    /// When to try again.
    fn retry(&self) -> Retry;
    /// A short constant word for metrics and logs, such as `conflict`.
    fn class(&self) -> &'static str;
}

/// A handle to wake keys with; clones wake the same queue.
#[derive(Clone)]
pub struct Queue {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) name: &'static str,
    schedule: Mutex<Schedule>,
    changed: Notify,
    pub(crate) heart: Heart,
    pub(crate) metrics: QueueMetrics,
}

impl Queue {
    /// An empty queue; `name` is the `name` and `controller` label of its metrics.
    #[must_use]
    pub fn new(name: &'static str, metrics: &Metrics) -> Queue {
        let shared = Arc::new(Shared {
            name,
            schedule: Mutex::new(Schedule::new(DEBOUNCE)),
            changed: Notify::new(),
            heart: metrics.heart(name),
            metrics: metrics.queue(name),
        });
        let seen = Arc::downgrade(&shared);
        metrics.before_scrape(move || {
            if let Some(shared) = seen.upgrade() {
                let now = Instant::now();
                let schedule = shared.schedule();
                shared
                    .metrics
                    .show(schedule.waiting(now), schedule.running().map(|since| now - since));
            }
        });
        Queue { shared }
    }

    /// Something happened to this object. Never blocks; a key that already waits is only counted once.
    pub fn wake(&self, key: Key) {
        self.shared.metrics.added();
        self.shared.schedule().wake(key, Instant::now());
        self.shared.changed.notify_one();
    }

    /// Looks at this object after `delay` or earlier; of several such wishes the earliest counts.
    pub fn wake_after(&self, key: Key, delay: Duration) {
        self.shared.metrics.added();
        self.shared.schedule().wake_at(key, Instant::now() + delay);
        self.shared.changed.notify_one();
    }

    /// Waits until somebody woke a key since the last call.
    pub(crate) async fn changed(&self) {
        self.shared.changed.notified().await;
    }
}

impl Shared {
    pub(crate) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        // A panic while it was held cannot have left half an entry: `change` writes the index last.
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("name", &self.shared.name)
            .finish_non_exhaustive()
    }
}
