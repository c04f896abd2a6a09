//! What ends a pass: only what concerns the ReplicatedSecret itself. What is wrong in a plane stands in the status.

use runtime::{Failure, Retry, WriteError};

/// Why a pass ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassError {
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Failure for PassError {
    fn retry(&self) -> Retry {
        let PassError::Write(error) = self;
        error.retry()
    }

    fn class(&self) -> &'static str {
        let PassError::Write(error) = self;
        error.class()
    }
}
