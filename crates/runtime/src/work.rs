//! Runs passes: one per key at a time, a bounded number at once, each in a task of its own so that a panic is an
//! error of one key only.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, error::Elapsed, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::Key;
use crate::heart::BEAT;
use crate::queue::{DEBOUNCE, Failure, Next, Queue, Retry};
use crate::schedule::Ended;

/// How long running passes may take to finish after a stop.
const FINISH: Duration = Duration::from_secs(20);

/// How passes are run.
#[derive(Clone, Copy, Debug)]
pub struct WorkOptions {
    /// Passes at once, of different keys; at least 1.
    pub workers: usize,
    /// Quiet time before a pass (at most 1 s after the first of a row of events).
    pub debounce: Duration,
    /// A pass that takes longer is dropped and counts as failed, to be repeated with back-off.
    pub deadline: Duration,
}

impl Default for WorkOptions {
    fn default() -> Self {
        WorkOptions {
            workers: 4,
            debounce: DEBOUNCE,
            deadline: Duration::from_mins(1),
        }
    }
}

type Passed<E> = Result<(Id, Result<Result<Next, E>, Elapsed>), JoinError>;

/// Runs a pass for each key that is due, until `stop` is cancelled and running passes are finished (at most 20 s;
/// then they are dropped).
///
/// Events during a pass lead to one more pass after it. A failed pass is repeated as [`Failure::retry`] says, one
/// that panicked after 60 s, doubling up to 10 min.
pub async fn work<F, Fut, E>(queue: Queue, options: WorkOptions, stop: CancellationToken, pass: F)
where
    F: Fn(Key) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Next, E>> + Send + 'static,
    E: Failure,
{
    queue.shared.schedule().set_debounce(options.debounce);
    queue.shared.metrics.set_workers(options.workers);
    let mut bench = Bench {
        queue,
        options,
        pass: Arc::new(pass),
        running: JoinSet::new(),
        keys: HashMap::new(),
    };
    while !stop.is_cancelled() {
        bench.queue.shared.heart.beat();
        let until = bench.start_due();
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            Some(ended) = bench.running.join_next_with_id() => bench.settle(ended),
            () = bench.queue.changed() => {}
            () = sleep_until(until) => {}
        }
    }
    bench.finish().await;
}

/// The running passes of one queue.
struct Bench<F, E> {
    queue: Queue,
    options: WorkOptions,
    pass: Arc<F>,
    running: JoinSet<Result<Result<Next, E>, Elapsed>>,
    /// A task that panicked only tells its id.
    keys: HashMap<Id, (Key, Instant)>,
}

impl<F, Fut, E> Bench<F, E>
where
    F: Fn(Key) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Next, E>> + Send + 'static,
    E: Failure,
{
    /// Starts what is due while workers are free. Returns when to look again.
    fn start_due(&mut self) -> Instant {
        let now = Instant::now();
        let idle = now + BEAT;
        while self.running.len() < self.options.workers.max(1) {
            let mut schedule = self.queue.shared.schedule();
            let Some(taken) = schedule.take(now) else {
                return schedule.next().map_or(idle, |next| next.min(idle));
            };
            drop(schedule);
            self.queue.shared.metrics.started(taken.waited);
            let (pass, key, deadline) = (Arc::clone(&self.pass), taken.key.clone(), self.options.deadline);
            // The closure runs inside the task too, so that a panic before its first await is caught as well.
            let span = tracing::info_span!("pass", controller = self.queue.shared.name, %key);
            let pass = async move { timeout(deadline, async move { pass(key).await }).await };
            let task = self.running.spawn(pass.instrument(span));
            self.keys.insert(task.id(), (taken.key, now));
        }
        idle
    }

    fn settle(&mut self, ended: Passed<E>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some((key, since)) = self.keys.remove(&id) else {
            return;
        };
        let now = Instant::now();
        let (how, class, text) = judge(ended, self.options.deadline);
        let pause = self.queue.shared.schedule().ended(key.clone(), how, now);
        self.queue.shared.metrics.ended(how, class, now - since);
        let controller = self.queue.shared.name;
        let again = pause.map(|pause| pause.as_secs_f64());
        match how {
            Ended::Well(_) => tracing::debug!(controller, %key, took = ?(now - since), "pass ended"),
            Ended::Failed(Retry::Conflict) => {
                tracing::info!(controller, %key, class, again, error = text, "somebody else wrote first");
            }
            Ended::Failed(_) => tracing::warn!(controller, %key, class, again, error = text, "pass failed"),
            Ended::Panicked => tracing::error!(controller, %key, class, again, "pass panicked"),
        }
    }

    async fn finish(mut self) {
        let all = async {
            while let Some(ended) = self.running.join_next_with_id().await {
                self.settle(ended);
            }
        };
        if timeout(FINISH, all).await.is_err() {
            tracing::warn!(
                controller = self.queue.shared.name,
                left = self.running.len(),
                "passes dropped at stop"
            );
            self.running.shutdown().await;
        }
        self.queue.shared.heart.stop();
    }
}

/// What the end of a task means: how it ended, its class, its text.
fn judge<E: Failure>(ended: Passed<E>, deadline: Duration) -> (Ended, &'static str, String) {
    match ended {
        Ok((_, Ok(Ok(next)))) => (Ended::Well(next), "success", String::new()),
        Ok((_, Ok(Err(error)))) => (Ended::Failed(error.retry()), error.class(), error.to_string()),
        Ok((_, Err(_))) => (
            Ended::Failed(Retry::Backoff),
            "deadline",
            format!("took longer than {} s", deadline.as_secs_f64()),
        ),
        // The panic's message went to stderr through the panic hook.
        Err(_) => (Ended::Panicked, "panic", String::new()),
    }
}
