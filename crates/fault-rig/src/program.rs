//! One of the five: started, killed, and started again.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::Parser;
use fleet::FleetOptions;
use kube::client::ClientBuilder;
use runtime::{CancellationToken, Guard, Metrics, Outside, Process, ProcessArgs};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::weather;
use crate::wire::Wiretap;
use crate::world::{CONTROL_PLANE, NAMESPACE, World};

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// Deployment 1.
    ClientRegistry,
    /// Deployment 2.
    ClusterReconciler,
    /// Deployment 3.
    TopologyReconciler,
    /// Deployment 4.
    StatusRollup,
    /// Deployment 5.
    SecretReplicator,
}

impl Name {
    /// All five.
    pub const ALL: [Name; 5] = [
        Name::ClientRegistry,
        Name::ClusterReconciler,
        Name::TopologyReconciler,
        Name::StatusRollup,
        Name::SecretReplicator,
    ];

    /// As it is started.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Name::ClientRegistry => client_registry::NAME,
            Name::ClusterReconciler => cluster_reconciler::NAME,
            Name::TopologyReconciler => topology_reconciler::NAME,
            Name::StatusRollup => status_rollup::NAME,
            Name::SecretReplicator => secret_replicator::NAME,
        }
    }

    /// The program of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Name::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One life of a program: what it asks after its death reaches nobody, which is all that a crash is to the others.
#[derive(Clone, Debug)]
pub struct Life {
    alive: Arc<AtomicBool>,
    over: Arc<OnceLock<Instant>>,
    ended: Arc<Notify>,
    stop: CancellationToken,
}

impl Life {
    pub(crate) fn begin() -> Self {
        Self {
            alive: Arc::new(AtomicBool::new(true)),
            over: Arc::default(),
            ended: Arc::default(),
            stop: CancellationToken::new(),
        }
    }

    /// Ends it here and now.
    pub fn end(&self) {
        self.alive.store(false, Ordering::SeqCst);
        let _ = self.over.set(Instant::now());
        self.stop.cancel();
        self.ended.notify_one();
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::SeqCst)
    }

    /// How long it has been over; `None`: it goes on.
    #[must_use]
    pub fn dead_for(&self) -> Option<Duration> {
        self.over.get().map(Instant::elapsed)
    }

    /// Waits for its end.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }
}

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    process: ProcessArgs,
}

/// Starts a program; it lives until its [`Life`] ends.
#[must_use]
pub fn start(world: &World, name: Name) -> Life {
    let life = Life::begin();
    let client = || {
        let wire = Wiretap::new(world, CONTROL_PLANE, name, &life);
        ClientBuilder::new(wire, NAMESPACE)
            .with_layer(&Guard::new("local", &Metrics::new()))
            .build()
    };
    let args = Flags::parse_from([name.as_str()]).process;
    let outside = Outside {
        clock: world.clock(),
        random: world.random(name),
    };
    let process = Process::with_clients(name.as_str(), args, client(), client(), outside);
    let stopped = process.stop.clone();
    let stop = life.stop.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        stopped.cancel();
    });
    let planes = FleetOptions {
        dial: world.dial(name, &life),
        ..FleetOptions::new(&[], format!("ringspan-{name}"))
    };
    let management = world.management(name, &life);
    let management = weather::to_nodes(management, &world.rings, &world.weather);
    let work = tokio::spawn(async move {
        match name {
            Name::ClientRegistry => client_registry::serve(process, planes).await,
            Name::ClusterReconciler => cluster_reconciler::serve(process, planes).await,
            Name::TopologyReconciler => topology_reconciler::serve(process, planes, management).await,
            Name::StatusRollup => status_rollup::serve(process, planes).await,
            Name::SecretReplicator => secret_replicator::serve(process, planes).await,
        }
    });
    let (overheard, lived) = (Arc::clone(&world.overheard), life.clone());
    overheard.begins(name, &life);
    tokio::spawn(async move {
        let how = if work.await.is_ok() { "ended" } else { "panicked" };
        overheard.ends(name, &lived, how);
    });
    life
}
