//! A Secret without its data.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use hmac::{Hmac, KeyInit, Mac};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use plan::replication::{Mark, SecretView};
use runtime::{NoRandomness, Random};
use sha2::Sha256;

/// The key of the marks: drawn once, kept nowhere else.
static KEY: OnceLock<[u8; 32]> = OnceLock::new();

/// `kubectl apply` keeps the whole object, data included, in an annotation.
const QUOTES_THE_DATA: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Draws the key of the marks, if it has not been drawn yet.
///
/// # Errors
/// If the system gives no randomness.
pub(crate) fn draw_key(random: &Random) -> Result<(), NoRandomness> {
    let mut key = [0_u8; 32];
    random.fill(&mut key)?;
    KEY.get_or_init(|| key);
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of a watch's decode")]
/// What is kept of a Secret. `None` before [`draw_key`].
pub(crate) fn view(secret: Secret) -> Option<SecretView> {
    of(&secret)
}

/// As [`view`], of a Secret whose data is still needed.
pub(crate) fn of(secret: &Secret) -> Option<SecretView> {
    let key = KEY.get()?;
    let metadata = &secret.metadata;
    let mut annotations = metadata.annotations.clone().unwrap_or_default();
    annotations.remove(QUOTES_THE_DATA);
    Some(SecretView {
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
        resource_version: metadata.resource_version.clone().unwrap_or_default(),
        type_: secret.type_.clone().unwrap_or_else(|| "Opaque".to_owned()),
        immutable: secret.immutable == Some(true),
        deleting: metadata.deletion_timestamp.is_some(),
        owned: metadata
            .owner_references
            .as_ref()
            .is_some_and(|owners| !owners.is_empty()),
        annotated: metadata.annotations.is_some(),
        labels: metadata.labels.clone().unwrap_or_default(),
        annotations,
        content: secret
            .data
            .iter()
            .flatten()
            .map(|(name, value)| (name.clone(), mark(key, name, value)))
            .collect::<BTreeMap<_, _>>(),
    })
}

/// Name and value under one key, with the length of the name, so that no two pairs are one text.
fn mark(key: &[u8; 32], name: &str, value: &ByteString) -> Mark {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    hmac.update(&(name.len() as u64).to_be_bytes());
    hmac.update(name.as_bytes());
    hmac.update(&value.0);
    Mark(hmac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(value: &serde_json::Value) -> Secret {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn equal_contents_have_equal_marks_and_nothing_of_them_is_kept() {
        draw_key(&Random::default()).unwrap();
        let canary = "Y2FuYXJ5LTdmM2E5";
        let one = secret(&json!({
            "metadata": {
                "name": "a", "namespace": "db", "uid": "u", "resourceVersion": "1",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": format!("{{\"data\":\"{canary}\"}}"), "note": "n"},
            },
            "data": {"password": canary, "username": "dQ=="},
        }));
        let view = of(&one).unwrap();
        assert_eq!(of(&one), Some(view.clone()));
        assert_eq!(view.annotations.keys().collect::<Vec<_>>(), ["note"]);
        let mut swapped = one.clone();
        let data = swapped.data.as_mut().unwrap();
        let (password, username) = (data["password"].clone(), data["username"].clone());
        data.insert("password".into(), username);
        data.insert("username".into(), password);
        let other = of(&swapped).unwrap();
        assert_ne!(other.content["password"], view.content["password"]);
        assert_ne!(
            other.content["username"], view.content["password"],
            "the name is part of a mark"
        );
        let shown = format!("{view:?} {:?}", view.content);
        for form in [canary, "canary", "63616e617279"] {
            assert!(!shown.contains(form), "{shown}");
        }
    }

    #[test]
    fn a_secret_without_type_is_opaque() {
        draw_key(&Random::default()).unwrap();
        let view = of(&secret(&json!({"metadata": {"name": "a"}}))).unwrap();
        assert_eq!(
            (view.type_.as_str(), view.content.len(), view.annotated),
            ("Opaque", 0, false)
        );
    }
}
