//! Why a `ClientConfig` gives no plane: a closed list, so that people, alerts and tests can rely on the words.

use std::fmt;

/// Reasons in the order in which they are found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalReason {
    /// `spec.kubeConfigSecret.name` is not given.
    SecretNotNamed,
    /// The Secret is not there.
    SecretMissing,
    /// The Secret has no key `kubeconfig`, or that is empty.
    KubeconfigKeyMissing,
    /// More than 256 KiB.
    KubeconfigTooLarge,
    /// Not UTF-8, not YAML, not of the shape of a kubeconfig, or a value that is no text.
    KubeconfigUnreadable,
    /// A field that is not on the allow-list.
    FieldUnknown,
    /// `exec`.
    ExecRefused,
    /// `auth-provider`.
    AuthProviderRefused,
    /// `tokenFile`, `certificate-authority`, `client-certificate`, `client-key`.
    FilePathRefused,
    /// `insecure-skip-tls-verify`.
    InsecureSkipVerifyRefused,
    /// `proxy-url`.
    ProxyRefused,
    /// `as`, `as-uid`, `as-groups`, `as-user-extra`.
    ImpersonationRefused,
    /// `username`, `password`.
    PasswordRefused,
    /// Two contexts, clusters or users of one name.
    NameAmbiguous,
    /// No context of the wanted name.
    ContextMissing,
    /// The context names a cluster that is not in the file.
    ClusterMissing,
    /// The context names a user that is not in the file.
    UserMissing,
    /// `server` is missing or no usable URL.
    ServerInvalid,
    /// `server` is not `https`.
    PlainHttpRefused,
    /// Neither a token nor a client certificate with its key.
    CredentialsMissing,
    /// The token cannot stand in a header.
    TokenUnusable,
    /// A certificate or key that cannot be read or used, e.g. X.509 version 1.
    CertificateUnusable,
    /// Another, older `ClientConfig` has the same context name.
    DuplicateContext,
}

impl RefusalReason {
    /// Every reason.
    pub const ALL: [RefusalReason; 23] = [
        Self::SecretNotNamed,
        Self::SecretMissing,
        Self::KubeconfigKeyMissing,
        Self::KubeconfigTooLarge,
        Self::KubeconfigUnreadable,
        Self::FieldUnknown,
        Self::ExecRefused,
        Self::AuthProviderRefused,
        Self::FilePathRefused,
        Self::InsecureSkipVerifyRefused,
        Self::ProxyRefused,
        Self::ImpersonationRefused,
        Self::PasswordRefused,
        Self::NameAmbiguous,
        Self::ContextMissing,
        Self::ClusterMissing,
        Self::UserMissing,
        Self::ServerInvalid,
        Self::PlainHttpRefused,
        Self::CredentialsMissing,
        Self::TokenUnusable,
        Self::CertificateUnusable,
        Self::DuplicateContext,
    ];

    /// The CamelCase word that stands in conditions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SecretNotNamed => "SecretNotNamed",
            Self::SecretMissing => "SecretMissing",
            Self::KubeconfigKeyMissing => "KubeconfigKeyMissing",
            Self::KubeconfigTooLarge => "KubeconfigTooLarge",
            Self::KubeconfigUnreadable => "KubeconfigUnreadable",
            Self::FieldUnknown => "FieldUnknown",
            Self::ExecRefused => "ExecRefused",
            Self::AuthProviderRefused => "AuthProviderRefused",
            Self::FilePathRefused => "FilePathRefused",
            Self::InsecureSkipVerifyRefused => "InsecureSkipVerifyRefused",
            Self::ProxyRefused => "ProxyRefused",
            Self::ImpersonationRefused => "ImpersonationRefused",
            Self::PasswordRefused => "PasswordRefused",
            Self::NameAmbiguous => "NameAmbiguous",
            Self::ContextMissing => "ContextMissing",
            Self::ClusterMissing => "ClusterMissing",
            Self::UserMissing => "UserMissing",
            Self::ServerInvalid => "ServerInvalid",
            Self::PlainHttpRefused => "PlainHttpRefused",
            Self::CredentialsMissing => "CredentialsMissing",
            Self::TokenUnusable => "TokenUnusable",
            Self::CertificateUnusable => "CertificateUnusable",
            Self::DuplicateContext => "DuplicateContext",
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why this `ClientConfig` gives no plane, and what to do about it. Holds names of fields, never their values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Refusal {
    /// One of the closed list.
    pub reason: RefusalReason,
    /// One sentence that names object and field, and one that says the way out.
    pub message: String,
}

impl Refusal {
    /// A refusal with its sentence.
    pub fn new(reason: RefusalReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        let words: BTreeSet<_> = RefusalReason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(words.len(), RefusalReason::ALL.len());
        assert!(words.iter().all(|word| word.chars().all(char::is_alphanumeric)));
    }
}
