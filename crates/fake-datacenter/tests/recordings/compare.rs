//! What happened in lanes, against what the stand-in did: the same lines in the same order, at about the same time.

use std::collections::BTreeMap;
use std::fmt;

use crate::lines::Line;

/// How much earlier or later something may happen, seconds. The recordings have about a second of jitter, and the
/// operator looks every two.
pub const TOLERANCE: f64 = 3.0;

/// One difference: where, what was recorded, what the stand-in has.
#[derive(Clone, Debug)]
pub struct Difference(String);

impl Difference {
    /// A difference in a place.
    pub fn new(place: &str, path: &str, recorded: &str, ours: &str) -> Self {
        let path = if path.is_empty() {
            String::new()
        } else {
            format!(" {path}")
        };
        Self(format!("{place}{path}: {recorded} <> {ours}"))
    }

    /// Place and both values.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// How much later than recorded (or earlier) the stand-in is, from which moment on. What comes too late is one difference;
/// what follows from it as it was recorded is none.
#[derive(Clone, Debug, Default)]
pub struct Delays(Vec<(f64, f64)>);

impl Delays {
    /// How late it is at a recorded moment.
    pub fn at(&self, recorded: f64) -> f64 {
        let known = self.0.iter().rev().find(|(from, _)| *from <= recorded);
        known.map_or(0.0, |(_, late)| *late)
    }

    /// Whether a moment of the stand-in is in time.
    pub fn in_time(&self, recorded: f64, ours: f64) -> bool {
        (ours - recorded - self.at(recorded)).abs() <= TOLERANCE
    }
}

/// What came of all lanes.
#[derive(Default)]
pub struct Lanes {
    /// How many lines were recorded.
    pub lines: usize,
    /// How many of them the stand-in has in their order and in time.
    pub equal: usize,
    /// What differs.
    pub differences: Vec<Difference>,
    /// How late the stand-in was.
    pub delays: Delays,
}

/// Compares lane by lane. At `steps` the driver did something: then the stand-in is in time again.
pub fn lanes(recorded: &[Line], ours: &[Line], steps: &[f64], end: f64) -> Lanes {
    let (recorded, ours) = (by_lane(recorded), by_lane(ours));
    let mut names: Vec<_> = recorded.keys().chain(ours.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let (mut found, mut pairs) = (Lanes::default(), Vec::new());
    for name in names {
        let none = Vec::new();
        let (one, other) = (
            recorded.get(name).unwrap_or(&none),
            ours.get(name).unwrap_or(&none),
        );
        found.lines += one.len();
        lane(name, one, other, end, &mut pairs, &mut found.differences);
    }
    pairs.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let mut steps = steps.iter().copied().peekable();
    for (t, ours, place) in pairs {
        while let Some(step) = steps.next_if(|step| *step <= t) {
            found.delays.0.push((step, 0.0));
        }
        if found.delays.in_time(t, ours) {
            found.equal += 1;
            continue;
        }
        let (wanted, shown) = (format!("at {t:.0}"), format!("at {ours:.0}"));
        found
            .differences
            .push(Difference::new(&place, "", &wanted, &shown));
        found.delays.0.push((t - 0.5, ours - t));
    }
    found
}

fn by_lane(lines: &[Line]) -> BTreeMap<&str, Vec<&Line>> {
    let mut by_lane: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        by_lane.entry(&line.lane).or_default().push(line);
    }
    by_lane
}

fn lane(
    name: &str,
    recorded: &[&Line],
    ours: &[&Line],
    end: f64,
    found: &mut Vec<(f64, f64, String)>,
    differences: &mut Vec<Difference>,
) {
    let pairs = longest_common(recorded, ours);
    let place = |line: &Line, number: usize| format!("{name}: {} #{number}", line.text);
    let count = |lines: &[&Line], until: usize| {
        lines[..=until]
            .iter()
            .filter(|line| line.text == lines[until].text)
            .count()
    };
    for (number, line) in recorded.iter().enumerate() {
        let place = place(line, count(recorded, number));
        match pairs.iter().find(|(one, _)| *one == number) {
            Some((_, other)) => found.push((line.t, ours[*other].t, place)),
            None => differences.push(Difference::new(&place, "", &format!("at {:.0}", line.t), "not")),
        }
    }
    for (number, line) in ours.iter().enumerate() {
        let paired = pairs.iter().any(|(_, other)| *other == number);
        // The recording ended; what comes about then or later may be in it or not.
        if !paired && line.t < end - TOLERANCE {
            let place = place(line, count(ours, number));
            differences.push(Difference::new(&place, "", "not", &format!("at {:.0}", line.t)));
        }
    }
}

/// A longest common subsequence by text; among several one whose times are nearest.
fn longest_common(recorded: &[&Line], ours: &[&Line]) -> Vec<(usize, usize)> {
    let (rows, columns) = (recorded.len(), ours.len());
    // Each pair counts 1, less a little for its distance in time.
    let worth = |one: usize, other: usize| {
        let apart = (recorded[one].t - ours[other].t).abs();
        1.0 - 0.5 * (apart / (apart + 10.0))
    };
    let mut best = vec![vec![0.0_f64; columns + 1]; rows + 1];
    for one in (0..rows).rev() {
        for other in (0..columns).rev() {
            let mut value = best[one + 1][other].max(best[one][other + 1]);
            if recorded[one].text == ours[other].text {
                value = value.max(best[one + 1][other + 1] + worth(one, other));
            }
            best[one][other] = value;
        }
    }
    let (mut one, mut other, mut pairs) = (0, 0, Vec::new());
    while one < rows && other < columns {
        let same = recorded[one].text == ours[other].text;
        let paired = best[one + 1][other + 1] + worth(one, other);
        if same && (best[one][other] - paired).abs() < 1e-9 {
            pairs.push((one, other));
            one += 1;
            other += 1;
        } else if best[one + 1][other] >= best[one][other + 1] {
            one += 1;
        } else {
            other += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(recorded: &[(f64, &str)], ours: &[(f64, &str)], steps: &[f64]) -> Vec<String> {
        let lines = |all: &[(f64, &str)]| -> Vec<Line> {
            let line = |(t, text): &(f64, &str)| Line {
                t: *t,
                lane: "l".into(),
                text: (*text).into(),
            };
            all.iter().map(line).collect()
        };
        let found = lanes(&lines(recorded), &lines(ours), steps, 100.0);
        found.differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_comes_too_late_is_one_difference_and_what_follows_from_it_is_none() {
        let recorded = [(1.0, "a"), (10.0, "b"), (20.0, "c"), (50.0, "d")];
        let ours = [(1.5, "a"), (18.0, "b"), (28.5, "c"), (58.0, "d")];
        assert_eq!(said(&recorded, &ours, &[]), ["l: b #1: at 10 <> at 18"]);
        let after_a_step = ["l: b #1: at 10 <> at 18", "l: d #1: at 50 <> at 58"];
        assert_eq!(said(&recorded, &ours, &[0.0, 40.0]), after_a_step);
    }

    #[test]
    fn what_is_missing_what_is_too_much_and_another_order_are_differences() {
        let missing = said(&[(1.0, "a"), (2.0, "b")], &[(1.0, "a")], &[]);
        assert_eq!(missing, ["l: b #1: at 2 <> not"]);
        let extra = said(&[(1.0, "a")], &[(1.0, "a"), (2.0, "a")], &[]);
        assert_eq!(extra, ["l: a #2: not <> at 2"]);
        assert_eq!(
            said(&[(1.0, "a"), (1.0, "b")], &[(1.0, "b"), (1.0, "a")], &[]).len(),
            2
        );
    }
}
