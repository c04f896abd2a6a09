//! The Secret with the superuser's name and password: its name, its marks, and whether one that is there will do. The
//! password itself is made where randomness may be used.

use std::collections::BTreeMap;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::{annotation, label, reason};
use api::reports::Refusal;

use crate::datacenter::cluster_name;
use crate::naming;
use crate::validate::refusal;

/// How long a generated password is.
pub const PASSWORD_LENGTH: usize = 20;
/// Signs that a generated password is made of.
pub const PASSWORD_SIGNS: &str = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Keys that the Secret must have.
pub const KEYS: [&str; 2] = ["username", "password"];

/// Name of the Secret, in the cluster's namespace and in that of each datacenter. Authentication that is off does not
/// matter: the name cannot be given to a datacenter later. Where something else than Ringspan provides Secrets, nobody
/// uses it.
#[must_use]
pub fn secret_name(kc: &K8ssandraCluster) -> String {
    let cassandra = kc.spec.cassandra.as_ref();
    let given = cassandra
        .and_then(|cassandra| cassandra.superuser_secret_name())
        .map(str::to_owned);
    given.unwrap_or_else(|| naming::superuser_secret(cluster_name(kc)))
}

/// Labels by which the cluster's ReplicatedSecret finds the Secret: its selector, to the letter.
#[must_use]
pub fn selector_labels(kc: &K8ssandraCluster) -> BTreeMap<String, String> {
    let metadata = &kc.metadata;
    [
        (label::REPLICATED_BY, label::CLUSTER_CONTROLLER),
        (label::CLUSTER_NAME, metadata.name.as_deref().unwrap_or_default()),
        (
            label::CLUSTER_NAMESPACE,
            metadata.namespace.as_deref().unwrap_or_default(),
        ),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// Labels of a Secret that is made: those of the user, and over them those by which it is found.
#[must_use]
pub fn labels(kc: &K8ssandraCluster) -> BTreeMap<String, String> {
    let mut labels = common(kc, |metadata| metadata.common_labels.clone());
    labels.extend(selector_labels(kc));
    labels
}

/// Annotations of a Secret that is made: those of the user, and our mark.
#[must_use]
pub fn annotations(kc: &K8ssandraCluster) -> BTreeMap<String, String> {
    let mut annotations = common(kc, |metadata| metadata.common_annotations.clone());
    annotations.extend(
        kc.metadata
            .uid
            .clone()
            .map(|uid| (annotation::CLUSTER_UID.to_owned(), uid)),
    );
    annotations
}

fn common(
    kc: &K8ssandraCluster,
    read: impl Fn(&api::k8ssandra_cluster::ClusterMeta) -> Option<BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    let metadata = kc
        .spec
        .cassandra
        .as_ref()
        .and_then(|cassandra| cassandra.metadata.as_ref());
    metadata.and_then(read).unwrap_or_default()
}

/// Whether a Secret of the user's will do: both keys must be there and not empty. `present` says of a key whether it is;
/// values are not looked at here.
///
/// # Errors
///
/// A refusal that names the Secret and the keys that it lacks.
pub fn check(kc: &K8ssandraCluster, present: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    let lacking: Vec<&str> = KEYS.into_iter().filter(|key| !present(key)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Secret {} lacks {}; give it both username and password, or delete it so that one is made",
        secret_name(kc),
        lacking.join(" and ")
    );
    Err(refusal(
        reason::SUPERUSER_SECRET_INCOMPLETE,
        "spec.cassandra.superuserSecretRef.name",
        message,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::cluster;
    use serde_json::json;

    #[test]
    fn the_name_is_the_user_s_or_made_of_cassandra_s_name_of_the_cluster() {
        assert_eq!(
            secret_name(&cluster(json!({"clusterName": "My Ring"}))),
            "myring-superuser"
        );
        let given = cluster(json!({"clusterName": "My Ring", "superuserSecretRef": {"name": "mine"}}));
        assert_eq!(secret_name(&given), "mine");
        assert_eq!(
            secret_name(&cluster(json!({"superuserSecretRef": {"name": ""}}))),
            "demo-superuser"
        );
    }

    #[test]
    fn our_labels_win_over_those_of_the_user() {
        let kc = cluster(json!({"metadata": {
            "commonLabels": {"a": "b", "k8ssandra.io/cluster-name": "x"}, "commonAnnotations": {"c": "d"}
        }}));
        let expected = [
            ("a", "b"),
            ("k8ssandra.io/cluster-name", "demo"),
            ("k8ssandra.io/cluster-namespace", "ns"),
            ("k8ssandra.io/replicated-by", "k8ssandracluster-controller"),
        ];
        assert_eq!(
            labels(&kc),
            expected
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into()
        );
        let expected = [("c", "d"), ("ringspan.io/cluster-uid", "kc-uid")];
        assert_eq!(
            annotations(&kc),
            expected
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into()
        );
    }

    #[test]
    fn a_secret_without_both_keys_is_refused_by_name() {
        let kc = cluster(json!({}));
        assert_eq!(check(&kc, |_| true), Ok(()));
        let refused = check(&kc, |key| key == "username").expect_err("there is no password");
        assert_eq!(refused.reason, "SuperuserSecretIncomplete");
        assert!(
            refused
                .message
                .starts_with("Secret demo-superuser lacks password;"),
            "{}",
            refused.message
        );
    }
}
