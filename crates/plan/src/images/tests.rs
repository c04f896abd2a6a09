use serde_json::json;

use super::*;

fn config(parts: &Value) -> ImageConfig {
    let mut document = json!({"apiVersion": API_VERSION, "kind": KIND});
    for (field, part) in parts.as_object().unwrap() {
        document[field] = part.clone();
    }
    ImageConfig::read(&document).unwrap()
}

fn given(image: Value) -> ContainerImage {
    serde_json::from_value(image).unwrap()
}

#[test]
fn without_a_configuration_the_images_are_those_that_upstream_ships() {
    let shipped = ImageConfig::default();
    let text = |name: &str| shipped.image(name).text();
    assert_eq!(text(MEDUSA), "docker.io/k8ssandra/medusa:0.29.1");
    assert_eq!(text(CLIENT), "docker.io/k8ssandra/k8ssandra-client:v0.8.12");
    assert_eq!(shipped.image(MEDUSA).pull_policy, "IfNotPresent");
    assert_eq!(shipped.pull_secrets(MEDUSA), Vec::<String>::new());
}

#[test]
fn im1_entries_come_before_defaults_and_overrides_before_both() {
    let images = json!({"medusa": {"repository": "mine", "name": "m", "tag": "1"}, "other": {"name": "o", "registry": "r"}});
    let defaults = json!({"registry": "d", "repository": "dd", "pullPolicy": "Always"});
    let below = config(&json!({"images": images, "defaults": defaults}));
    assert_eq!(below.image(MEDUSA).text(), "d/mine/m:1");
    assert_eq!(below.image("other").text(), "r/dd/o");
    assert_eq!(below.image(MEDUSA).pull_policy, "Always");
    let over = json!({"registry": "x", "repository": "", "pullPolicy": "Never"});
    let over = config(&json!({"images": images, "defaults": defaults, "overrides": over}));
    assert_eq!(over.image(MEDUSA).text(), "x/m:1");
    assert_eq!(over.image("other").text(), "x/o");
    assert_eq!(over.image(MEDUSA).pull_policy, "Never");
}

#[test]
fn im1_what_a_cluster_says_counts_more_than_overrides() {
    let over = config(
        &json!({"images": {"medusa": {"name": "m", "tag": "1", "digest": "sha256:a"}}, "overrides": {"registry": "x"}}),
    );
    assert_eq!(over.image(MEDUSA).text(), "x/m@sha256:a");
    let image = given(json!({"registry": "mine", "tag": "2", "pullPolicy": "Always"}));
    let image = over.image(MEDUSA).with(Some(&image));
    assert_eq!(
        (image.text().as_str(), image.pull_policy.as_str()),
        ("mine/m:2", "Always")
    );
}

#[test]
fn im1_a_tag_that_is_a_digest_is_written_as_one() {
    let image = given(json!({"tag": "sha256:b"}));
    let text = ImageConfig::default().image(MEDUSA).with(Some(&image)).text();
    assert_eq!(text, "docker.io/k8ssandra/medusa@sha256:b");
}

#[test]
fn im2_secrets_over_all_count_alone_then_an_image_s_own_then_those_of_all() {
    let images = json!({"medusa": {"name": "m", "pullSecret": "own"}, "other": {"name": "o"}});
    let defaults = json!({"pullSecrets": ["a", "b"]});
    let below = config(&json!({"images": images, "defaults": defaults}));
    assert_eq!(below.pull_secrets(MEDUSA), ["own"]);
    assert_eq!(below.pull_secrets("other"), ["a", "b"]);
    assert_eq!(below.image("other").pull_secret, "a");
    for secrets in [json!(["c"]), json!([])] {
        let over =
            config(&json!({"images": images, "defaults": defaults, "overrides": {"pullSecrets": secrets}}));
        assert_eq!(json!(over.pull_secrets(MEDUSA)), secrets);
        assert_eq!(json!(over.pull_secrets("other")), secrets);
    }
}

#[test]
fn im3_an_image_without_a_tag_is_the_latest() {
    let image = given(json!({"registry": "mine"}));
    let text = ImageConfig::default().image(MEDUSA).with(Some(&image)).text();
    assert_eq!(text, "mine/k8ssandra/medusa:latest");
}

#[test]
fn an_image_that_the_installation_does_not_name_is_the_shipped_one() {
    let config = config(&json!({"defaults": {"registry": "mine"}}));
    assert_eq!(config.image(MEDUSA).text(), "mine/k8ssandra/medusa:0.29.1");
    assert_eq!(config.image(MEDUSA).pull_policy, "");
}

#[test]
fn a_document_of_another_kind_is_not_read() {
    let read = |document: Value| ImageConfig::read(&document).expect_err("it is not one");
    assert_eq!(
        read(json!({"apiVersion": "config.k8ssandra.io/v1beta1", "kind": KIND})),
        "apiVersion is \"config.k8ssandra.io/v1beta1\", not config.k8ssandra.io/v1beta2"
    );
    assert!(
        read(json!({"apiVersion": API_VERSION, "kind": KIND, "images": ["medusa"]})).contains("invalid type")
    );
}
