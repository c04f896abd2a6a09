//! What a watch says, decoded and put into its cache.

use std::collections::BTreeSet;

use kube::Resource;
use serde::de::DeserializeOwned;

use crate::Key;
use crate::cache::{Cache, CacheState};
use crate::contents::{Change, Seen};
use crate::decode::{self, Decoded, Line};
use crate::watch::Roots;
use crate::watch_error::WatchErrorKind;
use crate::watch_metrics::WatchMetrics;

/// The end of a page of a list.
pub(crate) struct PageEnd {
    pub(crate) resource_version: String,
    /// Where the list goes on.
    pub(crate) next: Option<String>,
}

/// What one line of a watch was.
pub(crate) enum Said {
    /// Nothing has changed up to this version.
    Bookmark {
        resource_version: String,
    },
    /// An object has changed, and concerns these.
    Changed {
        resource_version: String,
        roots: BTreeSet<Key>,
    },
    Failed {
        kind: WatchErrorKind,
        message: String,
    },
}

/// What a follower needs to know of the kind that it follows. Behind a pointer, so that its loop is there once and not for
/// each kind.
pub(crate) trait Intake: Send + Sync {
    /// Forgets the pages of a list that has not come to its end.
    fn forget(&mut self);
    /// Takes one page of a list; `None` if it is none.
    fn page(&mut self, bytes: &[u8]) -> Option<PageEnd>;
    /// The pages are the whole collection at this version. Returns whom the differences concern.
    fn listed(&mut self, resource_version: &str) -> BTreeSet<Key>;
    /// Takes one line of a watch; `None` if it is no event.
    fn line(&mut self, bytes: &[u8]) -> Option<Said>;
    /// Of the cache: returns its state as a whole where that changed.
    fn set_state(&self, state: CacheState) -> Option<CacheState>;
}

/// One collection of objects of a kind, of which a cache keeps what is needed.
pub(crate) struct Collection<K, T> {
    pub(crate) watch: &'static str,
    /// Namespace of the collection; `None` = all.
    pub(crate) scope: Option<String>,
    pub(crate) part: usize,
    pub(crate) decode: fn(K) -> Option<T>,
    pub(crate) roots: Roots<T>,
    pub(crate) managed_fields: bool,
    pub(crate) cache: Cache<T>,
    pub(crate) metrics: WatchMetrics,
    /// Of the pages so far.
    pub(crate) pages: Vec<(Key, String, Seen<T>)>,
}

impl<K, T> Intake for Collection<K, T>
where
    K: Resource + DeserializeOwned + 'static,
    T: Clone + PartialEq + Send + Sync + 'static,
{
    fn forget(&mut self) {
        self.pages = Vec::new();
    }

    fn page(&mut self, bytes: &[u8]) -> Option<PageEnd> {
        let page = decode::page::<K>(bytes, self.managed_fields)?;
        for object in page.objects {
            let slim = self.slim(object);
            self.pages.push(slim);
        }
        Some(PageEnd {
            resource_version: page.resource_version,
            next: page.next,
        })
    }

    fn listed(&mut self, resource_version: &str) -> BTreeSet<Key> {
        let objects = std::mem::take(&mut self.pages);
        let changes = self
            .cache
            .replace(self.scope.as_deref(), resource_version, objects);
        changes.iter().flat_map(|change| self.concerned(change)).collect()
    }

    fn line(&mut self, bytes: &[u8]) -> Option<Said> {
        let (key, resource_version, seen) = match decode::line::<K>(bytes, self.managed_fields)? {
            Line::Applied(object) => self.slim(object),
            Line::Deleted(object) => (object.key, object.resource_version, Seen::Nothing),
            Line::Bookmark { resource_version } => return Some(Said::Bookmark { resource_version }),
            Line::Failed { kind, message } => return Some(Said::Failed { kind, message }),
        };
        self.metrics.events.inc();
        let change = self.cache.take(key, &resource_version, seen);
        let roots = change.map(|change| self.concerned(&change)).unwrap_or_default();
        Some(Said::Changed {
            resource_version,
            roots,
        })
    }

    fn set_state(&self, state: CacheState) -> Option<CacheState> {
        self.cache.set_state(self.part, state)
    }
}

impl<K: Resource, T: PartialEq> Collection<K, T> {
    fn slim(&self, object: Decoded<K>) -> (Key, String, Seen<T>) {
        let seen = match object.object {
            Ok(value) => (self.decode)(value).map_or(Seen::Nothing, Seen::Value),
            Err(category) => {
                self.metrics.unreadable.inc();
                let watch = self.watch;
                tracing::warn!(watch, object = %object.key, ?category, "object does not decode and is left out");
                Seen::Unreadable
            }
        };
        (object.key, object.resource_version, seen)
    }

    /// The roots that an object left and those that it now has.
    fn concerned(&self, change: &Change<T>) -> BTreeSet<Key> {
        if change.old == change.new {
            return BTreeSet::new();
        }
        let values = [change.old.as_deref(), change.new.as_deref()];
        let values = values.into_iter().flatten();
        values
            .flat_map(|value| (self.roots)(&change.key, value))
            .collect()
    }
}
