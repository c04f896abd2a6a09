//! How datacenters were when last seen, for when their plane is known to nobody any more.
//!
//! What watches showed of a plane goes with its ClientConfig. A datacenter that was in the middle of nothing then is not
//! made busy by that, and keeps no other one waiting. After a restart nothing is remembered, and what cannot be seen
//! counts as busy.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use runtime::Key;

/// By cluster and name: whether a datacenter was settled. Bounded by the datacenters of the clusters that are there.
#[derive(Default)]
pub(crate) struct LastSeen(Mutex<BTreeMap<Key, BTreeMap<String, bool>>>);

impl LastSeen {
    /// What its plane last showed of a datacenter; `None` if it shows none.
    pub fn note(&self, cluster: &Key, datacenter: &str, settled: Option<bool>) {
        let mut all = self.lock();
        match settled {
            Some(settled) => {
                let known = all.entry(cluster.clone()).or_default();
                known.insert(datacenter.to_owned(), settled);
            }
            None => {
                if let Some(known) = all.get_mut(cluster) {
                    known.remove(datacenter);
                }
            }
        }
    }

    /// Whether it was settled when last seen; `None` if it never was seen.
    pub fn settled(&self, cluster: &Key, datacenter: &str) -> Option<bool> {
        self.lock().get(cluster)?.get(datacenter).copied()
    }

    /// The cluster is gone.
    pub fn forget(&self, cluster: &Key) {
        self.lock().remove(cluster);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, BTreeMap<String, bool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_remembered_until_the_datacenter_or_its_cluster_is_gone() {
        let (seen, demo, other) = (
            LastSeen::default(),
            Key::new("ns", "demo"),
            Key::new("ns", "other"),
        );
        assert_eq!(seen.settled(&demo, "dc1"), None);
        seen.note(&demo, "dc1", Some(true));
        seen.note(&demo, "dc2", Some(true));
        seen.note(&demo, "dc2", Some(false));
        seen.note(&other, "dc1", Some(false));
        assert_eq!(seen.settled(&demo, "dc1"), Some(true));
        assert_eq!(seen.settled(&demo, "dc2"), Some(false));
        seen.note(&demo, "dc1", None);
        assert_eq!(seen.settled(&demo, "dc1"), None);
        seen.forget(&demo);
        assert_eq!(seen.settled(&demo, "dc2"), None);
        assert_eq!(seen.settled(&other, "dc1"), Some(false));
    }
}
