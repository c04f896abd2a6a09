use std::net::Ipv4Addr;

use tokio::time::Instant;

use super::*;

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, 0, last)
}

fn node(plane: &str, pod: &str) -> NodeId {
    NodeId {
        plane: plane.into(),
        namespace: "ns".into(),
        pod: pod.into(),
    }
}

fn identity(datacenter: &str) -> Identity {
    Identity {
        cluster: "ring".into(),
        datacenter: datacenter.into(),
        rack: "r1".into(),
        tokens: 16,
        system_replication: Replication::new(),
    }
}

/// Runs and starts a node of `datacenter` in the plane of that name, and lets it look for its ring.
fn boot(world: &mut World, datacenter: &str, last: u8, seeds: &[u8]) -> (NodeId, Boot) {
    let id = node(datacenter, &format!("{datacenter}-{last}"));
    world.pod_runs(&id, identity(datacenter), address(last), &format!("disk-{last}"));
    world.start(&id);
    let seeds: Vec<_> = seeds.iter().map(|last| address(*last)).collect();
    let boot = world.boot(&id, &seeds, &format!("host-{last}"));
    (id, boot)
}

fn over(factors: &[(&str, u32)]) -> Replication {
    factors
        .iter()
        .map(|(name, factor)| ((*name).to_owned(), *factor))
        .collect()
}

#[test]
fn the_founding_table_holds() {
    let own = address(1);
    let live = |ring: &'static [u8]| move |seed: Ipv4Addr| ring.contains(&seed.octets()[3]).then_some(7);
    // own address a seed, nobody else answers: founds, also behind a closed port
    assert_eq!(decide(own, &[own], live(&[])), Decision::Found);
    assert_eq!(decide(own, &[own, address(2)], live(&[])), Decision::Found);
    // a live other seed is joined, whether the own address is a seed or not
    assert_eq!(
        decide(own, &[own, address(2)], live(&[2])),
        Decision::Join {
            via: address(2),
            ring: 7
        }
    );
    assert_eq!(
        decide(own, &[address(2)], live(&[2])),
        Decision::Join {
            via: address(2),
            ring: 7
        }
    );
    // no seed at all, or none that answers: waits
    assert_eq!(decide(own, &[], live(&[])), Decision::Wait);
    assert_eq!(decide(own, &[address(2)], live(&[])), Decision::Wait);
}

#[test]
fn two_datacenters_that_do_not_know_each_other_are_two_rings() {
    let mut world = World::default();
    assert_eq!(boot(&mut world, "dc1", 1, &[1]).1, Boot::Founded);
    assert_eq!(boot(&mut world, "dc2", 2, &[2]).1, Boot::Founded);
    assert_eq!(world.rings_by_cluster(), [("ring".to_owned(), 2)].into());
}

#[test]
fn a_seed_behind_a_closed_port_is_not_joined() {
    let mut world = World::default();
    boot(&mut world, "dc1", 1, &[1]);
    world.set_reachable("dc1", "dc2", false);
    assert_eq!(boot(&mut world, "dc2", 2, &[1]).1, Boot::Waiting);
    assert_eq!(boot(&mut world, "dc2", 3, &[1, 3]).1, Boot::Founded);
    world.set_reachable("dc2", "dc1", true);
    assert_eq!(
        world.boot(&node("dc2", "dc2-2"), &[address(1)], "host-2"),
        Boot::Joined(address(1))
    );
}

#[test]
fn a_pod_that_comes_back_is_the_same_member_at_a_new_address() {
    let mut world = World::default();
    let (first, _) = boot(&mut world, "dc1", 1, &[1]);
    world.pod_gone(&first);
    assert!(world.nodetool().contains("DN  198.18.0.1"));
    world.pod_runs(&first, identity("dc1"), address(9), "disk-1");
    world.start(&first);
    assert_eq!(world.boot(&first, &[], "other"), Boot::Restarted);
    assert!(world.nodetool().contains("UN  198.18.0.9"));
    assert!(world.nodetool().contains("host-1"));
}

#[test]
fn a_deleted_claim_leaves_a_dead_member_and_may_lose_data() {
    let mut world = World::default();
    let (first, _) = boot(&mut world, "dc1", 1, &[1]);
    world.create_keyspace(&first, "ks", &over(&[("dc1", 1)])).unwrap();
    world.pod_gone(&first);
    world.disk_gone("disk-1");
    let report = world.report();
    assert_eq!(report.pointer("/rings/0/lost/0").unwrap(), "ks");
    assert_eq!(report.pointer("/rings/0/nodes/0/state").unwrap(), "DN");
    assert_eq!(world.rings_by_cluster(), [].into());
}

#[test]
fn a_new_datacenter_lacks_data_until_it_is_rebuilt() {
    let mut world = World::default();
    let (first, _) = boot(&mut world, "dc1", 1, &[1]);
    world.create_keyspace(&first, "ks", &over(&[("dc1", 1)])).unwrap();
    let (second, _) = boot(&mut world, "dc2", 2, &[1]);
    let refused = world.alter_keyspace(&first, "ks", &over(&[("dc9", 1)]));
    assert_eq!(
        refused,
        Err(RingError::UnknownDatacenter("dc9".into(), "ks".into()))
    );
    world
        .alter_keyspace(&first, "ks", &over(&[("dc1", 1), ("dc2", 1)]))
        .unwrap();
    let missing = |world: &World| world.rings[&1].keyspaces["ks"].missing.len();
    assert_eq!(missing(&world), 1);

    let now = Instant::now();
    world
        .submit("bad", &second, JobKind::Rebuild { source: "dc0".into() }, now)
        .unwrap();
    assert!(matches!(
        world.job("bad", now).unwrap().state,
        JobState::Failed(_)
    ));
    let due = now + std::time::Duration::from_secs(3);
    world
        .submit("good", &second, JobKind::Rebuild { source: "dc1".into() }, due)
        .unwrap();
    assert_eq!(world.job("good", now).unwrap().state, JobState::Waiting);
    assert_eq!(missing(&world), 1);
    assert_eq!(world.job("good", due).unwrap().state, JobState::Completed);
    assert_eq!(missing(&world), 0);
    assert_eq!(
        world.report().pointer("/rings/0/streams/0/keyspaces/0").unwrap(),
        "ks"
    );
}

#[test]
fn removing_the_only_datacenter_with_data_from_the_replication_loses_it() {
    let mut world = World::default();
    let (first, _) = boot(&mut world, "dc1", 1, &[1]);
    world.create_keyspace(&first, "ks", &over(&[("dc1", 1)])).unwrap();
    boot(&mut world, "dc2", 2, &[1]);
    world.alter_keyspace(&first, "ks", &over(&[("dc2", 1)])).unwrap();
    assert!(world.rings[&1].keyspaces["ks"].lost);
}

#[test]
fn a_decommissioned_node_leaves_no_member_behind() {
    let mut world = World::default();
    boot(&mut world, "dc1", 1, &[1]);
    let (second, _) = boot(&mut world, "dc1", 2, &[1]);
    world.decommission(&second).unwrap();
    assert!(world.nodetool().contains("UL  198.18.0.2"));
    world.left(&second);
    world.pod_gone(&second);
    assert_eq!(world.rings[&1].members.len(), 1);
}

#[test]
fn a_node_of_another_cluster_is_never_joined() {
    let mut world = World::default();
    boot(&mut world, "dc1", 1, &[1]);
    let id = node("dc2", "other");
    let stranger = Identity {
        cluster: "another".into(),
        ..identity("dc2")
    };
    world.pod_runs(&id, stranger, address(5), "disk-5");
    world.start(&id);
    assert_eq!(world.boot(&id, &[address(1)], "host-5"), Boot::Waiting);
}

#[test]
fn the_founder_decides_how_system_keyspaces_are_replicated() {
    let mut world = World::default();
    let id = node("dc1", "a");
    let founder = Identity {
        system_replication: over(&[("dc1", 3), ("dc2", 3)]),
        ..identity("dc1")
    };
    world.pod_runs(&id, founder, address(1), "d");
    world.start(&id);
    world.boot(&id, &[address(1)], "h");
    let keyspace = &world.rings[&1].keyspaces["system_auth"];
    assert_eq!((keyspace.replicas("dc1"), keyspace.replicas("dc2")), (3, 3));
}

#[test]
fn roles_need_a_quorum_of_the_copies_that_there_should_be() {
    let mut world = World::default();
    let (first, _) = boot(&mut world, "dc1", 1, &[1]);
    let (second, _) = boot(&mut world, "dc1", 2, &[1]);
    let wanted = over(&[("dc1", 3)]);
    world.alter_keyspace(&first, "system_auth", &wanted).unwrap();
    assert_eq!(world.make_role(&first, "admin", true), Ok(()));
    world.decommission(&second).unwrap();
    world.left(&second);
    let refused = world.make_role(&first, "other", false).unwrap_err().to_string();
    assert!(
        refused.contains("1 nodes are up for 3 copies of system_auth in dc1"),
        "{refused}"
    );
    let fewer = over(&[("dc1", 1)]);
    world.alter_keyspace(&first, "system_auth", &fewer).unwrap();
    assert_eq!(world.make_role(&first, "other", false), Ok(()));
    assert_eq!(world.rings[&1].roles.len(), 3);

    // In every datacenter, and not only where it is asked for.
    let (third, _) = boot(&mut world, "dc2", 3, &[1]);
    let both = over(&[("dc1", 1), ("dc2", 1)]);
    world.alter_keyspace(&first, "system_auth", &both).unwrap();
    assert_eq!(world.make_role(&first, "more", false), Ok(()));
    world.pod_gone(&third);
    let refused = world.make_role(&first, "more", false).unwrap_err().to_string();
    assert!(
        refused.contains("0 nodes are up for 1 copies of system_auth in dc2"),
        "{refused}"
    );
}
