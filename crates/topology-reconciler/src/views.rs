//! What is kept of the objects that are watched.

use std::collections::{BTreeMap, BTreeSet};

use api::names::label;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plan::topology::{Family, Headless, Owner, Port, SeedPod, Slice, seed_address};
use runtime::Key;

use crate::kinds::{PodParts, ServiceParts};

/// A pod that is a seed, and the datacenter that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodView {
    pub datacenter: String,
    pub pod: SeedPod,
}

/// End of the name of an all-pods service.
const ALL_PODS: &str = "-all-pods-service";
/// Name of the management API's port.
const MANAGEMENT_PORT: &str = "mgmt-api-http";

pub(crate) fn seed_pod(pod: PodParts) -> PodView {
    let labels = pod.metadata.labels.unwrap_or_default();
    let several = pod.status.ips.into_iter().map(|several| several.ip);
    let addresses = several
        .chain(pod.status.ip)
        .filter_map(|text| seed_address(&text));
    let mut addresses: Vec<_> = addresses.collect();
    addresses.sort_unstable();
    addresses.dedup();
    let containers = pod.spec.containers.into_iter();
    let cassandra = containers.filter(|container| container.name == "cassandra");
    let mut ports = cassandra.flat_map(|container| container.ports);
    let management = ports.find(|port| port.name.as_deref() == Some(MANAGEMENT_PORT));
    PodView {
        datacenter: labels
            .get(label::CASSANDRA_DATACENTER)
            .cloned()
            .unwrap_or_default(),
        pod: SeedPod {
            name: pod.metadata.name.unwrap_or_default(),
            addresses,
            management_port: management.and_then(|port| u16::try_from(port.container_port).ok()),
        },
    }
}

/// Host names are no seeds, and upstream writes none.
pub(crate) fn slice(object: EndpointSlice) -> Option<Slice> {
    let family = Family::parse(&object.address_type)?;
    let metadata = object.metadata;
    let ports = object.ports.unwrap_or_default().into_iter();
    let addresses = object
        .endpoints
        .into_iter()
        .flat_map(|endpoint| endpoint.addresses);
    Some(Slice {
        family,
        addresses: addresses.filter_map(|text| seed_address(&text)).collect(),
        not_serving: BTreeSet::new(),
        ports: ports
            .filter_map(|port| Some(port_of(port.name, port.port?, port.protocol)))
            .collect(),
        owners: owners(&metadata),
        name: metadata.name.unwrap_or_default(),
        namespace: metadata.namespace.unwrap_or_default(),
        uid: metadata.uid.unwrap_or_default(),
        resource_version: metadata.resource_version.unwrap_or_default(),
        labels: metadata.labels.unwrap_or_default(),
        annotations: metadata.annotations.unwrap_or_default(),
    })
}

/// Slices that carry the cluster's labels and are not of the all-pods service are of no use here. Versions change all the
/// time and mean nothing here, so they are dropped.
pub(crate) fn all_pods(object: EndpointSlice) -> Option<Slice> {
    let not_serving = not_serving(&object.endpoints);
    let mut slice = slice(object)?;
    slice.not_serving = not_serving;
    if !slice.label(label::SERVICE_NAME).ends_with(ALL_PODS) {
        return None;
    }
    slice.resource_version.clear();
    slice.annotations.clear();
    Some(slice)
}

/// The service publishes pods that are not ready, so `ready` says nothing, but `serving` does. A pod that is being deleted
/// goes as it should.
fn not_serving(endpoints: &[Endpoint]) -> BTreeSet<String> {
    let is_down = |endpoint: &&Endpoint| {
        let conditions = endpoint.conditions.as_ref();
        let says = |what: fn(&EndpointConditions) -> Option<bool>| conditions.and_then(what);
        says(|it| it.serving) == Some(false) && says(|it| it.terminating) != Some(true)
    };
    let down = endpoints.iter().filter(is_down);
    down.filter_map(|endpoint| endpoint.target_ref.as_ref()?.name.clone())
        .collect()
}

pub(crate) fn headless(service: ServiceParts) -> Headless {
    let ports = service.ports();
    let metadata = service.metadata;
    Headless {
        ports: ports
            .into_iter()
            .map(|port| port_of(port.name, port.port, port.protocol))
            .collect(),
        owners: owners(&metadata),
        name: metadata.name.unwrap_or_default(),
        uid: metadata.uid.unwrap_or_default(),
        resource_version: metadata.resource_version.unwrap_or_default(),
        labels: metadata.labels.unwrap_or_default(),
        annotations: metadata.annotations.unwrap_or_default(),
    }
}

fn port_of(name: Option<String>, port: i32, protocol: Option<String>) -> Port {
    let protocol = protocol.unwrap_or_else(|| "TCP".to_owned());
    Port {
        name: name.unwrap_or_default(),
        port,
        protocol,
    }
}

fn owners(metadata: &ObjectMeta) -> Vec<Owner> {
    let owners = metadata.owner_references.iter().flatten();
    owners
        .map(|owner| Owner {
            kind: owner.kind.clone(),
            uid: owner.uid.clone(),
        })
        .collect()
}

/// The cluster that labels name.
pub(crate) fn cluster_of(labels: &BTreeMap<String, String>) -> Option<Key> {
    let text = |key: &str| labels.get(key).cloned();
    Some(Key {
        namespace: text(label::CLUSTER_NAMESPACE)?,
        name: text(label::CLUSTER_NAME)?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_is_kept_with_its_addresses_and_the_port_of_its_management_api() {
        let pod = serde_json::from_value(json!({
            "metadata": { "name": "p0", "labels": { "cassandra.datastax.com/datacenter": "dc1" } },
            "spec": { "containers": [
                { "name": "sidecar", "ports": [{ "name": "mgmt-api-http", "containerPort": 1 }] },
                { "name": "cassandra", "ports": [
                    { "name": "native", "containerPort": 9042 },
                    { "name": "mgmt-api-http", "containerPort": 8081 },
                ] },
            ] },
            "status": { "podIP": "198.18.0.1", "podIPs": [{ "ip": "198.18.0.1" }, { "ip": "fd00::1" }] },
        }))
        .unwrap();
        let view = seed_pod(pod);
        assert_eq!(view.datacenter, "dc1");
        assert_eq!(
            view.pod.addresses,
            [
                "198.18.0.1".parse::<std::net::IpAddr>().unwrap(),
                "fd00::1".parse().unwrap()
            ]
        );
        assert_eq!(view.pod.management_port, Some(8081));
    }

    #[test]
    fn a_pod_without_an_address_is_no_seed_yet() {
        let view = seed_pod(serde_json::from_value(json!({ "metadata": { "name": "p0" } })).unwrap());
        assert_eq!(view.pod.addresses, Vec::<std::net::IpAddr>::new());
        assert_eq!(view.pod.management_port, None);
    }

    #[test]
    fn readiness_of_a_pod_does_not_change_what_is_kept_of_its_slice() {
        let slice = |ready: bool, version: &str| {
            all_pods(
                serde_json::from_value(json!({
                    "metadata": {
                        "name": "x", "namespace": "db", "uid": "u", "resourceVersion": version,
                        "labels": { "kubernetes.io/service-name": "demo-dc1-all-pods-service" },
                    },
                    "addressType": "IPv4",
                    "endpoints": [{ "addresses": ["198.18.0.1"], "conditions": { "ready": ready } }],
                    "ports": [{ "name": "native", "port": 9042, "protocol": "TCP" }],
                }))
                .unwrap(),
            )
        };
        assert!(slice(true, "1").is_some());
        assert_eq!(slice(true, "1"), slice(false, "2"));
    }

    #[test]
    fn slices_of_other_services_and_of_host_names_are_not_kept() {
        let slice = |service: &str, family: &str| {
            all_pods(
                serde_json::from_value(json!({
                    "metadata": { "name": "x", "labels": { "kubernetes.io/service-name": service } },
                    "addressType": family, "endpoints": [],
                }))
                .unwrap(),
            )
        };
        assert!(slice("demo-dc1-all-pods-service", "IPv4").is_some());
        assert_eq!(slice("demo-dc1-service", "IPv4"), None);
        assert_eq!(slice("demo-dc1-all-pods-service", "FQDN"), None);
    }

    #[test]
    fn a_pod_that_does_not_serve_is_kept_by_name_unless_it_goes() {
        let endpoint = |pod: &str, serving: bool, terminating: bool| {
            json!({
                "addresses": ["198.18.0.1"],
                "conditions": { "ready": true, "serving": serving, "terminating": terminating },
                "targetRef": { "kind": "Pod", "name": pod },
            })
        };
        let object = serde_json::from_value(json!({
            "metadata": {
                "name": "x", "namespace": "db",
                "labels": { "kubernetes.io/service-name": "demo-dc1-all-pods-service" },
            },
            "addressType": "IPv4",
            "endpoints": [endpoint("p0", true, false), endpoint("p1", false, false), endpoint("p2", false, true)],
        }));
        let slice = all_pods(object.unwrap()).unwrap();
        assert_eq!(slice.not_serving, ["p1".to_owned()].into());
    }
}
