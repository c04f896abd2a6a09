//! `main` of every program: runtime, logs, clients, admin server, signals, and an orderly end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kube::Client;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::admin::Admin;
use crate::own_cluster::OwnCluster;
use crate::{Events, Metrics, Outside, ProcessArgs, Readiness, client, logs};

/// How long Events that still wait may take at the end.
const LAST_EVENTS: Duration = Duration::from_secs(2);
/// How long a program may take to end: passes get 20 s, and what follows them a little more.
const ENDING: Duration = Duration::from_secs(25);

/// What a program is made of.
pub struct Process {
    /// `client-registry`, say: the name in logs, metrics and the user agent.
    pub name: &'static str,
    /// Requests to the own cluster; guarded.
    pub client: Client,
    /// Watches of the own cluster, on connections of their own; guarded too.
    pub watch_client: Client,
    /// The flags.
    pub args: ProcessArgs,
    /// Counters.
    pub metrics: Metrics,
    /// Cancelled by SIGTERM and SIGINT.
    pub stop: CancellationToken,
    /// Gates of `/readyz`.
    pub ready: Readiness,
    /// Kubernetes Events in the own cluster.
    pub events: Events,
    /// The time of day, and randomness.
    pub outside: Outside,
}

impl Process {
    /// A process with given clients and without admin server and signals, for tests and tools. Needs a running tokio
    /// runtime.
    #[must_use]
    pub fn with_clients(
        name: &'static str,
        args: ProcessArgs,
        client: Client,
        watch_client: Client,
        outside: Outside,
    ) -> Arc<Process> {
        Process::assemble(name, args, client, watch_client, Metrics::new(), outside)
    }

    fn assemble(
        name: &'static str,
        args: ProcessArgs,
        client: Client,
        watch_client: Client,
        metrics: Metrics,
        outside: Outside,
    ) -> Arc<Process> {
        // Kubernetes sets HOSTNAME to the pod's name.
        let instance = std::env::var("HOSTNAME").unwrap_or_else(|_| name.to_owned());
        let events = Events::new(client.clone(), name, instance, outside.clock);
        let (stop, ready) = (CancellationToken::new(), Readiness::default());
        Arc::new(Process {
            name,
            client,
            watch_client,
            args,
            metrics,
            stop,
            ready,
            events,
            outside,
        })
    }
}

/// Runs one program until its body ends or SIGTERM or SIGINT comes; then `Process::stop` is cancelled and the body has
/// 25 s to end.
///
/// # Errors
/// What the body returns; a configuration that cannot be read; an admin address that is taken.
pub fn run<F, Fut>(name: &'static str, args: ProcessArgs, body: F) -> anyhow::Result<()>
where
    F: FnOnce(Arc<Process>) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    logs::start(&args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(args.threads.max(1))
        // Names are resolved there: some planes with dead DNS must not keep the others from being resolved.
        .max_blocking_threads(64)
        .enable_all()
        .build()
        .context("the runtime does not start")?;
    let ended = runtime.block_on(host(name, args, body));
    // What is left are watches and connections; nobody waits for them.
    runtime.shutdown_background();
    ended
}

async fn host<F, Fut>(name: &'static str, args: ProcessArgs, body: F) -> anyhow::Result<()>
where
    F: FnOnce(Arc<Process>) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    let (metrics, address) = (Metrics::new(), args.metrics_address);
    let cluster = OwnCluster::find(&args).context("the control plane's configuration cannot be read")?;
    let server = cluster.server.host().unwrap_or_default().to_owned();
    let requests = client::client(name, &cluster, &metrics).context("no client for the control plane")?;
    let watches = client::client(name, &cluster, &metrics).context("no client for the control plane")?;
    let process = Process::assemble(name, args, requests, watches, metrics.clone(), Outside::default());

    let admin = Admin::bind(address, metrics, process.ready.clone())
        .await
        .with_context(|| format!("--metrics-address {address} cannot be used"))?;
    tracing::info!(program = name, version = env!("CARGO_PKG_VERSION"), server, admin = %admin.address()?, "starts");
    let admin = tokio::spawn(admin.serve());

    // Caught before the body starts, so that a stop during start-up is orderly too.
    let mut signals = Signals::catch()?;
    let (stop, events) = (process.stop.clone(), process.events.clone());
    let mut running = std::pin::pin!(body(process));
    let ended = tokio::select! {
        ended = &mut running => ended,
        signal = signals.next() => {
            tracing::info!(program = name, signal, "stops");
            stop.cancel();
            timeout(ENDING, running).await.unwrap_or_else(|_| {
                tracing::warn!(program = name, "does not end by itself and is ended");
                Ok(())
            })
        }
    };
    stop.cancel();
    let _ = timeout(LAST_EVENTS, events.sent()).await;
    admin.abort();
    // Waited for, so that its port is free when this returns.
    let _ = admin.await;
    ended
}

/// SIGTERM (what the kubelet sends) and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn catch() -> anyhow::Result<Signals> {
        let terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
        let interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be caught")?;
        Ok(Signals { terminate, interrupt })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
