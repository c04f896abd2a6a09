//! Each CEL rule accepts and refuses what it should, evaluated as an API server does: on documents with defaults.

#![expect(clippy::unwrap_used, reason = "a test may fail, and says what it did")]

use std::sync::LazyLock;

use api::definitions;
use kube::core::cel::Validator;
use serde_json::{Value, json};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let definition = definitions::all()
        .into_iter()
        .find(|definition| definition.spec.names.kind == "K8ssandraCluster");
    let definition = serde_json::to_value(definition.unwrap()).unwrap();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
});

/// Messages of the rules that refuse this change from `old`, or this new object.
fn refusals(new: &Value, old: Option<&Value>) -> Vec<String> {
    match Validator::new().validate_with_defaults(&SCHEMA, new, old) {
        Ok(()) => vec![],
        Err(errors) => errors
            .into_vec()
            .into_iter()
            .map(|error| format!("{}: {}", error.field_path, error.message))
            .collect(),
    }
}

fn assert_accepted(new: &Value, old: Option<&Value>) {
    assert_eq!(refusals(new, old), Vec::<String>::new());
}

fn assert_refused(new: &Value, old: Option<&Value>, message: &str) {
    let refusals = refusals(new, old);
    assert!(
        refusals.len() == 1 && refusals[0].contains(message),
        "expected only {message:?}, got {refusals:?}"
    );
}

fn cluster(cassandra: &Value) -> Value {
    json!({"metadata": {"name": "demo"}, "spec": {"cassandra": cassandra}})
}

/// A cluster with storage and datacenters of these names.
fn with_datacenters(names: &[&str]) -> Value {
    let datacenters: Vec<_> = names
        .iter()
        .map(|name| json!({"metadata": {"name": name}, "size": 1}))
        .collect();
    cluster(&json!({"storageConfig": {}, "datacenters": datacenters}))
}

fn with_addon(name: &str, addon: &Value) -> Value {
    let mut cluster = with_datacenters(&["dc1"]);
    cluster["spec"][name] = addon.clone();
    cluster
}

#[test]
fn a_cluster_without_anything_is_left_to_condition_accepted() {
    assert_accepted(&json!({"metadata": {"name": "demo"}}), None);
    assert_accepted(&json!({"metadata": {"name": "demo"}, "spec": {}}), None);
    assert_accepted(&cluster(&json!({})), None);
}

#[test]
fn a_datacenter_name_is_a_label_that_begins_with_a_letter() {
    assert_accepted(&with_datacenters(&["dc1", "a", "a-b"]), None);
    for name in ["", "DC1", "1dc", "dc_1", "dc.1", "-dc", "dc-"] {
        assert_refused(
            &with_datacenters(&[name]),
            None,
            "invalid DC name (you might want to use datacenterName",
        );
    }
}

#[test]
fn a_datacenter_without_metadata_has_no_name() {
    let nameless = cluster(&json!({"storageConfig": {}, "datacenters": [{"size": 1}]}));
    assert_refused(&nameless, None, "invalid DC name");
}

#[test]
fn datacenter_names_differ() {
    assert_refused(
        &with_datacenters(&["dc1", "dc2", "dc1"]),
        None,
        "the names of datacenters must differ",
    );
}

#[test]
fn storage_is_given_for_the_cluster_or_for_every_datacenter() {
    let entry = |name: &str, storage: bool| {
        let mut entry = json!({"metadata": {"name": name}, "size": 1});
        if storage {
            entry["storageConfig"] = json!({});
        }
        entry
    };
    let given = |first: bool, second: bool| {
        cluster(&json!({"datacenters": [entry("dc1", first), entry("dc2", second)]}))
    };
    assert_accepted(&given(true, true), None);
    assert_refused(
        &given(true, false),
        None,
        "storageConfig must be defined at cluster level or dc level",
    );
    assert_refused(
        &given(false, false),
        None,
        "storageConfig must be defined at cluster level or dc level",
    );
}

#[test]
fn soft_anti_affinity_of_a_datacenter_needs_its_own_resources() {
    let entry = |soft: Value, resources: Option<Value>| {
        let mut entry = json!({"metadata": {"name": "dc1"}, "size": 1, "softPodAntiAffinity": soft});
        if let Some(resources) = resources {
            entry["resources"] = resources;
        }
        cluster(&json!({"storageConfig": {}, "softPodAntiAffinity": true, "datacenters": [entry]}))
    };
    assert_accepted(&entry(json!(false), None), None);
    assert_accepted(&entry(json!(true), Some(json!({}))), None);
    assert_refused(
        &entry(json!(true), None),
        None,
        "softPodAntiAffinity requires Resources to be set",
    );
}

#[test]
fn datacenters_are_added_or_removed_but_not_both_at_once() {
    let old = with_datacenters(&["dc1", "dc2"]);
    for names in [&["dc2", "dc1"][..], &["dc1"], &["dc1", "dc2", "dc3"], &[]] {
        assert_accepted(&with_datacenters(names), Some(&old));
    }
    for names in [&["dc1", "dc3"][..], &["dc3"], &["dc3", "dc4", "dc5"]] {
        assert_refused(
            &with_datacenters(names),
            Some(&old),
            "adding and removing DCs at the same time is prohibited",
        );
    }
}

#[test]
fn a_stored_datacenter_without_a_name_does_not_hold_its_cluster_back() {
    let nameless = cluster(&json!({"storageConfig": {}, "datacenters": [{"size": 1}, {"size": 2}]}));
    let refusals = refusals(&nameless, Some(&nameless));
    assert!(
        !refusals.iter().any(|refusal| refusal.contains("prohibited")),
        "{refusals:?}"
    );
}

#[test]
fn the_name_that_cassandra_knows_stays() {
    let named = |name: Value| cluster(&json!({"clusterName": name}));
    let unnamed = cluster(&json!({}));
    assert_accepted(&named(json!("My Ring")), Some(&named(json!("My Ring"))));
    assert_accepted(&named(json!("demo")), Some(&unnamed));
    assert_accepted(&named(json!("")), Some(&unnamed));
    assert_accepted(&unnamed, Some(&json!({"metadata": {"name": "demo"}, "spec": {}})));
    assert_refused(
        &named(json!("other")),
        Some(&unnamed),
        "cluster name can not be changed",
    );
    assert_refused(
        &unnamed,
        Some(&named(json!("My Ring"))),
        "cluster name can not be changed",
    );
}

#[test]
fn me3_medusa_by_itself_needs_a_provider_and_a_bucket() {
    let medusa = |storage: Value| with_addon("medusa", &json!({"storageProperties": storage}));
    assert_accepted(&medusa(json!({"storageProvider": "s3", "bucketName": "b"})), None);
    assert_refused(
        &medusa(json!({"storageProvider": "s3"})),
        None,
        "medusa bucket name must be set",
    );
    assert_refused(
        &medusa(json!({"bucketName": "b"})),
        None,
        "medusa storage provider must be set",
    );
    assert_eq!(refusals(&with_addon("medusa", &json!({})), None).len(), 2);
}

#[test]
fn me1_me2_medusa_by_reference_needs_a_prefix_and_a_plain_local_reference() {
    let medusa = |reference: Value, prefix: &str| {
        let storage = json!({"prefix": prefix});
        with_addon(
            "medusa",
            &json!({"medusaConfigurationRef": reference, "storageProperties": storage}),
        )
    };
    assert_accepted(&medusa(json!({"name": "shared"}), "demo"), None);
    assert_accepted(&medusa(json!({"name": "shared", "namespace": ""}), "demo"), None);
    assert_refused(
        &medusa(json!({"name": "shared"}), ""),
        None,
        "medusa storage prefix must be set",
    );
    let elsewhere = json!({"name": "shared", "namespace": "other"});
    assert_refused(
        &medusa(elsewhere, "demo"),
        None,
        "Medusa config must be namespace local",
    );
    for field in ["apiVersion", "kind", "fieldPath", "resourceVersion", "uid"] {
        let odd = json!({"name": "shared", field: "x"});
        assert_refused(
            &medusa(odd, "demo"),
            None,
            "Medusa config invalid, invalid field used",
        );
    }
}

#[test]
fn reaper_with_local_storage_needs_all_of_its_claim() {
    let claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let reaper = |change: &dyn Fn(&mut Value)| {
        let mut reaper = json!({"storageType": "local", "deploymentMode": "SINGLE", "storageConfig": claim});
        change(&mut reaper);
        with_addon("reaper", &reaper)
    };
    let without = |path: &'static str| {
        reaper(&move |reaper| {
            let (parent, name) = path.rsplit_once('/').unwrap();
            reaper
                .pointer_mut(parent)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .remove(name)
                .unwrap();
        })
    };
    assert_accepted(&with_addon("reaper", &json!({})), None);
    assert_accepted(&reaper(&|_| ()), None);
    assert_refused(&without("/storageConfig"), None, "reaper StorageConfig not set");
    assert_refused(
        &without("/storageConfig/accessModes"),
        None,
        "reaper StorageConfig.AccessModes not set",
    );
    assert_refused(
        &without("/storageConfig/resources"),
        None,
        "reaper StorageConfig.Resources.Requests not set",
    );
    assert_refused(
        &without("/storageConfig/resources/requests"),
        None,
        "reaper StorageConfig.Resources.Requests not set",
    );
    let message = "reaper StorageConfig.Resources.Requests.Storage not set";
    assert_refused(
        &without("/storageConfig/resources/requests/storage"),
        None,
        message,
    );
    let message = "reaper DeploymentModePerDc is only supported when using cassandra storage";
    assert_refused(&without("/deploymentMode"), None, message);
}

#[test]
fn the_keyspace_of_reaper_stays_while_reaper_stays() {
    let reaper = |spec: Value| with_addon("reaper", &spec);
    let old = reaper(json!({"keyspace": "mine"}));
    assert_accepted(&reaper(json!({"keyspace": "mine"})), Some(&old));
    assert_accepted(
        &reaper(json!({"keyspace": "reaper_db"})),
        Some(&reaper(json!({}))),
    );
    assert_accepted(&with_datacenters(&["dc1"]), Some(&old));
    assert_accepted(
        &reaper(json!({"keyspace": "mine"})),
        Some(&with_datacenters(&["dc1"])),
    );
    assert_refused(
        &reaper(json!({})),
        Some(&old),
        "reaper keyspace can not be changed",
    );
}
