//! Rules that compare with what is stored refuse one change and take another.

use serde_json::{Value, json};

use crate::refusals::{is_only, with_datacenters};
use crate::requests::{Requests, cluster};

/// All three are specs of one cluster.
#[derive(Clone)]
struct Change {
    /// Number in `docs/compatibility.md`.
    rule: &'static str,
    field: &'static str,
    message: &'static str,
    old: Value,
    refused: Value,
    accepted: Value,
}

/// Returns the messages that were seen.
pub async fn each_rule_refuses_one_change_and_takes_another(
    requests: &Requests,
) -> anyhow::Result<Vec<&'static str>> {
    let table = [names_of_datacenters(), names_that_stay()].concat();
    let mut wrong = vec![];
    for change in &table {
        let Change {
            rule, field, message, ..
        } = change;
        let namespace = requests.namespace().await?;
        if let Err(reasons) = requests.create(&cluster(&change.old), &namespace).await? {
            wrong.push(format!("{rule}: the first one is refused: {reasons:?}"));
            continue;
        }
        let answer = requests.replace(&cluster(&change.refused), &namespace).await?;
        match answer.map(|_| ()) {
            Err(reasons) if is_only(&reasons, field, message) => {}
            other => wrong.push(format!(
                "{rule}: {}: wanted {message:?} alone, got {other:?}",
                change.refused
            )),
        }
        if let Err(reasons) = requests.replace(&cluster(&change.accepted), &namespace).await? {
            wrong.push(format!("{rule}: {} is refused: {reasons:?}", change.accepted));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    eprintln!("{} changes refused, and as many others stored", table.len());
    Ok(table.iter().map(|change| change.message).collect())
}

fn names_of_datacenters() -> Vec<Change> {
    let old = with_datacenters(&["dc1", "dc2"]);
    [
        // Renamed; added.
        (&["dc1", "dc3"][..], &["dc1", "dc2", "dc3"][..]),
        // One for two; removed.
        (&["dc3"], &["dc2"]),
        // All others; in another order.
        (&["dc3", "dc4", "dc5"], &["dc2", "dc1"]),
        // Beside one that stays; all removed.
        (&["dc3", "dc2"], &[]),
    ]
    .map(|(refused, accepted)| Change {
        rule: "V12",
        field: "spec.cassandra",
        message: "adding and removing DCs at the same time is prohibited",
        old: old.clone(),
        refused: with_datacenters(refused),
        accepted: with_datacenters(accepted),
    })
    .into()
}

fn names_that_stay() -> Vec<Change> {
    let named = |name: Value| {
        let mut spec = with_datacenters(&["dc1"]);
        spec["cassandra"]["clusterName"] = name;
        spec
    };
    let reaper = |reaper: Value| {
        let mut spec = with_datacenters(&["dc1"]);
        spec["reaper"] = reaper;
        spec
    };
    let name = |old: &Value, refused: &Value, accepted: &Value| Change {
        rule: "V13",
        field: "<nil>",
        message: "cluster name can not be changed",
        old: named(old.clone()),
        refused: named(refused.clone()),
        accepted: named(accepted.clone()),
    };
    let keyspace = |old: Value, refused: Value, accepted: Value| Change {
        rule: "V10",
        field: "spec.reaper",
        message: "reaper keyspace can not be changed",
        old: reaper(old),
        refused: reaper(refused),
        accepted: reaper(accepted),
    };
    let (mine, default) = (json!({"keyspace": "mine"}), json!({"keyspace": "reaper_db"}));
    vec![
        name(&Value::Null, &json!("other"), &json!("demo")),
        name(&json!("My Ring"), &Value::Null, &json!("My Ring")),
        name(&json!("My Ring"), &json!("my ring"), &json!("My Ring")),
        name(&json!("demo"), &json!("demo2"), &json!("")),
        keyspace(mine.clone(), json!({}), mine.clone()),
        keyspace(json!({}), mine.clone(), default),
        keyspace(mine, json!({"keyspace": "other"}), Value::Null),
    ]
}
