//! From the bytes of a kubeconfig to what we are willing to use of it.
//!
//! kube's own kubeconfig type is never used on what comes out of a Secret: it runs `exec`, opens files and follows
//! proxies. Here a field is either on the allow-list or the whole file is refused, by the name of that field.

mod fields;
mod pick;

use std::fmt;

use http::Uri;
use k8s_openapi::jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::certificate;
use crate::refusal::{Refusal, RefusalReason};
use fields::Document;

/// Largest kubeconfig that is read, in bytes.
pub const LARGEST: usize = 256 * 1024;

/// How a plane is reached and with which credentials: all that we take over from a kubeconfig.
#[derive(Clone)]
pub struct Access {
    /// `https`, without user, query and fragment; a path is allowed.
    pub server: Uri,
    /// Name to expect in the server's certificate, if it is not the host of `server`.
    pub tls_server_name: Option<String>,
    /// Certificates (DER) that may have signed the server's; `None` = those of the system.
    pub authorities: Option<Vec<Vec<u8>>>,
    /// Bearer token.
    pub token: Option<SecretString>,
    /// Client certificate with its key.
    pub identity: Option<ClientIdentity>,
    /// When the first of the credentials ends, if they say so.
    pub expires: Option<Timestamp>,
}

/// A client certificate (chain) with its key, both PEM.
#[derive(Clone)]
pub struct ClientIdentity {
    /// The chain, leaf first.
    pub certificates: String,
    /// The key of the leaf.
    pub key: SecretString,
}

impl Access {
    /// Reads the context named `context` out of a kubeconfig.
    ///
    /// # Errors
    /// Everything that is not on the allow-list, anywhere in the file. The parser's own errors are not repeated: they
    /// quote the text, and that may be a token.
    pub fn parse(bytes: &[u8], context: &str) -> Result<Self, Refusal> {
        let document = Document::read(bytes)?;
        let picked = pick::pick(&document, context)?;
        let (identity, identity_ends) = picked.identity()?.unzip();
        let token = picked.token()?;
        if token.is_none() && identity.is_none() {
            return Err(Refusal::new(
                RefusalReason::CredentialsMissing,
                format!(
                    "users[{}] has neither token nor client-certificate-data with client-key-data. Give one of them.",
                    picked.user_name()
                ),
            ));
        }
        let token_ends = token
            .as_ref()
            .and_then(|token| token_expiry(token.expose_secret()));
        Ok(Self {
            server: picked.server()?,
            tls_server_name: picked.tls_server_name()?,
            authorities: picked.authorities()?,
            expires: [token_ends, identity_ends].into_iter().flatten().min(),
            token,
            identity,
        })
    }

    /// Host and port, which is all of the URL that we ever show.
    #[must_use]
    pub fn host(&self) -> String {
        self.server
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default()
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("host", &self.host())
            .field("authorities", &self.authorities.as_ref().map(Vec::len))
            .field("token", &self.token.is_some())
            .field("identity", &self.identity.is_some())
            .finish_non_exhaustive()
    }
}

/// `exp` of a JSON web token. A token that is no JWT has none, and the server decides.
fn token_expiry(token: &str) -> Option<Timestamp> {
    use base64::Engine;
    let payload = token.split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload.trim_end_matches('='))
        .ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}
