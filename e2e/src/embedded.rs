//! An API server in memory, served on loopback as a real one is: HTTPS, HTTP/1.1 and HTTP/2, client certificates and tokens, an
//! audit log.
//!
//! | file | idea |
//! | --- | --- |
//! | `door` | one connection: who is there, what is asked, what is answered |
//! | `record` | the audit log |

mod door;
mod record;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use fake_apiserver::{Chores, Options, Server};
use k8s_openapi::jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::authority::{Authority, Identity};
use crate::command_lines::AUDIT_LOG;
use crate::ports::free_port;
use door::Door;
use record::Record;

/// Controllers of a real cluster follow a write, they do not come with it.
const CONTROLLERS_FOLLOW: Duration = Duration::from_millis(20);

/// A server and its listener. Both end when this is dropped.
pub(crate) struct Embedded {
    address: SocketAddr,
    door: Arc<Door>,
    listens: JoinHandle<()>,
}

impl Embedded {
    /// A new server, which listens when this returns.
    pub(crate) async fn start(
        folder: &Path,
        authority: &Arc<Authority>,
        identity: &Identity,
    ) -> anyhow::Result<Self> {
        let server = Server::new(Options {
            // Another one for each server and each run: a plane is known by the uid of a namespace.
            seed: RandomState::new().build_hasher().finish(),
            chores: Chores::After(CONTROLLERS_FOLLOW),
            epoch: Timestamp::now().as_second(),
            root_certificate: authority.certificate(),
            ..Options::default()
        });
        // A real server does not know either what was before it began.
        server.compact(server.version());
        let record = Record::at(&folder.join(AUDIT_LOG))?;
        let door = Arc::new(Door::new(server, Arc::clone(authority), identity, record)?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let listens = listen(address, &door).await?;
        Ok(Self {
            address,
            door,
            listens,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// As the kill and the start of a real one: connections and watches end, objects stay, and what was before cannot be watched
    /// from any more.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        self.listens.abort();
        // Ended by us or by itself: both will do.
        let _ = (&mut self.listens).await;
        let server = self.door.server();
        server.cut_watches();
        server.compact(server.version());
        self.listens = listen(self.address, &self.door).await?;
        Ok(())
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.listens.abort();
    }
}

async fn listen(address: SocketAddr, door: &Arc<Door>) -> anyhow::Result<JoinHandle<()>> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("API server at {address}"))?;
    Ok(tokio::spawn(serve(listener, Arc::clone(door))))
}

/// Owns the listener and all connections: what it drops is closed.
async fn serve(listener: TcpListener, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            client = accept(&listener) => {
                connections.spawn(Arc::clone(&door).serve(client));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        // An error here is of one connection (it was gone before we took it), not of the listener.
        if let Ok((client, _)) = listener.accept().await {
            return client;
        }
        tokio::task::yield_now().await;
    }
}
