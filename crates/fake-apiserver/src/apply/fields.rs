//! Sets of fields, as `fieldsV1` writes them: `f:name`, `k:{"key":"value"}`, `v:"value"`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::schema::At;

/// A set of paths. Steps are kept as `fieldsV1` writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldSet(BTreeMap<String, Entry>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// The path that ends here is in the set.
    member: bool,
    below: FieldSet,
}

impl FieldSet {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the path that ends with this step.
    pub(super) fn insert(&mut self, step: String) {
        self.0.entry(step).or_default().member = true;
    }

    /// Adds everything of another set below this step.
    pub(super) fn put_below(&mut self, step: &str, set: FieldSet) {
        if set.is_empty() {
            return;
        }
        if let Some(entry) = self.0.get_mut(step) {
            entry.below.add(set);
        } else {
            let entry = Entry {
                member: false,
                below: set,
            };
            self.0.insert(step.to_owned(), entry);
        }
    }

    pub(super) fn has(&self, step: &str) -> bool {
        self.0.get(step).is_some_and(|entry| entry.member)
    }

    pub(super) fn below(&self, step: &str) -> Option<&FieldSet> {
        let entry = self.0.get(step)?;
        (!entry.below.is_empty()).then_some(&entry.below)
    }

    pub(super) fn add(&mut self, other: FieldSet) {
        for (step, theirs) in other.0 {
            let ours = self.0.entry(step).or_default();
            ours.member |= theirs.member;
            ours.below.add(theirs.below);
        }
    }

    pub(super) fn minus(&self, other: &FieldSet) -> FieldSet {
        self.combined(other, |ours, theirs| ours && !theirs)
    }

    pub(super) fn shared_with(&self, other: &FieldSet) -> FieldSet {
        self.combined(other, |ours, theirs| ours && theirs)
    }

    fn combined(&self, other: &FieldSet, member: fn(bool, bool) -> bool) -> FieldSet {
        static NONE: FieldSet = FieldSet(BTreeMap::new());
        let mut set = BTreeMap::new();
        for (step, ours) in &self.0 {
            let theirs = other.0.get(step);
            let entry = Entry {
                member: member(ours.member, theirs.is_some_and(|theirs| theirs.member)),
                below: ours
                    .below
                    .combined(theirs.map_or(&NONE, |theirs| &theirs.below), member),
            };
            if entry.member || !entry.below.is_empty() {
                set.insert(step.clone(), entry);
            }
        }
        FieldSet(set)
    }

    /// With every declared field that has a part in the set.
    pub(super) fn with_parents(&self, at: At<'_>) -> FieldSet {
        let with = |(step, entry): (&String, &Entry)| {
            let field = step.strip_prefix("f:");
            let declared = field.is_some_and(|field| at.declared(field).is_some());
            let inner = match field {
                Some(field) => at.field(field),
                None => at.items(),
            };
            let entry = Entry {
                member: entry.member || declared,
                below: entry.below.with_parents(inner),
            };
            (step.clone(), entry)
        };
        FieldSet(self.0.iter().map(with).collect())
    }

    /// Keeps the first steps that are wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        self.0.retain(|step, _| wanted(step));
    }

    /// Takes out what no manager owns: identity, and what the server itself writes.
    pub(super) fn strip(&mut self) {
        self.0.remove("f:apiVersion");
        self.0.remove("f:kind");
        let Some(metadata) = self.0.get_mut("f:metadata") else {
            return;
        };
        metadata.member = false;
        for field in UNOWNED {
            metadata.below.0.remove(&format!("f:{field}"));
        }
        if metadata.below.is_empty() {
            self.0.remove("f:metadata");
        }
    }

    /// Every path, as conflicts name it: `.spec.racks[name="a"].zone`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect(&mut String::new(), &mut paths);
        paths
    }

    fn collect(&self, prefix: &mut String, paths: &mut Vec<String>) {
        for (step, entry) in &self.0 {
            let length = prefix.len();
            prefix.push_str(&shown(step));
            if entry.member {
                paths.push(prefix.clone());
            }
            entry.below.collect(prefix, paths);
            prefix.truncate(length);
        }
    }

    pub(super) fn json(&self) -> Value {
        let write = |(step, entry): (&String, &Entry)| {
            let mut below = entry.below.json();
            if let Value::Object(fields) = &mut below
                && entry.member
                && !fields.is_empty()
            {
                fields.insert(".".into(), Value::Object(Map::new()));
            }
            (step.clone(), below)
        };
        Value::Object(self.0.iter().map(write).collect())
    }

    pub(super) fn parse(fields: &Value) -> FieldSet {
        let fields = fields.as_object().into_iter().flatten();
        let read = |(step, below): (&String, &Value)| {
            let leaf = below.as_object().is_none_or(Map::is_empty);
            let entry = Entry {
                member: leaf || below.get(".").is_some(),
                below: FieldSet::parse(below),
            };
            (canonical(step), entry)
        };
        FieldSet(fields.filter(|(step, _)| *step != ".").map(read).collect())
    }
}

/// Fields of metadata that belong to the server or say who the object is.
pub(super) const UNOWNED: [&str; 8] = [
    "creationTimestamp",
    "generation",
    "managedFields",
    "name",
    "namespace",
    "resourceVersion",
    "selfLink",
    "uid",
];

pub(super) fn field(name: &str) -> String {
    format!("f:{name}")
}

/// Keys in a fixed order, however they were written.
fn canonical(step: &str) -> String {
    let Some(keys) = step.strip_prefix("k:") else {
        return step.to_owned();
    };
    match serde_json::from_str::<Value>(keys) {
        Ok(keys) => format!("k:{keys}"),
        Err(_) => step.to_owned(),
    }
}

fn shown(step: &str) -> String {
    let (kind, rest) = step.split_at(step.len().min(2));
    match kind {
        "k:" => {
            let keys = serde_json::from_str::<Map<String, Value>>(rest).unwrap_or_default();
            let keys: Vec<_> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        "v:" => format!("[={rest}]"),
        "i:" => format!("[{rest}]"),
        _ => format!(".{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_set_reads_what_it_writes() {
        let fields = json!({"f:spec": {".": {}, "f:racks": {"k:{\"name\":\"a\"}": {".": {}, "f:zone": {}}}, "v:1": {}}});
        assert_eq!(FieldSet::parse(&fields).json(), fields);
    }

    #[test]
    fn a_field_with_fields_below_is_a_member_only_if_it_says_so() {
        let set = FieldSet::parse(&json!({"f:a": {"f:b": {}}}));
        assert_eq!(set.paths(), [".a.b"]);
        let set = FieldSet::parse(&json!({"f:a": {".": {}, "f:b": {}}}));
        assert_eq!(set.paths(), [".a", ".a.b"]);
    }

    #[test]
    fn conflicts_name_items_by_their_keys() {
        let set =
            FieldSet::parse(&json!({"f:c": {"k:{\"type\":\"Ready\"}": {"f:status": {}}, "v:\"x\"": {}}}));
        assert_eq!(set.paths(), [".c[type=\"Ready\"].status", ".c[=\"x\"]"]);
    }

    #[test]
    fn sets_are_subtracted_and_intersected_path_by_path() {
        let one = FieldSet::parse(&json!({"f:a": {"f:b": {}, "f:c": {}}, "f:d": {}}));
        let two = FieldSet::parse(&json!({"f:a": {"f:b": {}}, "f:e": {}}));
        assert_eq!(one.minus(&two).paths(), [".a.c", ".d"]);
        assert_eq!(one.shared_with(&two).paths(), [".a.b"]);
    }
}
