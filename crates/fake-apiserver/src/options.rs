//! What may differ from one server to the next, and who asks.

use std::time::Duration;

use crate::clock::BEGINNING;
use crate::definitions::Definitions;

/// How a server is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kinds that it serves.
    pub definitions: Definitions,
    /// Where uids and generated names come from. Two servers of one world need two seeds.
    pub seed: u64,
    /// Whether roles and bindings are asked. Without, everybody may do everything.
    pub authorize: bool,
    /// When garbage collection, the end of namespaces and their first objects happen.
    pub chores: Chores,
    /// How long a version can be watched from and listed at.
    pub compaction: Compaction,
    /// How often a watch that wants bookmarks gets one.
    pub bookmark_every: Duration,
    /// What `/version` says.
    pub version: String,
    /// When its clock starts, in seconds since 1970.
    pub epoch: i64,
    /// `ca.crt` of ConfigMap `kube-root-ca.crt` in every namespace, PEM.
    pub root_certificate: String,
}

/// When the server does what controllers of a real cluster do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chores {
    /// Before the answer of the write that makes them necessary.
    AtOnce,
    /// This long after the first write that asks for some, together with what later ones ask for (tokio's clock; outside of a runtime only [`Server::collect`](crate::Server::collect) does them).
    After(Duration),
    /// When [`Server::collect`](crate::Server::collect) is called.
    ByHand,
}

/// How long the past is kept for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compaction {
    /// For ever.
    Never,
    /// Versions older than this are gone (410).
    After(Duration),
    /// Of each kind only this many changes can be watched from.
    Changes(usize),
}

impl Default for Options {
    fn default() -> Options {
        Options {
            definitions: Definitions::built_in(),
            seed: 1,
            authorize: true,
            chores: Chores::AtOnce,
            compaction: Compaction::Never,
            bookmark_every: Duration::from_mins(1),
            version: "v1.35.4".to_owned(),
            epoch: BEGINNING,
            root_certificate: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned(),
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct User {
    /// For instance `system:serviceaccount:<namespace>:<name>`.
    pub name: String,
    /// Its groups. `system:masters` may do everything.
    pub groups: Vec<String>,
}

impl User {
    /// One who may do everything.
    #[must_use]
    pub fn admin() -> User {
        User {
            name: "admin".to_owned(),
            groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
        }
    }

    /// A ServiceAccount, with the groups that every ServiceAccount has.
    #[must_use]
    pub fn service_account(namespace: &str, name: &str) -> User {
        User {
            name: format!("system:serviceaccount:{namespace}:{name}"),
            groups: vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ],
        }
    }

    /// Somebody who has not said who it is.
    #[must_use]
    pub fn anonymous() -> User {
        User {
            name: "system:anonymous".to_owned(),
            groups: vec!["system:unauthenticated".to_owned()],
        }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.groups.iter().any(|group| group == "system:unauthenticated")
    }

    pub(crate) fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == "system:masters")
    }
}
