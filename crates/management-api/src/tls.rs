//! TLS as cass-operator's pods expect it: both sides show a certificate of one private CA, names do not matter.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use secrecy::ExposeSecret;

use crate::options::{ClientTls, OptionsError};

/// The TLS settings for one client. No session is resumed: each connection proves itself anew, as an address may
/// belong to another pod tomorrow.
pub(crate) fn client_config(tls: &ClientTls) -> Result<ClientConfig, OptionsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = certificates(&tls.cert_pem).ok_or(OptionsError::BadCertificate)?;
    // What the PEM reader says of a broken key may quote it, so it is not passed on.
    let key = PrivateKeyDer::from_pem_slice(tls.key_pem.expose_secret()).map_err(|_| OptionsError::BadKey)?;
    let verifier = ChainVerifier::new(&tls.ca_pem, &provider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| OptionsError::KeyMismatch)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(chain, key)
        .map_err(|_| OptionsError::KeyMismatch)?;
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// All certificates of a PEM text; none where there is none or one of them is broken.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .ok()?;
    (!found.is_empty()).then_some(found)
}

/// Accepts a server whose chain leads to our CA and who holds the key, whatever names the certificate has.
#[derive(Debug)]
struct ChainVerifier {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ChainVerifier {
    fn new(ca_pem: &[u8], provider: &CryptoProvider) -> Result<Self, OptionsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(ca_pem).ok_or(OptionsError::BadCa)? {
            roots.add(certificate).map_err(|_| OptionsError::BadCa)?;
        }
        Ok(Self {
            roots,
            algorithms: provider.signature_verification_algorithms,
        })
    }
}

impl ServerCertVerifier for ChainVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
