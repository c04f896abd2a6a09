//! Where the program's own cluster is, and how to log in: a kubeconfig, or the service account of the pod.
//!
//! The kubeconfig is the operator's own file, so paths in it are followed. Commands are not run: a program that holds
//! the keys of every plane starts none.

mod kubeconfig;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use http::Uri;
use rustls::pki_types::ServerName;

use crate::ProcessArgs;
use crate::bearer::Bearer;
use crate::connection::{Endpoint, Patience};
use crate::tls::{self, Authorities};

/// Where a pod finds its account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Where, and who we are there.
pub(crate) struct OwnCluster {
    pub(crate) server: Uri,
    server_name: Option<String>,
    authorities: Authorities,
    /// Chain and key, both PEM.
    identity: Option<(String, String)>,
    bearer: Option<Arc<Bearer>>,
    /// The pod's namespace, or that of the kubeconfig's context: where the program's own configuration lies.
    pub(crate) namespace: String,
}

/// As kubectl has it, where nobody says anything.
const NAMESPACE: &str = "default";

impl OwnCluster {
    /// `--kubeconfig`, else `KUBECONFIG`, else the pod's service account, else `~/.kube/config`.
    pub(crate) fn find(args: &ProcessArgs) -> anyhow::Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(path) = &args.kubeconfig {
            return read(path);
        }
        if let Some(paths) = variable("KUBECONFIG") {
            // kubectl merges several; which of them would be meant here?
            if paths.contains(':') {
                bail!("KUBECONFIG names several files. Name one, or give --kubeconfig.");
            }
            return read(Path::new(&paths));
        }
        if let Some((host, port)) =
            variable("KUBERNETES_SERVICE_HOST").zip(variable("KUBERNETES_SERVICE_PORT"))
        {
            return in_pod(&host, &port, Path::new(ACCOUNT))
                .context("the pod's service account cannot be used");
        }
        let file = variable("HOME").map(|home| PathBuf::from(home).join(".kube/config"));
        match file.filter(|file| file.exists()) {
            Some(file) => read(&file),
            None => bail!(
                "there is no --kubeconfig, no KUBECONFIG and no ~/.kube/config, and this is no pod (KUBERNETES_SERVICE_HOST is not set)"
            ),
        }
    }

    /// How to connect to it.
    pub(crate) fn endpoint(&self) -> anyhow::Result<Endpoint> {
        let identity = self
            .identity
            .as_ref()
            .map(|(chain, key)| (chain.as_str(), key.as_str()));
        let name = self.server_name.clone().map(ServerName::try_from).transpose();
        Ok(Endpoint {
            server: self.server.clone(),
            tls: tls::client(&self.authorities, identity).context("no TLS client for the control plane")?,
            server_name: name.map_err(|_| anyhow!("tls-server-name is no host name"))?,
            plain: true,
            bearer: self.bearer.clone(),
            patience: Patience::default(),
        })
    }
}

fn read(path: &Path) -> anyhow::Result<OwnCluster> {
    kubeconfig::read(path).with_context(|| path.display().to_string())
}

fn in_pod(host: &str, port: &str, account: &Path) -> anyhow::Result<OwnCluster> {
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let token = account.join("token");
    let bearer = Bearer::file(token.clone()).with_context(|| token.display().to_string())?;
    let namespace = std::fs::read_to_string(account.join("namespace")).unwrap_or_default();
    Ok(OwnCluster {
        server: format!("https://{host}:{port}")
            .parse()
            .context("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT")?,
        server_name: None,
        authorities: Authorities::File(account.join("ca.crt")),
        identity: None,
        bearer: Some(Arc::new(bearer)),
        namespace: or_default(namespace.trim()),
    })
}

fn or_default(namespace: &str) -> String {
    Some(namespace)
        .filter(|name| !name.is_empty())
        .unwrap_or(NAMESPACE)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_told_where_its_cluster_is_by_name_or_by_address() {
        let account = tempfile::tempdir().unwrap();
        std::fs::write(account.path().join("token"), "t").unwrap();
        for (host, server) in [
            ("10.0.0.1", "https://10.0.0.1:443/"),
            ("fd00::1", "https://[fd00::1]:443/"),
            ("kubernetes", "https://kubernetes:443/"),
        ] {
            let found = in_pod(host, "443", account.path()).unwrap();
            assert_eq!(found.server.to_string(), server);
            assert!(found.bearer.is_some());
        }
    }

    #[test]
    fn a_pod_is_told_its_own_namespace_by_its_account() {
        let account = tempfile::tempdir().unwrap();
        std::fs::write(account.path().join("token"), "t").unwrap();
        let namespace = || in_pod("10.0.0.1", "443", account.path()).unwrap().namespace;
        assert_eq!(namespace(), "default");
        std::fs::write(account.path().join("namespace"), "ringspan\n").unwrap();
        assert_eq!(namespace(), "ringspan");
    }

    #[test]
    fn a_pod_without_a_token_says_which_file_is_missing() {
        let account = tempfile::tempdir().unwrap();
        let error = in_pod("10.0.0.1", "443", account.path()).err().unwrap();
        assert!(format!("{error:#}").contains("/token"), "{error:#}");
    }
}
