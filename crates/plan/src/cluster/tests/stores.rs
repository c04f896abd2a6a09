//! Passwords of stores, and ConfigMaps of what is switched off.

use std::collections::BTreeMap;

use api::names::{annotation, reason};
use api::record::Role;
use api::seen::Seen;
use serde_json::json;

use super::world::{World, absent, deleted_config_maps as deleted, holds, reasons, unknown};
use crate::cluster::acts::{Act, LookAgain};
use crate::cluster::plan;
use crate::datacenter::{NoPassword, Password, PasswordOf, Peer, References, Store};

/// Must be found in datacenters alone.
const CANARY: &str = "canary-of-a-store";

fn passwords(text: &str) -> References {
    let read = |store| {
        let of = PasswordOf {
            peer: Peer::Server,
            store,
        };
        (of, Password::of_bytes(text.as_bytes().to_vec()))
    };
    References {
        store_passwords: BTreeMap::from([read(Store::Keystore), read(Store::Truststore)]),
        ..References::default()
    }
}

/// As [`World::complete`], with stores between nodes; nothing of them is read in this pass.
fn encrypted() -> World {
    let mut world = World::new();
    let cassandra = world.facts.kc.spec.cassandra.as_mut().unwrap();
    let stores = json!({"keystoreSecretRef": {"name": "ks"}, "truststoreSecretRef": {"name": "ts"}});
    cassandra.server_encryption_stores = Some(serde_json::from_value(stores).unwrap());
    let config = json!({"cassandraYaml": {"server_encryption_options": {"internode_encryption": "all"}}});
    cassandra.options.config = Some(serde_json::from_value(config).unwrap());
    world.write_record();
    for (name, role) in [("dc1", Role::Founder), ("dc2", Role::Rebuild)] {
        world.facts.references.insert(name.to_owned(), passwords(CANARY));
        world.make(name, role);
        world.write_record();
    }
    world.record().datacenters.get_mut("dc2").unwrap().joined = true;
    world.facts.references.clear();
    world
}

fn edit(world: &mut World) {
    world.templates()[1].size = 6;
}

fn changed(world: &World) -> Vec<String> {
    let acts = plan(&world.facts).acts.into_iter();
    acts.filter_map(|act| match act {
        Act::ApplyDatacenter { desired, .. } | Act::CreateDatacenter { desired, .. } => {
            Some(desired.spec.to_string())
        }
        _ => None,
    })
    .collect()
}

#[test]
fn en2_a_converged_cluster_with_stores_gets_no_act_and_reads_no_password() {
    let plan = plan(&encrypted().facts);
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
    assert!(plan.wants_passwords.is_empty() && plan.wants_live.is_empty());
    assert!(plan.report.complete, "{:?}", plan.report);
}

#[test]
fn en2_passwords_are_asked_for_when_the_user_has_changed_the_datacenter() {
    let mut world = encrypted();
    edit(&mut world);
    let asking = plan(&world.facts);
    assert!(asking.acts.is_empty(), "{:?}", reasons(&asking));
    assert_eq!(asking.wants_passwords.iter().collect::<Vec<_>>(), ["dc2"]);
    assert!(!asking.report.complete);
    world.facts.references.insert("dc2".to_owned(), passwords("new"));
    let [spec] = changed(&world).try_into().unwrap();
    assert!(spec.contains("new") && !spec.contains(CANARY), "{spec}");
}

#[test]
fn en2_another_password_is_held_as_any_change_that_is_not_the_user_s() {
    let mut world = encrypted();
    world.facts.references.insert("dc1".to_owned(), passwords("new"));
    let held = plan(&world.facts);
    assert!(held.acts.is_empty(), "{:?}", reasons(&held));
    let pending = held.report.datacenters["dc1"].pending_change.clone().unwrap();
    let fields: Vec<&str> = pending.fields.iter().map(|it| it.field.as_str()).collect();
    let section = "spec.config.cassandra-yaml.server_encryption_options";
    assert_eq!(
        fields,
        [
            format!("{section}.keystore_password"),
            format!("{section}.truststore_password")
        ]
    );
    let told = serde_json::to_string(&held.report).unwrap();
    assert!(!told.contains(CANARY) && !told.contains("\"new\""), "{told}");
    world.annotate(annotation::AUTOUPDATE_SPEC, "always");
    assert_eq!(changed(&world).len(), 1);
    world.facts.references.clear();
    let asking = plan(&world.facts);
    assert_eq!(asking.wants_passwords.iter().collect::<Vec<_>>(), ["dc1", "dc2"]);
}

#[test]
fn en2_nothing_is_read_for_a_datacenter_that_waits_for_another() {
    let mut world = encrypted();
    edit(&mut world);
    world.live("dc1").settled = false;
    let waiting = plan(&world.facts);
    assert!(waiting.wants_passwords.is_empty());
    assert!(holds(&waiting).contains(&(reason::DATACENTER_NOT_READY, Some("dc2"))));
}

#[test]
fn en2_a_datacenter_is_read_for_last_before_it_is_made() {
    let mut world = encrypted();
    world.datacenter("dc2").object = absent("west", "dc2");
    world.record().datacenters.get_mut("dc2").unwrap().uid = None;
    let no_seeds = plan(&world.facts);
    assert!(no_seeds.wants_passwords.is_empty());
    world.seeds_for_dc2();
    assert!(plan(&world.facts).wants_passwords.contains("dc2"));
    world.facts.references.insert("dc2".to_owned(), passwords(CANARY));
    assert_eq!(changed(&world).len(), 1);
}

#[test]
fn en4_a_password_that_is_not_there_holds_its_datacenter_and_no_other() {
    let mut world = encrypted();
    edit(&mut world);
    let mut lacking = passwords(CANARY);
    for read in lacking.store_passwords.values_mut() {
        *read = Err(NoPassword::NoKey);
    }
    world.facts.references.insert("dc2".to_owned(), lacking);
    let held = plan(&world.facts);
    assert_eq!(holds(&held), [(reason::STORE_PASSWORD_MISSING, Some("dc2"))]);
    assert_eq!(held.look_again, Some(LookAgain::LessAndLess));
    let message = &held.report.holds[0].message;
    for word in ["dc2", "keystore-password", "ns/ks", "plane west"] {
        assert!(message.contains(word), "{message}");
    }
    world.templates()[0].size = 6;
    world.facts.references.insert("dc1".to_owned(), passwords(CANARY));
    assert_eq!(changed(&world).len(), 1);
}

/// Nobody looks there while nothing changes.
#[test]
fn en4_a_password_that_has_gone_holds_nothing_that_is_as_it_shall_be() {
    let mut world = encrypted();
    let mut lacking = passwords(CANARY);
    for read in lacking.store_passwords.values_mut() {
        *read = Err(NoPassword::NoSecret);
    }
    world.facts.references.insert("dc1".to_owned(), lacking);
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty() && plan.report.complete, "{:?}", plan.report);
}

#[test]
fn en4_a_plane_that_does_not_tell_a_password_is_named() {
    let mut world = encrypted();
    edit(&mut world);
    let mut silent = passwords(CANARY);
    for read in silent.store_passwords.values_mut() {
        *read = Err(NoPassword::Unknown(unknown("west")));
    }
    world.facts.references.insert("dc2".to_owned(), silent);
    let held = plan(&world.facts);
    assert_eq!(holds(&held), [(reason::PLANE_UNREACHABLE, Some("dc2"))]);
    assert_eq!(held.look_again, Some(LookAgain::Soon));
}

#[test]
fn a_password_is_in_no_sentence_hold_or_report() {
    let mut world = encrypted();
    edit(&mut world);
    world.facts.references.insert("dc2".to_owned(), passwords(CANARY));
    let plan = plan(&world.facts);
    assert!(changed(&world)[0].contains(CANARY));
    let mut shown = vec![format!("{plan:?}"), format!("{:?}", world.facts)];
    shown.extend(plan.acts.iter().map(|act| format!("{act:?} {}", act.sentence())));
    shown.push(serde_json::to_string(&plan.report).unwrap());
    for text in shown {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[test]
fn te11_vector_s_config_map_goes_when_the_datacenter_has_settled_without_it() {
    let mut world = World::founded();
    let switch = |world: &mut World, enabled: bool| {
        let telemetry = json!({"vector": {"enabled": enabled}});
        world.facts.kc.spec.cassandra.as_mut().unwrap().options.telemetry =
            Some(serde_json::from_value(telemetry).unwrap());
    };
    switch(&mut world, true);
    world.make("dc1", Role::Founder);
    let Seen::Present(with_vector) = world.datacenter("dc1").config_maps.clone() else {
        panic!()
    };
    assert_eq!(with_vector.len(), 2);
    switch(&mut world, false);
    // It is still mounted: the datacenter is changed first.
    assert!(reasons(&plan(&world.facts)).contains(&"DatacenterChanged"));
    assert_eq!(deleted(&world), Vec::<String>::new());
    world.make("dc1", Role::Founder);
    world.datacenter("dc1").config_maps = Seen::Present(with_vector.clone());
    world.live("dc1").settled = false;
    assert_eq!(deleted(&world), Vec::<String>::new());
    world.live("dc1").settled = true;
    assert_eq!(deleted(&world), ["demo-dc1-cass-vector"]);
}
