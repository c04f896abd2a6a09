//! The files: requests, and the answers recorded.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::layout;

/// A sequence of exchanges with one server, about one subject.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The subject.
    pub about: String,
    /// Whether it is played beside controllers: garbage collection, the end of namespaces, `kube-root-ca.crt`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub controllers: bool,
    /// In order.
    pub exchanges: Vec<Exchange>,
}

/// A request and its answer.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What is to be seen in the answer.
    pub shows: String,
    /// The name by which later requests quote the answer: see [`super::references`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Who asks; absent: a member of `system:masters`.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Method and path with query, or `FOLLOW` and the id of an exchange that opened a watch.
    pub ask: String,
    /// `Content-Type`; absent: `application/json`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Accept`; absent: `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<String>,
    /// The body, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Changes to the body, which is then usually a quoted object: JSON pointers, each with a new value; null removes.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub edit: Map<String, Value>,
    /// The body, if it is no JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// The answer is a watch, of which this many events are awaited. That no more come is checked too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<usize>,
    /// The request is repeated until the answer has these values at these pointers (`/code`, `/body/...`).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub until: Map<String, Value>,
    /// The parts of the answer that count, as pointers into its body; absent: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Absent: not recorded yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// What a server said, with placeholders.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// HTTP status.
    pub code: u16,
    /// `Warning` headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The body of a whole answer; a string, if it is no JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The events of a watch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Value>>,
    /// Whether the server closed the watch after these events.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

impl Answer {
    /// As JSON.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Script {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is no script; the message names it.
    pub fn read(file: &Path) -> io::Result<Self> {
        let told = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", file.display()));
        let text = fs::read(file).map_err(|error| told(&error))?;
        serde_json::from_slice(&text).map_err(|error| told(&error))
    }

    /// The text of its file.
    #[must_use]
    pub fn text(&self) -> String {
        let field = |name: &str, value: Value| format!("{}: {value}", Value::from(name));
        let mut head = vec![field("about", self.about.as_str().into())];
        if self.controllers {
            head.push(field("controllers", true.into()));
        }
        let exchanges: Vec<_> = self.exchanges.iter().map(exchange_text).collect();
        format!(
            "{{\n{},\n\"exchanges\": [\n{}\n]\n}}\n",
            head.join(",\n"),
            exchanges.join(",\n")
        )
    }
}

/// The fields in the order of the struct, whatever order maps have.
fn exchange_text(exchange: &Exchange) -> String {
    const ORDER: [&str; 13] = [
        "shows", "id", "as", "ask", "type", "accept", "body", "edit", "raw", "events", "until", "only",
        "answer",
    ];
    let value = serde_json::to_value(exchange).unwrap_or_default();
    let fields: Vec<_> = ORDER
        .iter()
        .filter_map(|name| Some((*name, value.get(*name)?)))
        .map(|(name, value)| layout::field(name, value, 1))
        .collect();
    format!("{{\n{}\n}}", fields.join(",\n"))
}

/// The script files of a folder, in order of their names, each with its name.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn all(folder: &Path) -> io::Result<Vec<(PathBuf, Script)>> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|is| is == "json"));
    files.sort();
    files
        .into_iter()
        .map(|file| Script::read(&file).map(|script| (file, script)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_script_is_read_as_it_was_written() {
        let script: Script = serde_json::from_value(json!({
            "about": "names",
            "exchanges": [{
                "shows": "a name that is taken",
                "as": "system:serviceaccount:db:writer",
                "ask": "POST /api/v1/namespaces/db/configmaps",
                "body": {"metadata": {"name": "one"}},
                "answer": {"code": 409, "body": {"kind": "Status", "code": 409}},
            }],
        }))
        .unwrap();
        let text = script.text();
        assert_eq!(serde_json::from_str::<Script>(&text).unwrap(), script);
        assert!(
            text.contains("\n  \"answer\": {\"code\": 409, \"body\": {"),
            "{text}"
        );
    }

    #[test]
    fn a_field_that_nobody_knows_is_an_error() {
        let script = json!({"about": "names", "exchanges": [], "exchange": []});
        assert!(serde_json::from_value::<Script>(script).is_err());
    }
}
