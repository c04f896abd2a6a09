//! Each rule refuses one document, with its message at its field, and takes a neighbour that differs in this one thing.

mod addons;
mod datacenters;

use std::time::Instant;

use serde_json::{Value, json};

use crate::requests::{Requests, cluster};

/// Both are specs of a new cluster.
#[derive(Clone)]
struct Pair {
    /// Number in `docs/compatibility.md`, or the keyword of the schema.
    rule: &'static str,
    field: &'static str,
    message: &'static str,
    refused: Value,
    accepted: Value,
}

/// Returns the messages that were seen.
pub async fn each_rule_refuses_one_document_and_takes_its_neighbour(
    requests: &Requests,
) -> anyhow::Result<Vec<&'static str>> {
    let table = [
        datacenters::rules(),
        datacenters::bounds(),
        addons::medusa(),
        addons::reaper(),
    ]
    .concat();
    let mut wrong = vec![];
    for pair in &table {
        let place = format!("{} at {}", pair.rule, pair.field);
        let namespace = requests.namespace().await?;
        let answer = requests.create(&cluster(&pair.refused), &namespace).await?;
        match answer.map(|_| ()) {
            Err(reasons) if is_only(&reasons, pair.field, pair.message) => {}
            other => {
                wrong.push(format!("{place}: wanted {:?} alone, got {other:?}", pair.message));
                continue;
            }
        }
        if let Err(reasons) = requests.create(&cluster(&pair.accepted), &namespace).await? {
            wrong.push(format!("{place}: the neighbour is refused: {reasons:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    eprintln!("{} documents refused, and their neighbours stored", table.len());
    Ok(table.iter().map(|pair| pair.message).collect())
}

/// Whether this is the one reason for the refusal.
pub fn is_only(reasons: &[String], field: &str, message: &str) -> bool {
    matches!(reasons, [reason] if reason.starts_with(&format!("{field}: ")) && reason.contains(message))
}

/// 64 datacenters of 64 racks, with names as long as they may be: rules also have a budget when they run.
pub async fn the_largest_cluster_that_the_bounds_allow_is_stored(requests: &Requests) -> anyhow::Result<()> {
    let name = |number: usize| format!("x{number:062}");
    let racks: Vec<_> = (0..64).map(|number| json!({"name": name(number)})).collect();
    let datacenters: Vec<_> = (0..64)
        .map(|number| {
            json!({
                "metadata": {"name": name(number), "namespace": name(number)},
                "k8sContext": "c".repeat(253),
                "size": 64,
                "racks": racks,
            })
        })
        .collect();
    let spec = json!({"cassandra": {
        "clusterName": "n".repeat(253),
        "storageConfig": {},
        "racks": racks,
        "datacenters": datacenters,
    }});
    let namespace = requests.namespace().await?;
    let begun = Instant::now();
    let stored = requests.create(&cluster(&spec), &namespace).await?;
    assert!(stored.is_ok(), "{stored:?}");
    let created = begun.elapsed().as_millis();
    let changed = requests.replace(&cluster(&spec), &namespace).await?;
    assert!(changed.is_ok(), "{changed:?}");
    let replaced = begun.elapsed().as_millis() - created;
    eprintln!("64 datacenters of 64 racks: created in {created} ms, replaced in {replaced} ms");
    Ok(())
}

/// A spec with storage and datacenters of these names.
pub fn with_datacenters(names: &[&str]) -> Value {
    let datacenters: Vec<_> = names.iter().map(|name| datacenter(name)).collect();
    json!({"cassandra": {"storageConfig": {}, "datacenters": datacenters}})
}

fn datacenter(name: &str) -> Value {
    json!({"metadata": {"name": name}, "size": 1})
}

/// One datacenter `dc1`, and at that JSON pointer another value.
fn with(pointer: &str, value: Value) -> Value {
    let mut spec = with_datacenters(&["dc1"]);
    let mut at = &mut spec;
    for step in pointer.split('/').skip(1) {
        at = match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step],
        };
    }
    *at = value;
    spec
}

/// Both differ only in the value at that pointer.
fn pair(
    rule: &'static str,
    (field, message): (&'static str, &'static str),
    pointer: &str,
    refused: Value,
    accepted: Value,
) -> Pair {
    Pair {
        rule,
        field,
        message,
        refused: with(pointer, refused),
        accepted: with(pointer, accepted),
    }
}
