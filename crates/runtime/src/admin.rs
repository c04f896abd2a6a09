//! `/livez`, `/readyz` and `/metrics`, for the kubelet and Prometheus.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::{Metrics, Readiness};

/// A client that does not finish its request head within this time is dropped.
const HEAD: Duration = Duration::from_secs(5);
/// A connection is closed after this time, whatever it does.
const CONNECTION: Duration = Duration::from_mins(2);
/// Connections at once; more wait.
const CONNECTIONS: usize = 32;

/// A bound admin server that does not answer yet.
pub(crate) struct Admin {
    listener: TcpListener,
    metrics: Metrics,
    ready: Readiness,
}

impl Admin {
    pub(crate) async fn bind(address: SocketAddr, metrics: Metrics, ready: Readiness) -> io::Result<Admin> {
        Ok(Admin {
            listener: TcpListener::bind(address).await?,
            metrics,
            ready,
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until dropped.
    pub(crate) async fn serve(self) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let (metrics, ready) = (self.metrics.clone(), self.ready.clone());
                    tokio::spawn(async move {
                        let _place = place;
                        answer_all(stream, metrics, ready).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "admin server cannot accept");
                    sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

async fn answer_all(stream: TcpStream, metrics: Metrics, ready: Readiness) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(&request, &metrics, &ready);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    let mut ended = timeout(CONNECTION, connection.as_mut()).await;
    if ended.is_err() {
        connection.as_mut().graceful_shutdown();
        ended = timeout(HEAD, connection).await;
    }
    if let Ok(Err(error)) = ended {
        tracing::debug!(%error, "admin connection ended");
    }
}

fn answer<B>(request: &Request<B>, metrics: &Metrics, ready: &Readiness) -> Response<Full<Bytes>> {
    if *request.method() != Method::GET && *request.method() != Method::HEAD {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".into());
    }
    match request.uri().path() {
        "/livez" | "/healthz" => {
            let silent = metrics.silent_hearts();
            if silent.is_empty() {
                text(StatusCode::OK, "ok\n".into())
            } else {
                text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!("not turning: {}\n", silent.join(", ")),
                )
            }
        }
        "/readyz" if ready.is_ready() => text(StatusCode::OK, "ok\n".into()),
        "/readyz" => text(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("waiting for: {}\n", ready.missing().join(", ")),
        ),
        "/metrics" => text(StatusCode::OK, metrics.render()),
        _ => text(StatusCode::NOT_FOUND, "/livez, /readyz, /metrics\n".into()),
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let plain = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn get(path: &str, metrics: &Metrics) -> (u16, String) {
        let request = Request::get(path).body(()).unwrap();
        let answer = answer(&request, metrics, &Readiness::default());
        let code = answer.status().as_u16();
        (
            code,
            String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap(),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_stopped_turning_is_not_alive() {
        let metrics = Metrics::new();
        metrics.heart("demo").beat();
        assert_eq!(get("/livez", &metrics).await.0, 200);
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(get("/livez", &metrics).await, (503, "not turning: demo\n".into()));
    }

    #[tokio::test]
    async fn only_reading_is_offered() {
        let request = Request::post("/metrics").body(()).unwrap();
        assert_eq!(
            answer(&request, &Metrics::new(), &Readiness::default()).status(),
            405
        );
        assert_eq!(
            get("/readyz", &Metrics::new()).await,
            (
                503,
                "waiting for: start
"
                .into()
            )
        );
    }
}
