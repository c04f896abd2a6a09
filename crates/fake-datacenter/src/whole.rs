//! An object as it was said, for kube's watches: a `DynamicObject` would be taken apart and put together again for each event.

use std::borrow::Cow;

use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope, ObjectMeta};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::json::{name, text};

/// All of an object, and of its metadata what kube asks for.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    metadata: ObjectMeta,
    pub(crate) value: Value,
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let metadata = ObjectMeta {
            name: said(name(&value)),
            namespace: said(text(&value, "/metadata/namespace")),
            resource_version: said(text(&value, "/metadata/resourceVersion")),
            ..ObjectMeta::default()
        };
        Ok(Self { metadata, value })
    }
}

impl Resource for Whole {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(of: &ApiResource) -> Cow<'_, str> {
        of.kind.as_str().into()
    }

    fn group(of: &ApiResource) -> Cow<'_, str> {
        of.group.as_str().into()
    }

    fn version(of: &ApiResource) -> Cow<'_, str> {
        of.version.as_str().into()
    }

    fn plural(of: &ApiResource) -> Cow<'_, str> {
        of.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
