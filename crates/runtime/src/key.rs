//! The name of one root object: what a queue counts, a cache is read by and a pass gets.

use std::fmt;

use kube::Resource;

/// Namespace and name of an object. The namespace of a cluster-scoped object is empty.
///
/// A key is a name, not an identity: an object that was deleted and made again has the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl Key {
    /// A key from its two parts.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Key {
        Key {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The key of an object as an API server shows it; `None` if it has no name.
    pub fn of(object: &impl Resource) -> Option<Key> {
        let meta = object.meta();
        let name = meta.name.clone().filter(|name| !name.is_empty())?;
        Some(Key {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name,
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_prints_as_people_write_it() {
        assert_eq!(Key::new("db", "demo").to_string(), "db/demo");
        assert_eq!(Key::new("", "demo").to_string(), "demo");
    }
}
