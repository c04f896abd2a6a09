//! What k8ssandra-operator would do if it were started again: nothing, as far as what it looks at can be looked at here.
//!
//! It cannot be run in these stories. What it compares before it acts is written down here instead, object by object:
//! its permission to update, its work of adding and removing datacenters, its Secrets, and what every datacenter must be
//! like for it to go on to the next.

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
use serde_json::{Value, json};

use super::PLACES;
use super::upstream::{FINALIZER, HASH};
use crate::world::{DATABASES, World};

/// That it would hold: `before` are its datacenters as it left them.
pub(super) async fn would_hold(world: &World, name: &str, before: &[Value]) -> anyhow::Result<()> {
    let kc = serde_json::to_value(world.clusters().get(name).await?)?;
    it_may_not_update(&kc)?;
    it_neither_adds_nor_removes(&kc)?;
    for ((name, plane), before) in PLACES.into_iter().zip(before) {
        let now = serde_json::to_value(world.datacenters(plane)?.get(name).await?)?;
        it_goes_past(&now, before).with_context(|| format!("datacenter {name}"))?;
    }
    its_secrets_are_as_it_wants_them(world, name).await?;
    its_seeds_lie_where_it_would_put_them(world, name).await
}

/// It writes a datacenter whose hash differs only if the generation is ahead, or the annotation is there.
fn it_may_not_update(kc: &Value) -> anyhow::Result<()> {
    let (generation, observed) = (&kc["metadata"]["generation"], &kc["status"]["observedGeneration"]);
    ensure!(
        generation == observed,
        "it would update: {observed} of {generation}"
    );
    let allowed = &kc["metadata"]["annotations"]["k8ssandra.io/autoupdate-spec"];
    ensure!(allowed.is_null(), "it would update: {allowed}");
    let finalizers = kc["metadata"]["finalizers"].as_array().context("no finalizers")?;
    ensure!(*finalizers == [json!(FINALIZER)], "{finalizers:?}");
    Ok(())
}

/// It takes a datacenter of its status that the spec lacks for one to be removed, and one that its status lacks for a new
/// one, to be rebuilt.
fn it_neither_adds_nor_removes(kc: &Value) -> anyhow::Result<()> {
    let annotations = &kc["metadata"]["annotations"];
    ensure!(annotations["k8ssandra.io/rebuild-dc"].is_null(), "{annotations}");
    let replication = &annotations["k8ssandra.io/initial-system-replication"];
    ensure!(*replication == json!("{\"dc1\":1}"), "{replication}");
    let known = kc["status"]["datacenters"]
        .as_object()
        .context("no datacenters")?;
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    ensure!(names == PLACES.map(|(name, _)| name), "{names:?}");
    for (name, plane) in PLACES {
        let said = &known[name];
        ensure!(said["contextName"] == plane, "{name}: {said}");
        let removal = said["decommissionProgress"].as_str().unwrap_or_default();
        ensure!(removal.is_empty(), "{name}: {removal}");
        ensure!(
            said["cassandra"]["cassandraOperatorProgress"] == "Ready",
            "{name}: {said}"
        );
    }
    let conditions = kc["status"]["conditions"].as_array().context("no conditions")?;
    let initialized = conditions.iter().find(|it| it["type"] == "CassandraInitialized");
    ensure!(
        initialized.is_some_and(|it| it["status"] == "True"),
        "{conditions:?}"
    );
    Ok(())
}

/// It waits at a datacenter that is not ready for its generation, and fails at one with another cluster's name.
fn it_goes_past(now: &Value, before: &Value) -> anyhow::Result<()> {
    let hash = |dc: &Value| dc["metadata"]["annotations"][HASH].clone();
    ensure!(hash(now) == hash(before), "its hash is now {}", hash(now));
    for key in ["clusterName", "datacenterName", "superuserSecretName"] {
        ensure!(
            now["spec"][key] == before["spec"][key],
            "{key}: {}",
            now["spec"][key]
        );
    }
    let tokens = |dc: &Value| dc["spec"]["config"]["cassandra-yaml"]["num_tokens"].clone();
    ensure!(tokens(now) == tokens(before), "num_tokens: {}", tokens(now));
    let pods = |dc: &Value| dc["spec"]["podTemplateSpec"].clone();
    ensure!(
        pods(now) == pods(before),
        "its pods: {} -> {}",
        pods(before),
        pods(now)
    );
    let labels = before["metadata"]["labels"].as_object().context("no labels")?;
    for (key, value) in labels {
        ensure!(
            now["metadata"]["labels"][key] == *value,
            "label {key} is not there"
        );
    }
    ensure!(
        now["metadata"]["finalizers"] == before["metadata"]["finalizers"],
        "{}",
        now["metadata"]["finalizers"]
    );
    let status = &now["status"];
    ensure!(
        status["observedGeneration"] == now["metadata"]["generation"],
        "{status}"
    );
    ensure!(status["cassandraOperatorProgress"] == "Ready", "{status}");
    Ok(())
}

/// It writes its ReplicatedSecret if selector, labels or targets differ, and copies whose content differs.
async fn its_secrets_are_as_it_wants_them(world: &World, name: &str) -> anyhow::Result<()> {
    let control = world.planes.control.client();
    let replicated = Api::<api::replicated_secret::ReplicatedSecret>::namespaced(control.clone(), DATABASES);
    let replicated = serde_json::to_value(replicated.get(name).await?)?;
    let labels = json!({
        "k8ssandra.io/cluster-name": name, "k8ssandra.io/cluster-namespace": DATABASES,
        "k8ssandra.io/replicated-by": "k8ssandracluster-controller",
    });
    ensure!(
        replicated["spec"]["selector"]["matchLabels"] == labels,
        "{replicated}"
    );
    for key in ["k8ssandra.io/cluster-name", "k8ssandra.io/cluster-namespace"] {
        ensure!(
            replicated["metadata"]["labels"][key] == labels[key],
            "{replicated}"
        );
    }
    let targets = replicated["spec"]["replicationTargets"]
        .as_array()
        .context("no targets")?;
    for (_, plane) in PLACES {
        let found = targets.iter().any(|it| it["k8sContextName"] == plane);
        ensure!(found, "no target {plane}: {targets:?}");
    }
    let secret = format!("{name}-superuser");
    let source = Api::<Secret>::namespaced(control, DATABASES).get(&secret).await?;
    let have = serde_json::to_value(&source.metadata.labels)?;
    for (key, value) in labels.as_object().into_iter().flatten() {
        ensure!(have[key] == *value, "label {key} of {secret}");
    }
    for (_, plane) in PLACES {
        let client = world.planes.get(plane).context("no such plane")?.client();
        let copy = Api::<Secret>::namespaced(client, DATABASES).get(&secret).await?;
        ensure!(copy.data == source.data, "the copy in {plane} differs");
        let of = copy.metadata.labels.unwrap_or_default();
        let of = of.get("k8ssandra.io/replicated-secret-name").cloned();
        ensure!(of == Some(format!("{DATABASES}.{name}")), "{of:?}");
    }
    Ok(())
}

/// It puts the addresses of the others' seeds into slices of these names.
async fn its_seeds_lie_where_it_would_put_them(world: &World, cluster: &str) -> anyhow::Result<()> {
    for (name, plane) in PLACES {
        let client = world.planes.get(plane).context("no such plane")?.client();
        let slice = format!("{cluster}-{cluster}-{name}-additional-seed-service-ipv4");
        let slices = Api::<EndpointSlice>::namespaced(client, DATABASES);
        let found = slices.get(&slice).await.with_context(|| slice.clone())?;
        let addresses = found.endpoints.iter().flat_map(|it| &it.addresses).count();
        ensure!(addresses > 0, "{slice} is empty");
    }
    Ok(())
}
