//! What stands between a program and an API server: it tells of each call, and does at it what the plan says.

mod switchboard;

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use fake_apiserver::{Server, Service, User};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use kube::client::Body;
use runtime::WireBody;
use serde_json::json;
use tower::{BoxError, ServiceExt};

pub use switchboard::{Asked, Called, Switchboard};

use crate::plan::{Call, What};
use crate::program::{Life, Name};
use crate::world::{CONTROL_PLANE, NAMESPACE, World};

/// One program's way to one API server.
#[derive(Clone)]
pub struct Wiretap {
    inner: Service,
    plane: &'static str,
    program: Name,
    life: Life,
    switchboard: Arc<Switchboard>,
}

impl Wiretap {
    /// The way of a program to a plane, in one of its lives.
    ///
    /// # Panics
    /// When there is no such plane.
    #[must_use]
    pub fn new(world: &World, plane: &'static str, program: Name, life: &Life) -> Self {
        let server: &Server = world.server(plane);
        Self {
            inner: server.service(user(plane, program)),
            plane,
            program,
            life: life.clone(),
            switchboard: Arc::clone(&world.switchboard),
        }
    }

    fn fault(&self, request: &Request<Body>) -> Option<What> {
        let call = kind(request)?;
        let line = || format!("{} {}", request.method(), request.uri().path());
        self.switchboard.ask(self.program, call, self.plane, line)
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
        let Some(fault) = self.fault(&request) else {
            return self.done(request).await;
        };
        match fault {
            What::CrashBefore => {
                self.life.end();
                pending().await
            }
            What::CrashAfter => {
                let life = self.life.clone();
                let _ = self.done(request).await;
                life.end();
                pending().await
            }
            What::LostReply => {
                let _ = self.done(request).await;
                Err(broken())
            }
            What::FailBefore => Err(broken()),
            What::Reply(code) => Ok(status(code)),
            What::Hang => pending().await,
            What::Delay(time) => {
                tokio::time::sleep(time).await;
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
