//! The driver of a recorded scenario: what it did, what it waited for, and when all objects were written down.

use serde_json::Value;

use crate::catalogue::Scenario;
use crate::recording::{Recording, time};

/// One entry of a scenario's plan.
pub enum Entry {
    /// A request of the driver.
    Ask(Value),
    /// Something that the driver did to the recorder's nodes.
    Act(Act),
    /// The driver waited until this was so.
    Reached(String),
    /// The driver waited in vain until now for this to be so.
    InVain(String),
    /// All objects were written down.
    State(usize),
}

/// What the driver did to the recorder's nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The probe for a quorum answers 500 from now on.
    QuorumProbesFail,
    /// A node is ready or not, whatever its Cassandra says.
    Readiness {
        /// Part of the pod's name.
        rack: String,
        /// Whether it is ready.
        ready: bool,
    },
}

/// The plan of a scenario, in order of recorded time.
pub fn plan(scenario: &Scenario, recording: &Recording) -> Vec<(f64, Entry)> {
    let mut plan = Vec::new();
    for object in &recording.input {
        let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
        let traced = |line: &&Value| line["request"]["kind"] == *kind && line["name"] == *name;
        let traced = recording.trace.iter().find(traced);
        assert!(traced.is_some(), "{}: nobody made {kind} {name}", recording.name);
    }
    for line in recording.trace.iter().filter(|line| line["user"] == "admin") {
        plan.push((time(line), Entry::Ask(line.clone())));
    }
    for line in &recording.steps {
        if let Some(act) = line["step"].as_str().and_then(act) {
            plan.push((time(line), Entry::Act(act)));
        }
        if let Some(label) = line["reached"].as_str() {
            plan.push((time(line), Entry::Reached(label.to_owned())));
        }
        if let Some(label) = line["timeout"].as_str() {
            plan.push((time(line), Entry::InVain(label.to_owned())));
        }
    }
    plan.extend(state_times(scenario, recording));
    // What was reached and what was written down at the moment of a step was before it.
    let rank = |entry: &Entry| match entry {
        Entry::Reached(_) | Entry::InVain(_) => 0,
        Entry::State(_) => 1,
        Entry::Ask(_) | Entry::Act(_) => 2,
    };
    plan.sort_by(|(one, first), (other, second)| {
        let by_time = one.total_cmp(other);
        by_time.then_with(|| rank(first).cmp(&rank(second)))
    });
    plan
}

fn act(step: &str) -> Option<Act> {
    let readiness = |rack: &str, ready| {
        Some(Act::Readiness {
            rack: format!("-{rack}-"),
            ready,
        })
    };
    match step.split_whitespace().collect::<Vec<_>>()[..] {
        ["every", "LOCAL_QUORUM", "probe", "answers", "500", ..] => Some(Act::QuorumProbesFail),
        ["node", rack, "loses", "readiness"] => readiness(rack, false),
        [rack, "gains", "readiness"] => readiness(rack, true),
        _ => None,
    }
}

/// Objects were written down without their time: as late as possible after the last status that they show, before the
/// next one and before the driver's next step.
fn state_times(scenario: &Scenario, recording: &Recording) -> Vec<(f64, Entry)> {
    let end = recording.end() + 0.5;
    let mut before = 0.0;
    let mut times = Vec::new();
    for (number, (label, objects)) in recording.states.iter().enumerate() {
        let known = scenario.states.iter().find(|(name, _)| name == label);
        let moment = match known {
            Some((_, moment)) => *moment,
            None if label == "end" && number + 1 == recording.states.len() => end,
            None => latest(recording, objects, before, end),
        };
        before = moment;
        times.push((moment.min(end), Entry::State(number)));
    }
    times
}

fn latest(recording: &Recording, objects: &[Value], after: f64, end: f64) -> f64 {
    let (mut from, mut until) = (after, end);
    for object in objects.iter().filter(|object| object["status"].is_object()) {
        let own = |line: &&Value| {
            line["kind"] == object["kind"]
                && line["name"] == object["metadata"]["name"]
                && line["ns"] == object["metadata"]["namespace"]
        };
        let statuses: Vec<_> = recording.status.iter().filter(own).collect();
        let shown = statuses
            .iter()
            .position(|line| line["status"] == object["status"] && time(line) >= after);
        if let Some(place) = shown {
            from = from.max(time(statuses[place]));
            until = statuses
                .get(place + 1)
                .map_or(until, |next| until.min(time(next)));
        }
    }
    let next = recording
        .steps
        .iter()
        .filter(|line| line["step"].is_string())
        .map(time)
        .find(|step| *step > from);
    next.map_or(until, |next| until.min(next)) - 0.001
}
