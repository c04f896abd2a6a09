//! What cass-operator does when a field of a CassandraDatacenter changes.
//!
//! Recorded from cass-operator 1.31, one edit at a time; the test beside this compares the table with the recordings. A
//! field that nobody tried counts as a restart.

use api::reports::Effect;
use serde_json::Value;

use super::difference::Difference;

/// Path of a field, without keys of lists, and what a change below it does. The longest that fits decides.
const EFFECTS: [(&str, Effect); 29] = [
    ("metadata.annotations", Effect::Live),
    ("metadata.labels", Effect::None),
    ("spec", Effect::Restart),
    ("spec.additionalSeeds", Effect::Live),
    ("spec.additionalServiceConfig", Effect::Live),
    ("spec.canaryUpgrade", Effect::Live),
    ("spec.canaryUpgradeCount", Effect::Live),
    ("spec.clusterName", Effect::Dangerous),
    ("spec.config.cassandra-yaml.initial_token", Effect::Dangerous),
    ("spec.config.cassandra-yaml.num_tokens", Effect::Dangerous),
    ("spec.config.cassandra-yaml.partitioner", Effect::Dangerous),
    ("spec.configBuilderImage", Effect::None),
    ("spec.datacenterName", Effect::Dangerous),
    ("spec.dockerImageRunsAsCassandra", Effect::None),
    ("spec.forceUpgradeRacks", Effect::None),
    ("spec.maxUnavailable", Effect::None),
    ("spec.minReadySeconds", Effect::Live),
    ("spec.racks", Effect::Dangerous),
    ("spec.racks.affinity", Effect::Restart),
    ("spec.racks.nodeAffinityLabels", Effect::Restart),
    ("spec.racks.zone", Effect::Restart),
    ("spec.replaceNodes", Effect::Dangerous),
    ("spec.serverType", Effect::Dangerous),
    ("spec.size", Effect::Stream),
    ("spec.storageConfig", Effect::Restart),
    ("spec.storageConfig.additionalVolumes.pvcSpec", Effect::Dangerous),
    (
        "spec.storageConfig.cassandraDataVolumeClaimSpec",
        Effect::Dangerous,
    ),
    ("spec.superuserSecretName", Effect::Dangerous),
    ("spec.users", Effect::Live),
];
/// Grows in place, where the class of the storage lets it.
const STORAGE_REQUEST: &str = "spec.storageConfig.cassandraDataVolumeClaimSpec.resources.requests.storage";
/// Volumes beside that of the data; one with a claim cannot be added to pods that are there.
const VOLUMES: &str = "spec.storageConfig.additionalVolumes";
const RACKS: &str = "spec.racks";

/// What the change of this field does.
pub(super) fn of(changed: &Difference) -> Effect {
    let field = without_keys(&changed.field);
    match field.as_str() {
        STORAGE_REQUEST if changed.from.is_some() => Effect::Live,
        VOLUMES => volumes(changed),
        RACKS => racks(changed),
        field => listed(field),
    }
}

fn listed(field: &str) -> Effect {
    let is_below = |path: &str| {
        field
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let longest = EFFECTS
        .iter()
        .filter(|(path, _)| is_below(path))
        .max_by_key(|(path, _)| path.len());
    longest.map_or(Effect::Restart, |(_, effect)| *effect)
}

/// A claim that comes or goes makes cass-operator replace the StatefulSet, which then cannot roll the pods of the first.
/// With a volume that is made of nothing it is not even made again.
fn volumes(changed: &Difference) -> Effect {
    let claims = |value: &Option<Value>| -> Vec<Value> {
        let items = match value {
            Some(Value::Array(items)) => items.clone(),
            Some(item) => vec![item.clone()],
            None => Vec::new(),
        };
        let pods_only = |item: &Value| item.get("volumeSource").is_some();
        items.into_iter().filter(|item| !pods_only(item)).collect()
    };
    if claims(&changed.from) == claims(&changed.to) {
        Effect::Restart
    } else {
        Effect::Dangerous
    }
}

/// A rack that comes is filled with data from the others; one rack by the name that a datacenter without racks has
/// changes nothing. One that goes leaves its nodes behind.
fn racks(changed: &Difference) -> Effect {
    let is_default =
        |rack: &Value| rack.get("name").and_then(Value::as_str) == Some(crate::naming::DEFAULT_RACK);
    match (&changed.from, &changed.to) {
        (None, Some(Value::Array(racks))) if racks.first().is_some_and(is_default) => {
            let bare = racks.len() == 1 && racks[0].as_object().is_some_and(|rack| rack.len() == 1);
            if bare { Effect::None } else { Effect::Stream }
        }
        (None, Some(Value::Object(_))) => Effect::Stream,
        _ => Effect::Dangerous,
    }
}

fn without_keys(path: &str) -> String {
    let mut depth = 0;
    let outside = |letter: &char| {
        match letter {
            '[' => depth += 1,
            ']' => {
                depth -= 1;
                return false;
            }
            _ => {}
        }
        depth == 0
    };
    path.chars().filter(outside).collect()
}
