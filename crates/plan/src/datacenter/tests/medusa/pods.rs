use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::{Value, json};

use super::{built, containers, medusa, names, refused, storage, stores, with};

#[test]
fn me15_restoring_comes_after_the_configuration_or_where_the_user_put_it() {
    let order = |init_containers: Value| {
        let kc = with(
            json!({"initContainers": init_containers}),
            json!({"medusa": {"storageProperties": storage()}}),
        );
        let spec = built(&kc, Role::Founder).spec;
        let list = &spec["podTemplateSpec"]["spec"]["initContainers"];
        names(list).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        order(json!([{"name": "a"}])),
        ["a", "server-config-init", "medusa-restore"]
    );
    assert_eq!(
        order(json!([{"name": "server-config-init"}, {"name": "a"}])),
        ["server-config-init", "a", "medusa-restore"]
    );
    assert_eq!(
        order(json!([{"name": "medusa-restore", "image": "mine"}, {"name": "a"}])),
        ["medusa-restore", "a"]
    );
}

#[test]
fn me16_me19_both_containers_have_what_they_work_with() {
    let [sidecar, restore] = containers(&medusa(json!({
        "containerResources": {"limits": {"memory": "2Gi"}}, "securityContext": {"runAsUser": 1001}
    })));
    assert_eq!(
        sidecar["ports"],
        json!([{"name": "grpc", "containerPort": 50051, "protocol": "TCP"}])
    );
    let from = |key: &str| {
        json!({"valueFrom": {"secretKeyRef": {"name": "demo-medusa", "key": key}}})["valueFrom"].clone()
    };
    assert_eq!(
        restore["env"],
        json!([
            {"name": "MEDUSA_MODE", "value": "RESTORE"},
            {"name": "MEDUSA_TMP_DIR", "value": "/var/lib/cassandra"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "CQL_USERNAME", "valueFrom": from("username")},
            {"name": "CQL_PASSWORD", "valueFrom": from("password")},
        ])
    );
    assert_eq!(sidecar["env"][0], json!({"name": "MEDUSA_MODE", "value": "GRPC"}));
    assert_eq!(sidecar["resources"], json!({"limits": {"memory": "2Gi"}}));
    assert_eq!(
        restore["resources"],
        json!({"requests": {"cpu": "100m", "memory": "100Mi"}, "limits": {"memory": "8Gi"}})
    );
    assert_eq!(sidecar["securityContext"], restore["securityContext"]);
    let [_, restore] = containers(&medusa(
        json!({"initContainerResources": {"requests": {"cpu": "1"}}}),
    ));
    assert_eq!(restore["resources"], json!({"requests": {"cpu": "1"}}));
}

#[test]
fn me17_me21_the_user_in_cassandra_is_the_cluster_s_unless_secrets_come_from_elsewhere() {
    let users = |kc: &K8ssandraCluster| built(kc, Role::Founder).spec.get("users").cloned();
    let own = medusa(json!({"cassandraUserSecretRef": {"name": "mine"}}));
    assert_eq!(
        users(&own),
        Some(json!([{"secretName": "mine", "superuser": true}]))
    );
    let mut without_auth = medusa(json!({}));
    without_auth.spec.auth = Some(false);
    assert_eq!(
        users(&without_auth),
        Some(json!([{"secretName": "demo-medusa", "superuser": true}]))
    );
    let external = with(
        json!({}),
        json!({"secretsProvider": "external", "medusa": {"storageProperties": storage()}}),
    );
    assert_eq!(users(&external), None);
    let [sidecar, _] = containers(&external);
    assert_eq!(
        names(&sidecar["env"]),
        ["MEDUSA_MODE", "MEDUSA_TMP_DIR", "POD_NAME"]
    );
}

#[test]
fn me18_only_the_numbers_of_a_probe_can_be_given() {
    let kc = medusa(json!({"readinessProbe": {"periodSeconds": 60, "timeoutSeconds": 0}}));
    let [sidecar, _] = containers(&kc);
    assert_eq!(
        sidecar["readinessProbe"],
        json!({"exec": {"command": ["/bin/grpc_health_probe", "--addr=:50051"]}, "initialDelaySeconds": 10,
            "timeoutSeconds": 1, "periodSeconds": 60, "successThreshold": 1, "failureThreshold": 10})
    );
    for handler in [
        json!({"exec": {"command": ["true"]}}),
        json!({"tcpSocket": {"port": 1}}),
    ] {
        assert_eq!(
            refused(&medusa(json!({"livenessProbe": handler}))).field,
            "spec.medusa.livenessProbe"
        );
    }
}

#[test]
fn me20_every_mount_has_its_volume() {
    let encryption = json!({"clientSecretName": "client", "serverSecretName": "server"});
    let guarded = json!({"managementApiAuth": {"manual": {"clientSecretName": "c", "serverSecretName": "s"}},
        "extraVolumes": {"volumes": [{"name": "podinfo", "emptyDir": {}}, {"name": "other", "emptyDir": {}}]}});
    let files = stores([Some("ca"), Some("crt"), Some("key")]);
    let certificates = [
        (
            json!({"certificatesSecretRef": {"name": "certs"}}),
            vec!["certificates"],
        ),
        (
            json!({"clientEncryptionStores": files}),
            vec!["certfile", "usercert", "userkey"],
        ),
        (json!({}), vec![]),
    ];
    for (mut spec, expected) in certificates {
        spec["storageProperties"] = storage();
        spec["serviceProperties"] = json!({"encryption": encryption});
        let kc = with(guarded.clone(), json!({"medusa": spec}));
        let template = built(&kc, Role::Founder).spec["podTemplateSpec"]["spec"].clone();
        let [before, after] = [
            vec!["podinfo", "other", "demo-medusa", "key"],
            vec!["mgmt-encryption", "medusa-tmp", "grpc-server-certs"],
        ];
        assert_eq!(
            names(&template["volumes"]),
            [before, expected.clone(), after].concat()
        );
        assert_eq!(
            template["volumes"][0]["downwardAPI"]["items"][0]["path"],
            "labels"
        );
        let [sidecar, restore] = containers(&kc);
        assert_eq!(sidecar["volumeMounts"], restore["volumeMounts"]);
        let [before, after] = [
            vec![
                "server-config",
                "server-data",
                "demo-medusa",
                "podinfo",
                "medusa-tmp",
            ],
            vec!["grpc-server-certs", "key", "mgmt-encryption"],
        ];
        assert_eq!(
            names(&sidecar["volumeMounts"]),
            [before, expected, after].concat()
        );
    }
}

#[test]
fn pods_without_annotations_of_the_user_s_get_none_for_the_webhook() {
    let annotation = |annotations: Value| {
        let kc = with(
            json!({"metadata": {"name": "dc1", "pods": {"annotations": annotations}}}),
            json!({"medusa": {"storageProperties": storage()}}),
        );
        let template = built(&kc, Role::Founder).spec["podTemplateSpec"].clone();
        template["metadata"]["annotations"]["k8ssandra.io/inject-secret"].clone()
    };
    let own = r#"{"name":"demo-medusa","path":"/etc/secrets/demo-medusa","containers":["medusa","medusa-restore"]}"#;
    assert_eq!(annotation(json!({})), Value::Null);
    assert_eq!(annotation(json!({"a": "b"})), json!(format!("[{own}]")));
    let theirs = r#"{"name":"mine","path":"/p"}"#;
    assert_eq!(
        annotation(json!({"k8ssandra.io/inject-secret": format!("[{theirs}]")})),
        json!(format!("[{theirs},{own}]"))
    );
    let same = r#"[{"name":"demo-medusa","path":"/p"}]"#;
    assert_eq!(
        annotation(json!({"k8ssandra.io/inject-secret": same})),
        json!(same)
    );
}
