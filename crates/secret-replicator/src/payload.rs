//! The data of a source: read live, sent, and dropped. Nothing here has `Debug`.

use api::names::reason;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Client};
use plan::replication::acts::Held;
use plan::replication::copy::{self, CopyMetadata};
use plan::replication::{SecretView, Selector};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::view;

/// A source with its data.
pub(crate) struct Payload {
    /// What it is like, without the data.
    pub view: SecretView,
    data: BTreeMap<String, ByteString>,
}

impl Payload {
    /// Reads a source now. It must still be the one that was listed, and still be selected.
    ///
    /// # Errors
    /// Why it is not copied now; its change, which is on the way, leads to another pass.
    pub async fn read(client: &Client, source: &SecretView, selector: &Selector) -> Result<Payload, Held> {
        let api = Api::<Secret>::namespaced(client.clone(), &source.namespace);
        let place = format!("{}/{}", source.namespace, source.name);
        let later = |why: &str| Held {
            holds: None,
            reason: reason::PROGRESSING.to_owned(),
            message: format!("Secret {place} {why}. It is tried again."),
        };
        // An error of decoding quotes what it cannot decode, so no error is quoted.
        let secret = api
            .get_opt(&source.name)
            .await
            .map_err(|_| later("cannot be read now"))?;
        let secret = secret.ok_or_else(|| later("is gone"))?;
        let view = view::of(&secret).ok_or_else(|| later("cannot be looked at"))?;
        if view.uid != source.uid || !selector.matches(&view.labels) {
            return Err(later("has changed while it was looked at"));
        }
        if let Some(held) = copy::forbidden(&view) {
            return Err(held);
        }
        Ok(Payload {
            view,
            data: secret.data.unwrap_or_default(),
        })
    }

    /// A new copy.
    pub fn copy(&self, namespace: &str, name: &str, metadata: CopyMetadata) -> Secret {
        Secret {
            metadata: ObjectMeta {
                namespace: Some(namespace.to_owned()),
                name: Some(name.to_owned()),
                labels: Some(metadata.labels),
                annotations: Some(metadata.annotations),
                ..ObjectMeta::default()
            },
            type_: Some(self.view.type_.clone()),
            immutable: self.view.immutable.then_some(true),
            data: Some(self.data.clone()),
            ..Secret::default()
        }
    }

    /// The operations that make `found` a copy. All of its data is replaced, its own labels and annotations stay.
    pub fn operations(&self, found: &SecretView, metadata: &CopyMetadata) -> Value {
        let mut operations = vec![json!({"op": "add", "path": "/data", "value": &self.data})];
        let mut add =
            |path: String, value: Value| operations.push(json!({"op": "add", "path": path, "value": value}));
        if self.view.immutable {
            add("/immutable".to_owned(), true.into());
        }
        if found.labels.is_empty() {
            add("/metadata/labels".to_owned(), Value::Object(Map::new()));
        }
        for (key, value) in &metadata.labels {
            add(
                format!("/metadata/labels/{}", escaped(key)),
                value.as_str().into(),
            );
        }
        if !found.annotated {
            add("/metadata/annotations".to_owned(), Value::Object(Map::new()));
        }
        for (key, value) in &metadata.annotations {
            add(
                format!("/metadata/annotations/{}", escaped(key)),
                value.as_str().into(),
            );
        }
        let dropped = metadata
            .dropped_labels
            .iter()
            .filter(|key| found.labels.contains_key(*key));
        let mut gone: Vec<String> = dropped
            .map(|key| format!("/metadata/labels/{}", escaped(key)))
            .collect();
        // Upstream's digest of the data would be that of the former data, and tells too much of it anyway.
        let digest = api::names::annotation::RESOURCE_HASH;
        if found.annotations.contains_key(digest) {
            gone.push(format!("/metadata/annotations/{}", escaped(digest)));
        }
        if found.owned {
            gone.push("/metadata/ownerReferences".to_owned());
        }
        operations.extend(gone.into_iter().map(|path| json!({"op": "remove", "path": path})));
        Value::Array(operations)
    }
}

/// A key as a step of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(immutable: bool) -> Payload {
        view::draw_key(&runtime::Random::default()).unwrap();
        let secret: Secret = serde_json::from_value(json!({
            "metadata": {
                "name": "superuser", "namespace": "db", "uid": "s-1", "resourceVersion": "10",
                "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "x"}],
                "finalizers": ["a/b"],
            },
            "type": "kubernetes.io/basic-auth",
            "immutable": immutable,
            "data": {"password": "cA=="},
        }))
        .unwrap();
        Payload {
            view: view::of(&secret).unwrap(),
            data: secret.data.unwrap(),
        }
    }

    fn metadata() -> CopyMetadata {
        CopyMetadata {
            labels: BTreeMap::from([("a/b".to_owned(), "1".to_owned())]),
            dropped_labels: vec!["gone".to_owned(), "never-there".to_owned()],
            annotations: BTreeMap::from([("note".to_owned(), "n".to_owned())]),
        }
    }

    #[test]
    fn a_new_copy_has_data_and_type_and_no_owner_or_finalizer() {
        let copy = serde_json::to_value(payload(true).copy("db", "copy", metadata())).unwrap();
        assert_eq!(
            copy,
            json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"namespace": "db", "name": "copy", "labels": {"a/b": "1"}, "annotations": {"note": "n"}},
                "type": "kubernetes.io/basic-auth",
                "immutable": true,
                "data": {"password": "cA=="},
            })
        );
    }

    #[test]
    fn an_update_replaces_all_data_and_only_our_labels_and_annotations() {
        let mut found = payload(false).view;
        found.labels = BTreeMap::from([
            ("gone".to_owned(), "x".to_owned()),
            ("own".to_owned(), "y".to_owned()),
        ]);
        found.annotations = BTreeMap::from([("k8ssandra.io/resource-hash".to_owned(), "h".to_owned())]);
        found.annotated = true;
        assert_eq!(
            payload(false).operations(&found, &metadata()),
            json!([
                {"op": "add", "path": "/data", "value": {"password": "cA=="}},
                {"op": "add", "path": "/metadata/labels/a~1b", "value": "1"},
                {"op": "add", "path": "/metadata/annotations/note", "value": "n"},
                {"op": "remove", "path": "/metadata/labels/gone"},
                {"op": "remove", "path": "/metadata/annotations/k8ssandra.io~1resource-hash"},
                {"op": "remove", "path": "/metadata/ownerReferences"},
            ])
        );
    }

    #[test]
    fn maps_that_are_not_there_are_made() {
        let mut found = payload(false).view;
        found.owned = false;
        let operations = payload(true).operations(&found, &metadata());
        let paths: Vec<_> = operations
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["path"].as_str().unwrap())
            .collect();
        assert_eq!(
            paths,
            [
                "/data",
                "/immutable",
                "/metadata/labels",
                "/metadata/labels/a~1b",
                "/metadata/annotations",
                "/metadata/annotations/note"
            ]
        );
    }
}
