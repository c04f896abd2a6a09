//! Writes that somebody undoes: a copy that has to be written again and again without a change of its source is
//! written ever less often.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Writes of one version of a source that are made without a pause.
const FREE: u32 = 3;
/// The longest pause.
const LONGEST: Duration = Duration::from_mins(10);

/// Context, namespace and name of a copy.
pub(crate) type Place = (String, String, String);

/// What was written where.
#[derive(Default)]
pub(crate) struct Contention(Mutex<BTreeMap<Place, Written>>);

struct Written {
    /// Which version of the source.
    mark: String,
    times: u32,
    last: Instant,
}

impl Contention {
    /// Counts a write that is about to be made, or says how long it has to wait.
    ///
    /// # Errors
    /// The pause that is left.
    pub fn admit(&self, place: &Place, mark: &str, now: Instant) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Written {
            mark: mark.to_owned(),
            times: 0,
            last: now,
        };
        let written = all.entry(place.clone()).or_insert(new);
        let since = now - written.last;
        if written.mark != mark || since > LONGEST * 2 {
            *written = Written {
                mark: mark.to_owned(),
                times: 0,
                last: now,
            };
        }
        let pause = pause(written.times);
        if written.times >= FREE && since < pause {
            return Err(pause.saturating_sub(since));
        }
        written.times += 1;
        written.last = now;
        Ok(())
    }

    /// Takes the last count back: the write was not made, and nobody has undone it.
    pub fn not_made(&self, place: &Place) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(written) = all.get_mut(place) {
            written.times = written.times.saturating_sub(1);
        }
    }
}

/// 16 s after the third write, doubling.
fn pause(times: u32) -> Duration {
    Duration::from_secs(1 << (times + 1).min(10)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_write_of_one_version_waits_and_every_further_one_longer() {
        let (contention, start) = (Contention::default(), Instant::now());
        let place = ("east".to_owned(), "db".to_owned(), "superuser".to_owned());
        let admit = |mark: &str, second| contention.admit(&place, mark, start + Duration::from_secs(second));
        assert_eq!(
            [admit("1", 0), admit("1", 1), admit("1", 2)],
            [Ok(()), Ok(()), Ok(())]
        );
        assert_eq!(admit("1", 3), Err(Duration::from_secs(15)));
        assert_eq!(admit("1", 18), Ok(()));
        assert_eq!(admit("1", 19), Err(Duration::from_secs(31)));
        assert_eq!(admit("2", 19), Ok(()), "a new version is written at once");
    }

    #[test]
    fn a_write_that_a_server_did_not_make_is_not_counted() {
        let (contention, start) = (Contention::default(), Instant::now());
        let place = Place::default();
        for second in 0..10 {
            let now = start + Duration::from_secs(second);
            assert_eq!(
                contention.admit(&place, "1", now),
                Ok(()),
                "after {second} failures"
            );
            contention.not_made(&place);
        }
        for _ in 0..FREE {
            assert_eq!(
                contention.admit(&place, "1", start + Duration::from_secs(10)),
                Ok(())
            );
        }
        assert!(
            contention
                .admit(&place, "1", start + Duration::from_secs(11))
                .is_err()
        );
    }

    #[test]
    fn the_pause_never_exceeds_ten_minutes_and_is_forgotten_after_quiet() {
        let (contention, start) = (Contention::default(), Instant::now());
        let place = Place::default();
        let mut second = 0;
        for _ in 0..20 {
            while contention
                .admit(&place, "1", start + Duration::from_secs(second))
                .is_err()
            {
                second += 600;
            }
        }
        assert_eq!(
            contention.admit(&place, "1", start + Duration::from_secs(second + 1)),
            Err(Duration::from_secs(599))
        );
        let later = start + Duration::from_secs(second + 1201);
        assert_eq!(contention.admit(&place, "1", later), Ok(()));
        assert_eq!(contention.admit(&place, "1", later), Ok(()));
    }
}
