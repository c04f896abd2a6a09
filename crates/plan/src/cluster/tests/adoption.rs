//! Datacenters that k8ssandra-operator made: left as they are, until the user edits them.

use api::names::annotation;
use api::record::Role;
use serde_json::json;

use super::world::{World, reasons};
use crate::change::Ownership;
use crate::cluster::facts::Owner;
use crate::cluster::plan;

/// Both datacenters as k8ssandra-operator left them, of a release whose renderer differed; it had acted on this generation.
fn upstream(observed: Option<i64>) -> World {
    let mut world = World::new();
    world.facts.kc.status.get_or_insert_default().observed_generation = observed;
    for name in ["dc1", "dc2"] {
        world.make(name, Role::Founder);
        written_by_upstream(&mut world, name);
    }
    world
}

fn written_by_upstream(world: &mut World, name: &str) {
    world.written_before(name, |spec| {
        spec["config"]["cassandra-yaml"]["old_default"] = json!(true);
    });
    let live = world.live(name);
    live.owner = Owner::Upstream;
    (live.role, live.input_hash, live.cluster_generation) = (None, None, None);
    live.ownership = Ownership::default();
    let noted = |key: &String, _: &mut String| !key.starts_with("ringspan.io/");
    live.binding.annotations.retain(noted);
}

/// As the user edits it.
fn grow(world: &mut World, to: i32) {
    let kc = &mut world.facts.kc;
    kc.metadata.generation = kc.metadata.generation.map(|it| it + 1);
    let cassandra = kc.spec.cassandra.as_mut().expect("it is given");
    for datacenter in &mut cassandra.datacenters {
        datacenter.size = to;
    }
}

fn changed(world: &World) -> Vec<String> {
    let plan = plan(&world.facts);
    let acts = plan.acts.iter().filter(|act| act.reason() == "DatacenterChanged");
    acts.filter_map(|act| act.datacenter().map(str::to_owned))
        .collect()
}

#[test]
fn c227_what_is_taken_over_is_not_written_and_what_would_differ_is_held() {
    let mut world = upstream(Some(7));
    assert_eq!(reasons(&plan(&world.facts)), ["RecordWritten"]);
    world.write_record();
    let plan = plan(&world.facts);
    assert_eq!(reasons(&plan), Vec::<&str>::new());
    for datacenter in plan.report.datacenters.values() {
        assert!(datacenter.pending_change.as_ref().is_some_and(|it| it.held));
    }
}

#[test]
fn c227_the_first_edit_after_a_take_over_goes_through() {
    let mut world = upstream(Some(7));
    world.write_record();
    grow(&mut world, 4);
    assert_eq!(changed(&world), ["dc1"], "one after the other");
    // It is ours from then on.
    world.make("dc1", Role::Adopted);
    let record = world.write_record();
    assert_eq!(record.datacenters["dc1"].found, None);
    assert!(record.datacenters["dc2"].found.is_some());
    assert_eq!(changed(&world), ["dc2"]);
}

#[test]
fn c227_an_edit_that_upstream_had_not_acted_on_goes_through_at_once() {
    let mut world = upstream(Some(7));
    grow(&mut world, 4);
    assert_eq!(changed(&world), ["dc1"]);
    let mut unobserved = upstream(None);
    grow(&mut unobserved, 4);
    assert_eq!(
        changed(&unobserved),
        Vec::<String>::new(),
        "nobody knows what was acted on"
    );
}

#[test]
fn c227_what_upstream_changes_in_between_is_taken_over_anew() {
    let mut world = upstream(Some(7));
    world.write_record();
    // We are away; the user edits, and upstream acts on it in its own way.
    grow(&mut world, 4);
    for name in ["dc1", "dc2"] {
        world.written_before(name, |spec| spec["size"] = json!(4));
    }
    world.write_record();
    assert_eq!(changed(&world), Vec::<String>::new());
    grow(&mut world, 5);
    assert_eq!(changed(&world), ["dc1"]);
}

#[test]
fn c227_what_we_made_and_upstream_wrote_since_is_taken_over_like_its_own() {
    let mut world = World::complete();
    grow(&mut world, 4);
    for name in ["dc1", "dc2"] {
        world.make(name, Role::Founder);
        written_by_upstream(&mut world, name);
    }
    world.write_record();
    assert_eq!(changed(&world), Vec::<String>::new());
    grow(&mut world, 5);
    assert_eq!(changed(&world), ["dc1"]);
}

#[test]
fn a_digest_that_somebody_took_off_our_datacenter_is_no_edit() {
    let mut world = World::complete();
    world.live("dc1").input_hash = None;
    world
        .live("dc1")
        .binding
        .annotations
        .remove(annotation::INPUT_HASH);
    grow(&mut world, 4);
    assert_eq!(changed(&world), ["dc2"]);
}
