//! The token that requests carry.

use std::fmt;
use std::path::{Path, PathBuf};

use http::HeaderValue;

use crate::renewed::Renewed;

/// A bearer token, fixed or in a file that somebody renews.
pub struct Bearer(Token);

enum Token {
    Fixed(HeaderValue),
    File(Renewed<HeaderValue>),
}

impl Bearer {
    /// A token that stays; `None` if it cannot stand in a header.
    #[must_use]
    pub fn fixed(token: &str) -> Option<Self> {
        Some(Self(Token::Fixed(header(token)?)))
    }

    /// A token in a file, read again each minute.
    ///
    /// # Errors
    /// The file cannot be read, or holds no token.
    pub fn file(path: PathBuf) -> std::io::Result<Self> {
        let token = std::fs::read_to_string(&path)?;
        let token = header(&token).ok_or_else(|| std::io::Error::other("it holds no token"))?;
        let again = |path: &Path| header(&std::fs::read_to_string(path).ok()?);
        Ok(Self(Token::File(Renewed::new(path, token, again))))
    }

    /// The value of `Authorization`.
    pub(crate) fn header(&self) -> HeaderValue {
        match &self.0 {
            Token::Fixed(token) => token.clone(),
            Token::File(token) => token.current(),
        }
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
        let file = match &self.0 {
            Token::Fixed(_) => None,
            Token::File(token) => Some(token),
        };
        f.debug_tuple("Bearer").field(&file).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::renewed::READ_AGAIN;

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
