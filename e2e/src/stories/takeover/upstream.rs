//! An installation of k8ssandra-operator with one cluster of two datacenters, made object by object as it would make
//! them: its labels, hashes, finalizers and names, all written by create and update as `manager`.

use std::time::Duration;

use anyhow::{Context, ensure};
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::{NAME, PLACES};
use crate::eventually;
use crate::stories::clusters::{SOON, name_of};
use crate::world::{DATABASES, World};

/// Field manager of k8ssandra-operator: the name of its program.
pub(super) const MANAGER: &str = "manager";
/// Where it notes by which it knows what it has made. The value is its own secret: nobody else can calculate it.
pub(super) const HASH: &str = "k8ssandra.io/resource-hash";
/// Where it notes, on pods, the hash of the configuration of single nodes: another value restarts every node.
pub(super) const NODES_HASH: &str = "k8ssandra.io/per-node-config-hash";
/// Its finalizer on clusters and datacenters.
pub(super) const FINALIZER: &str = "k8ssandracluster.k8ssandra.io/finalizer";
/// The user's configuration of single nodes, in the plane of the second datacenter.
pub(super) const NODES: &str = "take-nodes";
const OPERATOR: &str = "k8ssandra-operator";
const WEBHOOKS: &str = "k8ssandra-operator-validating-webhook-configuration";

/// Applies the cluster as a user, and makes everything else.
pub(super) async fn install(world: &World, kc: &Value) -> anyhow::Result<()> {
    world.apply(&kc.to_string()).await?;
    let control = world.planes.control.client();
    let clusters = api(&control, "k8ssandra.io/v1alpha1", "K8ssandraCluster");
    let update = PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let noted = json!({"metadata": {
        "finalizers": [FINALIZER],
        "annotations": {"k8ssandra.io/initial-system-replication": "{\"dc1\":1}"},
    }});
    let kc = clusters
        .patch(name_of(kc)?, &update, &Patch::Merge(&noted))
        .await?;
    let kc = serde_json::to_value(kc)?;
    world.apply_in(PLACES[1].1, &nodes().to_string()).await?;
    let rendered = rendered(world, &kc)?;
    secrets(world, &kc, &rendered).await?;
    for (at, (name, plane)) in PLACES.into_iter().enumerate() {
        if at > 0 {
            seeds(world, PLACES[0], PLACES[at]).await?;
        }
        datacenter(world, &rendered, name, plane).await?;
        contact_points(world, &kc, name, plane).await?;
    }
    seeds(world, PLACES[1], PLACES[0]).await?;
    rebuild(world).await?;
    let status = status(world, &kc).await?;
    clusters
        .patch_status(NAME, &update, &Patch::Merge(&status))
        .await?;
    Ok(())
}

/// With the labels that k8ssandra-operator puts on it.
fn nodes() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": NODES, "namespace": DATABASES, "labels": {
            "k8ssandra.io/cluster-name": NAME, "k8ssandra.io/cluster-namespace": DATABASES,
        }},
        "data": {"take-dc2-default-sts-0_cassandra.yaml": "concurrent_reads: 16\n"},
    })
}

/// Every object that Ringspan would make, each with its plane, and without anything that is Ringspan's own.
fn rendered(world: &World, kc: &Value) -> anyhow::Result<Vec<(String, Value)>> {
    let file = world.folder().join("upstream.json");
    std::fs::write(&file, format!("{kc}\n---\n{}", nodes()))?;
    let binary = world.setup().programs.kubectl_ringspan.clone();
    let output = std::process::Command::new(binary)
        .args(["render", "-f"])
        .arg(&file)
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let objects: Vec<Value> = serde_saphyr::from_multiple(&String::from_utf8_lossy(&output.stdout))?;
    let bare = |mut object: Value| {
        let plane = object["metadata"]["annotations"]["ringspan.io/plane"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        for map in ["labels", "annotations"] {
            if let Some(marks) = object["metadata"][map].as_object_mut() {
                marks.retain(|key, _| !key.starts_with("ringspan.io/"));
            }
        }
        if object["kind"] != "ReplicatedSecret" {
            let name = object["metadata"]["name"].clone();
            object["metadata"]["annotations"][HASH] = json!(format!("hash-of-{name}"));
        }
        in_its_own_words(&mut object);
        (plane, object)
    };
    Ok(objects.into_iter().map(bare).collect())
}

/// k8ssandra-operator merges the configuration of single nodes by a script of its own, and notes another hash of it.
fn in_its_own_words(datacenter: &mut Value) {
    let Some(template) = datacenter.pointer_mut("/spec/podTemplateSpec") else {
        return;
    };
    let annotations = template.pointer_mut("/metadata/annotations");
    if let Some(hash) = annotations.and_then(|it| it.get_mut(NODES_HASH)) {
        *hash = json!("hash-of-the-nodes");
    }
    let containers = template
        .pointer_mut("/spec/initContainers")
        .and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        if container["name"] == "per-node-config" {
            container["command"] = json!(["sh", "-c", "echo another script"]);
        }
    }
}

fn api(client: &Client, api_version: &str, kind: &str) -> Api<DynamicObject> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        plural: format!("{}s", kind.to_lowercase()),
    };
    Api::namespaced_with(client.clone(), DATABASES, &resource)
}

/// Creates an object in a plane (the control plane has no name), with its status.
async fn create(world: &World, plane: &str, object: &Value) -> anyhow::Result<()> {
    let (api_version, kind) = (object["apiVersion"].as_str(), object["kind"].as_str());
    let (api_version, kind) = api_version.zip(kind).context("an object without a kind")?;
    let plane = match plane {
        "" => &world.planes.control,
        name => world.planes.get(name).context("no such plane")?,
    };
    let api = api(&plane.client(), api_version, kind);
    let params = PostParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PostParams::default()
    };
    let what = || format!("{kind} {}", object["metadata"]["name"]);
    let typed: DynamicObject = serde_json::from_value(object.clone()).with_context(what)?;
    api.create(&params, &typed).await.with_context(what)?;
    Ok(())
}

fn owner(kc: &Value) -> Value {
    json!([{
        "apiVersion": "k8ssandra.io/v1alpha1", "kind": "K8ssandraCluster", "name": kc["metadata"]["name"],
        "uid": kc["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }])
}

/// The superuser's Secret, its copies, and the ReplicatedSecret that stands for them.
async fn secrets(world: &World, kc: &Value, rendered: &[(String, Value)]) -> anyhow::Result<()> {
    for (plane, object) in rendered {
        let mut object = object.clone();
        object["metadata"]["ownerReferences"] = owner(kc);
        if object["kind"] == "Secret" {
            object["stringData"] = json!({"username": "take-superuser", "password": "as-upstream-made-it"});
            create(world, plane, &object).await?;
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove("ownerReferences");
            }
            let copied = "k8ssandra.io/replicated-secret-name";
            object["metadata"]["labels"][copied] = json!(format!("{DATABASES}.{NAME}"));
            for (_, plane) in PLACES {
                create(world, plane, &object).await?;
            }
        } else if object["kind"] == "ReplicatedSecret" {
            object["metadata"]["finalizers"] = json!(["replicatedresource.k8ssandra.io/finalizer"]);
            create(world, plane, &object).await?;
        }
    }
    Ok(())
}

/// A datacenter with what its pods mount, until cass-operator has made it ready.
async fn datacenter(
    world: &World,
    rendered: &[(String, Value)],
    name: &str,
    plane: &str,
) -> anyhow::Result<()> {
    for (at, object) in rendered {
        let mut object = object.clone();
        if at != plane {
            continue;
        }
        if object["kind"] == "CassandraDatacenter" {
            object["metadata"]["finalizers"] = json!([FINALIZER]);
        }
        create(world, plane, &object).await?;
    }
    let datacenters = world.datacenters(plane)?;
    let ready = eventually("k8ssandra-operator's datacenter", SOON, || async {
        let found = datacenters.get(name).await?;
        Ok((found.is_ready() && found.is_settled()).then_some(()))
    });
    ready.await
}

/// Addresses of the nodes of a datacenter.
async fn addresses(world: &World, (name, plane): (&str, &str)) -> anyhow::Result<Vec<Value>> {
    let found = serde_json::to_value(world.datacenters(plane)?.get(name).await?)?;
    let nodes = found["status"]["nodeStatuses"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    Ok(nodes.values().map(|node| node["ip"].clone()).collect())
}

/// The slice by which the nodes of one datacenter are seeds of another.
async fn seeds(world: &World, from: (&str, &str), (name, plane): (&str, &str)) -> anyhow::Result<()> {
    let service = format!("{NAME}-{name}-additional-seed-service");
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": format!("{NAME}-{service}-ipv4"), "namespace": DATABASES,
            "annotations": {"cassandra.datastax.com/resource-hash": "hash-of-the-slice"},
            "labels": {
                "app.kubernetes.io/created-by": "cass-operator",
                "app.kubernetes.io/instance": format!("cassandra-{NAME}"),
                "app.kubernetes.io/managed-by": "cass-operator",
                "app.kubernetes.io/name": "cassandra",
                "app.kubernetes.io/version": "4.1.5",
                "cassandra.datastax.com/cluster": NAME,
                "cassandra.datastax.com/datacenter": name,
                "endpointslice.kubernetes.io/managed-by": OPERATOR,
                "kubernetes.io/service-name": service,
            },
        },
        "endpoints": [{"addresses": addresses(world, from).await?, "conditions": {}}],
    });
    create(world, plane, &slice).await
}

/// The Service in the control plane by which applications find a datacenter, with its slice.
async fn contact_points(world: &World, kc: &Value, name: &str, plane: &str) -> anyhow::Result<()> {
    let service = format!("{NAME}-{name}-contact-points-service");
    let labels = json!({
        "app.kubernetes.io/component": "cassandra", "app.kubernetes.io/name": OPERATOR,
        "app.kubernetes.io/part-of": "k8ssandra", "k8ssandra.io/cluster-name": NAME,
        "k8ssandra.io/cluster-namespace": DATABASES, "k8ssandra.io/datacenter": name,
    });
    let ports = [
        ("native", 9042),
        ("mgmt-api", 8080),
        ("prometheus", 9103),
        ("metrics", 9000),
    ];
    let ports = ports.map(|(name, port)| json!({"name": name, "port": port, "protocol": "TCP"}));
    let object = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": service, "namespace": DATABASES, "labels": labels, "ownerReferences": owner(kc),
            "annotations": {HASH: format!("hash-of-{service}")},
        },
        "spec": {"clusterIP": "None", "type": "ClusterIP", "ports": ports},
    });
    create(world, "", &object).await?;
    let mut labels = labels;
    labels["endpointslice.kubernetes.io/managed-by"] = json!(OPERATOR);
    labels["kubernetes.io/service-name"] = json!(service);
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": format!("{service}-ipv4"), "namespace": DATABASES, "labels": labels},
        "endpoints": [{"addresses": addresses(world, (name, plane)).await?, "conditions": {}}],
        "ports": ports,
    });
    create(world, "", &slice).await
}

/// The second datacenter's data, from the first.
async fn rebuild(world: &World) -> anyhow::Result<()> {
    let (name, plane) = PLACES[1];
    let task = json!({
        "apiVersion": "control.k8ssandra.io/v1alpha1", "kind": "CassandraTask",
        "metadata": {
            "name": format!("{name}-rebuild"), "namespace": DATABASES,
            "labels": {"k8ssandra.io/rebuild-nodes": "1"}, "annotations": {HASH: "hash-of-the-task"},
        },
        "spec": {
            "datacenter": {"name": name, "namespace": DATABASES},
            "jobs": [{"name": format!("{name}-rebuild"), "command": "rebuild", "args": {"source_datacenter": "dc1"}}],
        },
    });
    create(world, plane, &task).await?;
    let client = world.planes.get(plane).context("no such plane")?.client();
    let tasks = api(&client, "control.k8ssandra.io/v1alpha1", "CassandraTask");
    let done = eventually("the rebuild", Duration::from_mins(1), || async {
        let task = tasks.get(&format!("{name}-rebuild")).await?;
        Ok((task.data["status"]["succeeded"] == 1).then_some(()))
    });
    done.await
}

/// What k8ssandra-operator says of a cluster that it is done with.
async fn status(world: &World, kc: &Value) -> anyhow::Result<Value> {
    let condition = |type_: &str, status: &str| json!({"type": type_, "status": status, "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let mut datacenters = json!({});
    for (name, plane) in PLACES {
        let found = serde_json::to_value(world.datacenters(plane)?.get(name).await?)?;
        datacenters[name] = json!({"cassandra": found["status"], "contextName": plane});
    }
    Ok(json!({"status": {
        "conditions": [condition("CassandraInitialized", "True"), condition("RequiresUpdate", "False")],
        "datacenters": datacenters,
        "observedGeneration": kc["metadata"]["generation"],
    }}))
}

/// Its Deployment as control plane, and its webhook.
pub(super) async fn runs(world: &World) -> anyhow::Result<()> {
    let hook = |name: &str, resource: &str| {
        json!({
            "name": name, "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"name": "k8ssandra-operator-webhook-service", "namespace": OPERATOR}},
            "rules": [{
                "apiGroups": ["k8ssandra.io"], "apiVersions": ["v1alpha1"], "operations": ["CREATE", "UPDATE"],
                "resources": [resource],
            }],
        })
    };
    let objects = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR}}),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": OPERATOR, "namespace": OPERATOR},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"control-plane": OPERATOR}},
                "template": {
                    "metadata": {"labels": {"control-plane": OPERATOR}},
                    "spec": {"containers": [{
                        "name": MANAGER, "image": OPERATOR,
                        "env": [{"name": "K8SSANDRA_CONTROL_PLANE", "value": "true"}],
                    }]},
                },
            },
        }),
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": WEBHOOKS},
            "webhooks": [
                hook("vother.kb.io", "others"),
                hook("vk8ssandracluster.kb.io", "k8ssandraclusters"),
            ],
        }),
    ];
    world
        .apply(&objects.map(|object| object.to_string()).join("\n---\n"))
        .await
}

/// Its Deployment is scaled to nothing, as the steps of a take-over say.
pub(super) async fn leaves(world: &World) -> anyhow::Result<()> {
    let deployments = Api::<Deployment>::namespaced(world.planes.control.client(), OPERATOR);
    let none = json!({"spec": {"replicas": 0}});
    deployments
        .patch(OPERATOR, &PatchParams::default(), &Patch::Merge(&none))
        .await?;
    Ok(())
}

/// That of its webhooks only one entry went.
pub(super) async fn other_webhook_is_there(world: &World) -> anyhow::Result<()> {
    let api = Api::<ValidatingWebhookConfiguration>::all(world.planes.control.client());
    let left = api.get(WEBHOOKS).await?.webhooks.unwrap_or_default();
    let names: Vec<&str> = left.iter().map(|it| it.name.as_str()).collect();
    ensure!(names == ["vother.kb.io"], "{names:?}");
    Ok(())
}
