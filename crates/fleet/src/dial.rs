//! Connections to one plane: HTTP/2 where the server has it, HTTP/1 where not, and never through a proxy.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ConfigExt};
use rustls::pki_types::ServerName;
use secrecy::SecretString;
use tower::timeout::TimeoutLayer;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, ServiceBuilder};

use crate::guard::Wire;
use crate::kubeconfig::Access;
use crate::limits::Deadlines;
use crate::negotiate::{Connector, Negotiated};
use crate::refusal::{Refusal, RefusalReason};

/// Room of one stream: what a watch that nobody reads can hold back.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Room of one connection: larger than that of all its watches together, so that none can stop the others.
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// Makes a connection pool of its own for each call. Replaced in tests that need no sockets.
pub type Dial = Arc<dyn Fn(&Access, &Deadlines) -> Result<Wire, Refusal> + Send + Sync>;

/// The real one.
#[must_use]
pub fn sockets() -> Dial {
    Arc::new(connect)
}

fn connect(access: &Access, deadlines: &Deadlines) -> Result<Wire, Refusal> {
    let config = config(access);
    let unusable = |what: &str| {
        Refusal::new(
            RefusalReason::CertificateUnusable,
            format!("No TLS client can be made for {}: {what}.", access.host()),
        )
    };
    let tls = config.rustls_client_config().map_err(|_| {
        unusable("without certificate-authority-data this system's authorities are used, and it has none; or the client certificate is unusable")
    })?;
    let name = access
        .tls_server_name
        .clone()
        .map(ServerName::try_from)
        .transpose();
    let name = name.map_err(|_| unusable("tls-server-name is no host name"))?;
    let connector = |offer: Offer| -> Connector {
        let mut builder = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_only();
        if let Some(name) = &name {
            builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name.clone()));
        }
        let connector = match offer {
            Offer::Either => builder
                .enable_http1()
                .enable_http2()
                .wrap_connector(tcp(deadlines)),
            Offer::Http1 => builder.enable_http1().wrap_connector(tcp(deadlines)),
            Offer::Http2 => builder.enable_http2().wrap_connector(tcp(deadlines)),
        };
        // The connector's own deadline covers TCP only; this one covers the handshake too.
        BoxCloneSyncService::new(TimeoutLayer::new(deadlines.connect).layer(connector))
    };
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(8);
    let http_1 = builder.build::<_, Body>(connector(Offer::Http1));
    let http_2 = builder
        .http2_only(true)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(deadlines.keep_alive)
        .http2_keep_alive_timeout(deadlines.keep_alive_answer)
        .http2_keep_alive_while_idle(true)
        .build::<_, Body>(connector(Offer::Http2));
    let client = Negotiated::new(access.server.clone(), connector(Offer::Either), http_1, http_2);
    let login = config.auth_layer().map_err(|_| {
        Refusal::new(
            RefusalReason::TokenUnusable,
            "The token cannot stand in a header. Write the bare token.",
        )
    })?;
    let stack = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(login)
        .service(client);
    Ok(BoxCloneSyncService::new(stack))
}

/// Which protocols a connection offers.
enum Offer {
    Either,
    Http1,
    Http2,
}

/// TCP that notices a dead peer by itself: HTTP/1 has no pings.
fn tcp(deadlines: &Deadlines) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(deadlines.connect));
    connector.set_keepalive(Some(deadlines.keep_alive));
    connector.set_keepalive_interval(Some(Duration::from_secs(1).min(deadlines.keep_alive_answer)));
    connector.set_keepalive_retries(Some(2));
    connector
}

/// kube's own configuration, with nothing in it but what was taken over: no proxy, no files, no retries.
fn config(access: &Access) -> kube::Config {
    let mut config = kube::Config::new(access.server.clone());
    config.default_retry = false;
    config.root_cert.clone_from(&access.authorities);
    config.tls_server_name.clone_from(&access.tls_server_name);
    config.auth_info.token.clone_from(&access.token);
    if let Some(identity) = &access.identity {
        let key = STANDARD.encode(secrecy::ExposeSecret::expose_secret(&identity.key));
        config.auth_info.client_certificate_data = Some(STANDARD.encode(&identity.certificates));
        config.auth_info.client_key_data = Some(SecretString::from(key));
    }
    config
}

/// A client that somebody else made, as a wire: the plane that we run in ourselves.
#[must_use]
pub fn through(client: kube::Client) -> Wire {
    BoxCloneSyncService::new(tower::service_fn(move |request| {
        let client = client.clone();
        async move {
            let response = client.send(request).await?;
            Ok::<_, BoxError>(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
        }
    }))
}
