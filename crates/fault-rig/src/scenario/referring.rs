//! A cluster refers to what is not there yet, and is edited later: settings of backups in the control plane, configuration
//! of single nodes in a plane.

use std::time::Duration;

use serde_json::{Value, json};

use super::spec::{EAST, THE_CLUSTER, WEST, apply, cluster, datacenter};
use super::step::{Act, Step, Thing, Until};
use crate::world::{CONTROL_PLANE, DATABASES, NAMESPACE};

const BACKUPS: Thing = Thing {
    plane: "west",
    api: "v1",
    plural: "configmaps",
    namespace: DATABASES,
    name: "demo-medusa",
};
const IMAGES: Thing = Thing {
    plane: CONTROL_PLANE,
    api: "v1",
    plural: "configmaps",
    namespace: NAMESPACE,
    name: "images",
};
const PENDING: &str = "/status/reports/cluster/datacenters/dc1/pendingChange/held";
const IMAGE: &str = "/spec/podTemplateSpec/spec/containers/1/image";
const HASH: &str = "/spec/podTemplateSpec/metadata/annotations/k8ssandra.io~1per-node-config-hash";
/// Digests of the two contents below.
const DIGESTS: [&str; 2] = [
    "4DQQABCKaVNFK1oUjAudyoPaA8vjUTsozKpZCAVDqkc=",
    "ehai2jC5jedMiy7YfnT4nUWvgiGuumixPa3gsVhO2B8=",
];

fn referring() -> Value {
    let mut cluster = cluster(&[EAST, WEST]);
    cluster["spec"]["cassandra"]["datacenters"][0]["perNodeConfigMapRef"] = json!({"name": "nodes"});
    cluster["spec"]["medusa"] = json!({
        "medusaConfigurationRef": {"name": "shared"}, "storageProperties": {"prefix": "demo"},
    });
    cluster
}

fn settings(days: u32) -> Act {
    let storage = json!({
        "storageProvider": "s3", "bucketName": "b", "credentialsType": "role-based", "maxBackupAge": days,
    });
    let configuration = json!({
        "apiVersion": "medusa.k8ssandra.io/v1alpha1", "kind": "MedusaConfiguration",
        "metadata": {"name": "shared", "namespace": DATABASES}, "spec": {"storageProperties": storage},
    });
    Act::Apply(CONTROL_PLANE, configuration)
}

/// What Medusa reads.
fn configuration(days: u32) -> String {
    let sections = [
        "[cassandra]|use_sudo = false".to_owned(),
        format!(
            "[storage]|use_sudo_for_restore = false|storage_provider = s3|bucket_name = b|prefix = demo|\
             max_backup_age = {days}|max_backup_count = 0|secure = False|ssl_verify = False|\
             transfer_max_bandwidth = 50MB/s|concurrent_transfers = 1|multi_part_upload_threshold = 104857600"
        ),
        "[grpc]|enabled = 1".to_owned(),
        "[logging]|level = DEBUG".to_owned(),
        "[kubernetes]|use_mgmt_api = 1|enabled = 1|\
         cassandra_url = http://127.0.0.1:8080/api/v0/ops/node/snapshots"
            .to_owned(),
    ];
    let lines = |section: &String| format!("\n    {}", section.replace('|', "\n    "));
    sections.iter().map(lines).collect::<Vec<_>>().join("\n")
}

fn nodes(reads: u32) -> Act {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nodes", "namespace": DATABASES},
        "data": {"demo-dc1-default-sts-0_cassandra.yaml": format!("concurrent_reads: {reads}")},
    });
    Act::Apply(EAST.1, map)
}

/// The installation has a registry of its own.
fn images() -> Act {
    let config = "apiVersion: config.k8ssandra.io/v1beta2\nkind: ImageConfig\ndefaults:\n  registry: registry.invalid\n";
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": IMAGES.name, "namespace": NAMESPACE, "labels": {"k8ssandra.io/config": "image"}},
        "data": {"image_config.yaml": config},
    });
    Act::Apply(CONTROL_PLANE, map)
}

pub(super) fn steps() -> Vec<Step> {
    let mounts = |digest: &str| Until::Is(datacenter(EAST), HASH, json!(digest));
    vec![
        apply(referring()).then(Until::Says("InvalidSpec")),
        settings(1).then(Until::Says("ConfigMapMissing")),
        nodes(8).then_all([Until::Ready, mounts(DIGESTS[0])]),
        nodes(9).then_all([mounts(DIGESTS[1]), Until::Ready]),
        settings(2).then_all([
            Until::Is(BACKUPS, "/data/medusa.ini", json!(configuration(2))),
            Until::Ready,
        ]),
        // Another image is no edit of the user's: it is told, and restarts nothing.
        images().then_all([
            Until::Is(THE_CLUSTER, PENDING, json!(true)),
            Until::Passed(Duration::from_mins(5)),
            Until::Is(
                datacenter(EAST),
                IMAGE,
                json!("docker.io/k8ssandra/medusa:0.29.1"),
            ),
        ]),
        Act::Delete(IMAGES).then_all([Until::Is(THE_CLUSTER, PENDING, Value::Null), Until::Ready]),
    ]
}
