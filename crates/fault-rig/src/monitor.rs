//! What must hold at every accepted write, whoever crashed before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use fake_apiserver::Write;
use fake_datacenter::ring::Rings;
use serde_json::Value;

use crate::scenario::{CLUSTER, Scenario};
use crate::world::World;

/// What was violated, in the order in which it was seen.
#[derive(Clone, Default)]
pub struct Violations(Arc<Mutex<Vec<String>>>);

impl Violations {
    fn add(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Looks at every write of every API server from now on.
#[must_use]
pub fn watch(world: &World) -> Violations {
    let violations = Violations::default();
    for (plane, server) in world.servers() {
        let (plane, found, scenario, rings) = (
            *plane,
            violations.clone(),
            world.plan.scenario,
            world.rings.clone(),
        );
        server.on_write(Arc::new(move |write| {
            if !write.changed() {
                return;
            }
            for line in broken(write, scenario).into_iter().chain(split(write, &rings)) {
                let Write {
                    user_agent,
                    verb,
                    plural,
                    name,
                    ..
                } = write;
                found.add(format!("{line} ({user_agent} {verb} {plural}/{name} in {plane})"));
            }
        }));
    }
    violations
}

/// What one write breaks.
fn broken(write: &Write, scenario: Scenario) -> Vec<String> {
    let mut broken = going_back(write);
    if !write.user_agent.starts_with("ringspan-") {
        return broken;
    }
    let body: Value = serde_json::from_slice(&write.body).unwrap_or_default();
    match write.verb {
        "delete" => {
            if !guarded(&body) {
                broken.push("R3: a delete without uid and resourceVersion".to_owned());
            }
            let consented = scenario.lets_go().contains(&write.name.as_str());
            if write.plural == "cassandradatacenters" && !consented {
                broken.push("P1: a datacenter is deleted that nobody removed".to_owned());
            }
        }
        "apply" if write.before.is_none() => {
            broken.push("rule 2: an apply made a new object".to_owned());
        }
        "apply" if write.subresource.is_empty() && body.pointer("/metadata/uid").is_none() => {
            broken.push("rule 2: an apply without uid".to_owned());
        }
        "patch" if write.subresource.is_empty() && !tests_identity(&body) => {
            broken.push("rule 2: a patch that tests no identity".to_owned());
        }
        _ => {}
    }
    broken
}

fn guarded(options: &Value) -> bool {
    ["uid", "resourceVersion"].iter().all(|key| {
        options
            .pointer(&format!("/preconditions/{key}"))
            .is_some_and(Value::is_string)
    })
}

/// A JSON patch that tests the uid, or a merge patch that carries it.
fn tests_identity(patch: &Value) -> bool {
    let tests = |step: &Value| step["op"] == "test" && step["path"] == "/metadata/uid";
    match patch {
        Value::Array(steps) => steps.iter().any(tests),
        other => {
            other.pointer("/metadata/uid").is_some() || other.pointer("/metadata/resourceVersion").is_some()
        }
    }
}

/// P5: a cluster never has two rings.
fn split(write: &Write, rings: &Rings) -> Option<String> {
    if write.plural != "pods" {
        return None;
    }
    let rings = rings.lock().rings_by_cluster();
    let count = rings.get(CLUSTER).copied().unwrap_or_default();
    (count > 1).then(|| format!("P5: {count} rings"))
}

/// P11: an observed generation never goes back, and a transition time changes with its condition only.
fn going_back(write: &Write) -> Vec<String> {
    let (Some(before), Some(after)) = (&write.before, &write.after) else {
        return Vec::new();
    };
    if write.plural != "k8ssandraclusters" || before["metadata"]["uid"] != after["metadata"]["uid"] {
        return Vec::new();
    }
    let generation = |object: &Value| {
        object
            .pointer("/status/observedGeneration")
            .and_then(Value::as_i64)
    };
    let mut broken = Vec::new();
    if let (Some(was), now) = (generation(before), generation(after))
        && now.is_none_or(|now| now < was)
    {
        broken.push(format!("P11: observedGeneration went from {was} to {now:?}"));
    }
    let (was, now) = (conditions(before), conditions(after));
    for (kind, (status, time)) in &now {
        if let Some((old_status, old_time)) = was.get(kind)
            && old_status == status
            && old_time != time
        {
            broken.push(format!("P11: {kind} stayed {status} and its time moved"));
        }
    }
    broken
}

/// Type to status and transition time.
fn conditions(object: &Value) -> BTreeMap<&str, (&str, &str)> {
    let list = object.pointer("/status/conditions").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|condition| {
            let field = |name: &str| condition.get(name).and_then(Value::as_str);
            Some((field("type")?, (field("status")?, field("lastTransitionTime")?)))
        })
        .collect()
}
