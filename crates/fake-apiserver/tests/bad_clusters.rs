//! Bad K8ssandraClusters that an API server refuses by itself with our definition, and what it makes of odd ones.
//!
//! The ids in the names are rows of the specification of bad inputs; `docs/compatibility.md` has those that are not tested.

#![expect(clippy::unwrap_used, reason = "what fails in a test ends it")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "literals read better without a borrow"
)]

use std::path::Path;
use std::sync::LazyLock;

use bytes::Bytes;
use fake_apiserver::{Body, Definitions, Options, Server, User};
use http::Request;
use serde_json::{Map, Value, json};

const CLUSTERS: &str = "/apis/k8ssandra.io/v1alpha1/namespaces/default/k8ssandraclusters";

/// Compiled once: that takes far longer than a test.
static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds/k8ssandra.io_k8ssandraclusters.yaml");
    let budget = serde_saphyr::budget! { max_depth: 256, max_nodes: 2_000_000, max_events: 4_000_000 };
    let options = serde_saphyr::options! { budget: budget };
    let text = std::fs::read_to_string(file).unwrap();
    let definition: Value = serde_saphyr::from_str_with_options(&text, options).unwrap();
    Definitions::built_in().with(&[definition]).unwrap()
});

fn server() -> Server {
    Server::new(Options {
        definitions: DEFINITIONS.clone(),
        ..Options::default()
    })
}

fn ask(server: &Server, method: &str, path: &str, kind: &str, body: impl Into<Bytes>) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .body(body.into())
        .unwrap();
    let Body::Whole(text) = server.answer(&User::admin(), &request).body else {
        panic!("a watch")
    };
    let answer: Value = serde_json::from_slice(&text).unwrap();
    (
        answer["code"]
            .as_u64()
            .map_or(200, |code| code.try_into().unwrap()),
        answer,
    )
}

fn create(server: &Server, document: &Value) -> (u16, Value) {
    ask(server, "POST", CLUSTERS, "application/json", document.to_string())
}

fn merge(server: &Server, patch: &Value) -> (u16, Value) {
    let demo = format!("{CLUSTERS}/demo");
    ask(
        server,
        "PATCH",
        &demo,
        "application/merge-patch+json",
        patch.to_string(),
    )
}

fn cluster(cassandra: Value) -> Value {
    json!({
        "apiVersion": "k8ssandra.io/v1alpha1", "kind": "K8ssandraCluster",
        "metadata": {"name": "demo", "namespace": "default"},
        "spec": {"cassandra": cassandra},
    })
}

/// One datacenter `dc1` of three nodes with these fields.
fn with(fields: Value) -> Value {
    let mut entry = json!({"metadata": {"name": "dc1"}, "size": 3});
    for (field, value) in fields.as_object().unwrap() {
        entry[field] = value.clone();
    }
    of(json!([entry]))
}

fn of(datacenters: Value) -> Value {
    cluster(json!({"serverVersion": "4.1.5", "storageConfig": {}, "datacenters": datacenters}))
}

fn named(name: &str) -> Value {
    json!({"metadata": {"name": name}, "size": 3})
}

/// The document is refused for this field; `said` is part of the message.
fn refused(document: &Value, field: &str, said: &str) {
    let (code, answer) = create(&server(), document);
    assert_eq!(code, 422, "{answer}");
    let causes = answer["details"]["causes"].as_array().unwrap();
    let found = causes.iter().any(|cause| {
        cause["field"].as_str().unwrap().ends_with(field) && cause["message"].as_str().unwrap().contains(said)
    });
    assert!(found, "{field} {said}: {causes:#?}");
}

fn accepted(document: &Value) -> Value {
    let (code, answer) = create(&server(), document);
    assert_eq!(code, 200, "{answer}");
    answer
}

#[test]
fn cc02_two_datacenters_of_one_name_are_refused() {
    refused(
        &of(json!([named("dc1"), named("dc1")])),
        "spec.cassandra",
        "the names of datacenters must differ",
    );
}

#[test]
fn cc03_cc04_cc61_a_name_that_would_need_cleaning_is_refused() {
    let long = "d".repeat(64);
    for name in ["DC1", "1dc", "dc_1", "a,b=c", "dc\u{1f600}", "", "-dc"] {
        refused(
            &of(json!([named(name)])),
            "spec.cassandra.datacenters[0]",
            "invalid DC name",
        );
    }
    refused(&of(json!([named(&long)])), "metadata.name", "63");
    accepted(&of(json!([named("dc-1")])));
}

#[test]
fn cc09_a_size_that_is_no_number_of_nodes_is_refused() {
    for (size, said) in [
        (json!(0), "greater than or equal to 1"),
        (json!(-1), "greater than or equal to 1"),
        (json!("3"), "integer"),
        (json!(2_147_483_648_u64), "int32"),
    ] {
        refused(
            &with(json!({"size": size})),
            "spec.cassandra.datacenters[0].size",
            said,
        );
    }
    accepted(&with(json!({"size": 2_147_483_647})));
}

#[test]
fn cc11_two_racks_of_one_name_are_refused() {
    let racks = json!([{"name": "r1"}, {"name": "r2"}, {"name": "r1"}]);
    refused(
        &with(json!({"racks": racks})),
        "spec.cassandra.datacenters[0].racks[2]",
        "Duplicate value",
    );
}

#[test]
fn cc15_cc17_neither_datacenters_nor_the_cluster_are_renamed() {
    let server = server();
    assert_eq!(create(&server, &of(json!([named("dc1"), named("dc2")]))).0, 200);
    let renamed = json!({"spec": {"cassandra": {"datacenters": [named("dc1"), named("dc3")]}}});
    let (code, answer) = merge(&server, &renamed);
    assert_eq!(code, 422);
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("adding and removing DCs at the same time is prohibited")
    );
    let (code, answer) = merge(&server, &json!({"spec": {"cassandra": {"clusterName": "other"}}}));
    assert_eq!(code, 422);
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("cluster name can not be changed")
    );
}

#[test]
fn cc20_a_configuration_is_an_object_that_fits_into_a_request() {
    let yaml = |value: Value| with(json!({"config": {"cassandraYaml": value}}));
    refused(
        &yaml(json!("num_tokens: 16")),
        "config.cassandraYaml",
        "must be of type object",
    );
    refused(
        &yaml(json!([1])),
        "config.cassandraYaml",
        "must be of type object",
    );
    for (size, code) in [(2 << 20, 500), (4 << 20, 413)] {
        assert_eq!(
            create(&server(), &yaml(json!({"a": "x".repeat(size)}))).0,
            code,
            "{size}"
        );
    }
    let deep = (0..100).fold(json!(1), |inner, _| json!({ "a": inner }));
    let stored = accepted(&yaml(deep.clone()));
    assert_eq!(
        stored["spec"]["cassandra"]["datacenters"][0]["config"]["cassandraYaml"],
        deep
    );
}

#[test]
fn cc23_without_a_server_type_it_is_cassandra() {
    assert_eq!(
        accepted(&of(json!([named("dc1")])))["spec"]["cassandra"]["serverType"],
        "cassandra"
    );
    let mut odd = of(json!([named("dc1")]));
    odd["spec"]["cassandra"]["serverType"] = json!("scylla");
    refused(&odd, "spec.cassandra.serverType", "supported values");
}

#[test]
fn cc36_annotations_and_labels_that_cannot_be_are_refused() {
    let mut large = of(json!([named("dc1")]));
    large["metadata"]["annotations"] = json!({"a": "x".repeat(256 * 1024)});
    refused(&large, "metadata.annotations", "Too long");
    let mut odd = of(json!([named("dc1")]));
    odd["metadata"]["labels"] = json!({"a": "no, thanks"});
    refused(&odd, "metadata.labels", "a valid label");
}

#[test]
fn cc39_fields_that_nobody_knows_are_dropped() {
    let known = of(json!([named("dc1")]));
    let stored = accepted(&known);
    let mut more = known.clone();
    let unknown: Map<String, Value> = (0..50_000)
        .map(|number| (format!("f{number}"), json!(number)))
        .collect();
    more["spec"]["cassandra"]
        .as_object_mut()
        .unwrap()
        .extend(unknown.clone());
    more["spec"].as_object_mut().unwrap().extend(unknown);
    assert_eq!(accepted(&more)["spec"], stored["spec"]);
}

#[test]
fn cc41_a_name_that_kubernetes_does_not_take_is_refused() {
    for name in ["a".repeat(254), "Demo".to_owned()] {
        let mut odd = of(json!([named("dc1")]));
        odd["metadata"]["name"] = json!(name);
        let (code, _) = create(&server(), &odd);
        assert_eq!(code, 422, "{name}");
    }
}

#[test]
fn cc42_there_are_64_datacenters_and_64_racks_at_most() {
    let datacenters = |count: usize| {
        (0..count)
            .map(|number| named(&format!("dc{number}")))
            .collect::<Value>()
    };
    let racks = |count: usize| {
        (0..count)
            .map(|number| json!({"name": format!("r{number}")}))
            .collect::<Value>()
    };
    accepted(&of(datacenters(64)));
    accepted(&with(json!({"racks": racks(64)})));
    for count in [65, 1001] {
        refused(
            &of(datacenters(count)),
            "spec.cassandra.datacenters",
            "at most 64 items",
        );
        refused(
            &with(json!({"racks": racks(count)})),
            "datacenters[0].racks",
            "at most 64 items",
        );
    }
}

#[test]
fn cc43_a_rack_has_a_name_and_two_may_share_a_zone() {
    refused(
        &with(json!({"racks": [{"name": ""}]})),
        "racks[0].name",
        "at least 2",
    );
    let zone = json!({"topology.kubernetes.io/zone": "a"});
    let racks =
        json!([{"name": "r1", "nodeAffinityLabels": zone}, {"name": "r2", "nodeAffinityLabels": zone}]);
    let stored = accepted(&with(json!({"racks": racks})));
    assert_eq!(stored["spec"]["cassandra"]["datacenters"][0]["racks"], racks);
}

#[test]
fn cc60_a_field_for_whole_numbers_takes_no_others() {
    for size in [json!(1.5), json!("1e3"), json!(true)] {
        refused(
            &with(json!({"size": size})),
            "spec.cassandra.datacenters[0].size",
            "integer",
        );
    }
    let text = with(json!({"size": 77})).to_string();
    for number in ["NaN", "Infinity", "0x3"] {
        let (code, _) = ask(
            &server(),
            "POST",
            CLUSTERS,
            "application/json",
            text.replace("77", number),
        );
        assert_eq!(code, 400, "{number}");
    }
}

#[test]
fn cc64_two_users_with_two_opinions_are_shown_the_conflict() {
    let server = server();
    let apply = |manager: &str, size: i32| {
        let mut document = of(json!([named("dc1")]));
        document["spec"]["cassandra"]["datacenters"][0]["size"] = json!(size);
        let path = format!("{CLUSTERS}/demo?fieldManager={manager}");
        ask(
            &server,
            "PATCH",
            &path,
            "application/apply-patch+yaml",
            document.to_string(),
        )
    };
    assert_eq!(apply("one", 3).0, 200);
    let (code, answer) = apply("other", 5);
    assert_eq!(code, 409, "{answer}");
    assert!(
        answer["message"].as_str().unwrap().contains("\"one\""),
        "{answer}"
    );
    let stored = server
        .get("k8ssandra.io/v1alpha1", "k8ssandraclusters", "default", "demo")
        .unwrap();
    assert_eq!(stored["spec"]["cassandra"]["datacenters"][0]["size"], 3);
}

#[test]
fn cc51_ten_thousand_consents_do_not_fit_into_an_object() {
    let mut full = of(json!([named("dc1")]));
    let consents: Vec<String> = (0..10_000)
        .map(|number| format!("00000000-0000-4000-8000-{number:012}"))
        .collect();
    full["metadata"]["annotations"] = json!({"ringspan.io/confirm-removal": consents.join(",")});
    refused(&full, "metadata.annotations", "Too long");
}

#[test]
fn cc53_a_superuser_s_secret_is_in_the_cluster_s_namespace() {
    let mut odd = of(json!([named("dc1")]));
    odd["spec"]["cassandra"]["superuserSecretRef"] = json!({"name": "mine", "namespace": "other"});
    assert_eq!(
        accepted(&odd)["spec"]["cassandra"]["superuserSecretRef"],
        json!({"name": "mine"})
    );
}
