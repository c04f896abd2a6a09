//! What kind of call a request is, as its method and path say.

use http::{Method, Request};

use super::body::Bound;
use crate::limits::Limits;

/// Errors come with a short `Status`; what is longer is not from an API server.
const LONGEST_ERROR: usize = 64 * 1024;

/// Kinds of calls that have bounds of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A stream of events.
    Watch,
    /// GET of a collection: one page.
    List,
    /// GET of anything else.
    Get,
    /// Everything that writes.
    Write,
}

impl Call {
    pub fn of<B>(request: &Request<B>) -> Self {
        if request.method() != Method::GET {
            return Self::Write;
        }
        let mut query = request.uri().query().unwrap_or_default().split('&');
        if query.any(|pair| matches!(pair, "watch=true" | "watch=1")) {
            return Self::Watch;
        }
        if is_collection(request.uri().path()) {
            Self::List
        } else {
            Self::Get
        }
    }

    /// Whether the server's own trouble (5xx) is all that can make it fail: writes also fail in webhooks.
    pub fn is_read(self) -> bool {
        self != Self::Write
    }

    pub fn bound(self, limits: &Limits, succeeded: bool) -> Bound {
        match self {
            _ if !succeeded => Bound::Body(LONGEST_ERROR),
            Self::Watch => Bound::Line(limits.line),
            Self::List => Bound::Body(limits.page),
            Self::Get | Self::Write => Bound::Body(limits.object),
        }
    }
}

/// `/api/v1/pods`, `/apis/group/version/namespaces/ns/things`, and the like.
fn is_collection(path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let depth = match segments.next() {
        Some("api") => 1,
        Some("apis") => 2,
        _ => return false,
    };
    let rest: Vec<_> = segments.skip(depth).collect();
    matches!(rest.as_slice(), [_] | ["namespaces", _, _])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, uri: &str) -> Call {
        Call::of(&Request::builder().method(method).uri(uri).body(()).unwrap())
    }

    #[test]
    fn a_path_says_what_kind_of_call_it_is() {
        for (uri, call) in [
            ("/api/v1/pods?limit=500", Call::List),
            ("/api/v1/namespaces", Call::List),
            ("/api/v1/namespaces/db", Call::Get),
            ("/api/v1/namespaces/db/pods", Call::List),
            ("/api/v1/namespaces/db/pods/a", Call::Get),
            (
                "/apis/cassandra.datastax.com/v1beta1/cassandradatacenters",
                Call::List,
            ),
            (
                "/apis/cassandra.datastax.com/v1beta1/namespaces/db/cassandradatacenters/dc1",
                Call::Get,
            ),
            (
                "/apis/apps/v1/namespaces/db/deployments?watch=true&resourceVersion=1",
                Call::Watch,
            ),
            ("/version", Call::Get),
        ] {
            assert_eq!(of("GET", uri), call, "{uri}");
        }
        assert_eq!(of("POST", "/api/v1/namespaces/db/pods"), Call::Write);
    }
}
