use std::sync::Arc;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::{Value, json};

use super::super::{DatacenterInput, References, build, input};
use super::{ini_of, medusa, names, refused, with};
use crate::datacenter::Images;
use crate::images::{API_VERSION, ImageConfig, KIND};

fn images(parts: Value) -> References {
    let mut document = json!({"apiVersion": API_VERSION, "kind": KIND});
    document
        .as_object_mut()
        .unwrap()
        .extend(parts.as_object().unwrap().clone());
    References {
        images: Images::Config(Arc::new(ImageConfig::read(&document).unwrap())),
        ..References::default()
    }
}

#[test]
fn im1_im2_pods_run_the_images_of_the_installation_and_pull_them_with_its_secrets() {
    let references = images(json!({
        "images": {"medusa": {"repository": "r", "name": "m", "tag": "1"}, "k8ssandra-client": {"name": "c", "tag": "2"}},
        "defaults": {"registry": "mine", "pullSecrets": ["pull"]}
    }));
    let mut kc = medusa(
        json!({"containerImage": {"tag": "3", "pullPolicy": "Always", "pullSecretRef": {"name": "own"}}}),
    );
    kc.spec.cassandra.as_mut().unwrap().datacenters[0].options.config =
        serde_json::from_value(json!({"cassandraYaml": {"num_tokens": 1}})).unwrap();
    let given = DatacenterInput {
        references: &references,
        ..input(&kc, Role::Founder)
    };
    let pod = build(&given).unwrap().spec["podTemplateSpec"]["spec"].clone();
    assert_eq!(pod["containers"][1]["image"], "mine/r/m:3");
    assert_eq!(pod["containers"][1]["imagePullPolicy"], "Always");
    assert_eq!(
        names(&pod["initContainers"]),
        ["server-config-init", "medusa-restore", "per-node-config"]
    );
    assert_eq!(pod["initContainers"][2]["image"], "mine/c:2");
    assert_eq!(
        pod["imagePullSecrets"],
        json!([{"name": "pull"}, {"name": "own"}])
    );
}

#[test]
fn images_that_are_not_known_are_waited_for_where_they_are_needed_and_nowhere_else() {
    let references = References {
        images: Images::unusable("ringspan/images", "kind is null"),
        ..References::default()
    };
    let of = |kc: &K8ssandraCluster| {
        build(&DatacenterInput {
            references: &references,
            ..input(kc, Role::Founder)
        })
    };
    let refusal = of(&medusa(json!({}))).expect_err("it needs an image");
    assert!(
        refusal
            .message
            .starts_with("ConfigMap ringspan/images does not tell"),
        "{}",
        refusal.message
    );
    assert!(of(&with(json!({}), json!({}))).is_ok());
}

#[test]
fn the_input_hash_has_the_configuration_that_is_referred_to_and_no_image() {
    let hash = |kc: &K8ssandraCluster, references: &References| {
        let given = DatacenterInput {
            references,
            ..input(kc, Role::Founder)
        };
        build(&given).unwrap().input_hash
    };
    let plain = medusa(json!({}));
    let configured = |days: i64| References {
        medusa_configuration: Some(json!({"storageProperties": {
            "storageProvider": "s3", "bucketName": "b", "storageSecretRef": {"name": "key"}, "maxBackupAge": days
        }})),
        ..References::default()
    };
    let other_images = images(json!({"defaults": {"registry": "mine"}}));
    for references in [other_images, configured(1)] {
        assert_eq!(hash(&plain, &References::default()), hash(&plain, &references));
    }
    let kc =
        medusa(json!({"medusaConfigurationRef": {"name": "shared"}, "storageProperties": {"prefix": "p"}}));
    assert_ne!(hash(&kc, &configured(1)), hash(&kc, &configured(2)));
}

#[test]
fn me4_what_the_cluster_says_goes_over_the_configuration_but_for_what_says_nothing() {
    let own = json!({"prefix": "p", "bucketName": "", "secure": false, "maxBackupAge": 0, "region": "mine"});
    let kc = medusa(json!({"medusaConfigurationRef": {"name": "shared"}, "storageProperties": own}));
    let references = References {
        medusa_configuration: Some(json!({"storageProperties": {
            "storageProvider": "s3", "bucketName": "b", "storageSecretRef": {"name": "key"}, "secure": true,
            "maxBackupAge": 7, "region": "theirs", "transferMaxBandwidth": "1MB/s"
        }})),
        ..References::default()
    };
    let given = DatacenterInput {
        references: &references,
        ..input(&kc, Role::Founder)
    };
    let text = ini_of(&build(&given).unwrap());
    for line in [
        "bucket_name = b",
        "prefix = p",
        "secure = True",
        "max_backup_age = 7",
        "region = mine",
    ] {
        assert!(text.contains(&format!("\n    {line}\n")), "{line}: {text}");
    }
    assert!(text.contains("transfer_max_bandwidth = 50MB/s"), "{text}");
}

#[test]
fn me5_a_configuration_that_is_not_there_is_named_with_the_way_out() {
    let kc =
        medusa(json!({"medusaConfigurationRef": {"name": "shared"}, "storageProperties": {"prefix": "p"}}));
    let refusal = refused(&kc);
    assert_eq!(refusal.field, "spec.medusa.medusaConfigurationRef.name");
    assert!(
        refusal
            .message
            .starts_with("MedusaConfiguration shared is not there"),
        "{}",
        refusal.message
    );
}
