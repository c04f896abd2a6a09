//! The Secret with the superuser's name and password: its name, and whether one that is there will do.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::reason;
use api::reports::Refusal;

use crate::datacenter::cluster_name;
use crate::naming;
use crate::own_secrets::KEYS;
use crate::validate::refusal;

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
    fn c044_the_name_is_the_user_s_or_made_of_cassandra_s_name_of_the_cluster() {
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
