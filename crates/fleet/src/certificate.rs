//! The little that must be known of a certificate before it is used: its version and when it ends.
//!
//! rustls refuses client certificates of X.509 version 1 when it connects, with words that help nobody; here they are
//! refused when they are read.

use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::civil::DateTime;
use k8s_openapi::jiff::tz::TimeZone;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::refusal::{Refusal, RefusalReason};

/// Most certificates that one bundle of authorities may have.
const MOST_AUTHORITIES: usize = 100;

/// What we read of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// 1 to 3.
    pub version: u8,
    /// End of its validity.
    pub not_after: Timestamp,
}

fn unusable(message: String) -> Refusal {
    Refusal::new(RefusalReason::CertificateUnusable, message)
}

/// Reads a bundle of authorities out of PEM; `place` names the field.
pub(crate) fn authorities(pem: &str, place: &str) -> Result<Vec<Vec<u8>>, Refusal> {
    let mut roots = rustls::RootCertStore::empty();
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let usable = certificate
            .ok()
            .filter(|certificate| roots.add(certificate.clone()).is_ok());
        let Some(certificate) = usable else {
            return Err(unusable(format!(
                "`{place}` holds a certificate that cannot be read. Copy it anew."
            )));
        };
        found.push(certificate.to_vec());
        if found.len() > MOST_AUTHORITIES {
            return Err(unusable(format!(
                "`{place}` holds more than {MOST_AUTHORITIES} certificates. Keep the right one."
            )));
        }
    }
    if found.is_empty() {
        return Err(unusable(format!(
            "`{place}` holds no certificate. Put the PEM of the cluster's authority there."
        )));
    }
    Ok(found)
}

/// Checks that a PEM chain and its PEM key can be used to log in, and says when the leaf ends.
pub(crate) fn check_identity(chain: &str, key: &str, place: &str) -> Result<Timestamp, Refusal> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes())
        .filter_map(Result::ok)
        .collect();
    let leaf = chain.first().and_then(|leaf| read(leaf)).ok_or_else(|| {
        unusable(format!(
            "`{place}.client-certificate-data` holds no certificate that can be read. Copy it anew."
        ))
    })?;
    if leaf.version < 3 {
        return Err(unusable(format!(
            "`{place}.client-certificate-data` is a certificate of X.509 version {}, which TLS libraries refuse. Have one of version 3 issued, or use a token.",
            leaf.version
        )));
    }
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| {
        unusable(format!(
            "`{place}.client-key-data` holds no key that can be read (encrypted?). Give an unencrypted PEM key."
        ))
    })?;
    CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()).map_err(|error| {
        let what = if matches!(error, rustls::Error::InconsistentKeys(_)) {
            "do not belong together"
        } else {
            "are of a kind that cannot be used"
        };
        unusable(format!(
            "`{place}`: client-certificate-data and client-key-data {what}. Have a certificate issued for an ECDSA or RSA (2048 bits or more) key."
        ))
    })?;
    Ok(leaf.not_after)
}

/// Version and end of a DER certificate.
fn read(der: &[u8]) -> Option<Certificate> {
    const SEQUENCE: u8 = 0x30;
    const EXPLICIT_0: u8 = 0xa0;
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut body, _) = element(certificate, SEQUENCE)?;
    let mut version = 1;
    if let Some((wrapped, rest)) = element(body, EXPLICIT_0) {
        version = element(wrapped, 0x02)?.0.last()?.checked_add(1)?;
        body = rest;
    }
    // serial number, signature algorithm, issuer, then validity
    for tag in [0x02, SEQUENCE, SEQUENCE] {
        body = element(body, tag)?.1;
    }
    let (validity, _) = element(body, SEQUENCE)?;
    let (_, _, not_after) = any_element(validity)?;
    let (tag, text, _) = any_element(not_after)?;
    Some(Certificate {
        version,
        not_after: time(tag, text)?,
    })
}

/// Content of the first element, if it has that tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    any_element(der)
        .filter(|found| found.0 == tag)
        .map(|(_, content, rest)| (content, rest))
}

/// Tag and content of the first element, and what follows it.
fn any_element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest
            .split_at_checked(usize::from(first & 0x7f))
            .filter(|(bytes, _)| bytes.len() <= 4)?;
        (
            bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte)),
            rest,
        )
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `UTCTime` (two digits of the year, 1950 to 2049) or `GeneralizedTime`.
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match tag {
        0x17 => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        0x18 => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%S", &text).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
