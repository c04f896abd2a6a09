//! What is sent, as upstream writes it.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use serde::Serialize;

use crate::exchange::{Failure, with_causes};
use crate::{Call, Error, Node};

pub(crate) const KEYSPACE: &str = "/api/v0/ops/keyspace";
pub(crate) const REPLICATION: &str = "/api/v0/ops/keyspace/replication";
pub(crate) const SCHEMA_VERSIONS: &str = "/api/v1/ops/node/schema/versions";
pub(crate) const ENDPOINTS: &str = "/api/v0/metadata/endpoints";

/// One call of one node; `path` with its query.
pub(crate) struct Target {
    pub(crate) call: Call,
    pub(crate) node: Node,
    path: String,
}

impl Target {
    pub(crate) fn new(call: Call, node: Node, path: impl Into<String>) -> Self {
        Self {
            call,
            node,
            path: path.into(),
        }
    }

    /// The request: a connection for itself, and a content type on all calls about keyspaces, with a body or not.
    pub(crate) fn request(&self, body: Option<Vec<u8>>) -> Result<Request<Full<Bytes>>, Failure> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder()
            .method(method)
            .uri(&self.path)
            .header(HOST, self.node.to_string())
            .header(CONNECTION, HeaderValue::from_static("close"));
        if self.path.starts_with(KEYSPACE) {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        request
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|error| Failure::Broken(with_causes(&error)))
    }

    /// Refuses an empty name, which would mean *all keyspaces* to the server.
    pub(crate) fn named(&self, keyspace: &str) -> Result<(), Error> {
        if keyspace.is_empty() {
            return Err(self.refused("no keyspace is named"));
        }
        Ok(())
    }

    pub(crate) fn refused(&self, why: &'static str) -> Error {
        Error::Refused {
            call: self.call,
            node: self.node,
            why,
        }
    }
}

#[derive(Serialize)]
struct KeyspaceRequest<'a> {
    keyspace_name: &'a str,
    replication_settings: Vec<ReplicationSetting<'a>>,
}

/// The factor is a string on the wire.
#[derive(Serialize)]
struct ReplicationSetting<'a> {
    dc_name: &'a str,
    replication_factor: String,
}

/// The body of create and alter, datacenters in the order of their names.
pub(crate) fn keyspace_body(keyspace: &str, factors: &BTreeMap<String, u32>) -> serde_json::Result<Vec<u8>> {
    let replication_settings = factors
        .iter()
        .map(|(dc_name, factor)| ReplicationSetting {
            dc_name,
            replication_factor: factor.to_string(),
        })
        .collect();
    serde_json::to_vec(&KeyspaceRequest {
        keyspace_name: keyspace,
        replication_settings,
    })
}

/// The path with the keyspace as its query.
pub(crate) fn with_keyspace(path: &str, keyspace: &str) -> String {
    let mut path = format!("{path}?keyspaceName=");
    for byte in keyspace.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.extend(['%', hex(byte >> 4), hex(byte & 0xF)]);
        }
    }
    path
}

fn hex(digit: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(digit)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_place_in_the_query() {
        assert_eq!(with_keyspace("/x", "My_ks1"), "/x?keyspaceName=My_ks1");
        assert_eq!(
            with_keyspace("/x", "a&b=c #/%ä"),
            "/x?keyspaceName=a%26b%3Dc%20%23%2F%25%C3%A4"
        );
    }
}
