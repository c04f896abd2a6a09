//! The server's time: a given beginning plus what tokio's clock has counted since.

use jiff::Timestamp;
use tokio::time::Instant;

/// 2026-01-01T00:00:00Z, in seconds since 1970.
pub(crate) const BEGINNING: i64 = 1_767_225_600;

/// A clock that starts at the moment that it is given. Under tokio's paused clock it stands still between timers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch: i64,
    started: Instant,
}

impl Clock {
    pub(crate) fn starting_at(epoch: i64) -> Clock {
        Clock {
            epoch,
            started: Instant::now(),
        }
    }

    /// Whole seconds since 1970.
    pub(crate) fn seconds(self) -> i64 {
        let passed = self.started.elapsed().as_secs();
        self.epoch
            .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    /// As the API writes times: whole seconds, UTC.
    pub(crate) fn now(self) -> String {
        written(self.seconds())
    }
}

/// The moment when every server starts that is given no other.
pub(crate) fn beginning() -> String {
    written(BEGINNING)
}

pub(crate) fn written(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .unwrap_or(Timestamp::MAX)
        .to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_passes_only_with_tokios_clock() {
        let clock = Clock::starting_at(BEGINNING);
        assert_eq!(clock.now(), "2026-01-01T00:00:00Z");
        tokio::time::advance(Duration::from_secs(3661)).await;
        assert_eq!(clock.now(), "2026-01-01T01:01:01Z");
    }
}
