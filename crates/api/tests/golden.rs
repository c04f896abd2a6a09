//! What K8ssandra accepted goes through our types and comes out as it was.
//!
//! The documents are in the folder that `RINGSPAN_REFERENCE` names; without it these tests only say that it is not there.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail, and says what it did"
)]

use std::fs;
use std::path::{Path, PathBuf};

use api::k8ssandra_cluster::K8ssandraCluster;
use api::{cass_operator, definitions};
use kube::Resource;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("RINGSPAN_REFERENCE").map(PathBuf::from);
    if folder.is_none() {
        println!("not run: RINGSPAN_REFERENCE is not set");
    }
    folder
}

/// Folders of all cases, sorted.
fn cases(reference: &Path) -> Vec<PathBuf> {
    let folders = ["cases", "generated"].map(|folder| reference.join("golden").join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut cases: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn is_rejected(case: &Path) -> bool {
    let text = fs::read_to_string(case.join("result.json")).unwrap();
    let result: Value = serde_json::from_str(&text).unwrap();
    !result["rejected"].as_array().unwrap().is_empty()
}

fn documents(path: &Path) -> Vec<Value> {
    // Times that differ from run to run stand there as a word.
    let text = fs::read_to_string(path)
        .unwrap()
        .replace("<time>", "'2026-01-01T00:00:00Z'");
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Nulls mean nothing: an API server drops them.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// Puts schema defaults in, as an API server does before it stores.
fn with_defaults(value: &mut Value, schema: &Value) {
    if let Value::Object(fields) = value {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let (None, Some(default)) = (fields.get(name), property.get("default")) {
                fields.insert(name.clone(), default.clone());
            }
        }
        for (name, value) in fields {
            let values = &schema["additionalProperties"];
            with_defaults(value, schema["properties"].get(name).unwrap_or(values));
        }
    } else if let Value::Array(items) = value {
        for item in items {
            with_defaults(item, &schema["items"]);
        }
    }
}

/// Reads the document as `T`, writes it, and compares; both sides as they would be stored.
fn assert_whole<T: DeserializeOwned + Serialize>(document: &Value, schema: &Value, whose: &str) {
    let object: T =
        serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{whose}: {error}"));
    let stored = |mut value: Value| {
        without_nulls(&mut value);
        with_defaults(&mut value, schema);
        value
    };
    let (before, after) = (
        stored(document.clone()),
        stored(serde_json::to_value(&object).unwrap()),
    );
    for part in ["apiVersion", "kind", "metadata", "spec", "status"] {
        assert_eq!(before.get(part), after.get(part), "{whose}: {part}");
    }
}

fn of_kind<K: Resource<DynamicType = ()>>(document: &Value) -> bool {
    document["kind"] == K::kind(&()).as_ref() && document["apiVersion"] == K::api_version(&()).as_ref()
}

/// What an API server would not let in by types alone: a spec that is no object.
fn has_spec(document: &Value) -> bool {
    document["spec"].is_object()
}

fn schema_of(kind: &str) -> Value {
    let definition = definitions::all()
        .into_iter()
        .find(|definition| definition.spec.names.kind == kind)
        .unwrap();
    let definition = serde_json::to_value(&definition).unwrap();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

#[test]
fn every_cluster_that_upstream_accepted_comes_through_whole() {
    let Some(reference) = reference() else { return };
    let schema = schema_of("K8ssandraCluster");
    let mut seen = 0;
    for case in cases(&reference).iter().filter(|case| !is_rejected(case)) {
        let documents = documents(&case.join("input.yaml"));
        for document in documents
            .iter()
            .filter(|document| of_kind::<K8ssandraCluster>(document) && has_spec(document))
        {
            assert_whole::<K8ssandraCluster>(document, &schema, &case.display().to_string());
            seen += 1;
        }
    }
    println!("{seen} clusters came through whole");
    assert!(seen > 80, "only {seen} clusters were found");
}

#[test]
fn every_object_that_upstream_made_comes_through_whole() {
    let Some(reference) = reference() else { return };
    let [cluster, replicated, client] =
        ["K8ssandraCluster", "ReplicatedSecret", "ClientConfig"].map(schema_of);
    let mut seen = [0; 5];
    for case in cases(&reference) {
        let files = fs::read_dir(&case).unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
            let whose = file.display().to_string();
            for document in documents(&file).iter().filter(|document| has_spec(document)) {
                if of_kind::<cass_operator::CassandraDatacenter>(document) {
                    assert_whole::<cass_operator::CassandraDatacenter>(document, &Value::Null, &whose);
                    seen[0] += 1;
                } else if of_kind::<cass_operator::CassandraTask>(document) {
                    assert_whole::<cass_operator::CassandraTask>(document, &Value::Null, &whose);
                    seen[1] += 1;
                } else if of_kind::<api::replicated_secret::ReplicatedSecret>(document) {
                    assert_whole::<api::replicated_secret::ReplicatedSecret>(document, &replicated, &whose);
                    seen[2] += 1;
                } else if of_kind::<api::client_config::ClientConfig>(document) {
                    assert_whole::<api::client_config::ClientConfig>(document, &client, &whose);
                    seen[3] += 1;
                } else if of_kind::<K8ssandraCluster>(document) && !file.ends_with("input.yaml") {
                    assert_whole::<K8ssandraCluster>(document, &cluster, &whose);
                    seen[4] += 1;
                }
            }
        }
    }
    println!(
        "datacenters, tasks, replicated secrets, client configs, clusters that came through whole: {seen:?}"
    );
    assert!(seen[0] > 80 && seen[2] > 80, "only {seen:?} were found");
}
