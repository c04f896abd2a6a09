//! `cargo xtask rbac`: everything in `deploy/base`, from the tables in which each program says what it may do.

mod deployment;
mod role;
mod text;

use std::collections::BTreeMap;

use anyhow::Result;
use runtime::rbac::{Rule, Side};

use crate::generated::Folder;
use crate::workspace;
use role::{Rows, Use};

/// The five programs and their tables.
const PROGRAMS: [(&str, &[Rule]); 5] = [
    ("client-registry", client_registry::RULES),
    ("cluster-reconciler", cluster_reconciler::RULES),
    ("secret-replicator", secret_replicator::RULES),
    ("status-rollup", status_rollup::RULES),
    ("topology-reconciler", topology_reconciler::RULES),
];

/// What each of them needs because of what it is built on.
const EVERY_PROGRAM: [&[Rule]; 2] = [runtime::rbac::RULES, fleet::RULES];

/// Whether to write.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only say what is not as it would be written
    #[arg(long)]
    check: bool,
}

/// Writes `deploy/base`, or with `--check` only says what is not as it would be written.
///
/// # Errors
/// When a rule may not stand in a role, or a file cannot be read or written; with `--check` also when one is missing,
/// stale or superfluous.
pub fn run(args: &Args) -> Result<()> {
    settle(args.check)
}

/// Says what is not as it would be written.
///
/// # Errors
/// When a file is missing, stale or superfluous, or cannot be read.
pub fn check() -> Result<()> {
    settle(true)
}

fn settle(check: bool) -> Result<()> {
    let folder = Folder {
        path: workspace::root().join("deploy/base"),
        files: wanted()?,
        command: "cargo xtask rbac",
    };
    folder.settle(check)
}

/// Names and texts of all files in `deploy/base`.
fn wanted() -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut folders = vec!["namespace.yaml"];
    for (program, _) in PROGRAMS {
        let mut write = |name: &str, text| files.insert(format!("{program}/{name}"), text);
        write("rbac.yaml", of_program(program)?);
        write("deployment.yaml", deployment::text(program));
        write(
            "kustomization.yaml",
            text::kustomization(&["deployment.yaml", "rbac.yaml"]),
        );
        folders.push(program);
    }
    files.insert("namespace.yaml".to_owned(), text::namespace());
    files.insert("kustomization.yaml".to_owned(), text::kustomization(&folders));
    files.insert("remote-access/namespace.yaml".to_owned(), text::namespace());
    files.insert("remote-access/rbac.yaml".to_owned(), remote_access()?);
    let remote = text::kustomization(&["namespace.yaml", "rbac.yaml"]);
    files.insert("remote-access/kustomization.yaml".to_owned(), remote);
    Ok(files)
}

/// The account of one program in the control plane, with what it may do there: for itself, and with datacenters that
/// live in the control plane's own cluster.
fn of_program(program: &str) -> Result<String> {
    let account = format!("ringspan-{program}");
    let own = Rows::of(needs(program, Side::ControlPlane))?;
    let datacenters = Rows::of(needs(program, Side::Plane))?.without(&own);
    let mut text = text::header();
    text += &text::account(&account, program);
    text += &text::roles(&account, &account, program, &own);
    text += "---\n# With datacenters in the control plane's own cluster. Who has none there can leave these out.\n";
    text += text::roles(&format!("{account}-datacenters"), &account, program, &datacenters)
        .trim_start_matches("---\n");
    Ok(text)
}

/// The account that the programs use in every other cluster: one for all five, because a ClientConfig names one Secret.
fn remote_access() -> Result<String> {
    let needs = PROGRAMS
        .into_iter()
        .flat_map(|(program, _)| needs(program, Side::Plane));
    let rows = Rows::of(needs)?;
    let mut text = text::header();
    text += &text::account("ringspan", "remote-access");
    text += &text::roles("ringspan-remote-access", "ringspan", "remote-access", &rows);
    Ok(text)
}

/// Every rule of a program on one side.
fn needs(program: &str, side: Side) -> impl Iterator<Item = Use> {
    let own = PROGRAMS.into_iter().filter(move |(name, _)| *name == program);
    let shared = EVERY_PROGRAM.into_iter().map(|rules| ("every program", rules));
    own.chain(shared)
        .flat_map(|(by, rules)| rules.iter().map(move |rule| Use { by, rule: *rule }))
        .filter(move |needed| needed.rule.side == side)
}

#[cfg(test)]
mod tests;
