//! Answers, good and bad.

use std::convert::Infallible;

use bytes::Bytes;
use futures::stream;
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use serde_json::Value;
use tokio::sync::mpsc;

/// What a test lets the server say.
pub type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// A watch: one line for each event.
pub fn streamed(receiver: mpsc::UnboundedReceiver<String>) -> Answer {
    let frames = stream::unfold(receiver, |mut receiver| async {
        let line = receiver.recv().await?;
        Some((Ok(Frame::data(Bytes::from(line))), receiver))
    });
    of(200, StreamBody::new(frames).boxed_unsync())
}

fn of(code: u16, body: UnsyncBoxBody<Bytes, Infallible>) -> Answer {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
        .headers_mut()
        .insert("content-type", "application/json".parse().unwrap());
    response
}

pub fn json(code: u16, value: &Value) -> Answer {
    bytes(code, value.to_string())
}

pub fn bytes(code: u16, body: impl Into<Bytes>) -> Answer {
    of(code, Full::new(body.into()).boxed_unsync())
}

/// A body that begins and never goes on.
pub fn pending() -> Answer {
    of(200, StreamBody::new(stream::pending()).boxed_unsync())
}

/// A body that never ends: this byte again and again.
pub fn endless(byte: u8) -> Answer {
    let chunk = Bytes::from(vec![byte; 64 * 1024]);
    let frames = stream::repeat_with(move || Ok(Frame::data(chunk.clone())));
    of(200, StreamBody::new(frames).boxed_unsync())
}

/// A byte every 50 ms, without end.
pub fn dripping() -> Answer {
    let frames = stream::unfold(
        tokio::time::interval(std::time::Duration::from_millis(50)),
        |mut ticks| async {
            ticks.tick().await;
            Some((Ok(Frame::data(Bytes::from_static(b" "))), ticks))
        },
    );
    of(200, StreamBody::new(frames).boxed_unsync())
}
