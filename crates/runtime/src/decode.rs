//! From the bytes of a list or of a watch line to objects, one at a time: what cannot be decoded is an error of that
//! object only, and managed fields are dropped before anybody sees them.

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

/// `None` if it has no name or no version: then it is no object of a Kubernetes API.
fn object<K: Resource + DeserializeOwned>(raw: &RawValue, managed_fields: bool) -> Option<Decoded<K>> {
    match serde_json::from_str::<K>(raw.get()) {
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
