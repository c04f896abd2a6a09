//! What one watch shows, as slim values: swapped at once at the end of a list, and never older than our own writes.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch as channel;

use crate::Key;
use crate::contents::{Change, Contents, Scope, Seen};
use crate::watch_error::WatchError;

/// How current a cache is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheState {
    /// The first list is on its way.
    Starting,
    /// The watch runs.
    Synced,
    /// The watch has failed and is tried again; contents are the last known ones (none, if it never listed: see
    /// [`Cache::listed`]).
    Stale {
        /// The latest failure.
        error: WatchError,
    },
}

impl CacheState {
    fn is_like(&self, other: &CacheState) -> bool {
        match (self, other) {
            (CacheState::Stale { error: one }, CacheState::Stale { error: other }) => one.kind == other.kind,
            (one, other) => one == other,
        }
    }
}

/// The objects that one watch selects. Clones show the same contents.
pub struct Cache<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    contents: RwLock<Contents<T>>,
    health: channel::Sender<Health>,
}

/// State of each part (one namespace of a watch over several) and whether it has ever listed.
#[derive(Clone, Debug)]
struct Health {
    parts: Vec<(CacheState, bool)>,
}

impl<T> Clone for Cache<T> {
    fn clone(&self) -> Self {
        Cache {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Cache<T> {
    pub(crate) fn new(parts: usize) -> Cache<T> {
        let health = Health {
            parts: vec![(CacheState::Starting, false); parts],
        };
        Cache {
            shared: Arc::new(Shared {
                contents: RwLock::new(Contents::new()),
                health: channel::Sender::new(health),
            }),
        }
    }

    /// The last known value. `None` is *not seen*, which is no proof that the object does not exist.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<T>> {
        self.read().get(key)
    }

    /// All last known values, in key order.
    #[must_use]
    pub fn list(&self) -> Vec<(Key, Arc<T>)> {
        self.read().list()
    }

    /// Whether an object of this name is there that could not be decoded, so that [`Cache::get`] hides it.
    #[must_use]
    pub fn unreadable(&self, key: &Key) -> bool {
        self.read().is_unreadable(key)
    }

    /// How current the contents are. Of several namespaces the worst counts.
    #[must_use]
    pub fn state(&self) -> CacheState {
        self.shared.health.borrow().state()
    }

    /// Whether there has ever been a full list.
    #[must_use]
    pub fn listed(&self) -> bool {
        self.shared.health.borrow().listed()
    }

    /// Waits for the first full list. Never ends for a watch that is stopped before.
    pub async fn synced(&self) {
        let mut health = self.shared.health.subscribe();
        if health.wait_for(Health::listed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the server has answered at all: with a first full list, or so that the watch has failed. Never ends for
    /// a watch that is stopped before.
    pub async fn answered(&self) {
        let mut health = self.shared.health.subscribe();
        if health.wait_for(Health::answered).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Takes the answer of our own write, which is newer than what the watch has shown. Events that are older are
    /// ignored from now on; nothing is woken before the event of this write or a newer one. An answer that is older than what the watch has shown since, or than
    /// the object's deletion, is ignored. Only for objects that the watch's selectors select.
    pub fn absorb(&self, key: Key, resource_version: &str, value: T) {
        self.write().absorb(key, resource_version, value);
    }

    /// One event of the watch. `None` if it is older than what is known.
    pub(crate) fn take(&self, key: Key, resource_version: &str, seen: Seen<T>) -> Option<Change<T>> {
        self.write().take(key, resource_version, seen)
    }

    /// Puts a complete list in the place of what was known of `scope`.
    pub(crate) fn replace(
        &self,
        scope: Scope<'_>,
        resource_version: &str,
        list: Vec<(Key, String, Seen<T>)>,
    ) -> Vec<Change<T>> {
        self.write().replace(scope, resource_version, list)
    }

    /// Returns the new state of the whole if it changed; another text of the same kind of failure is no change.
    pub(crate) fn set_state(&self, part: usize, state: CacheState) -> Option<CacheState> {
        let mut changed = None;
        self.shared.health.send_if_modified(|health| {
            let before = (health.state(), health.listed());
            if let Some(one) = health.parts.get_mut(part) {
                one.1 |= state == CacheState::Synced;
                one.0 = state;
            }
            let after = (health.state(), health.listed());
            changed = (!before.0.is_like(&after.0)).then(|| after.0.clone());
            before != after
        });
        changed
    }

    fn read(&self) -> RwLockReadGuard<'_, Contents<T>> {
        // Nothing in `contents` can panic halfway, so that a poisoned lock still guards whole contents.
        self.shared
            .contents
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Contents<T>> {
        self.shared
            .contents
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Health {
    fn state(&self) -> CacheState {
        let worst = |wanted: fn(&CacheState) -> bool| {
            self.parts
                .iter()
                .map(|(state, _)| state)
                .find(|state| wanted(state))
                .cloned()
        };
        worst(|state| matches!(state, CacheState::Stale { .. }))
            .or_else(|| worst(|state| *state == CacheState::Starting))
            .unwrap_or(CacheState::Synced)
    }

    fn listed(&self) -> bool {
        self.parts.iter().all(|(_, listed)| *listed)
    }

    fn answered(&self) -> bool {
        self.parts.iter().all(|(state, _)| *state != CacheState::Starting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch_error::WatchErrorKind;

    fn cache(listed_at: &str, names: &[(&str, &str)]) -> Cache<&'static str> {
        let cache = Cache::new(1);
        let list = names
            .iter()
            .map(|(name, version)| (key(name), (*version).to_owned(), Seen::Value("listed")));
        cache.replace(None, listed_at, list.collect());
        cache
    }

    fn key(name: &str) -> Key {
        Key::new("db", name)
    }

    fn value(cache: &Cache<&'static str>, name: &str) -> Option<&'static str> {
        cache.get(&key(name)).map(|value| *value)
    }

    #[test]
    fn our_own_answer_hides_older_events_and_gives_way_to_newer_ones() {
        let cache = cache("10", &[("a", "5")]);
        cache.absorb(key("a"), "12", "ours");
        assert!(cache.take(key("a"), "11", Seen::Value("older")).is_none());
        assert_eq!(value(&cache, "a"), Some("ours"));
        assert!(cache.take(key("a"), "13", Seen::Value("newer")).is_some());
        assert_eq!(value(&cache, "a"), Some("newer"));
        cache.absorb(key("a"), "12", "ours, late");
        assert_eq!(value(&cache, "a"), Some("newer"));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let cache = cache("9", &[("a", "9")]);
        cache.absorb(key("a"), "10", "ours");
        assert_eq!(value(&cache, "a"), Some("ours"));
    }

    #[test]
    fn versions_that_are_no_numbers_are_taken_as_they_come() {
        let cache = cache("x", &[("a", "f")]);
        cache.absorb(key("a"), "e", "ours");
        assert_eq!(value(&cache, "a"), Some("ours"));
        assert!(cache.take(key("a"), "d", Seen::Value("event")).is_some());
    }

    #[test]
    fn a_late_answer_does_not_bring_a_deleted_object_back() {
        let cache = cache("10", &[("a", "5")]);
        cache.take(key("a"), "20", Seen::Nothing);
        cache.absorb(key("a"), "15", "ghost");
        assert_eq!(value(&cache, "a"), None);
        cache.absorb(key("a"), "21", "made again");
        assert_eq!(value(&cache, "a"), Some("made again"));
    }

    #[test]
    fn a_late_event_does_not_bring_a_deleted_object_back() {
        let cache = cache("10", &[("a", "5")]);
        cache.take(key("a"), "20", Seen::Nothing);
        assert!(cache.take(key("a"), "15", Seen::Value("ghost")).is_none());
        assert_eq!(value(&cache, "a"), None);
        assert!(cache.take(key("a"), "21", Seen::Value("made again")).is_some());
        assert_eq!(value(&cache, "a"), Some("made again"));
    }

    #[test]
    fn what_was_deleted_after_a_backup_may_come_again_once_the_server_is_restored_from_it() {
        let cache = cache("10", &[("a", "5")]);
        cache.take(key("a"), "20", Seen::Nothing);
        cache.replace(None, "8", Vec::new());
        assert!(cache.take(key("a"), "9", Seen::Value("made again")).is_some());
        assert_eq!(value(&cache, "a"), Some("made again"));
    }

    #[test]
    fn a_late_answer_does_not_bring_back_what_the_last_list_did_not_name() {
        let cache = cache("10", &[]);
        cache.absorb(key("a"), "9", "ghost");
        assert_eq!(value(&cache, "a"), None);
        cache.absorb(key("a"), "11", "new");
        assert_eq!(value(&cache, "a"), Some("new"));
    }

    #[test]
    fn a_list_that_is_older_than_our_own_write_does_not_remove_it() {
        let cache = cache("10", &[]);
        cache.absorb(key("a"), "25", "ours");
        let changes = cache.replace(None, "20", Vec::new());
        assert!(changes.is_empty());
        assert_eq!(value(&cache, "a"), Some("ours"));
        assert_eq!(cache.replace(None, "30", Vec::new()).len(), 1);
        assert_eq!(value(&cache, "a"), None);
    }

    #[test]
    fn a_list_of_one_namespace_says_nothing_of_others() {
        let cache: Cache<&str> = Cache::new(2);
        cache.absorb(Key::new("other", "b"), "1", "kept");
        cache.replace(
            Some("db"),
            "10",
            vec![(key("a"), "2".into(), Seen::Value("listed"))],
        );
        assert_eq!(cache.list().len(), 2);
    }

    #[test]
    fn only_the_last_deletions_are_remembered_one_by_one() {
        let cache = cache("10", &[]);
        for number in 0..1000_u32 {
            cache.take(
                key(&number.to_string()),
                &(11 + number).to_string(),
                Seen::Nothing,
            );
        }
        cache.absorb(key("0"), "10", "covered by the list");
        assert_eq!(value(&cache, "0"), None);
        cache.absorb(key("999"), "1009", "remembered");
        assert_eq!(value(&cache, "999"), None);
    }

    #[test]
    fn of_several_parts_the_worst_is_the_state_and_all_must_have_listed() {
        let cache: Cache<()> = Cache::new(2);
        assert_eq!(
            cache.set_state(0, CacheState::Synced),
            None,
            "the other one is still starting"
        );
        assert_eq!((cache.state(), cache.listed()), (CacheState::Starting, false));
        assert_eq!(cache.set_state(1, CacheState::Synced), Some(CacheState::Synced));
        assert!(cache.listed());
        let error = WatchError {
            watch: "x",
            kind: WatchErrorKind::Forbidden,
            message: "no".into(),
        };
        let stale = CacheState::Stale { error: error.clone() };
        assert_eq!(cache.set_state(0, stale.clone()), Some(stale.clone()));
        let text = WatchError {
            message: "still no".into(),
            ..error
        };
        assert_eq!(
            cache.set_state(0, CacheState::Stale { error: text }),
            None,
            "told once"
        );
        assert!(matches!(cache.state(), CacheState::Stale { error } if error.message == "still no"));
        cache.set_state(0, stale.clone());
        assert_eq!((cache.state(), cache.listed()), (stale, true));
    }
}
