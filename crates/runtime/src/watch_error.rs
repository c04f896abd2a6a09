//! Why a watch does not work, in a form that can be kept, compared and shown.

use std::error::Error;

/// The failure of one list or watch request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("watch {watch}: {kind}: {message}")]
pub struct WatchError {
    /// The watch's name.
    pub watch: &'static str,
    /// What kind of failure.
    pub kind: WatchErrorKind,
    /// At most 256 bytes; never contents of objects.
    pub message: String,
}

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum WatchErrorKind {
    /// 401: the credential is not accepted.
    #[error("unauthorized")]
    Unauthorized,
    /// 403.
    #[error("forbidden")]
    Forbidden,
    /// 404: the server does not know this kind (its CRD is missing).
    #[error("no such kind")]
    NoSuchKind,
    /// 410: what was asked for is too old; a new list follows.
    #[error("too old")]
    TooOld,
    /// 429 or 5xx: the server is there, and cannot.
    #[error("server error")]
    ServerError,
    /// Another answer that is no success.
    #[error("refused")]
    Refused,
    /// No connection, or it broke.
    #[error("unreachable")]
    Unreachable,
    /// No answer in time.
    #[error("timed out")]
    TimedOut,
    /// An answer larger than this program reads.
    #[error("too large")]
    TooLarge,
    /// An answer that is not what a Kubernetes API server says.
    #[error("not understood")]
    NotUnderstood,
}

impl WatchErrorKind {
    /// The kind that an HTTP status other than success stands for.
    pub(crate) fn of_code(code: u16) -> WatchErrorKind {
        match code {
            401 => WatchErrorKind::Unauthorized,
            403 => WatchErrorKind::Forbidden,
            404 => WatchErrorKind::NoSuchKind,
            410 => WatchErrorKind::TooOld,
            429 | 500.. => WatchErrorKind::ServerError,
            _ => WatchErrorKind::Refused,
        }
    }
}

/// Longest text from a remote that is kept, in bytes.
const MOST_TEXT: usize = 256;

/// `text` cut to 256 bytes and to printable characters: it may come from a hostile server.
pub(crate) fn short(text: &str) -> String {
    let mut short: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST_TEXT)
        .collect();
    let cut = short.floor_char_boundary(MOST_TEXT);
    short.truncate(cut);
    short
}

/// An error with its causes, each said once: libraries often repeat the inner text in the outer.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let one = cause.to_string();
        if !text.contains(&one) {
            text = format!("{text}: {one}");
        }
        next = cause.source();
    }
    short(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_remote_is_cut_at_a_character_and_has_no_control_characters() {
        let text = short(&format!("a\n\u{1b}[2J{}", "é".repeat(300)));
        assert!(text.len() <= 256 && text.starts_with("a  [2J"), "{text}");
    }

    #[test]
    fn causes_are_said_once() {
        let inner = std::io::Error::other("connection refused");
        let outer = std::io::Error::other(inner);
        assert_eq!(causes(&outer), "connection refused");
    }
}
