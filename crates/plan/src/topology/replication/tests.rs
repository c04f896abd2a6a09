//! Replication of keyspaces, one rule a test.

use serde_json::{Value, json};

use super::*;
use crate::topology::fixture::*;
use crate::topology::{Keyspaces, Replicas, TopologyInput};

/// dc2 is verified, and the system keyspaces are as wanted.
fn joining(annotation: &str) -> TopologyInput {
    let mut input = nothing();
    bring_up(&mut input, 1);
    converge(&mut input);
    bring_up(&mut input, 2);
    converge(&mut input);
    input.sites[1].rebuild = Seen::NotListed;
    let all: crate::topology::Ring = ["h10", "h11", "h12", "h20", "h21", "h22"]
        .map(str::to_owned)
        .into();
    input.answers.rings = ["dc1", "dc2"]
        .map(|name| (name.to_owned(), Ok(all.clone())))
        .into();
    input.cluster.dc_replication = Some(annotation.to_owned());
    input
}

fn keyspaces(all: &[(&str, Replicas)]) -> Keyspaces {
    all.iter()
        .map(|(name, replicas)| ((*name).to_owned(), replicas.clone()))
        .collect()
}

fn factors(text: &Value) -> Replicas {
    replicas(&serde_json::from_value(text.clone()).unwrap())
}

fn answer(input: &mut TopologyInput, all: &[(&str, Replicas)]) {
    input
        .answers
        .keyspaces
        .insert("dc1".to_owned(), Ok(keyspaces(all)));
    input.answers.agreement.insert("dc1".to_owned(), Ok(agreed()));
}

#[test]
fn small_datacenters_get_as_many_replicas_as_nodes_and_external_ones_three() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    input.cluster.external_datacenters = vec!["far".to_owned()];
    input.sites[0].spec.as_mut().unwrap().size = 1;
    let Seen::Present(dc1) = &mut input.sites[0].seen else {
        panic!()
    };
    dc1.size = 1;
    let written = converge(&mut input);
    assert!(
        written.contains(
            &"Create keyspace system_auth with replicas {dc1: 1, far: 3}, through datacenter dc1".to_owned()
        ),
        "{written:?}"
    );
}

#[test]
fn replicas_are_counted_when_the_nodes_are_there_and_not_before() {
    let mut input = two_datacenters();
    input.cluster.generation = 2;
    let system = input.cluster.report.as_ref().unwrap().system_replication.clone();
    input
        .cluster
        .report
        .as_mut()
        .unwrap()
        .system_replication
        .insert("dc1".to_owned(), 1);
    let Seen::Present(dc1) = &mut input.sites[0].seen else {
        panic!()
    };
    (dc1.size, dc1.ready) = (1, false);
    let answer: Keyspaces = SYSTEM
        .map(|name| {
            (
                name.to_owned(),
                replicas(&[("dc1".to_owned(), 1), ("dc2".to_owned(), 3)].into()),
            )
        })
        .into();
    input.answers.system.insert("dc2".to_owned(), Ok(answer));
    assert_eq!(
        report(&input).system_replication,
        [("dc1".to_owned(), 1), ("dc2".to_owned(), 3)].into()
    );
    bring_up(&mut input, 1);
    input.answers = Answers::default();
    let written = converge(&mut input);
    assert_eq!(written.len(), 3, "{written:?}");
    assert_eq!(report(&input).system_replication, system);
}

#[test]
fn what_is_held_is_not_taken_for_done_in_the_next_pass() {
    let mut input = two_datacenters();
    input.cluster.generation = 2;
    let fewer = [("dc1".to_owned(), 1), ("dc2".to_owned(), 3)].into();
    let answer: Keyspaces = SYSTEM.map(|name| (name.to_owned(), replicas(&fewer))).into();
    input.answers.system.insert("dc1".to_owned(), Ok(answer));
    let disagreement = Schema {
        versions: vec![vec!["198.18.1.11".to_owned()], vec!["198.18.1.10".to_owned()]],
        unreachable: Vec::new(),
    };
    input.answers.agreement.insert("dc1".to_owned(), Ok(disagreement));
    let held = report(&input);
    assert_eq!(held.holds.len(), 1, "{held:?}");
    assert!(held.replication_pending);
    input.cluster.report = Some(held);
    input.answers = Answers::default();
    let asked = planned(&input).asks;
    assert!(matches!(asked.as_slice(), [Ask::System { .. }]), "{asked:?}");
    assert!(!report(&input).complete);
    let written = converge(&mut input);
    assert_eq!(written.len(), 3, "{written:?}");
    assert!(report(&input).complete);
    assert!(!report(&input).replication_pending);
}

/// dc1 shall have one node instead of three, and this many are left.
fn shrinking(left: usize) -> TopologyInput {
    let mut input = nothing();
    bring_up(&mut input, 1);
    converge(&mut input);
    input.cluster.generation = 2;
    input.sites[0].spec.as_mut().unwrap().size = 1;
    let Seen::Present(dc1) = &mut input.sites[0].seen else {
        panic!()
    };
    // Users cannot be written, so cass-operator never calls it Ready.
    (dc1.size, dc1.ready) = (1, false);
    dc1.nodes = dc1.nodes.clone().into_iter().take(left).collect();
    let answer: Keyspaces = SYSTEM
        .map(|name| (name.to_owned(), replicas(&[("dc1".to_owned(), 3)].into())))
        .into();
    input.answers.system.insert("dc1".to_owned(), Ok(answer));
    input.answers.agreement.insert("dc1".to_owned(), Ok(agreed()));
    input
}

#[test]
fn who_has_shrunk_below_a_quorum_gets_fewer_replicas_before_it_is_ready() {
    assert_eq!(sentences(&shrinking(2)), Vec::<String>::new());
    let written = sentences(&shrinking(1));
    let expected =
        SYSTEM.map(|name| format!("Alter keyspace {name} with replicas {{dc1: 1}}, through datacenter dc1"));
    assert_eq!(written, expected);
}

#[test]
fn cd3_dse_has_three_keyspaces_more() {
    assert_eq!(system_keyspaces("dse").len(), 6);
    assert_eq!(
        system_keyspaces("hcd"),
        ["system_traces", "system_distributed", "system_auth"]
    );
}

#[test]
fn nothing_is_altered_while_the_nodes_disagree_on_the_schema() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    input
        .answers
        .system
        .insert("dc1".to_owned(), Ok(Keyspaces::new()));
    assert_eq!(planned(&input).asks, [Ask::Agreement("dc1".to_owned())]);
    let versions = Schema {
        versions: vec![
            vec!["198.18.1.11".to_owned()],
            vec!["198.18.1.10".to_owned(), "198.18.9.9".to_owned()],
        ],
        unreachable: vec!["198.18.1.12".to_owned()],
    };
    input.answers.agreement.insert("dc1".to_owned(), Ok(versions));
    assert_eq!(holds(&input), ["SchemaDisagreement"]);
    let message = report(&input).holds[0].message.clone();
    let sides = "p1 (198.18.1.11) | p0 (198.18.1.10), 198.18.9.9 | no word from p2 (198.18.1.12). See";
    assert!(message.contains(sides), "{message}");
    assert!(sentences(&input).iter().all(|act| !act.contains("keyspace")));
}

#[test]
fn a_stopped_datacenter_keeps_its_replicas_and_is_not_asked() {
    let mut input = two_datacenters();
    let Seen::Present(dc1) = &mut input.sites[0].seen else {
        panic!()
    };
    (dc1.ready, dc1.stopped, dc1.stopped_wanted) = (false, true, true);
    input.sites[0].spec.as_mut().unwrap().stopped = true;
    input.cluster.generation = 2;
    let Ask::System { via, .. } = &planned(&input).asks[0] else {
        panic!()
    };
    assert_eq!(via, "dc2");
    let system = input.cluster.report.as_ref().unwrap().system_replication.clone();
    let answer: Keyspaces = SYSTEM.map(|name| (name.to_owned(), replicas(&system))).into();
    input.answers.system.insert("dc2".to_owned(), Ok(answer));
    let report = report(&input);
    assert_eq!(report.system_replication, system);
    assert!(report.complete);
}

#[test]
fn c142_replication_shrinks_only_when_the_datacenter_is_proven_to_be_gone() {
    let mut input = two_datacenters();
    input.cluster.generation = 2;
    input.cluster.datacenters.truncate(1);
    input.sites[1].spec = None;
    let both = input.cluster.report.as_ref().unwrap().system_replication.clone();
    let answer: Keyspaces = SYSTEM.map(|name| (name.to_owned(), replicas(&both))).into();
    input.answers.system.insert("dc1".to_owned(), Ok(answer));
    input.answers.agreement.insert("dc1".to_owned(), Ok(agreed()));
    let alters = |input: &TopologyInput| {
        sentences(input)
            .into_iter()
            .filter(|act| act.starts_with("Alter"))
            .count()
    };
    assert_eq!(alters(&input), 0);
    input.sites[1].seen = Seen::Unknown(unknown("west"));
    assert_eq!(alters(&input), 0);
    input.sites[1].seen = Seen::NotListed;
    assert!(planned(&input).asks.contains(&Ask::Datacenter("dc2".to_owned())));
    assert_eq!(alters(&input), 0);
    input.sites[1].seen = Seen::Absent(absent("dc2"));
    assert!(
        sentences(&input).contains(
            &"Alter keyspace system_auth with replicas {dc1: 3}, through datacenter dc1".to_owned()
        )
    );
}

#[test]
fn user_keyspaces_get_the_replicas_that_the_annotation_names() {
    let mut input = joining(r#"{"dc2": {"shop": 2, "logs": 0}}"#);
    assert_eq!(planned(&input).asks, [Ask::Keyspaces("dc1".to_owned())]);
    answer(
        &mut input,
        &[
            ("system_auth", factors(&json!({ "dc1": 3, "dc2": 3 }))),
            ("system", Replicas::default()),
            ("shop", factors(&json!({ "dc1": 3 }))),
            ("logs", factors(&json!({ "dc1": 1 }))),
        ],
    );
    assert_eq!(
        sentences(&input),
        ["Alter keyspace shop with replicas {dc1: 3, dc2: 2}, through datacenter dc1"]
    );
    answer(
        &mut input,
        &[
            ("shop", factors(&json!({ "dc1": 3, "dc2": 2 }))),
            ("logs", factors(&json!({ "dc1": 1 }))),
        ],
    );
    assert_eq!(
        sentences(&input),
        ["Create CassandraTask db/dc2-rebuild in plane west"]
    );
}

#[test]
fn an_annotation_that_forgets_a_keyspace_holds_the_join() {
    let mut input = joining(r#"{"dc2": {"shop": 2}}"#);
    answer(
        &mut input,
        &[
            ("shop", factors(&json!({ "dc1": 3 }))),
            ("logs", factors(&json!({ "dc1": 1 }))),
        ],
    );
    assert_eq!(sentences(&input), Vec::<String>::new());
    assert_eq!(holds(&input), ["InvalidSpec"]);
    input.cluster.addon_keyspaces = ["logs".to_owned()].into();
    assert_eq!(sentences(&input).len(), 1);
}

#[test]
fn a_keyspace_of_another_strategy_is_not_rewritten() {
    let mut input = joining(r#"{"dc2": {"shop": 2}}"#);
    answer(&mut input, &[("shop", Replicas::default())]);
    assert_eq!(sentences(&input), Vec::<String>::new());
    assert_eq!(holds(&input), ["ReplicationPending"]);
}
