//! Tokens of ServiceAccounts: given by a `TokenRequest`, and known again.
//!
//! They have the form of JSON web tokens, because clients read the end of one out of it. What makes one good is not a signature:
//! the server remembers those that it has given.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::identity::Identities;

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    /// In seconds since 1970.
    pub(crate) ends: i64,
}

/// Every token that was given.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// Its own, so that a token more or less changes no uid.
    identities: Identities,
    given: HashMap<String, Holder>,
}

const ISSUER: &str = "https://kubernetes.default.svc";

impl Tokens {
    pub(crate) fn new(seed: u64) -> Tokens {
        Tokens {
            identities: Identities::new(seed ^ 0x746f_6b65_6e73),
            given: HashMap::new(),
        }
    }

    pub(crate) fn issue(&mut self, holder: &Holder) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let Holder {
            namespace,
            name,
            uid,
            ends,
        } = holder;
        let claims = json!({
            "aud": [ISSUER], "exp": ends, "iss": ISSUER, "jti": self.identities.uid(),
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
            "sub": format!("system:serviceaccount:{namespace}:{name}"),
        });
        let secret = format!("{}{}", self.identities.uid(), self.identities.uid());
        let token = format!(
            "{}.{}.{}",
            part(&json!({"alg": "none"})),
            part(&claims),
            URL_SAFE_NO_PAD.encode(secret)
        );
        self.given.insert(token.clone(), holder.clone());
        token
    }

    /// Whose token it is, unless it has ended.
    pub(crate) fn holder(&self, token: &str, now: i64) -> Option<&Holder> {
        self.given.get(token).filter(|holder| now < holder.ends)
    }
}
