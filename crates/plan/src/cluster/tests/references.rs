//! What datacenters refer to in their planes: configuration of single nodes, and what they share.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::names::reason;
use api::record::Role;
use api::seen::Seen;
use serde_json::json;

use super::world::{
    World, absent, deleted_config_maps as deleted, holds, marked, plane_id, reasons, unknown,
};
use crate::cluster::acts::{Act, LookAgain};
use crate::cluster::facts::{MarkedObject, UserConfigMap};
use crate::cluster::plan;
use crate::datacenter::References;

const PER_NODE: &str = "demo-dc2-per-node-config";

fn content(text: &str) -> BTreeMap<String, String> {
    [(
        "demo-dc2-default-sts-0_cassandra.yaml".to_owned(),
        text.to_owned(),
    )]
    .into()
}

/// `dc2` refers to `mine`, with this content; it need not be there.
fn refer(world: &mut World, seen: Seen<UserConfigMap>) {
    let datacenter = &mut world.templates()[1];
    datacenter.per_node_config_map_ref = Some(serde_json::from_value(json!({"name": "mine"})).unwrap());
    world.datacenter("dc2").per_node_config = Some(seen);
}

fn there(text: &str) -> Seen<UserConfigMap> {
    Seen::Present(UserConfigMap {
        uid: "u".into(),
        watched: true,
        content: content(text),
    })
}

fn not_there() -> Seen<UserConfigMap> {
    let Seen::Absent(proof) = absent("west", "mine") else {
        panic!("it is absent")
    };
    Seen::Absent(proof)
}

/// Both made, and `dc2` from this content.
fn complete(text: &str) -> World {
    let mut world = World::complete();
    refer(&mut world, there(text));
    let references = References {
        per_node_config: Some(content(text)),
        ..References::default()
    };
    world.make_with("dc2", Role::Rebuild, &references);
    world
}

#[test]
fn c084_pn1_a_missing_config_map_holds_its_datacenter_alone() {
    let mut world = World::complete();
    refer(&mut world, not_there());
    for datacenter in world.templates() {
        datacenter.size = 6;
    }
    let held = plan(&world.facts);
    assert_eq!(reasons(&held), ["DatacenterChanged"]);
    assert_eq!(held.acts[0].datacenter(), Some("dc1"));
    assert_eq!(holds(&held), [(reason::CONFIG_MAP_MISSING, Some("dc2"))]);
    let message = &held.report.holds[0].message;
    assert!(
        message.contains("ConfigMap ns/mine") && message.contains("plane west"),
        "{message}"
    );
    assert_eq!(held.report.refusal, None);
    assert_eq!(held.look_again, Some(LookAgain::LessAndLess));
}

#[test]
fn c084_a_datacenter_is_not_made_before_its_config_map_is_there() {
    let mut world = World::founded();
    world.seeds_for_dc2();
    refer(&mut world, not_there());
    assert_eq!(reasons(&plan(&world.facts)), Vec::<&str>::new());
    refer(&mut world, there("a: 1"));
    assert!(reasons(&plan(&world.facts)).contains(&"DatacenterCreated"));
}

#[test]
fn a_config_map_that_cannot_be_seen_is_not_taken_for_missing() {
    let mut world = World::complete();
    refer(&mut world, Seen::Unknown(unknown("west")));
    let held = plan(&world.facts);
    assert_eq!(holds(&held), [(reason::PLANE_UNREACHABLE, Some("dc2"))]);
    assert!(held.acts.is_empty(), "{:?}", reasons(&held));
}

#[test]
fn pn1_a_config_map_without_labels_gets_them_and_nothing_else() {
    let mut world = complete("a: 1");
    assert!(plan(&world.facts).acts.is_empty());
    if let Some(Seen::Present(map)) = &mut world.datacenter("dc2").per_node_config {
        map.watched = false;
    }
    let labelled = plan(&world.facts);
    let [Act::LabelConfigMap { name, uid, .. }] = labelled.acts.as_slice() else {
        panic!("{:?}", reasons(&labelled))
    };
    assert_eq!((name.as_str(), uid.as_str()), ("mine", "u"));
}

#[test]
fn an_edit_of_the_config_map_rolls_the_datacenter_that_refers_to_it() {
    let mut world = complete("a: 1");
    refer(&mut world, there("a: 2"));
    let changed = plan(&world.facts);
    assert_eq!(reasons(&changed), ["DatacenterChanged"]);
    assert_eq!(changed.acts[0].datacenter(), Some("dc2"));
}

#[test]
fn tokens_that_a_datacenter_began_with_stay_when_others_join() {
    let mut world = World::new();
    for datacenter in world.templates() {
        datacenter.options.config =
            serde_json::from_value(json!({"cassandraYaml": {"num_tokens": 1}})).unwrap();
    }
    world.write_record();
    world.make("dc1", Role::Founder);
    world.make("dc2", Role::Rebuild);
    world.write_record();
    world.record().datacenters.get_mut("dc2").unwrap().joined = true;
    if let Seen::Present(maps) = &mut world.datacenter("dc2").config_maps {
        let map = maps.get_mut(PER_NODE).expect("it has tokens");
        map.content = Some(Arc::new(content("\ninitial_token: 5")));
        map.digest = crate::cluster::facts::data_digest(&content("\ninitial_token: 5"));
    }
    world.templates()[1].size = 4;
    let changed = plan(&world.facts);
    let written = changed
        .acts
        .iter()
        .filter(|act| matches!(act, Act::WriteConfigMap { desired, .. } if desired.name == PER_NODE));
    assert_eq!(written.count(), 0, "{:?}", reasons(&changed));
    assert!(reasons(&changed).contains(&"DatacenterChanged"));
}

/// The server refuses to make what is there, and what fails ends what is about its datacenter.
#[test]
fn c085_a_generated_config_map_is_made_and_never_put_over_somebody_else_s() {
    let mut world = World::new();
    for datacenter in world.templates() {
        datacenter.options.config =
            serde_json::from_value(json!({"cassandraYaml": {"num_tokens": 1}})).unwrap();
    }
    world.write_record();
    let made = plan(&world.facts);
    let of_nodes = |act: &Act| {
        matches!(act, Act::WriteConfigMap { desired, uid: None, datacenter, .. }
            if desired.name == "demo-dc1-per-node-config" && datacenter == "dc1")
    };
    let written = made.acts.iter().position(of_nodes);
    let created = made
        .acts
        .iter()
        .position(|act| act.reason() == "DatacenterCreated");
    assert!(written.is_some() && written < created, "{:?}", reasons(&made));
}

#[test]
fn pn6_c082_a_generated_config_map_goes_when_the_user_s_is_in_its_place() {
    let mut world = World::complete();
    for datacenter in world.templates() {
        datacenter.options.config =
            serde_json::from_value(json!({"cassandraYaml": {"num_tokens": 1}})).unwrap();
    }
    world.make("dc1", Role::Founder);
    world.make("dc2", Role::Rebuild);
    let Seen::Present(with_generated) = world.datacenter("dc2").config_maps.clone() else {
        panic!("they are listed")
    };
    assert!(with_generated.contains_key(PER_NODE), "{with_generated:?}");
    refer(&mut world, there("a: 1"));
    // It is still mounted: the datacenter is changed first.
    assert!(reasons(&plan(&world.facts)).contains(&"DatacenterChanged"));
    assert_eq!(deleted(&world), [""; 0]);
    let references = References {
        per_node_config: Some(content("a: 1")),
        ..References::default()
    };
    world.make_with("dc2", Role::Rebuild, &references);
    world.datacenter("dc2").config_maps = Seen::Present(with_generated);
    world.live("dc2").settled = false;
    assert_eq!(deleted(&world), [""; 0]);
    world.live("dc2").settled = true;
    assert_eq!(deleted(&world), [PER_NODE]);
}

/// dc1 and dc2 in one namespace of one plane, with Medusa's configuration, which they share.
fn sharing() -> World {
    let mut world = World::of(json!([
        {"metadata": {"name": "dc1"}, "k8sContext": "east", "size": 3},
        {"metadata": {"name": "dc2"}, "k8sContext": "east", "size": 3},
    ]));
    world.facts.kc.spec.medusa = serde_json::from_value(json!({"storageProperties": {
        "storageProvider": "s3", "bucketName": "b", "storageSecretRef": {"name": "key"}
    }}))
    .unwrap();
    world.write_record();
    world.make("dc1", Role::Founder);
    world.make("dc2", Role::Rebuild);
    world.write_record();
    world.record().datacenters.get_mut("dc2").unwrap().joined = true;
    world
}

/// What is seen of Medusa's configuration by both.
fn shared(world: &mut World, map: Option<&MarkedObject>) {
    for name in ["dc1", "dc2"] {
        let Seen::Present(maps) = &mut world.datacenter(name).config_maps else {
            panic!("they are listed")
        };
        maps.retain(|name, _| name != "demo-medusa");
        maps.extend(map.map(|map| ("demo-medusa".to_owned(), map.clone())));
    }
}

#[test]
fn what_datacenters_share_is_made_once() {
    let mut world = sharing();
    assert!(plan(&world.facts).acts.is_empty());
    shared(&mut world, None);
    assert_eq!(reasons(&plan(&world.facts)), ["ConfigMapWritten"]);
}

#[test]
fn what_datacenters_share_goes_with_the_last_of_them() {
    let of_both = MarkedObject {
        shared: true,
        ..marked("d")
    };
    let mut world = sharing();
    shared(&mut world, Some(&of_both));
    world.drop_from_spec("dc2");
    world.datacenter("dc2").object = absent("east", "dc2");
    assert_eq!(deleted(&world), ["demo-dc2-metrics-agent-config"]);

    // Another context of the same plane is no other place.
    world.datacenter("dc2").context = "orient".into();
    world.facts.planes.insert("orient".into(), Ok(plane_id("east")));
    assert_eq!(deleted(&world), ["demo-dc2-metrics-agent-config"]);
    world.facts.planes.insert("orient".into(), Err(unknown("orient")));
    assert_eq!(deleted(&world), ["demo-dc2-metrics-agent-config"]);
    world.facts.planes.insert("orient".into(), Ok(plane_id("west")));
    assert_eq!(deleted(&world), ["demo-dc2-metrics-agent-config", "demo-medusa"]);

    let mut world = sharing();
    shared(&mut world, Some(&of_both));
    for name in ["dc1", "dc2"] {
        world.datacenter(name).object = absent("east", name);
    }
    world.delete();
    assert!(deleted(&world).contains(&"demo-medusa".to_owned()));
}
