//! The two kinds that cass-operator serves: minimal ones of our own, or the real ones from a folder.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

/// Why the kinds could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum CrdError {
    /// The server refused.
    #[error("install {name}: {source}")]
    Refused {
        /// The CRD.
        name: String,
        /// The client's error.
        source: Box<kube::Error>,
    },
    /// A file could not be read or is no CRD.
    #[error("{file}: {why}")]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// The server does not serve the kind within 30 s.
    #[error("{0} is not established after 30 s")]
    NotEstablished(String),
}

/// Installs minimal CRDs for CassandraDatacenter and CassandraTask and waits until they are served.
///
/// # Errors
/// When the server refuses or does not serve them in time.
pub async fn install_crds(client: &Client) -> Result<(), CrdError> {
    for crd in manifests() {
        install(client, crd).await?;
    }
    Ok(())
}

/// The minimal CRDs, for who installs them before a garbage collector starts: one that runs already takes up to 30 s to
/// learn of them.
#[must_use]
pub fn manifests() -> [Value; 2] {
    [datacenters(), tasks()]
}

/// Installs the real CRDs: the files of `folder` whose names hold `cassandradatacenters` or `cassandratasks`.
///
/// # Errors
/// When a file cannot be read, none is found, or the server refuses.
pub async fn install_crds_from(client: &Client, folder: &Path) -> Result<(), CrdError> {
    let unreadable = |file: &Path, why: String| CrdError::Unreadable {
        file: file.display().to_string(),
        why,
    };
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error.to_string()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.contains("cassandradatacenters") || name.contains("cassandratasks")
    });
    if files.len() < 2 {
        return Err(unreadable(
            folder,
            "no CRDs of cassandradatacenters and cassandratasks in it".to_owned(),
        ));
    }
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, error.to_string()))?;
        let crd = serde_saphyr::from_str(&text).map_err(|error| unreadable(&file, error.to_string()))?;
        install(client, crd).await?;
    }
    Ok(())
}

async fn install(client: &Client, mut crd: Value) -> Result<(), CrdError> {
    let name = crate::json::name(&crd).to_owned();
    if let Some(crd) = crd.as_object_mut() {
        crd.remove("status");
    }
    let refused = |source: kube::Error| CrdError::Refused {
        name: name.clone(),
        source: Box::new(source),
    };
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    api.patch(
        &name,
        &PatchParams::apply("fake-datacenter").force(),
        &Patch::Apply(&crd),
    )
    .await
    .map_err(refused)?;
    let established = async {
        loop {
            let known = api.get(&name).await.map_err(refused)?;
            let conditions = known
                .status
                .as_ref()
                .and_then(|status| status.conditions.clone())
                .unwrap_or_default();
            if conditions
                .iter()
                .any(|one| one.type_ == "Established" && one.status == "True")
            {
                tracing::debug!(crd = known.name_any(), "established");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(30), established).await {
        Ok(done) => done,
        Err(_) => Err(CrdError::NotEstablished(name)),
    }
}

/// An object that keeps whatever it is given.
fn open(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": properties,
        "required": required,
    })
}

fn crd(group: &str, version: &str, names: &Value, spec: &Value, columns: &Value) -> Value {
    let plural = crate::json::text(names, "/plural");
    let mut spec = spec.clone();
    if spec["required"].as_array().is_some_and(Vec::is_empty) {
        spec.as_object_mut().and_then(|spec| spec.remove("required"));
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "names": names,
            "scope": "Namespaced",
            "versions": [{
                "name": version,
                "served": true,
                "storage": true,
                "subresources": {"status": {}},
                "additionalPrinterColumns": columns,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {"type": "object"},
                        "spec": spec,
                        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    },
                }},
            }],
        },
    })
}

fn datacenters() -> Value {
    let spec = open(
        &json!({
            "clusterName": {"type": "string", "minLength": 2},
            "serverType": {"type": "string", "enum": ["cassandra", "dse", "hcd"]},
            "serverVersion": {"type": "string"},
            "size": {"type": "integer", "format": "int32", "minimum": 1},
            "stopped": {"type": "boolean"},
            "storageConfig": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        }),
        &[
            "clusterName",
            "serverType",
            "serverVersion",
            "size",
            "storageConfig",
        ],
    );
    let names = json!({
        "kind": "CassandraDatacenter",
        "listKind": "CassandraDatacenterList",
        "plural": "cassandradatacenters",
        "singular": "cassandradatacenter",
        "shortNames": ["cassdc", "cassdcs"],
    });
    crd("cassandra.datastax.com", "v1beta1", &names, &spec, &json!([]))
}

fn tasks() -> Value {
    let names = json!({
        "kind": "CassandraTask",
        "listKind": "CassandraTaskList",
        "plural": "cassandratasks",
        "singular": "cassandratask",
    });
    let columns = json!([
        {"name": "Datacenter", "type": "string", "jsonPath": ".spec.datacenter.name"},
        {"name": "Job", "type": "string", "jsonPath": ".spec.jobs[0].command"},
        {"name": "Started", "type": "date", "jsonPath": ".status.startTime"},
        {"name": "Completed", "type": "date", "jsonPath": ".status.completionTime"},
    ]);
    crd(
        "control.k8ssandra.io",
        "v1alpha1",
        &names,
        &open(&json!({}), &[]),
        &columns,
    )
}
