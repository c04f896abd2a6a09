//! What a program has deleted itself, and the watches may still show.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a watch may take to show a deletion.
const MOURNING: Duration = Duration::from_mins(5);

/// UIDs of what we have deleted, until the watches have surely shown it: the answer to a delete has no version, so that
/// a [`Cache`](crate::Cache) cannot take it in as it does the answers to other writes.
#[derive(Debug, Default)]
pub struct Graveyard {
    graves: Mutex<BTreeMap<String, Instant>>,
}

impl Graveyard {
    /// Whether this object was deleted by us in the last five minutes.
    #[must_use]
    pub fn has(&self, uid: &str) -> bool {
        self.lock().contains_key(uid)
    }

    /// Notes that an object is gone: not one that is only being deleted.
    pub fn bury(&self, uid: &str) {
        let now = Instant::now();
        let mut graves = self.lock();
        graves.retain(|_, since| now.duration_since(*since) < MOURNING);
        graves.insert(uid.to_owned(), now);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        // Nothing in here can be half done.
        self.graves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_deleted_is_not_seen_again_and_is_forgotten_in_the_end() {
        let graveyard = Graveyard::default();
        graveyard.bury("one");
        assert!(graveyard.has("one"));
        assert!(!graveyard.has("two"));
        tokio::time::advance(MOURNING).await;
        graveyard.bury("two");
        assert!(!graveyard.has("one"));
        assert!(graveyard.has("two"));
    }
}
