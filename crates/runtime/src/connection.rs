//! Connections to one API server: HTTP/2 where the server has it, HTTP/1 where not, and never through a proxy.
//!
//! kube's own stack is not used: it can run commands, retries by itself, and has neither keep-alive nor windows of our
//! choice.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::Body;
use kube::client::middleware::BaseUriLayer;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tower::timeout::TimeoutLayer;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, ServiceBuilder};

use crate::bearer::Bearer;
use crate::negotiate::{Connector, Negotiated};

/// A body as it comes off a connection.
pub type WireBody = UnsyncBoxBody<Bytes, BoxError>;

/// Something that sends a request to one API server and gives back what that answers: a connection pool, or a fake.
pub type Wire = BoxCloneSyncService<Request<Body>, Response<WireBody>, BoxError>;

/// Room of one stream: what a watch that nobody reads can hold back.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Room of one connection: larger than that of all its watches together, so that none can stop the others.
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// Idle HTTP/1 connections that are kept.
const IDLE: usize = 8;

/// When a connection is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Connecting, with the TLS handshake.
    pub connect: Duration,
    /// Silence on a connection after which it is pinged, also while idle.
    pub keep_alive: Duration,
    /// How long the answer to that ping may take.
    pub keep_alive_answer: Duration,
}

impl Default for Patience {
    /// 5 s, 3 s and 2 s: a peer that went silent is noticed within 5 s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            keep_alive: Duration::from_secs(3),
            keep_alive_answer: Duration::from_secs(2),
        }
    }
}

/// One API server.
pub struct Endpoint {
    /// Its URL; a path goes before that of each request.
    pub server: Uri,
    /// Whom to trust, and who we are.
    pub tls: ClientConfig,
    /// Name to expect in the server's certificate, if it is not the host of `server`.
    pub server_name: Option<ServerName<'static>>,
    /// Whether `http` is allowed.
    pub plain: bool,
    /// The token that each request carries.
    pub bearer: Option<Arc<Bearer>>,
    /// When a connection is given up.
    pub patience: Patience,
}

/// A connection pool of its own for one API server. Nothing is connected yet.
#[must_use]
pub fn connect(endpoint: Endpoint) -> Wire {
    let offers = |offer: Offer| endpoint.connector(offer);
    let patience = endpoint.patience;
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(IDLE);
    let http_1 = builder.build::<_, Body>(offers(Offer::Http1));
    let http_2 = builder
        .http2_only(true)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(patience.keep_alive)
        .http2_keep_alive_timeout(patience.keep_alive_answer)
        .http2_keep_alive_while_idle(true)
        .build::<_, Body>(offers(Offer::Http2));
    let client = Negotiated::new(endpoint.server.clone(), offers(Offer::Either), http_1, http_2);
    let bearer = endpoint.bearer;
    let login = move |mut request: Request<Body>| {
        if let Some(bearer) = &bearer {
            request.headers_mut().insert(AUTHORIZATION, bearer.header());
        }
        request
    };
    let stack = ServiceBuilder::new()
        .layer(BaseUriLayer::new(endpoint.server))
        .map_request(login)
        .service(client.wire());
    BoxCloneSyncService::new(stack)
}

/// Which protocols a connection offers.
#[derive(Clone, Copy)]
enum Offer {
    Either,
    Http1,
    Http2,
}

impl Endpoint {
    fn connector(&self, offer: Offer) -> Connector {
        let builder = HttpsConnectorBuilder::new().with_tls_config(self.tls.clone());
        let mut builder = if self.plain {
            builder.https_or_http()
        } else {
            builder.https_only()
        };
        if let Some(name) = &self.server_name {
            builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name.clone()));
        }
        let tcp = self.tcp();
        let connector = match offer {
            Offer::Either => builder.enable_http1().enable_http2().wrap_connector(tcp),
            Offer::Http1 => builder.enable_http1().wrap_connector(tcp),
            Offer::Http2 => builder.enable_http2().wrap_connector(tcp),
        };
        // The connector's own deadline covers TCP only; this one covers the handshake too.
        BoxCloneSyncService::new(TimeoutLayer::new(self.patience.connect).layer(connector))
    }

    /// TCP that notices a dead peer by itself: HTTP/1 has no pings.
    fn tcp(&self) -> HttpConnector {
        let patience = self.patience;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(patience.connect));
        connector.set_keepalive(Some(patience.keep_alive));
        connector.set_keepalive_interval(Some(Duration::from_secs(1).min(patience.keep_alive_answer)));
        connector.set_keepalive_retries(Some(2));
        connector
    }
}
