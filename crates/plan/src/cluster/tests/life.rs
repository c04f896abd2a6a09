//! Change, removal, deletion.

use api::names::{annotation, reason};
use api::record::Leaving;
use api::reports::Effect;
use api::seen::Seen;
use serde_json::json;

use super::world::{World, absent, holds, marked, plane_id, reasons, sentences, unknown};
use crate::cluster::acts::{Act, LookAgain};
use crate::cluster::facts::{Owner, SecretFacts, unregistered};
use crate::cluster::plan;

#[test]
fn c103_a_converged_cluster_gets_no_act_and_asks_for_no_read() {
    let world = World::complete();
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
    assert!(
        plan.wants_live.is_empty() && plan.report.holds.is_empty() && plan.report.complete,
        "{:?}",
        plan.report
    );
    assert_eq!(plan.look_again, None);
}

#[test]
fn an_edit_that_would_lose_data_is_refused_and_nothing_is_written() {
    let mut world = World::complete();
    world.facts.kc.spec.cassandra.as_mut().unwrap().cluster_name = Some("another".to_owned());
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
    assert!(
        plan.report
            .refusal
            .is_some_and(|refusal| refusal.field.contains("clusterName"))
    );
}

#[test]
fn a_new_size_is_written_to_the_datacenter_that_it_is_for() {
    let mut world = World::complete();
    world.templates()[1].size = 6;
    let plan = plan(&world.facts);
    let Some(Act::ApplyDatacenter {
        desired,
        uid,
        resource_version,
        ..
    }) = plan.acts.iter().find(|act| act.reason() == "DatacenterChanged")
    else {
        panic!("{:?}", reasons(&plan))
    };
    assert_eq!(
        (desired.name.as_str(), uid.as_str(), resource_version.as_str()),
        ("dc2", "uid-of-dc2", "5")
    );
    assert_eq!(desired.spec["size"], 6);
}

/// Pods mount them, so that none would start again.
#[test]
fn a_config_map_that_somebody_deleted_is_made_again_and_one_that_is_there_is_left() {
    let mut world = World::complete();
    let map = world.desired("dc2", api::record::Role::Rebuild).config_maps[0]
        .name
        .clone();
    world.datacenter("dc2").config_maps = Seen::Present([].into());
    let plan = plan(&world.facts);
    let [
        Act::WriteConfigMap {
            datacenter,
            desired,
            uid,
            ..
        },
    ] = plan.acts.as_slice()
    else {
        panic!("{:?}", reasons(&plan))
    };
    assert_eq!((datacenter.as_str(), &desired.name, uid), ("dc2", &map, &None));
    let other = marked("of another content");
    world.datacenter("dc2").config_maps = Seen::Present([(map, other)].into());
    assert!(crate::cluster::plan(&world.facts).acts.is_empty());
}

#[test]
fn c106_two_changed_datacenters_are_changed_one_after_the_other() {
    let mut world = World::complete();
    for datacenter in world.templates() {
        datacenter.size = 6;
    }
    let plan = plan(&world.facts);
    assert_eq!(
        plan.acts
            .iter()
            .filter(|act| act.reason() == "DatacenterChanged")
            .count(),
        1
    );
    assert_eq!(holds(&plan), [(reason::DATACENTER_NOT_READY, Some("dc2"))]);
}

#[test]
fn c104_what_only_we_would_write_differently_is_held_unless_the_user_allows_it() {
    let mut world = World::complete();
    world.written_before("dc1", |spec| {
        spec["config"]["cassandra-yaml"]["concurrent_reads"] = json!(8);
    });
    let held = plan(&world.facts);
    assert!(held.acts.is_empty(), "{:?}", reasons(&held));
    let pending = held.report.datacenters["dc1"]
        .pending_change
        .clone()
        .expect("a change");
    let field = "spec.config.cassandra-yaml.concurrent_reads";
    assert_eq!(
        (pending.held, pending.effect, pending.fields[0].field.as_str()),
        (true, Effect::Restart, field)
    );
    world.annotate(annotation::AUTOUPDATE_SPEC, "always");
    assert!(reasons(&plan(&world.facts)).contains(&"DatacenterChanged"));
}

#[test]
fn c105_a_permission_for_once_is_taken_back_when_nothing_is_left_to_change() {
    let mut world = World::complete();
    world.annotate(annotation::AUTOUPDATE_SPEC, "once");
    for name in ["dc1", "dc2"] {
        world.note(name, annotation::UPDATES_ALLOWED, "1");
    }
    let Act::WriteCluster {
        consume_autoupdate,
        record,
        ..
    } = plan(&world.facts).acts[0].clone()
    else {
        panic!()
    };
    assert_eq!((consume_autoupdate, record.updates_allowed), (true, 1));
    world.written_before("dc1", |spec| {
        spec["config"]["cassandra-yaml"]["concurrent_reads"] = json!(8);
    });
    assert_eq!(reasons(&plan(&world.facts)), ["DatacenterChanged"]);
}

#[test]
fn a_change_does_not_wait_for_a_dead_plane_whose_datacenter_was_settled() {
    for (last_settled, changes) in [(Some(true), true), (Some(false), false), (None, false)] {
        let mut world = World::complete();
        world.templates()[0].size = 6;
        world.facts.planes.insert("west".to_owned(), Err(unknown("west")));
        world.datacenter("dc2").object = Seen::Unknown(unknown("west"));
        world.datacenter("dc2").last_settled = last_settled;
        assert_eq!(
            reasons(&plan(&world.facts)).contains(&"DatacenterChanged"),
            changes,
            "{last_settled:?}"
        );
    }
}

#[test]
fn cc38_a_cluster_restored_from_an_old_backup_changes_nothing() {
    let mut world = World::complete();
    world.templates()[0].size = 2;
    world.live("dc1").cluster_generation = Some(99);
    let plan = plan(&world.facts);
    assert!(!reasons(&plan).contains(&"DatacenterChanged"));
    assert!(holds(&plan).contains(&(reason::HISTORY_REWOUND, Some("dc1"))));
}

#[test]
fn c140_c143_cc49_a_datacenter_that_left_the_spec_stays_until_topology_says_that_it_may_go() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    assert_eq!(
        holds(&plan(&world.facts)),
        [(reason::REPLICATION_UNKNOWN, Some("dc2"))]
    );
    assert!(plan(&world.facts).report.datacenters["dc2"].leaving);
    world.may_be_deleted("dc2", false);
    assert_eq!(holds(&plan(&world.facts)), [(reason::REPLICAS_LEFT, Some("dc2"))]);
    world.may_be_deleted("dc2", true);
    let plan = plan(&world.facts);
    assert_eq!(reasons(&plan), ["RecordWritten", "DatacenterRemoved"]);
    let Act::WriteCluster { record, .. } = &plan.acts[0] else {
        panic!()
    };
    assert_eq!(
        record.datacenters["dc2"].leaving,
        Some(Leaving {
            uid: "uid-of-dc2".into(),
            generation: 8
        })
    );
}

#[test]
fn cc12_cc13_cc52_a_removal_that_needs_a_second_consent_waits_for_one_that_names_this_very_datacenter() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.may_be_deleted("dc2", true);
    world.annotate(annotation::REMOVAL, "confirm");
    for given in [None, Some(""), Some("uid-of-dc1"), Some("uid-of-dc")] {
        if let Some(given) = given {
            world.annotate(annotation::CONFIRM_REMOVAL, given);
        }
        let plan = plan(&world.facts);
        assert!(plan.acts.is_empty(), "{given:?}: {:?}", reasons(&plan));
        assert_eq!(
            holds(&plan),
            [(reason::REMOVAL_NOT_CONFIRMED, Some("dc2"))],
            "{given:?}"
        );
        assert!(plan.report.holds[0].message.contains("=uid-of-dc2 "));
    }
    world.annotate(annotation::CONFIRM_REMOVAL, "uid-of-another, uid-of-dc2");
    assert_eq!(
        reasons(&plan(&world.facts)),
        ["RecordWritten", "DatacenterRemoved"]
    );
}

#[test]
fn an_answer_about_another_uid_is_no_consent() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.may_be_deleted("dc2", true);
    world
        .facts
        .topology
        .as_mut()
        .unwrap()
        .datacenters
        .get_mut("dc2")
        .unwrap()
        .uid = "another".to_owned();
    assert!(!reasons(&plan(&world.facts)).contains(&"DatacenterRemoved"));
}

#[test]
fn a_removed_datacenter_is_forgotten_when_it_and_what_was_made_for_it_are_gone() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.datacenter("dc2").object = absent("west", "dc2");
    world.datacenter("dc2").config_maps = Seen::Present([("map".to_owned(), marked(""))].into());
    assert_eq!(reasons(&plan(&world.facts)), ["LeftoversDeleted"]);
    world.datacenter("dc2").config_maps = Seen::Present([].into());
    world.copied_to(&["east"]);
    assert!(!world.write_record().datacenters.contains_key("dc2"));
}

/// A live read tells of the datacenter before the watches are back.
#[test]
fn a_datacenter_is_not_forgotten_while_it_is_not_known_what_is_left_of_it() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.datacenter("dc2").object = absent("west", "dc2");
    world.datacenter("dc2").config_maps = Seen::Unknown(unknown("west"));
    let first = plan(&world.facts);
    assert!(
        first.acts.is_empty() && first.look_again == Some(LookAgain::Soon),
        "{:?}",
        reasons(&first)
    );
    assert_eq!(holds(&first), [(reason::PLANE_UNREACHABLE, Some("dc2"))]);

    let mut world = deleted();
    for (name, context) in [("dc1", "east"), ("dc2", "west")] {
        world.datacenter(name).object = absent(context, name);
    }
    world.datacenter("dc2").seed_slices = Seen::Unknown(unknown("west"));
    let last = plan(&world.facts);
    assert!(
        last.acts.is_empty() && last.look_again == Some(LookAgain::Soon),
        "{:?}",
        reasons(&last)
    );
}

/// Else a crash between the two writes would leave the copies for ever.
#[test]
fn a_removed_datacenter_is_forgotten_after_its_copies_of_secrets() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.datacenter("dc2").object = absent("west", "dc2");
    world.datacenter("dc2").config_maps = Seen::Present([].into());
    let first = plan(&world.facts);
    let [Act::ApplyReplicatedSecret { targets, .. }] = first.acts.as_slice() else {
        panic!("{:?}", reasons(&first))
    };
    assert_eq!(*targets, [("east".to_owned(), "ns".to_owned())]);
    assert!(!first.report.complete);
    world.copied_to(&["east"]);
    assert!(!world.write_record().datacenters.contains_key("dc2"));
    let last = plan(&world.facts);
    assert!(
        last.acts.is_empty() && last.report.complete,
        "{:?}",
        reasons(&last)
    );
}

#[test]
fn a_removed_datacenter_in_a_plane_that_is_unknown_is_neither_deleted_nor_forgotten() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.may_be_deleted("dc2", true);
    world.datacenter("dc2").object = Seen::Unknown(unknown("west"));
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
}

#[test]
fn secrets_are_not_copied_to_a_plane_that_nobody_knows() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.copied_to(&["east", "west"]);
    let nowhere = unregistered(&plane_id("west"));
    world.datacenter("dc2").context.clone_from(&nowhere);
    world.datacenter("dc2").object = Seen::Unknown(unknown(&nowhere));
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
}

#[test]
fn a_datacenter_that_comes_back_before_its_deletion_began_is_kept_and_after_it_is_made_anew() {
    let mut world = World::complete();
    let leaving = Some(Leaving {
        uid: "uid-of-dc2".into(),
        generation: 7,
    });
    world.record().datacenters.get_mut("dc2").unwrap().leaving = leaving;
    assert_eq!(
        reasons(&plan(&world.facts)),
        ["RecordWritten", "RemovalCancelled"]
    );
    world.live("dc2").deleting = true;
    assert_eq!(holds(&plan(&world.facts)), [(reason::DELETING, Some("dc2"))]);
    world.datacenter("dc2").object = absent("west", "dc2");
    let record = world.write_record();
    assert_eq!(
        (
            record.datacenters["dc2"].uid.clone(),
            record.datacenters["dc2"].joined
        ),
        (None, false)
    );
}

fn deleted() -> World {
    let mut world = World::complete();
    world.delete();
    for name in ["dc1", "dc2"] {
        world.datacenter(name).config_maps = Seen::Present([].into());
    }
    world
}

#[test]
fn c150_a_deleted_cluster_loses_its_datacenters_one_after_another_and_then_its_finalizer() {
    let mut world = deleted();
    assert_eq!(reasons(&plan(&world.facts)), ["DatacenterDeleted"]);
    world.live("dc1").deleting = true;
    assert!(plan(&world.facts).acts.is_empty());
    world.datacenter("dc1").object = absent("east", "dc1");
    assert_eq!(plan(&world.facts).acts[0].datacenter(), Some("dc2"));
    world.datacenter("dc2").object = absent("west", "dc2");
    assert_eq!(reasons(&plan(&world.facts)), ["ClusterReleased"]);
}

#[test]
fn cc33_a_deleted_cluster_is_kept_by_a_plane_that_is_unknown_while_the_other_is_cleaned_up() {
    let mut world = deleted();
    world.datacenter("dc2").object = Seen::Unknown(unknown("west"));
    assert_eq!(reasons(&plan(&world.facts)), ["DatacenterDeleted"]);
    world.datacenter("dc1").object = absent("east", "dc1");
    assert!(plan(&world.facts).acts.is_empty());
}

#[test]
fn foreign_datacenters_are_left_alone_by_a_deletion() {
    let mut world = deleted();
    world.live("dc1").owner = Owner::Foreign;
    world.live("dc2").owner = Owner::Foreign;
    assert_eq!(reasons(&plan(&world.facts)), ["ClusterReleased"]);
}

#[test]
fn while_the_crd_is_deleted_nothing_goes_without_a_second_consent() {
    let mut world = deleted();
    for state in [Some(true), None] {
        world.facts.crd_deleting = state;
        assert!(plan(&world.facts).acts.is_empty());
        assert_eq!(
            holds(&plan(&world.facts)),
            [(reason::CONFIRMATION_REQUIRED, None)]
        );
    }
    world.facts.crd_deleting = Some(true);
    world.annotate(annotation::CONFIRM_DELETE, "kc-uid");
    assert_eq!(reasons(&plan(&world.facts)), ["DatacenterDeleted"]);
}

#[test]
fn m4_the_orphan_policy_keeps_the_databases_and_the_secrets_that_they_need() {
    let mut world = deleted();
    world.annotate(annotation::DELETION_POLICY, "Orphan");
    assert_eq!(reasons(&plan(&world.facts)), ["ClusterReleased"]);
    if let Some(SecretFacts::Present {
        goes_with_cluster, ..
    }) = world.facts.secrets.values_mut().next()
    {
        *goes_with_cluster = Some(0);
    }
    assert_eq!(reasons(&plan(&world.facts)), ["SecretKept"]);
    for secret in world.facts.secrets.values_mut() {
        *secret = SecretFacts::Unknown;
    }
    let waits = plan(&world.facts);
    assert!(waits.acts.is_empty());
    assert_eq!(holds(&waits), [(reason::SECRETS_PENDING, None)]);
}

#[test]
fn n8_a_datacenter_in_a_plane_that_is_given_up_is_forgotten_and_noted() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.copied_to(&["east", "west"]);
    world.datacenter("dc2").object = Seen::Unknown(unknown("west"));
    let held = plan(&world.facts);
    assert_eq!(holds(&held), [(reason::PLANE_UNREACHABLE, Some("dc2"))]);
    let way_out = "annotation ringspan.io/abandon=id-of-west";
    assert!(held.report.holds[0].message.contains(way_out));
    world.annotate(annotation::ABANDON, "id-of-east, another");
    assert!(plan(&world.facts).acts.is_empty());
    world.annotate(annotation::ABANDON, "another, id-of-west");
    let given_up = plan(&world.facts);
    assert_eq!(
        sentences(&given_up),
        [
            "Write the record: dc1 (founder, made); dc2 was abandoned in plane id-of-west",
            "Have Secrets copied to namespace ns of plane east",
        ]
    );
    world.write_record();
    world.copied_to(&["east"]);
    world.facts.datacenters.remove("dc2");
    assert!(plan(&world.facts).report.complete);
}

#[test]
fn n8_what_was_abandoned_is_not_taken_for_ours_when_it_is_back() {
    let mut world = World::complete();
    let back = world.facts.datacenters["dc2"].clone();
    world.drop_from_spec("dc2");
    world.copied_to(&["east"]);
    world.datacenter("dc2").object = Seen::Unknown(unknown("west"));
    world.annotate(annotation::ABANDON, "id-of-west");
    world.write_record();
    world.facts.datacenters.insert("dc2".to_owned(), back);
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
    assert_eq!(holds(&plan), [(reason::ABANDONED, Some("dc2"))]);
}

#[test]
fn n8_a_deleted_cluster_goes_without_a_plane_that_is_given_up() {
    let mut world = deleted();
    world.datacenter("dc1").object = absent("east", "dc1");
    world.datacenter("dc2").object = Seen::Unknown(unknown("west"));
    world.datacenter("dc2").config_maps = Seen::Unknown(unknown("west"));
    world.datacenter("dc2").seed_slices = Seen::Unknown(unknown("west"));
    assert!(plan(&world.facts).acts.is_empty());
    world.annotate(annotation::ABANDON, "id-of-west");
    assert_eq!(reasons(&plan(&world.facts)), ["RecordWritten"]);
    world.write_record();
    assert_eq!(reasons(&plan(&world.facts)), ["ClusterReleased"]);
}
