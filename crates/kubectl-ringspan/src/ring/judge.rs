//! The conditions under which a ring is whole.
//!
//! All up and normal shows membership alone: a datacenter that owns nothing of `system_auth` has no logins of its own. So
//! the part of the data that each node owns is a condition, too.

use std::collections::{BTreeMap, BTreeSet};

use super::expected::{Datacenter, Expected};
use super::findings::{Findings, named};
use super::view::{Node, View};

/// Everything that keeps the ring from being whole: `views` are what nodes say of it, and those of `system_auth` also of
/// who owns how much of that keyspace.
#[must_use]
pub fn judge(expected: &Expected, views: &[View], system_auth: &[View]) -> Findings {
    let mut found = Findings::default();
    let all: Vec<&View> = views.iter().chain(system_auth).collect();
    for view in &all {
        membership(expected, view, &mut found);
        for (name, datacenter) in &expected.datacenters {
            if view.of_datacenter(name).next().is_some() {
                shape(name, datacenter, view, &mut found);
            }
        }
        host_ids(view, &mut found);
    }
    agreement(&all, &mut found);
    if all.len() < expected.datacenters.len() {
        let wrong = format!(
            "{} views of {} datacenters",
            all.len(),
            expected.datacenters.len()
        );
        found.add(
            "",
            "",
            "",
            wrong,
            "give what a node of each datacenter says: one that is cut off sees a ring of its own",
        );
    }
    for view in system_auth {
        for (name, datacenter) in &expected.datacenters {
            ownership(name, datacenter, view, &mut found);
        }
    }
    if system_auth.is_empty() {
        let wrong = "nobody says who owns system_auth".to_owned();
        found.add(
            "",
            "",
            "",
            wrong,
            "give the output of `nodetool status system_auth` with --system-auth",
        );
    }
    found
}

/// Exactly the expected datacenters, and every node up and normal.
fn membership(expected: &Expected, view: &View, found: &mut Findings) {
    let there: BTreeSet<&str> = view.nodes.iter().map(|node| node.datacenter.as_str()).collect();
    let managed = expected.datacenters.keys();
    for name in managed
        .chain(&expected.external)
        .filter(|name| !there.contains(name.as_str()))
    {
        let advice =
            "it has not joined, or joined a ring of its own: look at its CassandraDatacenter and its seeds";
        found.add(
            &view.source,
            name,
            "",
            "the ring has no such datacenter".to_owned(),
            advice,
        );
    }
    let is_expected =
        |name: &str| expected.datacenters.contains_key(name) || expected.external.iter().any(|it| it == name);
    for name in there.iter().filter(|name| !is_expected(name)) {
        let advice = "if it shall stay, name it in the spec; if not, decommission its nodes";
        found.add(
            &view.source,
            name,
            "",
            "nobody asked for this datacenter".to_owned(),
            advice,
        );
    }
    for node in view.nodes.iter().filter(|node| node.state != "UN") {
        let (wrong, advice) = state(&node.state);
        found.add(
            &view.source,
            &node.datacenter,
            &named(node),
            format!("{}: {wrong}", node.state),
            advice,
        );
    }
}

/// What two letters mean, and what to do about them.
fn state(letters: &str) -> (&'static str, &'static str) {
    match letters {
        "UJ" => ("it joins", "wait until it has its data, and look again"),
        "UL" => (
            "it leaves",
            "wait until it is gone, and look again; if it shall stay, restart it before it is gone",
        ),
        "UM" => ("it moves", "wait until it has moved, and look again"),
        _ if letters.starts_with('D') => (
            "it is down, as this node sees it",
            "look at its pod and its log, and at the way between the two",
        ),
        _ => ("nobody knows how it is", "look at its pod and its log"),
    }
}

/// As many nodes as asked for, in every rack, spread evenly.
fn shape(name: &str, datacenter: &Datacenter, view: &View, found: &mut Findings) {
    let nodes = view.of_datacenter(name);
    let count = nodes.clone().count();
    if count != datacenter.size {
        let wrong = format!("{count} nodes, and the spec says {}", datacenter.size);
        let advice = if count < datacenter.size {
            "look at the pods of the datacenter: those that are missing have not joined"
        } else {
            "nodes that are not wanted any more must be decommissioned, or removed where they are gone for good"
        };
        found.add(&view.source, name, "", wrong, advice);
    }
    let mut sizes: BTreeMap<&str, usize> = datacenter
        .racks
        .iter()
        .map(|rack| (rack.name.as_str(), 0))
        .collect();
    for node in nodes {
        if datacenter.has_rack(&node.rack) {
            *sizes.entry(&node.rack).or_default() += 1;
        } else {
            let wrong = format!("the spec has no rack {:?}", node.rack);
            let advice = "a node keeps the rack that it joined with: decommission it, and let it join anew";
            found.add(&view.source, name, &named(node), wrong, advice);
        }
    }
    for (rack, _) in sizes.iter().filter(|(_, size)| **size == 0) {
        let advice = "look at the pods of the rack: their workers, their volumes, their logs";
        found.add(&view.source, name, "", format!("rack {rack} has no node"), advice);
    }
    let (least, most) = (sizes.values().min().copied(), sizes.values().max().copied());
    if most.unwrap_or_default() > least.unwrap_or_default() + 1 {
        let told: Vec<String> = sizes
            .iter()
            .map(|(rack, size)| format!("{rack}: {size}"))
            .collect();
        let wrong = format!("its racks differ by more than one node: {}", told.join(", "));
        found.add(
            &view.source,
            name,
            "",
            wrong,
            "data is spread over racks, so the small ones hold more of it: look why nodes are missing there",
        );
    }
}

/// Each node has one, of its own.
fn host_ids(view: &View, found: &mut Findings) {
    let mut holders: BTreeMap<&str, &Node> = BTreeMap::new();
    for node in &view.nodes {
        match node.host_id.as_deref() {
            None => {
                let advice = "gossip has not heard it yet: look again, then at the node's log";
                found.add(
                    &view.source,
                    &node.datacenter,
                    &named(node),
                    "it has no host id".to_owned(),
                    advice,
                );
            }
            Some(id) => {
                if let Some(first) = holders.insert(id, node) {
                    let wrong = format!(
                        "host id {id} is also that of {} in {}",
                        named(first),
                        first.datacenter
                    );
                    let advice = "two nodes run from copies of one volume: stop the one that was copied";
                    found.add(&view.source, &node.datacenter, &named(node), wrong, advice);
                }
            }
        }
    }
}

/// All views show the same host ids.
fn agreement(views: &[&View], found: &mut Findings) {
    let ids =
        |view: &View| -> BTreeSet<String> { view.nodes.iter().filter_map(|it| it.host_id.clone()).collect() };
    for view in views {
        let mine = ids(view);
        for other in views {
            // A datacenter that this view has nothing of is a finding by itself.
            let known = |node: &&Node| view.of_datacenter(&node.datacenter).next().is_some();
            for node in other.nodes.iter().filter(known) {
                let unseen = node.host_id.as_ref().filter(|id| !mine.contains(*id));
                if let Some(id) = unseen {
                    let wrong = format!("host id {id}, which others show, is not in this view");
                    let advice = "the views are not of one ring, or of different moments: ask again, all at once; then look at seeds and at port 7000 between the planes";
                    found.add(&view.source, &node.datacenter, &named(node), wrong, advice);
                }
            }
        }
    }
}

/// `system_auth` is there as often as the datacenter should have it; whole on each node where there are as many copies as nodes.
fn ownership(name: &str, datacenter: &Datacenter, view: &View, found: &mut Findings) {
    let nodes: Vec<&Node> = view.of_datacenter(name).collect();
    if nodes.is_empty() {
        return;
    }
    let advice = "alter the replication of system_auth, then repair it there; Ringspan does so for a datacenter that joins";
    if let Some(unknown) = nodes.iter().find(|node| node.owns.is_none()) {
        let wrong = "what it owns of system_auth is not told".to_owned();
        let advice = "give the output of `nodetool status system_auth`: without a keyspace, or while a node joins, nobody can tell";
        found.add(&view.source, name, &named(unknown), wrong, advice);
        return;
    }
    let copies = datacenter.copies();
    if copies == datacenter.size {
        for node in nodes.iter().filter(|node| node.owns != Some(WHOLE)) {
            let wrong = format!(
                "it owns {} of system_auth, not 100.0 %",
                percent(node.owns.unwrap_or_default())
            );
            found.add(&view.source, name, &named(node), wrong, advice);
        }
        return;
    }
    let sum: u32 = nodes.iter().filter_map(|node| node.owns).sum();
    let should = u32::try_from(copies).unwrap_or_default() * WHOLE;
    // Each row is rounded to a tenth, so it may be off by half of one.
    if sum.abs_diff(should) > u32::try_from(nodes.len().div_ceil(2)).unwrap_or_default() {
        let wrong = format!(
            "its nodes own {} of system_auth together, not {}",
            percent(sum),
            percent(should)
        );
        found.add(&view.source, name, "", wrong, advice);
    }
}

/// In tenths of a per cent.
pub(crate) const WHOLE: u32 = 1000;

/// Tenths of a per cent, for people.
pub(crate) fn percent(tenths: u32) -> String {
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests;
