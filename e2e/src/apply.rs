//! Manifests to any API server, by server-side apply.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::discovery::{ApiCapabilities, Scope, pinned_kind};
use kube::{Api, Client, ResourceExt};

use crate::eventually;

const SERVED_WITHIN: Duration = Duration::from_secs(20);

/// The objects of a YAML stream; empty documents are left out.
///
/// # Errors
/// It is no YAML, or a document is no object with `apiVersion`, `kind` and a name.
pub fn documents(yaml: &str) -> anyhow::Result<Vec<DynamicObject>> {
    // A CRD is deeper and larger than what a stranger may send.
    let budget = serde_saphyr::budget! { max_depth: 256, max_nodes: 2_000_000, max_events: 4_000_000 };
    let options = serde_saphyr::options! { budget: budget };
    let objects: Vec<DynamicObject> = serde_saphyr::from_multiple_with_options(yaml, options)?;
    for object in &objects {
        let kind = object.types.as_ref().map_or("", |types| &types.kind);
        anyhow::ensure!(!kind.is_empty(), "a document without apiVersion and kind");
        anyhow::ensure!(object.metadata.name.is_some(), "a {kind} without a name");
    }
    Ok(objects)
}

/// Applies every object of a YAML stream and returns what the server made of them, in the order in which they were applied:
/// namespaces, then CRDs (awaited until they are served), then the rest as written. Fields of other managers are taken over.
///
/// # Errors
/// Names the first object that was refused.
pub async fn apply_yaml(
    client: &Client,
    yaml: &str,
    field_manager: &str,
) -> anyhow::Result<Vec<DynamicObject>> {
    apply(client, documents(yaml)?, field_manager).await
}

/// As [`apply_yaml`], for objects that are there already.
///
/// # Errors
/// Names the first object that was refused.
pub async fn apply(
    client: &Client,
    mut objects: Vec<DynamicObject>,
    field_manager: &str,
) -> anyhow::Result<Vec<DynamicObject>> {
    objects.sort_by_key(|object| match kind(object) {
        "Namespace" => 0,
        "CustomResourceDefinition" => 1,
        _ => 2,
    });
    let mut kinds = BTreeMap::new();
    let mut applied = Vec::with_capacity(objects.len());
    for object in &objects {
        let what = || format!("{} {}", kind(object), object.name_any());
        let api = api_of(client, object, &mut kinds).await.with_context(what)?;
        let params = PatchParams::apply(field_manager).force();
        applied.push(
            api.patch(&object.name_any(), &params, &Patch::Apply(object))
                .await
                .with_context(what)?,
        );
        if kind(object) == "CustomResourceDefinition" {
            wait_established(client, &object.name_any()).await?;
        }
    }
    Ok(applied)
}

/// Waits until the CRD of this name (`plural.group`) is established.
///
/// # Errors
/// It is not within 20 s.
pub async fn wait_established(client: &Client, name: &str) -> anyhow::Result<()> {
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    eventually(&format!("CRD {name} established"), SERVED_WITHIN, || async {
        let conditions = crds
            .get(name)
            .await?
            .status
            .and_then(|status| status.conditions)
            .unwrap_or_default();
        let established = conditions
            .iter()
            .any(|is| is.type_ == "Established" && is.status == "True");
        Ok(established.then_some(()))
    })
    .await
}

fn kind(object: &DynamicObject) -> &str {
    object.types.as_ref().map_or("", |types| &types.kind)
}

type Kinds = BTreeMap<(String, String), (ApiResource, ApiCapabilities)>;

async fn api_of(
    client: &Client,
    object: &DynamicObject,
    kinds: &mut Kinds,
) -> anyhow::Result<Api<DynamicObject>> {
    let types = object.types.as_ref().context("no apiVersion and kind")?;
    let key = (types.api_version.clone(), types.kind.clone());
    if !kinds.contains_key(&key) {
        let gvk = GroupVersionKind::try_from(types)?;
        // A CRD is established a moment before discovery knows its kind.
        let found = eventually("a kind that the server knows", SERVED_WITHIN, || async {
            Ok(Some(pinned_kind(client, &gvk).await?))
        });
        kinds.insert(key.clone(), found.await?);
    }
    let (resource, capabilities) = &kinds[&key];
    Ok(match capabilities.scope {
        Scope::Cluster => Api::all_with(client.clone(), resource),
        Scope::Namespaced => {
            let namespace = object.metadata.namespace.as_deref().unwrap_or("default");
            Api::namespaced_with(client.clone(), namespace, resource)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_documents_are_left_out() {
        let yaml = "---\n# nothing\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: db}\n---\n";
        let objects = documents(yaml).unwrap();
        assert_eq!(objects.len(), 1);
        assert_eq!(
            (kind(&objects[0]), objects[0].name_any().as_str()),
            ("Namespace", "db")
        );
    }

    #[test]
    fn an_object_without_a_name_is_refused() {
        let said = documents("apiVersion: v1\nkind: Secret\nmetadata: {}\n")
            .unwrap_err()
            .to_string();
        assert_eq!(said, "a Secret without a name");
    }
}
