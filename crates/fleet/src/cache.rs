//! What a watch of one plane shows, with the plane's health in every answer.

use std::sync::Arc;

use api::names::reason;
use api::seen::{Seen, Unknown};
use runtime::{Cache, CacheState, CancellationToken, Key, WatchError, WatchErrorKind};

use crate::health::Pulse;
use crate::trouble::{plane_named, reasons, unknown};

/// The objects that one watch of a plane selects. Clones show the same contents.
pub struct PlaneCache<T> {
    pub(crate) cache: Cache<T>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) context: Arc<str>,
    pub(crate) group: Arc<str>,
    pub(crate) namespaces: Arc<[String]>,
    pub(crate) stop: CancellationToken,
}

impl<T> Clone for PlaneCache<T> {
    fn clone(&self) -> Self {
        Self {
            cache: self.cache.clone(),
            pulse: Arc::clone(&self.pulse),
            context: Arc::clone(&self.context),
            group: Arc::clone(&self.group),
            namespaces: Arc::clone(&self.namespaces),
            stop: self.stop.clone(),
        }
    }
}

impl<T: Clone + Send + Sync + 'static> PlaneCache<T> {
    /// What is known of an object. Never [`Seen::Absent`]: that needs a live read.
    ///
    /// `Unknown` while the plane does not answer, the watch fails, has not listed yet, or does not cover the
    /// namespace, and for an object that is there and cannot be decoded; [`PlaneCache::last`] still has the last value.
    #[must_use]
    pub fn see(&self, key: &Key) -> Seen<Arc<T>> {
        if let Some(unknown) = self.blind() {
            return Seen::Unknown(unknown);
        }
        if !self.namespaces.is_empty() && !self.namespaces.contains(&key.namespace) {
            let message = format!(
                "{} is watched in other namespaces than that of {key}. Add it to --namespaces.",
                plane_named(&self.context)
            );
            return Seen::Unknown(unknown(&self.context, reasons::NAMESPACE_NOT_WATCHED, message));
        }
        match self.cache.get(key) {
            Some(value) => Seen::Present(value),
            None if self.cache.unreadable(key) => {
                let message = format!(
                    "{key} in {} is there and cannot be read.",
                    plane_named(&self.context)
                );
                Seen::Unknown(unknown(&self.context, reasons::OBJECT_UNREADABLE, message))
            }
            None => Seen::NotListed,
        }
    }

    /// The last known value, whatever the plane's health.
    #[must_use]
    pub fn last(&self, key: &Key) -> Option<Arc<T>> {
        self.cache.get(key)
    }

    /// All last known values, whatever the plane's health, in key order.
    #[must_use]
    pub fn last_list(&self) -> Vec<(Key, Arc<T>)> {
        self.cache.list()
    }

    /// All objects, in key order.
    ///
    /// # Errors
    /// As [`PlaneCache::see`]: then the list would not be known to be complete.
    pub fn list(&self) -> Result<Vec<(Key, Arc<T>)>, Unknown> {
        self.blind().map_or_else(|| Ok(self.cache.list()), Err)
    }

    /// Takes the answer of our own write; see [`Cache::absorb`].
    pub fn absorb(&self, key: Key, resource_version: &str, value: T) {
        self.cache.absorb(key, resource_version, value);
    }

    /// Why the contents are not known to be current, if so.
    #[must_use]
    pub fn blind(&self) -> Option<Unknown> {
        if self.stop.is_cancelled() {
            let message = format!(
                "{} has been removed or its credentials replaced.",
                plane_named(&self.context)
            );
            return Some(unknown(&self.context, reason::PLANE_UNREACHABLE, message));
        }
        if let Some(unknown) = self.pulse.unreachable() {
            return Some(unknown);
        }
        match self.cache.state() {
            CacheState::Synced => None,
            CacheState::Starting => Some(self.pulse.not_heard_yet()),
            CacheState::Stale { error } => Some(self.explain(&error)),
        }
    }

    fn explain(&self, error: &WatchError) -> Unknown {
        let plane = plane_named(&self.context);
        let (reason, message) = match error.kind {
            WatchErrorKind::Unauthorized | WatchErrorKind::Forbidden => (
                reason::PLANE_FORBIDDEN,
                format!("{plane} forbids to watch {}: {}", error.watch, error.message),
            ),
            WatchErrorKind::NoSuchKind
                if self.group.ends_with("datastax.com") || self.group.ends_with("k8ssandra.io") =>
            {
                (
                    reason::CASS_OPERATOR_MISSING,
                    format!(
                        "{plane} does not know {}. Install cass-operator there.",
                        error.watch
                    ),
                )
            }
            kind => (
                reason::PLANE_UNREACHABLE,
                format!(
                    "{plane} gave no answer to the watch of {}: {kind}: {}",
                    error.watch, error.message
                ),
            ),
        };
        unknown(&self.context, reason, message)
    }
}
