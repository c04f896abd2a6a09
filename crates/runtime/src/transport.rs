//! The two requests of a watch: one page of a list, and the stream of changes after it. Both are bounded in time and
//! size, and neither ever asks for `resourceVersion=0`, which may be answered with an old state.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue};
use http_body_util::{BodyExt, BodyStream, LengthLimitError, Limited};
use kube::Client;
use kube::api::{ListParams, WatchParams};
use kube::client::Body;
use kube::core::Request;
use kube::runtime::watcher;
use tokio::time::timeout;

use futures::StreamExt;

use crate::decode;
use crate::watch_error::{WatchError, WatchErrorKind, causes, short};

/// The longest a page or the head of a watch may take. The guarded client's own limit (10 s) comes first and says
/// more; this one also holds for clients without a guard.
pub(crate) const CALL: Duration = Duration::from_secs(11);
/// Objects per page.
pub(crate) const PAGE: u32 = 200;
const MOST_PAGE: usize = 32 * 1024 * 1024;
/// Twice what etcd stores, which leaves room for JSON and managed fields.
const MOST_LINE: usize = 4 * 1024 * 1024;
const MOST_STATUS: usize = 64 * 1024;

/// Where and what to ask, for one collection.
pub(crate) struct Transport {
    pub(crate) watch: &'static str,
    pub(crate) client: Client,
    /// Path of the collection.
    pub(crate) path: String,
    pub(crate) config: watcher::Config,
    /// Ask for objects' metadata only.
    pub(crate) metadata_only: bool,
}

impl Transport {
    /// The bytes of one page.
    pub(crate) async fn page(&self, next: Option<&str>, limit: u32) -> Result<Bytes, WatchError> {
        let params = ListParams {
            label_selector: self.config.label_selector.clone(),
            field_selector: self.config.field_selector.clone(),
            limit: Some(limit),
            continue_token: next.map(str::to_owned),
            ..ListParams::default()
        };
        let request = Request::new(&*self.path).list(&params);
        let collected = async {
            let body = self.send(request, "PartialObjectMetadataList").await?;
            self.collect(body, MOST_PAGE).await
        };
        self.bounded(CALL, collected).await
    }

    /// The changes after `resource_version`, once the server has agreed to send them.
    pub(crate) async fn changes(
        &self,
        resource_version: &str,
        within: Duration,
    ) -> Result<Lines, WatchError> {
        let params = WatchParams {
            label_selector: self.config.label_selector.clone(),
            field_selector: self.config.field_selector.clone(),
            timeout: Some(self.seconds()),
            bookmarks: self.config.bookmarks,
            send_initial_events: false,
        };
        let request = Request::new(&*self.path).watch(&params, resource_version);
        let body = self
            .bounded(within, self.send(request, "PartialObjectMetadata"))
            .await?;
        Ok(Lines {
            body: BodyStream::new(body),
            buffer: BytesMut::new(),
            scanned: 0,
        })
    }

    /// How long the server keeps one watch open.
    pub(crate) fn seconds(&self) -> u32 {
        self.config.timeout.unwrap_or(290).max(1)
    }

    pub(crate) fn error(&self, kind: WatchErrorKind, message: &str) -> WatchError {
        WatchError {
            watch: self.watch,
            kind,
            message: short(message),
        }
    }

    async fn send(
        &self,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
        metadata_kind: &str,
    ) -> Result<Body, WatchError> {
        let request = request.map_err(|error| self.error(WatchErrorKind::Refused, &causes(&error)))?;
        let mut request = request.map(Body::from);
        if self.metadata_only {
            let accept = format!("application/json;as={metadata_kind};g=meta.k8s.io;v=v1");
            if let Ok(accept) = HeaderValue::from_str(&accept) {
                request.headers_mut().insert(ACCEPT, accept);
            }
        }
        if request
            .uri()
            .query()
            .is_some_and(|query| query.contains("watch=true"))
        {
            // Newer servers compress each event as a gzip member of its own, which the client cannot read.
            request
                .headers_mut()
                .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let answer = self
            .client
            .send(request)
            .await
            .map_err(|error| self.broken(&error))?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let code = answer.status().as_u16();
        let bytes = self
            .collect(answer.into_body(), MOST_STATUS)
            .await
            .unwrap_or_default();
        let (kind, message) = decode::status(&bytes, code);
        Err(self.error(kind, &message))
    }

    async fn collect(&self, body: Body, most: usize) -> Result<Bytes, WatchError> {
        match Limited::new(body, most).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(self.error(WatchErrorKind::TooLarge, &format!("more than {most} bytes")))
            }
            Err(error) => Err(self.error(WatchErrorKind::Unreachable, &causes(error.as_ref()))),
        }
    }

    async fn bounded<R>(
        &self,
        within: Duration,
        call: impl Future<Output = Result<R, WatchError>>,
    ) -> Result<R, WatchError> {
        timeout(within, call).await.unwrap_or_else(|_| {
            Err(self.error(
                WatchErrorKind::TimedOut,
                &format!("no answer within {} s", within.as_secs()),
            ))
        })
    }

    fn broken(&self, error: &kube::Error) -> WatchError {
        let kind = match error {
            kube::Error::Service(inner) if crate::guard::timed_out(inner.as_ref()) => {
                WatchErrorKind::TimedOut
            }
            kube::Error::Service(inner) if crate::guard::too_large(inner.as_ref()) => {
                WatchErrorKind::TooLarge
            }
            _ => WatchErrorKind::Unreachable,
        };
        self.error(kind, &causes(error))
    }
}

/// The lines of an open watch.
pub(crate) struct Lines {
    body: BodyStream<Body>,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no line end.
    scanned: usize,
}

/// How a stream of lines ends.
#[derive(Debug)]
pub(crate) enum Cut {
    /// The server closed it.
    Closed,
    /// It broke.
    Broken(String),
    /// A line longer than any object.
    TooLong,
}

impl Lines {
    /// The next line, without its end. What is left of a cut line is dropped.
    pub(crate) async fn next(&mut self) -> Result<Bytes, Cut> {
        loop {
            let found = self
                .buffer
                .get(self.scanned..)
                .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
            if let Some(end) = found.filter(|end| self.scanned + end <= MOST_LINE) {
                let line = self.buffer.split_to(self.scanned + end + 1).freeze();
                self.scanned = 0;
                if self.buffer.is_empty() {
                    // Lets go of what a large object needed.
                    self.buffer = BytesMut::new();
                }
                return Ok(line);
            }
            self.scanned = self.buffer.len();
            if self.scanned > MOST_LINE {
                return Err(Cut::TooLong);
            }
            match self.body.next().await {
                None => return Err(Cut::Closed),
                Some(Err(error)) => return Err(Cut::Broken(causes(&error))),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
            }
        }
    }
}
