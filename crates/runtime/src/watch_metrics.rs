//! The metrics of watches. The label is the watch's name, never a cluster or an object: it stays bounded.

use prometheus::{IntCounter, IntCounterVec, Registry};

use crate::metrics::counters;

/// One set for all watches of the process, told apart by label.
pub(crate) struct WatchVecs {
    requests: IntCounterVec,
    failures: IntCounterVec,
    events: IntCounterVec,
    unreadable: IntCounterVec,
}

impl WatchVecs {
    pub(crate) fn new(registry: &Registry) -> WatchVecs {
        let count = |name, help, labels: &[&str]| counters(registry, name, help, labels);
        WatchVecs {
            requests: count(
                "ringspan_remote_watch_requests_total",
                "Lists (one per page) and watches that were asked for.",
                &["watch", "verb"],
            ),
            failures: count(
                "ringspan_remote_watch_failures_total",
                "Of those, by kind.",
                &["watch", "kind"],
            ),
            events: count(
                "ringspan_remote_watch_events_total",
                "Changes received.",
                &["watch"],
            ),
            unreadable: count(
                "ringspan_remote_watch_unreadable_total",
                "Objects that did not decode.",
                &["watch"],
            ),
        }
    }

    pub(crate) fn of(&self, watch: &'static str) -> WatchMetrics {
        WatchMetrics {
            watch,
            lists: self.requests.with_label_values(&[watch, "list"]),
            watches: self.requests.with_label_values(&[watch, "watch"]),
            events: self.events.with_label_values(&[watch]),
            unreadable: self.unreadable.with_label_values(&[watch]),
            failures: self.failures.clone(),
        }
    }
}

/// The metrics of one watch.
#[derive(Clone)]
pub(crate) struct WatchMetrics {
    watch: &'static str,
    pub(crate) lists: IntCounter,
    pub(crate) watches: IntCounter,
    pub(crate) events: IntCounter,
    pub(crate) unreadable: IntCounter,
    failures: IntCounterVec,
}

impl WatchMetrics {
    pub(crate) fn failed(&self, kind: &str) {
        self.failures.with_label_values(&[self.watch, kind]).inc();
    }
}
