//! What was written, by whom, with the object before and after.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

/// One write that was accepted, also if it changed nothing.
#[derive(Clone, Debug)]
pub struct Write {
    /// Counts from 0 without gaps.
    pub number: usize,
    /// The server's version after it.
    pub version: u64,
    /// When, in seconds since 1970 by the server's clock.
    pub at: i64,
    /// Who asked. What the server did by itself has the name of the controller that does it in a real cluster.
    pub user: String,
    /// Header `User-Agent`; empty for what the server did by itself.
    pub user_agent: String,
    /// The manager that owns what was written.
    pub manager: String,
    /// `create`, `update`, `patch`, `apply`, `delete` or `deletecollection`.
    pub verb: &'static str,
    /// API group; empty for core.
    pub group: String,
    /// Version of the API that was used.
    pub api: String,
    /// Plural name of the kind.
    pub plural: String,
    /// The kind.
    pub kind: String,
    /// Empty for what belongs to no namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// Empty: the object itself.
    pub subresource: String,
    /// What was answered.
    pub code: u16,
    /// The request's body.
    pub body: Bytes,
    /// The object before; `None`: there was none.
    pub before: Option<Arc<Value>>,
    /// The object after; `None`: there is none any more.
    pub after: Option<Arc<Value>>,
    /// A dry run: `after` was not stored.
    pub dry_run: bool,
}

impl Write {
    /// Whether anything was changed in the store.
    #[must_use]
    pub fn changed(&self) -> bool {
        !self.dry_run && self.before != self.after
    }

    /// Whether the server did it by itself.
    #[must_use]
    pub fn is_chore(&self) -> bool {
        self.user_agent.is_empty() && self.user.starts_with("system:serviceaccount:kube-system:")
    }
}

/// Told of each write when it is done, before its answer goes out.
pub type OnWrite = Arc<dyn Fn(&Write) + Send + Sync>;

#[derive(Clone, Default)]
pub(crate) struct Observers(pub(crate) Vec<OnWrite>);

impl fmt::Debug for Observers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} observers", self.0.len())
    }
}
