//! Deployment 1: which planes are usable, and who are they?
//!
//! A pass over one `ClientConfig`: [`observe`] what the fleet knows of its plane, let `plan::registry` judge,
//! [`report`]. What is watched and allowed stands in [`watches`]. Planes themselves come and go in the fleet, which
//! every program has: nothing here is in anybody's way, and nothing is restarted.

mod observe;
mod operator;
mod report;
mod watches;

use std::sync::Arc;
use std::time::Duration;

use api::client_config::ClientConfig;
use fleet::{Fleet, FleetOptions};
use runtime::{Cache, Key, Next, Process, ProcessArgs, Queue, WriteError, work};

pub use watches::RULES;

use watches::Remote;

/// Name of the program.
pub const NAME: &str = "client-registry";

/// How long the first lists may take before passes begin all the same.
const FIRST_LISTS: Duration = Duration::from_secs(10);

/// When a plane that is reached and did not say its version is asked again.
const ASK_AGAIN: Duration = Duration::from_mins(1);

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
    pub client_configs: Cache<ClientConfig>,
    pub fleet: Arc<Fleet<Remote>>,
}

/// Runs the program until it is asked to stop.
///
/// # Errors
/// A configuration that cannot be used.
pub fn run(args: Args) -> anyhow::Result<()> {
    runtime::run(NAME, args.process, |process| async move {
        let options = FleetOptions::new(&process.args.namespaces(), format!("ringspan-{NAME}"));
        serve(process, options).await;
        Ok(())
    })
}

/// Works until the process stops.
pub async fn serve(process: Arc<Process>, options: FleetOptions) {
    let queue = Queue::new(NAME, &process.metrics);
    let listed = process.ready.gate("first lists");
    let client_configs = watches::client_configs(&process, &queue);
    let (remote, wake, all) = (queue.clone(), queue.clone(), client_configs.clone());
    let fleet = Fleet::start(
        &process,
        options,
        move |link| Remote::start(link, &remote),
        move || all.list().into_iter().for_each(|(key, _)| wake.wake(key)),
    );
    let context = Arc::new(Context {
        process: process.clone(),
        client_configs,
        fleet,
    });
    let first_lists = async {
        context.client_configs.synced().await;
        context.fleet.synced(FIRST_LISTS).await;
    };
    tokio::select! {
        () = first_lists => listed.open(),
        () = process.stop.cancelled() => return,
    }
    let options = process.args.work();
    work(queue, options, process.stop.clone(), move |key| {
        pass(context.clone(), key)
    })
    .await;
}

/// One pass over one `ClientConfig`. One that is gone needs nothing: its plane is gone already.
async fn pass(context: Arc<Context>, key: Key) -> Result<Next, WriteError> {
    let Some(config) = context.client_configs.get(&key) else {
        return Ok(Next::Done);
    };
    let seen = observe::observe(&context, &key, &config).await;
    let facts = seen.facts(&config, context.process.outside.clock.now());
    if let Some(status) = plan::registry::verdict(&facts) {
        report::publish(&context, &key, &config, status, seen.expires).await?;
    }
    Ok(if seen.owes {
        Next::After(ASK_AGAIN)
    } else {
        Next::Done
    })
}
