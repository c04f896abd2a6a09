//! Whether loops that must never stop still turn: the difference between a process that runs and one that works.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A loop that has not beaten for this long is dead.
const SILENCE: Duration = Duration::from_mins(1);

/// How often a loop that has nothing to do must beat.
pub(crate) const BEAT: Duration = Duration::from_secs(10);

/// One loop's heart. It counts from its first beat until it stops on purpose.
#[derive(Clone, Debug)]
pub(crate) struct Heart {
    name: &'static str,
    last: Arc<Mutex<Option<Instant>>>,
}

impl Heart {
    pub(crate) fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The loop ends because it was told to.
    pub(crate) fn stop(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn silent(&self, now: Instant) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| now.saturating_duration_since(last) > SILENCE)
    }
}

/// All hearts of the process.
#[derive(Debug, Default)]
pub(crate) struct Hearts(Mutex<Vec<Heart>>);

impl Hearts {
    pub(crate) fn add(&self, name: &'static str) -> Heart {
        let heart = Heart {
            name,
            last: Arc::default(),
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(heart.clone());
        heart
    }

    /// The loops that stopped beating without having been told to stop.
    pub(crate) fn silent(&self) -> Vec<&'static str> {
        let now = Instant::now();
        let hearts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hearts
            .iter()
            .filter(|heart| heart.silent(now))
            .map(|heart| heart.name)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_is_dead_after_a_minute_without_a_beat_unless_it_was_stopped() {
        let hearts = Hearts::default();
        let heart = hearts.add("demo");
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!(hearts.silent().is_empty(), "not started yet");
        heart.beat();
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(hearts.silent().is_empty());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(hearts.silent(), ["demo"]);
        heart.stop();
        assert!(hearts.silent().is_empty());
    }
}
