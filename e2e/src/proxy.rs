//! A TCP proxy before an API server that can fail like a network or a server.

mod failing_server;
mod pump;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::authority::Identity;
use crate::ports::free_port;

/// What a client of the proxy meets. A change applies to the connections that exist, too.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// The API server.
    #[default]
    Pass,
    /// Nobody listens: connections are refused, existing ones closed.
    Refuse,
    /// Silence: connections are accepted and nothing is answered; existing ones freeze. What was sent meanwhile arrives when
    /// the proxy passes again, as TCP would have it.
    BlackHole,
    /// A server with a valid certificate that answers 500 to everything; existing connections are closed.
    Answer500,
}

/// A proxy at a fixed port of 127.0.0.1. It ends when this is dropped.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

struct Order {
    mode: Mode,
    done: oneshot::Sender<std::io::Result<()>>,
}

struct Shared {
    upstream: SocketAddr,
    tls: TlsAcceptor,
    mode: watch::Sender<Mode>,
    /// One way, in microseconds.
    latency: AtomicU64,
    accepted: AtomicUsize,
}

impl FaultProxy {
    /// Starts one that passes everything to `upstream`, at a port of its own.
    ///
    /// # Errors
    /// No port, or `identity` is no certificate with its key.
    pub(crate) async fn start(upstream: SocketAddr, identity: &Identity) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("proxy at {address}"))?;
        let shared = Arc::new(Shared {
            upstream,
            tls: failing_server::acceptor(identity)?,
            mode: watch::Sender::new(Mode::Pass),
            latency: AtomicU64::new(0),
            accepted: AtomicUsize::new(0),
        });
        let (orders, inbox) = mpsc::channel(1);
        let task = tokio::spawn(run(listener, address, Arc::clone(&shared), inbox));
        Ok(Self {
            address,
            shared,
            orders,
            task,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for kubeconfigs.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What clients meet now.
    #[must_use]
    pub fn mode(&self) -> Mode {
        *self.shared.mode.borrow()
    }

    /// Changes what clients meet; when this returns, new connections meet it and existing ones are closed or frozen.
    ///
    /// # Errors
    /// The port was taken by somebody else while the proxy refused.
    pub async fn set(&self, mode: Mode) -> anyhow::Result<()> {
        let (done, told) = oneshot::channel();
        self.orders
            .send(Order { mode, done })
            .await
            .ok()
            .context("the proxy has ended")?;
        told.await
            .context("the proxy has ended")?
            .with_context(|| format!("proxy at {}", self.address))
    }

    /// Delays what goes through, each way by this much. Microseconds count, less does not.
    pub fn set_latency(&self, one_way: Duration) {
        let micros = u64::try_from(one_way.as_micros()).unwrap_or(u64::MAX);
        self.shared.latency.store(micros, Ordering::Relaxed);
    }

    /// Connections accepted so far, in any mode.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn latency(&self) -> Duration {
        Duration::from_micros(self.latency.load(Ordering::Relaxed))
    }
}

/// Owns the listener and all connections: what it drops is closed.
async fn run(
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    mut inbox: mpsc::Receiver<Order>,
) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            order = inbox.recv() => {
                let Some(Order { mode, done }) = order else { return };
                let outcome = listen(&mut listener, address, mode).await;
                if outcome.is_ok() {
                    let before = shared.mode.send_replace(mode);
                    // Only silence and what ends it leave connections as they are.
                    if before != mode && [before, mode].iter().any(|mode| ends_connections(*mode)) {
                        connections.shutdown().await;
                    }
                }
                // Who gave the order may have stopped waiting.
                let _ = done.send(outcome);
            }
            client = accept(listener.as_ref()) => {
                shared.accepted.fetch_add(1, Ordering::Relaxed);
                connections.spawn(serve(client, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn listen(listener: &mut Option<TcpListener>, address: SocketAddr, mode: Mode) -> std::io::Result<()> {
    if mode == Mode::Refuse {
        *listener = None;
    } else if listener.is_none() {
        *listener = Some(TcpListener::bind(address).await?);
    }
    Ok(())
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    loop {
        // An error here is of one connection (it was gone before we took it), not of the listener.
        if let Ok((client, _)) = listener.accept().await {
            return client;
        }
        tokio::task::yield_now().await;
    }
}

fn ends_connections(mode: Mode) -> bool {
    matches!(mode, Mode::Refuse | Mode::Answer500)
}

async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let mut mode = shared.mode.subscribe();
    // Silence first, if that is the mode; what comes then decides what this connection is.
    let Ok(mode) = mode
        .wait_for(|mode| *mode != Mode::BlackHole)
        .await
        .map(|mode| *mode)
    else {
        return;
    };
    match mode {
        // A broken connection is the client's to notice.
        Mode::Pass => drop(pump::both_ways(client, &shared).await),
        Mode::Answer500 => failing_server::answer(client, shared.tls.clone()).await,
        Mode::Refuse | Mode::BlackHole => {}
    }
}

#[cfg(test)]
mod tests;
