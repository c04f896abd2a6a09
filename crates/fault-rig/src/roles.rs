//! The roles that are shipped, so that a program can do here what it can do in a cluster, and nothing else.

use std::sync::LazyLock;

use anyhow::Context as _;
use serde_json::Value;

macro_rules! shipped {
    ($($name:literal),*) => {
        [$(include_str!(concat!("../../../deploy/base/", $name, "/rbac.yaml"))),*]
    };
}

/// Of the five programs, in the control plane.
const CONTROL_PLANE: [&str; 5] = shipped!(
    "client-registry",
    "cluster-reconciler",
    "secret-replicator",
    "status-rollup",
    "topology-reconciler"
);
/// Of all of them together, in each data plane.
const DATA_PLANE: [&str; 1] = shipped!("remote-access");

/// An object, with the path of its collection.
type Placed = (String, Value);

/// Read once for all runs.
static READ: LazyLock<[anyhow::Result<Vec<Placed>>; 2]> =
    LazyLock::new(|| [read(&CONTROL_PLANE), read(&DATA_PLANE)]);

/// The objects that give the programs their rights, each with the path of its collection.
///
/// # Errors
/// A file that is not what `cargo xtask rbac` writes.
pub fn of(control_plane: bool) -> anyhow::Result<&'static [Placed]> {
    let [control, data] = &*READ;
    match if control_plane { control } else { data } {
        Ok(objects) => Ok(objects),
        Err(error) => anyhow::bail!("{error:#}"),
    }
}

fn read(files: &[&str]) -> anyhow::Result<Vec<Placed>> {
    files
        .iter()
        .flat_map(|file| file.split("\n---\n"))
        .map(|document| {
            let object: Value = serde_saphyr::from_str(document).context("a role that is no YAML")?;
            Ok((collection(&object)?, object))
        })
        .collect()
}

fn collection(object: &Value) -> anyhow::Result<String> {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind").context("a role without a kind")?;
    let version = match text("/apiVersion").context("a role without an apiVersion")? {
        "v1" => "/api/v1".to_owned(),
        group => format!("/apis/{group}"),
    };
    let place = text("/metadata/namespace").map(|namespace| format!("/namespaces/{namespace}"));
    Ok(format!(
        "{version}{}/{}s",
        place.unwrap_or_default(),
        kind.to_lowercase()
    ))
}
