//! The layer under every client of a plane: nothing that comes back is unbounded in time or size, nothing is
//! redirected, nothing is retried, and every failure makes us look whether the plane is still there.
//!
//! `Retry-After` is not waited for inside a call: the call fails, and the queue tries again after at most its own
//! back-off (60 s), whatever a server asks for.

mod body;
mod call;

use std::sync::Arc;

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use runtime::{Wire, WireBody};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt, service_fn};

use crate::limits::{Deadlines, Limits};
use body::Bounded;
use call::Call;

/// What the guard refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// No (complete) answer in time.
    #[error("no complete answer within {0:?}")]
    Deadline(std::time::Duration),
    /// A body above the limit.
    #[error("an answer of more than {0} bytes")]
    TooLarge(usize),
    /// One event of a watch above the limit.
    #[error("an event of more than {0} bytes")]
    LineTooLong(usize),
    /// A status 3xx; we go nowhere else.
    #[error("a redirect (status {0}), which is not followed")]
    Redirected(u16),
    /// A success that is not JSON.
    #[error("an answer that is not JSON: not a Kubernetes API server")]
    NotJson,
}

/// The bounds of one client, shared by its clones.
pub(crate) struct Rules {
    pub deadlines: Deadlines,
    pub limits: Limits,
    pub slots: Arc<Semaphore>,
    pub user_agent: HeaderValue,
    /// Called on every failure that may mean that the plane is gone.
    pub suspect: Arc<dyn Fn() + Send + Sync>,
}

/// A [`Wire`] under [`Rules`].
#[derive(Clone)]
pub(crate) struct Guard {
    wire: Wire,
    rules: Arc<Rules>,
}

impl Guard {
    pub fn new(wire: Wire, rules: Rules) -> Self {
        Self {
            wire,
            rules: Arc::new(rules),
        }
    }

    /// All of it as a wire again. Every failure makes us look whether the plane is still there.
    pub fn wire(self) -> Wire {
        BoxCloneSyncService::new(service_fn(move |request| {
            let guard = self.clone();
            async move {
                let suspect = Arc::clone(&guard.rules.suspect);
                guard.exchange(request).await.inspect_err(|_| suspect())
            }
        }))
    }

    async fn exchange(self, mut request: Request<Body>) -> Result<Response<WireBody>, BoxError> {
        let call = Call::of(&request);
        request
            .headers_mut()
            .insert(USER_AGENT, self.rules.user_agent.clone());
        let within = self.rules.deadlines.call;
        let end = Instant::now() + within;
        let late = || GuardError::Deadline(within);
        let slot = match call {
            Call::Watch => None,
            _ => Some(
                timeout_at(end, Arc::clone(&self.rules.slots).acquire_owned())
                    .await
                    .map_err(|_| late())??,
            ),
        };
        let response = timeout_at(end, self.wire.oneshot(request))
            .await
            .map_err(|_| late())??;
        check(&response)?;
        let suspect = Arc::clone(&self.rules.suspect);
        if call.is_read() && (response.status().is_server_error() || response.status().as_u16() == 401) {
            suspect();
        }
        let bound = call.bound(&self.rules.limits, response.status().is_success());
        let end = (call != Call::Watch || !response.status().is_success()).then_some((end, within));
        Ok(response.map(|body| Bounded::new(body, bound, end, slot, suspect).boxed_unsync()))
    }
}

/// Refuses what no API server sends to us.
fn check(response: &Response<WireBody>) -> Result<(), GuardError> {
    let status = response.status();
    if status.is_redirection() {
        return Err(GuardError::Redirected(status.as_u16()));
    }
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if status.is_success() && kind.is_some_and(|kind| !kind.starts_with(b"application/json")) {
        return Err(GuardError::NotJson);
    }
    Ok(())
}
