//! The way to the control plane: the user's own kubeconfig, as kubectl reads it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use fleet::FleetOptions;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// Where Ringspan is installed, if nobody says otherwise.
const NAMESPACE: &str = "ringspan";

/// Which control plane is asked, and where Ringspan is in it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Connection {
    /// Kubeconfig of the control plane; without it KUBECONFIG or ~/.kube/config. As with kubectl, its login may run a command
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of that kubeconfig; without it the current one
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Namespace that Ringspan runs in: `ringspan` unless given. Given, only the ClientConfigs of that namespace count, too
    #[arg(long, value_name = "NAMESPACE")]
    pub control_plane_namespace: Option<String>,
    /// Ringspan runs with --require-grants: a plane is used only where annotation ringspan.io/grants of its ClientConfig allows it
    #[arg(long)]
    pub require_grants: bool,
}

impl Connection {
    /// A client of the control plane.
    ///
    /// # Errors
    /// The kubeconfig cannot be read, or has no way to log in.
    pub async fn client(&self) -> Result<Client> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let config = match &self.kubeconfig {
            Some(path) => {
                let read = Kubeconfig::read_from(path)
                    .with_context(|| format!("kubeconfig {} cannot be read", path.display()))?;
                Config::from_custom_kubeconfig(read, &options).await
            }
            None => Config::from_kubeconfig(&options).await,
        };
        let config = config.context(
            "the kubeconfig of the control plane cannot be used; give another with --kubeconfig or --context",
        )?;
        Client::try_from(config)
            .context("the kubeconfig of the control plane gives no login; another way is `kubectl proxy` and a kubeconfig for its address")
    }

    /// Where Ringspan runs.
    pub(crate) fn installed_in(&self) -> &str {
        self.control_plane_namespace.as_deref().unwrap_or(NAMESPACE)
    }

    /// How planes are asked.
    pub(crate) fn fleet(&self) -> FleetOptions {
        let namespaces: Vec<String> = self.control_plane_namespace.iter().cloned().collect();
        FleetOptions {
            require_grants: self.require_grants,
            ..FleetOptions::new(
                &namespaces,
                concat!("kubectl-ringspan/", env!("CARGO_PKG_VERSION")),
            )
        }
    }
}
