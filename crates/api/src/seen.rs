//! What is known of an object in a plane. *Unknown is not absent*: whatever creates under a used name,
//! shrinks or deletes takes an [`Absence`] or a present object, and neither comes from a cache alone.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Identity of a Kubernetes cluster, whatever its address or context name is.
///
/// The UID of namespace `kube-system`; with credentials that may not read it,
/// `cm:<namespace>:<uid>` of ConfigMap `kube-root-ca.crt` in the datacenter's namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PlaneId(pub String);

/// How two plane ids relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamePlane {
    /// One cluster.
    Yes,
    /// Two clusters.
    No,
    /// Ids of two forms, or a ConfigMap that may have been made anew: nothing follows.
    Unknown,
}

impl PlaneId {
    /// Compares with another id of the same or the other form.
    #[must_use]
    pub fn compare(&self, other: &PlaneId) -> SamePlane {
        let weak = |id: &PlaneId| id.0.starts_with("cm:");
        match (self == other, weak(self) || weak(other)) {
            (true, _) => SamePlane::Yes,
            (false, true) => SamePlane::Unknown,
            (false, false) => SamePlane::No,
        }
    }
}

impl fmt::Display for PlaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Proof that an object was not there: a NotFound that named kind and object, read live in this pass from
/// a plane whose id was checked on the way. Only `fleet` makes one (and tests).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The plane that answered.
    pub plane: PlaneId,
    /// Kind of the object, e.g. `CassandraDatacenter`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Context name of the plane; empty for the control plane itself.
    pub context: String,
    /// A reason from [`crate::names::reason`].
    pub reason: String,
    /// One sentence without text from the remote side longer than 256 bytes, and without secrets.
    pub message: String,
}

/// What is known of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// It is there, and this is it.
    Present(T),
    /// It is proven not to be there.
    Absent(Absence),
    /// The cache of a healthy watch does not list it. Good enough to look, not to act: ask for a live read.
    NotListed,
    /// Nothing is known.
    Unknown(Unknown),
}

impl<T> Seen<T> {
    /// The object, if present.
    pub fn present(&self) -> Option<&T> {
        match self {
            Seen::Present(object) => Some(object),
            _ => None,
        }
    }

    /// True only with proof.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Seen::Absent(_))
    }

    /// Why it is not known, if it is not.
    #[must_use]
    pub fn unknown(&self) -> Option<&Unknown> {
        match self {
            Seen::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }

    /// The same knowledge of something derived from the object.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Seen::Present(object) => Seen::Present(f(object)),
            Seen::Absent(proof) => Seen::Absent(proof),
            Seen::NotListed => Seen::NotListed,
            Seen::Unknown(unknown) => Seen::Unknown(unknown),
        }
    }
}
