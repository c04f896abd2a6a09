//! Durations as Kubernetes writes them: `30s`, `1m30s`, `1.5h`.

/// Nanoseconds in each unit.
const UNITS: [(&str, f64); 7] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("\u{b5}s", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];
/// Longer pauses than this many seconds are a slip of the pen.
const LONGEST: f64 = 1e9;

/// Whole seconds, rounded down; `None` for what is no duration, or less than a second, which Vector cannot wait.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut nanoseconds = 0.0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, after) = rest.split_at(number);
        let unit = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let (_, worth) = UNITS.iter().find(|(name, _)| *name == unit)?;
        nanoseconds += amount.parse::<f64>().ok()? * worth;
        rest = after;
    }
    let seconds = (nanoseconds / 1e9).floor();
    // A whole number in this range has no fraction and no exponent when it is written.
    ((1.0..=LONGEST).contains(&seconds)).then(|| format!("{seconds:.0}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_kubernetes_writes_them() {
        for (text, expected) in [
            ("30s", Some(30)),
            ("1m30s", Some(90)),
            ("1.5h", Some(5400)),
            ("1500ms", Some(1)),
            ("2h0m1s", Some(7201)),
            ("+5s", Some(5)),
            ("999ms", None),
            ("0", None),
            ("0s", None),
            ("-5s", None),
            ("30", None),
            ("s", None),
            ("1d", None),
            ("1..5s", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
