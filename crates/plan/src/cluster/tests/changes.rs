//! What is told of a change, and what keeps it from being written.

use api::names::{annotation, reason};
use api::reports::{Effect, PendingChange};
use api::seen::Seen;
use serde_json::json;

use super::world::{World, holds, reasons, unknown};
use crate::change::Ownership;
use crate::cluster::acts::Act;
use crate::cluster::plan;

fn pending(world: &World, name: &str) -> PendingChange {
    let report = plan(&world.facts).report;
    report.datacenters[name]
        .pending_change
        .clone()
        .expect("a change that is not written")
}

fn grown(world: &mut World) {
    let cassandra = world.facts.kc.spec.cassandra.as_mut().expect("it is given");
    for datacenter in &mut cassandra.datacenters {
        datacenter.size = 6;
    }
}

#[test]
fn n4_a_change_that_waits_for_its_turn_is_told_with_its_effect() {
    let mut world = World::complete();
    grown(&mut world);
    let waiting = pending(&world, "dc2");
    let size = waiting
        .fields
        .iter()
        .find(|field| field.field == "spec.size")
        .expect("the size");
    assert_eq!(
        (waiting.held, size.effect, size.to.clone()),
        (false, Effect::Stream, Some(json!(6)))
    );
    assert!(
        plan(&world.facts).report.datacenters["dc1"]
            .pending_change
            .is_none()
    );
}

#[test]
fn an_act_that_changes_a_datacenter_says_what_happens_to_its_nodes() {
    let mut world = World::complete();
    grown(&mut world);
    let plan = plan(&world.facts);
    let act = plan
        .acts
        .iter()
        .find(|act| act.reason() == "DatacenterChanged")
        .expect("a change");
    assert_eq!(
        act.sentence(),
        "Change CassandraDatacenter ns/dc1 in plane east: the spec has changed; nodes come or go, and data is streamed"
    );
    assert_eq!(act.effect(), Effect::Stream);
}

#[test]
fn nothing_may_change_what_nodes_and_data_are_known_by() {
    let mut world = World::complete();
    world.written_before("dc1", |spec| spec["serverType"] = json!("hcd"));
    world.annotate(annotation::AUTOUPDATE_SPEC, "always");
    let plan = plan(&world.facts);
    assert!(!reasons(&plan).contains(&"DatacenterChanged"));
    assert_eq!(holds(&plan), [(reason::IDENTITY_WOULD_CHANGE, Some("dc1"))]);
    assert_eq!(pending(&world, "dc1").effect, Effect::Dangerous);
}

#[test]
fn a_paused_datacenter_is_not_changed_and_the_others_are() {
    let mut world = World::complete();
    grown(&mut world);
    world.live("dc1").paused = true;
    let plan = plan(&world.facts);
    let changed: Vec<_> = plan
        .acts
        .iter()
        .filter(|act| act.reason() == "DatacenterChanged")
        .filter_map(|act| act.datacenter())
        .collect();
    assert_eq!(changed, ["dc2"]);
    assert_eq!(holds(&plan), [(reason::PAUSED, Some("dc1"))]);
    assert!(!pending(&world, "dc1").held);
}

#[test]
fn what_somebody_else_has_set_is_told_and_left() {
    let mut world = World::complete();
    let ours = json!({"f:spec": {"f:size": {}}});
    let theirs = json!({"f:spec": {"f:podTemplateSpec": {"f:spec": {"f:initContainers": {}}}}});
    world.written_before("dc1", |spec| {
        spec["podTemplateSpec"]["spec"]["initContainers"] =
            json!([{"name": "medusa-restore", "env": [{"name": "RESTORE_KEY", "value": "k"}]}]);
    });
    world.live("dc1").ownership = Ownership::of(
        [("ringspan-cluster-reconciler", &ours), ("medusa", &theirs)].into_iter(),
        "ringspan-cluster-reconciler",
    );
    let plan = plan(&world.facts);
    assert!(
        plan.acts.is_empty() && plan.report.complete,
        "{:?}",
        reasons(&plan)
    );
    let report = &plan.report.datacenters["dc1"];
    assert_eq!(report.drift, ["spec.podTemplateSpec.spec.initContainers"]);
    assert_eq!(report.pending_change, None);
}

#[test]
fn an_edit_beside_what_somebody_else_has_set_waits_only_where_both_want_a_field() {
    let mut world = World::complete();
    let ours = json!({"f:spec": {"f:clusterName": {}}});
    let theirs = json!({"f:spec": {"f:size": {}, "f:minReadySeconds": {}}});
    let set = |world: &mut World, theirs: &serde_json::Value| {
        world.live("dc1").ownership = Ownership::of(
            [("ringspan-cluster-reconciler", &ours), ("somebody", theirs)].into_iter(),
            "ringspan-cluster-reconciler",
        );
    };
    world.written_before("dc1", |spec| spec["minReadySeconds"] = json!(7));
    set(&mut world, &theirs);
    grown(&mut world);
    let held = plan(&world.facts);
    assert_eq!(holds(&held), [(reason::DRIFT_CONFLICT, Some("dc1"))]);
    assert!(held.report.holds[0].message.contains("spec.size"));
    let changed = |plan: &crate::cluster::acts::ClusterPlan| -> Vec<String> {
        let changes = plan.acts.iter().filter(|act| act.reason() == "DatacenterChanged");
        changes
            .filter_map(|act| act.datacenter().map(str::to_owned))
            .collect()
    };
    assert_eq!(changed(&held), ["dc2"]);
    set(&mut world, &json!({"f:spec": {"f:minReadySeconds": {}}}));
    let written = plan(&world.facts);
    assert_eq!(changed(&written), ["dc1"]);
    assert_eq!(written.report.datacenters["dc1"].drift, ["spec.minReadySeconds"]);
}

#[test]
fn n13_what_the_plane_does_not_keep_is_told_and_not_sent_again_and_again() {
    let mut world = World::complete();
    let cassandra = world.facts.kc.spec.cassandra.as_mut().expect("it is given");
    cassandra.options.read_only_root_filesystem = Some(true);
    world.make("dc1", api::record::Role::Founder);
    world.make("dc2", api::record::Role::Rebuild);
    world.written_before("dc1", |spec| {
        spec.as_object_mut()
            .expect("a spec")
            .remove("readOnlyRootFilesystem");
    });
    // Nobody noted that it was sent: it may be what a later release of ours adds.
    assert!(pending(&world, "dc1").held);
    let noted = json!(["spec.readOnlyRootFilesystem"]).to_string();
    let annotations = &mut world.live("dc1").binding.annotations;
    annotations.insert(annotation::NOT_KEPT.to_owned(), noted);
    world.annotate(annotation::AUTOUPDATE_SPEC, "always");
    for name in ["dc1", "dc2"] {
        world.note(name, annotation::UPDATES_ALLOWED, "always");
    }
    let plan = plan(&world.facts);
    assert!(
        plan.acts.is_empty() && plan.report.complete,
        "{:?}",
        reasons(&plan)
    );
    let report = &plan.report.datacenters["dc1"];
    assert_eq!(report.not_kept, ["spec.readOnlyRootFilesystem"]);
    assert_eq!(report.pending_change, None);
}

/// Both datacenters in trouble, and a change of both; what cass-operator is still at; what is changed now.
fn changed_of_two_in_trouble(in_work: &str) -> Vec<String> {
    let mut world = World::complete();
    grown(&mut world);
    for name in ["dc1", "dc2"] {
        let live = world.live(name);
        (live.settled, live.in_work) = (false, name == in_work);
    }
    let acts = plan(&world.facts).acts;
    let changed = acts.iter().filter(|act| act.reason() == "DatacenterChanged");
    changed
        .filter_map(|act| act.datacenter().map(str::to_owned))
        .collect()
}

#[test]
fn n21_two_datacenters_in_trouble_do_not_wait_for_each_other() {
    assert_eq!(changed_of_two_in_trouble("none"), ["dc1"]);
}

#[test]
fn n21_what_our_last_change_broke_is_mended_whatever_ails_the_others() {
    assert_eq!(changed_of_two_in_trouble("dc2"), ["dc1", "dc2"]);
    let mut world = World::complete();
    grown(&mut world);
    world.live("dc1").settled = false;
    world.live("dc1").in_work = true;
    world.datacenter("dc2").object = Seen::Unknown(unknown("west"));
    assert!(reasons(&plan(&world.facts)).contains(&"DatacenterChanged"));
}

#[test]
fn n21_a_datacenter_that_is_well_waits_for_one_in_trouble() {
    let mut world = World::complete();
    grown(&mut world);
    world.live("dc2").settled = false;
    let plan = plan(&world.facts);
    let changed: Vec<_> = plan
        .acts
        .iter()
        .filter(|it| it.reason() == "DatacenterChanged")
        .collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].datacenter(), Some("dc2"));
    assert!(holds(&plan).contains(&(reason::DATACENTER_NOT_READY, Some("dc1"))));
}

/// dc1 was written with four concurrent reads, and somebody has set sixteen since: who has set what, and what was reported.
fn drifted() -> World {
    let mut world = World::complete();
    let cassandra = world.facts.kc.spec.cassandra.as_mut().expect("it is given");
    cassandra.options.config =
        serde_json::from_value(json!({"cassandraYaml": {"concurrent_reads": 4}})).expect("a config");
    world.make("dc1", api::record::Role::Founder);
    world.make("dc2", api::record::Role::Rebuild);
    world.written_before("dc1", |spec| {
        spec["config"]["cassandra-yaml"]["concurrent_reads"] = json!(16);
    });
    let ours = json!({"f:spec": {"f:size": {}, "f:config": {"f:cassandra-yaml": {"f:num_tokens": {}}}}});
    let theirs = json!({"f:spec": {"f:config": {"f:cassandra-yaml": {"f:concurrent_reads": {}}}}});
    world.live("dc1").ownership = Ownership::of(
        [("ringspan-cluster-reconciler", &ours), ("medusa", &theirs)].into_iter(),
        "ringspan-cluster-reconciler",
    );
    let report = plan(&world.facts).report;
    world.facts.kc.status.get_or_insert_default().reports.cluster = Some(report);
    world
}

const DRIFTED: &str = "spec.config.cassandra-yaml.concurrent_reads";

fn set_in_spec(world: &mut World, key: &str, value: i64) {
    let cassandra = world.facts.kc.spec.cassandra.as_mut().expect("it is given");
    let config = cassandra.options.config.as_mut().expect("a config");
    config
        .cassandra_yaml
        .get_or_insert_default()
        .0
        .insert(key.to_owned(), json!(value));
}

#[test]
fn an_edit_beside_what_somebody_else_has_set_leaves_that_as_it_is() {
    let mut world = drifted();
    set_in_spec(&mut world, "concurrent_writes", 32);
    let written = plan(&world.facts);
    let Some(Act::ApplyDatacenter { desired, change, .. }) = written.acts.first() else {
        panic!("{:?} {:?}", reasons(&written), holds(&written))
    };
    let yaml = &desired.spec["config"]["cassandra-yaml"];
    assert_eq!(
        (&yaml["concurrent_writes"], yaml.get("concurrent_reads")),
        (&json!(32), None)
    );
    assert!(change.fields.iter().all(|it| it.field != DRIFTED), "{change:?}");
    assert_eq!(written.report.datacenters["dc1"].drift, [DRIFTED]);
    let noted = |report: &api::reports::ClusterReport| report.datacenters["dc1"].drifted_from.clone();
    let before = world
        .facts
        .kc
        .status
        .as_ref()
        .and_then(|it| it.reports.cluster.clone());
    assert_eq!(noted(&written.report), noted(&before.expect("a report")));
}

#[test]
fn an_edit_of_what_somebody_else_has_set_is_held() {
    let mut world = drifted();
    set_in_spec(&mut world, "concurrent_reads", 64);
    let held = plan(&world.facts);
    assert_eq!(holds(&held), [(reason::DRIFT_CONFLICT, Some("dc1"))]);
    assert!(held.report.holds[0].message.contains(DRIFTED));
}

#[test]
fn an_edit_waits_where_nobody_noted_what_was_written_or_part_of_it_is_ours() {
    let mut forgotten = drifted();
    set_in_spec(&mut forgotten, "concurrent_writes", 32);
    let mut mixed = forgotten.facts.clone();
    forgotten.facts.kc.status = None;
    assert_eq!(
        holds(&plan(&forgotten.facts)),
        [(reason::DRIFT_CONFLICT, Some("dc1"))]
    );
    let Some(live) = mixed.datacenters.get_mut("dc1") else {
        panic!()
    };
    let Seen::Present(live) = &mut live.object else {
        panic!()
    };
    let whole = json!({"f:spec": {"f:config": {"f:cassandra-yaml": {}}}});
    let ours = json!({"f:spec": {"f:config": {"f:cassandra-yaml": {"f:num_tokens": {}}}}});
    live.ownership = Ownership::of([("us", &ours), ("medusa", &whole)].into_iter(), "us");
    assert_eq!(holds(&plan(&mixed)), [(reason::DRIFT_CONFLICT, Some("dc1"))]);
}
