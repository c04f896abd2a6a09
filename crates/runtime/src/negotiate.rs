//! HTTP/2 or HTTP/1, asked once. A client that takes either opens a connection for each request that comes before
//! the first answer, and throws all but one away; one that knows opens one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt};

use crate::connection::{Wire, WireBody};

/// Connects, with TLS.
pub(crate) type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

const UNKNOWN: u8 = 0;
const HTTP_1: u8 = 1;
const HTTP_2: u8 = 2;

/// Two clients of one server, of which one is used.
#[derive(Clone)]
pub(crate) struct Negotiated {
    /// Offers both.
    pub either: Connector,
    pub http_1: Client<Connector, Body>,
    pub http_2: Client<Connector, Body>,
    pub server: Uri,
    learned: Arc<AtomicU8>,
    learning: Arc<Mutex<()>>,
}

impl Negotiated {
    pub fn new(
        server: Uri,
        either: Connector,
        http_1: Client<Connector, Body>,
        http_2: Client<Connector, Body>,
    ) -> Self {
        Self {
            either,
            http_1,
            http_2,
            server,
            learned: Arc::default(),
            learning: Arc::default(),
        }
    }

    /// All of it as a service.
    pub fn wire(self) -> Wire {
        BoxCloneSyncService::new(tower::service_fn(move |request| self.clone().exchange(request)))
    }

    async fn exchange(self, request: Request<Body>) -> Result<Response<WireBody>, BoxError> {
        let client = if self.learn().await? == HTTP_2 {
            &self.http_2
        } else {
            &self.http_1
        };
        match client.request(request).await {
            Ok(response) => Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync())),
            Err(error) => {
                // It may be another server by now, or have been upgraded.
                self.learned.store(UNKNOWN, Ordering::Release);
                Err(error.into())
            }
        }
    }

    /// Which of the two the server speaks.
    async fn learn(&self) -> Result<u8, BoxError> {
        let known = || Some(self.learned.load(Ordering::Acquire)).filter(|learned| *learned != UNKNOWN);
        if let Some(known) = known() {
            return Ok(known);
        }
        if self.server.scheme() == Some(&Scheme::HTTP) {
            // Without TLS there is nothing to ask.
            return Ok(HTTP_1);
        }
        let _alone = self.learning.lock().await;
        if let Some(known) = known() {
            return Ok(known);
        }
        let stream = self.either.clone().oneshot(self.server.clone()).await?;
        let learned = if stream.connected().is_negotiated_h2() {
            HTTP_2
        } else {
            HTTP_1
        };
        self.learned.store(learned, Ordering::Release);
        Ok(learned)
    }
}
