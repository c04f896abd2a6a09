//! Deployment 3: the ring: seeds, contact points, replication, rebuild, readiness to be removed.
//!
//! A pass over one cluster: [`observe`] what the watches show, let `plan::topology` decide, [`ask`] what it wants to
//! know, [`act`], decide again until nothing is left, [`report`]. What is watched and allowed stands in [`watches`];
//! [`views`] is what is kept of it.

mod act;
mod ask;
mod error;
mod kinds;
mod observe;
mod pass;
mod report;
mod views;
mod watches;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fleet::{Fleet, FleetOptions};
use management_api::Dial;
use runtime::{GrantArgs, Graveyard, Process, ProcessArgs, Queue, WorkOptions, work};

pub use watches::RULES;

use report::Progress;
use watches::{Local, Remote};

/// Name of the program.
pub const NAME: &str = "topology-reconciler";

/// How long the first lists may take before passes begin all the same.
const FIRST_LISTS: Duration = Duration::from_secs(10);
/// Passes at once, at least: most of a pass is waiting for nodes, and nodes of one plane that hang must not keep
/// the clusters of others waiting.
const WORKERS: usize = 16;
/// A pass may set the replication of several keyspaces, each of which takes its time.
const DEADLINE: Duration = Duration::from_mins(3);

/// Flags.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Those that every program has.
    #[command(flatten)]
    pub process: ProcessArgs,

    /// Who may use which plane.
    #[command(flatten)]
    pub grants: GrantArgs,

    /// For tests: all calls of the management API go to this loopback address
    #[arg(long, hide = true, value_name = "IP:PORT")]
    pub management_api_via: Option<SocketAddr>,
}

/// What a pass works with.
pub(crate) struct Context {
    pub process: Arc<Process>,
    pub local: Local,
    pub fleet: Arc<Fleet<Remote>>,
    pub dial: Dial,
    pub progress: Progress,
    pub graveyard: Graveyard,
}

/// Runs the program until it is asked to stop.
///
/// # Errors
/// A configuration that cannot be used.
pub fn run(args: Args) -> anyhow::Result<()> {
    let dial = args.management_api_via.map_or(Dial::Pod, Dial::Via);
    runtime::run(NAME, args.process, |process| async move {
        let planes = FleetOptions {
            require_grants: args.grants.require_grants,
            ..FleetOptions::new(&process.args.namespaces(), format!("ringspan-{NAME}"))
        };
        serve(process, planes, dial).await;
        Ok(())
    })
}

/// Works until the process stops.
pub async fn serve(process: Arc<Process>, planes: FleetOptions, dial: Dial) {
    let queue = Queue::new(NAME, &process.metrics);
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
        dial,
        progress: Progress::default(),
        graveyard: Graveyard::default(),
    });
    tokio::select! {
        () = first_lists(&context) => listed.open(),
        () = process.stop.cancelled() => return,
    }
    let usual = process.args.work();
    let options = WorkOptions {
        workers: usual.workers.max(WORKERS),
        deadline: DEADLINE,
        ..usual
    };
    work(queue, options, process.stop.clone(), move |key| {
        pass::pass(context.clone(), key)
    })
    .await;
}

async fn first_lists(context: &Context) {
    context.local.clusters.synced().await;
    context.local.services.synced().await;
    context.fleet.synced(FIRST_LISTS).await;
}
