//! Specs as they may be shown.

use serde_json::Value;

/// Stands where a password was.
const HIDDEN: &str = "<hidden>";

/// The spec of a CassandraDatacenter without the passwords that Cassandra is told: those of stores, in its configuration
/// and among the options of Java. What the user wrote himself into such a place is hidden, too.
#[must_use]
pub fn redacted(spec: &Value) -> Value {
    match spec {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let hidden = key.ends_with("password") && !value.is_object() && !value.is_null();
                (key.clone(), if hidden { HIDDEN.into() } else { redacted(value) })
            })
            .collect(),
        Value::Array(items) => items.iter().map(redacted).collect(),
        Value::String(text) => option(text).unwrap_or_else(|| spec.clone()),
        other => other.clone(),
    }
}

fn option(text: &str) -> Option<Value> {
    let (name, _) = text.split_once('=').filter(|(name, _)| name.starts_with("-D"))?;
    name.ends_with("Password")
        .then(|| format!("{name}={HIDDEN}").into())
}
