//! Growing pauses. No clock in here: callers ask for the next pause and wait themselves.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// `first`, then doubled `times` times, at most `most`.
pub(crate) fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(most)
}

/// The pause between attempts of one watch: 1 s, doubling, at most 15 s, each spread by ±20 % so that many
/// watches of one server do not return in step.
///
/// 15 s is a compromise: a plane that comes back is seen soon, and one that stays away costs 4 requests a minute.
#[derive(Debug)]
pub(crate) struct Backoff {
    /// What tells this watch from others.
    watch: u64,
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_secs(1);
    const MOST: Duration = Duration::from_secs(15);

    /// Of a watch with this name over the collection at this path.
    pub(crate) fn of(watch: &str, path: &str) -> Self {
        Self {
            watch: hashed((watch, path)),
            failures: 0,
        }
    }

    /// The pause before the next attempt.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = doubled(Self::FIRST, self.failures, Self::MOST);
        self.failures = self.failures.saturating_add(1);
        spread(pause, hashed((self.watch, self.failures)))
    }

    /// Whether this is the first failure since the last success; counts it.
    pub(crate) fn first(&mut self) -> bool {
        let first = self.failures == 0;
        if first {
            self.failures = 1;
        }
        first
    }

    /// Only for what proves that the other side works again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// `pause` ±20 %. It follows from the watch and from how often it failed: chance would make no two runs of a test the same.
fn spread(pause: Duration, by: u64) -> Duration {
    let permille = 800 + u32::try_from(by % 401).unwrap_or(200);
    pause * permille / 1000
}

fn hashed(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_fifteen_seconds_and_start_again_after_success() {
        let mut backoff = Backoff::of("pods", "/api/v1/pods");
        for expected in [1, 2, 4, 8, 15, 15, 15] {
            let pause = backoff.next().as_secs_f64() / f64::from(expected);
            assert!((0.8..=1.2).contains(&pause), "{expected} s spread by {pause}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(1200));
    }

    #[test]
    fn watches_do_not_return_in_step_and_each_returns_as_it_did_before() {
        let pauses = |watch: &str| {
            let mut backoff = Backoff::of(watch, "/api/v1/pods");
            [(); 6].map(|()| backoff.next())
        };
        assert_eq!(pauses("pods"), pauses("pods"));
        assert_ne!(pauses("pods"), pauses("nodes"));
    }

    #[test]
    fn a_very_long_row_of_failures_does_not_overflow() {
        assert_eq!(
            doubled(Duration::from_secs(1), u32::MAX, Duration::from_mins(1)),
            Duration::from_mins(1)
        );
    }
}
