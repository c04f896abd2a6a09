//! TLS: both sides show a certificate of one private CA.

use std::sync::Arc;

use management_api::{Client, ClientTls, Dial, Error, ManagementApi, Options, OptionsError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::pod::{Act, node, ok, perform, read_request};

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca() -> Ca {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for a name that no pod is called by, and its key.
fn leaf(ca: &Ca) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["some-service.example".to_owned()]).unwrap();
    (params.signed_by(&key, ca).unwrap(), key)
}

fn client_tls(trusted: &Ca, own: &Ca) -> ClientTls {
    let (certificate, key) = leaf(own);
    ClientTls::new(
        trusted.pem().into(),
        certificate.pem().into(),
        key.serialize_pem().into(),
    )
}

/// A pod that demands client certificates of `ca`, serves connections for ever, and gives a client for it.
async fn pod_of(ca: &Ca, tls: Option<ClientTls>) -> Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .unwrap();
    let (certificate, key) = leaf(ca);
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dial = Dial::Via(listener.local_addr().unwrap());
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let Ok(mut session) = acceptor.accept(socket).await else {
                continue;
            };
            if read_request(&mut session).await.is_some() {
                perform(&mut session, Act::Say(ok(r#"["over tls"]"#))).await;
            }
        }
    });
    Client::new(Options {
        tls,
        dial,
        ..Options::default()
    })
    .unwrap()
}

#[tokio::test]
async fn a_server_of_our_ca_is_accepted_under_any_name() {
    let ca = ca();
    let client = pod_of(&ca, Some(client_tls(&ca, &ca))).await;
    assert_eq!(client.keyspaces(node()).await.unwrap(), ["over tls"]);
    assert_eq!(client.keyspaces(node()).await.unwrap(), ["over tls"]);
}

#[tokio::test]
async fn a_server_of_another_ca_is_refused() {
    let (ours, theirs) = (ca(), ca());
    let client = pod_of(&theirs, Some(client_tls(&ours, &theirs))).await;
    let error = client.keyspaces(node()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_server_that_refuses_our_certificate_is_unreachable() {
    let (ours, theirs) = (ca(), ca());
    let client = pod_of(&theirs, Some(client_tls(&theirs, &ours))).await;
    assert_eq!(client.keyspaces(node()).await.unwrap_err().class(), "Unreachable");
}

#[tokio::test]
async fn plain_http_to_a_tls_port_fails_and_does_not_hang() {
    let client = pod_of(&ca(), None).await;
    let error = client.keyspaces(node()).await.unwrap_err();
    assert!(matches!(error.class(), "Unreachable" | "Malformed"), "{error}");
}

#[test]
fn unusable_key_material_is_told_apart_and_never_quoted() {
    let ca = ca();
    let good = client_tls(&ca, &ca);
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let broken = b"-----BEGIN PRIVATE KEY-----\nsecret-canary\n-----END PRIVATE KEY-----\n".to_vec();
    let cases = [
        (
            ClientTls {
                ca_pem: Vec::new(),
                ..good.clone()
            },
            OptionsError::BadCa,
        ),
        (
            ClientTls {
                ca_pem: b"secret-canary".to_vec(),
                ..good.clone()
            },
            OptionsError::BadCa,
        ),
        (
            ClientTls {
                cert_pem: Vec::new(),
                ..good.clone()
            },
            OptionsError::BadCertificate,
        ),
        (
            ClientTls {
                key_pem: Vec::new().into(),
                ..good.clone()
            },
            OptionsError::BadKey,
        ),
        (
            ClientTls {
                key_pem: broken.into(),
                ..good.clone()
            },
            OptionsError::BadKey,
        ),
        (
            ClientTls {
                key_pem: other_key.into_bytes().into(),
                ..good
            },
            OptionsError::KeyMismatch,
        ),
    ];
    for (tls, expected) in cases {
        let error = Client::new(Options {
            tls: Some(tls),
            ..Options::default()
        })
        .unwrap_err();
        assert_eq!(error, expected);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}

#[test]
fn a_client_shows_nothing_of_its_key() {
    let ca = ca();
    let tls = client_tls(&ca, &ca);
    let client = Client::new(Options {
        tls: Some(tls),
        ..Options::default()
    })
    .unwrap();
    assert_eq!(format!("{client:?}"), "Client { tls: true, dial: Pod, .. }");
}
