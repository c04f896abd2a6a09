//! What is told: `status.reports.topology`, and an event for each act.
//!
//! A report that is only a step on the way waits some seconds, for the next step may be quicker than any reader.
//! Until then it is kept in memory, so that what it says need not be found out again; after a restart it is.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::manager::TOPOLOGY_RECONCILER as MANAGER;
use api::reports::TopologyReport;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Api, ResourceExt};
use plan::topology::{Act, Cluster, can_wait};
use runtime::write::{self, Apply};
use runtime::{EventType, Key};
use serde_json::json;
use tokio::time::Instant;

use crate::Context;
use crate::error::ActError;

/// How long a report on the way may wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reports that are not written yet.
#[derive(Default)]
pub(crate) struct Progress {
    pending: Mutex<BTreeMap<Key, Pending>>,
}

struct Pending {
    uid: String,
    report: TopologyReport,
    since: Instant,
}

impl Progress {
    /// The report of this very cluster that is not written yet.
    pub fn pending(&self, cluster: &Cluster) -> Option<TopologyReport> {
        let pending = self.lock();
        let mine = pending
            .get(&key(cluster))
            .filter(|pending| pending.uid == cluster.uid);
        mine.map(|pending| pending.report.clone())
    }

    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    /// Keeps the report in mind. Returns how long it may still wait.
    fn keep(&self, cluster: &Cluster, report: &TopologyReport) -> Duration {
        let now = Instant::now();
        let mut pending = self.lock();
        let entry = pending.entry(key(cluster)).or_insert_with(|| Pending {
            uid: cluster.uid.clone(),
            report: report.clone(),
            since: now,
        });
        if entry.uid != cluster.uid {
            entry.uid.clone_from(&cluster.uid);
            entry.since = now;
        }
        entry.report.clone_from(report);
        PATIENCE.saturating_sub(now.duration_since(entry.since))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Pending>> {
        // Nothing in here can be half done.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a cluster.
pub(crate) fn key(cluster: &Cluster) -> Key {
    Key::new(&cluster.namespace, &cluster.name)
}

/// The cluster as events name it.
fn reference(cluster: &Cluster) -> ObjectReference {
    ObjectReference {
        api_version: Some("k8ssandra.io/v1alpha1".to_owned()),
        kind: Some("K8ssandraCluster".to_owned()),
        name: Some(cluster.name.clone()),
        namespace: Some(cluster.namespace.clone()),
        uid: Some(cluster.uid.clone()),
        ..ObjectReference::default()
    }
}

/// One event per act.
pub(crate) fn done(context: &Context, cluster: &Cluster, act: &Act) {
    let sentence = act.sentence();
    tracing::info!(cluster = %key(cluster), act = act.reason(), "{sentence}");
    context.process.events.publish(
        &reference(cluster),
        EventType::Normal,
        act.reason(),
        "Reconcile",
        &sentence,
    );
}

/// Writes the report where it says something new that cannot wait. Returns how long it waits otherwise.
pub(crate) async fn publish(
    context: &Context,
    cluster: &Cluster,
    report: &TopologyReport,
) -> Result<Option<Duration>, ActError> {
    if cluster.report.as_ref() == Some(report) {
        context.progress.forget(&key(cluster));
        return Ok(None);
    }
    let left = context.progress.keep(cluster, report);
    if can_wait(cluster.report.as_ref(), report) && !left.is_zero() {
        return Ok(Some(left));
    }
    write(context, cluster, report).await?;
    context.progress.forget(&key(cluster));
    for hold in &report.holds {
        let known = cluster
            .report
            .iter()
            .flat_map(|before| &before.holds)
            .any(|before| before.reason == hold.reason);
        if !known {
            let about = reference(cluster);
            context.process.events.publish(
                &about,
                EventType::Warning,
                &hold.reason,
                "Reconcile",
                &hold.message,
            );
        }
    }
    Ok(None)
}

/// Beside another report it is put by identity alone. The first of all is applied, onto a version that is read just
/// before: others write this status too, and what the report is about is its generation.
async fn write(context: &Context, cluster: &Cluster, report: &TopologyReport) -> Result<(), ActError> {
    let api = Api::<K8ssandraCluster>::namespaced(context.process.client.clone(), &cluster.namespace);
    let stored: K8ssandraCluster = if cluster.has_reports {
        write::put_status(
            &api,
            &cluster.name,
            &cluster.uid,
            &[("/reports/topology", Some(json!(report)))],
            MANAGER,
        )
        .await?
    } else {
        let now = match api.get_metadata_opt(&cluster.name).await {
            Ok(Some(now)) => now.metadata,
            Ok(None) => return Ok(()),
            Err(_) => return Err(ActError::Changed),
        };
        if now.uid.as_deref() != Some(&cluster.uid) || now.generation != Some(cluster.generation) {
            return Err(ActError::Changed);
        }
        let body = json!({
            "apiVersion": "k8ssandra.io/v1alpha1",
            "kind": "K8ssandraCluster",
            "status": { "reports": { "topology": report } },
        });
        let how = Apply {
            manager: MANAGER,
            force: true,
            resource_version: now.resource_version.as_deref(),
        };
        write::apply_status(&api, &cluster.name, &body, how).await?
    };
    let version = stored.resource_version().unwrap_or_default();
    context
        .local
        .clusters
        .absorb(key(cluster), &version, Cluster::of(&stored));
    Ok(())
}
