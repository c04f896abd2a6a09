//! When a cluster is looked at again that waits for what no watch tells of.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::reports::Hold;
use plan::cluster::acts::{ClusterPlan, LookAgain};
use runtime::{Key, Next};

/// The first pause, and every one while a plane does not answer.
const FIRST: Duration = Duration::from_secs(10);
/// The longest one. A stranger's object may stand in the way for ever, and each look is some reads; one who has
/// deleted it waits no longer than this.
const MOST: Duration = Duration::from_mins(1);

/// What each cluster was last seen to wait for, and how often. Bounded by the number of clusters.
#[derive(Default)]
pub(crate) struct Patience {
    waiting: Mutex<BTreeMap<Key, Wait>>,
}

struct Wait {
    holds: Vec<Hold>,
    pause: Duration,
}

impl Patience {
    /// What follows a pass with this plan: pauses double as long as it is the same that is waited for.
    pub fn next(&self, key: &Key, plan: &ClusterPlan) -> Next {
        match plan.look_again {
            None => {
                self.forget(key);
                Next::Done
            }
            Some(LookAgain::Soon) => {
                self.forget(key);
                Next::After(FIRST)
            }
            Some(LookAgain::LessAndLess) => Next::After(self.longer(key, &plan.report.holds)),
        }
    }

    /// The cluster is gone, or waits no more.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn longer(&self, key: &Key, holds: &[Hold]) -> Duration {
        let mut waiting = self.lock();
        let pause = match waiting.get(key) {
            Some(wait) if wait.holds == holds => (wait.pause * 2).min(MOST),
            _ => FIRST,
        };
        let holds = holds.to_vec();
        waiting.insert(key.clone(), Wait { holds, pause });
        pause
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Wait>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(look_again: Option<LookAgain>, reason: &str) -> ClusterPlan {
        let mut plan = ClusterPlan {
            look_again,
            ..ClusterPlan::default()
        };
        plan.report.holds.push(Hold {
            reason: reason.to_owned(),
            datacenter: Some("dc1".to_owned()),
            context: None,
            founding: false,
            message: String::new(),
        });
        plan
    }

    fn secs(next: Next) -> Option<u64> {
        if let Next::After(pause) = next {
            Some(pause.as_secs())
        } else {
            None
        }
    }

    #[test]
    fn pauses_grow_to_a_minute_while_the_same_is_in_the_way_and_start_again_when_something_else_is() {
        let (patience, key) = (Patience::default(), Key::new("ns", "demo"));
        let foreign = held(Some(LookAgain::LessAndLess), "NotOwned");
        let stale = held(Some(LookAgain::LessAndLess), "StaleSeedSlice");
        let pauses = [(); 5].map(|()| secs(patience.next(&key, &foreign)));
        assert_eq!(pauses, [10, 20, 40, 60, 60].map(Some));
        assert_eq!(secs(patience.next(&key, &stale)), Some(10));
        assert_eq!(secs(patience.next(&key, &stale)), Some(20));
        assert_eq!(secs(patience.next(&key, &held(None, "Progressing"))), None);
        assert_eq!(secs(patience.next(&key, &stale)), Some(10));
    }

    #[test]
    fn a_plane_that_does_not_answer_is_asked_every_ten_seconds() {
        let (patience, key) = (Patience::default(), Key::new("ns", "demo"));
        let silent = held(Some(LookAgain::Soon), "PlaneUnreachable");
        let pauses = [(); 5].map(|()| secs(patience.next(&key, &silent)));
        assert_eq!(pauses, [Some(10); 5]);
    }
}
