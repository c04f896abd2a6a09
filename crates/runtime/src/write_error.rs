//! Why a write did not happen, naming the object, in the classes that a controller acts on.

use std::fmt;

use crate::queue::{Failure, Retry};
use crate::watch_error::{causes, short};

/// What a write was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What was tried: `create`, `apply`, `apply status of`, `patch`, `delete`.
    pub verb: &'static str,
    /// The plural name of the kind, as in the API's path.
    pub resource: String,
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Target {
            verb,
            resource,
            namespace,
            name,
        } = self;
        if namespace.is_empty() {
            write!(f, "{verb} {resource} {name}")
        } else {
            write!(f, "{verb} {resource} {namespace}/{name}")
        }
    }
}

/// The failure of one write. Messages are at most 256 bytes of what the server said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The object is not as it was seen: other version, other uid, vanished under an apply, a failed `test`, or a
    /// field that another manager owns. Nothing was written.
    #[error("{target}: conflict: {message}")]
    Conflict {
        /// The object.
        target: Box<Target>,
        /// The server's words.
        message: String,
        /// Fields that other managers own, each with the server's sentence about it; empty for other conflicts.
        fields: Vec<(String, String)>,
    },
    /// The name is taken: read the object and compare.
    #[error("{target}: already exists")]
    AlreadyExists {
        /// The object.
        target: Box<Target>,
    },
    /// No such object, or no such kind.
    #[error("{target}: not found: {message}")]
    NotFound {
        /// The object.
        target: Box<Target>,
        /// The server's words.
        message: String,
    },
    /// 401 or 403.
    #[error("{target}: forbidden: {message}")]
    Forbidden {
        /// The object.
        target: Box<Target>,
        /// The server's words.
        message: String,
    },
    /// The server understood and refuses this content: 400, 413, 422.
    #[error("{target}: refused: {message}")]
    Refused {
        /// The object.
        target: Box<Target>,
        /// The server's words.
        message: String,
    },
    /// No answer, a broken one, or a server in trouble (429, 5xx). The write may have happened.
    #[error("{target}: no usable answer: {message}")]
    Unreachable {
        /// The object.
        target: Box<Target>,
        /// What went wrong.
        message: String,
    },
    /// Anything else, such as a body that lacks `kind`.
    #[error("{target}: {message}")]
    Other {
        /// The object.
        target: Box<Target>,
        /// What went wrong.
        message: String,
    },
}

impl WriteError {
    /// The object of the write.
    #[must_use]
    pub fn target(&self) -> &Target {
        match self {
            WriteError::Conflict { target, .. }
            | WriteError::AlreadyExists { target }
            | WriteError::NotFound { target, .. }
            | WriteError::Forbidden { target, .. }
            | WriteError::Refused { target, .. }
            | WriteError::Unreachable { target, .. }
            | WriteError::Other { target, .. } => target,
        }
    }

    /// Whether somebody else's change is the reason, so that reading again helps.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(
            self,
            WriteError::Conflict { .. } | WriteError::AlreadyExists { .. }
        )
    }

    pub(crate) fn new(target: Target, error: &kube::Error) -> WriteError {
        let target = Box::new(target);
        match error {
            kube::Error::Api(status) => WriteError::of_status(target, status),
            kube::Error::BuildRequest(error) => WriteError::Other {
                target,
                message: causes(error),
            },
            // A decoding error quotes contents, so only its class is told.
            kube::Error::SerdeError(error) => {
                let message = format!("the answer does not decode: {:?}", error.classify());
                WriteError::Unreachable { target, message }
            }
            error => WriteError::Unreachable {
                target,
                message: causes(error),
            },
        }
    }

    fn of_status(target: Box<Target>, status: &kube::core::Status) -> WriteError {
        let message = short(&status.message);
        let causes = status
            .details
            .as_ref()
            .map(|details| details.causes.as_slice())
            .unwrap_or_default();
        let wrong_uid = causes.iter().any(|cause| cause.field == "metadata.uid");
        // A failed JSON patch `test` has no details; every other refusal of contents names its fields.
        let failed_test = target.verb == crate::write::PATCH && causes.is_empty();
        match status.code {
            409 if status.is_already_exists() => WriteError::AlreadyExists { target },
            409 => {
                let owned = causes
                    .iter()
                    .filter(|cause| cause.reason == "FieldManagerConflict");
                let fields = owned
                    .map(|cause| (cause.field.clone(), short(&cause.message)))
                    .collect();
                WriteError::Conflict {
                    target,
                    message,
                    fields,
                }
            }
            422 if wrong_uid || failed_test => WriteError::Conflict {
                target,
                message,
                fields: Vec::new(),
            },
            404 => WriteError::NotFound { target, message },
            401 | 403 => WriteError::Forbidden { target, message },
            400 | 413 | 422 => WriteError::Refused { target, message },
            429 | 500.. => WriteError::Unreachable { target, message },
            code => WriteError::Other {
                target,
                message: short(&format!("{code} {message}")),
            },
        }
    }
}

impl Failure for WriteError {
    fn retry(&self) -> Retry {
        if self.is_conflict() {
            Retry::Conflict
        } else {
            Retry::Backoff
        }
    }

    fn class(&self) -> &'static str {
        match self {
            WriteError::Conflict { .. } => "conflict",
            WriteError::AlreadyExists { .. } => "already-exists",
            WriteError::NotFound { .. } => "not-found",
            WriteError::Forbidden { .. } => "forbidden",
            WriteError::Refused { .. } => "refused",
            WriteError::Unreachable { .. } => "unreachable",
            WriteError::Other { .. } => "other",
        }
    }
}
