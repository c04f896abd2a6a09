//! What is kept of the objects that are watched.

use std::collections::BTreeMap;

use api::cass_operator::{CassandraDatacenter, CassandraTask};
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::label;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plan::topology::{
    Cluster, Datacenter, Family, Headless, Owner, Port, RebuildTask, SeedPod, Slice, seed_address,
};
use runtime::Key;

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

pub(crate) fn cluster(kc: K8ssandraCluster) -> Option<Cluster> {
    Some(Cluster::of(&kc))
}

pub(crate) fn datacenter(object: CassandraDatacenter) -> Option<Datacenter> {
    Some(Datacenter::of(&object))
}

pub(crate) fn rebuild(task: CassandraTask) -> Option<RebuildTask> {
    Some(RebuildTask::of(&task))
}

pub(crate) fn seed_pod(pod: Pod) -> Option<PodView> {
    let labels = pod.metadata.labels.unwrap_or_default();
    let status = pod.status.unwrap_or_default();
    let several = status.pod_ips.into_iter().flatten().map(|ip| ip.ip);
    let addresses = several
        .chain(status.pod_ip)
        .filter_map(|text| seed_address(&text));
    let mut addresses: Vec<_> = addresses.collect();
    addresses.sort_unstable();
    addresses.dedup();
    let containers = pod.spec.into_iter().flat_map(|spec| spec.containers);
    let ports = containers
        .filter(|container| container.name == "cassandra")
        .flat_map(|container| container.ports);
    let management = ports
        .flatten()
        .find(|port| port.name.as_deref() == Some(MANAGEMENT_PORT));
    Some(PodView {
        datacenter: labels
            .get(label::CASSANDRA_DATACENTER)
            .cloned()
            .unwrap_or_default(),
        pod: SeedPod {
            name: pod.metadata.name.unwrap_or_default(),
            addresses,
            management_port: management.and_then(|port| u16::try_from(port.container_port).ok()),
        },
    })
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
        ports: ports
            .filter_map(|port| port_of(port.name, port.port?, port.protocol))
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

/// Slices that carry the cluster's labels and are not of the all-pods service are of no use here. Readiness and
/// versions change all the time and mean nothing here, so they are dropped.
pub(crate) fn all_pods(object: EndpointSlice) -> Option<Slice> {
    let mut slice = slice(object)?;
    if !slice.label(label::SERVICE_NAME).ends_with(ALL_PODS) {
        return None;
    }
    slice.resource_version.clear();
    slice.annotations.clear();
    Some(slice)
}

pub(crate) fn headless(service: Service) -> Option<Headless> {
    let metadata = service.metadata;
    let ports = service.spec.unwrap_or_default().ports.unwrap_or_default();
    Some(Headless {
        ports: ports
            .into_iter()
            .filter_map(|port| port_of(port.name, port.port, port.protocol))
            .collect(),
        owners: owners(&metadata),
        name: metadata.name.unwrap_or_default(),
        uid: metadata.uid.unwrap_or_default(),
        resource_version: metadata.resource_version.unwrap_or_default(),
        labels: metadata.labels.unwrap_or_default(),
        annotations: metadata.annotations.unwrap_or_default(),
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "used where ports without a number are left out"
)]
fn port_of(name: Option<String>, port: i32, protocol: Option<String>) -> Option<Port> {
    let protocol = protocol.unwrap_or_else(|| "TCP".to_owned());
    Some(Port {
        name: name.unwrap_or_default(),
        port,
        protocol,
    })
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
