use std::collections::BTreeMap;

use api::reports::Effect;
use serde_json::{Value, json};

use super::*;

fn live(spec: Value) -> LiveDatacenter {
    LiveDatacenter {
        spec,
        ..LiveDatacenter::default()
    }
}

fn desired(spec: Value) -> DesiredDatacenter {
    DesiredDatacenter {
        namespace: "ns".into(),
        name: "dc1".into(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        spec,
        config_maps: Vec::new(),
        switched_off: Vec::new(),
        input_hash: "h".into(),
        superuser_secret: "s".into(),
    }
}

fn change(from: Value, to: Value) -> Change {
    Change::between(&live(from), &desired(to))
}

fn told(change: &Change) -> Vec<(&str, Effect)> {
    change
        .fields
        .iter()
        .map(|field| (field.field.as_str(), field.effect))
        .collect()
}

#[test]
fn each_field_is_named_with_what_it_does() {
    let containers = |heap: &str| json!([{"name": "cassandra", "env": [{"name": "HEAP", "value": heap}]}]);
    let spec = |size: u32, heap: &str| json!({"size": size, "podTemplateSpec": {"spec": {"containers": containers(heap)}}});
    let change = change(spec(3, "1G"), spec(4, "2G"));
    assert_eq!(
        told(&change),
        [
            (
                "spec.podTemplateSpec.spec.containers[cassandra].env[HEAP].value",
                Effect::Restart
            ),
            ("spec.size", Effect::Stream),
        ]
    );
    assert_eq!(change.fields[1].from, Some(json!(3)));
    assert_eq!(change.fields[1].to, Some(json!(4)));
    assert_eq!(change.effect(), Effect::Stream);
}

#[test]
fn what_says_the_same_is_no_change() {
    let spelled = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}, "users": []});
    assert_eq!(told(&change(spelled("1000m"), spelled("1"))), []);
}

#[test]
fn a_new_order_of_named_items_is_a_change() {
    let racks = |names: [&str; 2]| json!({"racks": [{"name": names[0]}, {"name": names[1]}]});
    let change = change(racks(["a", "b"]), racks(["b", "a"]));
    assert_eq!(told(&change), [("spec.racks[*].name", Effect::Dangerous)]);
}

#[test]
fn labels_and_annotations_are_told_but_for_ours_and_those_of_others() {
    let mut live = live(json!({}));
    live.annotations = BTreeMap::from([("other/key".to_owned(), "x".to_owned())]);
    let mut desired = desired(json!({}));
    desired.annotations = BTreeMap::from([
        ("ringspan.io/input-hash".to_owned(), "1".to_owned()),
        ("team".to_owned(), "db".to_owned()),
    ]);
    desired.labels = BTreeMap::from([("tier".to_owned(), "gold".to_owned())]);
    let change = Change::between(&live, &desired);
    assert_eq!(
        told(&change),
        [
            ("metadata.annotations[team]", Effect::Live),
            ("metadata.labels[tier]", Effect::None)
        ]
    );
    assert_eq!(change.spec_fields(), 0);
}

#[test]
fn values_that_may_be_secret_are_not_shown() {
    const CANARY: &str = "canary-5b1f";
    let with = |secret: &str| {
        json!({
            "config": {
                "cassandra-yaml": {"client_encryption_options": {"keystore_password": secret}},
                "cassandra-env-sh": {"additional-jvm-opts": [format!("-Djavax.net.ssl.keyStorePassword={secret}")]},
            },
            "cdc": {"sslKeystorePassword": secret, "pulsarAuthParams": secret},
            "superuserSecretName": format!("name-of-{}", secret.len()),
            "podTemplateSpec": {"spec": {"containers": [
                {"name": "cassandra", "env": [{"name": "DB_PASSWORD", "value": secret}]},
                {"name": "x", "args": [format!("--password {secret}")]},
            ]}},
        })
    };
    let (none, first, second) = (json!({}), with(CANARY), with(&format!("{CANARY}-2")));
    for (from, to) in [(&none, &first), (&first, &none), (&first, &second)] {
        let change = change(from.clone(), to.clone());
        let shown = format!(
            "{change:?} {}",
            serde_json::to_string(&change.clone().pending(true)).unwrap()
        );
        assert!(!shown.contains(CANARY), "{shown}");
        assert!(shown.contains("<redacted>"), "{shown}");
        assert!(shown.contains("name-of-"), "{shown}");
    }
}

#[test]
fn a_report_has_room_for_16_kib_and_says_how_much_more_there_is() {
    let many = |text: &str| -> Value {
        let fields = (0..200).map(|number| (format!("option_{number:03}"), json!(text.repeat(100))));
        json!({"config": {"cassandra-yaml": Value::Object(fields.collect())}})
    };
    let pending = change(many("a"), many("b")).pending(true);
    let size = serde_json::to_string(&pending.fields).unwrap().len();
    assert!(size <= 17 * 1024 && size > 15 * 1024, "{size}");
    assert_eq!(pending.fields.len() + pending.more as usize, 200);
    assert_eq!((pending.held, pending.effect), (true, Effect::Restart));
}

#[test]
fn the_identity_of_a_datacenter_never_changes() {
    let spec = |tokens: Value, racks: Value, size: &str, class: &str| {
        json!({
            "clusterName": "demo",
            "config": {"cassandra-yaml": {"num_tokens": tokens}},
            "racks": racks,
            "storageConfig": {"cassandraDataVolumeClaimSpec": {
                "storageClassName": class, "resources": {"requests": {"storage": size}}
            }},
        })
    };
    let one = json!([{"name": "r1"}]);
    let two = json!([{"name": "r1"}, {"name": "r2"}]);
    let there = spec(json!(16), one.clone(), "5Gi", "fast");
    let table = [
        (spec(json!(16.0), two.clone(), "8Gi", "fast"), None),
        (
            spec(json!(8), one.clone(), "5Gi", "fast"),
            Some("spec.config.cassandra-yaml.num_tokens"),
        ),
        (
            spec(json!(16), json!([{"name": "r2"}, {"name": "r1"}]), "5Gi", "fast"),
            Some("spec.racks"),
        ),
        (spec(json!(16), json!([]), "5Gi", "fast"), Some("spec.racks")),
        (
            spec(json!(16), one, "5Gi", "slow"),
            Some("spec.storageConfig.cassandraDataVolumeClaimSpec"),
        ),
    ];
    for (wanted, field) in table {
        assert_eq!(would_change(&there, &wanted).as_deref(), field, "{wanted}");
    }
    let bare = json!({"clusterName": "demo"});
    assert_eq!(
        would_change(
            &bare,
            &json!({"clusterName": "demo", "racks": [{"name": "default"}]})
        ),
        None
    );
    assert_eq!(
        would_change(&bare, &json!({})).as_deref(),
        Some("spec.clusterName")
    );
}

#[test]
fn a_value_that_somebody_else_has_set_since_is_theirs() {
    let ours = json!({"f:spec": {"f:size": {}, "f:config": {"f:cassandra-yaml": {".": {}, "f:a": {}}}}});
    let theirs = json!({"f:spec": {
        "f:size": {},
        "f:config": {"f:cassandra-yaml": {"f:b": {}}},
        "f:podTemplateSpec": {"f:spec": {"f:initContainers": {}}},
        "f:racks": {"k:{\"name\":\"r1\"}": {"f:affinity": {}}},
    }});
    let of = |entries: &[(&'static str, &Value)]| Ownership::of(entries.iter().copied(), "us");
    let both = of(&[("us", &ours), ("kubectl-edit", &theirs)]);
    assert!(!both.is_foreign("spec.size", false));
    assert!(!both.is_foreign("spec.config.cassandra-yaml.a", false));
    assert!(both.is_foreign("spec.config.cassandra-yaml.b", true));
    assert!(both.is_foreign(
        "spec.podTemplateSpec.spec.initContainers[medusa-restore].env",
        false
    ));
    assert!(both.is_foreign("spec.podTemplateSpec", true));
    assert!(!both.is_foreign("spec.podTemplateSpec", false));
    assert!(both.is_foreign("spec.racks[r1].affinity", false));
    assert!(!both.is_foreign("spec.sizes", false));
    let never_ours = of(&[("manager", &theirs)]);
    assert!(!never_ours.is_foreign("spec.racks[r1].affinity", false));
}
