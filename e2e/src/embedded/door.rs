//! One connection to a server in memory: who is there, what is asked, what is answered.

use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use fake_apiserver::{Answer, Server, ServerBody, User};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::record::Record;
use crate::authority::{Authority, Identity, Named};

/// What kube-apiserver allows on one connection.
const MOST_STREAMS: u32 = 1000;

/// Where clients of one server come in.
pub(super) struct Door {
    server: Server,
    authority: Arc<Authority>,
    tls: TlsAcceptor,
    record: Record,
}

impl Door {
    pub(super) fn new(
        server: Server,
        authority: Arc<Authority>,
        identity: &Identity,
        record: Record,
    ) -> anyhow::Result<Self> {
        let tls = acceptor(&authority.certificate(), identity)?;
        Ok(Self {
            server,
            authority,
            tls,
            record,
        })
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// Serves one connection until the client ends it.
    pub(super) async fn serve(self: Arc<Self>, client: TcpStream) {
        let _ = client.set_nodelay(true);
        // A client that fails the handshake or breaks off is its own concern.
        let Ok(stream) = self.tls.accept(client).await else {
            return;
        };
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let named = certificates
            .first()
            .and_then(|certificate| self.authority.named_by(certificate));
        let service = service_fn(move |request| {
            let (door, named) = (Arc::clone(&self), named.clone());
            async move { door.answer(named, request).await }
        });
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http2().max_concurrent_streams(MOST_STREAMS);
        let _ = http.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(
        &self,
        named: Option<Named>,
        request: Request<Incoming>,
    ) -> Result<Response<ServerBody>, hyper::Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let request = Request::from_parts(parts, body);
        Ok(self.answer_whole(named, &request).into())
    }

    fn answer_whole(&self, named: Option<Named>, request: &Request<Bytes>) -> Answer {
        let user = self.user(named, request.headers());
        let answer = match &user {
            Some(user) => self.server.answer(user, request),
            None => Answer::unauthorized(),
        };
        self.record.add(user.as_ref(), request, &answer);
        answer
    }

    /// As kube-apiserver finds it: a certificate before a token, and nobody in particular without either. `None`: credentials
    /// that are none.
    fn user(&self, named: Option<Named>, headers: &HeaderMap) -> Option<User> {
        if let Some(Named { user, mut groups }) = named {
            groups.push("system:authenticated".to_owned());
            return Some(User { name: user, groups });
        }
        let Some(shown) = headers.get(AUTHORIZATION) else {
            return Some(User::anonymous());
        };
        let token = shown.to_str().ok()?.strip_prefix("Bearer ")?;
        self.server.user_of_token(token.trim())
    }
}

/// A certificate of the authority is asked for and not demanded.
fn acceptor(authority: &str, identity: &Identity) -> anyhow::Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let clients = clients.allow_unauthenticated().build()?;
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate], key)
        .context("the server's certificate")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
