//! What is installed where: definitions, roles, credentials, programs.

use std::fs;
use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Setup, World, launch};
use crate::{Launch, Planes, Program};

/// The five programs.
pub const CONTROLLERS: [&str; 5] = [
    "client-registry",
    "cluster-reconciler",
    "secret-replicator",
    "status-rollup",
    "topology-reconciler",
];
/// Namespace of the installation in every cluster, as in `deploy/base`.
pub const NAMESPACE: &str = "ringspan";
/// `ServiceAccount` in every data plane, as in `deploy/base/remote-access`.
pub const ACCOUNT: &str = "ringspan";
/// Namespace that the databases of demo and stories live in.
pub const DATABASES: &str = "db";

/// What a control plane is started with.
pub(super) fn control_plane(setup: &Setup) -> anyhow::Result<Vec<String>> {
    let mut manifests = vec![
        namespaces(),
        yaml_of(&setup.root.join("crds"))?,
        stand_in_crds(setup)?,
    ];
    for name in CONTROLLERS {
        manifests.push(read(
            &setup.root.join("deploy/base").join(name).join("rbac.yaml"),
        )?);
    }
    Ok(manifests)
}

/// What a data plane is started with.
pub(super) fn data_plane(setup: &Setup) -> anyhow::Result<Vec<String>> {
    let access = read(&setup.root.join("deploy/base/remote-access/rbac.yaml"))?;
    Ok(vec![namespaces(), stand_in_crds(setup)?, access])
}

fn namespaces() -> String {
    [NAMESPACE, DATABASES]
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).to_string())
        .join("\n---\n")
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Every definition of a folder, as one stream.
fn yaml_of(folder: &Path) -> anyhow::Result<String> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension().is_some_and(|is| is == "yaml") && !path.ends_with("kustomization.yaml")
        })
        .collect();
    files.sort();
    Ok(files
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<_>, _>>()?
        .join("\n---\n"))
}

/// The stand-in's own definitions of cass-operator's kinds.
fn stand_in_crds(setup: &Setup) -> anyhow::Result<String> {
    let printed = std::process::Command::new(&setup.programs.fake_datacenter)
        .arg("--print-crds")
        .output()?;
    anyhow::ensure!(
        printed.status.success(),
        "fake-datacenter --print-crds: {}",
        String::from_utf8_lossy(&printed.stderr)
    );
    let list: serde_json::Value = serde_json::from_slice(&printed.stdout)?;
    let items = list["items"].as_array().context("a list of definitions")?;
    Ok(items
        .iter()
        .map(serde_json::Value::to_string)
        .collect::<Vec<_>>()
        .join("\n---\n"))
}

/// The stand-in for cass-operator in every plane, the control plane included. It does not go through the proxies: a
/// plane that cannot be reached lives on.
pub(super) fn stand_in(setup: &Setup, planes: &Planes, folder: &Path) -> anyhow::Result<Program> {
    let mut start = launch("fake-datacenter", &setup.programs.fake_datacenter, folder)?
        .arg("--no-crds")
        .arg(format!("--pace={}", setup.pace))
        .arg(format!("--seed={}", setup.seed));
    start = start.clone().arg(format!("--listen={}", start.admin()));
    if let Some(cassandra) = &setup.cassandra {
        start = start
            .arg(format!("--cassandra-jars={}", cassandra.jars.display()))
            .arg(format!("--cassandra-data={}", folder.join("cassandra").display()))
            .arg(format!("--java={}", cassandra.java.display()));
    }
    for plane in planes.all() {
        let path = folder.join(format!("{}.cass-operator.kubeconfig", plane.name()));
        fs::write(&path, plane.kubeconfig("cass-operator")?)?;
        start = start.arg(format!("--plane={}={}", plane.name(), path.display()));
    }
    Program::start(start)
}

/// How one of the five programs is started: with the credentials of its own role.
pub(super) async fn launch_program(world: &World, name: &'static str) -> anyhow::Result<Launch> {
    let account = format!("ringspan-{name}");
    let kubeconfig = world
        .credentials(&world.planes.control, &account, "control-plane")
        .await?;
    let path = world.folder.path().join(format!("{name}.kubeconfig"));
    fs::write(&path, kubeconfig)?;
    let start = launch(name, &world.setup.programs.ringspan, world.folder.path())?;
    let start = start
        .clone()
        .arg(name)
        .arg(format!("--kubeconfig={}", path.display()))
        .arg(format!("--metrics-address={}", start.admin()));
    let start = start.arg(format!("--log-level={}", world.setup.log_level));
    Ok(match name {
        "topology-reconciler" => start.arg(format!("--management-api-via={}", world.stand_in.admin())),
        _ => start,
    })
}

/// A kubeconfig Secret and the `ClientConfig` that names it.
pub(super) fn client_config(plane: &str, kubeconfig: &str) -> String {
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": format!("{plane}-kubeconfig"), "namespace": NAMESPACE},
        "data": {"kubeconfig": STANDARD.encode(kubeconfig)},
    });
    let config = json!({
        "apiVersion": "config.k8ssandra.io/v1beta1",
        "kind": "ClientConfig",
        "metadata": {"name": plane, "namespace": NAMESPACE},
        "spec": {"contextName": plane, "kubeConfigSecret": {"name": format!("{plane}-kubeconfig")}},
    });
    format!("{secret}\n---\n{config}")
}
