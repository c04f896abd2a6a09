//! The parts of the pipeline: which of them are used, and how they are written.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use crate::value;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub name: String,
    pub kind: String,
    /// Names of the parts that data comes from; a source has none.
    pub inputs: Vec<String>,
    pub config: String,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub sources: Vec<Part>,
    pub transforms: Vec<Part>,
    pub sinks: Vec<Part>,
}

/// The file, from what the user says of Vector and the parts that are there by themselves.
pub(super) fn text(given: &Value, defaults: &Parts) -> String {
    let mut parts = Parts {
        sources: joined(given, "sources", &defaults.sources),
        transforms: joined(given, "transforms", &defaults.transforms),
        sinks: joined(given, "sinks", &defaults.sinks),
    };
    parts.drop_unused();
    let mut text = String::new();
    if let Some(raw) = value::text(given, "/config") {
        text.push_str(raw);
        text.push('\n');
    }
    parts.write("sources", &parts.sources, &mut text);
    parts.write("transforms", &parts.transforms, &mut text);
    parts.write("sinks", &parts.sinks, &mut text);
    text
}

/// The user's parts before ours; of one name the first one counts. That is decided before anybody asks what is used, so
/// that a source which only a replaced part reads goes, and one which its replacement reads stays.
fn joined(given: &Value, list: &str, defaults: &[Part]) -> Vec<Part> {
    let given = value::items(given, &format!("/components/{list}"))
        .iter()
        .map(Part::of);
    let mut names = BTreeSet::new();
    given
        .chain(defaults.iter().cloned())
        .filter(|part| names.insert(part.name.clone()))
        .collect()
}

impl Part {
    fn of(value: &Value) -> Self {
        let text = |pointer: &str| value::text(value, pointer).unwrap_or_default().to_owned();
        let inputs = value::items(value, "/inputs").iter();
        Part {
            name: text("/name"),
            kind: text("/type"),
            inputs: inputs.filter_map(Value::as_str).map(str::to_owned).collect(),
            config: text("/config"),
        }
    }
}

impl Parts {
    /// Drops transforms that nobody reads, again and again, then sources that nobody reads. A sink is an end in itself.
    fn drop_unused(&mut self) {
        loop {
            let (before, read) = (self.transforms.len(), self.read());
            self.transforms.retain(|part| read.contains(&part.name));
            if self.transforms.len() == before {
                break;
            }
        }
        let read = self.read();
        self.sources.retain(|part| read.contains(&part.name));
    }

    /// Names of the parts that somebody reads.
    fn read(&self) -> BTreeSet<String> {
        let readers = self.transforms.iter().chain(&self.sinks);
        readers.flat_map(|part| part.inputs.iter().cloned()).collect()
    }

    fn write(&self, list: &str, parts: &[Part], text: &mut String) {
        for part in parts {
            let _ = write!(text, "\n[{list}.{}]\ntype = \"{}\"\n", part.name, part.kind);
            if !std::ptr::eq(parts, self.sources.as_slice()) {
                let _ = writeln!(text, "inputs = [\"{}\"]", part.inputs.join("\", \""));
            }
            if !part.config.is_empty() {
                let _ = writeln!(text, "{}", part.config);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn part(name: &str, inputs: &[&str]) -> Part {
        Part {
            name: name.into(),
            kind: "t".into(),
            inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
            config: String::new(),
        }
    }

    fn defaults() -> Parts {
        Parts {
            sources: vec![part("raw", &[]), part("log", &[])],
            transforms: vec![part("tagged", &["raw"]), part("parsed", &["log"])],
            sinks: vec![part("out", &["log"])],
        }
    }

    fn blocks(given: &Value) -> Vec<String> {
        let text = text(given, &defaults());
        text.lines()
            .filter(|line| line.starts_with('['))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn te13_what_nobody_reads_goes_and_what_a_sink_reads_stays() {
        assert_eq!(blocks(&json!({})), ["[sources.log]", "[sinks.out]"]);
        let chain = json!({"components": {
            "sources": [{"name": "mine", "type": "t"}, {"name": "idle", "type": "t"}],
            "transforms": [
                {"name": "last", "type": "t", "inputs": ["first"]}, {"name": "first", "type": "t", "inputs": ["mine"]},
                {"name": "end", "type": "t", "inputs": ["middle"]}, {"name": "middle", "type": "t", "inputs": ["idle"]},
            ],
            "sinks": [{"name": "s", "type": "t", "inputs": ["last", "tagged"]}],
        }});
        let expected = [
            "[sources.mine]",
            "[sources.raw]",
            "[sources.log]",
            "[transforms.last]",
            "[transforms.first]",
            "[transforms.tagged]",
            "[sinks.s]",
            "[sinks.out]",
        ];
        assert_eq!(blocks(&chain), expected);
    }

    /// Upstream loses `mine` here: what reads it has the name of a default that reads something else.
    #[test]
    fn te13_a_replaced_part_keeps_the_source_of_the_user_s_own() {
        let replaced = json!({"components": {
            "sources": [{"name": "mine", "type": "t"}],
            "transforms": [{"name": "tagged", "type": "t", "inputs": ["mine"]}],
            "sinks": [{"name": "s", "type": "t", "inputs": ["tagged"]}],
        }});
        let expected = [
            "[sources.mine]",
            "[sources.log]",
            "[transforms.tagged]",
            "[sinks.s]",
            "[sinks.out]",
        ];
        assert_eq!(blocks(&replaced), expected);
    }

    #[test]
    fn te13_the_user_s_own_text_comes_first_and_each_part_is_a_block() {
        let given = json!({
            "config": "data_dir = \"/x\"",
            "components": {"sinks": [{"name": "s", "type": "file", "inputs": ["log", "log2"], "config": "a = 1"}]},
        });
        let parts = Parts {
            sources: vec![part("log", &[])],
            ..Parts::default()
        };
        let expected = "data_dir = \"/x\"\n\n[sources.log]\ntype = \"t\"\n\n[sinks.s]\ntype = \"file\"\n\
                        inputs = [\"log\", \"log2\"]\na = 1\n";
        assert_eq!(text(&given, &parts), expected);
    }
}
