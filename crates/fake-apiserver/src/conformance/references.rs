//! A request quotes what an earlier answer said: `{{made/metadata/uid}}` is the value at that pointer in the body of the
//! answer to the exchange with id `made`. A string that is one quotation and nothing else becomes the quoted value itself.
//! `{{x*1000}}` is that letter a thousand times.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What stands in for a quotation that nothing answers to, so that the exchange fails and those after it are still made.
pub const MISSING: &str = "missing";

/// Answers as they came, by the id of their exchange.
#[derive(Debug, Default)]
pub struct References {
    answers: BTreeMap<String, Value>,
}

impl References {
    /// Keeps the body of an answer, or `{"events": [...]}` of a watch.
    pub fn keep(&mut self, id: &str, body: Value) {
        self.answers.insert(id.to_owned(), body);
    }

    /// The body of the answer to the exchange with this id.
    #[must_use]
    pub fn answer(&self, id: &str) -> Option<&Value> {
        self.answers.get(id)
    }

    /// A text with its quotations resolved.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut whole = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((quoted, behind)) = after.split_once("}}") else {
                break;
            };
            whole.push_str(before);
            match self.quoted(quoted) {
                _ if repeated(quoted).is_some() => whole.push_str(&repeated(quoted).unwrap_or_default()),
                Some(Value::String(text)) => whole.push_str(text),
                Some(other) => whole.push_str(&other.to_string()),
                None => whole.push_str(MISSING),
            }
            rest = behind;
        }
        whole + rest
    }

    /// A value with the quotations in its strings resolved.
    #[must_use]
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.whole(text).unwrap_or_else(|| self.text(text).into()),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                let fields = map
                    .iter()
                    .map(|(name, value)| (self.text(name), self.value(value)));
                Value::Object(fields.collect())
            }
            other => other.clone(),
        }
    }

    fn whole(&self, text: &str) -> Option<Value> {
        let quoted = text.strip_prefix("{{")?.strip_suffix("}}")?;
        let alone = !quoted.contains("{{") && repeated(quoted).is_none();
        alone.then(|| self.quoted(quoted).cloned().unwrap_or_else(|| MISSING.into()))
    }

    fn quoted(&self, quoted: &str) -> Option<&Value> {
        let (id, pointer) = quoted.split_at(quoted.find('/').unwrap_or(quoted.len()));
        self.answers.get(id)?.pointer(pointer)
    }
}

fn repeated(quoted: &str) -> Option<String> {
    let (letter, times) = quoted.split_once('*')?;
    Some(letter.repeat(times.parse().ok()?))
}

/// A value with other values at these pointers; null removes. Missing parents are made, as maps.
#[must_use]
pub fn edited(mut value: Value, edits: &Map<String, Value>) -> Value {
    for (pointer, new) in edits {
        let (parent, last) = pointer.rsplit_once('/').unwrap_or_default();
        let unescaped = |part: &str| part.replace("~1", "/").replace("~0", "~");
        let mut place = &mut value;
        for part in parent.split('/').skip(1) {
            place = match place {
                Value::Array(items) => match part.parse().ok().and_then(|at: usize| items.get_mut(at)) {
                    Some(item) => item,
                    None => return value,
                },
                Value::Object(_) | Value::Null => &mut place[unescaped(part)],
                _ => return value,
            };
        }
        match (place, new) {
            (Value::Object(map), Value::Null) => {
                map.remove(&unescaped(last));
            }
            (Value::Array(items), new) => {
                if let Some(item) = last.parse().ok().and_then(|at: usize| items.get_mut(at)) {
                    *item = new.clone();
                }
            }
            (place @ (Value::Object(_) | Value::Null), new) => place[unescaped(last)] = new.clone(),
            // A quotation that nothing answered to.
            _ => {}
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quotations_become_what_was_said() {
        let mut references = References::default();
        references.keep("made", json!({"metadata": {"name": "one", "labels": {"a": "b"}}}));
        assert_eq!(
            references.text("/maps/{{made/metadata/name}}?x={{made/metadata/uid}}"),
            "/maps/one?x=missing"
        );
        assert_eq!(references.value(&json!("{{x*3}}")), "xxx");
        let body = json!({"metadata": "{{made/metadata}}", "say": "not {{made/metadata/name}}"});
        let expected = json!({"metadata": {"name": "one", "labels": {"a": "b"}}, "say": "not one"});
        assert_eq!(references.value(&body), expected);
    }

    #[test]
    fn edits_replace_remove_and_make() {
        let edits = json!({"/a/b": 2, "/a/c": null, "/d/e~1f": 3, "/list/0/x": 4});
        let value = json!({"a": {"b": 1, "c": 1}, "list": [{"x": 1}]});
        let Value::Object(edits) = edits else {
            unreachable!()
        };
        let expected = json!({"a": {"b": 2}, "d": {"e/f": 3}, "list": [{"x": 4}]});
        assert_eq!(edited(value, &edits), expected);
    }
}
