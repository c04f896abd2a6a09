//! An API as processes: etcd, kube-apiserver and a few controllers.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};

use super::certificate_kubeconfig;
use super::start::READY_WITHIN;
use crate::authority::{Authority, Identity};
use crate::command_lines::Layout;
use crate::process::Process;
use crate::{Binaries, eventually};

pub(super) struct Processes {
    // In the order in which they are dropped: clients before servers.
    controllers: Option<Process>,
    server: Process,
    etcd: Process,
    binaries: Binaries,
    layout: Layout,
}

impl Processes {
    /// Starts etcd and kube-apiserver, and waits for nothing.
    pub(super) fn start(
        binaries: &Binaries,
        folder: &Path,
        authority: &Authority,
        identity: &Identity,
    ) -> anyhow::Result<Self> {
        let layout = Layout::new(folder)?;
        let url = format!("https://127.0.0.1:{}", layout.server);
        let controllers =
            certificate_kubeconfig(authority, "controllers", &url, "system:kube-controller-manager")?;
        layout.write(authority, identity, &controllers)?;
        let etcd = Process::spawn("etcd", layout.etcd(binaries), &layout.log("etcd"))?;
        let server = Process::spawn(
            "kube-apiserver",
            layout.apiserver(binaries),
            &layout.log("kube-apiserver"),
        )?;
        Ok(Self {
            controllers: None,
            server,
            etcd,
            binaries: binaries.clone(),
            layout,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.layout.server))
    }

    pub(super) fn has_controllers(&self) -> bool {
        self.controllers.is_some()
    }

    /// Waits until they do something.
    pub(super) async fn start_controllers(&mut self, client: &Client) -> anyhow::Result<()> {
        let Some(program) = &self.binaries.controller_manager else {
            return Ok(());
        };
        let command = self.layout.controller_manager(program);
        let log = self.layout.log("kube-controller-manager");
        let process = self
            .controllers
            .insert(Process::spawn("kube-controller-manager", command, &log)?);
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "kube-system");
        let published = eventually("kube-root-ca.crt in kube-system", READY_WITHIN, || async {
            Ok(maps.get_opt("kube-root-ca.crt").await?)
        });
        published
            .await
            .with_context(|| format!("kube-controller-manager: {}", process.last_lines(5)))?;
        Ok(())
    }

    /// Kills kube-apiserver alone and starts it again.
    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        self.server.kill();
        let log = self.layout.log("kube-apiserver");
        self.server = Process::spawn("kube-apiserver", self.layout.apiserver(&self.binaries), &log)?;
        Ok(())
    }

    /// Resolves when one of the two has ended, which neither does by itself.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        loop {
            for process in [&mut self.etcd, &mut self.server] {
                if let Some(status) = process.exited() {
                    let (name, lines) = (process.name(), process.last_lines(10));
                    return anyhow::anyhow!("{name} ended: {status}\n{lines}");
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The end of what kube-apiserver has written.
    pub(super) fn last_lines(&self) -> String {
        format!("kube-apiserver: {}", self.server.last_lines(5))
    }

    pub(super) fn memory_kib(&self) -> Vec<(String, u64)> {
        [&self.etcd, &self.server]
            .into_iter()
            .chain(&self.controllers)
            .filter_map(|process| Some((process.name().to_owned(), process.memory_kib()?)))
            .collect()
    }

    /// Process ids, clients before servers.
    pub(super) fn leave_running(self) -> Vec<u32> {
        self.controllers
            .into_iter()
            .chain([self.server, self.etcd])
            .map(Process::leave_running)
            .collect()
    }
}
