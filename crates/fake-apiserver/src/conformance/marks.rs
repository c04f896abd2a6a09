//! What uids, times and versions look like in a text.

use std::ops::Range;

/// Uids that scripts make up begin like this and are told as they are.
const MADE_UP_UID: &str = "00000000-";
/// Times that scripts make up begin like this and are told as they are.
const MADE_UP_TIME: &str = "2020-";

/// Where the uids are.
pub(crate) fn uids(text: &str) -> Vec<Range<usize>> {
    const SHAPE: &[u8; 36] = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    let mut found = vec![];
    let mut start = 0;
    while let Some(window) = text.as_bytes().get(start..start + SHAPE.len()) {
        let fits = window.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'-' => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
        if fits && !window.starts_with(MADE_UP_UID.as_bytes()) {
            found.push(start..start + SHAPE.len());
        }
        start += if fits { SHAPE.len() } else { 1 };
    }
    found
}

/// Whether a text is a moment, with or without fractions of seconds.
pub(crate) fn is_time(text: &str) -> bool {
    const SHAPE: &[u8; 19] = b"dddd-dd-ddTdd:dd:dd";
    let Some((head, tail)) = text.as_bytes().split_at_checked(SHAPE.len()) else {
        return false;
    };
    let fits = head.iter().zip(SHAPE).all(|(byte, shape)| match shape {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    });
    let fraction = tail.strip_suffix(b"Z");
    fits && !text.starts_with(MADE_UP_TIME)
        && fraction.is_some_and(|fraction| {
            fraction.is_empty() || (fraction[0] == b'.' && fraction[1..].iter().all(u8::is_ascii_digit))
        })
}

/// A version that a message names, and what it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Some version.
    Version,
    /// The newest that there is.
    Now,
    /// The oldest that a server still knows.
    Oldest,
}

/// Where a message names versions.
pub(crate) fn told_versions(text: &str) -> Vec<(Range<usize>, Told)> {
    const BEFORE: [(&str, Told); 7] = [
        ("ResourceVersion in the precondition (", Told::Version),
        ("ResourceVersion in record (", Told::Version),
        ("ResourceVersion in precondition: ", Told::Version),
        ("ResourceVersion in object meta: ", Told::Version),
        ("resource version: ", Told::Version),
        ("current: ", Told::Now),
        (" (", Told::Oldest),
    ];
    let mut found = vec![];
    for (before, told) in BEFORE {
        if told == Told::Oldest && !text.contains("too old resource version") {
            continue;
        }
        for (place, _) in text.match_indices(before) {
            let start = place + before.len();
            let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                found.push((start..start + digits, told));
            }
        }
    }
    found.sort_by_key(|(range, _)| range.start);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_found_inside_of_a_sentence_unless_it_was_made_up() {
        let text = "UID 0b0c1d2e-aaaa-bbbb-cccc-0123456789ab, not 00000000-0000-0000-0000-000000000001";
        let found: Vec<_> = uids(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["0b0c1d2e-aaaa-bbbb-cccc-0123456789ab"]);
        assert!(uids("short").is_empty());
    }

    #[test]
    fn a_time_is_a_whole_text() {
        assert!(is_time("2026-11-21T10:06:05Z"));
        assert!(is_time("2026-11-21T10:06:05.123456Z"));
        assert!(!is_time("at 2026-11-21T10:06:05Z"));
        assert!(!is_time("2026-11-21"));
        assert!(!is_time("2020-01-01T00:00:00Z"));
    }

    #[test]
    fn versions_stand_behind_a_few_phrases() {
        let text = "too old resource version: 1 (230)";
        assert_eq!(
            told_versions(text),
            [(26..27, Told::Version), (29..32, Told::Oldest)]
        );
        assert_eq!(told_versions("must be less than 5 (6)"), []);
    }
}
