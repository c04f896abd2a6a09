//! Deployment 4: everything observed, as one status.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`watches`] | what is watched and allowed |
//! | [`observe`] | what the watches show of one cluster |
//! | [`report`] | the write, if there is anything to say |
//! | [`memory`] | when something was noticed and written: the only state, and losing it costs one early write |
//!
//! What the status says is decided in `plan::rollup`. Nothing decides by what is written here, so a status may be late:
//! while things move there is at most one write a second, and details wait for five. A change of Ready is never late.

mod memory;
mod observe;
mod report;
mod watches;

use std::sync::Arc;
use std::time::Duration;

use fleet::{Fleet, FleetOptions};
use plan::rollup::{Difference, difference, rollup};
use runtime::{Key, Next, Process, ProcessArgs, Queue, work};
use tokio::time::Instant;

pub use watches::RULES;

use memory::Memory;
use report::ReportError;
use watches::{Local, Remote};

/// Name of the program.
pub const NAME: &str = "status-rollup";

/// How long the first lists may take before passes begin all the same.
/// How long a new generation's first word is left to cluster-reconciler, who has more to say.
const FIRST_WORD: Duration = Duration::from_secs(2);
const FIRST_LISTS: Duration = Duration::from_secs(10);

/// Flags.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Those that every program has.
    #[command(flatten)]
    pub process: ProcessArgs,
}

/// What a pass works with.
pub(crate) struct Context {
    pub process: Arc<Process>,
    pub local: Local,
    pub fleet: Arc<Fleet<Remote>>,
    pub memory: Memory,
}

/// Runs the program until it is asked to stop.
///
/// # Errors
/// A configuration that cannot be used.
pub fn run(args: Args) -> anyhow::Result<()> {
    runtime::run(NAME, args.process, |process| async move {
        let planes = FleetOptions::new(&process.args.namespaces(), format!("ringspan-{NAME}"));
        serve(process, planes).await;
        Ok(())
    })
}

/// Works until the process stops.
pub async fn serve(process: Arc<Process>, planes: FleetOptions) {
    let queue = Queue::new(NAME, &process.metrics);
    let options = process.args.work();
    let listed = process.ready.gate("first lists");
    let local = Local::start(&process, &queue);
    let clusters = local.clusters.clone();
    let (remote, wake) = (queue.clone(), queue.clone());
    let fleet = Fleet::start(
        &process,
        planes,
        move |link| Remote::start(link, &remote),
        move || clusters.list().into_iter().for_each(|(key, _)| wake.wake(key)),
    );
    let context = Arc::new(Context {
        process: process.clone(),
        local,
        fleet,
        memory: Memory::default(),
    });
    tokio::select! {
        () = first_lists(&context) => listed.open(),
        () = process.stop.cancelled() => return,
    }
    work(queue, options, process.stop.clone(), move |key| {
        pass(context.clone(), key)
    })
    .await;
}

async fn first_lists(context: &Context) {
    context.local.clusters.synced().await;
    context.local.replicated.synced().await;
    context.fleet.synced(FIRST_LISTS).await;
}

/// One pass over one cluster.
async fn pass(context: Arc<Context>, key: Key) -> Result<Next, ReportError> {
    let Some(cluster) = context.local.clusters.get(&key) else {
        context.memory.forget(&key);
        return Ok(Next::Done);
    };
    if cluster.paused {
        return Ok(Next::Done);
    }
    let now = Instant::now();
    let waited = context.memory.waited(&key, &cluster.uid, cluster.generation, now);
    let facts = observe::facts(&context, &key, &cluster, waited);
    let rollup = rollup(&facts);
    let differs = difference(&cluster.status, &rollup.status);
    let again = |wait: Option<Duration>| {
        let soonest = wait.into_iter().chain(rollup.look_again).min();
        soonest.map_or(Next::Done, Next::After)
    };
    if context.memory.blinks(&key, &cluster.status, &rollup.status, now) {
        return Ok(again(Some(memory::BLINK)));
    }
    if differs == Difference::None || context.memory.refuses(&key, &rollup.status) {
        return Ok(again(None));
    }
    let silent = cluster.status.reports.cluster.is_none() && waited < FIRST_WORD;
    if let Some(wait) = context
        .memory
        .wait(&key, differs, now)
        .or(silent.then_some(FIRST_WORD))
    {
        return Ok(again(Some(wait)));
    }
    let said = rollup.status.clone();
    let stored = Box::pin(report::write(&context, &key, &cluster, rollup.status)).await?;
    context.memory.wrote(&key, said, stored.as_ref(), now);
    Ok(again(None))
}
