//! Founding and joining.

use api::names::{annotation, reason};
use api::record::{RecordState, Role};
use api::seen::Seen;
use serde_json::json;

use super::world::{World, absent, holds, reasons, unknown};
use crate::cluster::acts::{Act, LookAgain};
use crate::cluster::facts::{Owner, ReplicatedFacts, SecretFacts};
use crate::cluster::plan;

fn created(world: &World) -> Vec<String> {
    let plan = plan(&world.facts);
    let name = |act: &Act| {
        if let Act::CreateDatacenter { desired, .. } = act {
            Some(desired.name.clone())
        } else {
            None
        }
    };
    plan.acts.iter().filter_map(name).collect()
}

#[test]
fn the_first_of_the_list_founds_and_the_record_says_so_before_it_is_made() {
    let world = World::new();
    let plan = plan(&world.facts);
    assert_eq!(
        reasons(&plan),
        ["RecordWritten", "ConfigMapWritten", "DatacenterCreated"]
    );
    let Act::WriteCluster {
        record,
        initial_system_replication,
        ..
    } = &plan.acts[0]
    else {
        panic!()
    };
    assert_eq!(record.founder.as_deref(), Some("dc1"));
    assert_eq!(record.datacenters["dc1"].role, Role::Founder);
    assert_eq!(record.datacenters["dc2"].role, Role::Rebuild);
    assert_eq!(initial_system_replication.as_deref(), Some(r#"{"dc1":3}"#));
    assert!(!plan.report.complete);
}

#[test]
fn a_new_cluster_gets_its_secrets_first_and_no_datacenter_before_they_are_there() {
    let mut world = World::new();
    world
        .facts
        .secrets
        .insert("demo-superuser".to_owned(), SecretFacts::Missing);
    world.facts.replicated = ReplicatedFacts::Missing;
    let plan = plan(&world.facts);
    assert_eq!(
        reasons(&plan),
        [
            "RecordWritten",
            "SuperuserSecretCreated",
            "ReplicatedSecretWritten"
        ]
    );
    assert_eq!(holds(&plan), [(reason::SECRETS_PENDING, Some("dc1"))]);
}

#[test]
fn copies_of_a_former_secret_or_by_the_replicated_secret_of_a_former_cluster_do_not_count() {
    for of in ["former/1", "former/1 another/2"] {
        let mut world = World::new();
        world.copies_are_of(of);
        assert_eq!(created(&world), Vec::<String>::new(), "{of}");
        assert_eq!(
            holds(&plan(&world.facts)),
            [(reason::SECRETS_PENDING, Some("dc1"))],
            "{of}"
        );
    }
    let mut world = World::new();
    if let ReplicatedFacts::Present { ours, .. } = &mut world.facts.replicated {
        *ours = false;
    }
    assert_eq!(created(&world), Vec::<String>::new());
}

#[test]
fn nobody_founds_while_one_plane_is_unknown_and_the_hold_names_it() {
    for first_dead in [true, false] {
        let (dead, context) = if first_dead {
            ("dc1", "east")
        } else {
            ("dc2", "west")
        };
        let mut world = World::new();
        world
            .facts
            .planes
            .insert(context.to_owned(), Err(unknown(context)));
        world.datacenter(dead).object = Seen::Unknown(unknown(context));
        let plan = plan(&world.facts);
        assert_eq!(created(&world), Vec::<String>::new());
        let hold = &plan.report.holds[0];
        assert!(
            hold.founding && hold.context.as_deref() == Some(context),
            "{hold:?}"
        );
        assert!(
            hold.message.contains(&format!("plane {context}")),
            "{}",
            hold.message
        );
        let Act::WriteCluster { record, .. } = &plan.acts[0] else {
            panic!()
        };
        assert_eq!(record.founder, None);
        assert_eq!(plan.look_again, Some(LookAgain::Soon));
    }
}

#[test]
fn a_cache_that_does_not_list_a_datacenter_is_no_proof_and_a_live_read_is_asked_for() {
    let mut world = World::new();
    world.datacenter("dc2").object = Seen::NotListed;
    let plan = plan(&world.facts);
    assert!(plan.wants_live.contains("dc2"));
    assert_eq!(created(&world), Vec::<String>::new());
}

#[test]
fn nobody_founds_beside_a_datacenter_that_has_started() {
    let mut world = World::new();
    world.make("dc2", Role::Rebuild);
    let plan = plan(&world.facts);
    let Act::WriteCluster { record, .. } = &plan.acts[0] else {
        panic!()
    };
    assert_eq!(
        (record.founder.as_deref(), record.datacenters["dc1"].role),
        (None, Role::Rebuild)
    );
    assert_eq!(record.datacenters["dc2"].uid.as_deref(), Some("uid-of-dc2"));
    assert!(!reasons(&plan).contains(&"DatacenterCreated"));
}

#[test]
fn nobody_founds_where_a_foreign_datacenter_has_the_name() {
    let mut world = World::new();
    world.make("dc1", Role::Founder);
    world.live("dc1").owner = Owner::Foreign;
    let plan = plan(&world.facts);
    assert!(holds(&plan).contains(&(reason::NOT_OWNED, Some("dc1"))));
    assert!(!reasons(&plan).contains(&"DatacenterCreated") && !reasons(&plan).contains(&"DatacenterChanged"));
}

/// The watches select what is ours: that somebody else's object has gone is told by no event.
#[test]
fn objects_of_others_that_are_in_the_way_are_looked_at_less_and_less() {
    let mut world = World::new();
    world.make("dc1", Role::Founder);
    world.live("dc1").owner = Owner::Foreign;
    assert_eq!(plan(&world.facts).look_again, Some(LookAgain::LessAndLess));
    let mut world = World::new();
    world.datacenter("dc1").stale_seed_slice = Some("old-slice".to_owned());
    assert_eq!(plan(&world.facts).look_again, Some(LookAgain::LessAndLess));
}

#[test]
fn a_stale_seed_slice_keeps_the_founder_from_being_made() {
    let mut world = World::new();
    world.datacenter("dc1").stale_seed_slice = Some("old-slice".to_owned());
    assert_eq!(
        holds(&plan(&world.facts))[0],
        (reason::STALE_SEED_SLICE, Some("dc1"))
    );
    assert_eq!(created(&world), Vec::<String>::new());
}

#[test]
fn a_stopped_first_datacenter_waits_and_the_second_founds() {
    let mut world = World::of(json!([
        {"metadata": {"name": "dc1"}, "k8sContext": "east", "size": 3, "stopped": true},
        {"metadata": {"name": "dc2"}, "k8sContext": "west", "size": 3},
    ]));
    assert_eq!(created(&world), ["dc2"]);
    let record = world.write_record();
    assert_eq!(
        (record.founder.as_deref(), record.datacenters["dc1"].role),
        (Some("dc2"), Role::Rebuild)
    );
    assert_eq!(
        holds(&plan(&world.facts)),
        [(reason::STOPPED_BEFORE_FOUNDING, Some("dc1"))]
    );
}

#[test]
fn a_founder_that_was_chosen_and_never_made_is_chosen_anew_when_it_is_stopped() {
    let mut world = World::new();
    world.write_record();
    world.templates()[0].stopped = true;
    assert_eq!(world.write_record().founder.as_deref(), Some("dc2"));
}

#[test]
fn cc26_behind_additional_seeds_nobody_founds_and_the_first_is_external() {
    let mut world = World::new();
    world.facts.kc.spec.cassandra.as_mut().unwrap().additional_seeds = Some(vec!["10.0.0.9".to_owned()]);
    let record = world.write_record();
    assert_eq!(
        (
            record.founder,
            record.datacenters["dc1"].role,
            record.datacenters["dc2"].role
        ),
        (None, Role::External, Role::Rebuild)
    );
    assert_eq!(created(&world), Vec::<String>::new());
    assert_eq!(holds(&plan(&world.facts)), [(reason::SEEDS_PENDING, Some("dc1"))]);
}

#[test]
fn a_joiner_waits_for_seeds_of_an_initialized_datacenter_in_its_own_namespace() {
    let mut world = World::founded();
    assert_eq!(holds(&plan(&world.facts)), [(reason::SEEDS_PENDING, Some("dc2"))]);
    world.seeds_for_dc2();
    assert_eq!(created(&world), ["dc2"]);
}

#[test]
fn seeds_that_prove_no_ring_let_nobody_join() {
    let changes: [fn(&mut crate::cluster::facts::SeedSlice); 4] = [
        |slice| slice.joining = false,
        |slice| slice.serves = "dc3".to_owned(),
        |slice| slice.addresses = ["198.18.9.9".to_owned()].into(),
        |slice| slice.sources = [("dc1".to_owned(), "another-uid".to_owned())].into(),
    ];
    for change in changes {
        let mut world = World::founded();
        world.seeds_for_dc2();
        if let Seen::Present(slices) = &mut world.datacenter("dc2").seed_slices {
            change(&mut slices[0]);
        }
        assert_eq!(created(&world), Vec::<String>::new());
        assert_eq!(holds(&plan(&world.facts)), [(reason::SEEDS_PENDING, Some("dc2"))]);
    }
}

#[test]
fn c100_c111_a_joiner_waits_until_the_founder_is_ready() {
    let mut world = World::founded();
    world.seeds_for_dc2();
    world.live("dc1").settled = false;
    assert_eq!(created(&world), Vec::<String>::new());
    assert_eq!(
        holds(&plan(&world.facts)),
        [(reason::DATACENTER_NOT_READY, Some("dc1"))]
    );
    // An event of the datacenter tells when it is.
    assert_eq!(plan(&world.facts).look_again, None);
}

#[test]
fn no_datacenter_is_made_before_it_is_known_who_its_control_plane_is() {
    let mut world = World::new();
    world.facts.control_plane = Err(unknown(""));
    assert_eq!(created(&world), Vec::<String>::new());
    assert!(holds(&plan(&world.facts)).contains(&(reason::PLANE_UNREACHABLE, Some("dc1"))));
    // An installation that may not read that id does without it.
    world.facts.control_plane = Ok(None);
    assert_eq!(created(&world), ["dc1"]);
}

#[test]
fn a_joiner_is_made_only_when_it_is_proven_absent() {
    let mut world = World::founded();
    world.seeds_for_dc2();
    world.datacenter("dc2").object = Seen::NotListed;
    assert_eq!(created(&world), Vec::<String>::new());
    assert!(plan(&world.facts).wants_live.contains("dc2"));
}

#[test]
fn a_third_datacenter_waits_until_the_second_is_rebuilt() {
    let mut world = World::complete();
    world.record().datacenters.get_mut("dc2").unwrap().joined = false;
    let plan = plan(&world.facts);
    assert_eq!(holds(&plan), [(reason::REBUILDING, Some("dc2"))]);
    assert!(!plan.report.complete);
}

#[test]
fn a_lost_record_is_rebuilt_from_what_is_there() {
    let mut world = World::complete();
    world.facts.record = RecordState::None;
    let record = world.write_record();
    assert_eq!(record.founder.as_deref(), Some("dc1"));
    assert_eq!(record.datacenters["dc2"].uid.as_deref(), Some("uid-of-dc2"));
    assert_eq!(record.datacenters["dc2"].role, Role::Rebuild);
}

#[test]
fn an_unreadable_record_stops_everything_and_says_how_to_mend_it() {
    let mut world = World::complete();
    world.facts.record = RecordState::Unreadable("it is no record: line 1, column 2".to_owned());
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty());
    assert_eq!(holds(&plan), [(reason::RECORD_UNREADABLE, None)]);
}

#[test]
fn a_datacenter_that_vanished_is_not_made_again() {
    let mut world = World::complete();
    world.datacenter("dc1").object = absent("east", "dc1");
    let plan = plan(&world.facts);
    assert_eq!(holds(&plan)[0], (reason::DATACENTER_VANISHED, Some("dc1")));
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
}

#[test]
fn another_plane_under_the_same_context_is_refused() {
    let mut world = World::complete();
    world
        .facts
        .planes
        .insert("east".to_owned(), Ok(api::seen::PlaneId("another".to_owned())));
    let refusal = plan(&world.facts).report.refusal.unwrap();
    assert_eq!(
        (refusal.reason.as_str(), refusal.field.as_str()),
        (
            reason::PLACEMENT_CHANGED,
            "spec.cassandra.datacenters[0].k8sContext"
        )
    );
}

#[test]
fn the_same_facts_give_the_same_plan() {
    let world = World::new();
    assert_eq!(
        format!("{:?}", plan(&world.facts)),
        format!("{:?}", plan(&world.facts))
    );
}

/// cass-operator gives up a datacenter whose Secret is missing, and the Secret alone does not wake it.
#[test]
fn a_datacenter_that_has_not_started_is_woken_once_each_time_that_its_secrets_are_written_anew() {
    let mut world = World::founded();
    world.live("dc1").settled = false;
    world.live("dc1").initialized = false;
    world.live("dc1").secrets_seen = Some("s.r.1".to_owned());
    let version = |world: &mut World, version: &str| {
        if let ReplicatedFacts::Present { resource_version, .. } = &mut world.facts.replicated {
            *resource_version = version.to_owned();
        }
    };
    version(&mut world, "1");
    assert!(plan(&world.facts).acts.is_empty());
    for now in ["7", "9"] {
        version(&mut world, now);
        let woken = plan(&world.facts);
        let [Act::WakeDatacenter { datacenter, seen }] = woken.acts.as_slice() else {
            panic!("{:?}", reasons(&woken))
        };
        let which = (datacenter.uid.as_str(), datacenter.resource_version.as_str());
        assert_eq!(which, ("uid-of-dc1", "5"));
        assert_eq!(*seen, format!("s.r.{now}"));
        world.live("dc1").secrets_seen = Some(seen.clone());
        let quiet = plan(&world.facts);
        assert!(quiet.acts.is_empty(), "{:?}", reasons(&quiet));
        assert_eq!(quiet.look_again, None);
    }
    version(&mut world, "11");
    world.live("dc1").initialized = true;
    assert!(plan(&world.facts).acts.is_empty());
}

/// Else a Secret that comes after an edit would wake nobody.
#[test]
fn a_datacenter_that_is_changed_before_it_starts_keeps_which_secrets_it_has_found() {
    let mut world = World::founded();
    world.live("dc1").settled = false;
    world.live("dc1").initialized = false;
    world.live("dc1").secrets_seen = Some("s.r.1".to_owned());
    world.templates()[0].size = 6;
    let changed = plan(&world.facts);
    let [Act::ApplyDatacenter { desired, .. }] = changed.acts.as_slice() else {
        panic!("{:?}", reasons(&changed))
    };
    assert_eq!(desired.annotations[annotation::SECRETS_SEEN], "s.r.1");
}

#[test]
fn a_new_datacenter_carries_which_secrets_it_will_find() {
    let world = World::new();
    let plan = plan(&world.facts);
    let seen = plan.acts.iter().find_map(|act| match act {
        Act::CreateDatacenter { desired, .. } => desired.annotations.get(annotation::SECRETS_SEEN),
        _ => None,
    });
    assert_eq!(seen.map(String::as_str), Some("s.r.1"), "{:?}", reasons(&plan));
}

#[test]
fn a_datacenter_whose_secret_is_not_there_or_that_is_not_ours_is_not_woken() {
    let waits = || {
        let mut world = World::founded();
        world.live("dc1").settled = false;
        world.live("dc1").initialized = false;
        world.live("dc1").secrets_seen = Some("others".to_owned());
        world
    };
    let woken = |world: &World| reasons(&plan(&world.facts)).contains(&"DatacenterWoken");
    assert!(woken(&waits()));
    let mut world = waits();
    world.copied_to(&["west"]);
    assert!(!woken(&world));
    let mut world = waits();
    world
        .facts
        .secrets
        .insert("demo-superuser".to_owned(), SecretFacts::Missing);
    assert!(!woken(&world));
    let mut world = waits();
    world.live("dc1").owner = Owner::Upstream;
    assert!(!woken(&world));
    let mut world = waits();
    world.live("dc1").secrets_seen = None;
    assert!(!woken(&world));
}

/// Its copies go while its status still tells of them; another one is made when it is gone.
#[test]
fn nobody_founds_by_the_word_of_a_replicated_secret_that_is_being_deleted() {
    let mut world = World::new();
    let delete = |world: &mut World| {
        if let ReplicatedFacts::Present { deleting, .. } = &mut world.facts.replicated {
            *deleting = true;
        }
    };
    assert_eq!(created(&world), ["dc1"]);
    delete(&mut world);
    assert_eq!(created(&world), Vec::<String>::new());
    assert!(holds(&plan(&world.facts)).contains(&(reason::SECRETS_PENDING, Some("dc1"))));

    // A datacenter that is there keeps it, and so it goes on copying.
    let mut world = World::founded();
    world.seeds_for_dc2();
    delete(&mut world);
    assert_eq!(created(&world), ["dc2"]);
}
