//! A layer around a client that bounds every call: time and size of the answer, and how many there were. A watch is
//! bounded until it is open; how long it then stays quiet is its reader's business.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use kube::client::Body;
use prometheus::IntCounterVec;
use tokio::time::timeout;
use tower::{BoxError, Layer, Service};

use crate::Metrics;

/// Longest time of one call, from asking to the last byte of the answer.
pub const CALL_DEADLINE: Duration = Duration::from_secs(10);
/// Largest answer that is read, after decompression.
pub const MOST_ANSWER: usize = 32 * 1024 * 1024;

/// A call took too long. Whether it had an effect is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {} s", .after.as_secs())]
pub struct TimedOut {
    /// The limit.
    pub after: Duration,
}

/// An answer is larger than what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is larger than {most} bytes")]
pub struct TooLarge {
    /// The limit, in bytes.
    pub most: usize,
}

/// Whether an error of a guarded client is [`TimedOut`], or has it as a cause.
#[must_use]
pub fn timed_out(error: &(dyn Error + 'static)) -> bool {
    has_cause::<TimedOut>(error)
}

/// Whether an error of a guarded client is [`TooLarge`], or has it as a cause.
#[must_use]
pub fn too_large(error: &(dyn Error + 'static)) -> bool {
    has_cause::<TooLarge>(error)
}

fn has_cause<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<E>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// Guards one server's client.
#[derive(Clone)]
pub struct Guard {
    deadline: Duration,
    most: usize,
    host: String,
    requests: IntCounterVec,
}

impl Guard {
    /// `host` is the label of the server in `rest_client_requests_total`: a name from a bounded set, such as the
    /// plane's context.
    #[must_use]
    pub fn new(host: impl Into<String>, metrics: &Metrics) -> Guard {
        let requests = metrics.requests().clone();
        Guard {
            deadline: CALL_DEADLINE,
            most: MOST_ANSWER,
            host: host.into(),
            requests,
        }
    }

    /// Another deadline than 10 s.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Guard {
        self.deadline = deadline;
        self
    }

    /// Another limit than 32 MiB.
    #[must_use]
    pub fn most_answer(mut self, bytes: usize) -> Guard {
        self.most = bytes;
        self
    }

    fn count(&self, method: &str, code: &str) {
        self.requests
            .with_label_values(&[code, method, self.host.as_str()])
            .inc();
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            guard: self.clone(),
            inner,
        }
    }
}

/// A service with a [`Guard`] around it.
#[derive(Clone)]
pub struct Guarded<S> {
    guard: Guard,
    inner: S,
}

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

impl<S, B> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let guard = self.guard.clone();
        let method = request.method().clone();
        let watch = request
            .uri()
            .query()
            .is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
        let call = self.inner.call(request);
        Box::pin(async move {
            let answer = async {
                let answer = call.await.map_err(Into::into)?;
                guard.count(method.as_str(), answer.status().as_str());
                if watch && answer.status().is_success() {
                    return Ok(answer.map(|body| body.map_err(Into::into).boxed_unsync()));
                }
                let (head, body) = answer.into_parts();
                let body = collect(body, guard.most).await?;
                Ok(Response::from_parts(
                    head,
                    Full::new(body).map_err(|never| match never {}).boxed_unsync(),
                ))
            };
            match timeout(guard.deadline, answer).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => {
                    guard.count(method.as_str(), "<error>");
                    Err(error)
                }
                Err(_) => {
                    guard.count(method.as_str(), "<error>");
                    Err(TimedOut {
                        after: guard.deadline,
                    }
                    .into())
                }
            }
        })
    }
}

async fn collect<B>(body: B, most: usize) -> Result<Bytes, BoxError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(TooLarge { most }.into()),
        Err(error) => Err(error),
    }
}
