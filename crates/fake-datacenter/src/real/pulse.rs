//! Whether a node that is up serves clients.
//!
//! The kubelet asks the management API, whose probe this stands in for: an answer to the first word of a client. A node whose
//! disk fails closes its doors, and its process runs on.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::process::Node;
use super::{CQL_PORT, Real, Wake};

/// How often it is asked.
const PERIOD: Duration = Duration::from_secs(3);
/// How long it may take to answer on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many questions in a row without an answer are no accident.
const TIMES: u32 = 3;
/// The request OPTIONS of version 4 of the protocol, which anybody may send.
const OPTIONS: [u8; 9] = [4, 0, 0, 0, 5, 0, 0, 0, 0];

impl Real {
    /// Keeps telling whether a node serves clients, until it ends.
    pub(super) async fn follow(&self, node: &Node, wake: &Wake) {
        let mut silent = 0;
        loop {
            tokio::time::sleep(PERIOD).await;
            silent = if answers(node.address).await {
                0
            } else {
                silent + 1
            };
            let changed = {
                let mut world = self.0.rings.lock();
                match silent {
                    0 => world.impaired.remove(&node.id),
                    TIMES => world.impaired.insert(node.id.clone()),
                    _ => false,
                }
            };
            if changed {
                let says = if silent == 0 {
                    "serves clients again"
                } else {
                    "serves no client"
                };
                self.note(format!("{} {says}", node.id));
                wake();
            }
        }
    }
}

async fn answers(node: Ipv4Addr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect((node, CQL_PORT)).await?;
        stream.write_all(&OPTIONS).await?;
        stream.read_u8().await
    };
    matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(_)))
}
