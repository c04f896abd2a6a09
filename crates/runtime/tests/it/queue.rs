//! When passes run: debounce, back-off, panics, workers, stop.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::{CancellationToken, Failure, Key, Metrics, Next, Queue, Retry, WorkOptions, work};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::world::until;

#[derive(Debug, thiserror::Error)]
#[error("told to fail")]
struct Failed(Retry);

impl Failure for Failed {
    fn retry(&self) -> Retry {
        self.0
    }
    fn class(&self) -> &'static str {
        "told"
    }
}

type Outcome = Result<Next, Failed>;

/// A queue whose passes do what `script` says, and when each pass of which key began.
struct Bench {
    queue: Queue,
    metrics: Metrics,
    stop: CancellationToken,
    start: Instant,
    began: Arc<Mutex<Vec<(String, Duration)>>>,
    ended: tokio::task::JoinHandle<()>,
}

impl Bench {
    fn new<Fut>(options: WorkOptions, script: impl Fn(String, usize) -> Fut + Send + Sync + 'static) -> Bench
    where
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let (metrics, stop, start) = (Metrics::new(), CancellationToken::new(), Instant::now());
        let queue = Queue::new("demo", &metrics);
        let began = Arc::<Mutex<Vec<(String, Duration)>>>::default();
        let note = Arc::clone(&began);
        let ended = tokio::spawn(work(queue.clone(), options, stop.clone(), move |key: Key| {
            let mut began = note.lock().unwrap();
            let before = began.iter().filter(|(name, _)| *name == key.name).count();
            began.push((key.name.clone(), start.elapsed()));
            drop(began);
            script(key.name, before)
        }));
        Bench {
            queue,
            metrics,
            stop,
            start,
            began,
            ended,
        }
    }

    fn wake(&self, name: &str) {
        self.queue.wake(Key::new("db", name));
    }

    /// Seconds between the beginnings of the passes of `name`, the first from the start, to a tenth.
    fn gaps(&self, name: &str) -> Vec<f64> {
        let began = self.began.lock().unwrap();
        let mut last = Duration::ZERO;
        let passes = began.iter().filter(|(one, _)| one == name);
        let gaps = passes.map(|(_, at)| at.saturating_sub(std::mem::replace(&mut last, *at)));
        gaps.map(|gap| (gap.as_secs_f64() * 10.0).round() / 10.0)
            .collect()
    }

    fn passes(&self) -> usize {
        self.began.lock().unwrap().len()
    }
}

fn always(outcome: fn(usize) -> Outcome) -> impl Fn(String, usize) -> std::future::Ready<Outcome> {
    move |_, before| std::future::ready(outcome(before))
}

#[tokio::test(start_paused = true)]
async fn five_wakes_in_a_row_are_one_pass_after_a_quiet_moment() {
    let bench = Bench::new(WorkOptions::default(), always(|_| Ok(Next::Done)));
    for _ in 0..5 {
        bench.wake("a");
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_mins(10)).await;
    assert_eq!(bench.gaps("a"), [0.3]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_never_becomes_quiet_still_gets_its_pass_every_second() {
    let bench = Bench::new(WorkOptions::default(), always(|_| Ok(Next::Done)));
    for _ in 0..100 {
        bench.wake("a");
        sleep(Duration::from_millis(50)).await;
    }
    let passes = bench.passes();
    assert!((4..=6).contains(&passes), "{passes} in 5 s");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_never_worked_on_twice_at_once_and_wakes_during_a_pass_make_one_more() {
    let bench = Bench::new(WorkOptions::default(), |_, _| async {
        sleep(Duration::from_secs(5)).await;
        Ok(Next::Done)
    });
    bench.wake("a");
    for _ in 0..4 {
        sleep(Duration::from_secs(1)).await;
        bench.wake("a");
    }
    sleep(Duration::from_mins(10)).await;
    assert_eq!(bench.gaps("a"), [0.1, 5.0]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_key_backs_off_up_to_a_minute_and_starts_again_after_success() {
    let fails = |before| {
        if before == 8 {
            Ok(Next::Done)
        } else {
            Err(Failed(Retry::Backoff))
        }
    };
    let bench = Bench::new(WorkOptions::default(), always(fails));
    bench.wake("a");
    sleep(Duration::from_mins(20)).await;
    assert_eq!(bench.gaps("a"), [0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
    bench.wake("a");
    sleep(Duration::from_secs(4)).await;
    assert_eq!(bench.gaps("a")[10..], [1.0, 2.0], "from the beginning");
}

#[tokio::test(start_paused = true)]
async fn an_event_cuts_a_back_off_short_but_not_below_a_second() {
    let bench = Bench::new(WorkOptions::default(), always(|_| Err(Failed(Retry::Backoff))));
    bench.wake("a");
    sleep(Duration::from_secs(40)).await; // passes at 0.1, 1.1, 3.1, 7.1, 15.1, 31.1
    bench.wake("a");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.gaps("a"), [0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 9.9]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_repeated_after_a_second_and_what_only_the_user_can_mend_not_at_all() {
    let conflicts = |before| {
        if before < 3 {
            Err(Failed(Retry::Conflict))
        } else {
            Err(Failed(Retry::AfterChange))
        }
    };
    let bench = Bench::new(WorkOptions::default(), always(conflicts));
    bench.wake("a");
    sleep(Duration::from_hours(1)).await;
    assert_eq!(bench.gaps("a"), [0.1, 1.0, 1.0, 1.0]);
    bench.wake("a");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.passes(), 5);
}

#[tokio::test(start_paused = true)]
async fn of_several_wishes_the_earliest_counts() {
    let bench = Bench::new(
        WorkOptions::default(),
        always(|before| match before {
            0 => Ok(Next::After(Duration::from_mins(5))),
            _ => Ok(Next::Done),
        }),
    );
    bench
        .queue
        .wake_after(Key::new("db", "a"), Duration::from_secs(30));
    bench
        .queue
        .wake_after(Key::new("db", "a"), Duration::from_secs(10));
    bench
        .queue
        .wake_after(Key::new("db", "a"), Duration::from_secs(20));
    sleep(Duration::from_hours(1)).await;
    assert_eq!(bench.gaps("a"), [10.0, 300.0]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_one_key_does_not_stop_others_and_is_repeated_after_a_minute_up_to_ten() {
    let bench = Bench::new(WorkOptions::default(), |name, _| async move {
        assert!(name != "poison", "told to panic");
        Ok(Next::After(Duration::from_mins(1)))
    });
    bench.wake("poison");
    bench.wake("good");
    sleep(Duration::from_mins(36)).await;
    assert_eq!(
        bench.gaps("poison"),
        [0.1, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0]
    );
    assert_eq!(bench.gaps("good").len(), 36);
    let metrics = bench.metrics.render();
    assert!(metrics.contains(r#"ringspan_pass_failures_total{class="panic",controller="demo"} 7"#));
    assert!(
        metrics.contains(r#"controller_runtime_reconcile_panics_total{controller="demo"} 7"#),
        "{metrics}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_first_await_is_caught_too() {
    let bench = Bench::new(WorkOptions::default(), |name: String, _| {
        assert!(name != "poison", "told to panic");
        std::future::ready(Ok(Next::Done))
    });
    bench.wake("poison");
    sleep(Duration::from_secs(1)).await;
    bench.wake("good");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.gaps("good"), [1.1]);
}

#[tokio::test(start_paused = true)]
async fn a_pass_without_end_is_dropped_at_its_deadline_and_repeated() {
    let options = WorkOptions {
        deadline: Duration::from_secs(30),
        ..WorkOptions::default()
    };
    let bench = Bench::new(options, |_, _| std::future::pending());
    bench.wake("a");
    sleep(Duration::from_secs(100)).await;
    assert_eq!(bench.gaps("a"), [0.1, 31.0, 32.0, 34.0]);
}

#[tokio::test(start_paused = true)]
async fn no_more_passes_run_at_once_than_there_are_workers() {
    let options = WorkOptions {
        workers: 2,
        ..WorkOptions::default()
    };
    let bench = Bench::new(options, |_, _| async {
        sleep(Duration::from_secs(10)).await;
        Ok(Next::Done)
    });
    for name in ["a", "b", "c", "d", "e"] {
        bench.wake(name);
    }
    sleep(Duration::from_secs(15)).await;
    let metrics = bench.metrics.render();
    assert_eq!(bench.passes(), 4);
    assert!(metrics.contains(r#"workqueue_depth{name="demo"} 1"#), "{metrics}");
    assert!(
        metrics.contains(r#"controller_runtime_active_workers{controller="demo"} 2"#),
        "{metrics}"
    );
    let longest = r#"workqueue_longest_running_processor_seconds{name="demo"} 4.9"#;
    assert!(metrics.contains(longest), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn stop_starts_nothing_new_and_lets_the_running_pass_finish() {
    let finished = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&finished);
    let bench = Bench::new(
        WorkOptions {
            workers: 1,
            ..WorkOptions::default()
        },
        move |name, _| {
            let note = Arc::clone(&note);
            async move {
                sleep(Duration::from_secs(15)).await;
                note.lock().unwrap().push(name);
                Ok(Next::Done)
            }
        },
    );
    bench.wake("a");
    bench.wake("b");
    until(|| bench.passes() == 1).await;
    bench.stop.cancel();
    bench.ended.await.unwrap();
    assert_eq!(*finished.lock().unwrap(), ["a"]);
    assert!((15.0..15.3).contains(&bench.start.elapsed().as_secs_f64()));
}

#[tokio::test(start_paused = true)]
async fn stop_drops_a_pass_that_does_not_finish_within_twenty_seconds() {
    let dropped = Arc::new(Notify::new());
    let note = Arc::clone(&dropped);
    let bench = Bench::new(WorkOptions::default(), move |_, _| {
        let note = Arc::clone(&note);
        async move {
            let _told_when_dropped = Told(note);
            std::future::pending().await
        }
    });
    bench.wake("a");
    until(|| bench.passes() == 1).await;
    bench.stop.cancel();
    bench.ended.await.unwrap();
    assert!((20.0..20.3).contains(&bench.start.elapsed().as_secs_f64()));
    dropped.notified().await;
}

struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_queue_does_nothing_and_its_memory_does_not_grow_with_wakes() {
    let bench = Bench::new(WorkOptions::default(), always(|_| Ok(Next::Done)));
    for _ in 0..100_000 {
        bench.wake("a");
    }
    sleep(Duration::from_hours(10)).await;
    assert_eq!(bench.passes(), 1);
    let metrics = bench.metrics.render();
    assert!(
        metrics.contains(r#"workqueue_adds_total{name="demo"} 100000"#),
        "{metrics}"
    );
    assert!(metrics.contains(r#"controller_runtime_reconcile_total{controller="demo",result="success"} 1"#));
}
