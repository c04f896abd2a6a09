//! The shipped plugin, with the kubeconfig of an administrator.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::world::{DATABASES, World};

/// Runs it; what it says stands on standard output, and why it failed on standard error.
pub(super) async fn run(world: &World, words: &[&str]) -> anyhow::Result<(i32, String)> {
    let kubeconfig = world.folder().join("plugin.kubeconfig");
    std::fs::write(&kubeconfig, world.planes.control.kubeconfig("somebody")?)?;
    let mut command = Command::new(&world.setup().programs.kubectl_ringspan);
    command.args(words).arg("--kubeconfig").arg(&kubeconfig);
    if words[0] != "render" {
        command.args(["-n", DATABASES]);
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok((output.status.code().context("it was killed")?, text))
}

/// The objects that a plan's acts are about: plural of the resource, and name.
pub(super) fn objects_of(plan: &str, cluster: &str) -> anyhow::Result<BTreeSet<(String, String)>> {
    let acts = plan.lines().filter_map(|line| line.trim_start().split_once(". "));
    let acts = acts.filter(|(number, _)| number.parse::<usize>().is_ok());
    let object = |(_, sentence): (&str, &str)| {
        let named = |rest: &str| {
            let name = rest.split_whitespace().next().unwrap_or_default();
            name.rsplit('/').next().unwrap_or_default().to_owned()
        };
        Ok(
            if let Some(rest) = sentence.strip_prefix("Change CassandraDatacenter ") {
                ("cassandradatacenters".to_owned(), named(rest))
            } else if let Some(rest) = sentence.strip_prefix("Write ConfigMap ") {
                ("configmaps".to_owned(), named(rest))
            } else if sentence.starts_with("Write the record") {
                ("k8ssandraclusters".to_owned(), cluster.to_owned())
            } else {
                bail!("a size brings more than was thought of: {sentence}")
            },
        )
    };
    acts.map(object).collect()
}

/// That it has read and not written, but for the webhook's entry.
pub(super) fn has_only_looked(world: &World) -> anyhow::Result<()> {
    let requests = world.requests()?;
    let mine: Vec<_> = requests
        .iter()
        .filter(|it| it.user_agent.starts_with("kubectl-ringspan/"))
        .collect();
    let reads = mine
        .iter()
        .filter(|it| matches!(it.verb.as_str(), "get" | "list"))
        .count();
    ensure!(reads > 0, "it was not seen to ask anything");
    let others: Vec<_> = mine
        .iter()
        .filter(|it| !matches!(it.verb.as_str(), "get" | "list"))
        .map(|it| (it.verb.as_str(), it.resource.as_str()))
        .collect();
    let allowed = [("patch", "validatingwebhookconfigurations")];
    ensure!(others.is_empty() || others == allowed, "{others:?}");
    Ok(())
}
