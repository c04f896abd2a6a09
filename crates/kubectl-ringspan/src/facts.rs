//! What there is already, from files: objects as `kubectl get -o yaml` prints them, each with annotation
//! `ringspan.io/plane` that names the context of its plane. None, or an empty one, is the control plane; but what stands
//! beside the clusters without it is what they refer to, and is taken to be in every plane.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::label;
use api::seen::PlaneId;
use plan::datacenter::Images;
use plan::foresight::{PlaneObjects, Snapshot};
use plan::images::{ImageConfig, KEY};
use serde_json::{Value, json};

/// The annotation.
pub(crate) const PLANE: &str = "ringspan.io/plane";

/// A snapshot in which every plane that the clusters name answers with these objects: those that are `there` already, and
/// those that stand `beside` the clusters in their file.
pub(crate) fn snapshot(clusters: &[K8ssandraCluster], beside: &[Value], there: &[Value]) -> Snapshot {
    let everywhere = |object: &&Value| named_plane(object).is_none();
    let referred: Vec<&Value> = beside.iter().filter(everywhere).collect();
    let placed: Vec<&Value> = beside.iter().filter(|it| !everywhere(it)).chain(there).collect();
    let templates = clusters.iter().filter_map(|kc| kc.spec.cassandra.as_ref());
    let mut contexts: BTreeSet<String> = templates
        .flat_map(|it| &it.datacenters)
        .map(|it| it.k8s_context.clone())
        .collect();
    contexts.insert(String::new());
    contexts.extend(placed.iter().map(|object| plane(object)));
    let answered = |(at, context): (usize, String)| {
        let mine = placed.iter().filter(|object| plane(object) == context);
        let mine = referred.iter().chain(mine).map(|object| (*object).clone());
        let mine: Vec<Value> = mine.map(complete).collect();
        let id = mine.iter().find_map(identity);
        let answer = PlaneObjects {
            // No cluster is asked who it is; planes differ all the same.
            id: id.unwrap_or_else(|| PlaneId(format!("00000000-0000-0000-0000-{at:012}"))),
            objects: mine,
        };
        (context, Ok(answer))
    };
    Snapshot {
        planes: contexts.into_iter().enumerate().map(answered).collect(),
        images: images(beside.iter().chain(there)),
        ..Snapshot::default()
    }
}

/// Those of the first ConfigMap in the control plane that names any; those that are shipped where there is none.
pub(crate) fn images<'a>(objects: impl Iterator<Item = &'a Value>) -> Images {
    let mut found: Vec<(String, &str)> = objects
        .filter(|object| plane(object).is_empty() && object.get("kind") == Some(&json!("ConfigMap")))
        .filter(|object| object["metadata"]["labels"][label::CONFIG] == label::IMAGE_CONFIG)
        .filter_map(|object| {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
            let config = object["data"][KEY].as_str().filter(|config| !config.is_empty())?;
            Some((format!("{}/{}", text("namespace"), text("name")), config))
        })
        .collect();
    found.sort();
    let Some((name, config)) = found.first() else {
        return Images::default();
    };
    let document = serde_saphyr::from_str::<Value>(config).map_err(|error| error.to_string());
    match document.and_then(|document| ImageConfig::read(&document)) {
        Ok(config) => Images::Config(Arc::new(config)),
        Err(why) => Images::unusable(name, &why),
    }
}

/// As `render` prints them, Secrets have no values and objects no UID: they are there all the same.
fn complete(mut object: Value) -> Value {
    if object.get("kind") == Some(&json!("Secret"))
        && object.get("data").or(object.get("stringData")).is_none()
    {
        object["data"] = json!({"username": "eA==", "password": "eA=="});
    }
    if object.pointer("/metadata/uid").is_none() {
        let name = object
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        object["metadata"]["uid"] = json!(format!("uid-of-{name}"));
    }
    object
}

fn plane(object: &Value) -> String {
    named_plane(object).unwrap_or_default().to_owned()
}

fn named_plane(object: &Value) -> Option<&str> {
    object.pointer("/metadata/annotations")?.get(PLANE)?.as_str()
}

/// A plane is who its namespace `kube-system` is.
fn identity(object: &Value) -> Option<PlaneId> {
    let is = |pointer: &str, text: &str| object.pointer(pointer).and_then(Value::as_str) == Some(text);
    let found = is("/kind", "Namespace") && is("/metadata/name", "kube-system");
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str)?;
    found.then(|| PlaneId(uid.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn im1_images_are_those_of_the_installation_s_config_map() {
        let map = |plane: &str, config: &str| {
            json!({"kind": "ConfigMap", "data": {KEY: config}, "metadata": {
                "name": "i", "namespace": "n", "labels": {label::CONFIG: label::IMAGE_CONFIG}, "annotations": {PLANE: plane},
            }})
        };
        let config =
            "apiVersion: config.k8ssandra.io/v1beta2\nkind: ImageConfig\ndefaults: {registry: mine}\n";
        let Images::Config(read) = images([map("", config)].iter()) else {
            panic!("it can be read")
        };
        assert_eq!(read.image("medusa").text(), "mine/k8ssandra/medusa:0.29.1");
        assert_eq!(images([map("east", config)].iter()), Images::default());
        assert!(matches!(images([map("", "kind: x")].iter()), Images::Unknown(_)));
    }
    #[test]
    fn what_clusters_refer_to_is_in_every_plane_unless_it_names_one() {
        let kc = json!({"metadata": {"name": "c"}, "spec": {"cassandra": {"datacenters": [
            {"metadata": {"name": "dc1"}, "k8sContext": "east", "size": 1},
        ]}}});
        let clusters = [serde_json::from_value(kc).expect("a cluster")];
        let secret = |name: &str| json!({"kind": "Secret", "metadata": {"name": name}});
        let mut here = secret("here");
        here["metadata"]["annotations"] = json!({PLANE: ""});
        let snapshot = snapshot(&clusters, &[secret("stores"), here], &[secret("there-already")]);
        let names = |context: &str| -> Vec<String> {
            let Ok(plane) = &snapshot.planes[context] else {
                panic!("every plane answers")
            };
            let name = |object: &Value| object["metadata"]["name"].as_str().map(str::to_owned);
            plane.objects.iter().filter_map(name).collect()
        };
        assert_eq!(names("east"), ["stores"]);
        assert_eq!(names(""), ["stores", "here", "there-already"]);
    }
}
