//! From the bytes of a list or of a watch line to objects, one at a time: what cannot be decoded is an error of that
//! object only, and managed fields, which are about half of most objects, are cut out before.

use std::borrow::Cow;

use kube::Resource;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::Key;
use crate::watch_error::WatchErrorKind;

/// One object of a list or event.
pub(crate) struct Decoded<K> {
    pub(crate) key: Key,
    pub(crate) resource_version: String,
    /// The class of the decoding error. Its text is not kept: it quotes contents.
    pub(crate) object: Result<K, serde_json::error::Category>,
}

/// One page of a list.
pub(crate) struct Page<K> {
    pub(crate) resource_version: String,
    pub(crate) next: Option<String>,
    pub(crate) objects: Vec<Decoded<K>>,
}

/// One line of a watch.
pub(crate) enum Line<K> {
    Applied(Decoded<K>),
    Deleted(Decoded<K>),
    Bookmark { resource_version: String },
    Failed { kind: WatchErrorKind, message: String },
}

#[derive(Deserialize)]
struct RawPage<'a> {
    #[serde(default)]
    metadata: RawListMeta,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawListMeta {
    resource_version: Option<String>,
    r#continue: Option<String>,
}

#[derive(Deserialize)]
struct RawLine<'a> {
    #[serde(borrow, rename = "type")]
    what: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct RawObject {
    #[serde(default)]
    metadata: RawMeta,
}

/// Where the managed fields of an object are.
#[derive(Deserialize)]
struct RawOwned<'a> {
    #[serde(borrow)]
    metadata: Option<RawOwners<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOwners<'a> {
    #[serde(borrow)]
    managed_fields: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawMeta {
    name: Option<String>,
    namespace: Option<String>,
    resource_version: Option<String>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct RawStatus {
    code: u16,
    message: String,
}

/// Decodes one page; `None` if it is no list.
pub(crate) fn page<K: Resource + DeserializeOwned>(bytes: &[u8], managed_fields: bool) -> Option<Page<K>> {
    let raw: RawPage<'_> = serde_json::from_slice(bytes).ok()?;
    let items = raw.items.unwrap_or_default();
    let objects = items
        .into_iter()
        .map(|item| object(item, managed_fields))
        .collect::<Option<_>>()?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let next = filled(raw.metadata.r#continue);
    Some(Page {
        resource_version: filled(raw.metadata.resource_version)?,
        next,
        objects,
    })
}

/// Decodes one line; `None` if it is no event.
pub(crate) fn line<K: Resource + DeserializeOwned>(bytes: &[u8], managed_fields: bool) -> Option<Line<K>> {
    let raw: RawLine<'_> = serde_json::from_slice(bytes).ok()?;
    match raw.what.as_ref() {
        "ADDED" | "MODIFIED" => Some(Line::Applied(object(raw.object, managed_fields)?)),
        "DELETED" => Some(Line::Deleted(object(raw.object, managed_fields)?)),
        "BOOKMARK" => {
            let meta: RawObject = serde_json::from_str(raw.object.get()).ok()?;
            Some(Line::Bookmark {
                resource_version: meta.metadata.resource_version?,
            })
        }
        "ERROR" => {
            let (kind, message) = status(raw.object.get().as_bytes(), 0);
            Some(Line::Failed { kind, message })
        }
        _ => None,
    }
}

/// What a `Status` says; `code` is that of the answer, where there was one.
pub(crate) fn status(bytes: &[u8], code: u16) -> (WatchErrorKind, String) {
    let status: RawStatus = serde_json::from_slice(bytes).unwrap_or_default();
    let code = if code == 0 { status.code } else { code };
    (
        WatchErrorKind::of_code(code),
        format!("{code} {}", status.message),
    )
}

/// The same object, owned by nobody: to skip what is not wanted costs a small part of what it costs to decode it.
fn without_owners(raw: &str) -> Cow<'_, str> {
    let owners = serde_json::from_str::<RawOwned<'_>>(raw).ok();
    let owners = owners.and_then(|object| object.metadata?.managed_fields);
    let Some(owners) = owners.map(RawValue::get) else {
        return Cow::Borrowed(raw);
    };
    // It was borrowed from there.
    let start = owners.as_ptr().addr() - raw.as_ptr().addr();
    let (before, after) = (&raw[..start], &raw[start + owners.len()..]);
    Cow::Owned([before, "null", after].concat())
}

/// `None` if it has no name or no version: then it is no object of a Kubernetes API.
fn object<K: Resource + DeserializeOwned>(raw: &RawValue, managed_fields: bool) -> Option<Decoded<K>> {
    let text = if managed_fields {
        Cow::Borrowed(raw.get())
    } else {
        without_owners(raw.get())
    };
    match serde_json::from_str::<K>(&text) {
        Ok(mut object) => {
            if !managed_fields {
                object.meta_mut().managed_fields = None;
            }
            let key = Key::of(&object)?;
            let resource_version = object.meta().resource_version.clone()?;
            Some(Decoded {
                key,
                resource_version,
                object: Ok(object),
            })
        }
        Err(error) => {
            let RawMeta {
                name,
                namespace,
                resource_version,
            } = serde_json::from_str::<RawObject>(raw.get()).ok()?.metadata;
            let key = Key {
                namespace: namespace.unwrap_or_default(),
                name: name?,
            };
            Some(Decoded {
                key,
                resource_version: resource_version?,
                object: Err(error.classify()),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managed_fields_are_cut_out_wherever_they_stand_and_nothing_else() {
        for (raw, cut) in [
            (
                r#"{"metadata":{"name":"a","managedFields":[{"manager":"m"}],"uid":"u"},"spec":{"managedFields":[1]}}"#,
                r#"{"metadata":{"name":"a","managedFields":null,"uid":"u"},"spec":{"managedFields":[1]}}"#,
            ),
            (
                r#"{"spec":{},"metadata":{"managedFields": [ ] , "name":"ä"}}"#,
                r#"{"spec":{},"metadata":{"managedFields": null , "name":"ä"}}"#,
            ),
            (
                r#"{"metadata":{"managedFields":[]}}"#,
                r#"{"metadata":{"managedFields":null}}"#,
            ),
        ] {
            assert_eq!(without_owners(raw), cut);
        }
        for whole in [
            r#"{"metadata":{"name":"a"}}"#,
            r#"{"metadata":null}"#,
            r#"{"metadata":{"managedFields":[1],"managedFields":[2]}}"#,
            "[1]",
        ] {
            assert_eq!(without_owners(whole), whole);
        }
    }
}
