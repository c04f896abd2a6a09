//! Where an answer is another one.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::layout::compact;
use super::{Answer, Script};

/// One place at which two answers differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// JSON pointer into the answer.
    pub path: String,
    /// What the real server said; `None`: nothing.
    pub expected: Option<Value>,
    /// What was said here; `None`: nothing.
    pub got: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), compact);
        write!(
            f,
            "{}: expected {}, got {}",
            self.path,
            shown(&self.expected),
            shown(&self.got)
        )
    }
}

/// An exchange that came out otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// Name of the script.
    pub script: String,
    /// Number of the exchange, from 1.
    pub exchange: usize,
    /// What it shows, and the request.
    pub what: String,
    /// At least one.
    pub differences: Vec<Difference>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.script, self.exchange, self.what)?;
        self.differences
            .iter()
            .try_for_each(|difference| write!(f, "\n    {difference}"))
    }
}

/// Every exchange of `script` (called `name`) whose recorded answer is not the one in `answers`. An exchange that was not
/// recorded yet is one.
#[must_use]
pub fn mismatches(name: &str, script: &Script, answers: &[Answer]) -> Vec<Mismatch> {
    let pairs = script.exchanges.iter().zip(answers).enumerate();
    pairs
        .filter_map(|(number, (exchange, answer))| {
            let recorded = exchange.answer.as_ref().map(Answer::value);
            let differences = match recorded {
                Some(recorded) => between(&recorded, &answer.value()),
                None => vec![Difference {
                    path: String::new(),
                    expected: None,
                    got: Some(answer.value()),
                }],
            };
            (!differences.is_empty()).then(|| Mismatch {
                script: name.to_owned(),
                exchange: number + 1,
                what: format!("{} ({})", exchange.shows, exchange.ask),
                differences,
            })
        })
        .collect()
}

/// Every place at which `got` is not `expected`.
#[must_use]
pub fn between(expected: &Value, got: &Value) -> Vec<Difference> {
    let mut found = vec![];
    compare("", Some(expected), Some(got), &mut found);
    found
}

fn compare(path: &str, expected: Option<&Value>, got: Option<&Value>, found: &mut Vec<Difference>) {
    match (expected, got) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for name in names {
                let escaped = name.replace('~', "~0").replace('/', "~1");
                compare(
                    &format!("{path}/{escaped}"),
                    one.get(name),
                    other.get(name),
                    found,
                );
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for place in 0..one.len().max(other.len()) {
                compare(
                    &format!("{path}/{place}"),
                    one.get(place),
                    other.get(place),
                    found,
                );
            }
        }
        (one, other) if one == other => {}
        (one, other) => found.push(Difference {
            path: path.to_owned(),
            expected: one.cloned(),
            got: other.cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_place_is_told_and_nothing_that_is_equal() {
        let one = json!({"code": 200, "body": {"items": [{"a/b": 1}, 2], "same": [1]}});
        let other = json!({"body": {"items": [{"a/b": 3}], "same": [1]}, "code": 200});
        let told: Vec<_> = between(&one, &other).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "/body/items/0/a~1b: expected 1, got 3",
                "/body/items/1: expected 2, got nothing"
            ]
        );
    }

    #[test]
    fn what_was_never_recorded_is_a_mismatch() {
        let script: Script =
            serde_json::from_value(json!({"about": "x", "exchanges": [{"shows": "y", "ask": "GET /z"}]}))
                .unwrap();
        assert_eq!(mismatches("x", &script, &[Answer::default()]).len(), 1);
    }
}
