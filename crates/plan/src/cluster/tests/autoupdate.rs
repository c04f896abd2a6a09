//! What cass-operator may change without a change of the spec.

use api::names::{annotation, reason};
use api::record::Role;
use api::reports::Effect;

use super::world::{World, holds, reasons};
use crate::cluster::acts::Act;
use crate::cluster::plan;

const OPERATORS: &str = annotation::DATACENTER_AUTOUPDATE_SPEC;
const NOTE: &str = annotation::UPDATES_ALLOWED;

/// For each act that hands a permission down: to which datacenter, and what.
fn handed_down(world: &World) -> Vec<(String, Option<String>)> {
    let acts = plan(&world.facts).acts;
    let handed = acts.into_iter().filter_map(|act| match act {
        Act::AllowUpdates {
            datacenter,
            permission,
        } => Some((datacenter.name, permission.map(|(value, _)| value))),
        _ => None,
    });
    handed.collect()
}

fn to(name: &str, value: &str) -> Vec<(String, Option<String>)> {
    vec![(name.to_owned(), Some(value.to_owned()))]
}

/// cass-operator is done with what it was allowed.
fn used_up(world: &mut World, name: &str, note: &str) {
    world.note(name, NOTE, note);
    world.live(name).binding.annotations.remove(OPERATORS);
}

#[test]
fn c112_a_permission_for_once_reaches_one_datacenter_after_the_other_and_is_then_used_up() {
    let mut world = World::complete();
    world.annotate(annotation::AUTOUPDATE_SPEC, "once");
    assert_eq!(handed_down(&world), to("dc1", "once"));
    let act = plan(&world.facts).acts.remove(0);
    assert_eq!((act.reason(), act.effect()), ("UpdatesAllowed", Effect::Restart));

    world.note("dc1", OPERATORS, "once");
    world.note("dc1", NOTE, "1");
    let waiting = plan(&world.facts);
    assert_eq!(reasons(&waiting), [""; 0]);
    let held = [
        (reason::PROGRESSING, Some("dc1")),
        (reason::DATACENTER_NOT_READY, Some("dc2")),
    ];
    assert_eq!(holds(&waiting), held);

    used_up(&mut world, "dc1", "1");
    assert_eq!(handed_down(&world), to("dc2", "once"));
    used_up(&mut world, "dc2", "1");
    assert_eq!(reasons(&plan(&world.facts)), ["RecordWritten"]);
}

#[test]
fn c112_the_next_permission_for_once_is_another_one() {
    let mut world = World::complete();
    world.record().updates_allowed = 1;
    for name in ["dc1", "dc2"] {
        used_up(&mut world, name, "1");
    }
    assert_eq!(reasons(&plan(&world.facts)), [""; 0]);
    world.annotate(annotation::AUTOUPDATE_SPEC, "once");
    assert_eq!(handed_down(&world), to("dc1", "once"));
}

#[test]
fn c112_a_lasting_permission_stays_until_the_user_takes_it_back() {
    let mut world = World::complete();
    world.annotate(annotation::AUTOUPDATE_SPEC, "always");
    assert_eq!(handed_down(&world), to("dc1", "always"));
    for name in ["dc1", "dc2"] {
        world.note(name, OPERATORS, "always");
        world.note(name, NOTE, "always");
    }
    assert_eq!(reasons(&plan(&world.facts)), [""; 0]);

    let annotations = world.facts.kc.metadata.annotations.as_mut().expect("some");
    annotations.remove(annotation::AUTOUPDATE_SPEC);
    let back = [("dc1".to_owned(), None), ("dc2".to_owned(), None)];
    assert_eq!(handed_down(&world), back);
}

#[test]
fn c112_what_somebody_else_has_allowed_is_left_alone() {
    let mut world = World::complete();
    for name in ["dc1", "dc2"] {
        world.note(name, OPERATORS, "always");
    }
    assert_eq!(reasons(&plan(&world.facts)), [""; 0]);
    world.annotate(annotation::AUTOUPDATE_SPEC, "once");
    assert_eq!(reasons(&plan(&world.facts)), ["RecordWritten"]);
}

#[test]
fn c112_what_we_change_ourselves_is_brought_up_to_date_with_it() {
    let mut world = World::complete();
    world.annotate(annotation::AUTOUPDATE_SPEC, "once");
    for template in world.templates() {
        template.size = 6;
    }
    let acts = plan(&world.facts).acts;
    let Some(Act::ApplyDatacenter { desired, .. }) = acts.first() else {
        panic!("{acts:?}")
    };
    assert_eq!(desired.annotations.get(NOTE).map(String::as_str), Some("1"));
}

#[test]
fn c112_a_paused_datacenter_is_waited_for_and_a_stopped_one_is_not() {
    let mut world = World::complete();
    world.annotate(annotation::AUTOUPDATE_SPEC, "once");
    world.live("dc1").paused = true;
    used_up(&mut world, "dc2", "1");
    let waiting = plan(&world.facts);
    assert_eq!(reasons(&waiting), [""; 0]);
    assert_eq!(holds(&waiting), [(reason::PAUSED, Some("dc1"))]);

    let mut world = World::complete();
    world.annotate(annotation::AUTOUPDATE_SPEC, "once");
    world.templates()[0].stopped = true;
    world.make("dc1", Role::Founder);
    world.live("dc1").stopped_wanted = true;
    used_up(&mut world, "dc2", "1");
    assert_eq!(reasons(&plan(&world.facts)), ["RecordWritten"]);
}
