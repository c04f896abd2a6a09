//! Uids, versions and times of one run become names that are the same in every run.
//!
//! | in an answer | becomes |
//! | --- | --- |
//! | a uid, wherever it stands | `uid-3`: the one that exchange 3 showed first (`uid-3.2`: the second of these) |
//! | `metadata.resourceVersion` of an object | `rv-3`, likewise; those that one answer shows first are counted upwards |
//! | … that is new and yet lower than one that was seen before | `old-rv-3` |
//! | version of a list or bookmark | `rv-now`, if it is no lower than any seen before, else `rv-behind` |
//! | … of a list at an exact version | the name of that version |
//! | … of a list that is continued | `rv-page`, if an earlier list was at that version |
//! | a moment | `time` |
//! | the five letters that `generateName` got | `gen-3` |
//! | `clusterIP` | `ip-3` |
//! | a continue token, a ServiceAccount's token | `continue`, `token` |
//!
//! Entries of managedFields are put in order: a server orders those of one operation by their times. So are the causes of
//! a refusal, which a server tells in any order; its message, which has them all again, ends before them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::layout::{compact, sorted};
use super::marks::{self, Told};

/// The names of one run.
#[derive(Debug, Default)]
pub struct Placeholders {
    texts: BTreeMap<String, String>,
    versions: BTreeMap<u64, String>,
    lists: BTreeSet<u64>,
    newest: u64,
}

/// One answer, and where it stands.
struct Pass<'a> {
    names: &'a mut Placeholders,
    /// Number of the exchange.
    exchange: usize,
    list: List,
    given: BTreeMap<&'static str, usize>,
}

/// What the version of a list is held to.
#[derive(Clone, Copy, PartialEq)]
enum List {
    Now,
    Exact,
    Continued,
}

impl List {
    fn asked_for_by(ask: &str) -> List {
        match ask {
            ask if ask.contains("resourceVersionMatch=Exact") => List::Exact,
            ask if ask.contains("continue=") => List::Continued,
            _ => List::Now,
        }
    }
}

impl Placeholders {
    /// The body of the answer to exchange number `exchange`, which was asked for by `ask`.
    #[must_use]
    pub fn replaced(&mut self, exchange: usize, ask: &str, body: &Value) -> Value {
        let mut pass = Pass {
            names: self,
            exchange,
            list: List::asked_for_by(ask),
            given: BTreeMap::new(),
        };
        pass.learn_versions(body);
        pass.learn_texts(body);
        pass.value(body, false)
    }
}

impl Pass<'_> {
    fn name(&mut self, prefix: &'static str) -> String {
        let count = self.given.entry(prefix).or_default();
        *count += 1;
        match count {
            1 => format!("{prefix}-{}", self.exchange),
            more => format!("{prefix}-{}.{more}", self.exchange),
        }
    }

    fn learn_versions(&mut self, body: &Value) {
        let mut seen = BTreeSet::new();
        versions(body, false, &mut seen);
        let before = self.names.newest;
        for version in seen {
            if !self.names.versions.contains_key(&version) {
                let prefix = if version < before { "old-rv" } else { "rv" };
                let name = self.name(prefix);
                self.names.versions.insert(version, name);
            }
            self.names.newest = self.names.newest.max(version);
        }
    }

    /// In the order in which they stand, maps in order of their keys.
    fn learn_texts(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.learn_uids(text),
            Value::Array(items) => items.iter().for_each(|item| self.learn_texts(item)),
            Value::Object(map) => {
                self.learn_generated(map);
                for (name, value) in sorted(map) {
                    self.learn_uids(name);
                    match (name.as_str(), value.as_str()) {
                        ("clusterIP", Some(address)) if !["", "None"].contains(&address) => {
                            self.learn("ip", address);
                        }
                        _ => self.learn_texts(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn learn_uids(&mut self, text: &str) {
        for range in marks::uids(text) {
            self.learn("uid", &text[range]);
        }
    }

    fn learn_generated(&mut self, metadata: &Map<String, Value>) {
        let text = |name: &str| metadata.get(name).and_then(Value::as_str);
        let (Some(prefix), Some(name)) = (text("generateName"), text("name")) else {
            return;
        };
        let suffix = name.strip_prefix(prefix).filter(|suffix| suffix.len() == 5);
        if let Some(suffix) = suffix {
            self.learn("gen", suffix);
        }
    }

    fn learn(&mut self, prefix: &'static str, text: &str) {
        if !self.names.texts.contains_key(text) {
            let name = self.name(prefix);
            self.names.texts.insert(text.to_owned(), name);
        }
    }

    /// `moment`: the versions here are not those of objects.
    fn value(&mut self, value: &Value, moment: bool) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item, false)).collect(),
            Value::Object(map) => self.map(map, moment),
            other => other.clone(),
        }
    }

    fn map(&mut self, map: &Map<String, Value>, moment: bool) -> Value {
        let moment = moment || is_list(map);
        let mut replaced = Map::new();
        for (name, value) in map {
            let new = match (name.as_str(), value) {
                ("metadata", Value::Object(metadata)) => self.metadata(metadata, moment),
                ("object", value) => self.value(value, is_bookmark(map)),
                ("token", Value::String(_)) => "token".into(),
                _ => self.value(value, false),
            };
            replaced.insert(self.text(name), new);
        }
        in_any_order(&mut replaced);
        Value::Object(replaced)
    }

    fn metadata(&mut self, metadata: &Map<String, Value>, moment: bool) -> Value {
        let mut replaced = Map::new();
        for (name, value) in metadata {
            let new = match (name.as_str(), value) {
                ("resourceVersion", Value::String(version)) => self.version(version, moment),
                ("continue", Value::String(token)) if !token.is_empty() => "continue".into(),
                ("managedFields", Value::Array(entries)) => {
                    let mut entries: Vec<_> = entries.iter().map(|entry| self.value(entry, false)).collect();
                    entries.sort_by_key(order_of_entry);
                    Value::Array(entries)
                }
                _ => self.value(value, false),
            };
            replaced.insert(name.clone(), new);
        }
        Value::Object(replaced)
    }

    fn version(&mut self, version: &str, moment: bool) -> Value {
        let Ok(number) = version.parse::<u64>() else {
            return version.into();
        };
        let known = self.names.versions.get(&number).cloned();
        let unknown = || "rv-unknown".to_owned();
        if !moment {
            return known.unwrap_or_else(unknown).into();
        }
        match self.list {
            List::Exact => known.unwrap_or_else(unknown).into(),
            List::Continued if self.names.lists.contains(&number) => "rv-page".into(),
            List::Continued => unknown().into(),
            List::Now => {
                self.names.lists.insert(number);
                self.now(number).into()
            }
        }
    }

    fn now(&self, version: u64) -> &'static str {
        if version >= self.names.newest {
            "rv-now"
        } else {
            "rv-behind"
        }
    }

    fn text(&self, text: &str) -> String {
        if marks::is_time(text) {
            return "time".to_owned();
        }
        let mut whole = text.to_owned();
        // Backwards, so that places stay where they are.
        for (range, told) in marks::told_versions(text).into_iter().rev() {
            if let Some(name) = self.told(&text[range.clone()], told) {
                whole.replace_range(range, &name);
            }
        }
        for (found, name) in &self.names.texts {
            if whole.contains(found.as_str()) {
                whole = whole.replace(found.as_str(), name);
            }
        }
        whole
    }

    /// `None`: a number that the script made up.
    fn told(&self, version: &str, told: Told) -> Option<String> {
        let number: u64 = version.parse().ok()?;
        match told {
            Told::Oldest => Some("rv-oldest".to_owned()),
            Told::Now => Some(self.now(number).to_owned()),
            Told::Version => self
                .names
                .versions
                .get(&number)
                .cloned()
                .or_else(|| (number >= self.names.newest).then(|| "rv-now".to_owned())),
        }
    }
}

/// Orders the causes of a refusal of contents, or of a conflict with several managers.
fn in_any_order(status: &mut Map<String, Value>) {
    let reason = status.get("reason").and_then(Value::as_str).unwrap_or_default();
    if !matches!(reason, "Conflict" | "Invalid") {
        return;
    }
    let causes = status
        .get_mut("details")
        .and_then(|details| details.get_mut("causes"));
    let Some(causes) = causes
        .and_then(Value::as_array_mut)
        .filter(|causes| causes.len() > 1)
    else {
        return;
    };
    causes.sort_by_key(compact);
    let message = status.get("message").and_then(Value::as_str).unwrap_or_default();
    if let Some((start, _)) = message.split_once(" is invalid: [") {
        status.insert("message".to_owned(), format!("{start} is invalid: [").into());
    }
}

/// The versions of all objects in a value.
fn versions(value: &Value, moment: bool, found: &mut BTreeSet<u64>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| versions(item, false, found)),
        Value::Object(map) => {
            let version = value.pointer("/metadata/resourceVersion").and_then(Value::as_str);
            let version = version.and_then(|version| version.parse::<u64>().ok());
            if !moment && !is_list(map) {
                found.extend(version);
            }
            for (name, value) in map {
                versions(value, name == "object" && is_bookmark(map), found);
            }
        }
        _ => {}
    }
}

fn is_list(map: &Map<String, Value>) -> bool {
    map.contains_key("items")
}

fn is_bookmark(event: &Map<String, Value>) -> bool {
    event.get("type").and_then(Value::as_str) == Some("BOOKMARK")
}

fn order_of_entry(entry: &Value) -> (Vec<String>, String) {
    let keys = ["operation", "manager", "apiVersion", "subresource"];
    let text = |key: &str| {
        entry
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    (keys.map(text).to_vec(), compact(entry))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(uid: u8, version: &str) -> Value {
        json!({"metadata": {"uid": format!("{uid:08}-1111-2222-3333-444444444444"), "resourceVersion": version}})
    }

    #[test]
    fn what_is_equal_is_called_the_same_in_every_exchange() {
        let mut names = Placeholders::default();
        let made = names.replaced(1, "POST /x", &object(1, "210"));
        assert_eq!(
            made,
            json!({"metadata": {"uid": "uid-1", "resourceVersion": "rv-1"}})
        );
        let list = json!({"items": [object(2, "230"), object(1, "210"), object(3, "220")],
            "metadata": {"resourceVersion": "231"}});
        let list = names.replaced(2, "GET /x", &list);
        let expected = json!({"metadata": {"resourceVersion": "rv-now"}, "items": [
            {"metadata": {"uid": "uid-2", "resourceVersion": "rv-2.2"}},
            {"metadata": {"uid": "uid-1", "resourceVersion": "rv-1"}},
            {"metadata": {"uid": "uid-2.2", "resourceVersion": "rv-2"}},
        ]});
        assert_eq!(list, expected);
    }

    #[test]
    fn a_version_that_goes_back_is_seen() {
        let mut names = Placeholders::default();
        let _ = names.replaced(1, "", &object(1, "210"));
        let late = names.replaced(2, "", &object(1, "205"));
        assert_eq!(late["metadata"]["resourceVersion"], "old-rv-2");
        let list = json!({"items": [], "metadata": {"resourceVersion": "209"}});
        assert_eq!(
            names.replaced(3, "", &list)["metadata"]["resourceVersion"],
            "rv-behind"
        );
    }

    #[test]
    fn a_bookmark_is_a_moment_and_an_event_is_an_object() {
        let mut names = Placeholders::default();
        let events = json!({"events": [
            {"type": "ADDED", "object": object(1, "5")},
            {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "7"}}},
        ]});
        let events = names.replaced(1, "", &events);
        assert_eq!(
            events["events"][0]["object"]["metadata"]["resourceVersion"],
            "rv-1"
        );
        assert_eq!(
            events["events"][1]["object"]["metadata"]["resourceVersion"],
            "rv-now"
        );
    }

    #[test]
    fn a_continued_list_is_at_the_version_of_its_first_page() {
        let mut names = Placeholders::default();
        let page = json!({"items": [], "metadata": {"resourceVersion": "9", "continue": "abc"}});
        let first = names.replaced(1, "GET /x?limit=1", &page);
        assert_eq!(
            first["metadata"],
            json!({"resourceVersion": "rv-now", "continue": "continue"})
        );
        let second = names.replaced(2, "GET /x?limit=1&continue=abc", &page);
        assert_eq!(second["metadata"]["resourceVersion"], "rv-page");
    }

    #[test]
    fn messages_and_names_are_told_with_the_same_names() {
        let mut names = Placeholders::default();
        let made = json!({"metadata": {"generateName": "a-", "name": "a-x7k2p", "resourceVersion": "4",
            "creationTimestamp": "2026-11-21T10:06:05Z"}});
        let made = names.replaced(1, "", &made);
        let expected = json!({"generateName": "a-", "name": "a-gen-1", "resourceVersion": "rv-1",
            "creationTimestamp": "time"});
        assert_eq!(made["metadata"], expected);
        let said = json!({"message": "a-x7k2p: ResourceVersion in precondition: 1, ResourceVersion in object meta: 4"});
        assert_eq!(
            names.replaced(2, "", &said)["message"],
            "a-gen-1: ResourceVersion in precondition: 1, ResourceVersion in object meta: rv-1"
        );
    }

    #[test]
    fn causes_are_in_order_whatever_the_order_they_were_told_in() {
        let refusal = |one: &str, other: &str| {
            json!({"reason": "Invalid", "details": {"causes": [{"field": one}, {"field": other}]},
                "message": format!("Probe \"x\" is invalid: [{one}: no, {other}: no]")})
        };
        let mut names = Placeholders::default();
        let told = names.replaced(1, "", &refusal("b", "a"));
        assert_eq!(told, names.replaced(2, "", &refusal("a", "b")));
        assert_eq!(told["message"], "Probe \"x\" is invalid: [");
    }

    #[test]
    fn entries_of_managed_fields_are_in_order() {
        let mut names = Placeholders::default();
        let entries = json!({"metadata": {"managedFields": [
            {"operation": "Update", "manager": "b"}, {"operation": "Update", "manager": "a"},
            {"operation": "Apply", "manager": "z"},
        ]}});
        let order = names.replaced(1, "", &entries);
        let order: Vec<_> = order["metadata"]["managedFields"]
            .as_array()
            .unwrap()
            .iter()
            .collect();
        assert_eq!(
            order
                .iter()
                .map(|entry| entry["manager"].as_str().unwrap())
                .collect::<Vec<_>>(),
            ["z", "a", "b"]
        );
    }
}
