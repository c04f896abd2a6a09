//! Which objects are known to be deleted since when, so that a late answer does not bring one back.

use std::collections::{BTreeMap, VecDeque};

use crate::Key;
use crate::contents::{Scope, covers};

/// Deletions that are remembered one by one. Older ones are covered by the version of the next list.
const MOST: usize = 256;

/// The versions below which an object is known to be gone.
#[derive(Debug, Default)]
pub(crate) struct Graves {
    newest_last: VecDeque<(Key, u64)>,
    /// Version of the last list, per namespace (`None` = all).
    lists: BTreeMap<Option<String>, u64>,
}

impl Graves {
    pub(crate) fn bury(&mut self, key: &Key, version: Option<u64>) {
        let Some(version) = version else { return };
        if self.newest_last.len() == MOST {
            self.newest_last.pop_front();
        }
        self.newest_last.push_back((key.clone(), version));
    }

    /// A server that was restored from a backup counts again from a lower version: of what was deleted after it nothing is known.
    pub(crate) fn listed(&mut self, scope: Scope<'_>, version: Option<u64>) {
        let Some(version) = version else { return };
        self.newest_last
            .retain(|(key, gone)| !covers(scope, key) || *gone <= version);
        self.lists.insert(scope.map(str::to_owned), version);
    }

    /// The version at which an object that is not shown was certainly gone: its remembered deletion, or the last
    /// list that could have named it.
    pub(crate) fn gone_at(&self, key: &Key) -> Option<u64> {
        let grave = self
            .newest_last
            .iter()
            .rev()
            .find(|(buried, _)| buried == key)
            .map(|(_, version)| *version);
        let list = self
            .lists
            .get(&Some(key.namespace.clone()))
            .max(self.lists.get(&None))
            .copied();
        grave.max(list)
    }
}
