//! What is passed on as it is, because upstream does, and is worth a word: one for each reason in a cluster.

use std::collections::BTreeMap;

use api::names::reason;
use api::reports::Refusal;
use serde_json::Value;

use super::refusal;
use crate::datacenter::{Facts, LiveDatacenter};
use crate::value;
use crate::version::Version;

/// What cass-operator writes into cassandra.yaml by itself.
const RESERVED: [&str; 5] = [
    "cluster_name",
    "data_file_directories",
    "endpoint_snitch",
    "seed_provider",
    "seeds",
];
/// Options by which Java runs a command.
const COMMANDS: [&str; 2] = ["-XX:OnOutOfMemoryError", "-XX:OnError"];
/// What a shell makes something else of: the options stand in a script.
const OF_SHELLS: [&str; 3] = ["`", "$(", "\n"];

/// All that there is to say, one entry for each reason: the first field that it is about.
pub(crate) fn warnings(wanted: &[Facts<'_>], live: &[&LiveDatacenter]) -> Vec<Refusal> {
    let mut first = BTreeMap::new();
    for facts in wanted {
        let live = live.iter().find(|live| live.name == facts.name);
        let all = [
            reserved(facts),
            version(facts, live.copied()),
            image(facts),
            pods(facts),
        ];
        for warning in all.into_iter().flatten() {
            first.entry(warning.reason.clone()).or_insert(warning);
        }
    }
    first.into_values().collect()
}

fn reserved(facts: &Facts<'_>) -> Option<Refusal> {
    let yaml = value::at(&facts.merged, "/config/cassandraYaml").and_then(Value::as_object);
    if let Some(key) = RESERVED
        .iter()
        .find(|key| yaml.is_some_and(|yaml| yaml.contains_key(**key)))
    {
        let message = format!(
            "cass-operator sets {key} by itself, and what is given here may keep nodes of {} from finding each other or \
             their data; take it out",
            facts.name
        );
        let field = facts.field(&format!("config.cassandraYaml.{key}"));
        return Some(refusal(reason::RESERVED_CONFIG, &field, message));
    }
    let lists = value::at(&facts.merged, "/config/jvmOptions").and_then(Value::as_object);
    let mut lists = lists
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with("additional"));
    let is_odd = |option: &Value| {
        let has = |part: &&str| option.as_str().is_some_and(|text| text.contains(part));
        COMMANDS.iter().chain(&OF_SHELLS).any(has)
    };
    let (list, _) = lists.find(|(_, options)| options.as_array().is_some_and(|it| it.iter().any(is_odd)))?;
    let message = format!(
        "an option of Java for {} runs a command, or has signs that a shell takes for one; take it out if that is not meant",
        facts.name
    );
    let field = facts.field(&format!("config.jvmOptions.{list}"));
    Some(refusal(reason::RESERVED_CONFIG, &field, message))
}

/// Nodes read what the version before them wrote, and seldom what a later one did.
fn version(facts: &Facts<'_>, live: Option<&LiveDatacenter>) -> Option<Refusal> {
    let there = Version::parse(value::text(&live?.spec, "/serverVersion")?)?;
    let number = |version: &Version| (version.major, version.minor, version.patch);
    let goes_back = number(&facts.version) < number(&there);
    if !goes_back && facts.version.major <= there.major + 1 {
        return None;
    }
    let message = format!(
        "{} runs {there}, and nodes of {} may not read its data; go from one major version to the next, and never back",
        facts.name, facts.version
    );
    Some(refusal(
        reason::UNSUPPORTED_UPGRADE,
        &facts.field("serverVersion"),
        message,
    ))
}

fn image(facts: &Facts<'_>) -> Option<Refusal> {
    let image = value::text(&facts.merged, "/serverImage")
        .filter(|image| !image.is_empty() && !image.contains('@'))?;
    let message = format!("image {image} may become another one under its tag; name it by its digest");
    Some(refusal(
        reason::IMAGE_NOT_PINNED,
        &facts.field("serverImage"),
        message,
    ))
}

/// Whether plane and namespace allow this is for their policies to say.
fn pods(facts: &Facts<'_>) -> Option<Refusal> {
    let merged = &facts.merged;
    let any = |list: &str, pointer: &str| {
        let mut items = value::items(merged, list).iter();
        items.any(|item| item.pointer(pointer).is_some_and(|it| *it != Value::Bool(false)))
    };
    let given = [
        ("containers", any("/containers", "/securityContext/privileged")),
        (
            "initContainers",
            any("/initContainers", "/securityContext/privileged"),
        ),
        ("extraVolumes.volumes", any("/extraVolumes/volumes", "/hostPath")),
        (
            "networking.hostNetwork",
            value::flag(merged, "/networking/hostNetwork") == Some(true),
        ),
        (
            "serviceAccount",
            value::text(merged, "/serviceAccount").is_some_and(|it| !it.is_empty()),
        ),
    ];
    let (field, _) = given.iter().find(|(_, is_given)| *is_given)?;
    let message = format!(
        "pods of {} may do more on their workers or in their plane than Cassandra needs; take it out if that is not meant",
        facts.name
    );
    Some(refusal(reason::POD_PRIVILEGES, &facts.field(field), message))
}
