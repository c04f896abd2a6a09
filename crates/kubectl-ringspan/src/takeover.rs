//! `kubectl ringspan takeover`: whether a live installation of k8ssandra-operator can be taken over now, and what stands
//! in the way. It reads; `--remove-webhook` removes one entry of one webhook configuration, and nothing else is ever
//! written.
//!
//! * `upstream`: what is left of k8ssandra-operator in the control plane; `definitions`: whether ours are installed;
//!   `images`: whether they are still known
//! * `planes`: whether each plane can be used; `clusters`: what would become of each cluster
//! * `findings`: how it is told

mod clusters;
mod definitions;
mod findings;
mod images;
mod planes;
mod upstream;

use anyhow::Result;

use crate::connection::Connection;
use crate::live::{self, Live};
use findings::Findings;

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the K8ssandraClusters of this namespace
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Remove the entry `vk8ssandracluster.kb.io` of k8ssandra-operator's webhook configuration, if nobody serves
    /// it any more; everything else is only looked at
    #[arg(long)]
    pub remove_webhook: bool,
    /// Which control plane
    #[command(flatten)]
    pub connection: Connection,
}

/// What was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// For people; its last line is `ready` or `not ready: N things`.
    pub text: String,
    /// How many things stand in the way.
    pub things: usize,
}

/// Looks, and says what stands in the way.
///
/// # Errors
/// The control plane cannot be read, or the webhook's entry not be removed.
pub fn run(args: &Args) -> Result<Verdict> {
    live::block_on(async {
        let client = args.connection.client().await?;
        let connection = &args.connection;
        let live = Live::look(client, connection.installed_in(), connection.fleet()).await?;
        check(args, &live).await
    })
}

/// Looks at live clusters, and says what stands in the way.
///
/// # Errors
/// As of [`run`].
pub async fn check(args: &Args, live: &Live) -> Result<Verdict> {
    let clusters = live.clusters(args.namespace.as_deref()).await?;
    let mut found = Findings::default();
    found.about("Control plane");
    let control = live.once().control();
    let running = upstream::controllers(control, &mut found).await;
    upstream::webhooks(control, running, args.remove_webhook, &mut found).await?;
    definitions::look(control, &mut found).await;
    images::look(control, live.installed_in(), &mut found).await;
    planes::look(live, &clusters, &mut found).await;
    let snapshot = live.snapshot(&clusters).await?;
    for kc in &clusters {
        clusters::look(live, kc, &snapshot, &mut found).await;
    }
    if clusters.is_empty() {
        found.about("K8ssandraClusters");
        found.note("there is none");
    }
    Ok(found.verdict())
}
