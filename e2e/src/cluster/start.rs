//! How an API server comes up.

use std::time::Duration;

use anyhow::Context;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::Api;

use super::{ApiServer, Options, certificate_kubeconfig, connect};
use crate::authority::Authority;
use crate::command_lines::Layout;
use crate::process::Process;
use crate::{Binaries, FaultProxy, apply, eventually, scratch_folder};

const READY_WITHIN: Duration = Duration::from_secs(90);
const MANAGER: &str = "ringspan-e2e";

impl ApiServer {
    /// Starts one and waits until it is ready: the API answers, system namespaces exist, the manifests are applied and (where
    /// there are controllers) `kube-root-ca.crt` has appeared.
    ///
    /// # Errors
    /// Names the program that did not come up, with the end of its log.
    pub async fn start(binaries: &Binaries, name: &str, options: &Options) -> anyhow::Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::try_start(binaries, name, options).await {
                // Somebody took a port between the choice and the use of it.
                Err(error) if attempt < 3 && format!("{error:#}").contains("address already in use") => {
                    attempt += 1;
                }
                outcome => return outcome.with_context(|| format!("API server {name}")),
            }
        }
    }

    async fn try_start(binaries: &Binaries, name: &str, options: &Options) -> anyhow::Result<Self> {
        let folder = scratch_folder(name)?;
        let layout = Layout::new(folder.path())?;
        let authority = Authority::new(name)?;
        let url = format!("https://127.0.0.1:{}", layout.server);
        let identity = authority.server()?;
        let controllers =
            certificate_kubeconfig(&authority, "controllers", &url, "system:kube-controller-manager")?;
        layout.write(&authority, &identity, &controllers)?;

        let etcd = Process::spawn("etcd", layout.etcd(binaries), &layout.log("etcd"))?;
        let server = Process::spawn(
            "kube-apiserver",
            layout.apiserver(binaries),
            &layout.log("kube-apiserver"),
        )?;
        let client = connect(&certificate_kubeconfig(&authority, name, &url, MANAGER)?).await?;
        let proxy = FaultProxy::start(([127, 0, 0, 1], layout.server).into(), &identity).await?;
        proxy.set_latency(options.latency);
        let mut this = Self {
            name: name.to_owned(),
            controllers: None,
            server,
            etcd,
            folder,
            binaries: binaries.clone(),
            layout,
            authority,
            proxy,
            client,
        };
        this.ready().await?;
        for manifest in &options.manifests {
            apply::apply_yaml(&this.client, manifest, MANAGER).await?;
        }
        this.start_controllers().await?;
        Ok(this)
    }

    async fn start_controllers(&mut self) -> anyhow::Result<()> {
        let Some(program) = &self.binaries.controller_manager else {
            return Ok(());
        };
        let command = self.layout.controller_manager(program);
        let log = self.layout.log("kube-controller-manager");
        let process = self
            .controllers
            .insert(Process::spawn("kube-controller-manager", command, &log)?);
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), "kube-system");
        let published = eventually("kube-root-ca.crt in kube-system", READY_WITHIN, || async {
            Ok(maps.get_opt("kube-root-ca.crt").await?)
        });
        published
            .await
            .with_context(|| format!("kube-controller-manager: {}", process.last_lines(5)))?;
        Ok(())
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let looks = eventually("ready", READY_WITHIN, || async {
            let answer = self
                .client
                .request_text(http::Request::get("/readyz").body(Vec::new())?)
                .await?;
            anyhow::ensure!(answer == "ok", "/readyz: {answer}");
            for name in ["default", "kube-system"] {
                namespaces.get(name).await?;
            }
            Ok(Some(()))
        });
        tokio::select! {
            outcome = looks => outcome,
            error = ends(&mut self.etcd, &mut self.server) => return Err(error),
        }
        .with_context(|| format!("kube-apiserver: {}", self.server.last_lines(5)))
    }

    /// Kills the API server alone and starts it again on the same port with the same data; waits until it is ready.
    /// Watches end, and their resume is answered 410.
    ///
    /// # Errors
    /// As [`ApiServer::start`].
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.server.kill();
        let log = self.layout.log("kube-apiserver");
        self.server = Process::spawn("kube-apiserver", self.layout.apiserver(&self.binaries), &log)?;
        self.ready()
            .await
            .with_context(|| format!("API server {}", self.name))
    }
}

/// Resolves when one of the two has ended, which neither does by itself.
async fn ends(etcd: &mut Process, server: &mut Process) -> anyhow::Error {
    loop {
        for process in [&mut *etcd, &mut *server] {
            if let Some(status) = process.exited() {
                return anyhow::anyhow!("{} ended: {status}\n{}", process.name(), process.last_lines(10));
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
