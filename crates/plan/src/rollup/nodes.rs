//! What is known of single nodes: those that have not started, and those that serve nobody any more.

use api::conditions::Condition;
use api::names::{condition, reason};

use super::datacenters::owned;
use super::facts::{ClusterView, DatacenterView, RollupFacts};
use super::word::Words;
use crate::cluster::acts::plane as plane_named;

/// What keeps a datacenter from being as asked, as far as its nodes show it, and the way out; empty where they do not.
#[must_use]
pub fn standing(cluster: &ClusterView, datacenter: &DatacenterView) -> String {
    if datacenter.settled || datacenter.size == 0 || datacenter.deleting {
        return String::new();
    }
    let status = datacenter.status.as_ref();
    let nodes = status.and_then(|status| status.node_statuses.as_ref());
    let started = nodes.map_or(0, |nodes| {
        nodes.values().filter(|node| node.host_id.is_some()).count()
    });
    let failed = status
        .and_then(|status| status.failed_starts.clone())
        .unwrap_or_default();
    let unhealthy = status.is_some_and(|status| status.condition("Healthy") == Some(false));
    let mut said = Vec::new();
    if started < datacenter.size {
        said.push(format!("{started} of {} nodes have started.", datacenter.size));
    }
    if started == 0 && cluster.stands_behind_others(datacenter) && !cluster.additional_seeds.is_empty() {
        said.push(format!(
            "Nodes find the ring by `spec.cassandra.additionalSeeds` ({}) and do not start before one of these answers: see \
             that they are addresses of nodes of that ring, and correct them where they are not.",
            cluster.additional_seeds.join(", ")
        ));
    }
    if !failed.is_empty() {
        said.push(format!("Did not start: {}; see their logs.", failed.join(", ")));
    }
    if unhealthy {
        said.push(
            "Too few of its nodes answer for a quorum: see which of its pods are not ready, and their logs."
                .to_owned(),
        );
    }
    said.join(" ")
}

/// Nodes that do not serve in datacenters that cass-operator calls Ready: there only while there are such.
#[must_use]
pub fn down(facts: &RollupFacts, words: &Words<'_>) -> Option<Condition> {
    let told = told(facts, words)?;
    Some(Condition::new(
        condition::NODES_DOWN,
        Some(true),
        reason::NODES_NOT_SERVING,
        told,
    ))
}

/// The sentence for that.
#[must_use]
pub fn told(facts: &RollupFacts, words: &Words<'_>) -> Option<String> {
    let owned = owned(facts);
    let mut places = Vec::new();
    for (name, report) in &words.topology?.datacenters {
        let seen = owned
            .get(name.as_str())
            .filter(|seen| seen.object.uid == report.uid);
        if let Some(seen) = seen.filter(|_| !report.not_serving.is_empty()) {
            let plane = plane_named(&seen.context);
            places.push(format!(
                "{} (datacenter {name} in {plane})",
                report.not_serving.join(", ")
            ));
        }
    }
    (!places.is_empty()).then(|| {
        format!(
            "Pods that are not ready: {}. See their events and the logs of their Cassandra. A node that ended comes back by \
             itself; one that closed its doors, as when its disk was full, does so when its pod is deleted after the \
             cause is gone.",
            places.join("; ")
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use api::cass_operator::{CassandraDatacenterStatus, NodeStatus};
    use api::conditions::find;
    use api::k8ssandra_cluster::K8ssandraClusterStatus;
    use api::record::{DatacenterRecord, Record, RecordState, Role};
    use api::reports::{Hold, TopologyDatacenterReport};
    use api::seen::PlaneId;

    use super::super::fixtures::{facts, hold, seen, topology_report};
    use super::super::rollup;
    use super::*;

    fn status(facts: &RollupFacts) -> K8ssandraClusterStatus {
        rollup(facts).status
    }

    fn message(facts: &RollupFacts, type_: &str) -> Option<String> {
        find(&status(facts).conditions, type_)?.message.clone()
    }

    /// Both datacenters are Ready, and dc1 has a pod that is not.
    fn one_down() -> RollupFacts {
        let mut facts = facts();
        let report = facts.cluster.status.reports.topology.as_mut().unwrap();
        let entry = |name: &str, down: &[&str]| TopologyDatacenterReport {
            uid: format!("uid-{name}"),
            plane_id: PlaneId("p".into()),
            joined: true,
            may_be_deleted: None,
            not_serving: down.iter().map(|pod| (*pod).to_owned()).collect(),
        };
        report.datacenters = [("dc1", entry("dc1", &["dc1-r1-0"])), ("dc2", entry("dc2", &[]))]
            .map(|(name, entry)| (name.to_owned(), entry))
            .into();
        facts
    }

    #[test]
    fn a_pod_that_is_not_ready_is_named_while_its_datacenter_is_ready() {
        let facts = one_down();
        let said = message(&facts, condition::NODES_DOWN).unwrap();
        assert!(
            said.starts_with("Pods that are not ready: dc1-r1-0 (datacenter dc1 in plane east). See"),
            "{said}"
        );
        assert_eq!(status(&facts).error, Some(said));
        assert_eq!(status(&facts).condition(condition::READY), Some(true));
    }

    #[test]
    fn it_is_said_as_long_as_it_is_so_and_nothing_is_left_of_it() {
        let mut facts = one_down();
        facts.cluster.status.conditions = status(&facts).conditions;
        let before = message(&facts, condition::NODES_DOWN);
        let report = facts.cluster.status.reports.topology.take();
        assert_eq!(
            message(&facts, condition::NODES_DOWN),
            before,
            "nobody has said otherwise"
        );
        facts.cluster.status.reports.topology = report.map(|_| topology_report(true));
        assert_eq!(message(&facts, condition::NODES_DOWN), None);
        assert_eq!(status(&facts).error.as_deref(), Some("None"));
    }

    #[test]
    fn another_datacenter_of_that_name_is_not_meant() {
        let mut facts = one_down();
        facts.datacenters[0].object.uid = "uid-new".into();
        assert_eq!(message(&facts, condition::NODES_DOWN), None);
    }

    /// dc2 is not Ready, and cluster-reconciler says so.
    fn starting(change: impl FnOnce(&mut CassandraDatacenterStatus)) -> RollupFacts {
        let mut facts = facts();
        facts.datacenters[1] = seen("dc2", "west", false);
        change(facts.datacenters[1].object.status.as_mut().unwrap());
        let report = facts.cluster.status.reports.cluster.as_mut().unwrap();
        report.complete = false;
        report.holds = vec![Hold {
            datacenter: Some("dc2".into()),
            ..hold(reason::DATACENTER_NOT_READY, "datacenter dc2 is not Ready yet")
        }];
        facts
    }

    fn node() -> NodeStatus {
        NodeStatus {
            host_id: Some("h".into()),
            ..NodeStatus::default()
        }
    }

    fn ready(facts: &RollupFacts) -> String {
        message(facts, condition::READY).unwrap()
    }

    #[test]
    fn who_waits_for_nodes_is_told_how_many_have_started_and_which_did_not() {
        let facts = starting(|status| {
            status.node_statuses = Some(BTreeMap::from([("p0".to_owned(), node())]));
            status.failed_starts = Some(vec!["p1".into()]);
        });
        assert_eq!(
            ready(&facts),
            "datacenter dc2 is not Ready yet. 1 of 3 nodes have started. Did not start: p1; see their logs."
        );
    }

    #[test]
    fn a_datacenter_that_cass_operator_calls_ready_and_unhealthy_lacks_a_quorum() {
        let mut facts = facts();
        let object = &mut facts.datacenters[0].object;
        object.settled = false;
        object.size = 1;
        let unhealthy = Condition::new("Healthy", Some(false), "", "");
        let status = object.status.as_mut().unwrap();
        status.conditions = Some(vec![unhealthy]);
        status.node_statuses = Some(BTreeMap::from([("p0".to_owned(), node())]));
        assert_eq!(
            ready(&facts),
            "Datacenter dc1 in plane east is not as it should be. Too few of its nodes answer for a quorum: see which of its \
             pods are not ready, and their logs."
        );
    }

    #[test]
    fn nodes_that_wait_for_seeds_of_the_user_name_them() {
        let mut facts = starting(|_| {});
        facts.cluster.additional_seeds = vec!["198.18.250.250".into()];
        let without = ready(&facts);
        assert!(!without.contains("additionalSeeds"), "{without}");
        let mut record = Record::new("kc-1");
        let entry = DatacenterRecord {
            role: Role::External,
            plane_id: PlaneId("p".into()),
            namespace: "db".into(),
            uid: Some("uid-dc2".into()),
            joined: false,
            leaving: None,
            found: None,
        };
        record.datacenters.insert("dc2".into(), entry);
        facts.cluster.record = RecordState::Known(record);
        assert!(
            ready(&facts)
                .contains("`spec.cassandra.additionalSeeds` (198.18.250.250) and do not start before"),
            "{}",
            ready(&facts)
        );
    }
}
