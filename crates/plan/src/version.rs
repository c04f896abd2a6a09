//! Versions of what is run: `major.minor.patch[-pre][+build]`.

use std::fmt;

/// A version. Its text is complete: `v4.0` reads as `4.0.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// First number.
    pub major: u64,
    /// Second number.
    pub minor: u64,
    /// Third number.
    pub patch: u64,
    /// What follows `-`.
    pub pre: Option<String>,
    /// What follows `+`.
    pub build: Option<String>,
}

impl Version {
    /// Reads a version; a leading `v` and missing numbers are allowed. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = split_suffix(text, '+')?;
        let (numbers, pre) = split_suffix(text, '-')?;
        let mut parts = numbers.split('.').map(number);
        let major = parts.next()??;
        let minor = parts.next().unwrap_or(Some(0))?;
        let patch = parts.next().unwrap_or(Some(0))?;
        parts.next().is_none().then_some(Self {
            major,
            minor,
            patch,
            pre,
            build,
        })
    }

    /// True for a release that is this one or later. A pre-release is none, whatever its numbers are.
    #[must_use]
    pub fn is_release_from(&self, major: u64, minor: u64, patch: u64) -> bool {
        self.pre.is_none() && (self.major, self.minor, self.patch) >= (major, minor, patch)
    }
}

/// Splits off a suffix of identifiers; `None` when there is one, and it is not valid.
fn split_suffix(text: &str, sign: char) -> Option<(&str, Option<String>)> {
    let Some((before, after)) = text.split_once(sign) else {
        return Some((text, None));
    };
    let is_identifier =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    after
        .split('.')
        .all(is_identifier)
        .then(|| (before, Some(after.to_owned())))
}

fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        self.pre.iter().try_for_each(|pre| write!(f, "-{pre}"))?;
        self.build.iter().try_for_each(|build| write!(f, "+{build}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_completed() {
        for (text, complete) in [
            ("4.0.1", "4.0.1"),
            ("v4.0.1", "4.0.1"),
            ("4.1", "4.1.0"),
            ("5", "5.0.0"),
            ("4.1-beta1", "4.1.0-beta1"),
            ("5.0.4-rc.1+b2", "5.0.4-rc.1+b2"),
        ] {
            assert_eq!(
                Version::parse(text).map(|v| v.to_string()).as_deref(),
                Some(complete),
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_no_version() {
        for text in [
            "", "v", "4.", "4.0.1.2", "four", "4.0.x", "4.0.1-", "-1", " 4.0.1", "4.0.1 ",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_pre_release_counts_as_no_release() {
        let version = |text: &str| Version::parse(text).expect("a version");
        assert!(version("4.1.0").is_release_from(4, 0, 0));
        assert!(!version("3.11.17").is_release_from(4, 0, 0));
        assert!(!version("4.1-beta1").is_release_from(4, 0, 0));
    }
}
