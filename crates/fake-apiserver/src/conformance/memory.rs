//! The server in memory, as scripts see it.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use tokio::time::timeout;

use super::{Asked, Next, Reply, Server};
use crate::watch::WatchStream;
use crate::{Body, Chores, Definitions, Options, User};

/// Longer than any watch of the scripts stays open without an event that must come.
const AWAITED: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_millis(150);
const PAUSE: Duration = Duration::from_millis(50);

/// A server of its own. Under tokio's paused clock nothing waits for real.
#[derive(Debug)]
pub struct Memory(crate::Server);

impl Memory {
    /// A new server. `controllers`: it does what controllers do, as soon as there is reason to.
    #[must_use]
    pub fn serving(definitions: Definitions, controllers: bool) -> Memory {
        let chores = if controllers {
            Chores::AtOnce
        } else {
            Chores::ByHand
        };
        let server = crate::Server::new(Options {
            definitions,
            chores,
            ..Options::default()
        });
        // A real server does not know either what was before it began.
        server.compact(server.version());
        Memory(server)
    }
}

fn user(name: Option<&str>) -> User {
    let account = name.and_then(|name| name.strip_prefix("system:serviceaccount:")?.split_once(':'));
    match (account, name) {
        (Some((namespace, name)), _) => User::service_account(namespace, name),
        (None, Some(name)) => User {
            name: name.to_owned(),
            groups: vec!["system:authenticated".to_owned()],
        },
        // The user whose certificate the recorder shows.
        (None, None) => User {
            name: "conformance".to_owned(),
            ..User::admin()
        },
    }
}

impl Server for Memory {
    type Stream = Box<WatchStream>;
    type Error = Infallible;

    async fn answer(&self, asked: Asked) -> Result<Reply<Self::Stream>, Infallible> {
        let answer = self.0.answer(&user(asked.user.as_deref()), &asked.request);
        let warnings = answer.warnings.iter();
        Ok(match answer.body {
            Body::Watch(stream) => Reply::Stream(stream),
            Body::Whole(body) => Reply::Whole {
                code: answer.status.as_u16(),
                warnings: warnings.map(|text| format!("299 - {text:?}")).collect(),
                body,
            },
        })
    }

    async fn next(&self, stream: &mut Self::Stream, awaited: bool) -> Next {
        match timeout(if awaited { AWAITED } else { QUIET }, stream.next()).await {
            Err(_) => Next::Quiet,
            Ok(None) => Next::Ended,
            Ok(Some(line)) => Next::Event(serde_json::from_slice(&line).unwrap_or(Value::Null)),
        }
    }

    async fn pause(&self) {
        tokio::time::sleep(PAUSE).await;
    }
}
