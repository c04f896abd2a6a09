//! The loopback listener: the management API of every node, picked by the Host header, and the state of the rings.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cassandra::Cassandra;
use crate::management::{Answer, Call, Management, value};
use crate::real::{Harm, Real};
use crate::ring::NodeId;

/// Serves until stopped. A request whose Host is the address of a pod goes to that pod's management API, any other one
/// to the state of this program.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    listener: TcpListener,
    management: Management,
    stop: CancellationToken,
) -> std::io::Result<()> {
    loop {
        let (stream, _) = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted?,
        };
        let (management, stop) = (management.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = connection(stream, management) => {}
            }
        });
    }
}

/// Serves one connection until its other end closes it.
pub async fn connection<Io>(io: Io, management: Management)
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| answer(&management, request));
    let mut protocol = hyper::server::conn::http1::Builder::new();
    let served = protocol
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(io), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "connection");
    }
}

async fn answer(
    management: &Management,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let host = request
        .headers()
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let pod = pod_address(host);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let body = Limited::new(request.into_body(), 1 << 20).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let reply = match pod {
        Some(address) => {
            let call = Call {
                method: &method,
                path: uri.path(),
                query: uri.query().unwrap_or_default(),
                body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            };
            management.respond(address, &call).await
        }
        None if method == Method::GET && uri.path() == "/state" => Answer::json(&management.state().await),
        None => match &management.cassandra {
            Cassandra::Model(_) => state(management, &method, &uri, &body),
            Cassandra::Real(real) => real_state(real, &method, &uri, &body).await,
        },
    };
    Ok(reply.into_response())
}

/// The address in a Host header, when it is one that pods have.
fn pod_address(host: &str) -> Option<Ipv4Addr> {
    let address = match host.parse::<SocketAddr>() {
        Ok(SocketAddr::V4(socket)) => *socket.ip(),
        _ => host.parse().ok()?,
    };
    matches!(address.octets(), [198, 18 | 19, _, _]).then_some(address)
}

fn state(management: &Management, method: &Method, uri: &http::Uri, body: &[u8]) -> Answer {
    let mut world = management.rings.lock();
    match (method, uri.path()) {
        // The listener answers only once every plane is being played.
        (&Method::GET, "/livez" | "/readyz") => Answer::text(StatusCode::OK, "ok".into()),
        (&Method::GET, "/nodetool") => Answer::text(StatusCode::OK, world.nodetool()),
        (&Method::POST, "/network") => {
            let wish: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
            let plane = |place: usize| wish.pointer(&format!("/planes/{place}")).and_then(Value::as_str);
            let open = wish.get("open").and_then(Value::as_bool);
            let (Some(one), Some(other), Some(open)) = (plane(0), plane(1), open) else {
                return Answer::text(
                    StatusCode::BAD_REQUEST,
                    "wanted: {\"planes\": [a, b], \"open\": bool}".into(),
                );
            };
            world.set_reachable(one, other, open);
            Answer::text(StatusCode::OK, "OK".into())
        }
        _ => Answer::text(StatusCode::NOT_FOUND, "see /state, /nodetool, /network".into()),
    }
}

async fn real_state(real: &Real, method: &Method, uri: &http::Uri, body: &[u8]) -> Answer {
    match (method, uri.path()) {
        (&Method::GET, "/livez" | "/readyz") => Answer::text(StatusCode::OK, "ok".into()),
        (&Method::GET, "/nodetool") => {
            let asked = |key| value(uri.query().unwrap_or_default(), key);
            let [plane, namespace, pod, keyspace] = ["plane", "namespace", "pod", "keyspace"].map(asked);
            match real.nodetool_status(&plane, &namespace, &pod, &keyspace).await {
                Ok(text) => Answer::text(StatusCode::OK, text),
                Err(error) => Answer::text(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            }
        }
        (&Method::POST, "/node") => {
            let asked = |key| value(uri.query().unwrap_or_default(), key);
            let [plane, namespace, pod, word] = ["plane", "namespace", "pod", "do"].map(asked);
            let Some(harm) = Harm::parse(&word) else {
                return Answer::text(StatusCode::BAD_REQUEST, format!("{word:?} cannot be done to a node"));
            };
            let node = NodeId {
                plane,
                namespace,
                pod,
            };
            match real.harm(&node, harm).await {
                Ok(()) => Answer::text(StatusCode::OK, "OK".into()),
                Err(error) => Answer::text(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            }
        }
        (&Method::POST, "/network") => Answer::text(
            StatusCode::NOT_IMPLEMENTED,
            "real nodes share one loopback interface: planes cannot be cut from each other, only the model's can".into(),
        ),
        (&Method::POST, "/power") => power(real, body),
        _ => Answer::text(StatusCode::NOT_FOUND, "see /state, /nodetool, /node, /power".into()),
    }
}

fn power(real: &Real, body: &[u8]) -> Answer {
    let wish: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let (Some(plane), Some(on)) = (wish["plane"].as_str(), wish["on"].as_bool()) else {
        let wanted = "wanted: {\"plane\": name, \"on\": bool}";
        return Answer::text(StatusCode::BAD_REQUEST, wanted.into());
    };
    real.set_power(plane, on);
    Answer::text(StatusCode::OK, "OK".into())
}

impl Answer {
    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = self.status;
        let kind = if self.is_json {
            "application/json"
        } else {
            "text/plain"
        };
        response
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
        response
    }
}
