//! Every cluster that K8ssandra took is taken, and nothing of it is lost.
//!
//! The documents are in the folder that `RINGSPAN_REFERENCE` names; without it this says that nothing was compared.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use crate::requests::Requests;

/// Refused by the schema or a rule although K8ssandra takes it: the case's name and why that is right.
const REFUSED: [(&str, &str); 0] = [];

#[derive(Default)]
struct Tally {
    stored: usize,
    lost: Vec<String>,
    refused: Vec<String>,
    named: usize,
    same_refusals: usize,
}

pub async fn every_cluster_that_upstream_took_is_stored_whole(requests: &Requests) -> anyhow::Result<()> {
    let Some(reference) = std::env::var_os("RINGSPAN_REFERENCE").map(PathBuf::from) else {
        eprintln!("definitions: RINGSPAN_REFERENCE is not set: nothing was compared");
        return Ok(());
    };
    let mut tally = Tally::default();
    for case in cases(&reference)? {
        let whose = case
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let outcome = compare(requests, &case, &whose, &mut tally).await;
        outcome.with_context(|| format!("case {whose}"))?;
    }
    eprintln!(
        "definitions: stored {} lost {} refused {} ({} named); refused by both, in the same words: {}",
        tally.stored,
        tally.lost.len(),
        tally.refused.len() + tally.named,
        tally.named,
        tally.same_refusals,
    );
    assert!(tally.lost.is_empty(), "lost:\n{}", tally.lost.join("\n"));
    assert!(tally.refused.is_empty(), "refused:\n{}", tally.refused.join("\n"));
    assert_eq!(
        tally.named,
        REFUSED.len(),
        "a case that is named is taken, or is not there"
    );
    assert!(tally.stored > 100, "only {} clusters were found", tally.stored);
    Ok(())
}

/// Folders of all cases, sorted.
fn cases(reference: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut cases = vec![];
    for folder in ["golden/cases", "golden/generated"].map(|folder| reference.join(folder)) {
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            cases.push(entry?.path());
        }
    }
    cases.sort();
    Ok(cases)
}

async fn compare(requests: &Requests, case: &Path, whose: &str, tally: &mut Tally) -> anyhow::Result<()> {
    let rejections = rejections(case)?;
    let input = fs::read_to_string(case.join("input.yaml"))?;
    let documents: Vec<Value> = serde_saphyr::from_multiple(&input)?;
    let clusters = documents
        .iter()
        .filter(|document| document["kind"] == "K8ssandraCluster");
    for cluster in clusters {
        let namespace = requests.namespace().await?;
        let mut cluster = cluster.clone();
        cluster["metadata"]["namespace"] = namespace.clone().into();
        let answer = requests.create_as_a_user(&cluster, &namespace).await?;
        if !rejections.is_empty() {
            // Where upstream's webhook fell over itself there are no words to compare.
            let words = rejections.iter().filter(|words| !words.starts_with("panic"));
            for words in words {
                let reasons = answer.as_ref().err().map(|reasons| reasons.join("; "));
                let is_same = reasons.as_ref().is_some_and(|reasons| reasons.contains(words));
                assert!(is_same, "{whose}: {words:?} is not in {reasons:?}");
                tally.same_refusals += 1;
            }
        } else if let Err(reasons) = answer {
            match REFUSED.iter().find(|(case, _)| *case == whose) {
                Some(_) => tally.named += 1,
                None => tally.refused.push(format!("{whose}: {reasons:?}")),
            }
        } else {
            tally.stored += 1;
            let stored = requests.read(&cluster, &namespace).await?;
            lost(&cluster, &stored, whose, &mut tally.lost);
        }
    }
    Ok(())
}

/// What upstream's webhook said, where it refused the cluster.
fn rejections(case: &Path) -> anyhow::Result<Vec<String>> {
    let result: Value = serde_json::from_str(&fs::read_to_string(case.join("result.json"))?)?;
    let rejected = result["rejected"].as_array().context("no list `rejected`")?;
    let text = rejected.iter().filter_map(Value::as_str);
    Ok(text
        .map(|text| {
            text.rsplit("denied the request: ")
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect())
}

/// Paths whose value in `given` is not in `stored`. More may be there: defaults, and what a server adds to metadata. A null
/// says nothing, and is dropped.
fn lost(given: &Value, stored: &Value, path: &str, found: &mut Vec<String>) {
    match (given, stored) {
        (Value::Object(given), Value::Object(stored)) => {
            for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                let path = format!("{path}.{name}");
                lost(value, stored.get(name).unwrap_or(&Value::Null), &path, found);
            }
        }
        (Value::Array(given), Value::Array(stored)) if given.len() == stored.len() => {
            for (index, (given, stored)) in given.iter().zip(stored).enumerate() {
                lost(given, stored, &format!("{path}[{index}]"), found);
            }
        }
        // 1.0 comes back as 1.
        (Value::Number(given), Value::Number(stored)) if given.as_f64() == stored.as_f64() => {}
        _ if given == stored => {}
        _ => found.push(format!("{path}: {given} is {stored}")),
    }
}

#[test]
fn a_value_that_is_dropped_or_changed_anywhere_is_lost() {
    use serde_json::json;
    let given = json!({"a": [{"b": 1.0, "c": null}], "d": {"e": "x"}, "f": [1]});
    let mut found = vec![];
    lost(
        &given,
        &json!({"a": [{"b": 1, "more": 2}], "d": {"e": "x"}, "f": [1]}),
        "",
        &mut found,
    );
    assert_eq!(found, Vec::<String>::new());
    lost(
        &given,
        &json!({"a": [{}], "d": {"e": "y"}, "f": [1, 2]}),
        "",
        &mut found,
    );
    assert_eq!(
        found,
        [".a[0].b: 1.0 is null", ".d.e: \"x\" is \"y\"", ".f: [1] is [1,2]"]
    );
}
