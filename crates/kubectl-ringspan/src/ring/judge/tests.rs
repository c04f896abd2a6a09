//! Every condition, with what `nodetool` of Cassandra 5.0.6 printed; where a ring cannot be brought to break a condition
//! alone, a recording is changed in one place.

use super::*;
use crate::ring::expected::Words;

fn recorded(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded");
    std::fs::read_to_string(format!("{folder}/{name}.txt")).unwrap()
}

fn view(name: &str) -> View {
    View::of_status(name, &recorded(name)).unwrap()
}

fn changed(name: &str, from: &str, to: &str) -> View {
    let text = recorded(name);
    assert!(text.contains(from), "the recording has {from}");
    View::of_status(name, &text.replacen(from, to, 1)).unwrap()
}

fn expected(words: &[&str]) -> Expected {
    let words: Vec<Words> = words.iter().map(|it| it.parse().unwrap()).collect();
    Expected::of_words(&words)
}

const RING: [&str; 2] = ["dc1=2:r1,r2", "dc2=3:r1,r2,r3"];

fn said(words: &[&str], views: &[View], system_auth: &[View]) -> Vec<String> {
    let found = judge(&expected(words), views, system_auth);
    found.all().iter().map(ToString::to_string).collect()
}

/// What is wrong with the ring where dc1 sees it so and dc2 sees it whole.
fn seen_so(view: View) -> Vec<String> {
    said(&RING, &[], &[view, self::view("whole-from-dc2")])
}

fn whole() -> [View; 2] {
    [view("whole-from-dc1"), view("whole-from-dc2")]
}

fn begins(said: &[String], expected: &[&str]) {
    let all =
        said.len() == expected.len() && said.iter().zip(expected).all(|(it, begin)| it.starts_with(begin));
    assert!(all, "{said:#?}");
}

#[test]
fn a_whole_ring_has_no_finding() {
    begins(&said(&RING, &[], &whole()), &[]);
}

#[test]
fn a_datacenter_that_is_missing_is_one_finding() {
    let found = seen_so(view("one-datacenter"));
    begins(
        &found,
        &[
            "dc2: the ring has no such datacenter (one-datacenter); it has not joined",
            "dc1: 1 nodes, and the spec says 2 (one-datacenter)",
            "dc1: rack r2 has no node (one-datacenter)",
            "dc1: node 127.51.0.2 (rack r2): host id 7b1040f5-ab8b-480b-8ee3-993cec9c7ebe, which others show, is not in this view (one-datacenter)",
        ],
    );
}

#[test]
fn a_datacenter_that_nobody_asked_for_is_told_unless_it_is_external() {
    begins(
        &said(&RING[..1], &[], &whole()),
        &["dc2: nobody asked for this datacenter (whole-from-dc1, whole-from-dc2)"],
    );
    let mut with_external = expected(&RING[..1]);
    with_external.external = vec!["dc2".to_owned()];
    assert!(judge(&with_external, &[], &whole()).all().is_empty());
    let without_it = judge(&with_external, &[], &[view("one-datacenter")]);
    assert!(
        without_it.all()[0]
            .to_string()
            .starts_with("dc2: the ring has no such datacenter")
    );
}

#[test]
fn a_node_that_joins_is_told_and_owns_nothing_yet() {
    begins(
        &seen_so(view("joining")),
        &[
            "dc2: node 127.51.1.113 (rack r3): UJ: it joins (joining); wait",
            "dc2: node 127.51.1.113 (rack r3): what it owns of system_auth is not told (joining)",
        ],
    );
}

#[test]
fn a_node_that_leaves_or_is_down_is_told_in_every_view_that_shows_it() {
    let leaving = seen_so(view("leaving"));
    assert!(leaving[0].starts_with("dc2: node 127.51.1.113 (rack r3): UL: it leaves (leaving); wait"));
    let twice = said(&["dc1=2:r1,r2", "dc2=2:r1,r2"], &[view("down")], &[view("down")]);
    begins(
        &twice,
        &["dc2: node 127.51.1.2 (rack r2): DN: it is down, as this node sees it (down); look at its pod"],
    );
    let started = said(
        &["dc1=2:r1,r2", "dc2=2:r1,r2"],
        &[],
        &[view("down"), view("just-started")],
    );
    assert_eq!(started.len(), 3, "{started:#?}");
    assert!(started[0].contains("(down, just-started)"), "{started:#?}");
    for (letters, told) in [("UM", "UM: it moves"), ("?N", "?N: nobody knows how it is")] {
        let found = seen_so(changed("whole-from-dc1", "UN", letters));
        assert!(found.concat().contains(told), "{found:#?}");
    }
}

#[test]
fn too_many_and_too_few_nodes_are_told() {
    begins(
        &said(&["dc1=3:r1,r2", "dc2=3:r1,r2,r3"], &[], &whole()),
        &["dc1: 2 nodes, and the spec says 3 (whole-from-dc1, whole-from-dc2); look at the pods"],
    );
    begins(
        &said(&["dc1=1:r1,r2", "dc2=3:r1,r2,r3"], &[], &whole()),
        &["dc1: 2 nodes, and the spec says 1 (whole-from-dc1, whole-from-dc2); nodes that are not wanted"],
    );
}

#[test]
fn a_rack_without_a_node_and_one_that_the_spec_has_not_are_told() {
    begins(
        &seen_so(changed("whole-from-dc1", "r3", "r4")),
        &[
            "dc2: node 127.51.1.113 (rack r4): the spec has no rack \"r4\" (whole-from-dc1)",
            "dc2: rack r3 has no node (whole-from-dc1)",
        ],
    );
}

#[test]
fn racks_that_differ_by_one_node_are_even_and_by_two_are_not() {
    let even = said(
        &["dc1=2:r1,r2", "dc2=3:r1,r2"],
        &[],
        &[changed("whole-from-dc1", "r3", "r1"), view("whole-from-dc2")],
    );
    begins(
        &even,
        &["dc2: node 127.51.1.113 (rack r3): the spec has no rack \"r3\" (whole-from-dc2)"],
    );
    let text = recorded("whole-from-dc1")
        .replace("  r3  ", "  r1  ")
        .replace("  r2  ", "  r1  ");
    let uneven = View::of_status("uneven", &text).unwrap();
    let found = said(&["dc1=2:r1", "dc2=3:r1,r2"], &[], &[uneven]);
    assert!(
        found
            .iter()
            .any(|it| it.starts_with("dc2: its racks differ by more than one node: r1: 3, r2: 0 (uneven)")),
        "{found:#?}"
    );
}

#[test]
fn two_nodes_with_one_host_id_and_a_node_with_none_are_told() {
    let (first, second) = (
        "7b1040f5-ab8b-480b-8ee3-993cec9c7ebe",
        "f524a206-2c29-451a-8890-353abd86dbb9",
    );
    begins(
        &said(
            &RING,
            &[],
            &[
                changed("whole-from-dc1", second, first),
                changed("whole-from-dc2", second, first),
            ],
        ),
        &[
            "dc1: node 127.51.0.1 (rack r1): host id 7b1040f5-ab8b-480b-8ee3-993cec9c7ebe is also that of node 127.51.0.2 (rack r2) in dc1",
        ],
    );
    begins(
        &said(
            &RING,
            &[],
            &[
                changed("whole-from-dc1", second, "null"),
                changed("whole-from-dc2", second, "null"),
            ],
        ),
        &["dc1: node 127.51.0.1 (rack r1): it has no host id (whole-from-dc1, whole-from-dc2)"],
    );
}

#[test]
fn views_that_show_different_host_ids_are_not_of_one_ring() {
    let other = "00000000-480b-480b-8ee3-993cec9c7ebe";
    begins(
        &seen_so(changed(
            "whole-from-dc1",
            "7b1040f5-ab8b-480b-8ee3-993cec9c7ebe",
            other,
        )),
        &[
            "dc1: node 127.51.0.2 (rack r2): host id 7b1040f5-ab8b-480b-8ee3-993cec9c7ebe, which others show, is not in this view (whole-from-dc1)",
            "dc1: node 127.51.0.2 (rack r2): host id 00000000-480b-480b-8ee3-993cec9c7ebe, which others show, is not in this view (whole-from-dc2)",
        ],
    );
}

#[test]
fn one_view_of_two_datacenters_is_too_few() {
    begins(
        &said(&RING, &[], &whole()[..1]),
        &["1 views of 2 datacenters; give what a node of each"],
    );
}

#[test]
fn without_what_is_owned_of_system_auth_no_ring_is_whole() {
    begins(
        &said(&RING, &whole(), &[]),
        &["nobody says who owns system_auth; give"],
    );
    let words = ["dc1=2:r1,r2", "dc2=2:r1,r2"];
    let unknown = said(&words, &[view("down")], &[view("no-ownership")]);
    assert!(
        unknown
            .iter()
            .any(|it| it.contains("what it owns of system_auth is not told (no-ownership)"))
    );
}

#[test]
fn a_datacenter_that_system_auth_is_not_replicated_to_is_told() {
    let words = ["dc1=2:r1,r2", "dc2=2:r1,r2"];
    let found = said(
        &words,
        &[],
        &[view("before-replication"), view("before-replication")],
    );
    begins(
        &found,
        &[
            "dc1: node 127.51.0.2 (rack r2): it owns 37.9 % of system_auth, not 100.0 % (before-replication)",
            "dc1: node 127.51.0.1 (rack r1): it owns 62.1 %",
            "dc2: node 127.51.1.2 (rack r2): it owns 0.0 % of system_auth, not 100.0 % (before-replication); alter",
            "dc2: node 127.51.1.1 (rack r1): it owns 0.0 %",
        ],
    );
    let fewer = said(&RING, &[], &[view("two-copies-on-three"), view("whole-from-dc2")]);
    assert_eq!(fewer.len(), 3, "{fewer:#?}");
}

#[test]
fn more_nodes_than_copies_share_what_there_is_of_it() {
    let nodes = |owns: [u32; 4]| -> View {
        let node = |(at, owns): (usize, u32)| Node {
            datacenter: "dc1".to_owned(),
            rack: "r1".to_owned(),
            state: "UN".to_owned(),
            address: format!("127.0.0.{at}"),
            host_id: Some(at.to_string()),
            owns: Some(owns),
        };
        View {
            source: "four".to_owned(),
            nodes: owns.into_iter().enumerate().map(node).collect(),
        }
    };
    begins(&said(&["dc1=4:r1"], &[], &[nodes([751, 749, 750, 751])]), &[]);
    begins(
        &said(&["dc1=4:r1"], &[], &[nodes([500, 500, 500, 500])]),
        &["dc1: its nodes own 200.0 % of system_auth together, not 300.0 % (four)"],
    );
}
