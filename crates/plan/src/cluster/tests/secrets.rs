//! The Secrets of the cluster's own.

use api::names::reason;
use api::record::Role;
use api::seen::Seen;
use serde_json::{Value, json};

use super::world::{World, absent, holds, reasons, secret, sentences, unknown};
use crate::cluster::acts::Act;
use crate::cluster::facts::{ReplicatedFacts, SecretFacts};
use crate::cluster::plan;

fn give_reaper(world: &mut World, reaper: Value) {
    world.facts.kc.spec.reaper = Some(serde_json::from_value(reaper).unwrap());
}

fn see(world: &mut World, name: &str, facts: SecretFacts) {
    world.facts.secrets.insert(name.to_owned(), facts);
}

fn incomplete(missing: &str) -> SecretFacts {
    SecretFacts::Present {
        goes_with_cluster: None,
        uid: "i".into(),
        resource_version: "3".into(),
        labelled: true,
        missing_keys: vec![missing.to_owned()],
    }
}

#[test]
fn re3_secrets_of_reaper_are_made_before_the_datacenter_that_refers_to_one() {
    let mut world = World::new();
    give_reaper(&mut world, json!({}));
    for name in ["demo-reaper", "demo-reaper-ui"] {
        see(&mut world, name, SecretFacts::Missing);
    }
    let made = plan(&world.facts);
    assert_eq!(
        sentences(&made)[1..],
        [
            "Create Secret demo-reaper for Reaper's user in Cassandra",
            "Create Secret demo-reaper-ui for the user of Reaper's page",
        ]
    );
    assert_eq!(reasons(&made)[1..], ["SecretCreated", "SecretCreated"]);
    assert_eq!(holds(&made), [(reason::SECRETS_PENDING, Some("dc1"))]);
    see(&mut world, "demo-reaper", secret("a"));
    // It is copied after the superuser's.
    assert_eq!(
        holds(&plan(&world.facts)),
        [(reason::SECRETS_PENDING, Some("dc1"))]
    );
    world.copies_are_of("a/1 s/1");
    // Nothing in a datacenter refers to the one for the page.
    assert!(reasons(&plan(&world.facts)).contains(&"DatacenterCreated"));
}

#[test]
fn re3_a_secret_that_the_spec_asks_for_no_more_stays() {
    let mut world = World::complete();
    see(&mut world, "demo-reaper", secret("a"));
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
}

#[test]
fn re4_a_secret_of_the_user_s_is_labelled_once() {
    let mut world = World::complete();
    give_reaper(
        &mut world,
        json!({"cassandraUserSecretRef": {"name": "mine"}, "uiUserSecretRef": {}}),
    );
    let of_user = SecretFacts::Present {
        goes_with_cluster: None,
        uid: "m".into(),
        resource_version: "2".into(),
        labelled: false,
        missing_keys: Vec::new(),
    };
    see(&mut world, "mine", of_user);
    let labelling = plan(&world.facts);
    let Some(Act::LabelSecret {
        secret: labelled,
        uid,
        resource_version,
    }) = labelling.acts.first()
    else {
        panic!("{:?}", reasons(&labelling))
    };
    assert_eq!(
        (labelled.name.as_str(), uid.as_str(), resource_version.as_str()),
        ("mine", "m", "2")
    );
    see(&mut world, "mine", secret("m"));
    assert!(!reasons(&plan(&world.facts)).contains(&"SecretLabelled"));
}

#[test]
fn re3_a_datacenter_gets_its_user_once_the_secret_is_there() {
    let mut world = World::complete();
    // An API server puts more defaults there.
    give_reaper(
        &mut world,
        json!({"keyspace": "reaper_db", "uiUserSecretRef": {}}),
    );
    see(&mut world, "demo-reaper", SecretFacts::Missing);
    let waiting = plan(&world.facts);
    assert_eq!(reasons(&waiting), ["SecretCreated"]);
    let waits = [
        (reason::SECRETS_PENDING, Some("dc1")),
        (reason::SECRETS_PENDING, Some("dc2")),
    ];
    assert_eq!(holds(&waiting), waits);
    see(&mut world, "demo-reaper", secret("a"));
    assert_eq!(reasons(&plan(&world.facts)), ["DatacenterChanged"]);
    for name in ["dc1", "dc2"] {
        let role = if name == "dc1" {
            Role::Founder
        } else {
            Role::Rebuild
        };
        world.make(name, role);
    }
    assert!(plan(&world.facts).report.complete);
}

#[test]
fn an_incomplete_secret_of_the_user_s_holds_new_datacenters_and_says_what_it_lacks() {
    let mut world = World::new();
    let storage = json!({"storageProvider": "s3", "bucketName": "b", "credentialsType": "role-based"});
    world.facts.kc.spec.medusa = Some(serde_json::from_value(json!({"storageProperties": storage})).unwrap());
    see(&mut world, "demo-medusa", incomplete("password"));
    let held = plan(&world.facts);
    assert!(!reasons(&held).contains(&"DatacenterCreated"));
    assert_eq!(holds(&held), [(reason::SECRET_INCOMPLETE, None)]);
    let message = &held.report.holds[0].message;
    assert!(
        message.starts_with("Secret ns/demo-medusa lacks `password`"),
        "{message}"
    );
}

#[test]
fn a_secret_that_cannot_be_read_keeps_the_copies_as_they_are() {
    let mut world = World::new();
    give_reaper(&mut world, json!({"uiUserSecretRef": {}}));
    world.copied_to(&["east"]);
    let unread = plan(&world.facts);
    assert!(!reasons(&unread).contains(&"ReplicatedSecretWritten"));
    assert_eq!(holds(&unread), [(reason::SECRETS_PENDING, None)]);
}

#[test]
fn en7_where_something_else_provides_secrets_nothing_waits_for_them() {
    let mut world = World::new();
    give_reaper(&mut world, json!({}));
    world.facts.kc.spec.secrets_provider = Some("external".into());
    world.facts.secrets.clear();
    let made = plan(&world.facts);
    assert!(
        reasons(&made).contains(&"DatacenterCreated"),
        "{:?}",
        holds(&made)
    );
}

/// The targets that the ReplicatedSecret is given, if it is written.
fn targets_given(world: &World) -> Option<Vec<String>> {
    let acts = plan(&world.facts).acts;
    acts.into_iter().find_map(|act| match act {
        Act::ApplyReplicatedSecret { targets, .. } | Act::CreateReplicatedSecret { targets } => {
            Some(targets.into_iter().map(|(context, _)| context).collect())
        }
        _ => None,
    })
}

/// dc2 has left the spec, and its plane answers now and then only.
#[test]
fn copies_that_went_with_their_datacenter_do_not_come_back_because_it_cannot_be_read() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.copied_to(&["east", "west"]);
    world.datacenter("dc2").config_maps = Seen::Present([].into());
    let cannot_be_read = |world: &mut World| {
        world.datacenter("dc2").object = Seen::Unknown(unknown("west"));
    };
    cannot_be_read(&mut world);
    assert_eq!(targets_given(&world), None);
    world.datacenter("dc2").object = absent("west", "dc2");
    assert_eq!(targets_given(&world), Some(vec!["east".to_owned()]));
    world.copied_to(&["east"]);
    cannot_be_read(&mut world);
    assert_eq!(targets_given(&world), None);
    world.datacenter("dc2").object = Seen::NotListed;
    assert_eq!(targets_given(&world), None);
}

#[test]
fn a_datacenter_that_leaves_and_may_be_there_is_among_the_targets_of_a_new_replicated_secret() {
    let all = Some(vec!["east".to_owned(), "west".to_owned()]);
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.copied_to(&["east"]);
    assert_eq!(targets_given(&world), all, "it is seen, and lacks its copies");
    world.facts.replicated = ReplicatedFacts::Missing;
    assert_eq!(targets_given(&world), all);
    world.datacenter("dc2").object = Seen::Unknown(unknown("west"));
    assert_eq!(targets_given(&world), all);
}
