//! The metrics of queues and passes, with controller-runtime's names and meanings.

use std::time::Duration;

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, Registry, exponential_buckets,
};

use crate::metrics::{SECONDS, counters, float_gauges, histograms};
use crate::queue::{Next, Retry};
use crate::schedule::Ended;

/// One set for all queues of the process, told apart by label.
pub(crate) struct QueueVecs {
    adds: IntCounterVec,
    retries: IntCounterVec,
    depth: GaugeVec,
    unfinished: GaugeVec,
    longest: GaugeVec,
    waited: HistogramVec,
    worked: HistogramVec,
    results: IntCounterVec,
    errors: IntCounterVec,
    terminal: IntCounterVec,
    panics: IntCounterVec,
    classes: IntCounterVec,
    took: HistogramVec,
    workers: GaugeVec,
    active: GaugeVec,
}

impl QueueVecs {
    pub(crate) fn new(registry: &Registry) -> QueueVecs {
        let count = |name, help, labels: &[&str]| counters(registry, name, help, labels);
        let gauge = |name, help, label| float_gauges(registry, name, help, &[label]);
        // As client-go has them: from 10 ns, ten times each.
        let wide = exponential_buckets(1e-8, 10.0, 12).unwrap_or_else(|_| SECONDS.to_vec());
        let wide = |name, help| histograms(registry, name, help, &wide, &["name"]);
        let of = "controller";
        QueueVecs {
            adds: count("workqueue_adds_total", "Wake-ups of keys.", &["name"]),
            retries: count(
                "workqueue_retries_total",
                "Failed passes that are repeated.",
                &["name"],
            ),
            depth: gauge(
                "workqueue_depth",
                "Keys that are due and wait for a worker.",
                "name",
            ),
            unfinished: gauge(
                "workqueue_unfinished_work_seconds",
                "Sum over running passes.",
                "name",
            ),
            longest: gauge(
                "workqueue_longest_running_processor_seconds",
                "Of the running passes.",
                "name",
            ),
            waited: wide(
                "workqueue_queue_duration_seconds",
                "From when a key was due until its pass.",
            ),
            worked: wide("workqueue_work_duration_seconds", "Of one pass."),
            results: count("controller_runtime_reconcile_total", "Passes.", &[of, "result"]),
            errors: count(
                "controller_runtime_reconcile_errors_total",
                "Passes that failed.",
                &[of],
            ),
            terminal: count(
                "controller_runtime_terminal_reconcile_errors_total",
                "Not repeated by itself.",
                &[of],
            ),
            panics: count(
                "controller_runtime_reconcile_panics_total",
                "Passes that panicked.",
                &[of],
            ),
            classes: count(
                "ringspan_pass_failures_total",
                "Passes that failed, by class.",
                &[of, "class"],
            ),
            took: histograms(
                registry,
                "controller_runtime_reconcile_time_seconds",
                "Of one pass.",
                SECONDS,
                &[of],
            ),
            workers: gauge(
                "controller_runtime_max_concurrent_reconciles",
                "Passes allowed at once.",
                of,
            ),
            active: gauge("controller_runtime_active_workers", "Passes that run.", of),
        }
    }

    pub(crate) fn of(&self, name: &'static str) -> QueueMetrics {
        let label = &[name];
        let result = |result| self.results.with_label_values(&[name, result]);
        QueueMetrics {
            name,
            classes: self.classes.clone(),
            adds: self.adds.with_label_values(label),
            retries: self.retries.with_label_values(label),
            depth: self.depth.with_label_values(label),
            unfinished: self.unfinished.with_label_values(label),
            longest: self.longest.with_label_values(label),
            waited: self.waited.with_label_values(label),
            worked: self.worked.with_label_values(label),
            success: result("success"),
            error: result("error"),
            requeue_after: result("requeue_after"),
            errors: self.errors.with_label_values(label),
            terminal: self.terminal.with_label_values(label),
            panics: self.panics.with_label_values(label),
            took: self.took.with_label_values(label),
            workers: self.workers.with_label_values(label),
            active: self.active.with_label_values(label),
        }
    }
}

/// The metrics of one queue.
pub(crate) struct QueueMetrics {
    name: &'static str,
    classes: IntCounterVec,
    adds: IntCounter,
    retries: IntCounter,
    depth: Gauge,
    unfinished: Gauge,
    longest: Gauge,
    waited: Histogram,
    worked: Histogram,
    success: IntCounter,
    error: IntCounter,
    requeue_after: IntCounter,
    errors: IntCounter,
    terminal: IntCounter,
    panics: IntCounter,
    took: Histogram,
    workers: Gauge,
    active: Gauge,
}

impl QueueMetrics {
    pub(crate) fn added(&self) {
        self.adds.inc();
    }

    pub(crate) fn set_workers(&self, workers: usize) {
        self.workers.set(float(workers));
    }

    pub(crate) fn started(&self, waited: Duration) {
        self.waited.observe(waited.as_secs_f64());
        self.active.inc();
    }

    pub(crate) fn ended(&self, how: Ended, class: &str, took: Duration) {
        self.active.dec();
        self.worked.observe(took.as_secs_f64());
        self.took.observe(took.as_secs_f64());
        match how {
            Ended::Well(Next::Done) => self.success.inc(),
            Ended::Well(Next::After(_)) => self.requeue_after.inc(),
            Ended::Failed(_) | Ended::Panicked => {
                self.error.inc();
                self.errors.inc();
                self.classes.with_label_values(&[self.name, class]).inc();
            }
        }
        match how {
            Ended::Well(_) => {}
            Ended::Failed(Retry::AfterChange) => self.terminal.inc(),
            Ended::Failed(_) => self.retries.inc(),
            Ended::Panicked => {
                self.retries.inc();
                self.panics.inc();
            }
        }
    }

    /// What is only known when somebody asks.
    pub(crate) fn show(&self, waiting: usize, running: impl Iterator<Item = Duration>) {
        let (sum, longest) = running
            .map(|since| since.as_secs_f64())
            .fold((0.0, 0.0), |(sum, max): (f64, f64), one| {
                (sum + one, max.max(one))
            });
        self.depth.set(float(waiting));
        self.unfinished.set(sum);
        self.longest.set(longest);
    }
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
