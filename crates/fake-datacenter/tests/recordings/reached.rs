//! What the driver waited for, by the words that it used.

use std::sync::Arc;

use fake_apiserver::Server;
use serde_json::Value;

use crate::recording::Recording;

const DATACENTERS: &str = "cassandra.datastax.com/v1beta1";
const TASKS: &str = "control.k8ssandra.io/v1alpha1";

/// Whether it is so now.
pub fn is_so(server: &Server, recording: &Recording, label: &str) -> bool {
    let here = |api: &str, plural: &str| -> Vec<Arc<Value>> {
        let namespaces = recording.namespaces();
        let is_here = |object: &Arc<Value>| {
            namespaces
                .iter()
                .any(|namespace| object["metadata"]["namespace"] == *namespace)
        };
        server.all(api, plural).into_iter().filter(is_here).collect()
    };
    let datacenters = || here(DATACENTERS, "cassandradatacenters");
    let named =
        |all: Vec<Arc<Value>>, name: &str| all.into_iter().find(|object| object["metadata"]["name"] == *name);
    let pods = |wanted: usize| here("v1", "pods").len() == wanted;
    let task = |name: &str| named(here(TASKS, "cassandratasks"), name).is_some_and(|task| is_complete(&task));
    match label.split_whitespace().collect::<Vec<_>>()[..] {
        [name, "Ready", "at", "current", "generation"] => {
            named(datacenters(), name).is_some_and(|dc| is_ready(&dc))
        }
        ["no", "pods"] => pods(0),
        [count, "pods" | "pod"] => pods(count.parse().unwrap()),
        [count, "ready", "pods"] => {
            let ready = here("v1", "pods")
                .into_iter()
                .filter(|pod| has_condition(pod, "Ready"));
            ready.count() == count.parse::<usize>().unwrap()
        }
        ["pod", "starting"] => here("v1", "pods")
            .iter()
            .any(|pod| pod["metadata"]["labels"]["cassandra.datastax.com/node-state"] == "Starting"),
        ["dc", "object", "gone", ..] | ["dc", "gone", ..] | ["gone"] => datacenters().is_empty(),
        [name, "gone"] => named(datacenters(), name).is_none(),
        ["everything", "owned", "gone"] => {
            let owned = [
                ("v1", "pods"),
                ("v1", "services"),
                ("v1", "persistentvolumeclaims"),
                ("apps/v1", "statefulsets"),
            ];
            owned
                .into_iter()
                .all(|(api, plural)| here(api, plural).is_empty())
        }
        ["cleanup", "task", "complete"] => here(TASKS, "cassandratasks").iter().any(|task| is_complete(task)),
        ["refresh", "done"] => task("refresh1"),
        ["once" | "annotation", ..] => {
            let annotation = "cassandra.datastax.com/autoupdate-spec";
            datacenters()
                .iter()
                .all(|dc| dc["metadata"]["annotations"][annotation].is_null())
        }
        ["RequiresUpdate=True", ..] => datacenters().iter().any(|dc| has_condition(dc, "RequiresUpdate")),
        ["status", "has", "new", "ip"] => datacenters().iter().all(|dc| {
            let nodes = dc["status"]["nodeStatuses"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            let pods = here("v1", "pods");
            pods.iter().all(|pod| {
                let name = pod["metadata"]["name"].as_str().unwrap_or_default();
                nodes
                    .get(name)
                    .is_some_and(|node| node["ip"] == pod["status"]["podIP"])
            })
        }),
        ["RequiresUpdate=False"] => datacenters()
            .iter()
            .all(|dc| !has_condition(dc, "RequiresUpdate")),
        [name, "done"] => task(name),
        _ => panic!("{}: not understood: {label}", recording.name),
    }
}

fn is_ready(dc: &Value) -> bool {
    dc["status"]["cassandraOperatorProgress"] == "Ready"
        && dc["status"]["observedGeneration"] == dc["metadata"]["generation"]
}

fn is_complete(task: &Value) -> bool {
    task["status"]["completionTime"].is_string()
}

fn has_condition(object: &Value, kind: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions
        .into_iter()
        .any(|one| one["type"] == kind && one["status"] == "True")
}
