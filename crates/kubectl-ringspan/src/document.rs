//! A K8ssandraCluster from a file, as an API server would store it.

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use api::k8ssandra_cluster::K8ssandraCluster;
use serde_json::{Value, json};

use crate::schema::Schema;

/// What a cluster that is not stored yet has for an identity.
const NOT_STORED: &str = "00000000-0000-0000-0000-000000000000";

/// A spec that an API server, or Ringspan, refuses.
#[derive(Debug, thiserror::Error)]
#[error("K8ssandraCluster {cluster} is refused ({reason}): {field}: {message}")]
pub struct Refused {
    /// Namespace and name.
    pub cluster: String,
    /// `InvalidSpec`, or one of the reasons of condition `Accepted`.
    pub reason: String,
    /// Path of the field.
    pub field: String,
    /// What is wrong, and the way out.
    pub message: String,
}

/// Every document of a file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<Value>> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin()
            .read_to_string(&mut text)
            .context("standard input cannot be read")?;
    } else {
        text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    }
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).with_context(|| format!("{} is no YAML", path.display()))?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}

/// The clusters among the documents, as they would be stored, and the other documents.
pub(crate) fn clusters(
    documents: Vec<Value>,
    namespace: &str,
) -> Result<(Vec<K8ssandraCluster>, Vec<Value>)> {
    let (clusters, others) = placed_in(documents, namespace)?;
    let stored = clusters
        .iter()
        .map(|document| stored(document, None))
        .collect::<Result<_>>()?;
    Ok((stored, others))
}

/// The clusters among the documents, as they were written, and the other documents; each in a namespace.
pub(crate) fn placed_in(documents: Vec<Value>, namespace: &str) -> Result<(Vec<Value>, Vec<Value>)> {
    let is_cluster = |document: &Value| document.get("kind") == Some(&json!("K8ssandraCluster"));
    let placed = documents.into_iter().map(|document| placed(document, namespace));
    let (clusters, others): (Vec<_>, Vec<_>) = placed.partition(is_cluster);
    if clusters.is_empty() {
        bail!("there is no K8ssandraCluster in the file");
    }
    Ok((clusters, others))
}

fn placed(mut document: Value, namespace: &str) -> Value {
    if document.pointer("/metadata/namespace").is_none_or(Value::is_null) {
        document["metadata"]["namespace"] = json!(namespace);
    }
    document
}

/// A cluster as it would be stored, new or over what is there.
pub(crate) fn stored(document: &Value, there: Option<&Value>) -> Result<K8ssandraCluster> {
    let schema = Schema::of_clusters()?;
    let mut document = document.clone();
    let metadata = &mut document["metadata"];
    if metadata.get("uid").is_none() {
        metadata["uid"] = json!(NOT_STORED);
    }
    if metadata.get("generation").is_none() {
        metadata["generation"] = json!(1);
    }
    let text = |pointer: &str| {
        document
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let cluster = format!("{}/{}", text("/metadata/namespace"), text("/metadata/name"));
    let refused = |field: String, message: String| Refused {
        cluster: cluster.clone(),
        reason: "InvalidSpec".to_owned(),
        field,
        message,
    };
    let document = schema
        .stored_over(there, &document)
        .map_err(|wrong| refused(wrong.field, wrong.message))?;
    let cluster =
        serde_json::from_value(document).map_err(|error| refused("spec".to_owned(), error.to_string()))?;
    Ok(cluster)
}
