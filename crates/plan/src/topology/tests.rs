//! The main walk, and that nothing is due when all is done. Rules of one file are tested in that file.

use serde_json::json;

use api::record::Role;
use api::seen::Seen;

use super::fixture::*;
use super::*;

#[test]
fn two_datacenters_take_nine_writes_and_their_keyspaces() {
    let mut input = nothing();
    assert_eq!(converge(&mut input), Vec::<String>::new());

    bring_up(&mut input, 1);
    assert_eq!(
        converge(&mut input),
        [
            "Create EndpointSlice db/demo-dc2-additional-seed-service-ipv4 in plane west",
            "Create Service db/demo-dc1-contact-points-service in the control plane",
            "Create EndpointSlice db/demo-dc1-contact-points-service-ipv4 in the control plane",
            "Create keyspace system_traces with replicas {dc1: 3}, through datacenter dc1",
            "Create keyspace system_distributed with replicas {dc1: 3}, through datacenter dc1",
            "Create keyspace system_auth with replicas {dc1: 3}, through datacenter dc1",
        ]
    );
    assert!(!report(&input).complete);
    assert!(report(&input).datacenters["dc1"].joined);

    bring_up(&mut input, 2);
    assert_eq!(
        converge(&mut input),
        [
            "Create EndpointSlice db/demo-demo-dc1-additional-seed-service-ipv4 in plane east",
            "Create EndpointSlice db/demo-demo-dc2-additional-seed-service-ipv4 in plane west",
            "Delete EndpointSlice db/demo-dc2-additional-seed-service-ipv4 in plane west",
            "Create Service db/demo-dc2-contact-points-service in the control plane",
            "Create EndpointSlice db/demo-dc2-contact-points-service-ipv4 in the control plane",
            "Create keyspace system_traces with replicas {dc1: 3, dc2: 3}, through datacenter dc1",
            "Create keyspace system_distributed with replicas {dc1: 3, dc2: 3}, through datacenter dc1",
            "Create keyspace system_auth with replicas {dc1: 3, dc2: 3}, through datacenter dc1",
            "Create CassandraTask db/dc2-rebuild in plane west",
        ]
    );
    assert_eq!(holds(&input), ["Rebuilding"]);
    assert!(!report(&input).complete);

    finish_rebuild(&mut input, 2);
    assert_eq!(converge(&mut input), Vec::<String>::new());
    let report = report(&input);
    assert!(report.complete);
    assert!(report.datacenters["dc2"].joined);
    assert_eq!(report.datacenters["dc2"].plane_id.0, "plane-2");
    assert_eq!(
        serde_json::to_value(&report.system_replication).unwrap(),
        json!({ "dc1": 3, "dc2": 3 })
    );
}

#[test]
fn a_converged_cluster_gives_no_acts_and_no_asks_and_the_same_report() {
    let input = two_datacenters();
    let plan = planned(&input);
    assert_eq!(plan.acts, []);
    assert_eq!(plan.asks, []);
    assert_eq!(plan.report, input.cluster.report);
    assert_eq!(plan.next_check, None);
}

#[test]
fn a_lost_report_is_made_again_without_a_write() {
    let mut input = two_datacenters();
    let before = input.cluster.report.take();
    let first = planned(&input);
    assert_eq!(first.acts, []);
    assert_eq!(
        first.asks,
        [Ask::System {
            via: "dc1".to_owned(),
            keyspaces: ["system_traces", "system_distributed", "system_auth"]
                .map(str::to_owned)
                .to_vec(),
        }]
    );
    let wanted = replicas(&before.as_ref().unwrap().system_replication);
    let keyspaces =
        ["system_traces", "system_distributed", "system_auth"].map(|name| (name.to_owned(), wanted.clone()));
    input
        .answers
        .system
        .insert("dc1".to_owned(), Ok(keyspaces.into()));
    assert_eq!(planned(&input).report, before);
}

#[test]
fn a_plane_that_goes_dark_after_all_is_done_changes_nothing() {
    let mut input = two_datacenters();
    let site = &mut input.sites[1];
    site.seen = Seen::Unknown(unknown("west"));
    site.seeds = Err(unknown("west"));
    site.slices = Err(unknown("west"));
    site.pods = Err(unknown("west"));
    site.rebuild = Seen::Unknown(unknown("west"));
    let plan = planned(&input);
    assert_eq!((plan.acts, plan.asks), (vec![], vec![]));
    assert_eq!(plan.report, input.cluster.report);
}

#[test]
fn a_plane_that_is_dark_before_all_is_done_is_named() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    input.sites[1].seen = Seen::Unknown(unknown("west"));
    input.sites[1].slices = Err(unknown("west"));
    let written = converge(&mut input);
    assert!(
        written
            .iter()
            .any(|act| act.contains("demo-dc1-contact-points-service")),
        "{written:?}"
    );
    let report = report(&input);
    assert_eq!(report.holds[0].reason, "PlaneUnreachable");
    assert_eq!(report.holds[0].context.as_deref(), Some("west"));
}

#[test]
fn a_cluster_that_is_paused_or_deleted_gets_nothing() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    input.cluster.paused = true;
    assert_eq!(planned(&input), TopologyPlan::default());
    input.cluster.paused = false;
    input.cluster.deleting = true;
    assert_eq!(planned(&input), TopologyPlan::default());
}

#[test]
fn a_new_generation_is_answered_after_one_look_at_the_keyspaces() {
    let mut input = two_datacenters();
    input.cluster.generation = 2;
    assert_eq!(planned(&input).asks.len(), 1);
    let wanted = replicas(&input.cluster.report.as_ref().unwrap().system_replication);
    let keyspaces =
        ["system_traces", "system_distributed", "system_auth"].map(|name| (name.to_owned(), wanted.clone()));
    input
        .answers
        .system
        .insert("dc1".to_owned(), Ok(keyspaces.into()));
    let report = report(&input);
    assert_eq!((report.observed_generation, report.complete), (2, true));
}

#[test]
fn a_datacenter_of_somebody_else_is_left_alone() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    let Seen::Present(datacenter) = &mut input.sites[0].seen else {
        panic!()
    };
    datacenter.cluster_uid = Some("another".to_owned());
    assert_eq!(sentences(&input), Vec::<String>::new());
    assert_eq!(planned(&input).asks, []);
}

#[test]
fn another_datacenter_than_the_recorded_one_is_left_alone() {
    let mut input = nothing();
    bring_up(&mut input, 1);
    input.sites[0].record = Some(recorded(Role::Founder, 9));
    assert_eq!(sentences(&input), Vec::<String>::new());
}

#[test]
fn a_report_on_the_way_waits_and_the_last_one_does_not() {
    let done = two_datacenters().cluster.report.unwrap();
    let mut on_the_way = done.clone();
    on_the_way.complete = false;
    assert!(can_wait(None, &on_the_way));
    assert!(!can_wait(Some(&on_the_way), &done));
    assert!(!can_wait(None, &done));
    assert!(can_wait(Some(&done), &on_the_way));
    let mut verdict = on_the_way.clone();
    verdict.datacenters.get_mut("dc2").unwrap().may_be_deleted = Some(false);
    assert!(!can_wait(Some(&on_the_way), &verdict));
}

#[test]
fn pods_that_are_not_ready_are_reported_of_datacenters_where_nobody_is_at_work() {
    let mut input = two_datacenters();
    let down = |input: &mut TopologyInput, n: usize| {
        let slice = &mut input.sites[n - 1].pods.as_mut().unwrap()[0];
        slice.not_serving = ["p1".to_owned()].into();
    };
    down(&mut input, 1);
    down(&mut input, 2);
    let Seen::Present(own) = &mut input.sites[1].seen else {
        panic!("no dc2")
    };
    own.ready = false;
    let report = report(&input);
    assert_eq!(report.datacenters["dc1"].not_serving, ["p1"]);
    assert!(report.datacenters["dc2"].not_serving.is_empty());
    assert!(report.complete);
}
