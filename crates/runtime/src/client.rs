//! Clients of the program's own cluster. Its kubeconfig is the operator's own file and is trusted.

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use http::header::{HeaderValue, USER_AGENT};
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::{Guard, Metrics, ProcessArgs};

/// Label of the own cluster in `rest_client_requests_total`.
const LOCAL: &str = "local";

/// Reads where the own cluster is: `--kubeconfig`, else what kubectl would use, else the pod's service account.
pub(crate) async fn config(name: &str, args: &ProcessArgs) -> anyhow::Result<Config> {
    let mut config = match &args.kubeconfig {
        Some(path) => from_file(path)
            .await
            .map_err(|error| anyhow!("{}: {}", path.display(), harmless(&error)))?,
        None => match Config::from_kubeconfig(&KubeConfigOptions::default()).await {
            Ok(config) => config,
            Err(error) => Config::incluster()
                .map_err(|pod| anyhow!("no kubeconfig ({}), and not in a pod ({pod})", harmless(&error)))?,
        },
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

async fn from_file(path: &Path) -> Result<Config, KubeconfigError> {
    let file = Kubeconfig::read_from(path)?;
    Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await
}

/// The text of an error without pieces of the file, which holds credentials.
fn harmless(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(_) => "not the YAML of a kubeconfig".to_owned(),
        other => other.to_string(),
    }
}

/// A guarded client with connections of its own.
pub(crate) fn client(config: Config, metrics: &Metrics) -> anyhow::Result<Client> {
    Ok(ClientBuilder::try_from(config)?
        .with_layer(&Guard::new(LOCAL, metrics))
        .build())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    use clap::Parser;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Api;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        process: ProcessArgs,
    }

    /// A server that answers 503 to each request, and tells what it was asked.
    fn unavailable() -> (String, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = vec![0; 4096];
                let length = stream.read(&mut head).unwrap();
                let _ = tell.send(String::from_utf8_lossy(&head[..length]).into_owned());
                let answer = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (format!("http://{address}"), told)
    }

    fn args(file: &tempfile::NamedTempFile) -> ProcessArgs {
        Program::parse_from(["x", "--kubeconfig", file.path().to_str().unwrap()]).process
    }

    #[tokio::test]
    async fn a_file_that_is_no_kubeconfig_is_not_quoted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in [
            "users: [{name: x, user: {token: [s3cret]}}]",
            "token: s3cret: {",
            "s3cret",
        ] {
            std::fs::write(file.path(), text).unwrap();
            let error = config("demo", &args(&file)).await.unwrap_err();
            assert!(!format!("{error:#} {error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_failing_server_is_asked_once_per_call_and_told_who_asks() {
        let (server, told) = unavailable();
        let file = tempfile::NamedTempFile::new().unwrap();
        let kubeconfig = serde_json::json!({
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "clusters": [{"name": "x", "cluster": {"server": server}}],
            "users": [{"name": "x", "user": {}}],
        });
        std::fs::write(file.path(), kubeconfig.to_string()).unwrap();
        let metrics = Metrics::new();
        let client = client(config("demo", &args(&file)).await.unwrap(), &metrics).unwrap();
        Api::<ConfigMap>::namespaced(client, "db")
            .get("a")
            .await
            .unwrap_err();
        let asked: Vec<String> = told.try_iter().collect();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert!(
            asked[0].to_lowercase().contains("user-agent: ringspan-demo\r\n"),
            "{asked:?}"
        );
        assert!(
            metrics
                .render()
                .contains(r#"rest_client_requests_total{code="503",host="local",method="GET"} 1"#)
        );
    }
}
