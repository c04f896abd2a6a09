//! Changes of datacenters that run: whose they are, in which order they come, and what is not written.

use anyhow::{Context, ensure};
use api::reports::ClusterDatacenterReport;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::clusters::{
    SOON, TOLD, calm, cluster, datacenter, dc, delete, make, mark, patch, ring_is, set_datacenters,
    writes_since,
};
use crate::audit::Entry;
use crate::eventually;
use crate::world::{DATABASES, World};

/// An edit of Cassandra's configuration.
fn setting(key: &str, value: &Value) -> Value {
    json!({"spec": {"cassandra": {"config": {"cassandraYaml": {key: value}}}}})
}

/// What a CassandraDatacenter gives Cassandra for a key.
async fn given(world: &World, plane: &str, name: &str, key: &str) -> anyhow::Result<Value> {
    let spec = serde_json::to_value(datacenter(world, plane, name).await?.spec)?;
    let config = spec.pointer(&format!("/config/cassandra-yaml/{key}"));
    Ok(config.cloned().unwrap_or_default())
}

pub(super) async fn one_after_another(world: &mut World) -> anyhow::Result<()> {
    let name = "rolls";
    let all = [("east", "dc1"), ("west", "dc2"), ("north", "dc3")];
    let datacenters = all.map(|(plane, name)| dc(name, plane, 1));
    make(world, &cluster(name, &datacenters)).await?;
    let mut generations = Vec::new();
    for (plane, name) in all {
        generations.push(datacenter(world, plane, name).await?.metadata.generation);
    }
    let (from, asked) = (mark(world)?, world.requests()?.len());
    patch(world, name, &setting("concurrent_reads", &json!(48))).await?;
    world.ready(name, SOON).await?;
    for ((plane, name), before) in all.into_iter().zip(generations) {
        let now = datacenter(world, plane, name).await?.metadata.generation;
        ensure!(
            now == before.map(|it| it + 1),
            "{name}: generation {before:?} has become {now:?}"
        );
        ensure!(
            given(world, plane, name, "concurrent_reads").await? == 48,
            "{name} has not got the edit"
        );
    }
    let writes = writes_since(world, from)?;
    let requests = world.requests()?;
    let turns = all.map(|(plane, name)| turn(&writes, &requests[asked..], plane, name));
    let turns = turns.into_iter().collect::<anyhow::Result<Vec<Turn>>>()?;
    for pair in turns.windows(2) {
        let [former, latter] = pair else { continue };
        ensure!(
            former.rolled < latter.written,
            "{} was written at {}, and the pods of {} were rolled until {}",
            latter.name,
            latter.written,
            former.name,
            former.rolled
        );
    }
    ring_is(world, name, &[("dc1", 1), ("dc2", 1), ("dc3", 1)]).await?;
    delete(world, name).await
}

/// When a datacenter had its turn. Times are those of the audit logs, all of this machine.
#[derive(Debug)]
struct Turn {
    name: &'static str,
    /// When we first wrote it.
    written: String,
    /// When its last pod was labelled as started.
    rolled: String,
}

fn turn(
    writes: &[Entry],
    requests: &[Entry],
    plane: &'static str,
    name: &'static str,
) -> anyhow::Result<Turn> {
    let ours = writes
        .iter()
        .find(|entry| entry.resource == "cassandradatacenters" && entry.name == name);
    let written = ours
        .with_context(|| format!("{name} was not written"))?
        .at
        .clone();
    let pods: Vec<&Entry> = requests
        .iter()
        .filter(|entry| entry.plane == plane && entry.resource == "pods" && entry.is_write())
        .collect();
    ensure!(
        pods.iter().any(|pod| pod.verb == "delete"),
        "no pod of {name} was restarted"
    );
    let started = pods
        .iter()
        .rev()
        .find(|pod| pod.verb == "patch" && pod.subresource.is_empty());
    let rolled = started
        .with_context(|| format!("no pod of {name} was started"))?
        .at
        .clone();
    ensure!(
        written < rolled,
        "the pods of {name} were rolled before it was written"
    );
    Ok(Turn {
        name,
        written,
        rolled,
    })
}

/// In a registry that nobody can have.
const NOBODYS_IMAGE: &str = "registry.invalid/cassandra:4.1.5";

fn image(name: &str) -> Value {
    json!({"spec": {"cassandra": {"serverImage": name}}})
}

pub(super) async fn mended(world: &mut World) -> anyhow::Result<()> {
    let name = "mends";
    make(
        world,
        &cluster(name, &[dc("dc1", "east", 1), dc("dc2", "west", 1)]),
    )
    .await?;
    let untouched = datacenter(world, "west", "dc2").await?.metadata.generation;
    patch(world, name, &image(NOBODYS_IMAGE)).await?;
    let east = world.planes.get("east").context("east")?.client();
    let pods = Api::<Pod>::namespaced(east, DATABASES);
    eventually("a node of dc1 cannot start", SOON, || async {
        let all = serde_json::to_string(&pods.list(&ListParams::default()).await?.items)?;
        Ok(all.contains("ImagePullBackOff").then_some(()))
    })
    .await?;
    let message = world
        .says(name, "Ready", "False", "DatacenterNotReady", TOLD)
        .await?;
    ensure!(message.contains("dc1"), "it is not named: {message}");
    // It goes no further, whatever the programs forget.
    world.restart_programs().await?;
    calm(world).await?;
    let other = datacenter(world, "west", "dc2").await?;
    ensure!(
        other.metadata.generation == untouched,
        "the broken edit has reached dc2"
    );
    ring_is(world, name, &[("dc2", 1)]).await?;

    // Mended where it was broken: nobody has to touch a datacenter.
    ensure!(
        !datacenter(world, "east", "dc1").await?.is_ready(),
        "dc1 is ready by itself"
    );
    let good = "registry.example/cassandra:4.1.5";
    patch(world, name, &image(good)).await?;
    world.ready(name, SOON).await?;
    for (plane, name) in [("east", "dc1"), ("west", "dc2")] {
        let spec = serde_json::to_value(datacenter(world, plane, name).await?.spec)?;
        ensure!(spec["serverImage"] == good, "{name} has {}", spec["serverImage"]);
    }
    ring_is(world, name, &[("dc1", 1), ("dc2", 1)]).await?;
    delete(world, name).await
}

/// Writes a CassandraDatacenter as somebody else, or as an older release of ours.
async fn write_as(
    world: &World,
    manager: &str,
    (plane, name): (&str, &str),
    change: &Value,
) -> anyhow::Result<()> {
    let params = PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    };
    let there = world.datacenters(plane)?;
    there.patch(name, &params, &Patch::Merge(change)).await?;
    eventually("its operator has done it", SOON, || async {
        Ok(there.get(name).await?.is_ready().then_some(()))
    })
    .await
}

/// That no program of ours has written to a CassandraDatacenter of that name since a moment.
fn not_written(world: &World, from: usize, name: &str) -> anyhow::Result<()> {
    let writes = writes_since(world, from)?;
    let to = |entry: &&Entry| entry.resource == "cassandradatacenters" && entry.name == name;
    let found: Vec<_> = writes.iter().filter(to).collect();
    ensure!(found.is_empty(), "{name} was written: {found:?}");
    Ok(())
}

/// What cluster-reconciler says of a datacenter.
async fn reported(world: &World, cluster: &str, name: &str) -> anyhow::Result<ClusterDatacenterReport> {
    let cluster = world.clusters().get(cluster).await?;
    let report = cluster.status.and_then(|status| status.reports.cluster);
    let found = report.and_then(|report| report.datacenters.get(name).cloned());
    found.with_context(|| format!("nothing is said of {name}"))
}

pub(super) async fn upgrade_held(world: &mut World) -> anyhow::Result<()> {
    let name = "upgrades";
    let mut spec = cluster(name, &[dc("dc1", "east", 1), dc("dc2", "west", 1)]);
    spec["spec"]["cassandra"]["config"] = json!({"cassandraYaml": {"concurrent_writes": 48}});
    make(world, &spec).await?;
    // The former release made dc1 otherwise, of the same input.
    let program = world.programs.get_mut("cluster-reconciler");
    program.context("no cluster-reconciler")?.kill();
    let made =
        json!({"spec": {"config": {"cassandra-yaml": {"concurrent_writes": 16}}, "minReadySeconds": 7}});
    write_as(world, "ringspan-cluster-reconciler", ("east", "dc1"), &made).await?;
    let from = mark(world)?;
    let before = datacenter(world, "east", "dc1").await?.metadata;
    let program = world.programs.get_mut("cluster-reconciler");
    program.context("no cluster-reconciler")?.restart()?;

    let message = world
        .says(name, "RequiresUpdate", "True", "ChangePending", SOON)
        .await?;
    ensure!(message.contains("dc1") && !message.contains("dc2"), "{message}");
    let pending = reported(world, name, "dc1").await?.pending_change;
    let pending = serde_json::to_value(pending.context("no change is told")?)?;
    let told = json!({"held": true, "effect": "restart", "fields": [
        {"field": "spec.config.cassandra-yaml.concurrent_writes", "from": 16, "to": 48, "effect": "restart"},
        {"field": "spec.minReadySeconds", "from": 7, "effect": "live"},
    ]});
    ensure!(pending == told, "another change is told: {pending}");
    // Neither a restart, nor a touch, nor an edit of another datacenter is an edit of this one.
    world.restart_programs().await?;
    patch(
        world,
        name,
        &json!({"metadata": {"annotations": {"touched": "yes"}}}),
    )
    .await?;
    set_datacenters(world, name, &[dc("dc1", "east", 1), dc("dc2", "west", 2)]).await?;
    world.ready(name, SOON).await?;
    calm(world).await?;
    not_written(world, from, "dc1")?;
    let now = datacenter(world, "east", "dc1").await?.metadata;
    ensure!(now.generation == before.generation, "dc1 was changed");

    // The consent, for one round.
    let once = json!({"metadata": {"annotations": {"k8ssandra.io/autoupdate-spec": "once"}}});
    patch(world, name, &once).await?;
    world
        .says(name, "RequiresUpdate", "False", "AsSpecified", SOON)
        .await?;
    world.ready(name, SOON).await?;
    let writes = given(world, "east", "dc1", "concurrent_writes").await?;
    ensure!(writes == 48, "dc1 has {writes}");
    let used = eventually("the consent is used up", SOON, || async {
        let annotations = world.clusters().get(name).await?.metadata.annotations;
        let there = annotations.is_some_and(|all| all.contains_key("k8ssandra.io/autoupdate-spec"));
        Ok((!there).then_some(()))
    });
    used.await?;
    delete(world, name).await
}

pub(super) async fn live_edit(world: &mut World) -> anyhow::Result<()> {
    let name = "restores";
    let mut spec = cluster(name, &[dc("dc1", "east", 1), dc("dc2", "west", 1)]);
    spec["spec"]["cassandra"]["config"] = json!({"cassandraYaml": {"concurrent_writes": 48}});
    make(world, &spec).await?;
    // What nobody of ours has set, in both; and in one what we have set.
    let beside = json!({"spec": {"minReadySeconds": 7}});
    let over =
        json!({"spec": {"minReadySeconds": 7, "config": {"cassandra-yaml": {"concurrent_writes": 64}}}});
    let from = mark(world)?;
    write_as(world, "medusa", ("east", "dc1"), &over).await?;
    write_as(world, "medusa", ("west", "dc2"), &beside).await?;
    let told = eventually("the drift is told", SOON, || async {
        let drift = reported(world, name, "dc1").await?.drift;
        let wanted = [
            "spec.config.cassandra-yaml.concurrent_writes",
            "spec.minReadySeconds",
        ];
        ensure!(drift == wanted, "{drift:?}");
        Ok(Some(()))
    });
    told.await?;
    world.restart_programs().await?;
    calm(world).await?;
    not_written(world, from, "dc1")?;
    not_written(world, from, "dc2")?;
    ensure!(
        given(world, "east", "dc1", "concurrent_writes").await? == 64,
        "it was reverted"
    );

    // An edit beside it goes through and leaves it.
    patch(world, name, &setting("concurrent_reads", &json!(48))).await?;
    for (plane, name) in [("east", "dc1"), ("west", "dc2")] {
        let edited = eventually("the edit is there", SOON, || async {
            Ok((given(world, plane, name, "concurrent_reads").await? == 48).then_some(()))
        });
        edited.await?;
    }
    world.ready(name, SOON).await?;
    ensure!(
        given(world, "east", "dc1", "concurrent_writes").await? == 64,
        "an edit beside it has reverted it"
    );
    // One of what others have set to another value waits.
    let from = mark(world)?;
    patch(world, name, &setting("concurrent_writes", &json!(96))).await?;
    let message = world.says(name, "Ready", "False", "DriftConflict", SOON).await?;
    ensure!(
        message.contains("concurrent_writes"),
        "it is not named: {message}"
    );
    let other = eventually("dc2 has the edit", SOON, || async {
        Ok((given(world, "west", "dc2", "concurrent_writes").await? == 96).then_some(()))
    });
    other.await?;
    calm(world).await?;
    not_written(world, from, "dc1")?;
    // The way out: the spec takes over what is there.
    patch(world, name, &setting("concurrent_writes", &json!(64))).await?;
    world.ready(name, SOON).await?;
    for (plane, name) in [("east", "dc1"), ("west", "dc2")] {
        let spec = serde_json::to_value(datacenter(world, plane, name).await?.spec)?;
        ensure!(spec["minReadySeconds"] == 7, "{name}: {spec}");
        let config = &spec["config"]["cassandra-yaml"];
        ensure!(
            config["concurrent_reads"] == 48 && config["concurrent_writes"] == 64,
            "{name}: {config}"
        );
    }
    delete(world, name).await
}
