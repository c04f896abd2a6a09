//! Which clusters a plan against live clusters is for: those that are there, or those of a file as they would be once
//! it is applied.

use std::path::Path;

use anyhow::{Result, bail};
use api::k8ssandra_cluster::K8ssandraCluster;
use plan::foresight::Snapshot;
use serde_json::{Value, json};

use crate::document;
use crate::live::Live;

/// Clusters that are there, by name; without one all of the namespace.
pub(crate) async fn there(live: &Live, namespace: &str, name: Option<&str>) -> Result<Vec<K8ssandraCluster>> {
    let Some(name) = name else {
        return live.clusters(Some(namespace)).await;
    };
    match live.cluster(namespace, name).await? {
        Some(kc) => Ok(vec![kc]),
        None => bail!(
            "there is no K8ssandraCluster {namespace}/{name}; name another with -n, or one that is still a file with -f"
        ),
    }
}

/// The clusters of a file, as they would be once it is applied, and the other documents of the file.
pub(crate) async fn of_file(
    live: &Live,
    namespace: &str,
    file: &Path,
) -> Result<(Vec<K8ssandraCluster>, Vec<Value>)> {
    let (documents, others) = document::placed_in(document::read(file)?, namespace)?;
    let mut wanted = Vec::new();
    for document in documents {
        let text = |field: &str| document["metadata"][field].as_str().unwrap_or_default();
        let there = live.cluster(text("namespace"), text("name")).await?;
        wanted.push(match there {
            Some(there) => applied(&there, &document)?,
            None => document::stored(&document, None)?,
        });
    }
    Ok((wanted, others))
}

/// A cluster after a file was applied over it: the spec is the file's, whole; what the file does not say of metadata stays.
fn applied(there: &K8ssandraCluster, document: &Value) -> Result<K8ssandraCluster> {
    let mut before = serde_json::to_value(there)?;
    let mut after = before.clone();
    after["spec"] = document["spec"].clone();
    for map in ["labels", "annotations"] {
        let given = document["metadata"][map].as_object();
        for (key, value) in given.into_iter().flatten() {
            after["metadata"][map][key] = value.clone();
        }
    }
    for side in [&mut before, &mut after] {
        // What the programs say and note has no rule, and is no matter of the file.
        if let Some(fields) = side.as_object_mut() {
            fields.remove("status");
        }
        side["metadata"]["managedFields"] = Value::Null;
    }
    let mut kc = document::stored(&after, Some(&before))?;
    if kc.spec != there.spec {
        kc.metadata.generation = there.metadata.generation.map(|it| it + 1);
    }
    kc.status.clone_from(&there.status);
    Ok(kc)
}

/// Adds the documents of a file beside its clusters, as if they were applied in the control plane.
pub(crate) fn add(snapshot: &mut Snapshot, others: &[Value]) {
    let Some(Ok(control)) = snapshot.planes.get_mut("") else {
        return;
    };
    for document in others {
        let named = |object: &Value| {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            (text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
        };
        let mut added = document.clone();
        let there = control.objects.iter().position(|it| named(it) == named(document));
        let before = there.map(|at| control.objects.remove(at));
        let uid = before.map_or_else(|| json!("not-stored"), |it| it["metadata"]["uid"].clone());
        added["metadata"]["uid"] = uid;
        control.objects.push(added);
    }
}
