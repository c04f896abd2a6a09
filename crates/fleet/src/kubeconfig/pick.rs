//! One context of a kubeconfig with its cluster and user, value by value.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use k8s_openapi::jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::fields::{Document, Fields, shown};
use super::{ClientIdentity, certificate};
use crate::refusal::{Refusal, RefusalReason};

/// Longest token that is sent, in bytes; API servers refuse longer headers.
const LONGEST_TOKEN: usize = 64 * 1024;

/// The cluster and the user that a context names.
pub(super) struct Picked<'a> {
    cluster: (&'a str, &'a Fields),
    user: (&'a str, &'a Fields),
}

/// Finds the context and what it names.
pub(super) fn pick<'a>(document: &'a Document, context: &str) -> Result<Picked<'a>, Refusal> {
    let Some(fields) = document.contexts.get(context) else {
        return Err(Refusal::new(
            RefusalReason::ContextMissing,
            missing_context(document, context),
        ));
    };
    let named = |field: &'static str| fields.get(field).map(String::as_str).unwrap_or_default();
    let place = shown(context);
    let cluster = document.clusters.get_key_value(named("cluster")).ok_or_else(|| {
        Refusal::new(
            RefusalReason::ClusterMissing,
            format!(
                "contexts[{place}].context.cluster names {}, which `clusters` lacks. Add it.",
                shown(named("cluster"))
            ),
        )
    })?;
    let user = document.users.get_key_value(named("user")).ok_or_else(|| {
        Refusal::new(
            RefusalReason::UserMissing,
            format!(
                "contexts[{place}].context.user names {}, which `users` lacks. Add it.",
                shown(named("user"))
            ),
        )
    })?;
    Ok(Picked {
        cluster: (cluster.0, cluster.1),
        user: (user.0, user.1),
    })
}

fn missing_context(document: &Document, context: &str) -> String {
    let names: Vec<_> = document.contexts.keys().take(3).map(|name| shown(name)).collect();
    let there = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    format!(
        "The kubeconfig has no context named {}; it has {there}. Set spec.contextName to one of them, or rename it.",
        shown(context)
    )
}

impl Picked<'_> {
    pub fn user_name(&self) -> String {
        shown(self.user.0)
    }

    /// An empty value is none, as for every other client of Kubernetes.
    fn cluster(&self, field: &'static str) -> Option<&str> {
        self.cluster
            .1
            .get(field)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    fn user(&self, field: &'static str) -> Option<&str> {
        self.user
            .1
            .get(field)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    pub fn server(&self) -> Result<Uri, Refusal> {
        let place = format!("clusters[{}].cluster.server", shown(self.cluster.0));
        let invalid = |what: &str| {
            let message =
                format!("`{place}` {what}. Give https://host:port, with a path if there must be one.");
            Err(Refusal::new(RefusalReason::ServerInvalid, message))
        };
        let Some(text) = self.cluster("server") else {
            return invalid("is missing");
        };
        let Ok(uri) = text.parse::<Uri>() else {
            return invalid("is no URL");
        };
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") => {
                let message =
                    format!("`{place}` is plain http, which would show the credentials. Use https.");
                return Err(Refusal::new(RefusalReason::PlainHttpRefused, message));
            }
            _ => return invalid("is no https URL"),
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return invalid("holds a user");
        }
        if uri.query().is_some() || text.contains('#') {
            return invalid("has a query or a fragment");
        }
        let port = uri
            .authority()
            .and_then(|authority| authority.as_str().strip_prefix(authority.host()));
        if port.is_some_and(|port| !port.is_empty()) && uri.port_u16().is_none_or(|port| port == 0) {
            return invalid("has no usable port");
        }
        Ok(uri)
    }

    pub fn tls_server_name(&self) -> Result<Option<String>, Refusal> {
        let Some(name) = self.cluster("tls-server-name") else {
            return Ok(None);
        };
        if rustls::pki_types::ServerName::try_from(name).is_err() {
            let message = format!(
                "`clusters[{}].cluster.tls-server-name` is no host name. Give the name in the server's certificate.",
                shown(self.cluster.0)
            );
            return Err(Refusal::new(RefusalReason::ServerInvalid, message));
        }
        Ok(Some(name.to_owned()))
    }

    pub fn authorities(&self) -> Result<Option<Vec<Vec<u8>>>, Refusal> {
        let Some(data) = self.cluster("certificate-authority-data") else {
            return Ok(None);
        };
        let place = format!(
            "clusters[{}].cluster.certificate-authority-data",
            shown(self.cluster.0)
        );
        certificate::authorities(&decoded(&place, data)?, &place).map(Some)
    }

    pub fn token(&self) -> Result<Option<SecretString>, Refusal> {
        let Some(token) = self.user("token") else {
            return Ok(None);
        };
        if token.len() > LONGEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!(
                "`users[{}].user.token` holds what cannot stand in a header (a line break?), or is longer than {LONGEST_TOKEN} bytes. Write the bare token.",
                shown(self.user.0)
            );
            return Err(Refusal::new(RefusalReason::TokenUnusable, message));
        }
        Ok(Some(SecretString::from(token)))
    }

    /// The client certificate with its key, and when it ends.
    pub fn identity(&self) -> Result<Option<(ClientIdentity, Timestamp)>, Refusal> {
        let place = format!("users[{}].user", shown(self.user.0));
        let (certificates, key) = match (self.user("client-certificate-data"), self.user("client-key-data")) {
            (None, None) => return Ok(None),
            (Some(certificates), Some(key)) => (certificates, key),
            _ => {
                let message = format!(
                    "`{place}` has only one of client-certificate-data and client-key-data. Give both or none."
                );
                return Err(Refusal::new(RefusalReason::CertificateUnusable, message));
            }
        };
        let certificates = decoded(&format!("{place}.client-certificate-data"), certificates)?;
        let key = SecretString::from(decoded(&format!("{place}.client-key-data"), key)?);
        let ends = certificate::check_identity(&certificates, key.expose_secret(), &place)?;
        Ok(Some((ClientIdentity { certificates, key }, ends)))
    }
}

/// Base64 of a PEM text.
fn decoded(place: &str, data: &str) -> Result<String, Refusal> {
    let compact: String = data
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .collect();
    STANDARD
        .decode(compact)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            let message =
                format!("`{place}` is not base64 of a PEM text. Encode the PEM file with `base64 -w0`.");
            Refusal::new(RefusalReason::CertificateUnusable, message)
        })
}
