//! What a program takes from the world beside requests: the time of day, and randomness. Tests give their own, so that
//! the same run gives the same bytes.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The time of day.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The system's.
    #[default]
    System,
    /// As much after `epoch` as tokio's clock is after `began`: with a paused clock, virtual time.
    Since {
        /// The time of day at `began`.
        epoch: Timestamp,
        /// When the clock was started.
        began: Instant,
    },
}

impl Clock {
    /// The time of day now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => Timestamp::now(),
            Clock::Since { epoch, began } => {
                let elapsed = SignedDuration::try_from(began.elapsed()).unwrap_or(SignedDuration::MAX);
                epoch.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

/// The system gives no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no randomness")]
pub struct NoRandomness;

type Fill = dyn Fn(&mut [u8]) -> Result<(), NoRandomness> + Send + Sync;

/// Random bytes.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

impl Random {
    /// Bytes of another source. Whatever is made from them is only as secret as they are.
    #[must_use]
    pub fn from_source(fill: impl Fn(&mut [u8]) -> Result<(), NoRandomness> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// Fills a buffer.
    ///
    /// # Errors
    /// The source has none to give.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        (self.0)(bytes)
    }
}

impl Default for Random {
    /// The system's.
    fn default() -> Self {
        Self::from_source(|bytes| getrandom::fill(bytes).map_err(|_| NoRandomness))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// Both.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// The time of day.
    pub clock: Clock,
    /// Random bytes.
    pub random: Random,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn virtual_time_goes_with_tokios_clock_and_no_other() {
        let epoch: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::Since {
            epoch,
            began: Instant::now(),
        };
        assert_eq!(clock.now(), epoch);
        tokio::time::advance(Duration::from_hours(24)).await;
        assert_eq!(clock.now().to_string(), "2026-01-02T00:00:00Z");
    }

    #[test]
    fn the_systems_bytes_differ_each_time() {
        let draw = || {
            let mut bytes = [0; 16];
            Random::default().fill(&mut bytes).map(|()| bytes)
        };
        assert_ne!(draw(), draw());
    }
}
