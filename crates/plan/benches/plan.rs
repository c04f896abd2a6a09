//! How long one decision takes: a pass over a converged cluster of three datacenters with every option set.

#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]
#![expect(clippy::expect_used, reason = "what cannot be measured must stop it")]

use std::time::{Duration, Instant};

use api::k8ssandra_cluster::K8ssandraCluster;
use api::seen::PlaneId;
use plan::foresight::{PlaneObjects, Snapshot, settled};
use serde_json::{Value, json};

/// Longest that a pass may take.
const MOST: Duration = Duration::from_millis(1);
/// Passes; the first and the last tenth are compared.
const PASSES: usize = 2_000;

fn options() -> Value {
    json!({
        "serverVersion": "4.1.5",
        "serverImage": "example.com/cassandra:1",
        "config": {
            "cassandraYaml": {"num_tokens": 8, "concurrent_reads": 32, "a": {"b": [1, 2, 3]}},
            "jvmOptions": {"heapSize": "4Gi", "gc": "G1GC", "additionalOptions": ["-Da=b", "-Dc=d"]},
        },
        "storageConfig": {
            "cassandraDataVolumeClaimSpec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
            "additionalVolumes": [{"name": "logs", "mountPath": "/logs", "volumeSource": {"emptyDir": {}}}],
        },
        "networking": {"hostNetwork": true, "nodePort": {"native": 30001, "internode": 30002}},
        "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"cpu": "2", "memory": "4Gi"}},
        "racks": [{"name": "r1", "nodeAffinityLabels": {"zone": "a"}}, {"name": "r2"}, {"name": "r3"}],
        "softPodAntiAffinity": true,
        "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoSchedule"}],
        "mgmtAPIHeap": "64Mi",
        "telemetry": {
            "mcac": {"enabled": true, "metricFilters": ["deny:a", "allow:b"]},
            "vector": {"enabled": true, "resources": {"limits": {"cpu": "1"}}, "components": {
                "sinks": [{"name": "out", "type": "console", "inputs": ["systemlog"], "config": "target = \"stdout\""}],
            }},
        },
        "containers": [{"name": "side", "image": "busybox", "env": [{"name": "A", "value": "1"}]}],
        "initContainers": [{"name": "before", "image": "busybox"}],
        "extraVolumes": {"volumes": [{"name": "v", "emptyDir": {}}]},
        "podSecurityContext": {"runAsUser": 1000},
        "podPriorityClassName": "high",
        "managementApiAuth": {"insecure": {}},
        "serviceAccount": "db",
        "readOnlyRootFilesystem": true,
        "metadata": {
            "labels": {"a": "b"}, "annotations": {"c": "d"}, "commonLabels": {"e": "f"},
            "pods": {"labels": {"g": "h"}}, "services": {"dcService": {"labels": {"i": "j"}}},
        },
    })
}

fn cluster() -> K8ssandraCluster {
    let mut cassandra = options();
    let datacenter = |name: &str, context: &str| {
        let mut datacenter = options();
        datacenter["metadata"]["name"] = json!(name);
        datacenter["k8sContext"] = json!(context);
        datacenter["size"] = json!(9);
        datacenter["datacenterName"] = json!(format!("{name}_real"));
        datacenter
    };
    cassandra["clusterName"] = json!("Bench Ring");
    cassandra["superuserSecretRef"] = json!({"name": "admin"});
    cassandra["datacenters"] = json!([
        datacenter("dc1", "east"),
        datacenter("dc2", "west"),
        datacenter("dc3", "north")
    ]);
    serde_json::from_value(json!({
        "apiVersion": "k8ssandra.io/v1alpha1",
        "kind": "K8ssandraCluster",
        "metadata": {"name": "bench", "namespace": "ns", "uid": "kc-uid", "generation": 1},
        "spec": {
            "auth": true,
            "cassandra": cassandra,
            "medusa": {
                "storageProperties": {
                    "storageProvider": "s3", "bucketName": "backups", "prefix": "ring", "region": "eu-1",
                    "storageSecretRef": {"name": "bucket-key"},
                },
                "cassandraUserSecretRef": {"name": "medusa"},
                "resources": {"limits": {"cpu": "1", "memory": "2Gi"}},
            },
            "reaper": {"heapSize": "1Gi", "autoScheduling": {"enabled": true}},
        },
    }))
    .expect("a K8ssandraCluster")
}

fn planes() -> Snapshot {
    let plane = |context: &str| {
        let answer = PlaneObjects {
            id: PlaneId(format!("id-of-{context}")),
            objects: Vec::new(),
        };
        (context.to_owned(), Ok(answer))
    };
    Snapshot {
        planes: ["", "east", "west", "north"].map(plane).into(),
        ..Snapshot::default()
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

fn main() {
    let facts = settled(&cluster(), &planes());
    let first = plan::cluster::plan(&facts);
    assert!(
        first.acts.is_empty() && first.report.complete,
        "it must be converged: {:?}",
        first.report
    );
    let times: Vec<Duration> = (0..PASSES)
        .map(|_| {
            let begun = Instant::now();
            std::hint::black_box(plan::cluster::plan(std::hint::black_box(&facts)));
            begun.elapsed()
        })
        .collect();
    let tenth = PASSES / 10;
    let (early, late, all) = (
        median(&times[..tenth]),
        median(&times[PASSES - tenth..]),
        median(&times),
    );
    println!(
        "plan: three datacenters with every option, converged: median {all:?} (limit {MOST:?}), first tenth {early:?}, last tenth {late:?}"
    );
    assert!(all <= MOST, "a pass takes longer than {MOST:?}");
    assert!(late <= early * 2, "passes become slower");
}
