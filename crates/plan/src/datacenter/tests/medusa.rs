mod configuration;
mod pods;
mod references;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use api::reports::Refusal;
use serde_json::{Value, json};

use super::{DesiredDatacenter, build, built, input};
use crate::fixtures::{cluster_of, from_json};

/// Storage that says no more than it must.
fn storage() -> Value {
    json!({"storageProvider": "s3", "bucketName": "b", "storageSecretRef": {"name": "key"}})
}

/// `dc1` of a cluster with these fields beside `cassandra`.
fn with(datacenter: Value, beside: Value) -> K8ssandraCluster {
    let mut entry = json!({"metadata": {"name": "dc1"}, "size": 3});
    entry
        .as_object_mut()
        .unwrap()
        .extend(datacenter.as_object().unwrap().clone());
    let mut kc = serde_json::to_value(cluster_of(json!([entry]))).unwrap();
    kc["spec"]
        .as_object_mut()
        .unwrap()
        .extend(beside.as_object().unwrap().clone());
    from_json(kc)
}

fn medusa(spec: Value) -> K8ssandraCluster {
    let mut medusa = json!({"storageProperties": storage()});
    medusa
        .as_object_mut()
        .unwrap()
        .extend(spec.as_object().unwrap().clone());
    with(json!({}), json!({"medusa": medusa}))
}

fn refused(kc: &K8ssandraCluster) -> Refusal {
    build(&input(kc, Role::Founder)).expect_err("it is refused")
}

fn ini(kc: &K8ssandraCluster) -> String {
    ini_of(&built(kc, Role::Founder))
}

fn ini_of(datacenter: &DesiredDatacenter) -> String {
    let found = datacenter
        .config_maps
        .iter()
        .find(|map| map.name == "demo-medusa");
    found.unwrap().data["medusa.ini"].clone()
}

/// Sidecar and init container.
fn containers(kc: &K8ssandraCluster) -> [Value; 2] {
    let template = built(kc, Role::Founder).spec["podTemplateSpec"]["spec"].clone();
    [("containers", "medusa"), ("initContainers", "medusa-restore")].map(|(list, name)| {
        let mut items = template[list].as_array().unwrap().iter();
        items.find(|item| item["name"] == name).unwrap().clone()
    })
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect()
}

fn stores(keys: [Option<&str>; 3]) -> Value {
    let fields = [
        "keystoreSecretRef",
        "truststoreSecretRef",
        "truststorePasswordSecretRef",
    ];
    let mut stores = json!({});
    for (field, key) in fields.iter().zip(keys) {
        stores[field] = json!({"name": field.to_lowercase(), "key": key});
    }
    stores
}

#[test]
fn me1_a_cluster_that_shares_a_configuration_needs_a_prefix() {
    let kc = medusa(json!({"medusaConfigurationRef": {"name": "shared"}}));
    assert_eq!(refused(&kc).field, "spec.medusa.storageProperties.prefix");
}

#[test]
fn me3_storage_has_a_provider_and_a_bucket() {
    for (field, lacking) in [
        ("storageProvider", json!({"bucketName": "b"})),
        ("bucketName", json!({"storageProvider": "s3"})),
    ] {
        let kc = medusa(json!({"storageProperties": lacking}));
        assert_eq!(
            refused(&kc).field,
            format!("spec.medusa.storageProperties.{field}")
        );
    }
}

#[test]
fn me6_credentials_are_a_secret_or_a_role_and_not_both() {
    let kc = |storage: Value| medusa(json!({"storageProperties": storage}));
    let neither = json!({"storageProvider": "s3", "bucketName": "b"});
    assert_eq!(
        refused(&kc(neither.clone())).field,
        "spec.medusa.storageProperties.storageSecretRef"
    );
    let mut both = storage();
    both["credentialsType"] = json!("role-based");
    assert_eq!(
        refused(&kc(both)).field,
        "spec.medusa.storageProperties.credentialsType"
    );
    let mut role = neither;
    role["credentialsType"] = json!("role-based");
    assert!(!ini(&kc(role)).contains("key_file"));
}

/// A cluster whose Cassandra encrypts what it says to clients.
fn encrypted(beside: Value) -> K8ssandraCluster {
    let on = json!({"config": {"cassandraYaml": {"client_encryption_options": {"enabled": true}}}});
    let mut kc = with(on, beside);
    let stores = serde_json::from_value(stores([None; 3])).unwrap();
    kc.spec.cassandra.as_mut().unwrap().client_encryption_stores = Some(stores);
    kc
}

#[test]
fn me7_encrypted_clients_need_certificates_unless_secrets_come_from_elsewhere() {
    let plain = json!({"medusa": {"storageProperties": storage()}});
    assert_eq!(
        refused(&encrypted(plain.clone())).field,
        "spec.medusa.clientEncryptionStores"
    );
    let mut external = plain;
    external["secretsProvider"] = json!("external");
    external["medusa"]["certificatesSecretRef"] = json!({"name": "certs"});
    assert!(!ini(&encrypted(external)).contains("certfile"));
}

#[test]
fn a_file_of_a_certificate_without_a_key_is_refused() {
    let kc = medusa(json!({"clientEncryptionStores": stores([Some("ca"), Some("crt"), None])}));
    assert_eq!(
        refused(&kc).field,
        "spec.medusa.clientEncryptionStores.truststorePasswordSecretRef"
    );
}

#[test]
fn an_annotation_for_the_webhook_that_is_no_list_is_refused() {
    let pods = json!({"annotations": {"k8ssandra.io/inject-secret": "no"}});
    let kc = with(
        json!({"metadata": {"name": "dc1", "pods": pods}}),
        json!({"medusa": {"storageProperties": storage()}}),
    );
    assert_eq!(
        refused(&kc).field,
        "spec.cassandra.datacenters[0].metadata.pods.annotations[k8ssandra.io/inject-secret]"
    );
}
