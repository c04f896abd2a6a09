//! The status as tables: what was seen, and what is said.

use std::time::Duration;

use api::conditions::{Condition, find};
use api::names::{condition, reason};
use api::record::{DatacenterRecord, Leaving, Record, RecordState, Role};
use api::replicated_secret::ReplicationCondition;
use api::reports::{ClusterDatacenterReport, FORMAT, PendingChange, Refusal};
use api::seen::PlaneId;

use super::fixtures::{cluster_report, dead, entry, facts, hold, seen, topology_report};
use super::*;

fn said(facts: &RollupFacts, type_: &str) -> Option<(String, String, String)> {
    let status = rollup(facts).status;
    let found = find(&status.conditions, type_)?;
    Some((
        found.status.clone(),
        found.reason.clone().unwrap(),
        found.message.clone().unwrap(),
    ))
}

fn ready(facts: &RollupFacts) -> (String, String, String) {
    said(facts, condition::READY).unwrap()
}

fn three(status: &str, reason: &str, message: &str) -> (String, String, String) {
    (status.into(), reason.into(), message.into())
}

/// `facts` with what it says now in the status.
fn settled(mut facts: RollupFacts) -> RollupFacts {
    let reports = facts.cluster.status.reports.clone();
    facts.cluster.status = rollup(&facts).status;
    facts.cluster.status.reports = reports;
    facts
}

#[test]
fn a_ring_that_is_done_is_ready() {
    let status = rollup(&facts()).status;
    assert_eq!(
        ready(&facts()),
        three("True", "AsSpecified", "All 2 datacenters are as specified.")
    );
    assert_eq!(status.observed_generation, Some(2));
    assert_eq!(status.datacenters_ready.as_deref(), Some("2/2"));
    assert_eq!(status.error.as_deref(), Some("None"));
    assert_eq!(status.datacenters.keys().collect::<Vec<_>>(), ["dc1", "dc2"]);
    assert_eq!(status.datacenters["dc2"].context_name, "west");
    assert_eq!(status.condition(condition::CASSANDRA_INITIALIZED), Some(true));
    assert_eq!(status.condition(condition::REQUIRES_UPDATE), Some(false));
    assert_eq!(status.condition(condition::ACCEPTED), Some(true));
    assert_eq!(find(&status.conditions, condition::FOUNDING_HELD), None);
    assert_eq!(find(&status.conditions, condition::RING_SPLIT), None);
    assert_eq!(rollup(&facts()).look_again, None);
}

#[test]
fn c113_c114_a_new_generation_is_never_ready_on_the_word_of_the_former() {
    let mut facts = settled(facts());
    facts.cluster.generation = 3;
    assert_eq!(
        ready(&facts),
        three("False", "Progressing", "Generation 3 has not been looked at yet.")
    );
    let status = rollup(&facts).status;
    assert_eq!(
        status.observed_generation,
        Some(2),
        "it never runs ahead, and never goes back"
    );
    assert_eq!(
        find(&status.conditions, condition::ACCEPTED)
            .unwrap()
            .observed_generation,
        Some(2)
    );
    assert_eq!(status.condition(condition::CASSANDRA_INITIALIZED), Some(true));
}

#[test]
fn a_report_of_a_later_format_says_nothing() {
    let mut facts = facts();
    facts.cluster.status.reports.cluster.as_mut().unwrap().format = FORMAT + 1;
    assert_eq!(ready(&facts).1, "Progressing");
}

#[test]
fn ready_needs_both_reports_and_what_is_seen() {
    let mut unfinished = facts();
    unfinished.cluster.status.reports.topology = Some(topology_report(false));
    let message = "Every datacenter of generation 2 is ready; the ring is being completed.";
    assert_eq!(ready(&unfinished), three("False", "Progressing", message));
    let mut starting = facts();
    starting.datacenters[1] = seen("dc2", "west", false);
    let message = "Datacenter dc2 in plane west is not ready: Updating. 0 of 3 nodes have started.";
    assert_eq!(ready(&starting), three("False", "DatacenterNotReady", message));
    assert_eq!(rollup(&starting).status.datacenters_ready.as_deref(), Some("1/2"));
    let mut missing = facts();
    missing.datacenters.pop();
    assert_eq!(
        ready(&missing).2,
        "Datacenter dc2 is not there in plane west yet."
    );
}

#[test]
fn a_program_that_does_not_answer_is_named_after_a_minute() {
    let mut facts = facts();
    facts.cluster.status.reports.topology = None;
    facts.waited = Duration::from_secs(59);
    assert_eq!(ready(&facts).1, "Progressing");
    assert_eq!(rollup(&facts).look_again, Some(Duration::from_secs(1)));
    facts.waited = Duration::from_mins(1);
    assert_eq!(
        (ready(&facts).0.as_str(), ready(&facts).1.as_str()),
        ("Unknown", "TopologyReconcilerSilent")
    );
    assert!(
        rollup(&facts)
            .status
            .error
            .unwrap()
            .starts_with("topology-reconciler has not answered")
    );
    let mut restarted = settled(facts);
    restarted.waited = Duration::ZERO;
    assert_eq!(
        ready(&restarted).1,
        "TopologyReconcilerSilent",
        "a restart of this program changes no word"
    );
    restarted.cluster.status.reports.cluster = None;
    restarted.waited = Duration::from_secs(61);
    assert_eq!(ready(&restarted).1, "ClusterReconcilerSilent");
}

#[test]
fn a_spec_that_is_refused_says_which_field_and_waits_for_nobody_else() {
    let mut facts = facts();
    let mut report = cluster_report(false);
    report.refusal = Some(Refusal {
        reason: reason::CASSANDRA_MISSING.into(),
        field: "spec.cassandra".into(),
        message: "give it".into(),
    });
    facts.cluster.status.reports.cluster = Some(report);
    facts.cluster.status.reports.topology = None;
    facts.waited = Duration::from_secs(100);
    let expected = three("False", "CassandraMissing", "spec.cassandra: give it");
    assert_eq!(ready(&facts), expected);
    assert_eq!(said(&facts, condition::ACCEPTED), Some(expected));
    assert_eq!(rollup(&facts).status.error.as_deref(), Some("give it"));
}

#[test]
fn founding_that_is_held_names_the_plane_and_is_taken_back_afterwards() {
    let mut facts = facts();
    facts.datacenters.clear();
    let mut report = cluster_report(false);
    let mut first = hold(reason::PLANE_UNREACHABLE, "it is not known whether dc2 exists");
    first.founding = true;
    first.context = Some("west".into());
    report.holds = vec![hold(reason::SECRETS_PENDING, "copies are on their way"), first];
    facts.cluster.status.reports.cluster = Some(report);
    let message = "In plane west: it is not known whether dc2 exists";
    assert_eq!(
        said(&facts, condition::FOUNDING_HELD),
        Some(three("True", "PlaneUnreachable", message))
    );
    assert_eq!(
        ready(&facts),
        three("False", "PlaneUnreachable", "it is not known whether dc2 exists")
    );
    let mut facts = settled(facts);
    facts.cluster.status.reports.cluster = None;
    assert_eq!(
        said(&facts, condition::FOUNDING_HELD).unwrap().0,
        "True",
        "silence takes nothing back"
    );
    facts.cluster.status.reports.cluster = Some(cluster_report(false));
    assert_eq!(said(&facts, condition::FOUNDING_HELD).unwrap().1, "NotHeld");
}

#[test]
fn two_sides_that_do_not_know_each_other_are_a_split_ring() {
    let mut facts = facts();
    let mut report = topology_report(false);
    report.holds = vec![hold(reason::HOST_IDS_DIFFER, "two rings")];
    facts.cluster.status.reports.topology = Some(report);
    assert_eq!(
        said(&facts, condition::RING_SPLIT),
        Some(three("True", "HostIdsDiffer", "two rings"))
    );
    assert_eq!(rollup(&facts).status.error.as_deref(), Some("two rings"));
    let mut facts = settled(facts);
    facts.cluster.status.reports.topology = Some(topology_report(true));
    assert_eq!(said(&facts, condition::RING_SPLIT).unwrap().0, "False");
}

#[test]
fn waiting_is_no_error() {
    let mut facts = facts();
    let mut report = cluster_report(false);
    report.holds = vec![hold(reason::SEEDS_PENDING, "seeds are on their way")];
    facts.cluster.status.reports.cluster = Some(report);
    assert_eq!(
        ready(&facts),
        three("False", "SeedsPending", "seeds are on their way")
    );
    assert_eq!(rollup(&facts).status.error.as_deref(), Some("None"));
}

#[test]
fn what_copies_of_secrets_wait_for_is_said() {
    let mut facts = facts();
    let mut report = cluster_report(false);
    let mut waits = hold(reason::SECRETS_PENDING, "dc2 waits for the superuser's Secret");
    waits.context = Some("west".into());
    report.holds = vec![waits];
    facts.cluster.status.reports.cluster = Some(report);
    facts.replicated = vec![ReplicationCondition {
        cluster: "west".into(),
        status: "False".into(),
        message: Some("Secret db/x is not ours.".into()),
        ..ReplicationCondition::default()
    }];
    assert_eq!(
        ready(&facts).2,
        "dc2 waits for the superuser's Secret. Secret db/x is not ours."
    );
}

#[test]
fn a_plane_that_is_away_keeps_its_entries_and_makes_ready_unknown() {
    let mut facts = settled(facts());
    facts.planes.insert("west".into(), Err(dead("west")));
    facts.datacenters.pop();
    let message = "Datacenter dc2 was ready when it was last seen: plane west does not answer.";
    assert_eq!(ready(&facts), three("Unknown", "PlaneUnreachable", message));
    let status = rollup(&facts).status;
    assert_eq!(status.datacenters["dc2"], facts.cluster.status.datacenters["dc2"]);
    assert_eq!(status.datacenters_ready.as_deref(), Some("1/2"));
    assert_eq!(status.observed_generation, Some(2));
    facts.planes.remove("west");
    assert!(
        rollup(&facts).status.datacenters.contains_key("dc2"),
        "a context that nobody looked at is not known"
    );
}

#[test]
fn an_old_entry_is_said_to_be_old_beside_another_reason() {
    let mut facts = settled(facts());
    facts.planes.insert("west".into(), Err(dead("west")));
    facts.datacenters = vec![seen("dc1", "east", false)];
    let message = "Datacenter dc1 in plane east is not ready: Updating. 0 of 3 nodes have started. What is said of dc2 is from before: plane west does not answer.";
    assert_eq!(ready(&facts).2, message);
}

#[test]
fn a_datacenter_that_is_gone_has_no_entry() {
    let mut facts = facts();
    facts
        .cluster
        .status
        .datacenters
        .insert("dc9".into(), entry("east"));
    assert!(!rollup(&facts).status.datacenters.contains_key("dc9"));
}

#[test]
fn a_datacenter_of_another_cluster_has_no_entry() {
    let mut facts = facts();
    facts.datacenters[0].object.cluster_uid = Some("kc-0".into());
    assert_eq!(
        rollup(&facts).status.datacenters.keys().collect::<Vec<_>>(),
        ["dc2"]
    );
    facts.datacenters[0].object.cluster_uid = None;
    assert_eq!(
        rollup(&facts).status.datacenters.len(),
        1,
        "labels alone are no mark"
    );
    facts.datacenters[0].object.by_upstream = true;
    assert_eq!(
        rollup(&facts).status.datacenters.len(),
        2,
        "upstream's labels are"
    );
}

#[test]
fn c140_a_removal_is_shown_as_decommissioning_only_once_it_is_allowed() {
    let mut facts = facts();
    facts.cluster.spec.pop();
    let progress = |facts: &RollupFacts| {
        rollup(facts).status.datacenters["dc2"]
            .decommission_progress
            .clone()
    };
    assert_eq!(progress(&facts), "UpdatingReplication");
    let mut record = Record::new("kc-1");
    let mut leaving = DatacenterRecord {
        role: Role::Rebuild,
        plane_id: PlaneId("id-west".into()),
        namespace: "db".into(),
        uid: Some("uid-dc2".into()),
        joined: true,
        leaving: Some(Leaving {
            uid: "uid-other".into(),
            generation: 2,
        }),
        found: None,
    };
    record.datacenters.insert("dc2".into(), leaving.clone());
    facts.cluster.record = RecordState::Known(record.clone());
    assert_eq!(
        progress(&facts),
        "UpdatingReplication",
        "the consent is for another object"
    );
    leaving.leaving = Some(Leaving {
        uid: "uid-dc2".into(),
        generation: 2,
    });
    record.datacenters.insert("dc2".into(), leaving);
    facts.cluster.record = RecordState::Known(record);
    assert_eq!(progress(&facts), "Decommissioning");
    facts.cluster.spec.push(super::fixtures::spec("dc2", "west"));
    assert_eq!(progress(&facts), "", "it came back before the deletion began");
    facts.datacenters[1].object.deleting = true;
    assert_eq!(
        progress(&facts),
        "Decommissioning",
        "a deletion that began goes on"
    );
    facts.cluster.deleting = true;
    assert_eq!(progress(&facts), "");
}

#[test]
fn of_two_objects_of_one_name_the_one_in_its_place_counts() {
    let mut facts = facts();
    facts.datacenters.insert(0, seen("dc2", "east", false));
    assert_eq!(rollup(&facts).status.datacenters["dc2"].context_name, "west");
}

#[test]
fn c104_a_change_that_is_held_is_shown() {
    let mut facts = facts();
    let pending = ClusterDatacenterReport {
        uid: "uid-dc1".into(),
        plane_id: PlaneId("id-east".into()),
        leaving: false,
        pending_change: Some(PendingChange {
            held: true,
            ..PendingChange::default()
        }),
        drift: Vec::new(),
        drifted_from: std::collections::BTreeMap::new(),
        not_kept: Vec::new(),
    };
    let report = facts.cluster.status.reports.cluster.as_mut().unwrap();
    report.datacenters.insert("dc1".into(), pending);
    let (status, reason, message) = said(&facts, condition::REQUIRES_UPDATE).unwrap();
    assert_eq!((status.as_str(), reason.as_str()), ("True", "ChangePending"));
    assert!(
        message.starts_with("dc1 would be written differently"),
        "{message}"
    );
}

#[test]
fn add_ons_that_nobody_acts_on_are_named_and_forgotten_with_their_fields() {
    let mut facts = facts();
    facts.cluster.unmanaged = vec!["spec.reaper".into()];
    assert_eq!(said(&facts, condition::ADDONS_MANAGED).unwrap().0, "False");
    let mut facts = settled(facts);
    facts.cluster.unmanaged.clear();
    assert_eq!(said(&facts, condition::ADDONS_MANAGED), None);
    let new = rollup(&facts).status;
    assert_eq!(difference(&facts.cluster.status, &new), Difference::Step);
}

#[test]
fn a_cluster_that_goes_says_what_it_waits_for() {
    let mut facts = facts();
    facts.cluster.deleting = true;
    assert_eq!(
        ready(&facts),
        three("False", "Deleting", "The cluster is being deleted.")
    );
    let mut report = cluster_report(false);
    report.holds = vec![hold(reason::CONFIRMATION_REQUIRED, "say so")];
    facts.cluster.status.reports.cluster = Some(report);
    assert_eq!(ready(&facts).2, "say so");
    assert_eq!(rollup(&facts).status.observed_generation, None);
}

#[test]
fn what_was_written_is_not_written_again() {
    let facts = settled(facts());
    assert_eq!(
        difference(&facts.cluster.status, &rollup(&facts).status),
        Difference::None
    );
}

#[test]
fn times_that_change_while_nothing_happens_are_no_difference() {
    let facts = settled(facts());
    let mut later = facts.clone();
    let status = later.datacenters[0].object.status.as_mut().unwrap();
    status.quiet_period = serde_json::from_str("\"2024-01-01T00:00:00Z\"").unwrap();
    status.last_server_node_started = status.quiet_period.clone();
    assert_eq!(
        later.datacenters[0], facts.datacenters[0],
        "they do not even wake a pass"
    );
    assert_eq!(
        difference(&facts.cluster.status, &rollup(&later).status),
        Difference::None
    );
    status_mut(&mut later).super_user_upserted = serde_json::from_str("\"2024-01-01T00:00:00Z\"").unwrap();
    assert_ne!(later.datacenters[0], facts.datacenters[0]);
    assert_eq!(
        difference(&facts.cluster.status, &rollup(&later).status),
        Difference::Detail
    );
}

fn status_mut(facts: &mut RollupFacts) -> &mut api::cass_operator::CassandraDatacenterStatus {
    facts.datacenters[0].object.status.as_mut().unwrap()
}

#[test]
fn a_difference_is_as_large_as_what_it_says() {
    let facts = settled(facts());
    let mut starting = facts.clone();
    starting.datacenters[0] = seen("dc1", "east", false);
    assert_eq!(
        difference(&facts.cluster.status, &rollup(&starting).status),
        Difference::Ready
    );
    let mut gone = settled(starting);
    gone.datacenters.remove(0);
    assert_eq!(
        difference(&gone.cluster.status, &rollup(&gone).status),
        Difference::Step
    );
    let mut upstream = facts.clone();
    upstream.cluster.status.conditions = vec![Condition {
        type_: "Ready".into(),
        status: "True".into(),
        ..Condition::default()
    }];
    assert_eq!(
        difference(&upstream.cluster.status, &rollup(&facts).status),
        Difference::Step
    );
}

#[test]
fn what_add_ons_and_other_programs_write_is_no_difference() {
    let mut facts = settled(facts());
    facts.cluster.status.datacenters.get_mut("dc1").unwrap().reaper =
        Some(api::k8ssandra_cluster::ReaperStatus::default());
    assert_eq!(
        difference(&facts.cluster.status, &rollup(&facts).status),
        Difference::None
    );
}
