//! What a server answers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::Frame;

use crate::failure::Failure;
use crate::watch::WatchStream;

/// The answer to one request.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Texts of `Warning` headers.
    pub warnings: Vec<String>,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// What follows the headers.
    pub body: Body,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// Events, each one line of JSON, as long as somebody reads.
    Watch(Box<WatchStream>),
}

const JSON: &str = "application/json";

impl Answer {
    /// What somebody is told whose credentials are none.
    #[must_use]
    pub fn unauthorized() -> Answer {
        Failure::new(401, "Unauthorized", "Unauthorized").into()
    }

    pub(crate) fn json(code: u16, body: impl Into<Bytes>) -> Answer {
        Answer {
            status: StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            warnings: Vec::new(),
            content_type: JSON,
            body: Body::Whole(body.into()),
        }
    }

    pub(crate) fn text(code: u16, text: &str) -> Answer {
        Answer {
            content_type: "text/plain; charset=utf-8",
            ..Answer::json(code, text.to_owned())
        }
    }

    pub(crate) fn watch(stream: WatchStream) -> Answer {
        Answer {
            body: Body::Watch(Box::new(stream)),
            ..Answer::json(200, Bytes::new())
        }
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Answer {
        let mut answer = match failure.text() {
            Some(text) => Answer::text(failure.code(), text),
            None => Answer::json(failure.code(), failure.status().to_string()),
        };
        answer.warnings = failure.warnings().to_vec();
        answer
    }
}

impl From<Answer> for Response<ServerBody> {
    fn from(answer: Answer) -> Response<ServerBody> {
        let mut response = Response::new(ServerBody(Some(answer.body)));
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(answer.content_type),
        );
        for warning in answer.warnings {
            if let Ok(value) = HeaderValue::from_str(&format!("299 - {warning:?}")) {
                headers.append(header::WARNING, value);
            }
        }
        response
    }
}

/// The body of an answer as HTTP clients read it.
#[derive(Debug)]
pub struct ServerBody(Option<Body>);

impl http_body::Body for ServerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Some(Body::Watch(stream)) => Pin::new(stream)
                .poll_next(context)
                .map(|line| line.map(|line| Ok(Frame::data(line)))),
            whole => {
                let whole = match whole.take() {
                    Some(Body::Whole(bytes)) if !bytes.is_empty() => Some(Ok(Frame::data(bytes))),
                    _ => None,
                };
                Poll::Ready(whole)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            None => true,
            Some(Body::Whole(bytes)) => bytes.is_empty(),
            Some(Body::Watch(_)) => false,
        }
    }
}
