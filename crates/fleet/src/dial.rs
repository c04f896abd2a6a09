//! Connections to one plane.

use std::sync::Arc;

use http_body_util::BodyExt;
use runtime::tls::{self, Authorities};
use runtime::{Bearer, Endpoint, Wire};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use tower::BoxError;
use tower::util::BoxCloneSyncService;

use crate::kubeconfig::Access;
use crate::limits::Deadlines;
use crate::refusal::{Refusal, RefusalReason};

/// Makes a connection pool of its own for each call. Replaced in tests that need no sockets.
pub type Dial = Arc<dyn Fn(&Access, &Deadlines) -> Result<Wire, Refusal> + Send + Sync>;

/// The real one.
#[must_use]
pub fn sockets() -> Dial {
    Arc::new(connect)
}

fn connect(access: &Access, deadlines: &Deadlines) -> Result<Wire, Refusal> {
    let unusable = |what: &str| {
        Refusal::new(
            RefusalReason::CertificateUnusable,
            format!("No TLS client can be made for {}: {what}.", access.host()),
        )
    };
    let authorities = access
        .authorities
        .clone()
        .map_or(Authorities::System, Authorities::Given);
    let identity = access.identity.as_ref();
    let identity = identity.map(|identity| (identity.certificates.as_str(), identity.key.expose_secret()));
    let tls = tls::client(&authorities, identity).map_err(|_| {
        unusable("without certificate-authority-data this system's authorities are used, and it has none; or the client certificate is unusable")
    })?;
    let name = access
        .tls_server_name
        .clone()
        .map(ServerName::try_from)
        .transpose();
    Ok(runtime::connect(Endpoint {
        server: access.server.clone(),
        tls,
        server_name: name.map_err(|_| unusable("tls-server-name is no host name"))?,
        plain: false,
        bearer: bearer(access)?.map(Arc::new),
        patience: deadlines.connection,
    }))
}

fn bearer(access: &Access) -> Result<Option<Bearer>, Refusal> {
    let Some(token) = &access.token else {
        return Ok(None);
    };
    let bearer = Bearer::fixed(token.expose_secret()).ok_or_else(|| {
        Refusal::new(
            RefusalReason::TokenUnusable,
            "The token cannot stand in a header. Write the bare token.",
        )
    })?;
    Ok(Some(bearer))
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
