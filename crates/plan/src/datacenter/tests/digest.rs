use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use serde_json::json;

use super::{built, one};
use crate::fixtures::cluster;

#[test]
fn the_input_hash_changes_with_the_user_s_input_alone() {
    let hash = |kc: &K8ssandraCluster| built(kc, Role::Rebuild).input_hash;
    let kc = one(
        json!({"config": {"cassandraYaml": {"concurrent_reads": 1}}, "resources": {"limits": {"cpu": "1"}}}),
    );
    let same = one(json!({
        "config": {"cassandraYaml": {"concurrent_reads": 1}, "dseYaml": {}}, "k8sContext": "elsewhere", "racks": [],
        "resources": {"limits": {"cpu": "1000m"}}, "stopped": false
    }));
    assert_eq!(hash(&kc), hash(&same));
    assert_eq!(built(&kc, Role::Founder).input_hash, hash(&kc));
    let mut touched = kc.clone();
    touched.metadata.generation = Some(99);
    touched.spec.auth = Some(true);
    assert_eq!(hash(&kc), hash(&touched));
    let mut others = kc.clone();
    others.spec.auth = Some(false);
    assert_ne!(hash(&kc), hash(&others));
    let edits = [
        json!({"size": 6}),
        json!({"stopped": true}),
        json!({"config": {"cassandraYaml": {"concurrent_reads": 2}}, "resources": {"limits": {"cpu": "1"}}}),
        json!({"config": {"cassandraYaml": {"concurrent_reads": 1}}, "resources": {"limits": {"cpu": "2"}}}),
    ];
    for edit in edits {
        assert_ne!(hash(&kc), hash(&one(edit.clone())), "{edit}");
    }
}

#[test]
fn r4_under_policy_orphan_volumes_outlive_their_datacenter() {
    let kc = one(json!({}));
    let mut keeping = kc.clone();
    let policy = |policy: &str| Some([("ringspan.io/deletion-policy".to_owned(), policy.to_owned())].into());
    keeping.metadata.annotations = policy("Orphan");
    let kept = built(&keeping, Role::Founder);
    assert_eq!(kept.annotations["cassandra.datastax.com/delete-pvc"], "false");
    assert_ne!(
        kept.input_hash,
        built(&kc, Role::Founder).input_hash,
        "or the policy would not reach a datacenter that is there"
    );
    keeping.metadata.annotations = policy("Delete");
    assert_eq!(built(&keeping, Role::Founder), built(&kc, Role::Founder));
}

#[test]
fn the_digest_of_an_unchanged_input_is_the_same_in_every_release() {
    // Another digest here makes every datacenter of every user look edited: see the update gate.
    let kc = cluster(json!({
        "serverVersion": "4.1.5",
        "storageConfig": {"cassandraDataVolumeClaimSpec": {"resources": {"requests": {"storage": "5Gi"}}}},
        "datacenters": [{"metadata": {"name": "dc1"}, "size": 3}]
    }));
    assert_eq!(
        built(&kc, Role::Founder).input_hash,
        "K0m6CBrv0/twIOICVi4VoN/3ct1Bel6hrNBq4oA0NOs="
    );
}
