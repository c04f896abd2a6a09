//! Every document that K8ssandra's definitions take, ours take too, and keep whole.
//!
//! `upstream-digest/` has the facts of each path of K8ssandra's definitions, made by `cargo xtask crds --digest`.

#![expect(clippy::unwrap_used, reason = "a test may fail, and says what it did")]

use api::definitions;
use api::schema_facts::{Facts, Path, SchemaFacts};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

/// Where ours differ on purpose: file, end of the path (empty: everywhere), keyword, and why that is no loss.
const EXCEPTIONS: &[(&str, &str, &str, &str)] = &[
    ("", "root/spec", "default", "a reader always finds a spec"),
    (
        "k8ssandraclusters",
        "/cassandra/clusterName",
        "maxLength",
        "names and contexts are bounded for CEL",
    ),
    (
        "k8ssandraclusters",
        "/datacenters/[]/k8sContext",
        "maxLength",
        "names and contexts are bounded for CEL",
    ),
    (
        "k8ssandraclusters",
        "/datacenters/[]/metadata/name",
        "maxLength",
        "a DNS label has no more",
    ),
    (
        "k8ssandraclusters",
        "/datacenters/[]/metadata/namespace",
        "maxLength",
        "a DNS label has no more",
    ),
    (
        "k8ssandraclusters",
        "/cassandra/datacenters",
        "maxItems",
        "no more than 64 datacenters are supported",
    ),
    (
        "k8ssandraclusters",
        "/racks",
        "maxItems",
        "no more than 64 racks are supported",
    ),
    (
        "k8ssandraclusters",
        "/racks/[]/name",
        "maxLength",
        "a label's value has no more",
    ),
    (
        "k8ssandraclusters",
        "/racks",
        "x-kubernetes-list-type",
        "racks of one name would be one StatefulSet",
    ),
    (
        "k8ssandraclusters",
        "/racks",
        "x-kubernetes-list-map-keys",
        "racks of one name would be one StatefulSet",
    ),
    (
        "k8ssandraclusters",
        "root/status/conditions",
        "x-kubernetes-list-type",
        "conditions merge by type",
    ),
    (
        "k8ssandraclusters",
        "root/status/conditions",
        "x-kubernetes-list-map-keys",
        "conditions merge by type",
    ),
    (
        "k8ssandraclusters",
        "/datacenters/{}/cassandra",
        "x-kubernetes-preserve-unknown-fields",
        "what a later cass-operator says is kept",
    ),
    (
        "k8ssandraclusters",
        "/envFrom/[]/configMapRef",
        "x-kubernetes-map-type",
        "the API server itself has none",
    ),
    (
        "k8ssandraclusters",
        "/envFrom/[]/secretRef",
        "x-kubernetes-map-type",
        "the API server itself has none",
    ),
    (
        "k8ssandraclusters",
        "/configMap",
        "x-kubernetes-map-type",
        "the API server itself has none",
    ),
    (
        "k8ssandraclusters",
        "/sources/[]/secret",
        "x-kubernetes-map-type",
        "the API server itself has none",
    ),
];

fn is_excepted(file: &str, path: &str, keyword: &str) -> bool {
    EXCEPTIONS
        .iter()
        .any(|(of, end, of_keyword, _)| file.contains(of) && ends_so(path, end) && *of_keyword == keyword)
}

/// An end that begins with a slash may stand anywhere; others are whole paths.
fn ends_so(path: &str, end: &str) -> bool {
    path == end || end.starts_with('/') && path.ends_with(end)
}

/// Whether a value that theirs takes is taken by ours and means the same, as far as this keyword goes.
fn is_covered(keyword: &str, theirs: Option<&Value>, ours: Option<&Value>) -> bool {
    if theirs == ours {
        return true;
    }
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    match keyword {
        // An integer of a definition has 64 bits anyway.
        "format" => theirs.is_none() && ours == Some(&json!("int64")),
        // A looser bound is fine.
        "minimum" | "minLength" | "minItems" => ours.is_none() || number(ours) <= number(theirs),
        "maximum" | "maxLength" | "maxItems" => {
            ours.is_none() || theirs.is_some() && number(ours) >= number(theirs)
        }
        "pattern" => ours.is_none(),
        "required" => {
            let names = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
            names(ours).iter().all(|name| names(theirs).contains(name))
        }
        _ => false,
    }
}

fn differences(file: &str, theirs: &SchemaFacts, ours: &SchemaFacts) -> Vec<String> {
    let mut differences = vec![];
    for (path, their_facts) in &theirs.0 {
        let text = path.join("/");
        let Some(our_facts) = ours.0.get(path) else {
            if !stands_for_itself(path) {
                differences.push(format!("{file}: {text} is missing"));
            }
            continue;
        };
        for keyword in keywords(their_facts, our_facts) {
            let (theirs, ours) = (their_facts.get(keyword), our_facts.get(keyword));
            if !is_covered(keyword, theirs, ours) && !is_excepted(file, &text, keyword) {
                differences.push(format!(
                    "{file}: {text}: {keyword} is {theirs:?} there and {ours:?} here"
                ));
            }
        }
    }
    differences
}

/// `apiVersion`, `kind` and `metadata` at the root need no schema: the API server knows them.
fn stands_for_itself(path: &Path) -> bool {
    matches!(path.as_slice(), [root, name] if root == "root" && ["apiVersion", "kind", "metadata"].contains(&name.as_str()))
}

fn keywords<'a>(theirs: &'a Facts, ours: &'a Facts) -> std::collections::BTreeSet<&'a str> {
    theirs.keys().chain(ours.keys()).map(String::as_str).collect()
}

fn digest(file: &str) -> SchemaFacts {
    let path =
        format!("{}/tests/upstream-digest/{file}", env!("CARGO_MANIFEST_DIR")).replace(".yaml", ".tsv");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    SchemaFacts::parse(&text).unwrap_or_else(|| panic!("{path} is no digest"))
}

/// File, facts of K8ssandra's definition, and of ours.
fn pairs() -> Vec<(String, SchemaFacts, SchemaFacts)> {
    let pair = |definition: &CustomResourceDefinition| {
        let file = definitions::file_name(definition);
        let theirs = digest(&file);
        (
            file,
            theirs,
            SchemaFacts::of_definition(&serde_json::to_value(definition).unwrap()),
        )
    };
    definitions::all().iter().map(pair).collect()
}

#[test]
fn what_upstream_takes_is_taken_and_kept() {
    let pairs = pairs();
    let paths: usize = pairs.iter().map(|(_, theirs, _)| theirs.0.len()).sum();
    let all: Vec<_> = pairs
        .iter()
        .flat_map(|(file, theirs, ours)| differences(file, theirs, ours))
        .collect();
    assert!(paths > 5000, "only {paths} paths were compared");
    assert!(all.is_empty(), "{} differences:\n{}", all.len(), all.join("\n"));
}

#[test]
fn every_exception_is_needed() {
    let pairs = pairs();
    for exception in EXCEPTIONS {
        let differs = |theirs: &Facts, ours: &Facts| {
            !is_covered(exception.2, theirs.get(exception.2), ours.get(exception.2))
        };
        let is_needed = pairs.iter().any(|(file, theirs, ours)| {
            let of_file = file.contains(exception.0);
            let mut paths = theirs
                .0
                .iter()
                .filter(|(path, _)| of_file && ends_so(&path.join("/"), exception.1));
            paths.any(|(path, theirs)| ours.0.get(path).is_some_and(|ours| differs(theirs, ours)))
        });
        assert!(is_needed, "{exception:?} is not a difference any more");
    }
}

#[test]
fn a_lost_path_a_changed_default_and_a_narrower_value_are_seen() {
    let (file, theirs, ours) = pairs()
        .into_iter()
        .find(|(file, ..)| file.contains("k8ssandraclusters"))
        .unwrap();
    let path = |text: &str| text.split('/').map(str::to_owned).collect::<Path>();
    let spoil = |change: &dyn Fn(&mut SchemaFacts)| {
        let mut spoilt = ours.clone();
        change(&mut spoilt);
        differences(&file, &theirs, &spoilt).len()
    };
    let set = |text: &'static str, keyword: &'static str, value: Value| {
        spoil(&move |facts| {
            let facts = facts.0.get_mut(&path(text)).unwrap();
            facts.insert(keyword.to_owned(), value.clone());
        })
    };
    assert_eq!(spoil(&|_| ()), 0);
    assert_eq!(
        spoil(&|facts| drop(facts.0.remove(&path("root/spec/cassandra/serverImage")))),
        1
    );
    assert_eq!(set("root/spec/auth", "default", json!(false)), 1);
    assert_eq!(set("root/spec/secretsProvider", "enum", json!(["internal"])), 1);
    assert_eq!(set("root/spec/cassandra/serverImage", "maxLength", json!(9)), 1);
    assert_eq!(set("root/spec/cassandra", "required", json!(["clusterName"])), 1);
    assert_eq!(set("root/spec/cassandra/racks/[]/name", "minLength", json!(1)), 0);
}
