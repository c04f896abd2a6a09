//! What stories of healing look at: who is in the ring, where it listens, and that there is one ring.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use api::names::label;
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use serde_json::Value;

use super::ring::{RING_WITHIN, whole};
use crate::eventually;
use crate::stories::clusters::name_of;
use crate::world::{DATABASES, Login, Node, NodeView, World};

/// Hints are sent some ten seconds after a node is back.
const HINTED_WITHIN: Duration = Duration::from_mins(3);

/// Makes the cluster and waits until it is one whole ring of so many nodes.
pub(super) async fn made(world: &World, spec: &Value, nodes: usize) -> anyhow::Result<Vec<NodeView>> {
    world.apply(&spec.to_string()).await?;
    world.ready(name_of(spec)?, RING_WITHIN).await?;
    whole(world, spec, nodes).await
}

/// A session with the first node of a datacenter.
pub(super) async fn session(
    world: &World,
    views: &[NodeView],
    datacenter: &str,
    login: &Login,
) -> anyhow::Result<Node> {
    let view = views.iter().find(|view| view.datacenter == datacenter);
    let view = view.with_context(|| format!("no node of {datacenter} is up"))?;
    world.log_in(view, login).await
}

/// Who is in a ring: by host id the datacenter and the address of the pod.
pub(super) type Members = BTreeMap<String, (String, String)>;

/// The members of a cluster's only ring, up or down. That it is the only one that there is, and the only one that ever was
/// founded, is part of it.
pub(super) async fn members(world: &World, cluster: &str) -> anyhow::Result<Members> {
    let state = world.ring_state().await?;
    let rings = state["rings"].as_array().into_iter().flatten();
    let rings: Vec<_> = rings.filter(|ring| ring["cluster"] == cluster).collect();
    ensure!(rings.len() == 1, "cluster {cluster} has {} rings", rings.len());
    founded_once(&state, cluster)?;
    let text = |node: &Value, field: &str| node[field].as_str().unwrap_or_default().to_owned();
    let nodes = rings[0]["nodes"].as_array().into_iter().flatten();
    let nodes = nodes.map(|node| {
        (
            text(node, "hostId"),
            (text(node, "datacenter"), text(node, "address")),
        )
    });
    Ok(nodes.collect())
}

/// That no node has made a ring of its own.
pub(super) fn founded_once(state: &Value, cluster: &str) -> anyhow::Result<()> {
    let founded = &state["founded"][cluster];
    ensure!(*founded == 1, "cluster {cluster} was founded {founded} times");
    Ok(())
}

/// Addresses of the members of a datacenter, in order.
pub(super) fn addresses(members: &Members, datacenter: &str) -> Vec<String> {
    let own = members.values().filter(|(name, _)| name == datacenter);
    let mut addresses: Vec<_> = own.map(|(_, address)| address.clone()).collect();
    addresses.sort();
    addresses
}

/// That the members are those of before, each with its host id, and that each node of a datacenter listens elsewhere now.
pub(super) fn moved(before: &Members, after: &Members, datacenter: &str) -> anyhow::Result<()> {
    let hosts = |members: &Members| members.keys().cloned().collect::<Vec<_>>();
    ensure!(
        hosts(before) == hosts(after),
        "the ring had {before:?} and has {after:?}"
    );
    for (host, (own, address)) in after.iter().filter(|(_, (own, _))| own == datacenter) {
        let is_new = addresses(before, own).iter().all(|old| old != address);
        ensure!(
            is_new,
            "{host} listens on {address}, where one of {own} was before"
        );
    }
    Ok(())
}

fn pods(world: &World, plane: &str) -> anyhow::Result<Api<Pod>> {
    let plane = world
        .planes
        .get(plane)
        .with_context(|| format!("no plane {plane}"))?;
    Ok(Api::namespaced(plane.client(), DATABASES))
}

/// Deletes every pod of a datacenter at once, and waits until none of those serves.
pub(super) async fn delete_pods(world: &World, plane: &str, datacenter: &str) -> anyhow::Result<usize> {
    let pods = pods(world, plane)?;
    let own = ListParams::default().labels(&format!("{}={datacenter}", label::CASSANDRA_DATACENTER));
    let all = pods.list(&own).await?.items;
    let names: Vec<String> = all.iter().filter_map(|pod| pod.metadata.name.clone()).collect();
    ensure!(!names.is_empty(), "{datacenter} has no pods in {plane}");
    let params = DeleteParams::default();
    try_join_all(names.iter().map(|name| pods.delete(name, &params))).await?;
    let looked = eventually("no node serves", RING_WITHIN, || async {
        let ready = pods.list(&own).await?.items;
        let ready = ready.iter().filter(|pod| is_ready(pod)).count();
        ensure!(ready == 0, "{ready} pods of {datacenter} are ready");
        Ok(Some(()))
    });
    looked.await?;
    Ok(names.len())
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| &status.conditions).flatten();
    let mut ready = conditions.filter(|condition| condition.type_ == "Ready");
    ready.any(|condition| condition.status == "True")
}

/// Waits until so many nodes of a datacenter serve again, and the operator says that it is ready.
pub(super) async fn back(world: &World, plane: &str, datacenter: &str, nodes: usize) -> anyhow::Result<()> {
    let (pods, datacenters) = (pods(world, plane)?, world.datacenters(plane)?);
    let own = ListParams::default().labels(&format!("{}={datacenter}", label::CASSANDRA_DATACENTER));
    let what = format!("{nodes} nodes of {datacenter} are back");
    let looked = eventually(&what, RING_WITHIN, || async {
        let ready = pods.list(&own).await?.items;
        let ready = ready.iter().filter(|pod| is_ready(pod)).count();
        ensure!(ready == nodes, "{ready} pods are ready");
        let said = datacenters.get(datacenter).await?;
        Ok(said.is_ready().then_some(()))
    });
    looked.await
}

/// Waits until the seeds that are published for a datacenter are some of these addresses and nothing else.
pub(super) async fn seeds_are_of(
    world: &World,
    (plane, service): (&str, &str),
    wanted: &[String],
) -> anyhow::Result<Vec<String>> {
    let plane = world
        .planes
        .get(plane)
        .with_context(|| format!("no plane {plane}"))?;
    let slices: Api<EndpointSlice> = Api::namespaced(plane.client(), DATABASES);
    let own = ListParams::default().labels(&format!("{}={service}", label::SERVICE_NAME));
    let what = format!("the slices of {service} follow");
    let looked = eventually(&what, RING_WITHIN, || async {
        let slices = slices.list(&own).await?.items;
        let endpoints = slices.iter().flat_map(|slice| &slice.endpoints);
        let published: Vec<String> = endpoints
            .flat_map(|endpoint| endpoint.addresses.clone())
            .collect();
        ensure!(!published.is_empty(), "they are empty");
        let known = published.iter().all(|address| wanted.contains(address));
        ensure!(known, "they have {published:?}, the nodes {wanted:?}");
        Ok(Some(published))
    });
    looked.await
}

/// Waits until a row is there that was written while this datacenter was away: its nodes get it as a hint.
pub(super) async fn gets_row(node: &Node, id: u32) -> anyhow::Result<()> {
    let what = format!("row {id} comes as a hint");
    eventually(&what, HINTED_WITHIN, || async {
        super::rows::has_row(node, id).await.map(Some)
    })
    .await
}
