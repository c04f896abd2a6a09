//! Digests of what was asked for: SHA-256 over canonical JSON, in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Digest of a value. Equal values have equal digests, whatever the order of their keys was. 44 characters.
#[must_use]
pub fn of(value: &Value) -> String {
    let mut text = Vec::new();
    write_canonical(value, &mut text);
    STANDARD.encode(Sha256::digest(&text))
}

/// Compact JSON with sorted keys. Sorting is done here, because the order in a map is a feature of the JSON library that
/// any other crate can switch.
fn write_canonical(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push(b'{');
            for (at, (key, value)) in entries.into_iter().enumerate() {
                if at > 0 {
                    text.push(b',');
                }
                write_scalar(key, text);
                text.push(b':');
                write_canonical(value, text);
            }
            text.push(b'}');
        }
        Value::Array(items) => {
            text.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(b',');
                }
                write_canonical(item, text);
            }
            text.push(b']');
        }
        scalar => write_scalar(scalar, text),
    }
}

fn write_scalar(scalar: &impl serde::Serialize, text: &mut Vec<u8>) {
    // Neither a text nor a number can fail, and memory takes every byte.
    let _ = serde_json::to_writer(text, scalar);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_canonical_text_has_sorted_keys_and_no_spaces() {
        let mut text = Vec::new();
        write_canonical(
            &json!({"b": [1, true, null], "a": {"y": "\"", "x": 1.5}}),
            &mut text,
        );
        assert_eq!(text, br#"{"a":{"x":1.5,"y":"\""},"b":[1,true,null]}"#);
    }

    #[test]
    fn the_digest_is_sha_256_in_base64() {
        // printf '{}' | openssl dgst -sha256 -binary | base64
        assert_eq!(of(&json!({})), "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=");
    }

    #[test]
    fn another_value_has_another_digest() {
        assert_ne!(of(&json!({"a": 1})), of(&json!({"a": "1"})));
    }
}
