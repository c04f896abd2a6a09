//! Whether the pods of each rack run in the rack's zone.

use std::collections::BTreeMap;

use api::names::label;
use serde_json::Value;

use super::BadInput;
use super::expected::{Datacenter, Expected, ZONE};
use super::findings::Findings;

/// Pods and workers of one Kubernetes cluster, as `kubectl get -o json` prints them.
pub(super) struct Plane {
    /// Where the pods were read from.
    pub source: String,
    pub pods: Vec<Value>,
    /// Labels of the workers, by name.
    pub workers: BTreeMap<String, Value>,
}

impl Plane {
    /// Reads both lists; each is a text with its file's name.
    pub fn read(pods: (&str, &str), workers: (&str, &str)) -> Result<Self, BadInput> {
        let named = |worker: Value| {
            let name = text(&worker["metadata"]["name"]).to_owned();
            (name, worker["metadata"]["labels"].clone())
        };
        Ok(Plane {
            source: pods.0.to_owned(),
            pods: items("Pod", pods)?,
            workers: items("Node", workers)?.into_iter().map(named).collect(),
        })
    }
}

fn items(kind: &str, (source, text): (&str, &str)) -> Result<Vec<Value>, BadInput> {
    let list: Value = serde_json::from_str(text)
        .map_err(|error| BadInput::at(source, error.line(), format!("this is no JSON: {error}")))?;
    let items = list["items"]
        .as_array()
        .filter(|items| items.iter().all(|item| item["kind"] == kind));
    let items = items.filter(|items| !items.is_empty()).cloned();
    items.ok_or_else(|| {
        BadInput::of(
            source,
            format!("this is no list of objects of kind {kind}; give what `kubectl get -o json` prints"),
        )
    })
}

/// Every pod of a rack with a zone runs on a worker with that zone's label; every node has a pod.
pub(super) fn judge(expected: &Expected, planes: &[Plane], found: &mut Findings) {
    for (name, datacenter) in &expected.datacenters {
        let mut count = 0;
        for plane in planes {
            for pod in plane.pods.iter().filter(|pod| is_of(datacenter, pod)) {
                count += 1;
                one(name, datacenter, plane, pod, found);
            }
        }
        if count != datacenter.size {
            let sources: Vec<&str> = planes.iter().map(|plane| plane.source.as_str()).collect();
            let wrong = format!("{count} pods, and the spec says {}", datacenter.size);
            found.add(
                &sources.join(", "),
                name,
                "",
                wrong,
                "give the pods of all its planes and namespaces, or look why some are missing",
            );
        }
    }
}

fn is_of(datacenter: &Datacenter, pod: &Value) -> bool {
    text(&pod["metadata"]["labels"][label::CASSANDRA_DATACENTER]) == datacenter.object
        && !text(&pod["metadata"]["labels"][label::CASSANDRA_RACK]).is_empty()
}

fn one(name: &str, datacenter: &Datacenter, plane: &Plane, pod: &Value, found: &mut Findings) {
    let rack = text(&pod["metadata"]["labels"][label::CASSANDRA_RACK]);
    let rack = datacenter.racks.iter().find(|it| it.name == rack);
    let Some(zone) = rack.and_then(|rack| rack.zone.as_deref()) else {
        return;
    };
    let worker = text(&pod["spec"]["nodeName"]);
    let label = plane.workers.get(worker).map(|labels| text(&labels[ZONE]));
    let (wrong, advice) = match label {
        _ if worker.is_empty() => (
            "it runs nowhere".to_owned(),
            "no worker takes it: see `kubectl describe pod`",
        ),
        None => (
            format!("its worker {worker} is not among those that were given"),
            "give the workers of the same Kubernetes cluster with --nodes",
        ),
        Some(there) if there == zone => return,
        Some("") => (
            format!("its worker {worker} has no label {ZONE}; its rack is for zone {zone}"),
            "label the worker",
        ),
        Some(there) => (
            format!("its worker {worker} is in zone {there}, and its rack is for zone {zone}"),
            "the rack's affinity came after the pod, or the worker's label was changed: move the pod to a worker of the zone",
        ),
    };
    let pod = format!("pod {}", text(&pod["metadata"]["name"]));
    found.add(&plane.source, name, &pod, wrong, advice);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::expected::Rack;
    use serde_json::json;

    fn expected() -> Expected {
        let racks = ["a", "b"].map(|zone| Rack {
            name: format!("r-{zone}"),
            zone: Some(zone.to_owned()),
        });
        let datacenter = Datacenter {
            object: "dc1".to_owned(),
            size: 2,
            racks: racks.to_vec(),
        };
        Expected {
            datacenters: [("In Ring".to_owned(), datacenter)].into(),
            external: vec![],
        }
    }

    fn pods(workers: [&str; 2]) -> String {
        let pod = |(rack, worker): (&str, &str)| {
            json!({"kind": "Pod", "metadata": {"name": format!("demo-{rack}"), "labels": {
            label::CASSANDRA_DATACENTER: "dc1", label::CASSANDRA_RACK: rack,
        }}, "spec": {"nodeName": worker}})
        };
        let pods: Vec<Value> = ["r-a", "r-b"].into_iter().zip(workers).map(pod).collect();
        json!({"kind": "List", "items": pods}).to_string()
    }

    fn said(pods: &str) -> Vec<String> {
        let worker =
            |name: &str, labels: Value| json!({"kind": "Node", "metadata": {"name": name, "labels": labels}});
        let workers = json!({"items": [worker("w1", json!({ZONE: "a"})), worker("w2", json!({ZONE: "b"})), worker("w3", json!({}))]});
        let plane = Plane::read(("pods.json", pods), ("nodes.json", &workers.to_string())).unwrap();
        let mut found = Findings::default();
        judge(&expected(), &[plane], &mut found);
        found.all().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn pods_in_their_racks_zones_are_no_finding() {
        assert_eq!(said(&pods(["w1", "w2"])), Vec::<String>::new());
    }

    #[test]
    fn a_pod_elsewhere_is_named_with_both_zones() {
        let told = |workers| said(&pods(workers)).concat();
        assert!(told(["w2", "w2"]).starts_with(
            "In Ring: pod demo-r-a: its worker w2 is in zone b, and its rack is for zone a (pods.json); "
        ));
        assert!(
            told(["w1", "w3"]).contains("has no label topology.kubernetes.io/zone; its rack is for zone b")
        );
        assert!(told(["w1", "w9"]).contains("its worker w9 is not among"));
        assert!(told(["w1", ""]).contains("it runs nowhere"));
    }

    #[test]
    fn pods_that_are_missing_are_counted() {
        let one = pods(["w1", "w2"]).replace("r-b", "");
        assert!(
            said(&one)
                .concat()
                .starts_with("In Ring: 1 pods, and the spec says 2 (pods.json)")
        );
    }

    #[test]
    fn what_is_no_list_of_the_kind_is_refused() {
        let read = |pods, nodes| {
            Plane::read(("pods.json", pods), ("nodes.json", nodes))
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        let given = pods(["w1", "w2"]);
        assert!(read("{\n}}", "").starts_with("pods.json, line 2: "));
        assert!(read(&given, &given).starts_with("nodes.json: this is no list of objects of kind Node"));
    }
}
