use api::record::Role;
use serde_json::json;

use super::{built, containers, ini, medusa, storage, stores, with};

#[test]
fn me8_me9_the_default_configuration_is_that_of_upstream_to_the_letter() {
    let expected = "
    [cassandra]
    use_sudo = false

    [storage]
    use_sudo_for_restore = false
    storage_provider = s3
    bucket_name = b
    key_file = /etc/medusa-secrets/credentials
    prefix = demo
    max_backup_age = 0
    max_backup_count = 0
    secure = False
    ssl_verify = False
    transfer_max_bandwidth = 50MB/s
    concurrent_transfers = 1
    multi_part_upload_threshold = 104857600

    [grpc]
    enabled = 1

    [logging]
    level = DEBUG

    [kubernetes]
    use_mgmt_api = 1
    enabled = 1
    cassandra_url = http://127.0.0.1:8080/api/v0/ops/node/snapshots";
    assert_eq!(ini(&medusa(json!({}))), expected);
    let config_map = built(&medusa(json!({})), Role::Founder).config_maps[1].clone();
    assert_eq!(
        (config_map.name.as_str(), config_map.shared),
        ("demo-medusa", true)
    );
    assert_eq!(
        config_map.labels["k8ssandra.io/cleaned-up-by"],
        "k8ssandracluster-controller"
    );
}

#[test]
fn me10_options_that_say_nothing_are_left_out() {
    let mut all = storage();
    for (field, value) in [
        ("region", json!("r")),
        ("host", json!("h")),
        ("port", json!(9000)),
        ("secure", json!(true)),
        ("sslVerify", json!(true)),
        ("backupGracePeriodInDays", json!(5)),
        ("apiProfile", json!("a")),
        ("concurrentTransfers", json!(4)),
        ("transferMaxBandwidth", json!("")),
        ("multiPartUploadThreshold", json!(0)),
    ] {
        all[field] = value;
    }
    let text = ini(&medusa(json!({"storageProperties": all})));
    let after = "max_backup_count = 0\n    region = r\n    host = h\n    port = 9000\n    secure = True\n    ssl_verify = True\n    \
         backup_grace_period_in_days = 5\n    api_profile = a\n    concurrent_transfers = 4\n\n";
    assert!(text.contains(after), "{text}");
}

#[test]
fn me11_the_older_certificates_win_over_files_of_their_own() {
    let files = stores([Some("ca"), Some("crt"), Some("key")]);
    let both = medusa(json!({"certificatesSecretRef": {"name": "certs"}, "clientEncryptionStores": files}));
    assert!(ini(&both).contains(
        "certfile = /etc/certificates/rootca.crt\n    usercert = /etc/certificates/client.crt_signed\n    \
         userkey = /etc/certificates/client.key\n"
    ));
    let files = medusa(json!({"clientEncryptionStores": files}));
    assert!(ini(&files).contains(
        "certfile = /etc/certificates/certfile/ca\n    usercert = /etc/certificates/usercert/crt\n    \
         userkey = /etc/certificates/userkey/key\n"
    ));
}

#[test]
fn me13_a_guarded_management_api_is_asked_with_certificates() {
    let guarded =
        json!({"managementApiAuth": {"manual": {"clientSecretName": "c", "serverSecretName": "s"}}});
    let kc = with(guarded, json!({"medusa": {"storageProperties": storage()}}));
    assert!(ini(&kc).ends_with(
        "cassandra_url = https://127.0.0.1:8080/api/v0/ops/node/snapshots\n    ca_cert = /etc/encryption/mgmt/ca.crt\n    \
         tls_cert = /etc/encryption/mgmt/tls.crt\n    tls_key = /etc/encryption/mgmt/tls.key"
    ));
}

#[test]
fn me12_me14_me18_an_encrypted_service_has_certificates_everywhere() {
    let encryption = json!({"clientSecretName": "client", "serverSecretName": "server"});
    let kc = medusa(json!({"serviceProperties": {"encryption": encryption, "grpcPort": 7}}));
    assert!(ini(&kc).contains(
        "[grpc]\n    enabled = 1\n    port = 7\n    ca_cert = /etc/certificates/grpc-server-certs/ca.crt\n    \
         tls_cert = /etc/certificates/grpc-server-certs/tls.crt\n    tls_key = /etc/certificates/grpc-server-certs/tls.key\n"
    ));
    let annotations = built(&kc, Role::Founder).annotations;
    assert_eq!(
        annotations["medusa.k8ssandra.io/grpc-client-secret-name"],
        "client"
    );
    assert_eq!(annotations["medusa.k8ssandra.io/grpc-port"], "7");
    let [sidecar, _] = containers(&kc);
    assert_eq!(
        sidecar["livenessProbe"]["exec"]["command"],
        json!([
            "/bin/grpc_health_probe",
            "--addr=:7",
            "--tls",
            "--tls-ca-cert=/etc/certificates/grpc-server-certs/ca.crt",
            "--tls-client-cert=/etc/certificates/grpc-server-certs/tls.crt",
            "--tls-client-key=/etc/certificates/grpc-server-certs/tls.key",
        ])
    );
}
