//! Tokens of continued lists.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

/// Where a list goes on.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Page {
    v: String,
    /// The version that the whole list shows; -1: whatever is there now.
    pub(super) rv: i64,
    /// The last key that was listed.
    pub(super) start: String,
}

impl Page {
    pub(super) fn new(version: i64, last: &str) -> Page {
        Page {
            v: "meta.k8s.io/v1".to_owned(),
            rv: version,
            start: format!("{last}\u{0}"),
        }
    }

    pub(super) fn token(&self) -> String {
        STANDARD_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    pub(super) fn parse(token: &str) -> Option<Page> {
        let json = STANDARD_NO_PAD.decode(token.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// The key after which the page begins.
    pub(super) fn after(&self) -> &str {
        self.start.trim_end_matches('\u{0}')
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_token_says_where_the_list_stopped() {
        let page = Page::new(7, "ns/a");
        let read = Page::parse(&page.token()).unwrap();
        assert_eq!(read, page);
        assert_eq!(read.after(), "ns/a");
        assert_eq!(Page::parse("nonsense"), None);
    }
}
