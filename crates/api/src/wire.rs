//! Rules of (de)serialisation that several types share.

use serde::{Deserialize, Deserializer};

/// Reads an explicit `null` as the default, as an API server does before it applies schema defaults.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// The schema of a field that may hold any JSON.
pub(crate) fn any(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"x-kubernetes-preserve-unknown-fields": true})
}

/// `false` is what an absent flag means, so it is not written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn is_false(flag: &bool) -> bool {
    !flag
}

/// Declares a function that reads a field as text, with code that is compiled here and nowhere else. serde compiles
/// every type inside anew for each program that reads it, and once more for a flattened struct, which it hands over as
/// buffered content: code that the shipped program would carry five times.
macro_rules! read_as_text {
    ($name:ident: $type:ty) => {
        fn $name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
            #[inline(never)]
            fn read(value: &serde_json::Value) -> serde_json::Result<$type> {
                serde_json::from_str(&value.to_string())
            }
            use serde::Deserialize as _;
            let value = serde_json::Value::deserialize(deserializer)?;
            read(&value).map_err(serde::de::Error::custom)
        }
    };
}
pub(crate) use read_as_text;
