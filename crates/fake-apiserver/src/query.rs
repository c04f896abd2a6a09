//! Parameters of a URL.

use std::borrow::Cow;

/// The parameters, decoded when they are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'q>(&'q str);

impl<'q> Query<'q> {
    pub(crate) fn of(uri: &'q http::Uri) -> Query<'q> {
        Query(uri.query().unwrap_or_default())
    }

    /// The first value of a parameter; nothing if it is empty.
    pub(crate) fn get(self, name: &str) -> Option<Cow<'q, str>> {
        let value = self.0.split('&').find_map(|pair| match pair.split_once('=') {
            Some((key, value)) => (key == name).then_some(value),
            None => (pair == name).then_some(""),
        })?;
        (!value.is_empty()).then(|| decoded(value))
    }

    pub(crate) fn flag(self, name: &str) -> bool {
        matches!(self.get(name).as_deref(), Some("true" | "1"))
    }

    pub(crate) fn number(self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    pub(crate) fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, escaped) {
            (_, Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', None) => {
                bytes.push(b' ');
                rest = after;
            }
            (other, None) => {
                bytes.push(*other);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn parameters_are_decoded_and_empty_ones_are_not_there() {
        let query = Query("labelSelector=a%2Fb%3Dc%2Cd&watch=true&resourceVersion=&limit=5&x=a+b");
        assert_eq!(query.get("labelSelector").as_deref(), Some("a/b=c,d"));
        assert!(query.flag("watch"));
        assert!(!query.has("resourceVersion"));
        assert_eq!(query.number("limit"), Some(5));
        assert_eq!(query.get("x").as_deref(), Some("a b"));
    }
}
