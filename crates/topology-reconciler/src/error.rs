//! What can go wrong in a pass.

use api::names::reason;
use api::seen::Unknown;
use management_api::NoAnswer;
use runtime::{Failure, Retry, WriteError};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActError {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{}", .0.message)]
    Unknown(Unknown),
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    #[error("the nodes do not agree on the schema")]
    SchemaDisagreement,
    #[error("{0}")]
    Certificate(String),
    #[error("{what} cannot be built")]
    Unbuildable { what: String },
    #[error("the cluster has changed since it was looked at")]
    Changed,
}

impl ActError {
    /// What is told to the user; none where trying again is all there is to it.
    pub fn reason(&self) -> Option<&str> {
        match self {
            ActError::Write(error) if error.is_conflict() => None,
            ActError::Write(WriteError::Forbidden { .. }) => Some(reason::PLANE_FORBIDDEN),
            ActError::Write(WriteError::Unreachable { .. }) => Some(reason::PLANE_UNREACHABLE),
            ActError::Write(_) | ActError::Unbuildable { .. } => Some(reason::INVALID_SPEC),
            ActError::Unknown(unknown) => Some(&unknown.reason),
            ActError::NoAnswer(_) | ActError::Certificate(_) => Some(reason::MANAGEMENT_API_UNREACHABLE),
            ActError::SchemaDisagreement => Some(reason::SCHEMA_DISAGREEMENT),
            ActError::Changed => None,
        }
    }
}

impl Failure for ActError {
    fn retry(&self) -> Retry {
        match self {
            ActError::Write(error) => error.retry(),
            ActError::Changed => Retry::Conflict,
            _ => Retry::Backoff,
        }
    }

    fn class(&self) -> &'static str {
        match self {
            ActError::Write(error) => error.class(),
            ActError::Unknown(_) => "unreachable",
            ActError::NoAnswer(_) => "management-api",
            ActError::SchemaDisagreement => "schema",
            ActError::Certificate(_) => "certificate",
            ActError::Unbuildable { .. } => "unbuildable",
            ActError::Changed => "conflict",
        }
    }
}
