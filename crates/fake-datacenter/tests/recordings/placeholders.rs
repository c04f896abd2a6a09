//! Values that differ from run to run: equal where the recording says that they are equal, and nowhere else.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::compare::{Delays, TOLERANCE};
use crate::times::Times;

static PLACEHOLDER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:uid|ip|hash|rev|password|ring)-\d+|<gen>|<unixtime>").unwrap());

/// What each placeholder stands for, learnt at its first use.
pub struct Placeholders {
    times: Times,
    delays: Delays,
    ours: BTreeMap<String, String>,
    recorded: BTreeMap<(String, String), String>,
}

impl Placeholders {
    /// Nothing is known yet.
    pub fn new(times: Times, delays: Delays) -> Self {
        Self {
            times,
            delays,
            ours: BTreeMap::new(),
            recorded: BTreeMap::new(),
        }
    }

    /// Whether a recorded value and one of the stand-in's say the same.
    pub fn equal(&mut self, recorded: &Value, ours: &Value) -> bool {
        let (Value::String(one), Value::String(other)) = (recorded, ours) else {
            return recorded == ours;
        };
        if one == other {
            return true;
        }
        if let Some(wanted) = recorded_time(one) {
            let shown = self.times.of_text(other);
            // Written times are whole seconds.
            let late = self.delays.at(wanted + 0.5);
            let near = |shown: f64| (shown - wanted - late).abs() <= TOLERANCE + 1.0;
            return shown.is_some_and(|shown| shown.into_iter().any(near));
        }
        self.equal_texts(one, other)
    }

    fn equal_texts(&mut self, recorded: &str, ours: &str) -> bool {
        let whole = PLACEHOLDER
            .find(recorded)
            .filter(|found| found.as_str() == recorded);
        if whole.is_some() {
            return recorded.starts_with('<') || self.stands_for(recorded, ours);
        }
        let (mut pattern, mut rest) = (String::from("^"), 0);
        let mut names = Vec::new();
        for found in PLACEHOLDER.find_iter(recorded) {
            pattern.push_str(&regex::escape(&recorded[rest..found.start()]));
            pattern.push_str("(.+?)");
            names.push(found.as_str());
            rest = found.end();
        }
        if names.is_empty() {
            return false;
        }
        pattern.push_str(&regex::escape(&recorded[rest..]));
        pattern.push('$');
        let pattern = Regex::new(&pattern).unwrap();
        let Some(values) = pattern.captures(ours) else {
            return false;
        };
        let mut same = true;
        for (name, value) in names.into_iter().zip(values.iter().skip(1).flatten()) {
            same &= name.starts_with('<') || self.stands_for(name, value.as_str());
        }
        same
    }

    fn stands_for(&mut self, name: &str, value: &str) -> bool {
        let class = name.split('-').next().unwrap_or_default().to_owned();
        let ours = self
            .ours
            .entry(name.to_owned())
            .or_insert_with(|| value.to_owned());
        let recorded = self
            .recorded
            .entry((class, value.to_owned()))
            .or_insert_with(|| name.to_owned());
        ours == value && recorded == name
    }
}

/// `t+12s`, in seconds.
fn recorded_time(text: &str) -> Option<f64> {
    text.strip_prefix('t')?.strip_suffix('s')?.parse().ok()
}
