//! A stored object: never changed, shared by whoever shows it, and written as text once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::definitions::Kind;
use crate::kinds::events::in_version;

#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) value: Arc<Value>,
    /// The resourceVersion as a number.
    pub(crate) version: u64,
    /// All fields but apiVersion and kind, without the braces: who shows the object knows in which version it is asked for.
    fields: OnceLock<Bytes>,
    /// The same without `metadata.managedFields`.
    ownerless: OnceLock<Bytes>,
}

/// How much of an object is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Whole,
    /// Without `metadata.managedFields`, which are about half of most objects.
    Ownerless,
}

impl Object {
    pub(crate) fn new(value: Value, version: u64) -> Object {
        Object {
            value: Arc::new(value),
            version,
            fields: OnceLock::new(),
            ownerless: OnceLock::new(),
        }
    }

    fn fields(&self, shown: Shown) -> &Bytes {
        let kept = match shown {
            Shown::Whole => &self.fields,
            Shown::Ownerless => &self.ownerless,
        };
        kept.get_or_init(|| written(&self.value, shown).into())
    }

    /// The fields in the words of another group.
    fn fields_in(&self, kind: &Kind, shown: Shown) -> Cow<'_, [u8]> {
        if kind.storage || !kind.built_in {
            return Cow::Borrowed(self.fields(shown));
        }
        Cow::Owned(written(&in_version(kind, &self.value), shown))
    }

    /// Writes the object as one of `kind`.
    pub(crate) fn write(&self, kind: &Kind, shown: Shown, out: &mut Vec<u8>) {
        let fields = self.fields_in(kind, shown);
        out.reserve(fields.len() + 96);
        for part in [
            "{\"apiVersion\":\"",
            &kind.api_version,
            "\",\"kind\":\"",
            &kind.kind,
            "\",",
        ] {
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(&fields);
        out.push(b'}');
    }

    /// Writes the object as an item of a list, where built-in kinds do not say what they are.
    pub(crate) fn write_item(&self, kind: &Kind, shown: Shown, out: &mut Vec<u8>) {
        if !kind.built_in {
            return self.write(kind, shown, out);
        }
        out.push(b'{');
        out.extend_from_slice(&self.fields_in(kind, shown));
        out.push(b'}');
    }

    /// Writes the metadata alone.
    pub(crate) fn write_metadata(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":",
        );
        write(out, self.value.get("metadata").unwrap_or(&Value::Null));
        out.push(b'}');
    }

    /// The same object with another resourceVersion.
    pub(crate) fn at_version(&self, version: u64) -> Object {
        let mut value = Value::clone(&self.value);
        metadata_mut(&mut value).insert("resourceVersion".into(), version.to_string().into());
        Object::new(value, version)
    }

    pub(crate) fn uid(&self) -> &str {
        text(&self.value, "uid")
    }

    pub(crate) fn name(&self) -> &str {
        text(&self.value, "name")
    }

    pub(crate) fn namespace(&self) -> &str {
        text(&self.value, "namespace")
    }

    pub(crate) fn is_deleting(&self) -> bool {
        is_deleting(&self.value)
    }
}

/// All fields but apiVersion and kind, as JSON without braces.
fn written(value: &Value, shown: Shown) -> Vec<u8> {
    let mut text = Vec::with_capacity(1024);
    for (name, value) in but(value, &["apiVersion", "kind"]) {
        if !text.is_empty() {
            text.push(b',');
        }
        write(&mut text, name);
        text.push(b':');
        if shown == Shown::Ownerless && name == "metadata" {
            let kept: BTreeMap<_, _> = but(value, &["managedFields"]).collect();
            write(&mut text, &kept);
        } else {
            write(&mut text, value);
        }
    }
    text
}

/// The fields of an object but for these.
fn but<'v>(object: &'v Value, without: &[&str]) -> impl Iterator<Item = (&'v String, &'v Value)> {
    let fields = object.as_object().into_iter().flatten();
    fields.filter(|(name, _)| !without.contains(&name.as_str()))
}

fn write<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Writing JSON values into memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// A text in an object's metadata, or nothing.
pub(crate) fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object
        .get("metadata")
        .and_then(|metadata| metadata.get(field))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

pub(crate) fn is_deleting(object: &Value) -> bool {
    !text(object, "deletionTimestamp").is_empty()
}

pub(crate) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    let list = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

pub(crate) fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    let list = object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array);
    list.into_iter().flatten()
}

/// The metadata of an object, made if it has none.
pub(crate) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let metadata = &mut object["metadata"];
    if !metadata.is_object() {
        *metadata = Value::Object(Map::new());
    }
    match metadata {
        Value::Object(metadata) => metadata,
        _ => unreachable!("it was made an object above"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_wants_no_owners_is_shown_everything_else() {
        let object = json!({
            "kind": "Pod",
            "metadata": {"name": "a", "managedFields": [{"manager": "m"}]},
            "spec": {"managedFields": 1},
        });
        let shown = |shown| String::from_utf8(written(&object, shown)).unwrap();
        assert_eq!(
            shown(Shown::Whole),
            r#""metadata":{"managedFields":[{"manager":"m"}],"name":"a"},"spec":{"managedFields":1}"#
        );
        assert_eq!(
            shown(Shown::Ownerless),
            r#""metadata":{"name":"a"},"spec":{"managedFields":1}"#
        );
    }
}
