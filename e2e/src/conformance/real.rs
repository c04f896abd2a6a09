//! A real API server, as scripts see it.

use std::time::Duration;

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use fake_apiserver::conformance::{Asked, Next, Reply, Server};
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, WARNING};
use http_body_util::BodyExt;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use tokio::time::timeout;

use crate::ApiServer;

/// The longest that an event which must come may take.
const AWAITED: Duration = Duration::from_secs(10);
/// How long it is looked whether an event comes that should not.
const QUIET: Duration = Duration::from_millis(150);
const PAUSE: Duration = Duration::from_millis(50);

/// An administrator who asks, also in the name of others.
pub(super) struct Real {
    client: Client,
}

impl Real {
    pub(super) async fn of(server: &ApiServer) -> anyhow::Result<Self> {
        let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig("conformance")?)?;
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        // A refusal is what is looked for.
        config.default_retry = false;
        let real = Self {
            client: Client::try_from(config)?,
        };
        real.remember_from_here().await?;
        Ok(real)
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// A server keeps the history of a kind from the first request about it on: scripts find it kept from before theirs.
    async fn remember_from_here(&self) -> anyhow::Result<()> {
        let watch = "/apis/conformance.ringspan.io/v1/probes?watch=true&resourceVersion=0";
        self.sent(http::Request::get(watch).body(Body::empty())?).await?;
        Ok(())
    }
}

impl Real {
    /// A server that has just learned of a kind asks to come back later, which is nothing that a script is about.
    async fn sent(&self, request: http::Request<Body>) -> anyhow::Result<http::Response<Body>> {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await?;
        loop {
            let request = http::Request::from_parts(head.clone(), Body::from(body.clone()));
            let answer = self.client.send(request).await?;
            if answer.status() != StatusCode::TOO_MANY_REQUESTS {
                return Ok(answer);
            }
            self.pause().await;
        }
    }
}

/// The body of a watch, and what was read of it behind the last whole line.
pub(super) struct Stream {
    body: Body,
    buffer: BytesMut,
}

impl Server for Real {
    type Stream = Stream;
    type Error = anyhow::Error;

    async fn answer(&self, asked: Asked) -> anyhow::Result<Reply<Stream>> {
        let mut request = asked.request.map(Body::from);
        let identity = HeaderValue::from_static("identity");
        request.headers_mut().insert(ACCEPT_ENCODING, identity);
        if let Some(user) = &asked.user {
            impersonate(user, request.headers_mut())?;
        }
        let answer = self.sent(request).await?;
        let code = answer.status().as_u16();
        let warnings = answer.headers().get_all(WARNING).iter();
        let warnings = warnings
            .map(|warning| String::from_utf8_lossy(warning.as_bytes()).into_owned())
            .collect();
        if asked.watch && code == 200 {
            let (body, buffer) = (answer.into_body(), BytesMut::new());
            return Ok(Reply::Stream(Stream { body, buffer }));
        }
        let body = answer.into_body().collect_bytes().await?;
        Ok(Reply::Whole { code, warnings, body })
    }

    async fn next(&self, stream: &mut Stream, awaited: bool) -> Next {
        match timeout(if awaited { AWAITED } else { QUIET }, stream.line()).await {
            Err(_) => Next::Quiet,
            Ok(None) => Next::Ended,
            Ok(Some(line)) => Next::Event(serde_json::from_slice(&line).unwrap_or(Value::Null)),
        }
    }

    async fn pause(&self) {
        tokio::time::sleep(PAUSE).await;
    }
}

impl Stream {
    /// Loses nothing when it is dropped while it waits.
    async fn line(&mut self) -> Option<Bytes> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                return Some(self.buffer.split_to(end + 1).freeze());
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.buffer.extend_from_slice(&data);
            }
        }
    }
}

/// The user and the groups that a token of its would stand for.
fn impersonate(user: &str, headers: &mut HeaderMap) -> anyhow::Result<()> {
    let mut groups = vec!["system:authenticated".to_owned()];
    if let Some(account) = user.strip_prefix("system:serviceaccount:") {
        let (namespace, _) = account
            .split_once(':')
            .context("a ServiceAccount without a namespace")?;
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{namespace}"));
    }
    headers.insert("impersonate-user", user.parse()?);
    for group in groups {
        headers.append("impersonate-group", group.parse()?);
    }
    Ok(())
}
