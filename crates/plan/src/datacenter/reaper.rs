//! What Reaper needs of the nodes: a user in Cassandra and, where it does not use the management API, JMX from outside.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::k8ssandra_cluster::addons::Reaper;
use serde_json::{Value, json};

use super::{Facts, cluster_name};
use crate::naming;

/// A Reaper of this cluster's own; one that is there already is referred to, and brings what it needs.
pub(crate) fn own(kc: &K8ssandraCluster) -> Option<&Reaper> {
    let is_referred_to = |reaper: &&Reaper| {
        let name = reaper.reaper_ref.as_ref().and_then(|it| it.name.as_deref());
        name.is_some_and(|name| !name.is_empty())
    };
    kc.spec.reaper.as_ref().filter(|reaper| !is_referred_to(reaper))
}

/// Whether it goes through JMX: only where the management API is switched off for it.
fn uses_jmx(reaper: &Reaper) -> bool {
    let enabled = reaper.http_management.as_ref().and_then(|it| it.enabled);
    enabled == Some(false)
}

/// Options of Java, in the order in which each is put before those that are there.
pub(super) fn jmx_options(facts: &Facts<'_>) -> Vec<String> {
    const WITH_LOGIN: [&str; 3] = [
        "-Dcassandra.jmx.remote.login.config=CassandraLogin",
        "-Djava.security.auth.login.config=$CASSANDRA_HOME/conf/cassandra-jaas.config",
        "-Dcassandra.jmx.authorizer=org.apache.cassandra.auth.jmx.AuthorizationProxy",
    ];
    let spec = &facts.kc.spec;
    if !spec.reaper.as_ref().is_some_and(uses_jmx) {
        return Vec::new();
    }
    let mut options = vec![format!(
        "-Dcom.sun.management.jmxremote.authenticate={}",
        spec.auth()
    )];
    if spec.auth() && !spec.has_external_secrets() {
        options.extend(WITH_LOGIN.map(str::to_owned));
    }
    options
}

/// Lets JMX be reached from other pods.
pub(super) fn environment(facts: &Facts<'_>) -> Option<Value> {
    own(facts.kc)
        .filter(|reaper| uses_jmx(reaper))
        .map(|_| json!({"name": "LOCAL_JMX", "value": "no"}))
}

/// Secret of its user in Cassandra; none where nobody has to prove who he is, or where something else provides Secrets.
pub(super) fn user_secret(facts: &Facts<'_>) -> Option<String> {
    secret_name(facts.kc)
}

/// The same for the cluster.
pub(crate) fn secret_name(kc: &K8ssandraCluster) -> Option<String> {
    if !kc.spec.auth() || kc.spec.has_external_secrets() {
        return None;
    }
    let reaper = own(kc)?;
    let given = reaper.cassandra_user_secret_ref.as_ref();
    let given = given.map(|it| it.name.clone()).filter(|name| !name.is_empty());
    Some(given.unwrap_or_else(|| naming::reaper_secret(cluster_name(kc))))
}
