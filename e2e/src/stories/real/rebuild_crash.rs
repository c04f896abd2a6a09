//! The program that has a datacenter rebuilt is killed again and again meanwhile.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use api::cass_operator::CassandraTask;
use kube::Api;
use scylla::statement::Consistency;
use serde_json::{Value, json};

use super::healing::{made, members, session};
use super::ring::{RING_WITHIN, cluster_of, end, one_schema, whole};
use super::rows::{ROWS, count, has_every_row, keyspace, written};
use crate::eventually;
use crate::stories::clusters::{datacenter, dc, set_datacenters};
use crate::stories::print;
use crate::world::{DATABASES, Login, NodeView, World};

const NAME: &str = "crash";
/// Who makes the task and waits for its end.
const KILLED: &str = "topology-reconciler";
const TASK: &str = "dc2-rebuild";

pub(in crate::stories) async fn rebuild_crash(world: &mut World) -> anyhow::Result<()> {
    let datacenters = [dc("dc1", "east", 1), dc("dc2", "west", 2)];
    let before = tasks(world)?.len();
    let (alone, both) = (spec(&datacenters[..1]), spec(&datacenters));
    // Without logins an empty datacenter can be asked before it has been rebuilt.
    let anybody = Login::default_superuser();
    let views = made(world, &alone, 1).await?;
    let first = session(world, &views, "dc1", &anybody).await?;
    written(world, &views, &first, &[("dc1", 1)]).await?;

    set_datacenters(world, NAME, &datacenters).await?;
    let made = eventually("dc2 is made", RING_WITHIN, || async {
        Ok(world.datacenters("west")?.get_opt("dc2").await?)
    });
    made.await?;
    kill(world)?;
    let ready = eventually("dc2 is ready", RING_WITHIN, || async {
        Ok(datacenter(world, "west", "dc2").await?.is_ready().then_some(()))
    });
    ready.await?;
    let altered = keyspace("ALTER", &[("dc1", 1), ("dc2", 2)]);
    first.run(Consistency::Quorum, &altered).await?;
    let views = world.node_views(NAME, "system_auth").await?;
    one_schema(world, &views).await?;
    is_empty(world, &views, &anybody).await?;

    killed_twice(world).await?;
    world.ready(NAME, RING_WITHIN).await?;
    let views = whole(world, &both, 3).await?;
    let there = session(world, &views, "dc2", &anybody).await?;
    has_every_row(&there).await?;
    rebuilt_once(world, before).await?;
    print(&format!(
        "    dc2 has each of {ROWS} rows; each node was rebuilt once"
    ));
    end(world, NAME).await
}

fn spec(datacenters: &[Value]) -> Value {
    let mut spec = cluster_of(NAME, datacenters, &["r1"]);
    spec["spec"]["auth"] = json!(false);
    spec
}

fn kill(world: &mut World) -> anyhow::Result<()> {
    world.programs.get_mut(KILLED).context("no such program")?.kill();
    Ok(())
}

fn start(world: &mut World) -> anyhow::Result<()> {
    world
        .programs
        .get_mut(KILLED)
        .context("no such program")?
        .restart()
}

/// No node of dc2 has a row, although its copies are due there.
async fn is_empty(world: &World, views: &[NodeView], anybody: &Login) -> anyhow::Result<()> {
    let own: Vec<_> = views.iter().filter(|view| view.datacenter == "dc2").collect();
    ensure!(own.len() == 2, "{} nodes of dc2 answer", own.len());
    for view in own {
        let node = world.log_in(view, anybody).await?;
        let rows = count(&node).await?;
        ensure!(rows == 0, "{} has {rows} rows before it is rebuilt", view.node);
    }
    print(&format!(
        "    before the rebuild dc2 has 0 of {ROWS} rows, on each node"
    ));
    Ok(())
}

/// Killed when it has just made the task, started, killed when a node is rebuilt, and started when the task has ended.
async fn killed_twice(world: &mut World) -> anyhow::Result<()> {
    start(world)?;
    let tasks: Api<CassandraTask> = Api::namespaced(
        world.planes.get("west").context("no plane west")?.client(),
        DATABASES,
    );
    let look = |what: &'static str, is: fn(&CassandraTask) -> bool| {
        eventually(what, RING_WITHIN, {
            let tasks = tasks.clone();
            move || {
                let tasks = tasks.clone();
                async move { Ok(tasks.get_opt(TASK).await?.filter(is)) }
            }
        })
    };
    let made = look("the task is made", |_| true).await?;
    kill(world)?;
    let now = tasks.get(TASK).await?;
    ensure!(
        !has_ended(&now) && rebuilt(&now) == 0,
        "killed too late, the task is {:?}",
        now.status
    );
    start(world)?;
    look("a node is rebuilt", |task| rebuilt(task) > 0).await?;
    kill(world)?;
    let ended = look("the task has ended", has_ended).await?;
    ensure!(
        made.metadata.uid == ended.metadata.uid && rebuilt(&ended) == 2,
        "the task was {made:?} and is {ended:?}"
    );
    let report = world.clusters().get(NAME).await?;
    let topology = report
        .status
        .and_then(|status| status.reports.topology)
        .context("no report")?;
    let joined = topology
        .datacenters
        .get("dc2")
        .is_some_and(|report| report.joined);
    ensure!(!joined, "dc2 has joined before the end of its rebuild was seen");
    start(world)?;
    print("    killed after it made the task, and again during the rebuild");
    Ok(())
}

fn rebuilt(task: &CassandraTask) -> i64 {
    task.status
        .as_ref()
        .and_then(|status| status.succeeded)
        .unwrap_or(0)
}

fn has_ended(task: &CassandraTask) -> bool {
    task.status
        .as_ref()
        .is_some_and(|status| status.completion_time.is_some())
}

/// Who made each task so far, in this story and in those before it.
fn tasks(world: &World) -> anyhow::Result<Vec<String>> {
    let requests = world.requests()?;
    let made = requests.iter().filter(|entry| {
        (entry.verb.as_str(), entry.resource.as_str(), entry.code) == ("create", "cassandratasks", 201)
    });
    Ok(made.map(|entry| entry.program().to_owned()).collect())
}

/// One task was made, each node of dc2 was told once to rebuild, and each has been rebuilt once.
async fn rebuilt_once(world: &World, before: usize) -> anyhow::Result<()> {
    let made = tasks(world)?.split_off(before);
    ensure!(made == [KILLED], "tasks were made by {made:?}");
    let hosts = members(world, NAME).await?.into_iter();
    let wanted: BTreeMap<String, usize> = hosts
        .filter(|(_, (datacenter, _))| datacenter == "dc2")
        .map(|(host, _)| (host, 1))
        .collect();
    let state = world.ring_state().await?;
    let mut brought = BTreeMap::new();
    for stream in state["rings"][0]["streams"].as_array().into_iter().flatten() {
        let host = stream["hostId"].as_str().unwrap_or_default().to_owned();
        *brought.entry(host).or_insert(0) += 1;
    }
    ensure!(
        brought == wanted,
        "rebuilds were {brought:?}, nodes are {wanted:?}"
    );
    let processes = state["processes"].as_array().into_iter().flatten();
    for process in processes.filter(|process| wanted.contains_key(process["hostId"].as_str().unwrap_or(""))) {
        let log = std::fs::read_to_string(process["log"].as_str().context("a node without a log")?)?;
        let begun = log
            .lines()
            .filter(|line| line.contains("rebuild from dc:"))
            .count();
        ensure!(begun == 1, "{} has begun {begun} rebuilds", process["node"]);
    }
    Ok(())
}
