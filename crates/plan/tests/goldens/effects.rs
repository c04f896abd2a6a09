//! What cass-operator was seen to do with an edit, beside what a plan says of it.

use std::collections::{BTreeMap, BTreeSet};

use api::reports::Effect;
use plan::change::Change;
use plan::datacenter::{DesiredDatacenter, LiveDatacenter};
use serde_json::{Value, json};

use crate::reference;

/// Edits of which a plan says something else than what was seen, and why.
const OTHERWISE: [(&str, Effect, &str); 13] = [
    (
        "spec.racks add one, size 1->2",
        Effect::Stream,
        "the new node gets its data from the others",
    ),
    (
        "spec.size 1->2",
        Effect::Stream,
        "the new node gets its data from the others",
    ),
    (
        "spec.podTemplateSpec priorityClassName (nonexistent)",
        Effect::Restart,
        "whether the class exists is not seen",
    ),
    (
        "spec.storageConfig storageClassName",
        Effect::Dangerous,
        "spec and volumes would say different things: it is locked",
    ),
    (
        "spec.superuserSecretName",
        Effect::Dangerous,
        "the nodes keep the first role: it is locked",
    ),
    (
        "spec.users add, secret missing",
        Effect::Live,
        "a datacenter waits for the Secrets that it names",
    ),
    (
        "spec.users remove",
        Effect::Live,
        "the same field as for users that come",
    ),
    ("spec.stopped", Effect::Restart, "every node goes down"),
    (
        "spec.readOnlyRootFilesystem=true",
        Effect::Restart,
        "it depends on the version and on what was there",
    ),
    (
        "spec.canaryUpgrade=true with config change",
        Effect::Restart,
        "how many pods are spared depends on the partition",
    ),
    (
        "spec.unknownField",
        Effect::Restart,
        "a field that nobody tried counts as a restart",
    ),
    (
        "spec.rollingRestartRequested",
        Effect::None,
        "cass-operator takes it out again, so it is not compared",
    ),
    (
        "spec.replaceNodes",
        Effect::None,
        "cass-operator takes it out again, so it is not compared",
    ),
];

fn base(edit: &str) -> Value {
    let mut spec = json!({
        "clusterName": "clus", "serverType": "cassandra", "serverVersion": "4.1.8", "size": 1,
        "managementApiAuth": {"insecure": {}},
        "config": {"cassandra-yaml": {"num_tokens": 16}},
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}},
        "storageConfig": {"cassandraDataVolumeClaimSpec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "standard", "resources": {"requests": {"storage": "5Gi"}}
        }},
    });
    if edit.contains("racks") && !edit.contains("from none") || edit.contains("rack rename") {
        spec["racks"] = json!([{"name": "r1"}]);
    }
    if edit.contains("users remove") {
        spec["users"] = json!([{"secretName": "u1", "superuser": false}]);
    }
    spec
}

fn patched(base: &Value, patch: &Value) -> Value {
    let (Value::Object(base), Value::Object(patch)) = (base, patch) else {
        return patch.clone();
    };
    let mut merged = base.clone();
    for (key, value) in patch {
        if value.is_null() {
            merged.remove(key);
        } else {
            let before = merged.get(key).cloned().unwrap_or_else(|| json!({}));
            merged.insert(key.clone(), patched(&before, value));
        }
    }
    Value::Object(merged)
}

fn effect(edit: &str, patch: &Value) -> Effect {
    let texts = |pointer: &str| -> BTreeMap<String, String> {
        let found = patch.pointer(pointer).and_then(Value::as_object);
        let pairs = found.into_iter().flatten();
        pairs
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    };
    let live = LiveDatacenter {
        spec: base(edit),
        ..LiveDatacenter::default()
    };
    let desired = DesiredDatacenter {
        namespace: String::new(),
        name: String::new(),
        labels: texts("/metadata/labels"),
        annotations: texts("/metadata/annotations"),
        spec: patched(&live.spec, patch.get("spec").unwrap_or(&json!({}))),
        config_maps: Vec::new(),
        switched_off: Vec::new(),
        input_hash: String::new(),
        superuser_secret: String::new(),
    };
    Change::between(&live, &desired).effect()
}

fn recorded(class: &str) -> Option<Effect> {
    match class {
        "none" => Some(Effect::None),
        "live" => Some(Effect::Live),
        "rolling restart" => Some(Effect::Restart),
        "dangerous" => Some(Effect::Dangerous),
        _ => None,
    }
}

#[test]
fn a_plan_says_of_each_edit_what_cass_operator_was_seen_to_do_with_it() {
    let Some(text) = reference::file("cass-operator/effects.tsv") else {
        println!("effects: RINGSPAN_REFERENCE is not set, so nothing was compared");
        return;
    };
    let (mut equal, mut refused, mut wrong) = (0, 0, Vec::new());
    let mut named = BTreeSet::new();
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (edit, patch, class) = (columns[0], columns[1], columns[4]);
        let patch = serde_json::from_str(patch).expect("a merge patch");
        let ours = effect(edit, &patch);
        let otherwise = OTHERWISE.iter().find(|(name, _, _)| *name == edit);
        match (recorded(class), otherwise) {
            (Some(theirs), None) if theirs == ours => equal += 1,
            (Some(theirs), Some((name, wanted, _))) if ours == *wanted && ours != theirs => {
                named.insert(*name);
            }
            (None, None) => refused += 1,
            (theirs, _) => wrong.push(format!("{edit}: recorded {theirs:?}, ours {ours:?}")),
        }
    }
    println!(
        "effects: equal {equal} named {} refused {refused} wrong {}",
        named.len(),
        wrong.len()
    );
    assert_eq!(wrong, Vec::<String>::new());
    let unused: Vec<_> = OTHERWISE
        .iter()
        .filter(|(name, _, _)| !named.contains(name))
        .collect();
    assert!(
        unused.is_empty(),
        "an exception that nothing needs must go: {unused:?}"
    );
    assert!(equal > 40, "the recordings name more edits than {equal}");
}
