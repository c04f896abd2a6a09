//! Clients of the program's own cluster. Its kubeconfig is the operator's own file and is trusted.

use std::time::Duration;

use http::header::{HeaderValue, USER_AGENT};
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::{Guard, Metrics, ProcessArgs};

/// Label of the own cluster in `rest_client_requests_total`.
const LOCAL: &str = "local";

/// Reads where the own cluster is: `--kubeconfig`, else what kubectl would use, else the pod's service account.
pub(crate) async fn config(name: &str, args: &ProcessArgs) -> anyhow::Result<Config> {
    let mut config = match &args.kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path)?;
            Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?
        }
        None => Config::infer().await?,
    };
    // Retries belong to the queue: kube's would hide minutes of failure inside one call.
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    // Without one, a watch could hang for ever in a half-open connection's write.
    config.write_timeout = Some(Duration::from_secs(10));
    config
        .headers
        .push((USER_AGENT, HeaderValue::from_str(&format!("ringspan-{name}"))?));
    Ok(config)
}

/// A guarded client with connections of its own.
pub(crate) fn client(config: Config, metrics: &Metrics) -> anyhow::Result<Client> {
    Ok(ClientBuilder::try_from(config)?
        .with_layer(&Guard::new(LOCAL, metrics))
        .build())
}
