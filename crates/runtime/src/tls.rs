//! Whom an API server's certificate may come from, and the certificate that we show.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::renewed::Renewed;

/// Who may have signed the server's certificate.
#[derive(Clone, Debug)]
pub enum Authorities {
    /// Those of the system.
    System,
    /// These (DER).
    Given(Vec<Vec<u8>>),
    /// Those of a PEM file, which may change.
    File(PathBuf),
}

/// A TLS client; `identity` is a chain and its key, both PEM.
///
/// # Errors
/// Unreadable authorities, certificates or keys, or a system without authorities. No error quotes a key.
pub fn client(authorities: &Authorities, identity: Option<(&str, &str)>) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder();
    let builder = match authorities {
        Authorities::System => builder.with_platform_verifier()?,
        Authorities::Given(certificates) => builder.with_root_certificates(roots(
            certificates
                .iter()
                .map(|der| Ok(CertificateDer::from(der.clone()))),
        )?),
        Authorities::File(path) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(FromFile::new(path.clone())?)),
    };
    let Some((chain, key)) = identity else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Error::General("the client certificate cannot be read".to_owned()))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| Error::General("the client key cannot be read".to_owned()))?;
    builder.with_client_auth_cert(chain, key)
}

fn roots(
    certificates: impl Iterator<Item = Result<CertificateDer<'static>, Error>>,
) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate?)?;
    }
    Ok(roots)
}

/// Verifies by the authorities in a file.
#[derive(Debug)]
struct FromFile(Renewed<Arc<WebPkiServerVerifier>>);

impl FromFile {
    fn new(path: PathBuf) -> Result<Self, Error> {
        let first = read(&path)?;
        Ok(Self(Renewed::new(path, first, |path| read(path).ok())))
    }
}

fn read(path: &Path) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(|error| Error::General(format!("{}: {error}", path.display())))?
        .map(|certificate| {
            certificate.map_err(|error| Error::General(format!("{}: {error}", path.display())))
        });
    WebPkiServerVerifier::builder(Arc::new(roots(certificates)?))
        .build()
        .map_err(|error| Error::Other(OtherError(Arc::new(error))))
}

/// All of it is the library's; only which authorities it is asked with changes.
impl ServerCertVerifier for FromFile {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0
            .current()
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.current().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.current().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.current().supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    use super::*;
    use crate::renewed::READ_AGAIN;

    /// The PEM of an authority, and a certificate for `kubernetes` that it signed.
    fn authority() -> (String, CertificateDer<'static>) {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let params = CertificateParams::new(["kubernetes".to_owned()]).unwrap();
        let certificate = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        (issuer.pem(), certificate.der().clone())
    }

    fn accepts(verifier: &FromFile, certificate: &CertificateDer<'_>, name: &str) -> bool {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier
            .verify_server_cert(certificate, &[], &name, &[], UnixTime::now())
            .is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn authorities_that_are_renewed_in_their_file_hold_within_a_minute() {
        let (file, (old, of_old), (new, of_new)) =
            (tempfile::NamedTempFile::new().unwrap(), authority(), authority());
        std::fs::write(file.path(), old).unwrap();
        let verifier = FromFile::new(file.path().to_owned()).unwrap();
        assert!(accepts(&verifier, &of_old, "kubernetes") && !accepts(&verifier, &of_new, "kubernetes"));
        assert!(!accepts(&verifier, &of_old, "elsewhere"));

        std::fs::write(file.path(), new).unwrap();
        tokio::time::advance(READ_AGAIN).await;
        assert!(!accepts(&verifier, &of_old, "kubernetes") && accepts(&verifier, &of_new, "kubernetes"));

        std::fs::write(file.path(), "half a certif").unwrap();
        tokio::time::advance(READ_AGAIN).await;
        assert!(accepts(&verifier, &of_new, "kubernetes"), "the last ones hold");
    }

    #[test]
    fn a_file_without_authorities_is_refused_with_its_path() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let missing = Authorities::File(file.path().with_extension("gone"));
        for authorities in [Authorities::File(file.path().to_owned()), missing] {
            assert!(client(&authorities, None).is_err(), "{authorities:?}");
        }
    }
}
