//! What a user would look at: the cluster, its conditions, its datacenters.

use std::time::Duration;

use anyhow::Context;
use api::cass_operator::CassandraDatacenter;
use api::client_config::ClientConfig;
use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::condition;
use kube::Api;

use super::{DATABASES, NAMESPACE, World};
use crate::eventually;

/// How far one datacenter is, in the order in which a datacenter comes into a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// It is not made yet.
    Waiting,
    /// It exists, and no node has started.
    Created,
    /// That many nodes have started.
    Starting(usize),
    /// All nodes run.
    Ready,
    /// It is in the ring with its data, as the cluster's status says.
    Joined,
}

/// How far a datacenter is.
#[must_use]
pub fn progress(cluster: &K8ssandraCluster, name: &str, seen: Option<&CassandraDatacenter>) -> Step {
    let Some(datacenter) = seen else {
        return Step::Waiting;
    };
    let nodes = datacenter
        .status
        .as_ref()
        .and_then(|status| status.node_statuses.as_ref());
    let started = nodes.map_or(0, |nodes| {
        nodes.values().filter(|node| node.host_id.is_some()).count()
    });
    let reports = cluster.status.as_ref().map(|status| &status.reports);
    let topology = reports.and_then(|reports| reports.topology.as_ref());
    let joined = topology
        .and_then(|report| report.datacenters.get(name))
        .is_some_and(|report| report.joined);
    match (datacenter.is_ready(), joined, started) {
        (true, true, _) => Step::Joined,
        (true, false, _) => Step::Ready,
        (false, _, 0) => Step::Created,
        (false, _, nodes) => Step::Starting(nodes),
    }
}

impl World {
    /// The clusters of the databases' namespace.
    #[must_use]
    pub fn clusters(&self) -> Api<K8ssandraCluster> {
        Api::namespaced(self.planes.control.client(), DATABASES)
    }

    /// The datacenters in the databases' namespace of a plane, whatever the plane's proxy does.
    ///
    /// # Errors
    /// There is no such plane.
    pub fn datacenters(&self, plane: &str) -> anyhow::Result<Api<CassandraDatacenter>> {
        let plane = self
            .planes
            .get(plane)
            .with_context(|| format!("no plane {plane}"))?;
        Ok(Api::namespaced(plane.client(), DATABASES))
    }

    /// Waits until client-registry says that a plane can be used.
    ///
    /// # Errors
    /// It does not within 30 s; the message tells what it says.
    pub async fn usable(&self, plane: &str) -> anyhow::Result<()> {
        let configs = Api::<ClientConfig>::namespaced(self.planes.control.client(), NAMESPACE);
        let what = format!("plane {plane} is usable");
        let looked = eventually(&what, Duration::from_secs(30), || async {
            let config = configs.get(plane).await?;
            let said = config.status.map(|status| status.conditions).unwrap_or_default();
            let usable = said
                .iter()
                .any(|it| it.type_ == condition::USABLE && it.status == "True");
            anyhow::ensure!(usable, "{said:?}");
            Ok(Some(()))
        });
        looked.await
    }

    /// Waits until a cluster is as a closure says.
    ///
    /// # Errors
    /// It is not within the time; the message tells the cluster's conditions.
    pub async fn cluster_is(
        &self,
        name: &str,
        what: &str,
        within: Duration,
        is: impl Fn(&K8ssandraCluster) -> bool,
    ) -> anyhow::Result<K8ssandraCluster> {
        let clusters = self.clusters();
        let what = format!("cluster {name}: {what}");
        let looked = eventually(&what, within, || async {
            let cluster = clusters.get(name).await?;
            anyhow::ensure!(is(&cluster), "{}", conditions(&cluster));
            Ok(Some(cluster))
        });
        looked.await
    }

    /// Waits until a cluster says Ready for its generation.
    ///
    /// # Errors
    /// As [`World::cluster_is`].
    pub async fn ready(&self, name: &str, within: Duration) -> anyhow::Result<K8ssandraCluster> {
        self.cluster_is(name, "Ready", within, is_ready).await
    }

    /// Waits until a cluster has a condition with that status and reason; returns its message.
    ///
    /// # Errors
    /// As [`World::cluster_is`].
    pub async fn says(
        &self,
        name: &str,
        type_: &str,
        status: &str,
        reason: &str,
        within: Duration,
    ) -> anyhow::Result<String> {
        let what = format!("{type_}={status} {reason}");
        let cluster = self
            .cluster_is(name, &what, within, |cluster| {
                found(cluster, type_, status, reason).is_some()
            })
            .await?;
        Ok(found(&cluster, type_, status, reason).unwrap_or_default())
    }
}

fn found(cluster: &K8ssandraCluster, type_: &str, status: &str, reason: &str) -> Option<String> {
    let conditions = cluster.status.iter().flat_map(|status| &status.conditions);
    let mut fitting = conditions.filter(|condition| {
        condition.type_ == type_ && condition.status == status && condition.reason.as_deref() == Some(reason)
    });
    fitting
        .next()
        .map(|condition| condition.message.clone().unwrap_or_default())
}

/// Ready, and for the generation that the cluster now has.
#[must_use]
pub fn is_ready(cluster: &K8ssandraCluster) -> bool {
    let status = cluster.status.as_ref();
    let current = status.and_then(|status| status.observed_generation) == cluster.metadata.generation;
    current && status.is_some_and(|status| status.condition("Ready") == Some(true))
}

/// The conditions and holds of a cluster in one line, for messages.
#[must_use]
pub fn conditions(cluster: &K8ssandraCluster) -> String {
    let Some(status) = &cluster.status else {
        return "no status".to_owned();
    };
    let said = status.conditions.iter().map(|it| {
        format!(
            "{}={} {}: {}",
            it.type_,
            it.status,
            it.reason.as_deref().unwrap_or("-"),
            it.message.as_deref().unwrap_or("-")
        )
    });
    said.collect::<Vec<_>>().join("; ")
}
