//! Kubeconfigs as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::authority::Identity;

/// How a client says who it is.
pub(crate) enum Credential<'a> {
    Certificate(&'a Identity),
    Token(&'a str),
}

/// YAML with one context in a namespace, everything embedded: no file paths, so it can be the content of a ClientConfig's Secret.
pub(crate) fn text(
    (context, namespace): (&str, &str),
    url: &str,
    authority: &str,
    credential: &Credential<'_>,
) -> anyhow::Result<String> {
    let user = match credential {
        Credential::Certificate(identity) => json!({
            "client-certificate-data": STANDARD.encode(&identity.certificate),
            "client-key-data": STANDARD.encode(&identity.key),
        }),
        Credential::Token(token) => json!({ "token": token }),
    };
    let config: Value = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{
            "name": context,
            "cluster": { "server": url, "certificate-authority-data": STANDARD.encode(authority) },
        }],
        "contexts": [{ "name": context, "context": {
            "cluster": context, "user": context, "namespace": namespace,
        } }],
        "users": [{ "name": context, "user": user }],
    });
    Ok(serde_saphyr::to_string(&config)?)
}
