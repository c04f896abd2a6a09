//! Formats of strings, as far as a schema of ours can name them.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;

/// Whether `text` has the format; unknown formats hold for everything.
pub(super) fn holds(format: &str, text: &str) -> bool {
    match format {
        "date-time" => is_date_time(text),
        "date" => text.parse::<jiff::civil::Date>().is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "byte" => base64::engine::general_purpose::STANDARD.decode(text).is_ok(),
        "duration" => is_duration(text),
        "uuid" | "uuid4" => is_uuid(text),
        _ => true,
    }
}

fn is_date_time(text: &str) -> bool {
    text.len() >= 20 && text.parse::<jiff::Timestamp>().is_ok()
}

/// As Go writes durations: numbers with units, one after another.
fn is_duration(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits == "0" {
        return true;
    }
    let mut rest = digits;
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        let unit = ["ns", "us", "µs", "ms", "s", "m", "h"]
            .into_iter()
            .find(|unit| after.starts_with(unit));
        let (Some(unit), true) = (unit, after.len() < rest.len()) else {
            return false;
        };
        rest = &after[unit.len()..];
    }
    !digits.is_empty()
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|letter| letter.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn each_known_format_takes_its_own_and_refuses_others() {
        for (format, good, bad) in [
            ("date-time", "2026-01-01T00:00:00Z", "yesterday"),
            ("ipv4", "10.0.0.1", "10.0.0"),
            ("ipv6", "fd00::1", "10.0.0.1"),
            ("byte", "aGk=", "###"),
            ("duration", "1h30m", "1 day"),
            ("uuid", "0b1a6c1e-0b1a-4c1e-8b1a-0b1a6c1e0b1a", "0b1a"),
        ] {
            assert!(holds(format, good), "{format}: {good}");
            assert!(!holds(format, bad), "{format}: {bad}");
        }
        assert!(holds("hostname", "whatever it is"));
    }
}
