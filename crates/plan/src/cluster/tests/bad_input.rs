//! What users, and those who act for them, get wrong. The ids are rows of the specification of bad inputs; those
//! that a spec shows by itself are in `validate`, those that an API server refuses in `fake-apiserver`.

use api::names::{annotation, reason};
use api::record::{Leaving, RecordState, Role};
use api::reports::TopologyReport;
use api::seen::Seen;
use serde_json::json;

use super::world::{World, absent, holds, reasons, secret, unknown};
use crate::cluster::acts::Act;
use crate::cluster::facts::{ClusterIdentity, Marks, Owner, SecretFacts};
use crate::cluster::plan;
use crate::consent::RemovalConsent;

fn sizes(world: &mut World, size: i32) {
    let cassandra = world.facts.kc.spec.cassandra.as_mut().expect("it is given");
    for datacenter in &mut cassandra.datacenters {
        datacenter.size = size;
    }
}

/// Reason and field of the refusal; nothing is written.
fn refused(world: &World) -> (String, String) {
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
    let refusal = plan.report.refusal.expect("a refusal");
    (refusal.reason, refusal.field)
}

fn with_third() -> World {
    let mut world = World::complete();
    let third = json!({"metadata": {"name": "dc3"}, "k8sContext": "nowhere", "size": 3});
    let cassandra = world.facts.kc.spec.cassandra.as_mut().expect("it is given");
    cassandra
        .datacenters
        .push(serde_json::from_value(third).expect("a datacenter"));
    let mut facts = world.datacenter("dc2").clone();
    facts.context = "nowhere".to_owned();
    facts.object = absent("nowhere", "dc3");
    world.facts.datacenters.insert("dc3".to_owned(), facts);
    world
}

#[test]
fn cc06_a_context_that_nobody_knows_holds_its_datacenter_and_no_other() {
    let mut world = with_third();
    let mut nobody = unknown("nowhere");
    nobody.reason = reason::UNKNOWN_CONTEXT.to_owned();
    world
        .facts
        .planes
        .insert("nowhere".to_owned(), Err(nobody.clone()));
    world.datacenter("dc3").object = Seen::Unknown(nobody);
    world.templates()[0].size = 6;
    let plan = plan(&world.facts);
    assert!(
        holds(&plan).contains(&(reason::UNKNOWN_CONTEXT, Some("dc3"))),
        "{:?}",
        holds(&plan)
    );
    let changed: Vec<_> = plan
        .acts
        .iter()
        .filter(|act| act.reason() == "DatacenterChanged")
        .collect();
    assert_eq!(
        changed
            .iter()
            .filter_map(|act| act.datacenter())
            .collect::<Vec<_>>(),
        ["dc1"]
    );
}

#[test]
fn cc14_a_consent_that_was_left_does_not_count_for_the_next_of_that_name() {
    let mut world = World::complete();
    world.annotate(annotation::REMOVAL, "confirm");
    world.annotate(annotation::CONFIRM_REMOVAL, "uid-of-dc2");
    world.drop_from_spec("dc2");
    world.may_be_deleted("dc2", true);
    assert_eq!(
        reasons(&plan(&world.facts)),
        ["RecordWritten", "DatacenterRemoved"]
    );
    // It went, was added again, and is taken out once more.
    world.live("dc2").uid = "uid-of-the-second".to_owned();
    world.record().datacenters.get_mut("dc2").unwrap().uid = Some("uid-of-the-second".to_owned());
    let topology = world.facts.topology.as_mut().unwrap();
    topology.datacenters.get_mut("dc2").unwrap().uid = "uid-of-the-second".to_owned();
    assert_eq!(
        holds(&plan(&world.facts)),
        [(reason::REMOVAL_NOT_CONFIRMED, Some("dc2"))]
    );
}

#[test]
fn cc16_cc50_a_datacenter_does_not_move_nor_is_it_taken_out_and_added_in_one_edit() {
    let mut world = World::complete();
    let moved = |world: &mut World| world.templates().remove(1);
    let mut entry = moved(&mut world);
    entry.metadata.as_mut().unwrap().namespace = Some("other".to_owned());
    world.templates().push(entry);
    let field = |name: &str| {
        (
            reason::PLACEMENT_CHANGED.to_owned(),
            format!("spec.cassandra.datacenters[1].{name}"),
        )
    };
    assert_eq!(refused(&world), field("metadata.namespace"));

    let mut world = World::complete();
    let mut entry = moved(&mut world);
    entry.k8s_context = "east".to_owned();
    world.templates().push(entry);
    assert_eq!(refused(&world), field("k8sContext"));

    // The same again under the same name is no edit at all.
    let mut world = World::complete();
    let entry = moved(&mut world);
    world.templates().insert(0, entry);
    world.facts.kc.metadata.generation = Some(8);
    assert!(plan(&world.facts).acts.is_empty());
}

#[test]
fn cc24_all_datacenters_stop_one_after_another_and_none_founds_while_all_are_stopped() {
    let stop = |world: &mut World| {
        for datacenter in world.templates() {
            datacenter.stopped = true;
        }
    };
    let mut world = World::complete();
    stop(&mut world);
    let first = plan(&world.facts);
    assert_eq!(reasons(&first), ["DatacenterChanged"]);
    assert_eq!(holds(&first), [(reason::DATACENTER_NOT_READY, Some("dc2"))]);
    for (name, role) in [("dc1", Role::Founder), ("dc2", Role::Rebuild)] {
        world.make(name, role);
        world.live(name).stopped_wanted = true;
    }
    let done = plan(&world.facts);
    assert!(done.acts.is_empty() && done.report.complete, "{:?}", holds(&done));

    let mut world = World::new();
    stop(&mut world);
    let nobody = plan(&world.facts);
    assert!(holds(&nobody).contains(&(reason::STOPPED_BEFORE_FOUNDING, Some("dc1"))));
    assert!(!reasons(&nobody).contains(&"DatacenterCreated"));
}

#[test]
fn cc27_cc28_cc29_labels_of_upstream_are_enough_and_the_mark_of_another_cluster_is_not() {
    let kc = ClusterIdentity::of(&World::new().facts.kc);
    let marks = |uid: Option<&str>, name: &str, cleaned_up: bool| Marks {
        cluster_uid: uid.map(str::to_owned),
        cluster_name: Some(name.to_owned()),
        cluster_namespace: Some("ns".to_owned()),
        cleaned_up,
    };
    for (marks, owner) in [
        (Marks::default(), Owner::Foreign),
        (marks(None, "demo", true), Owner::Upstream),
        (marks(None, "demo", false), Owner::Foreign),
        (marks(None, "other", true), Owner::Foreign),
        (marks(Some("uid-of-another"), "other", true), Owner::Foreign),
        // A former cluster of this very name, or somebody who writes our name on his own.
        (marks(Some("uid-of-another"), "demo", true), Owner::Foreign),
        (marks(Some("kc-uid"), "other", false), Owner::Ours),
    ] {
        assert_eq!(marks.owner(&kc), owner, "{marks:?}");
    }
    for (owner, held) in [(Owner::Upstream, false), (Owner::Foreign, true)] {
        let mut world = World::complete();
        world.facts.record = RecordState::None;
        world.live("dc2").owner = owner;
        // Nobody but us notes of which input a datacenter was made.
        world.live("dc2").input_hash = None;
        world.written_before("dc2", |spec| spec["size"] = json!(2));
        let plan = plan(&world.facts);
        assert_eq!(
            holds(&plan).contains(&(reason::NOT_OWNED, Some("dc2"))),
            held,
            "{owner:?}"
        );
        let touched = plan.acts.iter().any(|act| act.datacenter() == Some("dc2"));
        assert!(!touched, "{:?}", reasons(&plan));
    }
}

/// The first made the datacenter, and the second finds it under the name of its own.
#[test]
fn cc30_two_clusters_of_one_name_do_not_share_a_datacenter() {
    let mut world = World::new();
    world.make("dc1", Role::Founder);
    world.live("dc1").owner = Owner::Foreign;
    let plan = plan(&world.facts);
    assert!(holds(&plan).contains(&(reason::NOT_OWNED, Some("dc1"))));
    assert!(
        plan.acts.iter().all(|act| act.datacenter().is_none()),
        "{:?}",
        reasons(&plan)
    );
}

#[test]
fn cc31_a_finalizer_that_somebody_took_off_is_put_back() {
    let mut world = World::complete();
    world.facts.kc.metadata.finalizers = None;
    let plan = plan(&world.facts);
    assert_eq!(reasons(&plan), ["RecordWritten"]);
    assert!(matches!(plan.acts[0], Act::WriteCluster { finalizer: true, .. }));
}

/// The API server puts a finalizer of its own there, and what the cluster was owned by is gone.
#[test]
fn cc32_cc62_however_a_cluster_is_deleted_its_datacenters_go_in_order_or_stay() {
    for by in [None, Some("foregroundDeletion"), Some("orphan")] {
        for keeps in [false, true] {
            let mut world = World::complete();
            let finalizers = world.facts.kc.metadata.finalizers.get_or_insert_default();
            finalizers.extend(by.map(str::to_owned));
            let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "gone"}]);
            world.facts.kc.metadata.owner_references = serde_json::from_value(owner).unwrap();
            world.delete();
            let expected = if keeps {
                "ClusterReleased"
            } else {
                "DatacenterDeleted"
            };
            if keeps {
                world.annotate(annotation::DELETION_POLICY, "Orphan");
            }
            let plan = plan(&world.facts);
            assert_eq!(reasons(&plan), [expected], "{by:?}");
            assert!(keeps || plan.acts[0].datacenter() == Some("dc1"));
        }
    }
}

/// A cache that is behind shows a deleted cluster as it was, and the live read that its datacenter is gone.
#[test]
fn cc34_what_a_deletion_took_is_not_made_again_by_an_old_view_of_the_cluster() {
    let mut world = World::complete();
    for (name, context) in [("dc1", "east"), ("dc2", "west")] {
        world.datacenter(name).object = absent(context, name);
    }
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
    assert_eq!(holds(&plan)[0], (reason::DATACENTER_VANISHED, Some("dc1")));
}

/// What was edited between two looks is one change, and the last edit is what counts.
#[test]
fn cc35_a_thousand_edits_cost_one_write_for_each_datacenter_that_they_change() {
    let mut world = World::complete();
    for edit in 0..1000 {
        world.facts.kc.metadata.generation = Some(8 + edit);
        sizes(&mut world, 4 + i32::try_from(edit % 90).unwrap());
    }
    sizes(&mut world, 5);
    for (name, role) in [("dc1", Role::Founder), ("dc2", Role::Rebuild)] {
        let changing = plan(&world.facts);
        let [Act::ApplyDatacenter { desired, .. }] = changing.acts.as_slice() else {
            panic!("{:?}", reasons(&changing))
        };
        assert_eq!((desired.name.as_str(), &desired.spec["size"]), (name, &json!(5)));
        world.make(name, role);
    }
    assert!(plan(&world.facts).report.complete);
}

#[test]
fn cc37_a_status_that_somebody_made_up_removes_nothing_and_lets_nobody_join() {
    let mut world = World::founded();
    world.make("dc2", Role::Rebuild);
    world.write_record();
    let before = reasons(&plan(&world.facts)).len();
    let made_up = json!({
        "conditions": [{"type": "CassandraInitialized", "status": "True"}],
        "datacenters": {"dc1": {"decommissionProgress": "Decommissioning"}, "dc9": {}},
        "observedGeneration": 99, "error": "no",
    });
    world.facts.kc.status = Some(serde_json::from_value(made_up).unwrap());
    let topology: TopologyReport = serde_json::from_value(json!({
        "format": 1, "observedGeneration": 7, "holds": [], "datacenters": {
            "dc1": {"uid": "uid-of-dc1", "planeId": "id-of-east", "joined": true, "mayBeDeleted": true},
            "dc2": {"uid": "made-up", "planeId": "id-of-west", "joined": true, "mayBeDeleted": true},
        },
    }))
    .unwrap();
    world.facts.topology = Some(topology);
    let plan_of = |world: &World| plan(&world.facts);
    assert_eq!(
        reasons(&plan_of(&world)).len(),
        before,
        "{:?}",
        reasons(&plan_of(&world))
    );
    assert_eq!(holds(&plan_of(&world)), [(reason::REBUILDING, Some("dc2"))]);
    world.drop_from_spec("dc2");
    assert_eq!(
        holds(&plan_of(&world)),
        [(reason::REPLICATION_UNKNOWN, Some("dc2"))]
    );
}

#[test]
fn cc46_a_new_size_waits_while_the_nodes_of_another_datacenter_leave() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.live("dc2").deleting = true;
    sizes(&mut world, 6);
    let plan = plan(&world.facts);
    assert!(plan.acts.is_empty(), "{:?}", reasons(&plan));
    assert_eq!(
        holds(&plan),
        [
            (reason::DATACENTER_NOT_READY, Some("dc1")),
            (reason::DECOMMISSIONING, Some("dc2"))
        ]
    );
    assert!(plan.report.datacenters["dc1"].pending_change.is_some());
}

fn two_of_three_leave() -> World {
    let mut world = with_third();
    world
        .facts
        .planes
        .insert("nowhere".to_owned(), Ok(super::world::plane_id("nowhere")));
    world.write_record();
    world.make("dc3", Role::Rebuild);
    world.write_record();
    world.record().datacenters.get_mut("dc3").unwrap().joined = true;
    world.drop_from_spec("dc2");
    world.may_be_deleted("dc2", true);
    let mut report = world.facts.topology.clone().unwrap();
    world.drop_from_spec("dc3");
    world.may_be_deleted("dc3", true);
    report
        .datacenters
        .extend(world.facts.topology.clone().unwrap().datacenters);
    world.facts.topology = Some(report);
    world
}

#[test]
fn c144_cc47_two_datacenters_that_leave_in_one_edit_go_one_after_the_other() {
    let mut world = two_of_three_leave();
    let removed = |world: &World| {
        let plan = plan(&world.facts);
        let acts = plan.acts.iter().filter(|act| act.reason() == "DatacenterRemoved");
        acts.filter_map(|act| act.datacenter().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(removed(&world), ["dc2"]);
    world.record().datacenters.get_mut("dc2").unwrap().leaving = Some(Leaving {
        uid: "uid-of-dc2".into(),
        generation: 8,
    });
    world.live("dc2").deleting = true;
    assert_eq!(removed(&world), Vec::<String>::new());
    let waits = plan(&world.facts);
    assert_eq!(
        holds(&waits),
        [
            (reason::DECOMMISSIONING, Some("dc2")),
            (reason::DATACENTER_NOT_READY, Some("dc3"))
        ]
    );
    world.datacenter("dc2").object = absent("west", "dc2");
    assert_eq!(removed(&world), ["dc3"]);
}

#[test]
fn cc48_the_last_datacenter_does_not_leave() {
    let mut world = World::complete();
    world.drop_from_spec("dc2");
    world.drop_from_spec("dc1");
    let field = "spec.cassandra.datacenters".to_owned();
    assert_eq!(refused(&world), (reason::NO_DATACENTERS.to_owned(), field));
}

#[test]
fn cc51_ten_thousand_consents_consent_to_nothing_else() {
    let given: Vec<String> = (0..10_000).map(|number| format!("uid-{number}")).collect();
    let annotations = [
        (annotation::REMOVAL.to_owned(), "confirm".to_owned()),
        (annotation::CONFIRM_REMOVAL.to_owned(), given.join(",")),
    ];
    let consent = RemovalConsent::of(Some(&annotations.into()));
    assert!(consent.covers("uid-77"));
    assert!(!consent.covers("uid") && !consent.covers("uid-77,uid-78") && !consent.covers(""));
}

#[test]
fn c043_cc53_a_superuser_s_secret_that_is_named_and_not_there_is_made() {
    let mut world = World::new();
    let cassandra = world.facts.kc.spec.cassandra.as_mut().unwrap();
    cassandra.superuser_secret_ref = serde_json::from_value(json!({"name": "mine"})).unwrap();
    world.facts.secrets = [("mine".to_owned(), SecretFacts::Missing)].into();
    let made = plan(&world.facts);
    let Some(Act::CreateSecret { secret }) = made.acts.get(1) else {
        panic!("{:?}", reasons(&made))
    };
    assert_eq!(secret.name, "mine");
    assert_eq!(holds(&made), [(reason::SECRETS_PENDING, Some("dc1"))]);
}

#[test]
fn cc54_a_superuser_s_secret_without_a_password_holds_new_datacenters() {
    let mut world = World::new();
    let SecretFacts::Present { uid, .. } = secret("s") else {
        panic!()
    };
    let incomplete = SecretFacts::Present {
        goes_with_cluster: None,
        uid,
        resource_version: "1".into(),
        labelled: true,
        missing_keys: vec!["password".to_owned()],
    };
    world
        .facts
        .secrets
        .insert("demo-superuser".to_owned(), incomplete);
    let held = plan(&world.facts);
    assert_eq!(reasons(&held), ["RecordWritten"]);
    assert_eq!(holds(&held), [(reason::SUPERUSER_SECRET_INCOMPLETE, None)]);
    assert!(held.report.holds[0].message.contains("`password`"));
}

#[test]
fn cc59_a_pause_in_the_middle_begins_nothing_and_undoes_nothing() {
    let mut world = World::founded();
    world.seeds_for_dc2();
    assert!(reasons(&plan(&world.facts)).contains(&"DatacenterCreated"));
    world.annotate(annotation::PAUSED, "true");
    let paused = plan(&world.facts);
    assert!(paused.acts.is_empty(), "{:?}", reasons(&paused));
    assert_eq!(holds(&paused), [(reason::PAUSED, None)]);
    world.annotate(annotation::PAUSED, "false");
    assert!(reasons(&plan(&world.facts)).contains(&"DatacenterCreated"));
}

#[test]
fn cc65_a_spec_that_is_applied_again_and_again_is_no_change() {
    let mut world = World::complete();
    for again in 0..10 {
        world.facts.kc.metadata.resource_version = Some(format!("{}", 100 + again));
        let fields = json!([{"manager": "kubectl", "operation": "Apply", "apiVersion": "k8ssandra.io/v1alpha1",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}, "time": format!("2026-01-01T00:00:0{again}Z")}]);
        world.facts.kc.metadata.managed_fields = serde_json::from_value(fields).unwrap();
        let plan = plan(&world.facts);
        assert!(
            plan.acts.is_empty() && plan.wants_live.is_empty(),
            "{:?}",
            reasons(&plan)
        );
    }
}
