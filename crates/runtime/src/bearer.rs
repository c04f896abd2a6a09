//! The token that requests carry.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

/// How long a token that was read from a file is used: the kubelet renews it at 80 % of its life, which is 10 min at
/// least.
const READ_AGAIN: Duration = Duration::from_mins(1);

/// A bearer token, fixed or in a file that somebody renews.
pub struct Bearer {
    file: Option<PathBuf>,
    last: Mutex<(HeaderValue, Instant)>,
}

impl Bearer {
    /// A token that stays; `None` if it cannot stand in a header.
    #[must_use]
    pub fn fixed(token: &str) -> Option<Self> {
        Some(Self {
            file: None,
            last: Mutex::new((header(token)?, Instant::now())),
        })
    }

    /// A token in a file, read again each minute.
    ///
    /// # Errors
    /// The file cannot be read, or holds no token.
    pub fn file(path: PathBuf) -> std::io::Result<Self> {
        let token = std::fs::read_to_string(&path)?;
        let token = header(&token).ok_or_else(|| std::io::Error::other("it holds no token"))?;
        Ok(Self {
            file: Some(path),
            last: Mutex::new((token, Instant::now())),
        })
    }

    /// The value of `Authorization`. While the file cannot be read the last token goes on being used: the server
    /// knows best whether it still holds.
    pub(crate) fn header(&self) -> HeaderValue {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &self.file
            && last.1.elapsed() >= READ_AGAIN
        {
            let read = std::fs::read_to_string(path).ok();
            let token = read
                .and_then(|text| header(&text))
                .unwrap_or_else(|| last.0.clone());
            *last = (token, Instant::now());
        }
        last.0.clone()
    }
}

fn header(token: &str) -> Option<HeaderValue> {
    let token = token.trim();
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    (!token.is_empty()).then_some(value)
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_that_is_renewed_in_its_file_is_used_within_a_minute() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "first\n").unwrap();
        let bearer = Bearer::file(file.path().to_owned()).unwrap();
        assert_eq!(bearer.header(), "Bearer first");
        std::fs::write(file.path(), "second\n").unwrap();
        assert_eq!(bearer.header(), "Bearer first");
        tokio::time::advance(READ_AGAIN).await;
        assert_eq!(bearer.header(), "Bearer second");
        std::fs::remove_file(file.path()).unwrap();
        tokio::time::advance(READ_AGAIN).await;
        assert_eq!(bearer.header(), "Bearer second");
    }

    #[test]
    fn a_token_is_never_shown() {
        let bearer = Bearer::fixed("s3cret").unwrap();
        assert!(!format!("{bearer:?} {:?}", bearer.header()).contains("s3cret"));
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_no_token() {
        for token in ["", " \n", "a\nb"] {
            assert!(Bearer::fixed(token).is_none(), "{token:?}");
        }
    }
}
