//! A scenario under a plan, in virtual time, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::monitor::{self, Violations};
use crate::normal;
use crate::plan::Plan;
use crate::program::{self, Life, Name};
use crate::scenario::CLUSTER;
use crate::wire::{Asked, Called, Shown};
use crate::world::{CONTROL_PLANE, DATABASES, PLANES, World};

/// How long the user waits for each step, in virtual time.
const PATIENCE: Duration = Duration::from_mins(30);
/// How long a program that ended stays away.
pub(crate) const AWAY: Duration = Duration::from_secs(1);
/// How often it is looked whether a step is done.
const LOOK: Duration = Duration::from_millis(100);
/// After this long nothing may be written any more.
const SETTLED: Duration = Duration::from_secs(10);
/// The same after any fault.
const TROUBLED: Duration = Duration::from_mins(1);
/// The same after a fault that lasted beyond the last step.
const HEALED: Duration = Duration::from_mins(10);
/// For this long.
const REST: Duration = Duration::from_mins(10);

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// What was run.
    pub plan: Plan,
    /// What did not hold.
    pub violations: Vec<String>,
    /// Virtual time until the last step was done; `None`: it was not.
    pub converged: Option<Duration>,
    /// The state at the end, normalised.
    pub state: BTreeMap<String, Value>,
    /// Calls of each program over its lives.
    pub calls: Called,
    /// Every call in order, of a run without faults.
    pub asked: Vec<Asked>,
    /// Every event that was shown, in order, of a run without faults.
    pub shown: Vec<Shown>,
    /// Deletions that were asked for, each with its plane, whatever came of them.
    pub deletions: BTreeSet<String>,
    /// How often each fault of the plan struck.
    pub struck: Vec<u32>,
    /// A line for each write of the programs, in order: what must be the same in two runs of one plan.
    pub journal: Vec<String>,
}

/// Runs a plan to its end in a runtime of its own.
///
/// # Errors
/// The world cannot be made.
pub fn run(plan: Plan) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let report = runtime.block_on(story(plan));
    runtime.shutdown_background();
    report
}

async fn story(plan: Plan) -> anyhow::Result<Report> {
    let world = Arc::new(World::start(plan.clone())?);
    let violations = monitor::watch(&world);
    let keepers: Vec<_> = Name::ALL
        .into_iter()
        .map(|name| tokio::spawn(keep_alive(Arc::clone(&world), name)))
        .collect();
    let mut converged = None;
    for spec in plan.scenario.specs() {
        world.apply(&spec)?;
        let done = timeout(PATIENCE + plan.lasts(), until_done(&world, &spec)).await;
        converged = done.ok().map(|()| world.elapsed());
        if converged.is_none() {
            break;
        }
    }
    let late = if converged.is_some() {
        at_rest(&world).await
    } else {
        Vec::new()
    };
    let report = Report {
        plan,
        violations: found(&world, &violations, late),
        converged,
        state: normal::state(&world),
        calls: world.switchboard.called(),
        asked: world.switchboard.asked(),
        shown: world.switchboard.shown(),
        deletions: world.switchboard.deletions(),
        struck: world.switchboard.struck(),
        journal: journal(&world),
    };
    for keeper in keepers {
        keeper.abort();
    }
    Ok(report)
}

/// Starts a program, and again whenever it has ended.
async fn keep_alive(world: Arc<World>, name: Name) {
    loop {
        let life: Life = program::start(&world, name);
        life.ended().await;
        sleep(AWAY).await;
    }
}

async fn until_done(world: &World, spec: &Value) {
    while !is_done(world, spec) {
        sleep(LOOK).await;
    }
}

/// Ready for this very spec, and no datacenter is left that the spec does not have.
fn is_done(world: &World, spec: &Value) -> bool {
    let control = world.server(CONTROL_PLANE);
    let Some(cluster) = control.get("k8ssandra.io/v1alpha1", "k8ssandraclusters", DATABASES, CLUSTER) else {
        return false;
    };
    let conditions = cluster.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    let current = cluster.pointer("/status/observedGeneration") == cluster.pointer("/metadata/generation");
    let wanted = spec["spec"]["cassandra"]["datacenters"]
        .as_array()
        .map_or(0, Vec::len);
    let planes = [CONTROL_PLANE].into_iter().chain(PLANES);
    let there: usize = planes
        .map(|plane| {
            let server = world.server(plane);
            server
                .all("cassandra.datastax.com/v1beta1", "cassandradatacenters")
                .len()
        })
        .sum();
    ready && current && there == wanted
}

/// Lets everything settle, and then tells of writes that come all the same.
async fn at_rest(world: &World) -> Vec<String> {
    settle(world).await;
    let before = journal(world);
    sleep(REST).await;
    // The journal goes plane by plane, so that what is new stands anywhere in it.
    let mut before = before.into_iter().peekable();
    journal(world)
        .into_iter()
        .filter(|write| before.next_if_eq(write).is_none())
        .map(|write| format!("P14: written at rest: {write}"))
        .collect()
}

/// Waits until all is calm, also when a fault strikes only after the last step.
async fn settle(world: &World) {
    // A call without an answer is given up after ten seconds, and what failed is tried again within another twenty.
    let mut settles = if world.plan.faults.is_empty() {
        SETTLED
    } else {
        TROUBLED
    };
    loop {
        if world.switchboard.goes_on() {
            settles = HEALED;
            let _ = timeout(PATIENCE + world.plan.lasts(), over(world)).await;
        }
        let struck = world.switchboard.struck();
        sleep(settles).await;
        if struck == world.switchboard.struck() {
            return;
        }
    }
}

/// Waits until what the plan says is over.
async fn over(world: &World) {
    while world.switchboard.goes_on() {
        sleep(Duration::from_secs(1)).await;
    }
}

fn found(world: &World, violations: &Violations, late: Vec<String>) -> Vec<String> {
    let mut found = violations.all();
    found.extend(late);
    let rings = world.rings.lock().rings_by_cluster();
    if rings.get(CLUSTER).copied().unwrap_or_default() > 1 {
        found.push("P5: more than one ring at the end".to_owned());
    }
    if let Err(error) = one_superuser(world) {
        found.push(format!("P8: {error:#}"));
    }
    found
}

/// P8: the superuser is the same wherever a datacenter lives.
fn one_superuser(world: &World) -> anyhow::Result<()> {
    let name = format!("{CLUSTER}-superuser");
    let mut first: Option<Value> = None;
    for (plane, server) in world.servers() {
        if server
            .all("cassandra.datastax.com/v1beta1", "cassandradatacenters")
            .is_empty()
        {
            continue;
        }
        let secret = server.get("v1", "secrets", DATABASES, &name);
        let secret = secret.with_context(|| format!("{plane} has no superuser"))?;
        let data = secret["data"].clone();
        anyhow::ensure!(
            first.get_or_insert_with(|| data.clone()) == &data,
            "the superuser differs in {plane}"
        );
    }
    Ok(())
}

/// Every write of the programs, plane by plane.
fn journal(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for (plane, server) in world.servers() {
        let writes = server.writes_since(0);
        let ours = writes
            .iter()
            .filter(|write| write.user_agent.starts_with("ringspan-") && write.plural != "events");
        lines.extend(ours.map(|write| {
            let body = String::from_utf8_lossy(&write.body);
            let place = [&write.plural, &write.namespace, &write.name, &write.subresource];
            let place = place.map(String::as_str).join("/");
            format!(
                "{} {plane} {} {} {place} {body}",
                write.at, write.user_agent, write.verb
            )
        }));
    }
    lines
}
