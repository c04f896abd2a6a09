//! What is told: `status.reports.cluster`, and an event for each act.

use api::k8ssandra_cluster::K8ssandraCluster;
use api::names::manager::CLUSTER_RECONCILER as MANAGER;
use api::reports::{ClusterReport, Refusal};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Api, ResourceExt};
use plan::cluster::acts::Act;
use runtime::EventType;
use runtime::write::{self, Apply};
use serde_json::json;

use crate::Context;
use crate::act::absorb_cluster;
use crate::error::ActError;

/// The cluster as events name it.
pub(crate) fn reference(kc: &K8ssandraCluster) -> ObjectReference {
    ObjectReference {
        api_version: Some("k8ssandra.io/v1alpha1".to_owned()),
        kind: Some("K8ssandraCluster".to_owned()),
        name: Some(kc.name_any()),
        namespace: kc.namespace(),
        uid: kc.uid(),
        ..ObjectReference::default()
    }
}

/// One event per act.
pub(crate) fn done(context: &Context, kc: &K8ssandraCluster, act: &Act) {
    let sentence = act.sentence();
    tracing::info!(cluster = %kc.name_any(), namespace = kc.namespace(), act = act.reason(), "{sentence}");
    context.process.events.publish(
        &reference(kc),
        EventType::Normal,
        act.reason(),
        "Reconcile",
        &sentence,
    );
}

/// Writes the report where it says something new.
pub(crate) async fn publish(
    context: &Context,
    kc: &K8ssandraCluster,
    report: &ClusterReport,
) -> Result<(), ActError> {
    let written = kc
        .status
        .as_ref()
        .and_then(|status| status.reports.cluster.as_ref());
    if written == Some(report) {
        return Ok(());
    }
    for hold in &report.holds {
        let new = written.is_none_or(|before| before.holds.iter().all(|known| known.reason != hold.reason));
        if new && hold.founding {
            context.process.events.publish(
                &reference(kc),
                EventType::Warning,
                &hold.reason,
                "Reconcile",
                &hold.message,
            );
        }
    }
    for warning in new_warnings(written, report) {
        context.process.events.publish(
            &reference(kc),
            EventType::Warning,
            &warning.reason,
            "Reconcile",
            &format!("{}: {}", warning.field, warning.message),
        );
    }
    let api = Api::<K8ssandraCluster>::namespaced(
        context.process.client.clone(),
        &kc.namespace().unwrap_or_default(),
    );
    let (name, uid) = (kc.name_any(), kc.uid().unwrap_or_default());
    let stored = if has_reports(kc) {
        write::put_status(
            &api,
            &name,
            &uid,
            &[("/reports/cluster", Some(json!(report)))],
            MANAGER,
        )
        .await?
    } else {
        let body = json!({
            "apiVersion": "k8ssandra.io/v1alpha1",
            "kind": "K8ssandraCluster",
            "status": { "reports": { "cluster": report } },
        });
        let version = kc.resource_version();
        let how = Apply {
            manager: MANAGER,
            force: true,
            resource_version: version.as_deref(),
        };
        write::apply_status(&api, &name, &body, how).await?
    };
    absorb_cluster(context, stored);
    Ok(())
}

/// Those that the report in the status does not have yet: each is told once.
fn new_warnings<'a>(written: Option<&ClusterReport>, report: &'a ClusterReport) -> Vec<&'a Refusal> {
    let known =
        |reason: &str| written.is_some_and(|it| it.warnings.iter().any(|known| known.reason == reason));
    let new = report.warnings.iter().filter(|warning| !known(&warning.reason));
    new.collect()
}

/// Whether the status has reports, so that one can be put beside the others.
fn has_reports(kc: &K8ssandraCluster) -> bool {
    let reports = kc.status.as_ref().map(|status| &status.reports);
    reports.is_some_and(|reports| reports.cluster.is_some() || reports.topology.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_told_once() {
        let warning = |reason: &str| Refusal {
            reason: reason.to_owned(),
            field: String::new(),
            message: String::new(),
        };
        let report = |reasons: &[&str]| ClusterReport {
            warnings: reasons.iter().map(|reason| warning(reason)).collect(),
            ..ClusterReport::default()
        };
        let (before, now) = (
            report(&["ImageNotPinned"]),
            report(&["ImageNotPinned", "PodPrivileges"]),
        );
        assert_eq!(new_warnings(None, &now).len(), 2);
        assert_eq!(new_warnings(Some(&before), &now), [&warning("PodPrivileges")]);
        assert_eq!(new_warnings(Some(&now), &now), Vec::<&Refusal>::new());
    }
}
