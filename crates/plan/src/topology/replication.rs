//! How keyspaces are replicated, through the management API of a Ready datacenter.

use std::collections::{BTreeMap, BTreeSet};

use api::names::{annotation, reason};
use api::seen::Seen;

use super::acts::{Act, Answers, Ask, Keyspaces, Schema};
use super::draft::Draft;
use super::ring::{Join, Joins};
use super::sites::{Datacenter, Node, Site, TopologyInput};
use super::{Cluster, dc_replication};

/// System keyspaces that every datacenter has replicas of.
const SYSTEM: [&str; 3] = ["system_traces", "system_distributed", "system_auth"];
/// Those of DSE beside them.
const SYSTEM_OF_DSE: [&str; 3] = ["dse_leases", "dse_perf", "dse_security"];
/// Keyspaces that each node has for itself.
const LOCAL: [&str; 4] = ["system", "system_schema", "system_views", "system_virtual_schema"];
/// Replicas of the system keyspaces in one datacenter, at most.
const MOST: u32 = 3;

/// Replicates the system keyspaces over every Initialized datacenter. True when they are as wanted.
///
/// A datacenter that joins counts once both sides list each other; one that leaves counts until it is proven to be
/// gone, for Cassandra refuses to forget it before; one that cannot be seen keeps what it has.
pub(super) fn system(draft: &mut Draft<'_>, joins: &Joins) -> bool {
    let Some(wanted) = wanted(draft, joins) else {
        return false;
    };
    if wanted.is_empty() {
        return false;
    }
    if draft
        .still_true()
        .is_some_and(|report| !report.replication_pending && report.system_replication == wanted)
    {
        draft.system_replication = Some(wanted);
        return true;
    }
    let Some(via) = ask_through(draft) else {
        return false;
    };
    let keyspaces = system_keyspaces(&draft.input.cluster.server_type);
    let answer = match answered(draft, via, |answers| answers.system.get(&via.name)) {
        Answered::Missing => {
            draft.ask(Ask::System {
                via: via.name.clone(),
                keyspaces,
            });
            return false;
        }
        Answered::Failed => return false,
        Answered::Known(answer) => answer,
    };
    let exactly = |name: &String| {
        answer
            .get(name)
            .is_some_and(|replicas| replicas.full.as_ref() == Some(&wanted))
    };
    let due: Vec<Due> = keyspaces
        .iter()
        .filter(|name| !exactly(name))
        .map(|name| Due {
            keyspace: name.clone(),
            factors: wanted.clone(),
            create: !answer.contains_key(name),
        })
        .collect();
    if set(draft, via, due) {
        draft.system_replication = Some(wanted);
        return true;
    }
    false
}

/// Replicates the user's keyspaces to a datacenter that joins, as annotation `k8ssandra.io/dc-replication` says.
/// True when that is done, or nothing is to be done.
pub(super) fn users(draft: &mut Draft<'_>, site: &Site, ring_name: &str) -> bool {
    let Some(text) = &draft.input.cluster.dc_replication else {
        return true;
    };
    let asked = match dc_replication::read(text) {
        Ok(asked) => asked,
        Err(message) => {
            draft.hold_quietly(site, reason::INVALID_SPEC, message);
            return false;
        }
    };
    let Some(via) = ask_through(draft) else {
        return false;
    };
    let answer = match answered(draft, via, |answers| answers.keyspaces.get(&via.name)) {
        Answered::Missing => {
            draft.ask(Ask::Keyspaces(via.name.clone()));
            return false;
        }
        Answered::Failed => return false,
        Answered::Known(answer) => answer,
    };
    let user_keyspaces: BTreeSet<&String> = answer
        .keys()
        .filter(|name| {
            is_users(&draft.input.cluster, name) && !draft.input.cluster.addon_keyspaces.contains(*name)
        })
        .collect();
    for (datacenter, factors) in &asked {
        if let Some(missing) = user_keyspaces.iter().find(|name| !factors.contains_key(**name)) {
            let message = format!(
                "annotation {} must name every user keyspace for each datacenter that it names: keyspace {missing} is \
                 missing for datacenter {datacenter}. Add it, with 0 where no replicas are wanted",
                annotation::DC_REPLICATION
            );
            draft.hold(site, reason::INVALID_SPEC, message);
            return false;
        }
    }
    let Some(factors) = asked.get(ring_name) else {
        return true;
    };
    let mut due = Vec::new();
    for keyspace in user_keyspaces {
        let replicas = factors.get(keyspace).copied().filter(|replicas| *replicas > 0);
        let (Some(replicas), Some(now)) = (replicas, answer.get(keyspace)) else {
            continue;
        };
        let Some(mut wanted) = now.full.clone() else {
            let message = format!(
                "keyspace {keyspace} is not replicated by NetworkTopologyStrategy with full replicas, so none can be \
                 added for datacenter {}: alter it, then the join goes on",
                site.name
            );
            draft.hold(site, reason::REPLICATION_PENDING, message);
            return false;
        };
        if wanted.insert(ring_name.to_owned(), replicas) != Some(replicas) {
            due.push(Due {
                keyspace: keyspace.clone(),
                factors: wanted,
                create: false,
            });
        }
    }
    set(draft, via, due)
}

/// Keyspaces that belong to the user, as opposed to the server.
pub(super) fn is_users(cluster: &Cluster, keyspace: &str) -> bool {
    !LOCAL.contains(&keyspace)
        && !system_keyspaces(&cluster.server_type)
            .iter()
            .any(|name| name == keyspace)
}

/// The first datacenter whose nodes can be asked for the whole ring; where none is Ready, one that waits for fewer replicas.
pub(super) fn ask_through<'a>(draft: &Draft<'a>) -> Option<&'a Site> {
    let input = draft.input;
    let waits = |site: &&Site| {
        let own = site.own(&input.cluster).filter(|_| !site.is_leaving());
        draft.is_joined(site) && own.is_some_and(|own| waits_for_fewer(draft, site, own))
    };
    let ready = draft.members().next().map(|(site, _)| site);
    ready.or_else(|| input.sites.iter().find(waits))
}

/// Whether a datacenter is as small as it shall be, and its keyspaces still have the replicas of before. cass-operator ends
/// with writing users, and Cassandra takes none while fewer nodes are left than a quorum of the copies of `system_auth`: it
/// would not be Ready before it has fewer replicas.
fn waits_for_fewer(draft: &Draft<'_>, site: &Site, own: &Datacenter) -> bool {
    let Some(spec) = &site.spec else { return false };
    let report = draft.reported();
    let last = report.and_then(|report| report.system_replication.get(&spec.ring_name));
    let runs = own.initialized && !own.stopped_wanted && !own.deleting;
    let is_done = own.size == spec.size && own.nodes.len() == spec.size as usize;
    runs && is_done && last.is_some_and(|last| spec.size < *last)
}

pub(super) enum Answered<'a, T> {
    /// It was not asked.
    Missing,
    /// It was asked in vain; that is held.
    Failed,
    /// This.
    Known(&'a T),
}

/// The answer to a read through `via`; one that failed is held.
pub(super) fn answered<'a, T>(
    draft: &mut Draft<'a>,
    via: &Site,
    which: impl FnOnce(&'a Answers) -> Option<&'a Result<T, String>>,
) -> Answered<'a, T> {
    match which(&draft.input.answers) {
        None => Answered::Missing,
        Some(Ok(answer)) => Answered::Known(answer),
        Some(Err(error)) => {
            draft.hold(via, reason::MANAGEMENT_API_UNREACHABLE, error.clone());
            Answered::Failed
        }
    }
}

fn system_keyspaces(server_type: &str) -> Vec<String> {
    let dse = SYSTEM_OF_DSE.iter().filter(|_| server_type == "dse");
    SYSTEM.iter().chain(dse).map(|name| (*name).to_owned()).collect()
}

struct Due {
    keyspace: String,
    factors: BTreeMap<String, u32>,
    create: bool,
}

/// Sets what is due once the nodes agree on the schema. True when nothing is due.
fn set(draft: &mut Draft<'_>, via: &Site, due: Vec<Due>) -> bool {
    if due.is_empty() {
        return true;
    }
    match answered(draft, via, |answers| answers.agreement.get(&via.name)) {
        Answered::Missing => draft.ask(Ask::Agreement(via.name.clone())),
        Answered::Failed => {}
        Answered::Known(schema) if !schema.is_agreed() => {
            let message = disagreement(draft.input, via, schema);
            draft.hold(via, reason::SCHEMA_DISAGREEMENT, message);
        }
        Answered::Known(_) => draft.acts.extend(due.into_iter().map(|due| Act::Replicate {
            via: via.name.clone(),
            keyspace: due.keyspace,
            factors: due.factors,
            create: due.create,
        })),
    }
    false
}

/// Who has which version, by names of pods where they are known.
fn disagreement(input: &TopologyInput, via: &Site, schema: &Schema) -> String {
    let named = |address: &String| {
        let nodes = input.sites.iter().filter_map(|site| site.seen.present());
        let mut pods = nodes.flat_map(|own| &own.nodes);
        let is_it = |node: &Node| node.address.map(|it| it.to_string()).as_ref() == Some(address);
        let pod = pods.find(|(_, node)| is_it(node)).map(|(pod, _)| pod);
        pod.map_or_else(|| address.clone(), |pod| format!("{pod} ({address})"))
    };
    let list = |nodes: &[String]| nodes.iter().map(named).collect::<Vec<_>>().join(", ");
    let mut sides: Vec<String> = schema.versions.iter().map(|nodes| list(nodes)).collect();
    if !schema.unreachable.is_empty() {
        sides.push(format!("no word from {}", list(&schema.unreachable)));
    }
    format!(
        "the nodes do not agree on the schema, so replication is not changed. Versions of nodes, as datacenter {} sees \
         them: {}. See that all of them are up and gossip with each other (`nodetool describecluster`, `nodetool statusgossip`); \
         a node that stays behind takes the schema over when it is restarted",
        via.name,
        sides.join(" | ")
    )
}

/// What the system keyspaces shall have; none while that must be found out.
fn wanted(draft: &mut Draft<'_>, joins: &Joins) -> Option<BTreeMap<String, u32>> {
    let input = draft.input;
    let remembered = draft
        .reported()
        .map(|report| report.system_replication.clone())
        .unwrap_or_default();
    let mut wanted: BTreeMap<String, u32> = input
        .cluster
        .external_datacenters
        .iter()
        .map(|name| (name.clone(), MOST))
        .collect();
    let mut known = true;
    for (site, spec) in input
        .sites
        .iter()
        .filter_map(|site| Some((site, site.spec.as_ref()?)))
    {
        let last = remembered.get(&spec.ring_name).copied();
        let Some(own) = site.own(&input.cluster) else {
            wanted.extend(last.map(|last| (spec.ring_name.clone(), last)));
            continue;
        };
        let counts = joins.get(&site.name) != Some(&Join::Waiting) || last.is_some();
        if own.initialized && counts {
            let settled = (own.ready || own.stopped) && own.size == spec.size;
            let settled = settled || waits_for_fewer(draft, site, own);
            known &= settled || last.is_some();
            let factor = last.filter(|_| !settled).unwrap_or(spec.size.min(MOST));
            wanted.insert(own.ring_name.clone(), factor);
        }
    }
    draft.waiting |= !known;
    let leaving = leaving(draft, &remembered)?;
    wanted.extend(leaving);
    known.then_some(wanted)
}

/// What datacenters out of the spec still have: all of it, until each of them is proven to be gone.
fn leaving(draft: &mut Draft<'_>, remembered: &BTreeMap<String, u32>) -> Option<BTreeMap<String, u32>> {
    let cluster = &draft.input.cluster;
    let stays = |name: &String| {
        cluster.external_datacenters.contains(name)
            || cluster.datacenters.iter().any(|spec| spec.ring_name == *name)
    };
    let left: BTreeMap<String, u32> = remembered
        .iter()
        .filter(|(name, _)| !stays(name))
        .map(|(name, factor)| (name.clone(), *factor))
        .collect();
    if draft.must_not_shrink() || draft.record().is_none() {
        return Some(left);
    }
    let mut kept = BTreeMap::new();
    for site in draft.input.sites.iter().filter(|site| site.spec.is_none()) {
        match &site.seen {
            Seen::Absent(_) => {}
            Seen::NotListed if left.is_empty() => {}
            Seen::NotListed => {
                draft.ask(Ask::Datacenter(site.name.clone()));
                return None;
            }
            Seen::Present(own) => {
                let last = left.get(&own.ring_name).copied();
                kept.extend(last.map(|last| (own.ring_name.clone(), last)));
            }
            Seen::Unknown(_) => kept.extend(left.clone()),
        }
    }
    Some(kept)
}

/// The user's keyspaces that have replicas in a datacenter.
pub(super) fn replicas_in<'a>(
    cluster: &'a Cluster,
    keyspaces: &'a Keyspaces,
    ring_name: &'a str,
) -> impl Iterator<Item = &'a str> {
    keyspaces.iter().filter_map(move |(name, replicas)| {
        let has = replicas
            .by_datacenter
            .get(ring_name)
            .is_some_and(|replicas| *replicas > 0);
        (has && is_users(cluster, name)).then_some(name.as_str())
    })
}

#[cfg(test)]
mod tests;
