//! What an API server runs on.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use kube::Client;

use super::processes::Processes;
use crate::Provider;
use crate::authority::{Authority, Identity};
use crate::embedded::Embedded;

pub(super) enum Host {
    Processes(Box<Processes>),
    Embedded(Embedded),
}

impl Host {
    pub(super) async fn start(
        provider: &Provider,
        folder: &Path,
        authority: &Arc<Authority>,
        identity: &Identity,
    ) -> anyhow::Result<Self> {
        Ok(match provider {
            Provider::Apiserver(binaries) => {
                Self::Processes(Box::new(Processes::start(binaries, folder, authority, identity)?))
            }
            Provider::Embedded => Self::Embedded(Embedded::start(folder, authority, identity).await?),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Processes(processes) => processes.address(),
            Self::Embedded(embedded) => embedded.address(),
        }
    }

    /// The server in memory has its own.
    pub(super) async fn start_controllers(&mut self, client: &Client) -> anyhow::Result<()> {
        match self {
            Self::Processes(processes) => processes.start_controllers(client).await,
            Self::Embedded(_) => Ok(()),
        }
    }

    pub(super) fn has_controllers(&self) -> bool {
        match self {
            Self::Processes(processes) => processes.has_controllers(),
            Self::Embedded(_) => true,
        }
    }

    pub(super) fn memory_kib(&self) -> Vec<(String, u64)> {
        match self {
            Self::Processes(processes) => processes.memory_kib(),
            Self::Embedded(_) => Vec::new(),
        }
    }

    pub(super) fn leave_running(self) -> Vec<u32> {
        match self {
            Self::Processes(processes) => processes.leave_running(),
            Self::Embedded(_) => Vec::new(),
        }
    }
}
