//! EndpointSlices: those of the endpoint slice controller, and those that the operator makes of `additionalSeeds`.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::Dc;
use crate::json::{self, text};
use crate::names;
use crate::pace::fnv;

/// One pod behind a service.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its address.
    pub address: String,
    /// The pod.
    pub pod: String,
    /// The pod's uid.
    pub uid: String,
    /// Whether the pod is ready.
    pub ready: bool,
    /// Whether the pod is being deleted.
    pub terminating: bool,
    /// The pod's host name and the service under which it is known.
    pub host: (String, String),
}

/// The slice of a service as the endpoint slice controller would write it. `endpoints` are in the order shown.
#[must_use]
pub fn service_slice(service: &Value, endpoints: &[Endpoint]) -> Value {
    let (name, namespace) = (json::name(service), text(service, "/metadata/namespace"));
    let all = service
        .pointer("/spec/publishNotReadyAddresses")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let mut labels = service
        .pointer("/metadata/labels")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    for (key, value) in [
        (
            "endpointslice.kubernetes.io/managed-by",
            "endpointslice-controller.k8s.io",
        ),
        (names::SERVICE_NAME, name),
        ("service.kubernetes.io/headless", ""),
    ] {
        labels.insert(key.into(), value.into());
    }
    let endpoint = |endpoint: &Endpoint| {
        let mut shown = json!({
            "addresses": [endpoint.address],
            "conditions": {
                "ready": all || (endpoint.ready && !endpoint.terminating),
                "serving": endpoint.ready,
                "terminating": endpoint.terminating,
            },
            "nodeName": "fake-node",
            "targetRef": {"kind": "Pod", "name": endpoint.pod, "namespace": namespace, "uid": endpoint.uid},
        });
        let (host, domain) = &endpoint.host;
        if domain == name {
            shown["hostname"] = host.as_str().into();
        }
        shown
    };
    // Which port a name stands for is looked up in a pod: without pods there are no ports.
    let ports = json::list(service, "/spec/ports").iter().filter(|_| !endpoints.is_empty()).map(
        |port| json!({"name": text(port, "/name"), "port": json::number(port, "/port"), "protocol": "TCP"}),
    );
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "addressType": "IPv4",
        "metadata": {
            "name": format!("{name}-{:05x}", fnv(json::uid(service).as_bytes()) & 0xf_ffff),
            "generateName": format!("{name}-"),
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [{
                "apiVersion": "v1",
                "kind": "Service",
                "name": name,
                "uid": json::uid(service),
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "endpoints": endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        "ports": ports.collect::<Vec<_>>(),
    })
}

/// The three slices of `additionalSeeds` by address type: name, and the slice or `None` when it has no address.
#[must_use]
pub fn additional_seed_slices(dc: &Dc) -> Vec<(String, Option<Value>)> {
    let seeds: Vec<&str> = json::list(&dc.0, "/spec/additionalSeeds")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let of = |kind: fn(&IpAddr) -> bool| -> Vec<&str> {
        seeds
            .iter()
            .copied()
            .filter(|seed| seed.parse().is_ok_and(|address| kind(&address)))
            .collect()
    };
    let names_only: Vec<&str> = seeds
        .iter()
        .copied()
        .filter(|seed| seed.parse::<IpAddr>().is_err())
        .collect();
    [
        ("ipv4", "IPv4", of(IpAddr::is_ipv4)),
        ("ipv6", "IPv6", of(IpAddr::is_ipv6)),
        ("fqdn", "FQDN", names_only),
    ]
    .into_iter()
    .map(|(suffix, kind, addresses)| {
        let name = format!("{}-{suffix}", dc.additional_seed_service());
        let slice = (!addresses.is_empty()).then(|| seed_slice(dc, &name, kind, &addresses));
        (name, slice)
    })
    .collect()
}

fn seed_slice(dc: &Dc, name: &str, kind: &str, addresses: &[&str]) -> Value {
    let mut labels: Map<String, Value> = dc.labels();
    labels.insert(names::SERVICE_NAME.into(), dc.additional_seed_service().into());
    labels.insert(
        "endpointslice.kubernetes.io/managed-by".into(),
        "cass-operator".into(),
    );
    // Name slices take one name an endpoint, address slices up to a hundred.
    let endpoints: Vec<_> = if kind == "FQDN" {
        addresses
            .iter()
            .map(|name| json!({"addresses": [name]}))
            .collect()
    } else {
        vec![json!({"addresses": addresses})]
    };
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "addressType": kind,
        "metadata": {
            "name": name,
            "namespace": dc.namespace(),
            "labels": labels,
            "annotations": {names::RESOURCE_HASH: format!("{:016x}", fnv(addresses.join(",").as_bytes()))},
            "ownerReferences": [dc.owner()],
        },
        "endpoints": endpoints,
    })
}
