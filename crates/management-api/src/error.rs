//! What can go wrong with a call. Every text is bounded and carries nothing of our credentials.

use std::fmt;
use std::time::Duration;

use crate::Node;

/// The longest piece of text of a pod's that an error carries, in bytes.
pub const MAX_REMOTE_TEXT: usize = 256;

/// One of the calls of [`crate::ManagementApi`], for errors, logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// `GET /api/v0/ops/keyspace`
    Keyspaces,
    /// `GET /api/v0/ops/keyspace?keyspaceName=`
    KeyspaceExists,
    /// `GET /api/v0/ops/keyspace/replication?keyspaceName=`
    Replication,
    /// `POST /api/v0/ops/keyspace/create`
    CreateKeyspace,
    /// `POST /api/v0/ops/keyspace/alter`
    AlterKeyspace,
    /// `GET /api/v1/ops/node/schema/versions`
    SchemaVersions,
    /// `GET /api/v0/metadata/endpoints`
    Endpoints,
}

impl Call {
    /// Whether the call changes the schema; such calls have the longer time limit.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::CreateKeyspace | Self::AlterKeyspace)
    }
}

/// The call as a verb phrase: `list keyspaces`.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyspaces => "list keyspaces",
            Self::KeyspaceExists => "look for a keyspace",
            Self::Replication => "read the replication of a keyspace",
            Self::CreateKeyspace => "create a keyspace",
            Self::AlterKeyspace => "alter a keyspace",
            Self::SchemaVersions => "read the schema versions",
            Self::Endpoints => "read the endpoint states",
        })
    }
}

/// A call that did not bring a usable answer from one node.
///
/// After `Unreachable`, `TimedOut`, `TooLarge` or `Malformed` a write may nevertheless have been carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection, no TLS session, or the connection broke before the answer was complete.
    #[error("cannot {call} at {node}: {why}")]
    Unreachable {
        /// What was called.
        call: Call,
        /// Who was asked.
        node: Node,
        /// The transport's words.
        why: String,
    },
    /// No complete answer within the time limit for this kind of call.
    #[error("cannot {call} at {node}: no complete answer within {after:?}")]
    TimedOut {
        /// What was called.
        call: Call,
        /// Who was asked.
        node: Node,
        /// The time limit.
        after: Duration,
    },
    /// The answer's status is not 2xx.
    #[error("cannot {call} at {node}: HTTP status {code}{}{body}", if body.is_empty() { "" } else { ": " })]
    Status {
        /// What was called.
        call: Call,
        /// Who was asked.
        node: Node,
        /// The HTTP status.
        code: u16,
        /// The beginning of the answer, at most [`MAX_REMOTE_TEXT`] bytes, unprintable characters escaped.
        body: String,
    },
    /// The answer's body is longer than we read.
    #[error("cannot {call} at {node}: the answer is longer than {limit} bytes")]
    TooLarge {
        /// What was called.
        call: Call,
        /// Who was asked.
        node: Node,
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer is not HTTP (or its head is endless), not JSON, or not of the documented shape.
    #[error("cannot {call} at {node}: unexpected answer: {why}")]
    Malformed {
        /// What was called.
        call: Call,
        /// Who was asked.
        node: Node,
        /// What is wrong with it, bounded as a status' body is.
        why: String,
    },
    /// The request makes no sense and was not sent.
    #[error("will not {call} at {node}: {why}")]
    Refused {
        /// What was asked for.
        call: Call,
        /// Who would have been asked.
        node: Node,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Error {
    /// What was called.
    #[must_use]
    pub const fn call(&self) -> Call {
        match self {
            Self::Unreachable { call, .. }
            | Self::TimedOut { call, .. }
            | Self::Status { call, .. }
            | Self::TooLarge { call, .. }
            | Self::Malformed { call, .. }
            | Self::Refused { call, .. } => *call,
        }
    }

    /// Who was asked.
    #[must_use]
    pub const fn node(&self) -> Node {
        match self {
            Self::Unreachable { node, .. }
            | Self::TimedOut { node, .. }
            | Self::Status { node, .. }
            | Self::TooLarge { node, .. }
            | Self::Malformed { node, .. }
            | Self::Refused { node, .. } => *node,
        }
    }

    /// The variant's name: a closed list, fit for a metric label or a message that must not flap.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "Unreachable",
            Self::TimedOut { .. } => "TimedOut",
            Self::Status { .. } => "Status",
            Self::TooLarge { .. } => "TooLarge",
            Self::Malformed { .. } => "Malformed",
            Self::Refused { .. } => "Refused",
        }
    }

    /// Whether the same call may succeed later without anybody changing the request: transport failures, time-outs,
    /// and the statuses 408, 429 and 5xx.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
            Self::Status { code, .. } => matches!(*code, 408 | 429 | 500..=599),
            Self::TooLarge { .. } | Self::Malformed { .. } | Self::Refused { .. } => false,
        }
    }
}

/// The beginning of a text from outside: one line, printable, at most [`MAX_REMOTE_TEXT`] bytes.
pub(crate) fn clipped(text: &str) -> String {
    let mut short = String::new();
    for c in text.trim().chars() {
        let piece = match c {
            '"' | '\'' => c.to_string(),
            _ => c.escape_debug().to_string(),
        };
        if short.len() + piece.len() > MAX_REMOTE_TEXT {
            break;
        }
        short.push_str(&piece);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_text_is_one_printable_line_of_at_most_256_bytes() {
        assert_eq!(
            clipped("  keyspace 'a' does \"not\" exist\n"),
            "keyspace 'a' does \"not\" exist"
        );
        assert_eq!(clipped("a\r\nb\u{1b}[31m\u{202e}"), r"a\r\nb\u{1b}[31m\u{202e}");
        assert_eq!(clipped(&"x".repeat(300)), "x".repeat(256));
        assert_eq!(clipped(&"ä".repeat(300)).len(), 256);
        assert_eq!(
            clipped(&format!("{}\n", "€".repeat(300))).len(),
            255,
            "never half a character"
        );
    }

    #[test]
    fn only_failures_that_may_pass_by_themselves_are_retryable() {
        let (call, node) = (Call::Endpoints, Node::new([10, 0, 0, 1].into()));
        let status = |code| Error::Status {
            call,
            node,
            code,
            body: String::new(),
        };
        assert!(
            Error::Unreachable {
                call,
                node,
                why: String::new()
            }
            .is_retryable()
        );
        assert!(
            Error::TimedOut {
                call,
                node,
                after: Duration::from_secs(20)
            }
            .is_retryable()
        );
        assert!(status(500).is_retryable() && status(503).is_retryable() && status(429).is_retryable());
        assert!(!status(400).is_retryable() && !status(404).is_retryable() && !status(302).is_retryable());
        assert!(!Error::TooLarge { call, node, limit: 1 }.is_retryable());
        assert!(
            !Error::Malformed {
                call,
                node,
                why: String::new()
            }
            .is_retryable()
        );
        assert!(!Error::Refused { call, node, why: "" }.is_retryable());
    }
}
