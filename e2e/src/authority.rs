//! The certificate authority of one API server: who it is, and who its clients are.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};

/// A certificate and its key, both PEM. Its `Debug` does not show the key.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Signs the API server's own certificate and those of its clients; lives as long as the API server.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// Whom each certificate of a client names: an API server in this process need not read it out of them.
    clients: Mutex<BTreeMap<Vec<u8>, Named>>,
}

/// Whom a certificate names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Named {
    pub(crate) user: String,
    pub(crate) groups: Vec<String>,
}

impl Authority {
    /// A new authority that nobody else trusts.
    pub(crate) fn new(plane: &str) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params
            .distinguished_name
            .push(DnType::CommonName, format!("ringspan-e2e {plane}"));
        Ok(Self {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)?,
            clients: Mutex::default(),
        })
    }

    pub(crate) fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// For a server at 127.0.0.1, also under the names that pods would use.
    pub(crate) fn server(&self) -> Result<Identity, rcgen::Error> {
        let names = [
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
        ];
        let mut params = CertificateParams::new(names.map(str::to_owned))?;
        params
            .subject_alt_names
            .push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver");
        Ok(self.sign(params)?.0)
    }

    /// For a client whom the API server knows as `user` in `groups`.
    pub(crate) fn client(&self, user: &str, groups: &[&str]) -> Result<Identity, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.distinguished_name.push(DnType::CommonName, user);
        for group in groups {
            params.distinguished_name.push(DnType::OrganizationName, *group);
        }
        let (identity, certificate) = self.sign(params)?;
        let named = Named {
            user: user.to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        self.clients().insert(certificate, named);
        Ok(identity)
    }

    /// Whom a certificate (DER) of this authority names.
    pub(crate) fn named_by(&self, certificate: &[u8]) -> Option<Named> {
        self.clients().get(certificate).cloned()
    }

    fn clients(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Named>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sign(&self, mut params: CertificateParams) -> Result<(Identity, Vec<u8>), rcgen::Error> {
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let identity = Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        };
        Ok((identity, certificate.der().to_vec()))
    }
}
