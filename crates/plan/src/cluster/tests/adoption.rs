//! Datacenters that k8ssandra-operator made: left as they are, until the user edits them.

use std::collections::BTreeMap;

use api::names::annotation;
use api::record::Role;
use api::seen::Seen;
use serde_json::{Value, json};

use super::world::{World, reasons};
use crate::change::Ownership;
use crate::cluster::acts::Act;
use crate::cluster::facts::{Owner, UserConfigMap};
use crate::cluster::plan;
use crate::datacenter::References;

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

/// `dc1` refers to this configuration of its nodes, of which its pods were told in k8ssandra-operator's words.
fn refers(world: &mut World, text: &str) {
    let content = BTreeMap::from([("p_cassandra.yaml".to_owned(), text.to_owned())]);
    let datacenter = &mut world.templates()[0];
    let reference = json!({"name": "mine"});
    datacenter.per_node_config_map_ref = Some(serde_json::from_value(reference).unwrap());
    world.datacenter("dc1").per_node_config = Some(Seen::Present(UserConfigMap {
        uid: "u".into(),
        watched: true,
        content,
    }));
}

fn told_of_the_pods(world: &World) -> Value {
    let plan = plan(&world.facts);
    let desired = plan.acts.into_iter().find_map(|act| match act {
        Act::ApplyDatacenter { desired, .. } if desired.name == "dc1" => Some(desired),
        _ => None,
    });
    let spec = desired.expect("dc1 is changed").spec;
    spec["podTemplateSpec"]["metadata"]["annotations"]["k8ssandra.io/per-node-config-hash"].clone()
}

#[test]
fn c227_pn2_pods_are_told_anew_when_their_configuration_changes_and_only_then() {
    let mut world = World::new();
    world.facts.kc.status.get_or_insert_default().observed_generation = Some(7);
    refers(&mut world, "a: 1");
    for name in ["dc1", "dc2"] {
        let references = References {
            per_node_config: (name == "dc1").then(|| [("p_cassandra.yaml".into(), "a: 1".into())].into()),
            ..References::default()
        };
        world.make_with(name, Role::Founder, &references);
        let live = world.live(name);
        live.binding
            .annotations
            .remove("ringspan.io/per-node-config-digest");
        written_by_upstream(&mut world, name);
    }
    world.written_before("dc1", |spec| {
        let annotations = &mut spec["podTemplateSpec"]["metadata"]["annotations"];
        annotations["k8ssandra.io/per-node-config-hash"] = json!("upstream's");
    });
    world.write_record();
    assert_eq!(changed(&world), Vec::<String>::new());
    let mut grown = World {
        facts: world.facts.clone(),
    };
    grow(&mut grown, 4);
    assert_eq!(told_of_the_pods(&grown), "upstream's");
    refers(&mut world, "a: 2");
    assert_ne!(told_of_the_pods(&world), "upstream's");
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
