//! What the stories begin with and look at: clusters, rings, writes.

use std::time::Duration;

use anyhow::{Context, ensure};
use api::cass_operator::CassandraDatacenter;
use api::k8ssandra_cluster::K8ssandraCluster;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::audit::Entry;
use crate::eventually;
use crate::world::{DATABASES, NAMESPACE, USER, World};

/// A ring of two small datacenters takes a few seconds; a loaded machine may take much longer.
pub(super) const SOON: Duration = Duration::from_secs(90);
/// Within which a hold must be told.
pub(super) const TOLD: Duration = Duration::from_secs(15);

/// A datacenter of the spec.
pub(super) fn dc(name: &str, context: &str, size: u8) -> Value {
    json!({"metadata": {"name": name}, "k8sContext": context, "size": size})
}

/// A cluster with these datacenters, one rack each.
pub(super) fn cluster(name: &str, datacenters: &[Value]) -> Value {
    json!({
        "apiVersion": "k8ssandra.io/v1alpha1",
        "kind": "K8ssandraCluster",
        "metadata": {"name": name, "namespace": DATABASES},
        "spec": {"cassandra": {
            "serverVersion": "4.1.5",
            "storageConfig": {"cassandraDataVolumeClaimSpec": {
                "storageClassName": "standard",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            }},
            "datacenters": datacenters,
        }},
    })
}

/// Applies a cluster and waits until it is Ready.
pub(super) async fn make(world: &World, cluster: &Value) -> anyhow::Result<K8ssandraCluster> {
    world.apply(&cluster.to_string()).await?;
    world.ready(name_of(cluster)?, SOON).await
}

pub(super) fn name_of(cluster: &Value) -> anyhow::Result<&str> {
    cluster["metadata"]["name"]
        .as_str()
        .context("a cluster without a name")
}

/// Changes a cluster by a merge patch, as `kubectl patch` would.
pub(super) async fn patch(world: &World, name: &str, patch: &Value) -> anyhow::Result<()> {
    let params = PatchParams {
        field_manager: Some(USER.to_owned()),
        ..PatchParams::default()
    };
    world
        .clusters()
        .patch(name, &params, &Patch::Merge(patch))
        .await?;
    Ok(())
}

/// Gives a cluster other datacenters.
pub(super) async fn set_datacenters(world: &World, name: &str, datacenters: &[Value]) -> anyhow::Result<()> {
    patch(
        world,
        name,
        &json!({"spec": {"cassandra": {"datacenters": datacenters}}}),
    )
    .await
}

/// Deletes a cluster and waits until it is gone.
pub(super) async fn delete(world: &World, name: &str) -> anyhow::Result<()> {
    world.clusters().delete(name, &DeleteParams::default()).await?;
    gone(&world.clusters(), name, SOON).await
}

/// Waits until an object is gone.
pub(super) async fn gone<K>(api: &Api<K>, name: &str, within: Duration) -> anyhow::Result<()>
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let what = format!("{name} is gone");
    let looked = eventually(&what, within, || async {
        Ok(api.get_opt(name).await?.is_none().then_some(()))
    });
    looked.await
}

/// Nodes that are up and normal, by datacenter, in the only ring of a cluster. More than one ring is an error.
pub(super) async fn ring(world: &World, cluster: &str) -> anyhow::Result<Vec<(String, usize)>> {
    let state = world.ring_state().await?;
    let rings: Vec<&Value> = state["rings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|ring| ring["cluster"] == cluster)
        .collect();
    let rings: Vec<&&Value> = rings
        .iter()
        .filter(|ring| ring["nodes"].as_array().is_some_and(|nodes| !nodes.is_empty()))
        .collect();
    ensure!(rings.len() <= 1, "cluster {cluster} has {} rings", rings.len());
    let mut count = std::collections::BTreeMap::new();
    for node in rings
        .iter()
        .flat_map(|ring| ring["nodes"].as_array().into_iter().flatten())
    {
        let datacenter = node["datacenter"]
            .as_str()
            .context("a node without a datacenter")?;
        if node["state"] == "UN" {
            *count.entry(datacenter.to_owned()).or_insert(0) += 1;
        }
    }
    Ok(count.into_iter().collect())
}

/// Checks the ring.
pub(super) async fn ring_is(world: &World, cluster: &str, expected: &[(&str, usize)]) -> anyhow::Result<()> {
    let found = ring(world, cluster).await?;
    let expected: Vec<(String, usize)> = expected
        .iter()
        .map(|(name, nodes)| ((*name).to_owned(), *nodes))
        .collect();
    ensure!(
        found == expected,
        "the ring of {cluster} has {found:?} up and normal, expected {expected:?}"
    );
    Ok(())
}

/// Waits for the ring.
pub(super) async fn ring_becomes(
    world: &World,
    cluster: &str,
    expected: &[(&str, usize)],
) -> anyhow::Result<()> {
    let looked = eventually("the ring", SOON, || async {
        ring_is(world, cluster, expected).await.map(Some)
    });
    looked.await
}

/// A datacenter that must be there.
pub(super) async fn datacenter(
    world: &World,
    plane: &str,
    name: &str,
) -> anyhow::Result<CassandraDatacenter> {
    Ok(world.datacenters(plane)?.get(name).await?)
}

/// That there is no datacenter of that name.
pub(super) async fn no_datacenter(world: &World, plane: &str, name: &str) -> anyhow::Result<()> {
    let found = world.datacenters(plane)?.get_opt(name).await?;
    ensure!(found.is_none(), "CassandraDatacenter {name} is in {plane}");
    Ok(())
}

/// Writes of the five programs after a moment, without Events.
pub(super) fn writes_since(world: &World, mark: usize) -> anyhow::Result<Vec<Entry>> {
    let writes = world.writes()?;
    Ok(writes
        .into_iter()
        .filter(|entry| !entry.is_event())
        .skip(mark)
        .collect())
}

/// How many writes there were, to count from.
pub(super) fn mark(world: &World) -> anyhow::Result<usize> {
    Ok(writes_since(world, 0)?.len())
}

/// That nothing is written for a time: real time, since the programs run in it.
pub(super) async fn quiet(world: &World, for_: Duration) -> anyhow::Result<()> {
    nothing_asked(world, for_, |entry| entry.is_write() && !entry.is_event()).await
}

/// Waits until nothing is written for two seconds.
pub(super) async fn calm(world: &World) -> anyhow::Result<()> {
    let looked = eventually("nothing is written any more", SOON, || async {
        quiet(world, Duration::from_secs(2)).await.map(Some)
    });
    looked.await
}

/// That nothing is written and nothing read for a time. A watch that begins anew is no read.
pub(super) async fn idle(world: &World, for_: Duration) -> anyhow::Result<()> {
    let read = |entry: &Entry| matches!(entry.verb.as_str(), "get" | "list") && entry.is_read();
    nothing_asked(world, for_, |entry| {
        read(entry) || entry.is_write() && !entry.is_event()
    })
    .await
}

async fn nothing_asked(world: &World, for_: Duration, counts: impl Fn(&Entry) -> bool) -> anyhow::Result<()> {
    let asked = || -> anyhow::Result<Vec<Entry>> {
        let requests = world.requests()?.into_iter();
        Ok(requests
            .filter(|entry| entry.is_by(NAMESPACE, None) && counts(entry))
            .collect())
    };
    let before = asked()?.len();
    tokio::time::sleep(for_).await;
    let new: Vec<String> = asked()?
        .iter()
        .skip(before)
        .map(|it| {
            format!(
                "{} {} {} {} in {}",
                it.program(),
                it.verb,
                it.resource,
                it.name,
                it.plane
            )
        })
        .collect();
    ensure!(
        new.is_empty(),
        "asked although nothing happened: {}",
        new.join(", ")
    );
    Ok(())
}

/// That no program has ended by itself.
pub(super) fn nobody_ended(world: &mut World) -> anyhow::Result<()> {
    for (name, program) in &mut world.programs {
        ensure!(program.exited().is_none(), "{name} has ended by itself");
    }
    Ok(())
}

/// Keeps the programs' logs where a person finds them.
pub(super) fn keep_logs(world: &World, story: &str) -> anyhow::Result<()> {
    let folder = world.setup().root.join("target/e2e").join(story);
    std::fs::create_dir_all(&folder)?;
    for program in world.programs.values().chain([&world.stand_in]) {
        std::fs::copy(program.log_file(), folder.join(format!("{}.log", program.name())))?;
    }
    Ok(())
}

/// The ClientConfigs of the installation.
pub(super) fn client_configs(world: &World) -> Api<api::client_config::ClientConfig> {
    Api::namespaced(world.planes.control.client(), NAMESPACE)
}

/// Waits until a ClientConfig is (not) usable for that reason; returns the message.
pub(super) async fn client_config_says(
    world: &World,
    name: &str,
    status: &str,
    reason: &str,
) -> anyhow::Result<String> {
    let configs = client_configs(world);
    let what = format!("ClientConfig {name} Usable={status} {reason}");
    let looked = eventually(&what, TOLD, || async {
        let config = configs.get(name).await?;
        let conditions = config.status.iter().flat_map(|status| &status.conditions);
        let said: Vec<_> = conditions.filter(|it| it.type_ == "Usable").collect();
        let found = said
            .iter()
            .find(|it| it.status == status && it.reason.as_deref() == Some(reason));
        ensure!(found.is_some(), "{said:?}");
        Ok(found.map(|it| it.message.clone().unwrap_or_default()))
    });
    looked.await
}
