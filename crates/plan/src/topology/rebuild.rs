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

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::{Owner, TopologyInput};
    use super::*;

    fn rebuilding() -> TopologyInput {
        let mut input = nothing();
        bring_up(&mut input, 1);
        converge(&mut input);
        bring_up(&mut input, 2);
        converge(&mut input);
        input
    }

    fn task(input: &mut TopologyInput) -> &mut RebuildTask {
        let Seen::Present(task) = &mut input.sites[1].rebuild else {
            panic!("no task")
        };
        task
    }

    /// The task that is made once everything else is done.
    fn made(input: &mut TopologyInput) -> Value {
        input.sites[1].rebuild = Seen::NotListed;
        let all: super::super::Ring = ["h10", "h11", "h12", "h20", "h21", "h22"]
            .map(str::to_owned)
            .into();
        input.answers.rings = ["dc1", "dc2"]
            .map(|name| (name.to_owned(), Ok(all.clone())))
            .into();
        let Some(Act::Create { object, .. }) = planned(input).acts.pop() else {
            panic!("no task is made")
        };
        object
    }

    #[test]
    fn the_task_is_as_upstream_makes_it_and_owned_by_its_datacenter() {
        assert_eq!(
            made(&mut rebuilding()),
            json!({
                "apiVersion": "control.k8ssandra.io/v1alpha1",
                "kind": "CassandraTask",
                "metadata": {
                    "name": "dc2-rebuild",
                    "namespace": "db",
                    "labels": { "k8ssandra.io/rebuild-nodes": "3" },
                    "ownerReferences": [{
                        "apiVersion": "cassandra.datastax.com/v1beta1", "kind": "CassandraDatacenter",
                        "name": "dc2", "uid": "uid-dc2",
                    }],
                },
                "spec": {
                    "datacenter": { "name": "dc2", "namespace": "db" },
                    "jobs": [{
                        "name": "dc2-rebuild", "command": "rebuild", "args": { "source_datacenter": "dc1" },
                    }],
                },
            })
        );
    }

    #[test]
    fn zero_concurrent_rebuilds_mean_all_at_once() {
        let mut input = rebuilding();
        input.cluster.max_concurrent_rebuilds = Some(0);
        assert_eq!(
            made(&mut input)["spec"]["maxConcurrentPods"],
            json!(9_223_372_036_854_775_807_i64)
        );
        input.cluster.max_concurrent_rebuilds = Some(2);
        assert_eq!(made(&mut input)["spec"]["maxConcurrentPods"], json!(2));
    }

    #[test]
    fn a_source_that_is_itself_or_not_ready_holds_the_rebuild() {
        for named in ["dc2", "dc9"] {
            let mut input = rebuilding();
            input.sites[1].rebuild = Seen::NotListed;
            let all: super::super::Ring = ["h10", "h11", "h12", "h20", "h21", "h22"]
                .map(str::to_owned)
                .into();
            input.answers.rings = ["dc1", "dc2"]
                .map(|name| (name.to_owned(), Ok(all.clone())))
                .into();
            input.cluster.rebuild_source = Some(named.to_owned());
            assert_eq!(sentences(&input), Vec::<String>::new());
            let report = report(&input);
            assert_eq!(report.holds[0].reason, "Rebuilding");
            assert!(
                report.holds[0].message.contains("sourceDc"),
                "{}",
                report.holds[0].message
            );
        }
    }

    #[test]
    fn failed_nodes_are_no_success() {
        let mut input = rebuilding();
        (task(&mut input).succeeded, task(&mut input).failed) = (2, 1);
        assert_eq!(holds(&input), ["RebuildFailed"]);
        assert!(!report(&input).datacenters["dc2"].joined);
    }

    #[test]
    fn a_task_that_vanished_before_the_join_is_recorded_is_made_again() {
        let mut input = rebuilding();
        input.sites[1].rebuild = Seen::NotListed;
        assert_eq!(
            converge(&mut input),
            ["Create CassandraTask db/dc2-rebuild in plane west"]
        );
        finish_rebuild(&mut input, 2);
        converge(&mut input);
        input.sites[1].rebuild = Seen::NotListed;
        assert_eq!(converge(&mut input), Vec::<String>::new());
    }

    #[test]
    fn a_join_that_is_only_recorded_is_not_made_again() {
        let mut input = two_datacenters();
        input.sites[1].record.as_mut().unwrap().joined = true;
        input.sites[1].rebuild = Seen::NotListed;
        input.cluster.report = None;
        let written = converge(&mut input);
        assert!(
            written.iter().all(|act| !act.contains("CassandraTask")),
            "{written:?}"
        );
    }

    #[test]
    fn the_task_of_a_former_datacenter_of_that_name_does_not_count() {
        let mut input = rebuilding();
        let former = Owner {
            kind: "CassandraDatacenter".to_owned(),
            uid: "former".to_owned(),
        };
        task(&mut input).owners = vec![former];
        task(&mut input).succeeded = 3;
        let all: super::super::Ring = ["h10", "h11", "h12", "h20", "h21", "h22"]
            .map(str::to_owned)
            .into();
        input.answers.rings = ["dc1", "dc2"]
            .map(|name| (name.to_owned(), Ok(all.clone())))
            .into();
        assert_eq!(holds(&input), ["NotOwned"]);
        assert!(!report(&input).datacenters["dc2"].joined);
    }

    #[test]
    fn tasks_that_cannot_be_seen_are_not_made_twice() {
        let mut input = rebuilding();
        input.sites[1].rebuild = Seen::Unknown(unknown("west"));
        let all: super::super::Ring = ["h10", "h11", "h12", "h20", "h21", "h22"]
            .map(str::to_owned)
            .into();
        input.answers.rings = ["dc1", "dc2"]
            .map(|name| (name.to_owned(), Ok(all.clone())))
            .into();
        assert_eq!(sentences(&input), Vec::<String>::new());
        assert!(!report(&input).complete);
    }

    #[test]
    fn an_external_datacenter_is_joined_when_it_runs_and_is_not_rebuilt() {
        let mut input = nothing();
        bring_up(&mut input, 1);
        converge(&mut input);
        bring_up(&mut input, 2);
        input.sites[1].record = Some(recorded(api::record::Role::External, 2));
        let written = converge(&mut input);
        assert!(
            written.iter().all(|act| !act.contains("CassandraTask")),
            "{written:?}"
        );
        assert!(report(&input).complete);
        assert!(report(&input).datacenters["dc2"].joined);
    }
}
