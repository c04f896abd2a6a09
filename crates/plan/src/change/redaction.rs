//! Values that are never shown: they may be, or hold, a secret.

use serde_json::Value;

/// What stands in their place.
const REDACTED: &str = "<redacted>";
/// A part of a field's name that says so, in lower case.
const SECRETIVE: [&str; 6] = [
    "password",
    "passphrase",
    "authparams",
    "credential",
    "private_key",
    "token_secret",
];
/// Names of Secrets are no secrets.
const NAMES: [&str; 3] = ["secretname", "secretref", "secretkeyref"];
/// Longest text that is shown, in characters.
const SHOWN: usize = 512;
/// The end of one that is longer.
const CUT: &str = " characters)";

/// The value as it may be shown.
pub(super) fn shown(field: &str, value: Option<Value>) -> Option<Value> {
    let value = value?;
    let last = field.rsplit('.').next().unwrap_or(field);
    // The value of a variable stands below its name: `env[NAME].value`.
    let named = field.rsplit(['[', ']']).nth(1).unwrap_or_default();
    if !value.is_null() && (is_secretive(last) || (last == "value" && is_secretive(named))) {
        return Some(Value::from(REDACTED));
    }
    Some(short(inside(value)))
}

/// Whether nothing of a value was taken away to show it.
pub(super) fn is_whole(shown: &Value) -> bool {
    match shown {
        Value::Object(map) => map.values().all(is_whole),
        Value::Array(items) => items.iter().all(is_whole),
        Value::String(text) => !text.contains(REDACTED) && !text.ends_with(CUT),
        _ => true,
    }
}

fn is_secretive(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    SECRETIVE.iter().any(|part| name.contains(part)) && !NAMES.iter().any(|part| name.contains(part))
}

/// Secrets that stand deeper: `{"name": "DB_PASSWORD", "value": …}` and `-Dx.keyStorePassword=…` too.
fn inside(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let named = map.get("name").and_then(Value::as_str).is_some_and(is_secretive);
            let field = |(key, value): (String, Value)| {
                let hidden = is_secretive(&key) || (named && key == "value");
                let value = if hidden {
                    Value::from(REDACTED)
                } else {
                    inside(value)
                };
                (key, value)
            };
            map.into_iter().map(field).collect()
        }
        Value::Array(items) => items.into_iter().map(inside).collect(),
        Value::String(text) => Value::String(without_values(&text)),
        other => other,
    }
}

/// A text like `-Dx.password=y` loses its value, one that mentions passwords in any other way is not shown.
fn without_values(text: &str) -> String {
    if !is_secretive(text) {
        return text.to_owned();
    }
    match text.split_once('=') {
        Some((option, value)) if !is_secretive(value) && !option.contains(char::is_whitespace) => {
            format!("{option}={REDACTED}")
        }
        _ => REDACTED.to_owned(),
    }
}

fn short(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > SHOWN => {
            let begin: String = text.chars().take(SHOWN).collect();
            Value::String(format!("{begin}… ({}{CUT}", text.chars().count()))
        }
        other => other,
    }
}
