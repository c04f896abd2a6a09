//! Counters under the names that controller-runtime uses, so that existing dashboards and alerts work, and room for a
//! program's own.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::heart::{Heart, Hearts};
use crate::queue_metrics::{QueueMetrics, QueueVecs};
use crate::watch_metrics::{WatchMetrics, WatchVecs};

/// Buckets in seconds, from a millisecond to a minute.
pub(crate) const SECONDS: &[f64] = &[
    0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// All metrics of the process; clones show the same ones.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    queues: QueueVecs,
    watches: WatchVecs,
    requests: IntCounterVec,
    before_scrape: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
    hearts: Hearts,
}

impl Metrics {
    /// A fresh set: `process_*`, `workqueue_*`, `controller_runtime_*`, `rest_client_*`, `ringspan_remote_watch_*`.
    #[must_use]
    pub fn new() -> Metrics {
        let registry = Registry::new();
        add(&registry, ProcessCollector::for_self());
        let requests = counters(
            &registry,
            "rest_client_requests_total",
            "Requests to API servers; code is <error> if none came back.",
            &["code", "method", "host"],
        );
        let (queues, watches) = (QueueVecs::new(&registry), WatchVecs::new(&registry));
        let (before_scrape, hearts) = (Mutex::default(), Hearts::default());
        Metrics {
            inner: Arc::new(Inner {
                registry,
                queues,
                watches,
                requests,
                before_scrape,
                hearts,
            }),
        }
    }

    /// A counter of the program's own. Labels must be few and bounded: never an object's name.
    ///
    /// # Panics
    /// If the name is taken or not a metric name: names are literals.
    #[must_use]
    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        counters(&self.inner.registry, name, help, labels)
    }

    /// A whole-numbered gauge of the program's own; see [`Metrics::counters`].
    ///
    /// # Panics
    /// As [`Metrics::counters`].
    #[must_use]
    pub fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        made(
            &self.inner.registry,
            IntGaugeVec::new(Opts::new(name, help), labels),
        )
    }

    /// A gauge of the program's own for seconds and shares; see [`Metrics::counters`].
    ///
    /// # Panics
    /// As [`Metrics::counters`].
    #[must_use]
    pub fn float_gauges(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        float_gauges(&self.inner.registry, name, help, labels)
    }

    /// A histogram of seconds of the program's own; see [`Metrics::counters`].
    ///
    /// # Panics
    /// As [`Metrics::counters`].
    #[must_use]
    pub fn seconds(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        histograms(&self.inner.registry, name, help, SECONDS, labels)
    }

    /// Runs `show` before each scrape, for gauges that are computed instead of kept. It must be quick.
    pub fn before_scrape(&self, show: impl Fn() + Send + Sync + 'static) {
        self.inner
            .before_scrape
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(show));
    }

    /// Everything in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        for show in self
            .inner
            .before_scrape
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            show();
        }
        // Fails only for a metric family without metrics, and `gather` leaves those out.
        TextEncoder::new()
            .encode_to_string(&self.inner.registry.gather())
            .unwrap_or_default()
    }

    /// The counter of requests to API servers: labels `code`, `method`, `host`.
    pub(crate) fn requests(&self) -> &IntCounterVec {
        &self.inner.requests
    }

    pub(crate) fn queue(&self, name: &'static str) -> QueueMetrics {
        self.inner.queues.of(name)
    }

    pub(crate) fn watch(&self, name: &'static str) -> WatchMetrics {
        self.inner.watches.of(name)
    }

    pub(crate) fn heart(&self, name: &'static str) -> Heart {
        self.inner.hearts.add(name)
    }

    /// Loops that should turn and do not.
    pub(crate) fn silent_hearts(&self) -> Vec<&'static str> {
        self.inner.hearts.silent()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

pub(crate) fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    made(registry, IntCounterVec::new(Opts::new(name, help), labels))
}

pub(crate) fn float_gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    made(registry, GaugeVec::new(Opts::new(name, help), labels))
}

pub(crate) fn histograms(
    registry: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
    labels: &[&str],
) -> HistogramVec {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    made(registry, HistogramVec::new(options, labels))
}

#[expect(
    clippy::expect_used,
    reason = "a metric's name and labels are literals; the first run of any test shows it"
)]
fn made<C: Collector + Clone + 'static>(registry: &Registry, metric: prometheus::Result<C>) -> C {
    let metric = metric.expect("metric names and labels are valid literals");
    add(registry, metric.clone());
    metric
}

#[expect(
    clippy::expect_used,
    reason = "each metric is registered at one place, once per process"
)]
fn add(registry: &Registry, metric: impl Collector + 'static) {
    registry
        .register(Box::new(metric))
        .expect("each metric name is registered once");
}
