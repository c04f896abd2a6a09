//! How a client dials, and what it puts up with.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretSlice;
use tokio::io::DuplexStream;

/// Settings of a [`crate::Client`].
#[derive(Debug)]
pub struct Options {
    /// HTTPS with a client certificate; without it plain HTTP (cass-operator's `managementApiAuth.insecure`).
    pub tls: Option<ClientTls>,
    /// Limit of one reading call, connecting and the whole body included.
    pub read_timeout: Duration,
    /// Limit of one schema change, connecting and the whole body included.
    pub write_timeout: Duration,
    /// The longest body that is read of an answer, in bytes.
    pub body_limit: usize,
    /// Where the connections go.
    pub dial: Dial,
}

/// Plain HTTP to the pods themselves, 20 s for reads and 60 s for schema changes (upstream's limits), 4 MiB: the
/// endpoint states of a thousand nodes with 256 tokens each are far below it.
impl Default for Options {
    fn default() -> Self {
        Self {
            tls: None,
            read_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_mins(1),
            body_limit: 4 * 1024 * 1024,
            dial: Dial::Pod,
        }
    }
}

/// Where connections go.
#[derive(Clone)]
pub enum Dial {
    /// To the node's own address. Addresses that no pod can have (loopback, link-local, multicast, unspecified)
    /// are refused.
    Pod,
    /// For tests: all to this loopback address, which tells the pods apart by the header `Host: <pod address>:<port>`.
    Via(SocketAddr),
    /// For tests without sockets: the other end of a connection to a node's address, or why there is none.
    Through(Arc<Through>),
}

/// Opens a connection to an address.
pub type Through = dyn Fn(SocketAddr) -> std::io::Result<DuplexStream> + Send + Sync;

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dial::Pod => f.write_str("Pod"),
            Dial::Via(address) => write!(f, "Via({address})"),
            Dial::Through(_) => f.write_str("Through"),
        }
    }
}

/// Key material for a management API with `managementApiAuth.manual`, each in PEM.
///
/// The server's certificate chain must lead to `ca_pem`; its names are not looked at (as upstream: pods are dialled
/// by address, and their certificate names a service or nothing). `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ClientTls {
    /// `ca.crt`: one or more certificates that server chains must lead to.
    pub ca_pem: Vec<u8>,
    /// `tls.crt`: our certificate, followed by its intermediates.
    pub cert_pem: Vec<u8>,
    /// `tls.key`: our private key (PKCS#8, PKCS#1 or SEC1). Wiped when dropped.
    pub key_pem: SecretSlice<u8>,
}

impl ClientTls {
    /// From the three values of the client Secret: `ca.crt`, `tls.crt` and `tls.key`.
    #[must_use]
    pub fn new(ca_pem: Vec<u8>, cert_pem: Vec<u8>, key_pem: Vec<u8>) -> Self {
        Self {
            ca_pem,
            cert_pem,
            key_pem: key_pem.into(),
        }
    }
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientTls([redacted])")
    }
}

/// Why no client can be made of some [`Options`]. Never quotes key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// `ca.crt` has no certificate, or one that cannot be a trust anchor.
    #[error("ca.crt of the management API's client Secret holds no usable certificate in PEM")]
    BadCa,
    /// `tls.crt` has no certificate.
    #[error("tls.crt of the management API's client Secret holds no usable certificate in PEM")]
    BadCertificate,
    /// `tls.key` has no private key.
    #[error("tls.key of the management API's client Secret holds no usable private key in PEM")]
    BadKey,
    /// The key is of a kind that we cannot sign with, or not the certificate's.
    #[error(
        "tls.crt and tls.key of the management API's client Secret do not belong together, or are of an unsupported kind"
    )]
    KeyMismatch,
    /// [`Dial::Via`] with an address that is not loopback.
    #[error("management API calls may only be diverted to a loopback address, not to {0}")]
    ViaNotLoopback(SocketAddr),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_key_material() {
        let tls = ClientTls::new(
            b"ca-canary".to_vec(),
            b"cert-canary".to_vec(),
            b"key-canary".to_vec(),
        );
        let shown = format!(
            "{:?} {:#?}",
            tls.key_pem,
            Options {
                tls: Some(tls.clone()),
                ..Options::default()
            }
        );
        assert!(shown.contains("redacted"));
        assert!(!shown.contains("canary"), "{shown}");
        let bytes = format!("{:?}", b"key-canary");
        assert!(!shown.contains(&bytes.as_str()[1..6]), "{shown}");
    }
}
