//! Clients of the program's own cluster.

use http::header::{HeaderValue, USER_AGENT};
use kube::Client;
use kube::client::ClientBuilder;
use tower::ServiceBuilder;

use crate::connection::connect;
use crate::own_cluster::OwnCluster;
use crate::{Guard, Metrics};

/// Label of the own cluster in `rest_client_requests_total`.
const LOCAL: &str = "local";

/// A guarded client with connections of its own. Nothing is retried in it: that belongs to the queue, and would hide
/// minutes of failure inside one call.
pub(crate) fn client(name: &str, cluster: &OwnCluster, metrics: &Metrics) -> anyhow::Result<Client> {
    let agent = HeaderValue::from_str(&format!("ringspan-{name}"))?;
    let wire = ServiceBuilder::new()
        .map_request(move |mut request: http::Request<kube::client::Body>| {
            request.headers_mut().insert(USER_AGENT, agent.clone());
            request
        })
        .service(connect(cluster.endpoint()?));
    Ok(ClientBuilder::new(wire, cluster.namespace.as_str())
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
    use crate::ProcessArgs;

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
            let error = OwnCluster::find(&args(&file)).err().unwrap();
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
        let cluster = OwnCluster::find(&args(&file)).unwrap();
        let client = client("demo", &cluster, &metrics).unwrap();
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
