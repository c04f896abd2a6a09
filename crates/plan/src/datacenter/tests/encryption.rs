use std::collections::BTreeMap;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::{Value, json};

use super::{DatacenterInput, LiveDatacenter, References, build, input, one};
use crate::datacenter::{
    NoPassword, Password, PasswordOf, Peer, Store, password_sources, redacted, told_password,
};
use crate::validate;

/// A word that must be found nowhere but in what Cassandra is told.
const CANARY: &str = "canary-of-a-store";

fn stores(more: Value) -> Value {
    let mut stores = json!({"keystoreSecretRef": {"name": "ks"}, "truststoreSecretRef": {"name": "ts"}});
    for (field, value) in more.as_object().expect("an object") {
        stores[field] = value.clone();
    }
    stores
}

/// Both kinds of stores, with this configuration of Cassandra.
fn encrypted(yaml: Value, of_clients: Value, of_nodes: Value) -> K8ssandraCluster {
    let mut kc = one(json!({"config": {"cassandraYaml": yaml}}));
    let cassandra = kc.spec.cassandra.as_mut().expect("given");
    cassandra.client_encryption_stores = Some(serde_json::from_value(of_clients).expect("stores"));
    cassandra.server_encryption_stores = Some(serde_json::from_value(of_nodes).expect("stores"));
    kc
}

fn both_on() -> Value {
    json!({
        "client_encryption_options": {"enabled": true},
        "server_encryption_options": {"internode_encryption": "dc"},
    })
}

fn of(peer: Peer, store: Store) -> PasswordOf {
    PasswordOf { peer, store }
}

fn password(text: &str) -> Result<Password, NoPassword> {
    Password::of_bytes(text.as_bytes().to_vec())
}

fn passwords() -> References {
    let all = [
        (of(Peer::Client, Store::Keystore), password("ck")),
        (of(Peer::Client, Store::Truststore), password("ct")),
        (of(Peer::Server, Store::Keystore), password("sk")),
        (of(Peer::Server, Store::Truststore), password("st")),
    ];
    References {
        store_passwords: BTreeMap::from(all),
        ..References::default()
    }
}

fn spec(kc: &K8ssandraCluster, references: &References) -> Value {
    let input = DatacenterInput {
        references,
        ..input(kc, Role::Founder)
    };
    build(&input).expect("built").spec
}

fn names(items: &Value) -> Vec<&str> {
    let items = items.as_array().expect("a list").iter();
    items.filter_map(|item| item["name"].as_str()).collect()
}

#[test]
fn en1_stores_of_clients_are_mounted_and_cassandra_and_java_are_told_of_them() {
    let yaml = json!({"client_encryption_options": {"enabled": true}});
    let spec = spec(
        &encrypted(yaml, stores(json!({})), stores(json!({}))),
        &passwords(),
    );
    let pod = &spec["podTemplateSpec"]["spec"];
    let expected = json!([
        {"name": "client-keystore",
            "secret": {"secretName": "ks", "items": [{"key": "keystore", "path": "keystore"}]}},
        {"name": "client-truststore",
            "secret": {"secretName": "ts", "items": [{"key": "truststore", "path": "truststore"}]}},
    ]);
    assert_eq!(pod["volumes"], expected);
    let expected = json!([
        {"name": "client-keystore", "mountPath": "/mnt/client-keystore"},
        {"name": "client-truststore", "mountPath": "/mnt/client-truststore"},
    ]);
    assert_eq!(pod["containers"][0]["volumeMounts"], expected);
    let expected = json!({
        "enabled": true,
        "keystore": "/mnt/client-keystore/keystore",
        "keystore_password": "ck",
        "truststore": "/mnt/client-truststore/truststore",
        "truststore_password": "ct",
    });
    assert_eq!(
        spec["config"]["cassandra-yaml"]["client_encryption_options"],
        expected
    );
    let options = spec["config"]["cassandra-env-sh"]["additional-jvm-opts"]
        .as_array()
        .expect("options");
    let expected = [
        "-Djavax.net.ssl.trustStorePassword=ct",
        "-Djavax.net.ssl.keyStorePassword=ck",
        "-Djavax.net.ssl.trustStore=/mnt/client-truststore/truststore",
        "-Djavax.net.ssl.keyStore=/mnt/client-keystore/keystore",
        "-Dcom.sun.management.jmxremote.ssl.need.client.auth=true",
        "-Dcom.sun.management.jmxremote.ssl=true",
    ];
    assert_eq!(options[options.len() - 6..], expected);
}

#[test]
fn en2_stores_of_nodes_are_mounted_and_java_is_not_told() {
    let yaml = json!({"server_encryption_options": {"internode_encryption": "all"}});
    let own_key = stores(
        json!({"keystoreSecretRef": {"name": "ks", "key": "mine.jks"}, "keystorePasswordSecretRef": {}}),
    );
    let spec = spec(&encrypted(yaml, stores(json!({})), own_key), &passwords());
    let pod = &spec["podTemplateSpec"]["spec"];
    assert_eq!(names(&pod["volumes"]), ["server-keystore", "server-truststore"]);
    assert_eq!(
        pod["volumes"][0]["secret"]["items"],
        json!([{"key": "mine.jks", "path": "keystore"}])
    );
    let expected = json!({
        "internode_encryption": "all",
        "keystore": "/mnt/server-keystore/keystore",
        "keystore_password": "sk",
        "truststore": "/mnt/server-truststore/truststore",
        "truststore_password": "st",
    });
    assert_eq!(
        spec["config"]["cassandra-yaml"]["server_encryption_options"],
        expected
    );
    let options = &spec["config"]["cassandra-env-sh"]["additional-jvm-opts"];
    assert!(!options.to_string().contains("ssl"), "{options}");
}

#[test]
fn en2_stores_that_the_configuration_does_not_use_leave_no_trace() {
    let off = [
        json!({}),
        json!({"client_encryption_options": {"enabled": false}, "server_encryption_options": {"internode_encryption": "none"}}),
        json!({"client_encryption_options": {"enabled": "true"}, "server_encryption_options": {"optional": true}}),
    ];
    for yaml in off {
        let kc = encrypted(yaml.clone(), stores(json!({})), stores(json!({})));
        let spec = spec(&kc, &References::default());
        assert_eq!(spec["podTemplateSpec"]["spec"].get("volumes"), None, "{yaml}");
        assert_eq!(password_sources(&kc, "dc1"), Ok(Vec::new()), "{yaml}");
    }
}

#[test]
fn en3_a_store_that_is_used_has_a_name() {
    let nameless = stores(json!({"truststoreSecretRef": {"key": "k"}}));
    let refused = validate::cluster(&encrypted(both_on(), stores(json!({})), nameless.clone()));
    let refused = refused.expect_err("refused");
    assert_eq!(
        refused.field,
        "spec.cassandra.serverEncryptionStores.truststoreSecretRef.name"
    );
    let unused = json!({"client_encryption_options": {"enabled": true}});
    assert_eq!(
        validate::cluster(&encrypted(unused, stores(json!({})), nameless)),
        Ok(())
    );
}

#[test]
fn en4_a_password_is_looked_for_in_the_reference_then_in_the_store_itself() {
    let own = json!({
        "keystorePasswordSecretRef": {"name": "pw", "key": "kp"}, "truststorePasswordSecretRef": {"name": "pw"}
    });
    let quirk = json!({
        "keystoreSecretRef": {"name": "ks", "key": "mine"}, "truststorePasswordSecretRef": {"key": "nowhere"}
    });
    let kc = encrypted(both_on(), stores(own), stores(quirk));
    let sources = password_sources(&kc, "dc1").expect("sources");
    let found: Vec<(&str, &str)> = sources
        .iter()
        .map(|it| (it.secret.as_str(), it.key.as_str()))
        .collect();
    let expected = [
        ("pw", "kp"),
        ("pw", "truststore-password"),
        ("ks", "mine"),
        ("ts", "truststore-password"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn en4_a_password_that_was_not_read_is_named_with_its_secret_its_key_and_its_plane() {
    let mut kc = encrypted(both_on(), stores(json!({})), stores(json!({})));
    kc.spec.cassandra.as_mut().expect("given").datacenters[0].k8s_context = "east".into();
    let mut references = passwords();
    let last = of(Peer::Server, Store::Truststore);
    for (read, what) in [
        (None, "was not read"),
        (Some(NoPassword::NoSecret), "does not exist"),
        (Some(NoPassword::NoKey), "lacks it"),
        (Some(NoPassword::NoText), "no text"),
    ] {
        references.store_passwords.remove(&last);
        if let Some(why) = read {
            references.store_passwords.insert(last, Err(why));
        }
        let input = DatacenterInput {
            references: &references,
            ..input(&kc, Role::Founder)
        };
        let refused = build(&input).expect_err("refused");
        assert_eq!(refused.reason, "StorePasswordMissing");
        assert_eq!(
            refused.field,
            "spec.cassandra.serverEncryptionStores.truststorePasswordSecretRef"
        );
        for word in ["truststore-password", "ns/ts", "plane east", what] {
            assert!(refused.message.contains(word), "{}", refused.message);
        }
    }
    assert_eq!(Password::of_bytes(vec![0xff]), Err(NoPassword::NoText));
}

#[test]
fn en5_what_the_user_wrote_stays_and_his_volumes_too() {
    let yaml = json!({
        "client_encryption_options": {"enabled": true, "keystore": "/mine", "keystore_password": "x"},
        "server_encryption_options": {
            "internode_encryption": "all", "truststore_password": "y", "keystore_password": null
        },
    });
    let mut kc = encrypted(yaml, stores(json!({})), stores(json!({})));
    let options = &mut kc.spec.cassandra.as_mut().expect("given").datacenters[0].options;
    let mine = json!({"volumes": [{"name": "server-keystore", "emptyDir": {}}]});
    options.extra_volumes = serde_json::from_value(mine).expect("volumes");
    let spec = spec(&kc, &passwords());
    let yaml = &spec["config"]["cassandra-yaml"];
    let of_clients = &yaml["client_encryption_options"];
    assert_eq!(of_clients["keystore"], "/mine");
    assert_eq!(of_clients["keystore_password"], "x");
    assert_eq!(of_clients["truststore_password"], "ct");
    let of_nodes = &yaml["server_encryption_options"];
    assert_eq!(of_nodes["truststore_password"], "y");
    assert_eq!(of_nodes["keystore_password"], "sk");
    let volumes = &spec["podTemplateSpec"]["spec"]["volumes"];
    assert_eq!(
        names(volumes),
        [
            "server-keystore",
            "client-keystore",
            "client-truststore",
            "server-truststore"
        ]
    );
    // His own one is not asked for; Java needs those of clients all the same.
    let asked: Vec<PasswordOf> = password_sources(&kc, "dc1")
        .expect("sources")
        .iter()
        .map(|it| it.of)
        .collect();
    let expected = [
        of(Peer::Client, Store::Keystore),
        of(Peer::Client, Store::Truststore),
        of(Peer::Server, Store::Keystore),
    ];
    assert_eq!(asked, expected);
}

#[test]
fn en7_where_something_else_provides_secrets_only_jmx_is_told() {
    let mut kc = encrypted(both_on(), stores(json!({})), stores(json!({})));
    kc.spec.secrets_provider = Some("external".into());
    let spec = spec(&kc, &References::default());
    assert_eq!(spec["podTemplateSpec"]["spec"].get("volumes"), None);
    assert_eq!(
        spec["config"]["cassandra-yaml"]["client_encryption_options"],
        json!({"enabled": true})
    );
    let options = spec["config"]["cassandra-env-sh"]["additional-jvm-opts"].to_string();
    assert!(options.contains("jmxremote.ssl=true") && options.contains("need.client.auth=true"));
    assert!(!options.contains("javax.net.ssl"), "{options}");
    assert_eq!(password_sources(&kc, "dc1"), Ok(Vec::new()));
}

#[test]
fn a_datacenter_tells_with_which_passwords_it_was_written() {
    let kc = encrypted(both_on(), stores(json!({})), stores(json!({})));
    let references = passwords();
    let live = LiveDatacenter {
        name: "dc1".into(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        spec: spec(&kc, &references),
    };
    for (of, expected) in &references.store_passwords {
        let told = told_password(&live, *of);
        assert_eq!(told.as_ref(), expected.as_ref().ok(), "{of:?}");
    }
    let bare = LiveDatacenter::default();
    assert_eq!(told_password(&bare, of(Peer::Server, Store::Keystore)), None);
}

/// The annotation is visible: a digest of a password invites guessing.
#[test]
fn another_password_is_another_spec_and_the_same_input() {
    let kc = encrypted(both_on(), stores(json!({})), stores(json!({})));
    let (one, mut other) = (passwords(), passwords());
    other
        .store_passwords
        .insert(of(Peer::Server, Store::Keystore), password("new"));
    let built = |references: &References| {
        let input = DatacenterInput {
            references,
            ..input(&kc, Role::Founder)
        };
        build(&input).expect("built")
    };
    let (before, after) = (built(&one), built(&other));
    assert_ne!(before.spec, after.spec);
    assert_eq!(before.input_hash, after.input_hash);
    assert_eq!(before.annotations, after.annotations);
}

#[test]
fn a_password_is_in_the_spec_and_in_nothing_that_is_shown() {
    let kc = encrypted(both_on(), stores(json!({})), stores(json!({})));
    let mut references = passwords();
    for password in references.store_passwords.values_mut() {
        *password = Password::of_bytes(CANARY.as_bytes().to_vec());
    }
    let input = DatacenterInput {
        references: &references,
        ..input(&kc, Role::Founder)
    };
    let desired = build(&input).expect("built");
    let told = desired.spec.to_string().matches(CANARY).count();
    assert_eq!(told, 6);
    let live = LiveDatacenter {
        name: "dc1".into(),
        labels: desired.labels.clone(),
        annotations: desired.annotations.clone(),
        spec: desired.spec.clone(),
    };
    let shown = [
        format!("{references:?}"),
        format!("{desired:?}"),
        format!("{live:#?}"),
        format!("{input:?}"),
        redacted(&desired.spec).to_string(),
        format!("{:?} {:?}", desired.labels, desired.config_maps),
    ];
    for text in shown {
        assert!(!text.contains(CANARY), "{text}");
    }
}
