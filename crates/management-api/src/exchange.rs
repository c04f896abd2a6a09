//! One request and its answer on a fresh connection, limited in bytes. The caller limits the time.

use std::pin::pin;

use bytes::Bytes;
use futures::future::{Either, select};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::{MAX_REMOTE_TEXT, clipped};

/// The longest head of an answer, in bytes: some forty times what the management API sends.
const HEAD_LIMIT: usize = 16 * 1024;

/// How an exchange failed; the client adds which call on which node.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The connection could not be made or broke.
    Broken(String),
    /// A status other than 2xx, and the beginning of the body.
    Status(u16, String),
    /// The body is longer than this number of bytes.
    TooLarge(usize),
    /// Not HTTP, or with a head that is too long.
    NotHttp(String),
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse() {
            Self::NotHttp(with_causes(&error))
        } else {
            Self::Broken(with_causes(&error))
        }
    }
}

/// Sends `request` over `io` and reads a 2xx answer of at most `limit` bytes.
///
/// Connection and exchange run in this one future: when the caller drops it, the socket closes with it.
pub(crate) async fn exchange<Io>(
    io: Io,
    request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<Vec<u8>, Failure>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_LIMIT)
        .handshake(TokioIo::new(io))
        .await?;
    let answer = pin!(async move {
        let (head, body) = sender.send_request(request).await?.into_parts();
        if head.status.is_success() {
            return read(body, limit).await;
        }
        let beginning = beginning_of(body).await;
        Err(Failure::Status(
            head.status.as_u16(),
            clipped(&String::from_utf8_lossy(&beginning)),
        ))
    });
    match select(answer, pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        // A connection may be through before the body is: what it has read is still to be fetched.
        Either::Right((_, answer)) => answer.await,
    }
}

async fn read(mut body: Incoming, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            if all.len() + data.len() > limit {
                return Err(Failure::TooLarge(limit));
            }
            all.extend_from_slice(data);
        }
    }
    Ok(all)
}

/// Of an error's body only as much as is shown; a body that breaks off does not hide the status.
async fn beginning_of(mut body: Incoming) -> Vec<u8> {
    let mut beginning = Vec::new();
    while beginning.len() < MAX_REMOTE_TEXT
        && let Some(Ok(frame)) = body.frame().await
    {
        beginning.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
    }
    beginning
}

/// The error with what caused it, outermost first, in one bounded line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    clipped(&text)
}
