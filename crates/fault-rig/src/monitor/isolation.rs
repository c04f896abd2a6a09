//! P12: with one plane faulty, the planes of the clusters that have nothing there are done as soon as without the fault.
//!
//! The datacenters of one cluster wait for each other (P7), so it is other clusters that must not notice.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{Place, Plan, What};
use crate::world::PLANES;

/// The one data plane that a plan makes faulty, if it does nothing else.
#[must_use]
pub fn faulty(plan: &Plan) -> Option<&'static str> {
    let plane = |place: &Place| match place {
        Place::Span { plane, .. } | Place::Some { plane, .. } | Place::Event { plane, .. } => Some(*plane),
        Place::Call { .. } | Place::After { .. } => None,
    };
    let of_a_program = |what: What| matches!(what, What::CrashBefore | What::CrashAfter | What::Crash(_));
    let first = plane(&plan.faults.first()?.place)?;
    let alone = plan
        .faults
        .iter()
        .all(|fault| plane(&fault.place) == Some(first) && !of_a_program(fault.what));
    (alone && PLANES.contains(&first)).then_some(first)
}

/// Planes that were done too late, given the journals of a run without faults and of one in which only `faulty` was.
#[must_use]
pub fn delayed(reference: &[String], journal: &[String], faulty: &str) -> Vec<String> {
    let independent = independent(reference, faulty);
    let (expected, found) = (last_writes(reference), last_writes(journal));
    let late = |plane: &str| {
        let (was, is) = (*expected.get(plane)?, found.get(plane));
        // 5 % and a second more; a journal has whole seconds, so that both may be off by one.
        let most = was + (was + 19) / 20 + 1;
        match is {
            None => Some(format!(
                "P12: nothing was done in {plane} while {faulty} was faulty"
            )),
            Some(is) if *is > most => Some(format!(
                "P12: {plane} was done after {is} s instead of {was} s while {faulty} was faulty"
            )),
            Some(_) => None,
        }
    };
    independent.into_iter().filter_map(late).collect()
}

/// The data planes of clusters that have no datacenter in `faulty`.
fn independent<'a>(journal: &'a [String], faulty: &str) -> BTreeSet<&'a str> {
    let mut planes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in journal {
        let Some((_, plane, rest)) = parts(line) else {
            continue;
        };
        if rest.contains(" create cassandradatacenters/")
            && let Some(uid) = cluster(rest)
        {
            planes.entry(uid).or_default().insert(plane);
        }
    }
    let touched: BTreeSet<&str> = planes
        .values()
        .filter(|of_one| of_one.contains(faulty))
        .flatten()
        .copied()
        .collect();
    let all = planes.values().flatten().copied();
    all.filter(|plane| !touched.contains(plane)).collect()
}

/// Seconds from the first write of all to the last one in each plane. That a plane is faulty is told of its ClientConfig.
fn last_writes(journal: &[String]) -> BTreeMap<&str, i64> {
    let lines = || {
        let lines = journal.iter().filter(|line| !line.contains(" clientconfigs/"));
        lines.filter_map(|line| parts(line))
    };
    let first = lines().map(|(at, ..)| at).min().unwrap_or_default();
    let mut last = BTreeMap::new();
    for (at, plane, _) in lines() {
        let known = last.entry(plane).or_insert(0);
        *known = (at - first).max(*known);
    }
    last
}

/// Time, plane, and the rest of a line.
fn parts(line: &str) -> Option<(i64, &str, &str)> {
    let (at, rest) = line.split_once(' ')?;
    let (plane, _) = rest.split_once(' ')?;
    Some((at.parse().ok()?, plane, rest))
}

/// The UID of the cluster in the body of a create.
fn cluster(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("\"ringspan.io/cluster-uid\":\"")?;
    rest.split_once('"').map(|(uid, _)| uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faulty_plane_is_the_only_one_that_the_plan_names() {
        let of = |faults: &str| faulty(&format!("scenario=S19-two seed=7 {faults}").parse().unwrap());
        let cut = |plane: &str| format!("fault=Partition:Silent plane={plane} from=1 until=9");
        assert_eq!(of(&cut("east")), Some("east"));
        assert_eq!(of(&format!("{0} {0}", cut("east"))), Some("east"));
        assert_eq!(of(&format!("{} {}", cut("east"), cut("west"))), None);
        assert_eq!(of("fault=Delay:1 plane=control-plane from=0 until=9"), None);
        assert_eq!(of("fault=CrashBefore program=cluster-reconciler write=1"), None);
    }

    fn made(at: u32, plane: &str, uid: &str) -> String {
        format!(
            "{at} {plane} ringspan-cluster-reconciler create cassandradatacenters/db/dc/ \
             {{\"annotations\":{{\"ringspan.io/cluster-uid\":\"{uid}\"}}}}"
        )
    }

    #[test]
    fn clusters_elsewhere_do_not_notice_a_faulty_plane() {
        let reference = [
            made(100, "east", "a"),
            made(120, "west", "b"),
            made(110, "north", "a"),
        ];
        let run = |north: u32, west: u32| {
            delayed(
                &reference,
                &[
                    made(100, "east", "a"),
                    made(west, "west", "b"),
                    made(north, "north", "a"),
                ],
                "east",
            )
        };
        assert_eq!(run(110, 120), [""; 0]);
        assert_eq!(run(110, 122), [""; 0]);
        assert_eq!(
            run(900, 120),
            [""; 0],
            "it is the faulty plane's own cluster that waits"
        );
        assert_eq!(
            run(110, 130),
            ["P12: west was done after 30 s instead of 20 s while east was faulty"]
        );
        let told = "900 west ringspan-client-registry patch clientconfigs/ringspan/east/status {}".to_owned();
        let with = [reference.to_vec(), vec![told]].concat();
        assert_eq!(delayed(&reference, &with, "east"), [""; 0]);
        let lines = delayed(&reference, &reference[..1], "east");
        assert_eq!(lines, ["P12: nothing was done in west while east was faulty"]);
    }
}
