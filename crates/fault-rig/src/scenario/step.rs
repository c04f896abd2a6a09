//! One step of a user: an act, and what is waited for before the next.

use std::time::Duration;

use serde_json::Value;

/// An object by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thing {
    /// Which plane.
    pub plane: &'static str,
    /// `v1` or `group/version`.
    pub api: &'static str,
    /// Plural name of the kind.
    pub plural: &'static str,
    /// Its namespace.
    pub namespace: &'static str,
    /// Its name.
    pub name: &'static str,
}

/// How a plane is cut off from all programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// Connections break at once, and open ones with them.
    Refused,
    /// Nothing is answered, and nothing breaks.
    Silent,
    /// What is asked is done, and nothing comes back.
    RepliesLost,
}

impl Cut {
    /// All ways.
    pub const ALL: [Cut; 3] = [Cut::Refused, Cut::Silent, Cut::RepliesLost];
}

/// What the user does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Applies a manifest in a plane.
    Apply(&'static str, Value),
    /// Merges this into an object.
    Merge(Thing, Value),
    /// Deletes an object.
    Delete(Thing),
    /// Deletes all pods of a datacenter in a plane, at once.
    DeletePods(&'static str, &'static str),
    /// Consents to the removal of a datacenter: the uid that it has now goes into the cluster's annotation.
    ConfirmRemoval(Thing),
    /// From now on a plane is reached at this host only, with this token only.
    Move {
        /// Which plane.
        plane: &'static str,
        /// Where its API server is.
        host: &'static str,
        /// What it takes.
        token: &'static str,
    },
    /// Makes the user's keyspace, or alters it: replicas in these datacenters, asked for through the first node of dc1.
    Replicate(&'static [(&'static str, u32)]),
    /// Cuts a plane off.
    Cut(&'static str, Cut),
    /// Ends that.
    Heal(&'static str),
    /// Notes the state of a plane's API server, as a backup does.
    BackUp(&'static str),
    /// Brings that state back. Nodes and disks that it does not know are lost, and cass-operator is started anew.
    Restore(&'static str),
    /// Restarts the five programs.
    RestartPrograms,
}

/// What the user waits for.
#[derive(Clone, Debug)]
pub enum Until {
    /// The cluster is Ready for the spec that it has, and has exactly the datacenters of that spec.
    Ready,
    /// The same of the other cluster.
    OtherReady,
    /// The cluster is not Ready, for this reason, and says so of the spec that it has.
    Says(&'static str),
    /// An object is there, with this value at that place.
    Is(Thing, &'static str, Value),
    /// The same, but for programs that were started again meanwhile: they do not know what was before.
    IsUnlessRestarted(Thing, &'static str, Value),
    /// An object is not there.
    Gone(Thing),
    /// So much time has gone by.
    Passed(Duration),
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub act: Act,
    /// What is waited for, one after the other.
    pub until: Vec<Until>,
}

impl Act {
    /// The act with what is waited for after it.
    #[must_use]
    pub fn then(self, until: Until) -> Step {
        Step {
            act: self,
            until: vec![until],
        }
    }

    /// The act with several things that are waited for after it, one after the other.
    #[must_use]
    pub fn then_all(self, until: impl IntoIterator<Item = Until>) -> Step {
        Step {
            act: self,
            until: until.into_iter().collect(),
        }
    }

    /// The act, and the next one follows at once.
    #[must_use]
    pub fn at_once(self) -> Step {
        self.then_all([])
    }
}
