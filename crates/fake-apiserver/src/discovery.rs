//! Which groups, versions and kinds there are.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::definitions::{Kind, Served};
use crate::failure::Failure;
use crate::paths::Path;

pub(crate) fn answer(served: &Served, path: &Path<'_>, version: &str) -> Result<Answer, Failure> {
    let unknown = || Failure::plain(404, "404 page not found\n");
    let body = match path {
        Path::Version => self::version(version),
        Path::Core => json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}],
        }),
        Path::Groups => {
            let groups: Vec<_> = groups(served)
                .iter()
                .map(|(name, versions)| group(name, versions))
                .collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
        Path::Group(name) => {
            let groups = groups(served);
            let versions = groups.get(name).ok_or_else(unknown)?;
            let mut group = group(name, versions);
            group["kind"] = "APIGroup".into();
            group["apiVersion"] = "v1".into();
            group
        }
        Path::Resources(api_version) => {
            let kinds = served
                .all()
                .iter()
                .filter(|kind| kind.api_version == *api_version);
            let resources: Vec<_> = kinds.flat_map(|kind| resources(kind)).collect();
            if resources.is_empty() {
                return Err(unknown());
            }
            json!({
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources,
            })
        }
        _ => return Err(unknown()),
    };
    Ok(Answer::json(200, body.to_string()))
}

/// What `/version` says for a version like `v1.35.4`.
fn version(version: &str) -> Value {
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    json!({
        "major": major, "minor": minor, "gitVersion": version, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "", "compiler": "", "platform": "linux/amd64",
    })
}

fn groups(served: &Served) -> BTreeMap<&str, Vec<&str>> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kind in served.all().iter().filter(|kind| !kind.group.is_empty()) {
        let versions = groups.entry(&kind.group).or_default();
        if !versions.contains(&kind.version.as_str()) {
            versions.push(&kind.version);
        }
    }
    groups
}

fn group(name: &str, versions: &[&str]) -> Value {
    let entry = |version: &&str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let entries: Vec<_> = versions.iter().map(entry).collect();
    json!({"name": name, "preferredVersion": entries.first(), "versions": entries})
}

fn resources(kind: &Kind) -> Vec<Value> {
    let mut resource = json!({
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
        "verbs": kind.verbs,
    });
    for (field, list) in [
        ("shortNames", &kind.short_names),
        ("categories", &kind.categories),
    ] {
        if !list.is_empty() {
            resource[field] = list.clone().into();
        }
    }
    let part = |name: &String| {
        let verbs: &[&str] = match name.as_str() {
            "token" | "eviction" | "binding" => &["create"],
            _ => &["get", "patch", "update"],
        };
        let mut part = json!({
            "name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced,
            "kind": kind.kind, "verbs": verbs,
        });
        if name == "scale" {
            part["kind"] = "Scale".into();
            part["group"] = "autoscaling".into();
            part["version"] = "v1".into();
        }
        part
    };
    std::iter::once(resource)
        .chain(kind.subresources.iter().map(part))
        .collect()
}
