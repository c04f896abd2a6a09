//! `cargo xtask layers`: no crate uses what its place in the house does not allow.

mod table;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::workspace;
use table::{Others, ROOMS, Room, WORDS};

/// Holds every crate against the table.
///
/// # Errors
/// Names each crate with the dependency or the word that it may not have, and each crate that the table does not know.
pub fn run() -> Result<()> {
    let mut wrong = dependencies(&metadata()?);
    wrong.extend(words()?);
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

/// What `cargo metadata` says, as far as it matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None`: a normal one; else `dev` or `build`.
    kind: Option<String>,
    features: Vec<String>,
    uses_default_features: bool,
}

fn metadata() -> Result<Metadata> {
    let said = workspace::cargo()
        .args(["metadata", "--format-version=1", "--no-deps", "--locked"])
        .output()
        .context("cargo metadata cannot be run")?;
    ensure!(
        said.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&said.stderr).trim()
    );
    serde_json::from_slice(&said.stdout).context("the answer of cargo metadata is not what it was")
}

/// What is wrong with direct dependencies. What a test alone uses is free: it is not shipped.
fn dependencies(metadata: &Metadata) -> Vec<String> {
    let ours: Vec<_> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let rooms: BTreeMap<_, _> = ROOMS.iter().map(|room| (room.name, room)).collect();
    let mut wrong = vec![];
    for package in &metadata.packages {
        let Some(room) = rooms.get(package.name.as_str()) else {
            wrong.push(format!(
                "{} has no row in xtask/src/layers/table.rs",
                package.name
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|it| it.kind.as_deref() != Some("dev"))
        {
            wrong.extend(refusal(room, dependency, &ours));
        }
    }
    for name in rooms.keys().filter(|name| !ours.contains(name)) {
        wrong.push(format!(
            "xtask/src/layers/table.rs has a row for {name}, which is no crate"
        ));
    }
    wrong
}

/// Why a crate may not have this dependency, if it may not.
fn refusal(room: &Room, dependency: &Dependency, ours: &[&str]) -> Option<String> {
    let (crate_, name) = (room.name, dependency.name.as_str());
    if ours.contains(&name) {
        let allowed = room.ours.contains(&name);
        return (!allowed).then(|| format!("{crate_} may not use {name}: {}", room.why));
    }
    let refused = match room.others {
        Others::Only(few) => !few.contains(&name),
        Others::Never(some) => some.contains(&name),
    };
    if refused {
        return Some(format!("{crate_} may not use {name}: {}", room.why));
    }
    let defaults = dependency.uses_default_features.then_some("default");
    let mut features = dependency.features.iter().map(String::as_str).chain(defaults);
    let (_, some) = room
        .kube_features
        .filter(|_| name == "kube")
        .map(|some| (name, some))?;
    let feature = features.find(|feature| !some.contains(feature))?;
    Some(format!(
        "{crate_} may not use {name} with `{feature}`: {}",
        room.why
    ))
}

/// Words in the sources of a crate that it may not know.
fn words() -> Result<Vec<String>> {
    let mut wrong = vec![];
    for path in workspace::files()? {
        let Some(rule) = WORDS.iter().find(|rule| path.starts_with(rule.folder)) else {
            continue;
        };
        let Some(text) = workspace::text(&path)? else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            wrong.extend(
                rule.found_in(line)
                    .map(|word| format!("{}:{}: {word:?} {}", path.display(), number + 1, rule.why)),
            );
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependency: &serde_json::Value) -> Metadata {
        let packages = ROOMS.iter().filter(|room| room.name != name);
        let mut packages: Vec<_> = packages
            .map(|room| serde_json::json!({"name": room.name, "dependencies": []}))
            .collect();
        packages.push(serde_json::json!({"name": name, "dependencies": [dependency]}));
        serde_json::from_value(serde_json::json!({ "packages": packages })).unwrap()
    }

    fn said(name: &str, dependency: &str, features: &[&str], kind: Option<&str>) -> String {
        let dependency = serde_json::json!({
            "name": dependency, "kind": kind, "features": features, "uses_default_features": false,
        });
        dependencies(&package(name, &dependency)).join("\n")
    }

    #[test]
    fn this_workspace_keeps_to_the_table() {
        run().unwrap();
    }

    #[test]
    fn a_crate_and_what_it_may_not_use_are_named() {
        let begins = |name, dependency, features: &[&str], expected: &str| {
            let said = said(name, dependency, features, None);
            assert!(
                said.starts_with(expected),
                "{said:?} for {name} with {dependency}"
            );
        };
        begins("ringspan-plan", "tokio", &[], "ringspan-plan may not use tokio: ");
        begins(
            "ringspan-plan",
            "kube",
            &["client"],
            "ringspan-plan may not use kube: ",
        );
        begins(
            "ringspan-api",
            "kube",
            &["client", "derive"],
            "ringspan-api may not use kube with `client`: ",
        );
        begins(
            "ringspan-runtime",
            "ringspan-api",
            &[],
            "ringspan-runtime may not use ringspan-api: ",
        );
        begins(
            "ringspan-fleet",
            "ringspan-plan",
            &[],
            "ringspan-fleet may not use ringspan-plan: ",
        );
        let (one, other) = ("ringspan-status-rollup", "ringspan-secret-replicator");
        begins(
            one,
            other,
            &[],
            "ringspan-status-rollup may not use ringspan-secret-replicator: ",
        );
        begins(
            "kubectl-ringspan",
            one,
            &[],
            "kubectl-ringspan may not use ringspan-status-rollup: ",
        );
        begins(
            "ringspan-fake-datacenter",
            "ringspan-api",
            &[],
            "ringspan-fake-datacenter may not use ringspan-api: ",
        );
        begins(
            "ringspan-management-api",
            "kube",
            &[],
            "ringspan-management-api may not use kube: ",
        );
    }

    #[test]
    fn what_only_tests_use_is_free_and_what_builds_is_not() {
        assert_eq!(said("ringspan-plan", "tokio", &[], Some("dev")), "");
        assert!(said("ringspan-plan", "tokio", &[], Some("build")).starts_with("ringspan-plan may not"));
        assert_eq!(said("ringspan-api", "kube", &["derive"], None), "");
        assert_eq!(said("ringspan-fleet", "ringspan-runtime", &[], None), "");
    }

    #[test]
    fn a_crate_without_a_row_is_named() {
        let mut metadata = package(
            "ringspan-api",
            &serde_json::json!({
                "name": "serde", "kind": null, "features": [], "uses_default_features": true,
            }),
        );
        metadata.packages[0].name = "ringspan-new".to_owned();
        let said = dependencies(&metadata);
        assert!(said[0].starts_with("ringspan-new has no row"), "{said:?}");
        assert!(said[1].ends_with("which is no crate"), "{said:?}");
    }

    #[test]
    fn a_word_is_found_in_any_case() {
        let runtime = &WORDS[0];
        assert_eq!(
            runtime.found_in("// for K8ssandra's sake").collect::<Vec<_>>(),
            ["k8ssandra"]
        );
        assert_eq!(runtime.found_in("let queue = Queue::new();").count(), 0);
    }
}
