//! When each key is due. Pure: the time is always an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::Key;
use crate::backoff::doubled;
use crate::queue::{Next, Retry};

/// However often a key is woken, its pass starts this long after the first wake-up at the latest.
const MOST_DEBOUNCE: Duration = Duration::from_secs(1);
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_mins(1);
const CONFLICT: Duration = Duration::from_secs(1);
const PANIC_FIRST: Duration = Duration::from_mins(1);
const PANIC_MOST: Duration = Duration::from_mins(10);

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Well(Next),
    Failed(Retry),
    Panicked,
}

#[derive(Debug, Default)]
struct Entry {
    /// Woken by something that happened: when first, and until when it may still wait for more.
    woken: Option<(Instant, Instant)>,
    /// Asked for by a pass, a back-off or `wake_after`; the earliest wins.
    timer: Option<Instant>,
    running: Option<Instant>,
    failures: u32,
    panics: u32,
}

impl Entry {
    fn due(&self) -> Option<Instant> {
        if self.running.is_some() {
            return None;
        }
        match (self.woken, self.timer) {
            (Some((_, woken)), Some(timer)) => Some(woken.min(timer)),
            (Some((_, woken)), None) => Some(woken),
            (None, timer) => timer,
        }
    }

    fn earlier(&mut self, at: Instant) {
        self.timer = Some(self.timer.map_or(at, |timer| timer.min(at)));
    }

    fn forgettable(&self) -> bool {
        self.woken.is_none()
            && self.timer.is_none()
            && self.running.is_none()
            && self.failures + self.panics == 0
    }
}

/// What a worker takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub key: Key,
    /// From the moment it was due.
    pub waited: Duration,
}

/// Every key that waits, runs, or failed lately. Bounded by the number of keys.
#[derive(Debug)]
pub(crate) struct Schedule {
    debounce: Duration,
    entries: BTreeMap<Key, Entry>,
    due: BTreeSet<(Instant, Key)>,
}

impl Schedule {
    pub(crate) fn new(debounce: Duration) -> Schedule {
        Schedule {
            debounce,
            entries: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }

    pub(crate) fn set_debounce(&mut self, debounce: Duration) {
        self.debounce = debounce;
    }

    /// Something happened to `key`: due after a short quiet time, even while it backs off. A key that failed
    /// stays quiet for 1 s, so that a pass whose own writes wake it cannot spin.
    pub(crate) fn wake(&mut self, key: Key, now: Instant) {
        let quiet = self.debounce;
        self.change(key, |entry| {
            let debounce = if entry.failures + entry.panics > 0 {
                quiet.max(RETRY_FIRST)
            } else {
                quiet
            };
            let first = entry.woken.map_or(now, |(first, _)| first);
            entry.woken = Some((first, (now + debounce).min(first + MOST_DEBOUNCE.max(debounce))));
        });
    }

    /// Due at `at` or earlier.
    pub(crate) fn wake_at(&mut self, key: Key, at: Instant) {
        self.change(key, |entry| entry.earlier(at));
    }

    /// When the next key is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the key that has been due longest; it is *running* until [`Schedule::ended`].
    pub(crate) fn take(&mut self, now: Instant) -> Option<Taken> {
        let (at, key) = self.due.first().filter(|(at, _)| *at <= now)?.clone();
        self.change(key.clone(), |entry| {
            entry.running = Some(now);
            entry.woken = None;
            entry.timer = None;
        });
        Some(Taken {
            key,
            waited: now.saturating_duration_since(at),
        })
    }

    /// A pass ended. Returns the pause after which it is repeated, if it failed and will be.
    pub(crate) fn ended(&mut self, key: Key, how: Ended, now: Instant) -> Option<Duration> {
        let mut pause = None;
        self.change(key, |entry| {
            entry.running = None;
            pause = entry.settle(how);
            let next = match how {
                Ended::Well(Next::After(delay)) => Some(delay),
                _ => pause,
            };
            if let Some(delay) = next {
                entry.earlier(now + delay);
            }
        });
        pause
    }

    /// How many keys are due now and wait for a worker.
    pub(crate) fn waiting(&self, now: Instant) -> usize {
        self.due.iter().take_while(|(at, _)| *at <= now).count()
    }

    /// Since when each running pass runs.
    pub(crate) fn running(&self) -> impl Iterator<Item = Instant> {
        self.entries.values().filter_map(|entry| entry.running)
    }

    fn change(&mut self, key: Key, change: impl FnOnce(&mut Entry)) {
        let entry = self.entries.entry(key.clone()).or_default();
        let before = entry.due();
        change(entry);
        let (after, forget) = (entry.due(), entry.forgettable());
        if forget {
            self.entries.remove(&key);
        }
        if before == after {
            return;
        }
        if let Some(at) = before {
            self.due.remove(&(at, key.clone()));
        }
        if let Some(at) = after {
            self.due.insert((at, key));
        }
    }
}

impl Entry {
    /// Counts the outcome; `Some(pause)` if it is to be repeated because it failed.
    fn settle(&mut self, how: Ended) -> Option<Duration> {
        match how {
            Ended::Well(_) => {
                self.failures = 0;
                self.panics = 0;
                None
            }
            Ended::Failed(Retry::Backoff) => {
                let pause = doubled(RETRY_FIRST, self.failures, RETRY_MOST);
                self.failures = self.failures.saturating_add(1);
                Some(pause)
            }
            Ended::Failed(Retry::Conflict) => Some(CONFLICT),
            Ended::Failed(Retry::AfterChange) => None,
            Ended::Panicked => {
                let pause = doubled(PANIC_FIRST, self.panics, PANIC_MOST);
                self.panics = self.panics.saturating_add(1);
                Some(pause)
            }
        }
    }
}
