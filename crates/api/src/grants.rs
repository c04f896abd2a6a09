//! Whom the owner of a plane lets in: annotation `ringspan.io/grants` of its ClientConfig.

use std::collections::{BTreeMap, BTreeSet};

/// Who may put objects into a plane, and into which of its namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Grants {
    /// Objects of every namespace into every namespace, as upstream has it: nothing is said, and nothing need be.
    #[default]
    Everybody,
    /// The control plane itself, where grants are required: objects of a namespace stay in it.
    OwnNamespace,
    /// By namespace of the control plane, or [`ANY`]: namespaces of the plane, or [`ANY`].
    These(BTreeMap<String, BTreeSet<String>>),
    /// What is said cannot be read, so nobody is let in; why.
    Unreadable(String),
}

/// Every namespace, but for those of Kubernetes itself where it stands for namespaces of a plane.
pub const ANY: &str = "*";

impl Grants {
    /// Reads the annotation, a JSON object such as `{"team-a": ["team-a", "shared"]}`. Where grants are required, nobody is let in
    /// by a ClientConfig without it.
    #[must_use]
    pub fn read(annotation: Option<&str>, required: bool) -> Self {
        match annotation.map(serde_json::from_str) {
            None if required => Grants::These(BTreeMap::new()),
            None => Grants::Everybody,
            Some(Ok(grants)) => Grants::These(grants),
            Some(Err(error)) => Grants::Unreadable(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_let_in_by_an_annotation_that_cannot_be_read() {
        for text in [
            "",
            "team-a",
            r#"{"team-a": "db"}"#,
            "[]",
            "null",
            r#"{"a": null}"#,
        ] {
            let grants = Grants::read(Some(text), false);
            assert!(matches!(grants, Grants::Unreadable(_)), "{text}: {grants:?}");
        }
    }

    #[test]
    fn without_the_annotation_everybody_is_let_in_unless_grants_are_required() {
        assert_eq!(Grants::read(None, false), Grants::Everybody);
        assert_eq!(Grants::read(None, true), Grants::These(BTreeMap::new()));
        let given = BTreeMap::from([("a".to_owned(), BTreeSet::from(["b".to_owned()]))]);
        for required in [false, true] {
            assert_eq!(
                Grants::read(Some(r#"{"a": ["b"]}"#), required),
                Grants::These(given.clone())
            );
        }
    }
}
