//! The task that streams data to a datacenter that joins: made once keyspaces are replicated there, and waited for.

use serde_json::{Value, json};

use api::names::{label, reason};
use api::seen::Seen;

use super::acts::{Act, Kind, plane};
use super::draft::Draft;
use super::replication;
use super::ring::{Join, Joins};
use super::sites::{Datacenter, RebuildTask, Site};

/// Plans the rebuild of every datacenter that joins and is verified to be in the ring. `replicated`: the system
/// keyspaces are as wanted.
pub(super) fn plan(draft: &mut Draft<'_>, joins: &Joins, replicated: bool) {
    let input = draft.input;
    for site in &input.sites {
        let Some(own) = site.own(&input.cluster) else {
            continue;
        };
        match joins.get(&site.name) {
            Some(Join::Verified) => {}
            Some(Join::Waiting) => {
                draft.waiting = true;
                continue;
            }
            Some(Join::Done) | None => continue,
        }
        match task_of(site, own) {
            Some(task) => follow(draft, site, task),
            None if replicated && replication::users(draft, site, &own.ring_name) => create(draft, site, own),
            None => draft.waiting = true,
        }
    }
}

/// The rebuild task of this very datacenter. Both cass-operator and we make the datacenter its owner; before
/// that, the label shows that it is a rebuild as we make it.
pub(super) fn task_of<'a>(site: &'a Site, own: &Datacenter) -> Option<&'a RebuildTask> {
    let task = site.rebuild.present()?;
    let owner = task
        .owners
        .iter()
        .find(|owner| owner.kind == "CassandraDatacenter");
    match owner {
        Some(owner) => (owner.uid == own.uid).then_some(task),
        None => task.nodes.is_some().then_some(task),
    }
}

fn follow(draft: &mut Draft<'_>, site: &Site, task: &RebuildTask) {
    let name = task_name(site);
    let place = format!(
        "CassandraTask {}/{name} in {}",
        site.namespace,
        plane(&site.context)
    );
    let counted = task
        .nodes
        .is_some_and(|nodes| nodes > 0 && task.succeeded + task.failed >= nodes);
    if task.failed > 0 || task.refused {
        let message = format!(
            "the rebuild of datacenter {} failed on some nodes: see {place}, put right what it tells, and delete it; it \
             is then made again",
            site.name
        );
        draft.hold_quietly(site, reason::REBUILD_FAILED, message);
    } else if counted || task.ended {
        draft.rebuilt.push(site.name.clone());
    } else {
        let message = format!(
            "datacenter {} is being rebuilt: {place} tells how far it is",
            site.name
        );
        draft.hold_quietly(site, reason::REBUILDING, message);
    }
}

fn create(draft: &mut Draft<'_>, site: &Site, own: &Datacenter) {
    match &site.rebuild {
        Seen::NotListed | Seen::Absent(_) => {}
        Seen::Present(_) => {
            let message = format!(
                "CassandraTask {}/{} in {} is not the rebuild of datacenter {}: delete it, then the rebuild is made",
                site.namespace,
                task_name(site),
                plane(&site.context),
                site.name
            );
            draft.hold_quietly(site, reason::NOT_OWNED, message);
            return;
        }
        Seen::Unknown(_) => {
            draft.waiting = true;
            return;
        }
    }
    match source(draft, own) {
        Ok(source) => {
            let object = object(draft, site, own, &source);
            draft.acts.push(Act::Create {
                at: site.at(),
                kind: Kind::CassandraTask,
                name: task_name(site),
                object,
            });
        }
        Err(message) => draft.hold_quietly(site, reason::REBUILDING, message),
    }
}

fn task_name(site: &Site) -> String {
    format!("{}-rebuild", site.name)
}

/// Where the data comes from: the datacenter that the user names, else the first Ready one of the spec that has
/// its own data.
fn source(draft: &Draft<'_>, own: &Datacenter) -> Result<String, String> {
    let mut candidates = draft
        .members()
        .map(|(_, member)| member.ring_name.as_str())
        .filter(|name| *name != own.ring_name);
    match &draft.input.cluster.rebuild_source {
        None => candidates.next().map(str::to_owned).ok_or_else(|| {
            format!(
                "datacenter {} is rebuilt once another datacenter that has data is Ready",
                own.name
            )
        }),
        Some(named) if *named == own.ring_name => Err(format!(
            "datacenter {} cannot be rebuilt from itself: let spec.cassandra.rebuild.sourceDc name another datacenter",
            own.name
        )),
        Some(named) if candidates.any(|name| name == named) => Ok(named.clone()),
        Some(named) => Err(format!(
            "datacenter {} is rebuilt once its source, datacenter {named}, is part of the ring and Ready; \
             spec.cassandra.rebuild.sourceDc may name another one",
            own.name
        )),
    }
}

/// As upstream makes it. `scheduledTime` is stamped when it is written: no clock here.
fn object(draft: &Draft<'_>, site: &Site, own: &Datacenter, source: &str) -> Value {
    let name = task_name(site);
    let mut object = json!({
        "apiVersion": Kind::CassandraTask.api_version(),
        "kind": Kind::CassandraTask.as_str(),
        "metadata": {
            "name": name,
            "namespace": site.namespace,
            "labels": { label::REBUILD_NODES: own.size.to_string() },
            "ownerReferences": [{
                "apiVersion": "cassandra.datastax.com/v1beta1",
                "kind": "CassandraDatacenter",
                "name": site.name,
                "uid": own.uid,
            }],
        },
        "spec": {
            "datacenter": { "name": site.name, "namespace": site.namespace },
            "jobs": [{ "name": name, "command": "rebuild", "args": { "source_datacenter": source } }],
        },
    });
    if let Some(most) = draft.input.cluster.max_concurrent_rebuilds {
        let most = if most == 0 { i64::MAX } else { most };
        object["spec"]["maxConcurrentPods"] = json!(most);
    }
    object
}
