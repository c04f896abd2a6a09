//! A scenario under a plan, in virtual time, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::haste::Haste;
use crate::monitor;
use crate::normal;
use crate::plan::{Plan, What};
use crate::program::{self, Life, Name};
use crate::scenario::{Step, Until};
use crate::sight;
use crate::stranger::Stranger;
use crate::user;
use crate::wire::{Asked, Called, Shown};
use crate::world::World;

/// How long the user waits for each step, in virtual time.
const PATIENCE: Duration = Duration::from_mins(30);
/// How long a program that ended stays away.
pub(crate) const AWAY: Duration = Duration::from_secs(1);
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
    /// When each step was done.
    pub steps: Vec<Duration>,
    /// Reason of condition Ready at the end.
    pub reason: Option<String>,
    /// What somebody did, a line each.
    pub deeds: Vec<String>,
    /// After which writes of all programs somebody could interfere.
    pub chances: RangeInclusive<u32>,
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
/// The world cannot be made, or somebody writes without pause.
pub fn run(plan: Plan) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let report = runtime.block_on(async {
        let world = Arc::new(World::start(plan)?);
        let haste = Haste::watch(&world);
        tokio::select! {
            biased;
            why = haste.seen() => Err(anyhow::anyhow!(why)),
            report = story(Arc::clone(&world)) => report,
        }
    });
    runtime.shutdown_background();
    report
}

async fn story(world: Arc<World>) -> anyhow::Result<Report> {
    let plan = world.plan.clone();
    let watch = monitor::watch(&world);
    let keepers: Vec<_> = Name::ALL
        .into_iter()
        .map(|name| tokio::spawn(keep_alive(Arc::clone(&world), name)))
        .collect();
    let stranger = Stranger::watch(&world);
    let mut steps = Vec::new();
    let mut converged = None;
    let mut stuck = None;
    for (number, step) in plan.scenario.steps().iter().enumerate() {
        let missing = play(&world, step).await?;
        stuck = missing.map(|what| format!("P14: step {}: {what}", number + 1));
        converged = stuck.is_none().then(|| world.elapsed());
        if stuck.is_some() {
            break;
        }
        steps.push(world.elapsed());
    }
    let late = match stuck {
        None => at_rest(&world).await,
        Some(stuck) => vec![stuck],
    };
    let mut violations = late;
    violations.extend(stranger.wronged(&world));
    let mut report = Report {
        plan,
        violations,
        converged,
        steps,
        reason: sight::reason(&world),
        deeds: stranger.deeds(),
        chances: stranger.chances(),
        state: normal::state(&world),
        calls: world.switchboard.called(),
        asked: world.switchboard.asked(),
        shown: world.switchboard.shown(),
        deletions: world.switchboard.deletions(),
        struck: struck(&world, &stranger),
        journal: journal(&world),
    };
    let found = watch.at_end(&world, report.converged.is_some()).await;
    report.violations.splice(..0, found);
    for keeper in keepers {
        keeper.abort();
    }
    Ok(report)
}

/// How often each fault of the plan struck, whoever did it.
fn struck(world: &World, stranger: &Stranger) -> Vec<u32> {
    let mut cuts = world.weather.struck().into_iter();
    let mut deeds = stranger.deeds().into_iter();
    let calls = world.switchboard.struck();
    let each = world
        .plan
        .faults
        .iter()
        .zip(calls)
        .map(|(fault, calls)| match fault.what {
            What::Partition(_) => u32::from(cuts.next().unwrap_or_default()),
            What::DeleteAny | What::Recreate => u32::from(deeds.next().is_some()),
            _ => calls,
        });
    each.collect()
}

/// Starts a program, and again whenever it has ended.
async fn keep_alive(world: Arc<World>, name: Name) {
    loop {
        let life: Life = program::start(&world, name);
        world.lives(name, &life);
        life.ended().await;
        sleep(AWAY).await;
    }
}

/// Does a step and waits for what follows; what did not come is told.
async fn play(world: &World, step: &Step) -> anyhow::Result<Option<String>> {
    user::act(world, &step.act).with_context(|| format!("{:?}", step.act))?;
    for until in &step.until {
        if let Until::Passed(time) = until {
            sleep(*time).await;
        } else if !is_in_time(world, until).await {
            let stuck = format!("{until:?} never came; {}", sight::told(world));
            return Ok(Some(stuck));
        }
    }
    Ok(None)
}

/// Whoever is shown nothing, or what was, is waited for.
async fn is_in_time(world: &World, until: &Until) -> bool {
    if timeout(patience(world), come(world, until)).await.is_ok() {
        return true;
    }
    if !world.switchboard.goes_on() {
        return false;
    }
    let longer = world.plan.lasts() + PATIENCE;
    timeout(longer, come(world, until)).await.is_ok()
}

/// While a plane is cut off nobody is impatient.
fn patience(world: &World) -> Duration {
    PATIENCE + world.weather.clears().saturating_sub(world.elapsed())
}

async fn come(world: &World, until: &Until) {
    while !sight::holds(world, until) {
        world.written.notified().await;
    }
}

/// Lets everything settle, and then tells of writes that come all the same.
async fn at_rest(world: &World) -> Vec<String> {
    let before = loop {
        settle(world).await;
        let (before, struck) = (journal(world), world.switchboard.struck());
        sleep(REST).await;
        // What a fault brings that strikes only now is no write at rest: it is looked at again when that is over.
        if struck == world.switchboard.struck() {
            break before;
        }
    };
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
        let clears = world.weather.clears().saturating_sub(world.elapsed());
        if world.switchboard.goes_on() || !clears.is_zero() {
            settles = HEALED;
            let _ = timeout(PATIENCE + world.plan.lasts(), over(world)).await;
            sleep(clears).await;
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
