//! Wall time derived from tokio's clock, so that it stands still when tokio's clock does.

use tokio::time::Instant;

/// A wall clock that began at a given moment and goes on with tokio's clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
    wall: jiff::Timestamp,
}

impl Clock {
    /// A clock that shows `wall` now.
    #[must_use]
    pub fn starting_at(wall: jiff::Timestamp) -> Self {
        Self {
            began: Instant::now(),
            wall,
        }
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn unix_seconds(&self) -> i64 {
        self.at(Instant::now()).as_second()
    }

    /// A moment of tokio's clock as Kubernetes writes it, in whole seconds.
    #[must_use]
    pub fn stamp(&self, moment: Instant) -> String {
        self.at(moment).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// The present moment as Kubernetes writes it.
    #[must_use]
    pub fn now(&self) -> String {
        self.stamp(Instant::now())
    }

    fn at(&self, moment: Instant) -> jiff::Timestamp {
        self.wall + moment.duration_since(self.began)
    }
}
