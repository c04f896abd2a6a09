//! How an API server comes up.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};

use super::{ApiServer, Host, Options, certificate_kubeconfig, connect};
use crate::authority::Authority;
use crate::{FaultProxy, Provider, apply, eventually, scratch_folder};

pub(super) const READY_WITHIN: Duration = Duration::from_secs(90);
const MANAGER: &str = "ringspan-e2e";

impl ApiServer {
    /// Starts one and waits until it is ready: the API answers, system namespaces exist, the manifests are applied and (where
    /// there are controllers) `kube-root-ca.crt` has appeared.
    ///
    /// # Errors
    /// Names the program that did not come up, with the end of its log.
    pub async fn start(provider: &Provider, name: &str, options: &Options) -> anyhow::Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::try_start(provider, name, options).await {
                // Somebody took a port between the choice and the use of it.
                Err(error)
                    if attempt < 3
                        && format!("{error:#}")
                            .to_lowercase()
                            .contains("address already in use") =>
                {
                    attempt += 1;
                }
                outcome => return outcome.with_context(|| format!("API server {name}")),
            }
        }
    }

    async fn try_start(provider: &Provider, name: &str, options: &Options) -> anyhow::Result<Self> {
        let folder = scratch_folder(name)?;
        let authority = Arc::new(Authority::new(name)?);
        let identity = authority.server()?;
        let host = Host::start(provider, folder.path(), &authority, &identity).await?;
        let url = format!("https://{}", host.address());
        let client = connect(&certificate_kubeconfig(&authority, name, &url, MANAGER)?).await?;
        let proxy = FaultProxy::start(host.address(), &identity).await?;
        proxy.set_latency(options.latency);
        let mut this = Self {
            name: name.to_owned(),
            host,
            folder,
            authority,
            proxy,
            client,
        };
        this.ready().await?;
        for manifest in &options.manifests {
            apply::apply_yaml(&this.client, manifest, MANAGER).await?;
        }
        this.host.start_controllers(&this.client).await?;
        Ok(this)
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let looks = looks(&self.client);
        match &mut self.host {
            Host::Embedded(_) => looks.await,
            Host::Processes(processes) => tokio::select! {
                outcome = looks => outcome,
                error = processes.ended() => return Err(error),
            }
            .with_context(|| processes.last_lines()),
        }
    }

    /// Ends the API server alone, as a kill does, and starts it again on the same port with the same data; waits until it is
    /// ready. Watches end, and their resume is answered 410.
    ///
    /// # Errors
    /// As [`ApiServer::start`].
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        match &mut self.host {
            Host::Processes(processes) => processes.restart()?,
            Host::Embedded(embedded) => embedded.restart().await?,
        }
        self.ready()
            .await
            .with_context(|| format!("API server {}", self.name))
    }
}

async fn looks(client: &Client) -> anyhow::Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let looks = eventually("ready", READY_WITHIN, || async {
        let answer = client
            .request_text(http::Request::get("/readyz").body(Vec::new())?)
            .await?;
        anyhow::ensure!(answer == "ok", "/readyz: {answer}");
        for name in ["default", "kube-system"] {
            namespaces.get(name).await?;
        }
        Ok(Some(()))
    });
    looks.await
}
