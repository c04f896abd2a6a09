//! Consents beyond an edit: to the removal of a datacenter, and to the loss of a plane.

use std::collections::{BTreeMap, BTreeSet};

use api::names::annotation;

/// Value of `ringspan.io/removal` that asks for it.
pub const CONFIRM: &str = "confirm";

/// Whether an edit of the spec is consent enough to remove a datacenter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemovalConsent {
    /// The edit is not enough.
    pub asked: bool,
    /// UIDs of the datacenters that may be removed.
    pub given: BTreeSet<String>,
}

impl RemovalConsent {
    /// What the annotations of a cluster say.
    #[must_use]
    pub fn of(annotations: Option<&BTreeMap<String, String>>) -> Self {
        let text = |key: &str| annotations?.get(key).map(String::as_str);
        let given = text(annotation::CONFIRM_REMOVAL).unwrap_or_default().split(',');
        let given = given.map(str::trim).filter(|uid| !uid.is_empty());
        RemovalConsent {
            asked: text(annotation::REMOVAL) == Some(CONFIRM),
            given: given.map(str::to_owned).collect(),
        }
    }

    /// Whether the datacenter with this UID may be removed once the spec does not name it any more. Consent to another
    /// one of its name is none.
    #[must_use]
    pub fn covers(&self, uid: &str) -> bool {
        !self.asked || self.given.contains(uid)
    }
}

/// Ids of the planes that the annotations of a cluster say are gone for good.
#[must_use]
pub fn abandoned_planes(annotations: Option<&BTreeMap<String, String>>) -> BTreeSet<String> {
    let text = annotations.and_then(|all| all.get(annotation::ABANDON));
    let ids = text.map(String::as_str).unwrap_or_default().split(',');
    let ids = ids.map(str::trim).filter(|id| !id.is_empty());
    ids.map(str::to_owned).collect()
}
