//! What stands between a program and an API server: it counts the calls, and does at one of them what the plan says.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use fake_apiserver::{Server, Service, User};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use kube::client::Body;
use runtime::WireBody;
use serde_json::json;
use tower::{BoxError, ServiceExt};

use crate::plan::{Call, Fault, Plan};
use crate::program::{Life, Name};
use crate::world::{CONTROL_PLANE, NAMESPACE, World};

/// How many calls there were, by program and kind.
pub type Called = BTreeMap<(Name, Call), u32>;

/// Calls so far, shared by all lives and planes of a run.
#[derive(Debug, Default)]
pub struct Counts(Mutex<Called>);

impl Counts {
    fn next(&self, program: Name, call: Call) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((program, call)).or_default();
        *count += 1;
        *count
    }

    /// How many there were.
    #[must_use]
    pub fn all(&self) -> Called {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One program's way to one API server.
#[derive(Clone)]
pub struct Wiretap {
    inner: Service,
    program: Name,
    life: Life,
    counts: Arc<Counts>,
    plan: Plan,
}

impl Wiretap {
    /// The way of a program to a plane, in one of its lives.
    ///
    /// # Panics
    /// When there is no such plane.
    #[must_use]
    pub fn new(world: &World, plane: &str, program: Name, life: &Life) -> Self {
        let server: &Server = world.server(plane);
        Self {
            inner: server.service(user(plane, program)),
            program,
            life: life.clone(),
            counts: Arc::clone(&world.counts),
            plan: world.plan,
        }
    }

    fn fault(&self, request: &Request<Body>) -> Fault {
        let Some(call) = kind(request) else {
            return Fault::Pass;
        };
        let number = self.counts.next(self.program, call);
        let Plan { program, .. } = self.plan;
        if (program, self.plan.call, self.plan.number) == (self.program, call, number) {
            self.plan.fault
        } else {
            Fault::Pass
        }
    }

    async fn done(self, request: Request<Body>) -> Result<Response<WireBody>, BoxError> {
        let answered = self.inner.oneshot(request).await?;
        Ok(answered.map(|body| body.map_err(BoxError::from).boxed_unsync()))
    }

    async fn exchange(self, mut request: Request<Body>) -> Result<Response<WireBody>, BoxError> {
        if !self.life.is_alive() {
            return pending().await;
        }
        let agent = format!("ringspan-{}", self.program);
        if let Ok(agent) = agent.parse() {
            request.headers_mut().insert(http::header::USER_AGENT, agent);
        }
        match self.fault(&request) {
            Fault::Pass => self.done(request).await,
            Fault::CrashBefore => {
                self.life.end();
                pending().await
            }
            Fault::CrashAfter => {
                let life = self.life.clone();
                let _ = self.done(request).await;
                life.end();
                pending().await
            }
            Fault::LostReply => {
                let _ = self.done(request).await;
                Err(broken())
            }
            Fault::FailBefore => Err(broken()),
            Fault::Reply(code) => Ok(status(code)),
            Fault::Hang => pending().await,
            Fault::Delay(seconds) => {
                tokio::time::sleep(Duration::from_secs(seconds.into())).await;
                self.done(request).await
            }
        }
    }
}

impl tower::Service<Request<Body>> for Wiretap {
    type Response = Response<WireBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().exchange(request))
    }
}

/// In the control plane each program has an account of its own, in a data plane all have the one of the kubeconfig.
fn user(plane: &str, program: Name) -> User {
    if plane == CONTROL_PLANE {
        User::service_account(NAMESPACE, &format!("ringspan-{program}"))
    } else {
        User::service_account(NAMESPACE, "ringspan")
    }
}

/// What kind of call it is; none for Events and for questions about rights.
fn kind(request: &Request<Body>) -> Option<Call> {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    if *request.method() == Method::GET {
        let watch = query.split('&').any(|part| part == "watch=true");
        return Some(if watch { Call::Watch } else { Call::Read });
    }
    let aside = path.contains("/events.k8s.io/") || path.contains("/authorization.k8s.io/");
    (!aside).then_some(Call::Write)
}

fn broken() -> BoxError {
    std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()
}

/// What an API server answers with that code, as far as a client looks.
fn status(code: u16) -> Response<WireBody> {
    let reason = match code {
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        _ => "Unknown",
    };
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "by plan", "reason": reason, "code": code,
    });
    let body = Full::new(Bytes::from(body.to_string()));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() =
        http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
