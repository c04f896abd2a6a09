//! What stands between a program and an API server: it tells of each call, and does at it what the plan says.

mod events;
mod management;
mod replies;
mod strikes;
mod switchboard;

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use fake_apiserver::{Server, Service, User};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use kube::client::Body;
use runtime::WireBody;
use tower::{BoxError, ServiceExt};

use events::reframed;
pub(crate) use management::dial as dial_nodes;
use replies::refused;
pub(crate) use replies::{broken, status};
use switchboard::Watched;
pub use switchboard::{Asked, Called, NODES, Shown, Switchboard};

use crate::monitor::Overheard;
use crate::plan::{Call, Verb, What};
use crate::program::{Life, Name};
use crate::world::{CONTROL_PLANE, NAMESPACE, World};

/// One program's way to one API server.
#[derive(Clone)]
pub struct Wiretap {
    server: Server,
    inner: Service,
    plane: &'static str,
    program: Name,
    life: Life,
    switchboard: Arc<Switchboard>,
    overheard: Arc<Overheard>,
}

impl Wiretap {
    /// The way of a program to a plane, in one of its lives.
    ///
    /// # Panics
    /// When there is no such plane.
    #[must_use]
    pub fn new(world: &World, plane: &'static str, program: Name, life: &Life) -> Self {
        let server: &Server = world.server(plane);
        world.switchboard.begins(program, life);
        Self {
            server: server.clone(),
            inner: server.service(user(plane, program)),
            plane,
            program,
            life: life.clone(),
            switchboard: Arc::clone(&world.switchboard),
            overheard: Arc::clone(&world.overheard),
        }
    }

    /// To which plane.
    #[must_use]
    pub fn plane(&self) -> &'static str {
        self.plane
    }

    fn watched(&self, request: &Request<Body>) -> Watched {
        Watched {
            program: self.program,
            plane: self.plane,
            path: request.uri().path().to_owned(),
        }
    }

    /// What the plan says of a call; what earlier faults left behind comes after that.
    fn fault(&self, request: &Request<Body>) -> Option<What> {
        let (call, verb) = kind(request)?;
        let line = format!("{} {}", request.method(), request.uri().path());
        let what = self
            .switchboard
            .ask((self.program, self.plane), (call, Some(verb)), line);
        what.or_else(|| self.left_behind(request, verb))
    }

    fn left_behind(&self, request: &Request<Body>, verb: Verb) -> Option<What> {
        let watched = self.watched(request);
        let gone = match verb {
            Verb::Watch => self.switchboard.makes_up(&watched, None),
            Verb::List => {
                self.switchboard.makes_up(&watched, None);
                let continued = request
                    .uri()
                    .query()
                    .is_some_and(|query| query.contains("continue="));
                continued && self.switchboard.is_gone(&watched)
            }
            _ => false,
        };
        gone.then_some(What::Reply(410))
    }

    async fn done(self, request: Request<Body>) -> Result<Response<WireBody>, BoxError> {
        let reads = *request.method() == Method::GET;
        let lie = self.switchboard.stale(self.program, self.plane).filter(|_| reads);
        let watched = self.watched(&request);
        let is_watch = verb(&request) == Verb::Watch;
        let service = match lie {
            Some((version, _)) => self.server.stale(version, user(self.plane, self.program)),
            None => self.inner,
        };
        let answered = service.oneshot(request).await?;
        let answered = answered.map(|body| body.map_err(BoxError::from).boxed_unsync());
        if !is_watch || !answered.status().is_success() {
            return Ok(answered);
        }
        let until = lie.map(|(_, until)| until);
        Ok(answered.map(|body| reframed(body, watched, self.switchboard, until)))
    }

    async fn exchange(self, mut request: Request<Body>) -> Result<Response<WireBody>, BoxError> {
        self.overheard
            .call(self.program, self.plane, &self.life, &request);
        if !self.life.is_alive() {
            return pending().await;
        }
        let agent = format!("ringspan-{}", self.program);
        if let Ok(agent) = agent.parse() {
            request.headers_mut().insert(http::header::USER_AGENT, agent);
        }
        match self.fault(&request) {
            Some(fault) => self.suffer(fault, request).await,
            None => self.done(request).await,
        }
    }

    async fn suffer(self, fault: What, request: Request<Body>) -> Result<Response<WireBody>, BoxError> {
        let (life, switchboard) = (self.life.clone(), Arc::clone(&self.switchboard));
        match fault {
            What::CrashBefore => {
                life.end();
                pending().await
            }
            What::CrashAfter | What::Stale { .. } => {
                let _ = self.done(request).await;
                life.end();
                pending().await
            }
            What::Crash(other) => {
                let answer = self.done(request).await;
                switchboard.end(other);
                answer
            }
            What::LostReply => {
                let _ = self.done(request).await;
                Err(broken())
            }
            What::Refuse => Err(refused()),
            What::FailBefore => Err(broken()),
            What::Reply(code) => Ok(status(code)),
            What::Hang => pending().await,
            What::HalfOpen => {
                let answer = self.done(request).await?;
                Ok(answer.map(|_| StreamBody::new(futures::stream::pending()).boxed_unsync()))
            }
            What::Delay(time) => {
                tokio::time::sleep(time).await;
                self.done(request).await
            }
            What::GoneOnContinue => {
                switchboard.gone_on_continue(self.watched(&request));
                self.done(by_one(request)).await
            }
            // What happens to events does not happen to calls.
            _ => self.done(request).await,
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
fn kind(request: &Request<Body>) -> Option<(Call, Verb)> {
    let path = request.uri().path();
    let aside = path.contains("/events.k8s.io/") || path.contains("/authorization.k8s.io/");
    match verb(request) {
        Verb::Watch => Some((Call::Watch, Verb::Watch)),
        reads @ (Verb::Get | Verb::List) => Some((Call::Read, reads)),
        writes => (!aside).then_some((Call::Write, writes)),
    }
}

fn verb(request: &Request<Body>) -> Verb {
    let (method, query) = (request.method(), request.uri().query().unwrap_or_default());
    let has = |wanted: &str| query.split('&').any(|part| part.starts_with(wanted));
    match *method {
        Method::GET if has("watch=true") => Verb::Watch,
        // Of single objects nobody asks for pages.
        Method::GET if has("limit=") => Verb::List,
        Method::GET => Verb::Get,
        Method::POST => Verb::Create,
        Method::DELETE => Verb::Delete,
        _ => Verb::Patch,
    }
}

/// The same list in pages of one object.
fn by_one(mut request: Request<Body>) -> Request<Body> {
    let uri = request.uri().to_string();
    let Some((path, query)) = uri.split_once('?') else {
        return request;
    };
    let parts = query.split('&').map(|part| {
        if part.starts_with("limit=") {
            "limit=1"
        } else {
            part
        }
    });
    let parts: Vec<&str> = parts.collect();
    if let Ok(uri) = format!("{path}?{}", parts.join("&")).parse() {
        *request.uri_mut() = uri;
    }
    request
}
