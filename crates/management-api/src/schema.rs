//! Schema agreement.

use std::collections::BTreeMap;

/// The key under which a node lists those whose schema version it could not learn.
pub const UNREACHABLE: &str = "UNREACHABLE";

/// Whether the schema versions show agreement: exactly one version beside [`UNREACHABLE`].
///
/// No version at all is no agreement.
#[must_use]
pub fn one_version(versions: &BTreeMap<String, Vec<String>>) -> bool {
    versions.keys().filter(|version| *version != UNREACHABLE).count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(keys: &[&str]) -> BTreeMap<String, Vec<String>> {
        keys.iter()
            .map(|key| ((*key).to_owned(), vec!["10.0.0.1".to_owned()]))
            .collect()
    }

    #[test]
    fn agreement_is_exactly_one_version_beside_the_unreachable() {
        assert!(one_version(&versions(&["v1"])));
        assert!(one_version(&versions(&["v1", "UNREACHABLE"])));
        assert!(!one_version(&versions(&["v1", "v2"])));
        assert!(!one_version(&versions(&["UNREACHABLE"])));
        assert!(!one_version(&versions(&[])));
    }
}
