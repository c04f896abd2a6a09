//! Whether objects of one namespace may be put into a namespace of a plane.
//!
//! Whoever puts something there asks: cluster-reconciler for datacenters, secret-replicator for copies of Secrets,
//! topology-reconciler for seeds. What is there already stays when a grant goes.

use api::grants::{ANY, Grants};
use api::names::{annotation, reason};

use crate::cluster::acts::plane as plane_named;

/// Namespaces that [`ANY`] does not mean.
const OF_KUBERNETES: [&str; 3] = ["kube-node-lease", "kube-public", "kube-system"];

/// Why not, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// From `api::names::reason`.
    pub reason: &'static str,
    /// What is wrong, and who can mend it how.
    pub message: String,
}

/// Why objects of namespace `from` of the control plane may not be put into namespace `to` of the plane of `context`; `None` if
/// they may.
#[must_use]
pub fn denied(grants: &Grants, context: &str, from: &str, to: &str) -> Option<Denied> {
    let granted = match grants {
        Grants::Everybody => return None,
        Grants::OwnNamespace if from == to => return None,
        Grants::OwnNamespace => {
            return Some(Denied {
                reason: reason::NAMESPACE_NOT_ALLOWED,
                message: format!(
                    "in the control plane itself, what belongs to namespace {from} stays there, and {to} is another: take the \
                     namespace out"
                ),
            });
        }
        Grants::Unreadable(why) => return Some(unreadable(context, from, why)),
        Grants::These(granted) => granted,
    };
    let lists = [from, ANY].map(|name| granted.get(name));
    if lists.iter().flatten().all(|list| list.is_empty()) {
        return Some(nobody(context, from, to));
    }
    let means_it = |name: &String| name == to || (name == ANY && !OF_KUBERNETES.contains(&to));
    if lists.into_iter().flatten().flatten().any(means_it) {
        return None;
    }
    Some(Denied {
        reason: reason::NAMESPACE_NOT_ALLOWED,
        message: format!(
            "{} is not granted to namespace {from} for its namespace {to}: use one that is, or have {to} added to annotation {} \
             of its ClientConfig, at {from:?}",
            plane_named(context),
            annotation::GRANTS
        ),
    })
}

fn nobody(context: &str, from: &str, to: &str) -> Denied {
    Denied {
        reason: reason::NOT_GRANTED,
        message: format!(
            "{} is not granted to namespace {from}: use another, or have {{{from:?}: [{to:?}]}} added to annotation {} of its \
             ClientConfig",
            plane_named(context),
            annotation::GRANTS
        ),
    }
}

fn unreadable(context: &str, from: &str, why: &str) -> Denied {
    Denied {
        reason: reason::NOT_GRANTED,
        message: format!(
            "{} is granted to nobody, for annotation {} of its ClientConfig cannot be read ({why}): it is a JSON object of \
             lists, such as {{{from:?}: [{from:?}]}}",
            plane_named(context),
            annotation::GRANTS
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(annotation: &str, from: &str, to: &str) -> Option<&'static str> {
        denied(&Grants::read(Some(annotation), true), "east", from, to).map(|denied| denied.reason)
    }

    #[test]
    fn x31_rc50_an_empty_grant_lets_nobody_in() {
        for empty in ["{}", r#"{"a": []}"#, r#"{"*": []}"#, "no JSON"] {
            assert_eq!(why(empty, "a", "a"), Some(reason::NOT_GRANTED), "{empty}");
        }
        let required = Grants::read(None, true);
        let said = denied(&required, "east", "a", "b").unwrap();
        assert_eq!(said.reason, reason::NOT_GRANTED);
        assert_eq!(
            said.message,
            "plane east is not granted to namespace a: use another, or have {\"a\": [\"b\"]} added to annotation \
             ringspan.io/grants of its ClientConfig"
        );
    }

    #[test]
    fn x30_only_the_pair_that_is_granted_may_be_used() {
        let grants = r#"{"a": ["a", "shared"], "b": ["*"]}"#;
        assert_eq!((why(grants, "a", "a"), why(grants, "a", "shared")), (None, None));
        assert_eq!(why(grants, "a", "b"), Some(reason::NAMESPACE_NOT_ALLOWED));
        assert_eq!(why(grants, "b", "anything"), None);
        assert_eq!(why(grants, "c", "shared"), Some(reason::NOT_GRANTED));
    }

    #[test]
    fn every_namespace_is_not_those_of_kubernetes() {
        for to in OF_KUBERNETES {
            let any = r#"{"*": ["*"]}"#;
            assert_eq!(why(any, "a", to), Some(reason::NAMESPACE_NOT_ALLOWED));
            assert_eq!(why(&format!(r#"{{"*": ["{to}"]}}"#), "a", to), None);
        }
    }

    #[test]
    fn x30_the_control_plane_s_own_namespaces_are_not_to_be_had() {
        let home = Grants::OwnNamespace;
        assert_eq!(denied(&home, "", "a", "a"), None);
        let said = denied(&home, "", "a", "b").unwrap();
        assert_eq!(said.reason, reason::NAMESPACE_NOT_ALLOWED);
    }

    #[test]
    fn nothing_said_lets_everybody_in() {
        let grants = Grants::read(None, false);
        assert_eq!(denied(&grants, "east", "a", "kube-system"), None);
    }
}
