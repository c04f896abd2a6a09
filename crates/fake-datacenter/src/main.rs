//! `fake-datacenter`: see the library.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use fake_datacenter::cassandra::Cassandra;
use fake_datacenter::clock::Clock;
use fake_datacenter::crds;
use fake_datacenter::management::Management;
use fake_datacenter::pace::Pace;
use fake_datacenter::plane::{MAX_PLANES, Plane};
use fake_datacenter::real::{self, Real};
use fake_datacenter::ring::Rings;
use fake_datacenter::server;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio_util::sync::CancellationToken;

/// Plays cass-operator and a Cassandra ring on API servers, for tests and the demo.
#[derive(Debug, Parser)]
struct Arguments {
    /// An API server to play on, as name=kubeconfig; may be given several times.
    #[arg(
        long = "plane",
        value_name = "NAME=KUBECONFIG",
        required_unless_present = "print_crds"
    )]
    planes: Vec<String>,
    /// Scale of every recorded delay: 1.0 as recorded.
    #[arg(long, default_value_t = 1.0)]
    pace: f64,
    /// Seed of delays, host ids and failures.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Share of starts and management calls that fail and are tried again, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    failure_rate: f64,
    /// Where the management API of all nodes, /state, /nodetool and /network are served.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Print `management-api ADDRESS` on standard output once everything is served.
    #[arg(long)]
    print_address: bool,
    /// Install the real CRDs from this folder instead of minimal ones.
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_crds")]
    crds: Option<PathBuf>,
    /// Print the minimal CRDs as a JSON list and end.
    #[arg(long, exclusive = true)]
    print_crds: bool,
    /// Install no CRDs: they are there already.
    #[arg(long)]
    no_crds: bool,
    /// Run a real Cassandra in each pod, from the archives in this folder, instead of the model.
    #[arg(long, value_name = "FOLDER", requires = "cassandra_data")]
    cassandra_jars: Option<PathBuf>,
    /// Where real Cassandra keeps configuration, data and logs.
    #[arg(long, value_name = "FOLDER", requires = "cassandra_jars")]
    cassandra_data: Option<PathBuf>,
    /// The program java for real Cassandra; without it that of `JAVA_HOME`, else that of the `PATH`.
    #[arg(long, value_name = "PATH", requires = "cassandra_jars")]
    java: Option<PathBuf>,
}

impl Arguments {
    fn cassandra(&self) -> anyhow::Result<Cassandra> {
        let rings = Rings::default();
        let (Some(jars), Some(data)) = (&self.cassandra_jars, &self.cassandra_data) else {
            return Ok(rings.into());
        };
        let options = real::Options {
            jars: jars.clone(),
            data: data.clone(),
            java: self.java.clone(),
        };
        Ok(Cassandra::Real(
            Real::new(&options, rings).context("real Cassandra")?,
        ))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| "info,kube_client=off,scylla=off".into()))
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    if arguments.print_crds {
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": crds::manifests()});
        return Ok(writeln!(std::io::stdout(), "{list}")?);
    }
    if arguments.planes.len() > MAX_PLANES {
        bail!("at most {MAX_PLANES} planes");
    }
    if !arguments.listen.ip().is_loopback() {
        bail!("--listen {}: only loopback addresses", arguments.listen);
    }
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        ended = run(&arguments, stop.clone()) => ended,
    }
}

async fn run(arguments: &Arguments, stop: CancellationToken) -> anyhow::Result<()> {
    let pace = Pace::new(arguments.pace, arguments.seed, arguments.failure_rate);
    let (cassandra, clock) = (arguments.cassandra()?, Clock::starting_at(jiff::Timestamp::now()));
    let listener = tokio::net::TcpListener::bind(arguments.listen)
        .await
        .context("listen")?;
    let address = listener.local_addr()?;
    let mut planes = Vec::new();
    for (index, plane) in arguments.planes.iter().enumerate() {
        let (name, path) = plane
            .split_once('=')
            .with_context(|| format!("--plane {plane}: not name=kubeconfig"))?;
        let client = client(path).await.with_context(|| format!("plane {name}"))?;
        install_crds(arguments, &client, name, &stop).await?;
        planes.push(Plane::new(
            name,
            index,
            client,
            cassandra.clone(),
            pace,
            clock,
            stop.clone(),
        ));
    }
    let served = tokio::spawn(server::serve(listener, Management::new(cassandra, pace), stop));
    if arguments.print_address {
        let mut out = std::io::stdout();
        writeln!(out, "management-api {address}")?;
        out.flush()?;
    }
    futures::future::join_all(planes.into_iter().map(Plane::run)).await;
    served.await?.context("management API")
}

async fn client(path: &str) -> anyhow::Result<kube::Client> {
    let kubeconfig = Kubeconfig::read_from(path)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(kube::Client::try_from(config)?)
}

/// Tries until the API server answers: it may come later than this program.
async fn install_crds(
    arguments: &Arguments,
    client: &kube::Client,
    plane: &str,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    if arguments.no_crds {
        return Ok(());
    }
    let mut told = false;
    while !stop.is_cancelled() {
        let installed = match &arguments.crds {
            Some(folder) => crds::install_crds_from(client, folder).await,
            None => crds::install_crds(client).await,
        };
        match installed {
            Ok(()) => return Ok(()),
            Err(error @ crds::CrdError::Unreadable { .. }) => return Err(error.into()),
            Err(error) if !std::mem::replace(&mut told, true) => {
                tracing::warn!(plane, %error, "trying again");
            }
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

async fn stop_on_signal(stop: CancellationToken) {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    match terminate {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
    stop.cancel();
}
