//! What a request is about, in the words of an audit log.

use http::{Method, Uri};

use crate::paths::{self, Path};
use crate::query::Query;
use crate::rbac;

/// The attributes that roles are about and audit logs name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `create`, `update`, `patch`, `delete`, `deletecollection`, `get`, `list` or `watch`; the method in lower case for what is no
    /// object.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Version of the API.
    pub version: String,
    /// Plural of the resource; empty for what is none (`/readyz`, discovery).
    pub resource: String,
    /// Empty: the object itself.
    pub subresource: String,
    /// Empty for what has none.
    pub namespace: String,
    /// Empty for collections, and where only the body has it.
    pub name: String,
}

impl Attributes {
    /// Those of a request.
    #[must_use]
    pub fn of(method: &Method, uri: &Uri) -> Attributes {
        let Path::Objects(objects) = paths::parse(uri.path()) else {
            return Attributes {
                verb: method.as_str().to_lowercase(),
                ..Attributes::default()
            };
        };
        let (group, version) = objects
            .api_version
            .split_once('/')
            .unwrap_or(("", objects.api_version));
        let owned = |part: Option<&str>| part.unwrap_or_default().to_owned();
        Attributes {
            verb: rbac::verb(method, &objects, Query::of(uri)).to_owned(),
            group: group.to_owned(),
            version: version.to_owned(),
            resource: objects.plural.to_owned(),
            subresource: owned(objects.subresource),
            namespace: owned(rbac::place(&objects)),
            name: owned(objects.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &Method, uri: &str) -> [String; 5] {
        let it = Attributes::of(method, &uri.parse().unwrap());
        [it.verb, it.group, it.resource, it.namespace, it.name]
    }

    #[test]
    fn a_watch_is_told_from_a_list_and_a_namespace_is_in_itself() {
        let slices = "/apis/discovery.k8s.io/v1/namespaces/db/endpointslices?watch=true";
        assert_eq!(
            of(&Method::GET, slices),
            ["watch", "discovery.k8s.io", "endpointslices", "db", ""]
        );
        let namespace = "https://127.0.0.1:6443/api/v1/namespaces/db";
        assert_eq!(of(&Method::GET, namespace), ["get", "", "namespaces", "db", "db"]);
        assert_eq!(of(&Method::GET, "/readyz"), ["get", "", "", "", ""]);
    }
}
