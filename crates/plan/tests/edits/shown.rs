//! How an edit and what comes of it are written down.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::reports::{Effect, FieldChange};
use plan::cluster::acts::Act;
use plan::cluster::plan;
use plan::foresight::{Played, Snapshot, Step};
use serde_json::Value;

/// Longer values are cut, and their digest tells them apart.
const LONGEST: usize = 120;

/// Adds one edit: what is decided at once of datacenters that have to wait, every act with what it writes, and what is
/// left in the end.
pub fn edit(text: &mut String, what: &str, kc: &K8ssandraCluster, before: &Snapshot, after: &Played) {
    line(text, 0, &format!("# {what}"));
    let first = plan(&before.facts(kc)).report;
    for (name, pending) in first
        .datacenters
        .iter()
        .filter_map(|(name, it)| Some((name, it.pending_change.as_ref()?)))
    {
        let held = if pending.held { "held" } else { "has to wait" };
        line(text, 0, &format!("{name} {held} ({}):", effect(pending.effect)));
        pending.fields.iter().for_each(|field| change(text, field));
    }
    let mut objects: Vec<(String, Value)> = Vec::new();
    for (context, plane) in &before.planes {
        let known = plane.iter().flat_map(|plane| &plane.objects);
        objects.extend(known.map(|object| (context.clone(), comparable(object))));
    }
    for (number, step) in after.foresight.steps.iter().enumerate() {
        self::step(text, number + 1, step, &mut objects);
    }
    end(text, after);
    text.push('\n');
}

fn step(text: &mut String, number: usize, step: &Step, objects: &mut Vec<(String, Value)>) {
    line(
        text,
        0,
        &format!(
            "{number}. {} ({})",
            step.act.sentence(),
            effect(step.act.effect())
        ),
    );
    if let Act::ApplyDatacenter { change: by, .. } = &step.act {
        by.fields.iter().for_each(|field| change(text, field));
    }
    let Some((context, object)) = &step.object else {
        return;
    };
    let object = comparable(object);
    let same = |(other, known): &&mut (String, Value)| {
        let named = |it: &Value| {
            (
                it["kind"].clone(),
                it["metadata"]["namespace"].clone(),
                it["metadata"]["name"].clone(),
            )
        };
        other == context && named(known) == named(&object)
    };
    if let Some((_, known)) = objects.iter_mut().find(same) {
        // What a change says of a datacenter is above, but for its metadata.
        let is_told = matches!(step.act, Act::ApplyDatacenter { .. });
        let (from, to) = if is_told {
            (&known["metadata"], &object["metadata"])
        } else {
            (&*known, &object)
        };
        differences(text, "", Some(from), Some(to));
        *known = object;
    } else {
        differences(text, "", None, Some(&object));
        objects.push((context.clone(), object));
    }
}

fn end(text: &mut String, after: &Played) {
    let report = &after.foresight.report;
    if let Some(refusal) = &report.refusal {
        line(
            text,
            0,
            &format!(
                "refused: {} {}: {}",
                refusal.reason, refusal.field, refusal.message
            ),
        );
    }
    for hold in &report.holds {
        line(text, 0, &format!("waits: {}: {}", hold.reason, hold.message));
    }
    for (name, datacenter) in &report.datacenters {
        if let Some(pending) = &datacenter.pending_change {
            line(text, 0, &format!("left of {name} ({}):", effect(pending.effect)));
            pending.fields.iter().for_each(|field| change(text, field));
        }
    }
    if after.foresight.steps.is_empty() {
        line(text, 0, "nothing is written");
    }
    line(
        text,
        0,
        if report.complete {
            "complete"
        } else {
            "not complete"
        },
    );
}

/// The object as it is sent, without what an API server or another program puts there.
fn comparable(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
        if map.get("kind").and_then(Value::as_str) == Some("Secret") {
            map.remove("data");
        }
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["uid", "resourceVersion"] {
            metadata.remove(field);
        }
    }
    object
}

fn effect(effect: Effect) -> String {
    serde_json::to_value(effect)
        .ok()
        .and_then(|it| it.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn change(text: &mut String, field: &FieldChange) {
    let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), short);
    let (from, to) = (value(&field.from), value(&field.to));
    line(
        text,
        1,
        &format!("{}: {from} -> {to} ({})", field.field, effect(field.effect)),
    );
}

fn differences(text: &mut String, path: &str, from: Option<&Value>, to: Option<&Value>) {
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match (from, to) {
        (from, to) if from == to => {}
        (Some(Value::Object(_)) | None, Some(Value::Object(map))) if from.is_some() || !map.is_empty() => {
            let known = from.and_then(Value::as_object);
            let keys: BTreeSet<&String> = known
                .into_iter()
                .flat_map(|it| it.keys())
                .chain(map.keys())
                .collect();
            for key in keys {
                differences(text, &below(key), known.and_then(|it| it.get(key)), map.get(key));
            }
        }
        (None, Some(value)) => line(text, 1, &format!("+ {path}: {}", short(value))),
        (Some(value), None) => line(text, 1, &format!("- {path}: {}", short(value))),
        (Some(from), Some(to)) => line(text, 1, &format!("~ {path}: {} -> {}", short(from), short(to))),
        (None, None) => {}
    }
}

/// A value on one line.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let begin: String = text.chars().take(LONGEST).collect();
    let digest = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{begin}... ({} bytes, {digest:016x})", text.len())
}

fn line(text: &mut String, depth: usize, what: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "{}{what}", "   ".repeat(depth));
}
