//! What can go wrong in a pass.

use api::seen::Unknown;
use runtime::{Failure, Retry, WriteError};

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActError {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("plane {}: {}", .0.context, .0.message)]
    Unknown(Unknown),
    #[error("it cannot be read before it is changed: {0}")]
    Unread(String),
    #[error("{0} has changed since it was looked at")]
    Changed(String),
    #[error("the object cannot be built: {0}")]
    Unbuildable(String),
    #[error("the system gives no randomness for a password")]
    NoRandomness,
}

impl Failure for ActError {
    fn retry(&self) -> Retry {
        match self {
            ActError::Write(error) => error.retry(),
            ActError::Changed(_) => Retry::Conflict,
            ActError::Unknown(_)
            | ActError::Unread(_)
            | ActError::Unbuildable(_)
            | ActError::NoRandomness => Retry::Backoff,
        }
    }

    fn class(&self) -> &'static str {
        match self {
            ActError::Write(error) => error.class(),
            ActError::Unknown(_) | ActError::Unread(_) => "unreachable",
            ActError::Changed(_) => "conflict",
            ActError::Unbuildable(_) => "unbuildable",
            ActError::NoRandomness => "randomness",
        }
    }
}
