//! A server as a tower service, for `kube::Client::new`.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;

use crate::answer::ServerBody;
use crate::object::Shown;
use crate::options::User;
use crate::server::Server;

/// A server as one user sees it.
#[derive(Clone, Debug)]
pub struct Service {
    server: Server,
    user: User,
    as_of: Option<u64>,
    shown: Shown,
}

impl Service {
    pub(crate) fn new(server: Server, user: User, as_of: Option<u64>) -> Service {
        Service {
            server,
            user,
            as_of,
            shown: Shown::Whole,
        }
    }

    /// As a client sees the server that drops `metadata.managedFields` of whatever it is shown. No real server leaves them
    /// out; a client that has no use for them reads half as much.
    #[must_use]
    pub fn without_managed_fields(mut self) -> Service {
        self.shown = Shown::Ownerless;
        self
    }
}

impl<B> tower::Service<Request<B>> for Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Debug,
{
    type Response = Response<ServerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            parts.extensions.insert(this.shown);
            let body = body.collect().await.map(http_body_util::Collected::to_bytes);
            let request = Request::from_parts(parts, body.unwrap_or_default());
            Ok(this.server.answer_as_of(this.as_of, &this.user, &request).into())
        })
    }
}
