//! What k8ssandra-operator made for add-ons beside datacenters that were taken over.

use api::addons::AddonKind;
use api::names::reason;
use api::record::Role;
use api::seen::Unknown;

use super::world::{World, holds, reasons, sentences, unknown};
use crate::cluster::facts::AddonObject;
use crate::cluster::plan;

fn left(kind: AddonKind, name: &str) -> AddonObject {
    AddonObject {
        kind,
        name: name.to_owned(),
        uid: format!("uid-of-{name}"),
        resource_version: "2".to_owned(),
    }
}

/// dc2 may be removed, and was there before us.
fn taken_over_and_leaving() -> World {
    let mut world = World::complete();
    world.record().datacenters.get_mut("dc2").expect("it is").role = Role::Adopted;
    world.drop_from_spec("dc2");
    world.may_be_deleted("dc2", true);
    world
}

#[test]
fn c143_stargate_and_reaper_of_a_datacenter_go_before_it_and_those_of_others_stay() {
    let mut world = taken_over_and_leaving();
    let asks = plan(&world.facts);
    assert_eq!(reasons(&asks), [""; 0]);
    assert!(asks.wants_addons.contains("dc2"), "{:?}", asks.wants_addons);

    world.datacenter("dc2").addons = Some(Ok(vec![
        left(AddonKind::Reaper, "demo-dc2-reaper"),
        left(AddonKind::Reaper, "demo-dc3-reaper"),
        left(AddonKind::Stargate, "demo-dc2-stargate"),
    ]));
    let deletes = plan(&world.facts);
    assert_eq!(
        sentences(&deletes),
        [
            "Delete what k8ssandra-operator made for add-ons, in namespace ns of plane west: Stargate demo-dc2-stargate, \
             Reaper demo-dc2-reaper"
        ]
    );
    world.datacenter("dc2").addons = Some(Ok(vec![left(AddonKind::Reaper, "demo-dc3-reaper")]));
    assert_eq!(
        reasons(&plan(&world.facts)),
        ["RecordWritten", "DatacenterRemoved"]
    );
}

#[test]
fn c151_whatever_carries_the_cluster_s_labels_goes_with_it() {
    let mut world = World::complete();
    for record in world.record().datacenters.values_mut() {
        record.role = Role::Adopted;
    }
    world.delete();
    assert_eq!(
        plan(&world.facts).wants_addons.iter().collect::<Vec<_>>(),
        ["dc1"]
    );
    world.datacenter("dc1").addons = Some(Ok(vec![
        left(AddonKind::Service, "demo-dc1-medusa-service"),
        left(AddonKind::CronJob, "demo-dc1-medusa-purge"),
        left(AddonKind::Deployment, "demo-dc1-medusa-standalone"),
    ]));
    let deletes = plan(&world.facts);
    assert_eq!(
        sentences(&deletes),
        [
            "Delete what k8ssandra-operator made for add-ons, in namespace ns of plane east: CronJob demo-dc1-medusa-purge, \
             Deployment demo-dc1-medusa-standalone, Service demo-dc1-medusa-service"
        ]
    );
    world.datacenter("dc1").addons = Some(Ok(Vec::new()));
    assert_eq!(reasons(&plan(&world.facts)), ["DatacenterDeleted"]);
}

#[test]
fn c151_a_datacenter_that_is_gone_already_leaves_nothing_behind() {
    let mut world = World::complete();
    world.record().datacenters.remove("dc2");
    world.record().datacenters.get_mut("dc1").expect("it is").role = Role::Adopted;
    world.delete();
    for (name, context) in [("dc1", "east"), ("dc2", "west")] {
        world.datacenter(name).object = super::world::absent(context, name);
        world.datacenter(name).config_maps = api::seen::Seen::Present(std::collections::BTreeMap::new());
    }
    let asks = plan(&world.facts);
    assert_eq!((reasons(&asks).len(), asks.wants_addons.len()), (0, 1));
    world.datacenter("dc1").addons = Some(Ok(vec![left(AddonKind::Reaper, "demo-dc1-reaper")]));
    assert_eq!(reasons(&plan(&world.facts)), ["AddonsDeleted"]);
    world.datacenter("dc1").addons = Some(Ok(Vec::new()));
    assert_eq!(reasons(&plan(&world.facts)), ["ClusterReleased"]);
}

#[test]
fn c151_nothing_is_looked_for_beside_datacenters_that_are_our_own() {
    let mut world = World::complete();
    world.delete();
    let deletes = plan(&world.facts);
    assert_eq!(reasons(&deletes), ["DatacenterDeleted"]);
    assert!(deletes.wants_addons.is_empty());
}

#[test]
fn c151_a_plane_that_does_not_tell_is_waited_for_and_one_that_forbids_is_not() {
    let mut world = taken_over_and_leaving();
    world.datacenter("dc2").addons = Some(Err(unknown("west")));
    let waits = plan(&world.facts);
    assert_eq!(holds(&waits), [(reason::PLANE_UNREACHABLE, Some("dc2"))]);
    assert_eq!(reasons(&waits), [""; 0]);
    world.datacenter("dc2").addons = Some(Err(Unknown {
        reason: reason::PLANE_FORBIDDEN.to_owned(),
        ..unknown("west")
    }));
    let goes_on = plan(&world.facts);
    assert_eq!(reasons(&goes_on), ["RecordWritten", "DatacenterRemoved"]);
    let warned: Vec<_> = goes_on
        .report
        .warnings
        .iter()
        .map(|it| it.reason.as_str())
        .collect();
    assert_eq!(warned, [reason::PLANE_FORBIDDEN]);
}
