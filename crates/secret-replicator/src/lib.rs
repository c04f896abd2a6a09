//! Deployment 5: ReplicatedSecret → copies in planes: conflict-safe, pruned, self-healing, concurrent over targets.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`watches`] | what is watched and allowed |
//! | [`sources`] | the selected Secrets of each ReplicatedSecret |
//! | [`view`] | a Secret without its data: what is kept of one |
//! | [`observe`] | what the watches show of one ReplicatedSecret |
//! | [`act`] | copies made and brought up to date, every target for itself |
//! | [`payload`] | the data itself, from a live read to the request that carries it |
//! | [`release`] | copies deleted, and the finalizer |
//! | [`contention`] | writes that somebody undoes |
//! | [`report`] | the status, and Events |
//!
//! **Secrets.** No cache holds data: while a Secret is decoded, each value becomes a mark, HMAC-SHA256 under a key that
//! this process draws at its start and never tells. Contents of sources and copies are compared by these marks, so an
//! edited copy is noticed. What lasts (annotation `ringspan.io/content-mark`, `contentMark` in the status) is `<uid>/
//! <resourceVersion>` of the source that was copied, written only together with data: it tells nothing about the
//! content, and a touch of the source's labels changes nothing. Data is read live when it is written, and only then;
//! the types that hold it have no `Debug`.
//!
//! **Updates** are JSON patches with uid and resourceVersion, not server-side apply: an apply cannot take away a key
//! that our own create wrote, so a key removed at the source would stay in its copies for ever.

mod act;
mod contention;
mod error;
mod observe;
mod payload;
mod release;
mod report;
mod sources;
mod view;
mod watches;

use std::sync::Arc;
use std::time::Duration;

use api::names::finalizer;
use api::replicated_secret::ReplicatedSecret;
use fleet::{Fleet, FleetOptions};
use plan::replication::{Outcome, TargetPlan};
use runtime::{GrantArgs, Graveyard, Key, Next, Process, ProcessArgs, Queue, Random, WorkOptions, work};
use tokio::time::Instant;

pub use watches::RULES;

use contention::Contention;
use error::PassError;
use report::Blinks;
use sources::Sources;
use watches::{Local, Remote};

/// Name of the program.
pub const NAME: &str = "secret-replicator";

/// How long the first lists may take before passes begin all the same.
const FIRST_LISTS: Duration = Duration::from_secs(10);
/// When something that no watch tells of is tried again.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// When a call that got no answer is tried again, if its plane does not come back before.
const CALL_AGAIN: Duration = Duration::from_secs(10);
/// Passes at once, at least: most of a pass is waiting for planes, and one that hangs must not keep others waiting.
const WORKERS: usize = 16;

/// Flags.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Those that every program has.
    #[command(flatten)]
    pub process: ProcessArgs,

    /// Who may use which plane.
    #[command(flatten)]
    pub grants: GrantArgs,
}

/// What a pass works with.
pub(crate) struct Context {
    pub process: Arc<Process>,
    pub local: Local,
    pub sources: Sources,
    pub fleet: Arc<Fleet<Remote>>,
    pub contention: Contention,
    pub blinks: Blinks,
    /// Copies that we have deleted.
    pub graveyard: Graveyard,
}

/// Runs the program until it is asked to stop.
///
/// # Errors
/// A configuration that cannot be used, or a system without randomness.
pub fn run(args: Args) -> anyhow::Result<()> {
    view::draw_key(&Random::default())?;
    runtime::run(NAME, args.process, |process| async move {
        let planes = FleetOptions {
            require_grants: args.grants.require_grants,
            ..FleetOptions::new(&process.args.namespaces(), format!("ringspan-{NAME}"))
        };
        serve(process, planes).await;
        Ok(())
    })
}

/// Works until the process stops; not at all on a system without randomness, which [`run`] tells as an error.
pub async fn serve(process: Arc<Process>, planes: FleetOptions) {
    if let Err(error) = view::draw_key(&process.outside.random) {
        tracing::error!(%error, "no Secret can be compared");
        return;
    }
    let queue = Queue::new(NAME, &process.metrics);
    let options = WorkOptions {
        workers: process.args.workers.max(WORKERS),
        ..process.args.work()
    };
    let listed = process.ready.gate("first lists");
    let local = Local::start(&process, &queue);
    let sources = Sources::start(&process, &queue);
    let all = local.replicated.clone();
    let (remote, wake) = (queue.clone(), queue.clone());
    let fleet = Fleet::start(
        &process,
        planes,
        move |link| Remote::start(link, &remote),
        move || all.list().into_iter().for_each(|(key, _)| wake.wake(key)),
    );
    let context = Arc::new(Context {
        process: process.clone(),
        local,
        sources,
        fleet,
        contention: Contention::default(),
        blinks: Blinks::default(),
        graveyard: Graveyard::default(),
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
    context.local.replicated.synced().await;
    context.sources.synced().await;
    context.fleet.synced(FIRST_LISTS).await;
}

/// One pass over one ReplicatedSecret.
async fn pass(context: Arc<Context>, key: Key) -> Result<Next, PassError> {
    let Some(object) = context.local.replicated.get(&key) else {
        context.sources.forget(&key);
        context.blinks.forget(&key);
        return Ok(Next::Done);
    };
    if object.metadata.deletion_timestamp.is_some() && !is_needed(&context, &key, &object).await {
        return release::release(&context, &key, &object).await;
    }
    if !has_finalizer(&object) {
        release::add_finalizer(&context, &key, &object).await?;
        return Ok(Next::After(Duration::ZERO));
    }
    // What selects Secrets has just begun to list them, and wakes this again.
    let Some(facts) = observe::facts(&context, &key, &object).await else {
        return Ok(Next::Done);
    };
    let plans = plan::replication::plan(&facts);
    let (blink, blinking) = context.blinks.of(&key, &facts, &plans, Instant::now());
    let pruning = plan::replication::prune(&facts, false);
    let (outcomes, again) =
        act::copy(&context, &key, &object, &facts, &plans, &pruning.waits, &blink).await?;
    let pruned = release::prune(&context, &object, &facts.identity, &pruning.now).await;
    report::publish(&context, &key, &facts, &plans, &outcomes, &pruning.waits, &blink).await?;
    let waits = [again, blinking, pruned.again, slow_look(&plans, &outcomes)];
    Ok(waits.into_iter().flatten().min().map_or(Next::Done, Next::After))
}

/// Whether one that somebody has deleted serves datacenters that are still there. It goes when they are gone; until then
/// it works as before, or a datacenter that joins them would wait for its Secret for ever.
async fn is_needed(context: &Context, key: &Key, object: &ReplicatedSecret) -> bool {
    has_finalizer(object) && observe::leaving(context, key, object).await.serves_a_datacenter()
}

/// What no watch tells of is looked at from time to time: Secrets that are not ours, missing namespaces and rights.
fn slow_look(plans: &[TargetPlan], outcomes: &[Vec<Outcome>]) -> Option<Duration> {
    let failed = outcomes
        .iter()
        .flatten()
        .any(|outcome| matches!(outcome, Outcome::Failed(_)));
    (failed && plans.iter().any(|plan| plan.steps.is_ok())).then_some(LOOK_AGAIN)
}

fn has_finalizer(object: &ReplicatedSecret) -> bool {
    object
        .metadata
        .finalizers
        .iter()
        .flatten()
        .any(|it| it == finalizer::REPLICATED_SECRET)
}
