//! When this process noticed and wrote what. Nothing of it is needed after a restart.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::conditions::find;
use api::k8ssandra_cluster::K8ssandraClusterStatus;
use api::names::condition;
use plan::rollup::{ClusterView, Difference, difference};
use runtime::Key;
use tokio::time::Instant;

/// Least time between a write and the next one that says a new step.
const STEP: Duration = Duration::from_secs(1);
/// Least time between a write and the next one that only says details.
const DETAIL: Duration = Duration::from_secs(5);
/// How long a plane may be out of sight before a ready cluster is said to be unknown: new credentials make a plane's
/// watches start again, and that is nothing to tell.
pub(crate) const BLINK: Duration = Duration::from_secs(2);

/// What is remembered of each cluster.
#[derive(Default)]
pub(crate) struct Memory(Mutex<BTreeMap<Key, Noted>>);

#[derive(Default)]
struct Noted {
    /// UID, generation, and when that generation was first seen.
    generation: Option<(String, i64, Instant)>,
    wrote: Option<Instant>,
    unknown_since: Option<Instant>,
    /// What was written and is not what was stored then.
    refused: Option<K8ssandraClusterStatus>,
}

impl Memory {
    /// How long this generation of this cluster has been known here.
    pub fn waited(&self, key: &Key, uid: &str, generation: i64, now: Instant) -> Duration {
        let mut all = self.notes();
        let noted = all.entry(key.clone()).or_default();
        match &noted.generation {
            Some((known, number, since)) if known == uid && *number == generation => now - *since,
            _ => {
                noted.generation = Some((uid.to_owned(), generation, now));
                Duration::ZERO
            }
        }
    }

    /// How long a write must wait; none where it may be made now.
    pub fn wait(&self, key: &Key, differs: Difference, now: Instant) -> Option<Duration> {
        let least = match differs {
            Difference::Ready | Difference::None => return None,
            Difference::Step => STEP,
            Difference::Detail => DETAIL,
        };
        let wrote = self.notes().get(key)?.wrote?;
        Some(least.saturating_sub(now - wrote)).filter(|wait| !wait.is_zero())
    }

    /// Whether a ready cluster has only just become unknown.
    pub fn blinks(
        &self,
        key: &Key,
        stored: &K8ssandraClusterStatus,
        new: &K8ssandraClusterStatus,
        now: Instant,
    ) -> bool {
        let word = |status: &K8ssandraClusterStatus| {
            find(&status.conditions, condition::READY)
                .map(|ready| ready.status.clone())
                .unwrap_or_default()
        };
        let mut all = self.notes();
        let noted = all.entry(key.clone()).or_default();
        if word(stored) != "True" || word(new) != "Unknown" {
            noted.unknown_since = None;
            return false;
        }
        now - *noted.unknown_since.get_or_insert(now) < BLINK
    }

    /// A status was written, and this is what was stored. What somebody changed on the way is not written again and
    /// again.
    pub fn wrote(&self, key: &Key, said: K8ssandraClusterStatus, stored: Option<&ClusterView>, now: Instant) {
        let mut all = self.notes();
        let noted = all.entry(key.clone()).or_default();
        noted.wrote = Some(now);
        let lost = stored.is_some_and(|stored| difference(&stored.status, &said) != Difference::None);
        if lost {
            tracing::warn!(cluster = %key, "the status is stored with other contents than were written");
        }
        noted.refused = lost.then_some(said);
    }

    /// Whether the same has been written before, and something else was stored.
    pub fn refuses(&self, key: &Key, new: &K8ssandraClusterStatus) -> bool {
        let all = self.notes();
        let refused = all.get(key).and_then(|noted| noted.refused.as_ref());
        refused.is_some_and(|refused| difference(refused, new) == Difference::None)
    }

    /// The cluster is gone.
    pub fn forget(&self, key: &Key) {
        self.notes().remove(key);
    }

    fn notes(&self) -> MutexGuard<'_, BTreeMap<Key, Noted>> {
        // Each holder leaves whole values behind, even if it panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use api::conditions::Condition;
    use api::k8ssandra_cluster::K8ssandraCluster;

    use super::*;

    fn key() -> Key {
        Key::new("db", "demo")
    }

    fn ready(word: Option<bool>) -> K8ssandraClusterStatus {
        let conditions = vec![Condition::new(condition::READY, word, "Any", "")];
        K8ssandraClusterStatus {
            conditions,
            ..K8ssandraClusterStatus::default()
        }
    }

    #[test]
    fn a_generation_is_waited_for_from_when_it_was_first_seen() {
        let (memory, start) = (Memory::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(memory.waited(&key(), "a", 1, at(0)), Duration::ZERO);
        assert_eq!(memory.waited(&key(), "a", 1, at(59)), Duration::from_secs(59));
        assert_eq!(memory.waited(&key(), "a", 2, at(60)), Duration::ZERO);
        assert_eq!(
            memory.waited(&key(), "b", 2, at(61)),
            Duration::ZERO,
            "another object of that name"
        );
    }

    #[test]
    fn writes_are_a_second_apart_and_those_of_details_five_and_ready_never_waits() {
        let (memory, start) = (Memory::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(
            memory.wait(&key(), Difference::Step, at(0)),
            None,
            "the first is made at once"
        );
        memory.wrote(&key(), K8ssandraClusterStatus::default(), None, at(0));
        assert_eq!(
            memory.wait(&key(), Difference::Step, at(400)),
            Some(Duration::from_millis(600))
        );
        assert_eq!(memory.wait(&key(), Difference::Step, at(1000)), None);
        assert_eq!(
            memory.wait(&key(), Difference::Detail, at(1000)),
            Some(Duration::from_secs(4))
        );
        assert_eq!(memory.wait(&key(), Difference::Detail, at(5000)), None);
        assert_eq!(memory.wait(&key(), Difference::Ready, at(1)), None);
    }

    #[test]
    fn what_a_server_stores_differently_is_not_written_again() {
        let memory = Memory::default();
        let mut stored = ClusterView::of(K8ssandraCluster::default());
        stored.status = ready(Some(false));
        memory.wrote(&key(), ready(Some(true)), Some(&stored), Instant::now());
        assert!(memory.refuses(&key(), &ready(Some(true))));
        assert!(
            !memory.refuses(&key(), &ready(None)),
            "something else may be tried"
        );
        stored.status = ready(Some(true));
        memory.wrote(&key(), ready(Some(true)), Some(&stored), Instant::now());
        assert!(!memory.refuses(&key(), &ready(Some(true))));
    }

    #[test]
    fn a_ready_cluster_is_not_unknown_because_a_watch_starts_again() {
        let (memory, start) = (Memory::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        let blinks = |new, millis| memory.blinks(&key(), &ready(Some(true)), &ready(new), at(millis));
        assert!(blinks(None, 0));
        assert!(blinks(None, 1999));
        assert!(!blinks(None, 2000), "now it is worth a word");
        assert!(!blinks(Some(true), 2001));
        assert!(blinks(None, 3000), "the next time counts anew");
        assert!(
            !memory.blinks(&key(), &ready(Some(false)), &ready(None), at(9000)),
            "that was not ready anyway"
        );
    }
}
