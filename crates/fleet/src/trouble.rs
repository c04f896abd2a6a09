//! What an error of a plane means, as a reason of a closed list and a sentence without secrets.

use std::error::Error;

use api::names::reason;
use api::seen::Unknown;
use kube::core::Status;

use crate::guard::GuardError;
use crate::quote::quote;

/// Reasons of this crate, beside those of [`api::names::reason`] and [`crate::refusal::RefusalReason`].
pub mod reasons {
    /// It is not known which cluster answers: neither id of the plane could be read.
    pub const IDENTITY_UNKNOWN: &str = "PlaneIdentityUnknown";
    /// Another cluster answers than the one that was recorded.
    pub const IDENTITY_CHANGED: &str = "PlaneIdentityChanged";
    /// The plane answered with an object that is not the one asked for, or cannot be read.
    pub const OBJECT_UNREADABLE: &str = "ObjectUnreadable";
    /// This program does not look at the namespace.
    pub const NAMESPACE_NOT_WATCHED: &str = "NamespaceNotWatched";
    /// The `ClientConfigs` have not been listed yet, so nothing can be said of any context.
    pub const CLIENT_CONFIGS_NOT_LISTED: &str = "ClientConfigsNotListed";
}

/// The group whose absence means that cass-operator is not installed.
const CASSANDRA_GROUPS: [&str; 2] = ["cassandra.datastax.com", "control.k8ssandra.io"];

/// How a plane is named in a sentence.
#[must_use]
pub fn plane_named(context: &str) -> String {
    if context.is_empty() {
        "the control plane".to_owned()
    } else {
        format!("plane {}", quote(context))
    }
}

pub(crate) fn unknown(context: &str, reason: &str, message: String) -> Unknown {
    Unknown {
        context: context.to_owned(),
        reason: reason.to_owned(),
        message,
    }
}

/// Why a call for `what` (of an API group) gave nothing.
pub(crate) fn explain(context: &str, what: &str, group: &str, error: &kube::Error) -> Unknown {
    let plane = plane_named(context);
    let kube::Error::Api(status) = error else {
        let message = format!("{plane} gave no answer on {what}: {}.", cause(error));
        return unknown(context, reason::PLANE_UNREACHABLE, message);
    };
    let said = quote(&status.message);
    match status.code {
        401 => {
            let message = format!(
                "{plane} does not accept our credentials. Put fresh ones into the kubeconfig Secret."
            );
            unknown(context, reason::PLANE_FORBIDDEN, message)
        }
        403 => unknown(
            context,
            reason::PLANE_FORBIDDEN,
            format!("{plane} forbids {what}: {said}"),
        ),
        404 if !names_an_object(status) && CASSANDRA_GROUPS.contains(&group) => {
            let message = format!("{plane} does not know {what}. Install cass-operator there.");
            unknown(context, reason::CASS_OPERATOR_MISSING, message)
        }
        code => unknown(
            context,
            reason::PLANE_UNREACHABLE,
            format!("{plane} answered {code} on {what}: {said}"),
        ),
    }
}

/// Whether a `NotFound` is about an object, and not about a path that the server does not know.
pub(crate) fn names_an_object(status: &Status) -> bool {
    status
        .details
        .as_ref()
        .is_some_and(|details| !details.kind.is_empty() && !details.name.is_empty())
}

/// The innermost thing worth saying of an error that is not a server's answer.
pub(crate) fn cause(error: &kube::Error) -> String {
    if let Some(guard) = find::<GuardError>(error) {
        return guard.to_string();
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return format!("TLS: {}", quote(&tls.to_string()));
    }
    if find::<tower::timeout::error::Elapsed>(error).is_some() {
        return "no connection in time".to_owned();
    }
    match find::<std::io::Error>(error).map(std::io::Error::kind) {
        Some(kind) => kind.to_string(),
        // kube's text of a value that does not parse can quote the value.
        None if matches!(error, kube::Error::SerdeError(_)) => "an answer that cannot be read".to_owned(),
        None if find::<hyper::Error>(error).is_some() => "the connection broke".to_owned(),
        None => "no connection".to_owned(),
    }
}

/// The first error of that type among an error and its causes. An `io::Error` hides the error that it wraps from
/// `source`, so that one is asked by name.
pub(crate) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = match error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
