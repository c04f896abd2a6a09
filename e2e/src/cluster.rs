//! One Kubernetes API on loopback, whoever provides it, with everything that is needed to use it and to see what was done to it.

mod host;
mod processes;
mod start;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use tempfile::TempDir;

use crate::authority::Authority;
use crate::command_lines::AUDIT_LOG;
use crate::kubeconfig::{self, Credential};
use crate::{AuditLog, FaultProxy, leash};
use host::Host;

const TOKEN_SECONDS: i64 = 24 * 3600;

/// What may differ from one API server to the next.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// YAML streams, applied before the controllers start. CRDs belong here: the garbage collector learns of kinds that come
    /// later only after up to 30 s, and does not collect them before.
    pub manifests: Vec<String>,
    /// Added to each direction of what goes through the proxy.
    pub latency: Duration,
}

/// A running Kubernetes API. Its processes and its folder go when this is dropped, or when this process ends.
pub struct ApiServer {
    name: String,
    // Before the folder, so that it is dropped before.
    host: Host,
    folder: TempDir,
    authority: Arc<Authority>,
    proxy: FaultProxy,
    client: Client,
}

impl ApiServer {
    /// Ends the processes and removes the folder, as a drop does.
    pub fn stop(self) {
        drop(self);
    }

    /// Lets the processes run on when this process ends, and keeps the folder. The proxy lives in this process and does not
    /// stay: use credentials made with [`ApiServer::server_url`]. Returns process ids, clients before servers; none for an API
    /// server in memory, which cannot stay.
    #[must_use]
    pub fn leave_running(self) -> Vec<u32> {
        let _ = leash::let_folder_be(self.folder.path());
        let _ = self.folder.keep();
        self.host.leave_running()
    }

    /// The name that it was started with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A client that may do everything and does not go through the proxy: it sees the truth while the plane seems down.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The proxy through which everybody but the harness reaches this API server.
    #[must_use]
    pub fn proxy(&self) -> &FaultProxy {
        &self.proxy
    }

    /// Past the proxy.
    #[must_use]
    pub fn server_url(&self) -> String {
        format!("https://{}", self.host.address())
    }

    /// PEM of the authority that signed the server's certificate (and the proxy's).
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.authority.certificate()
    }

    /// Whether garbage collection, the end of namespaces and `kube-root-ca.crt` can be had.
    #[must_use]
    pub fn has_controllers(&self) -> bool {
        self.host.has_controllers()
    }

    /// A reader of the audit log, from its beginning.
    #[must_use]
    pub fn audit(&self) -> AuditLog {
        AuditLog::open(&self.name, &self.folder.path().join(AUDIT_LOG))
    }

    /// The kubeconfig of an administrator (member of `system:masters`) named `user`, past the proxy, as YAML.
    ///
    /// # Errors
    /// The certificate cannot be made.
    pub fn kubeconfig(&self, user: &str) -> anyhow::Result<String> {
        certificate_kubeconfig(&self.authority, &self.name, &self.server_url(), user)
    }

    /// The kubeconfig of an existing ServiceAccount, through the proxy, as YAML with one context of the given name, in
    /// the account's namespace. The token
    /// is good for 24 h.
    ///
    /// # Errors
    /// There is no such ServiceAccount.
    pub async fn service_account_kubeconfig(
        &self,
        namespace: &str,
        name: &str,
        context: &str,
    ) -> anyhow::Result<String> {
        let token = self.service_account_token(namespace, name).await?;
        kubeconfig::text(
            (context, namespace),
            &self.proxy.url(),
            &self.ca_pem(),
            &Credential::Token(&token),
        )
    }

    /// A token of an existing ServiceAccount, good for 24 h.
    ///
    /// # Errors
    /// There is no such ServiceAccount.
    pub async fn service_account_token(&self, namespace: &str, name: &str) -> anyhow::Result<String> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let request = TokenRequest {
            spec: TokenRequestSpec {
                expiration_seconds: Some(TOKEN_SECONDS),
                ..Default::default()
            },
            ..Default::default()
        };
        let answer = accounts
            .create_token_request(name, &PostParams::default(), &request)
            .await;
        let answer =
            answer.with_context(|| format!("token of ServiceAccount {namespace}/{name} in {}", self.name))?;
        Ok(answer
            .status
            .with_context(|| format!("{}: a TokenRequest without an answer", self.name))?
            .token)
    }

    /// Resident memory of each process in KiB, where `/proc` tells it.
    #[must_use]
    pub fn memory_kib(&self) -> Vec<(String, u64)> {
        self.host.memory_kib()
    }
}

/// A client for a kubeconfig that this crate has made (or any other).
///
/// # Errors
/// The text is no kubeconfig.
pub async fn connect(kubeconfig: &str) -> anyhow::Result<Client> {
    let config = Kubeconfig::from_yaml(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

fn certificate_kubeconfig(
    authority: &Authority,
    context: &str,
    url: &str,
    user: &str,
) -> anyhow::Result<String> {
    let identity = authority.client(user, &["system:masters"])?;
    kubeconfig::text(
        (context, "default"),
        url,
        &authority.certificate(),
        &Credential::Certificate(&identity),
    )
}
