//! The write of a status.

use std::collections::BTreeSet;

use api::conditions;
use api::k8ssandra_cluster::{K8ssandraCluster, K8ssandraClusterStatus};
use api::names::manager;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Api;
use kube::api::{Patch, PatchParams};
use plan::rollup::ClusterView;
use runtime::write::{Apply, apply_status, put_status};
use runtime::{Failure, Key, Retry, WriteError};
use serde_json::{Value, json};

use crate::Context;

/// Why a status was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("K8ssandraCluster {cluster}: entries of datacenters that are gone stay in the status: {why}")]
    Leftovers { cluster: Key, why: String },
}

impl Failure for ReportError {
    fn retry(&self) -> Retry {
        match self {
            ReportError::Write(error) => error.retry(),
            ReportError::Leftovers { .. } => Retry::Conflict,
        }
    }

    fn class(&self) -> &'static str {
        match self {
            ReportError::Write(error) => error.class(),
            ReportError::Leftovers { .. } => "leftovers",
        }
    }
}

/// Writes all of the status except `reports` and returns what was stored; none where the cluster is gone or another one.
pub(crate) async fn write(
    context: &Context,
    key: &Key,
    cluster: &ClusterView,
    new: K8ssandraClusterStatus,
) -> Result<Option<ClusterView>, ReportError> {
    let api = Api::<K8ssandraCluster>::namespaced(context.process.client.clone(), &key.namespace);
    let status = stamped(&cluster.status, new, &Time(context.process.outside.clock.now()));
    let reports = &cluster.status.reports;
    let stored = if reports.cluster.is_some() || reports.topology.is_some() {
        // Reports are written at the same times. Beside them identity is enough, and no write is in another's way.
        let parts = parts(&cluster.status, &status);
        put_status(&api, &key.name, &cluster.uid, &parts, manager::STATUS_ROLLUP).await
    } else {
        first(&api, key, cluster, &status).await
    };
    let stored = match stored {
        Ok(stored) => stored,
        Err(WriteError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let stored = match leftovers(&stored, &status) {
        names if names.is_empty() => stored,
        names => drop_entries(&api, key, &stored, &names).await?,
    };
    let view = ClusterView::of(stored);
    let version = view.resource_version.clone();
    context.local.clusters.absorb(key.clone(), &version, view.clone());
    Ok(Some(view))
}

/// Where there may be no status yet: onto the version that was seen.
async fn first(
    api: &Api<K8ssandraCluster>,
    key: &Key,
    cluster: &ClusterView,
    status: &K8ssandraClusterStatus,
) -> Result<K8ssandraCluster, WriteError> {
    let body = json!({"apiVersion": "k8ssandra.io/v1alpha1", "kind": "K8ssandraCluster", "status": status});
    let how = Apply {
        manager: manager::STATUS_ROLLUP,
        force: true,
        resource_version: Some(&cluster.resource_version),
    };
    apply_status(api, &key.name, &body, how).await
}

/// The fields that are this program's, as far as they say something or did.
fn parts(
    stored: &K8ssandraClusterStatus,
    new: &K8ssandraClusterStatus,
) -> Vec<(&'static str, Option<Value>)> {
    let some = |value: Value| match &value {
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(fields) if fields.is_empty() => None,
        _ => Some(value),
    };
    let fields = |status: &K8ssandraClusterStatus| {
        [
            ("/conditions", some(json!(status.conditions))),
            ("/datacenters", some(json!(status.datacenters))),
            ("/datacentersReady", some(json!(status.datacenters_ready))),
            ("/error", some(json!(status.error))),
            ("/observedGeneration", some(json!(status.observed_generation))),
        ]
    };
    let both = fields(stored).into_iter().zip(fields(new));
    both.filter(|((_, before), (_, now))| before != now)
        .map(|(_, part)| part)
        .collect()
}

/// `new` with the time of each condition: that of the stored one, unless its status moved.
fn stamped(
    stored: &K8ssandraClusterStatus,
    new: K8ssandraClusterStatus,
    now: &Time,
) -> K8ssandraClusterStatus {
    let mut all = stored.conditions.clone();
    let types: BTreeSet<String> = new.conditions.iter().map(|it| it.type_.clone()).collect();
    for condition in new.conditions {
        conditions::set(&mut all, condition, now);
    }
    // What others say stays theirs.
    all.retain(|it| types.contains(&it.type_));
    K8ssandraClusterStatus {
        conditions: all,
        ..new
    }
}

/// Entries that another manager holds, so that our apply cannot take them away: after a take-over, those that upstream
/// wrote.
fn leftovers(stored: &K8ssandraCluster, wanted: &K8ssandraClusterStatus) -> Vec<String> {
    let stored = stored.status.iter().flat_map(|status| status.datacenters.keys());
    stored
        .filter(|name| !wanted.datacenters.contains_key(*name))
        .cloned()
        .collect()
}

async fn drop_entries(
    api: &Api<K8ssandraCluster>,
    key: &Key,
    stored: &K8ssandraCluster,
    names: &[String],
) -> Result<K8ssandraCluster, ReportError> {
    let failed = |why: String| ReportError::Leftovers {
        cluster: key.clone(),
        why,
    };
    let version = stored.metadata.resource_version.as_deref();
    let lock = json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version});
    let remove = |name: &String| {
        let name = name.replace('~', "~0").replace('/', "~1");
        json!({"op": "remove", "path": format!("/status/datacenters/{name}")})
    };
    let operations = std::iter::once(lock)
        .chain(names.iter().map(remove))
        .collect::<Vec<_>>();
    let patch =
        serde_json::from_value(Value::Array(operations)).map_err(|error| failed(error.to_string()))?;
    let params = PatchParams {
        field_manager: Some(manager::STATUS_ROLLUP.to_owned()),
        ..PatchParams::default()
    };
    let answer = api
        .patch_status(&key.name, &params, &Patch::<()>::Json(patch))
        .await;
    answer.map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use api::conditions::Condition;

    use super::*;

    fn at(second: i64) -> Time {
        Time(Timestamp::from_second(second).unwrap())
    }

    fn status(conditions: Vec<Condition>) -> K8ssandraClusterStatus {
        K8ssandraClusterStatus {
            conditions,
            ..K8ssandraClusterStatus::default()
        }
    }

    #[test]
    fn only_what_changed_is_written_and_what_is_said_no_more_is_taken_away() {
        let mut stored = status(vec![Condition::new("Ready", Some(false), "Progressing", "a")]);
        stored.error = Some("None".to_owned());
        stored.observed_generation = Some(1);
        let mut new = stored.clone();
        assert!(parts(&stored, &new).is_empty());
        new.error = None;
        new.observed_generation = Some(2);
        let expected = [("/error", None), ("/observedGeneration", Some(json!(2)))];
        assert_eq!(parts(&stored, &new), expected);
    }

    #[test]
    fn a_time_moves_only_with_its_status() {
        let mut ready = Condition::new("Ready", Some(false), "Progressing", "a");
        ready.last_transition_time = Some(at(1));
        let stored = status(vec![ready]);
        let same = stamped(
            &stored,
            status(vec![Condition::new("Ready", Some(false), "Other", "b")]),
            &at(9),
        );
        assert_eq!(same.conditions[0].last_transition_time, Some(at(1)));
        let moved = stamped(
            &stored,
            status(vec![Condition::new("Ready", Some(true), "Other", "b")]),
            &at(9),
        );
        assert_eq!(moved.conditions[0].last_transition_time, Some(at(9)));
    }

    #[test]
    fn conditions_that_we_do_not_say_are_not_ours_to_write() {
        let stored = status(vec![Condition::new("Foreign", Some(true), "X", "")]);
        let new = stamped(
            &stored,
            status(vec![Condition::new("Ready", Some(true), "Y", "")]),
            &at(9),
        );
        assert_eq!(
            new.conditions
                .iter()
                .map(|it| it.type_.as_str())
                .collect::<Vec<_>>(),
            ["Ready"]
        );
    }

    #[test]
    fn entries_that_upstream_left_are_found() {
        let mut stored = K8ssandraCluster::default();
        let mut held = K8ssandraClusterStatus::default();
        held.datacenters
            .insert("gone".into(), api::k8ssandra_cluster::DatacenterStatus::default());
        stored.status = Some(held);
        assert_eq!(leftovers(&stored, &K8ssandraClusterStatus::default()), ["gone"]);
    }
}
