//! What a client hears instead of an answer.

use std::io::ErrorKind;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use runtime::WireBody;
use serde_json::{Value, json};
use tower::BoxError;

/// The connection breaks.
pub(crate) fn broken() -> BoxError {
    std::io::Error::from(ErrorKind::ConnectionReset).into()
}

/// Nobody listens.
pub(super) fn refused() -> BoxError {
    std::io::Error::from(ErrorKind::ConnectionRefused).into()
}

/// A version is too old.
pub(super) fn gone() -> Value {
    object(410)
}

/// What an API server answers with that code, as far as a client looks.
pub(crate) fn status(code: u16) -> Response<WireBody> {
    let body = Full::new(Bytes::from(object(code).to_string()));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn object(code: u16) -> Value {
    let reason = match code {
        401 => "Unauthorized",
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "Unknown",
    };
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "by plan", "reason": reason, "code": code,
    })
}
