//! Sets of fields, as `fieldsV1` writes them: `f:name`, `k:{"key":"value"}`, `v:"value"`.

use serde_json::{Map, Value};

use crate::schema::At;

/// A set of paths. Steps are kept as `fieldsV1` writes them, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldSet(Vec<(String, Entry)>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// The path that ends here is in the set.
    member: bool,
    below: FieldSet,
}

static NONE: FieldSet = FieldSet(Vec::new());

impl FieldSet {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn get(&self, step: &str) -> Option<&Entry> {
        let place = self
            .0
            .binary_search_by(|(known, _)| known.as_str().cmp(step))
            .ok()?;
        Some(&self.0[place].1)
    }

    fn entry(&mut self, step: String) -> &mut Entry {
        let place = match self.0.binary_search_by(|(known, _)| known.cmp(&step)) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (step, Entry::default()));
                place
            }
        };
        &mut self.0[place].1
    }

    /// Adds the path that ends with this step.
    pub(super) fn insert(&mut self, step: String) {
        self.entry(step).member = true;
    }

    /// Adds everything of another set below this step.
    pub(super) fn put_below(&mut self, step: &str, set: FieldSet) {
        if !set.is_empty() {
            self.entry(step.to_owned()).below.add(set);
        }
    }

    pub(super) fn has(&self, step: &str) -> bool {
        self.get(step).is_some_and(|entry| entry.member)
    }

    pub(super) fn below(&self, step: &str) -> Option<&FieldSet> {
        let entry = self.get(step)?;
        (!entry.below.is_empty()).then_some(&entry.below)
    }

    pub(super) fn add(&mut self, other: FieldSet) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for (step, theirs) in other.0 {
            let ours = self.entry(step);
            ours.member |= theirs.member;
            ours.below.add(theirs.below);
        }
    }

    pub(super) fn minus(&self, other: &FieldSet) -> FieldSet {
        if other.is_empty() {
            return self.clone();
        }
        self.combined(other, |ours, theirs| ours && !theirs)
    }

    pub(super) fn shared_with(&self, other: &FieldSet) -> FieldSet {
        if other.is_empty() {
            return FieldSet::default();
        }
        self.combined(other, |ours, theirs| ours && theirs)
    }

    /// Whether every path of this set is in the other.
    pub(super) fn is_within(&self, other: &FieldSet) -> bool {
        self.0.iter().all(|(step, ours)| {
            let theirs = other.get(step);
            (!ours.member || theirs.is_some_and(|theirs| theirs.member))
                && ours.below.is_within(theirs.map_or(&NONE, |theirs| &theirs.below))
        })
    }

    fn combined(&self, other: &FieldSet, member: fn(bool, bool) -> bool) -> FieldSet {
        let mut set = Vec::new();
        for (step, ours) in &self.0 {
            let theirs = other.get(step);
            let entry = Entry {
                member: member(ours.member, theirs.is_some_and(|theirs| theirs.member)),
                below: ours
                    .below
                    .combined(theirs.map_or(&NONE, |theirs| &theirs.below), member),
            };
            if entry.member || !entry.below.is_empty() {
                set.push((step.clone(), entry));
            }
        }
        FieldSet(set)
    }

    /// Takes the paths of this set out of what `fieldsV1` has, in place.
    pub(super) fn take_from(&self, fields: &mut Map<String, Value>) {
        for (step, entry) in &self.0 {
            let Some(Value::Object(child)) = fields.get_mut(step) else {
                continue;
            };
            let mut member = child.is_empty() || child.remove(".").is_some();
            entry.below.take_from(child);
            member &= !entry.member;
            if member && !child.is_empty() {
                child.insert(".".into(), Value::Object(Map::new()));
            } else if !member && child.is_empty() {
                fields.remove(step);
            }
        }
    }

    /// Adds the paths of this set to what `fieldsV1` has, in place.
    pub(super) fn add_to(&self, fields: &mut Map<String, Value>) {
        for (step, entry) in &self.0 {
            let Some(Value::Object(child)) = fields.get_mut(step) else {
                fields.insert(step.clone(), entry.json());
                continue;
            };
            let member = entry.member || child.is_empty() || child.remove(".").is_some();
            entry.below.add_to(child);
            if member && !child.is_empty() {
                child.insert(".".into(), Value::Object(Map::new()));
            }
        }
    }

    /// The paths of this set that `fieldsV1` has too.
    pub(super) fn shared_with_fields(&self, fields: &Value) -> FieldSet {
        let mut set = Vec::new();
        for (step, entry) in &self.0 {
            let Some(child) = fields.get(step) else { continue };
            let member = child.as_object().is_none_or(Map::is_empty) || child.get(".").is_some();
            let shared = Entry {
                member: member && entry.member,
                below: entry.below.shared_with_fields(child),
            };
            if shared.member || !shared.below.is_empty() {
                set.push((step.clone(), shared));
            }
        }
        FieldSet(set)
    }

    /// With every declared field that has a part in the set.
    pub(super) fn with_parents(&self, at: At<'_>) -> FieldSet {
        let with = |(step, entry): &(String, Entry)| {
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
        self.0.retain(|(step, _)| wanted(step));
    }

    /// Takes out what no manager owns: identity, and what the server itself writes.
    pub(super) fn strip(&mut self) {
        self.retain(|step| !matches!(step, "f:apiVersion" | "f:kind"));
        let Some((_, metadata)) = self.0.iter_mut().find(|(step, _)| step == "f:metadata") else {
            return;
        };
        metadata.member = false;
        let owned = |step: &str| {
            !step
                .strip_prefix("f:")
                .is_some_and(|field| UNOWNED.contains(&field))
        };
        metadata.below.retain(owned);
        if metadata.below.is_empty() {
            self.retain(|step| step != "f:metadata");
        }
    }

    /// Every path, as conflicts name it: `.spec.racks[name="a"].zone`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect(&mut String::new(), &mut paths);
        paths
    }

    /// First what stands here, then what is below it.
    fn collect(&self, prefix: &mut String, paths: &mut Vec<String>) {
        let length = prefix.len();
        for (step, _) in self.0.iter().filter(|(_, entry)| entry.member) {
            paths.push(format!("{prefix}{}", shown(step)));
        }
        for (step, entry) in &self.0 {
            prefix.push_str(&shown(step));
            entry.below.collect(prefix, paths);
            prefix.truncate(length);
        }
    }

    pub(super) fn json(&self) -> Value {
        let fields = self.0.iter().map(|(step, entry)| (step.clone(), entry.json()));
        Value::Object(fields.collect())
    }

    pub(super) fn parse(fields: &Value) -> FieldSet {
        let fields = fields.as_object().into_iter().flatten();
        let mut set = FieldSet::default();
        for (step, below) in fields.filter(|(step, _)| *step != ".") {
            let leaf = below.as_object().is_none_or(Map::is_empty);
            *set.entry(canonical(step)) = Entry {
                member: leaf || below.get(".").is_some(),
                below: FieldSet::parse(below),
            };
        }
        set
    }
}

impl Entry {
    fn json(&self) -> Value {
        let mut below = self.below.json();
        if let Value::Object(fields) = &mut below
            && self.member
            && !fields.is_empty()
        {
            fields.insert(".".into(), Value::Object(Map::new()));
        }
        below
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
        assert_eq!(set.paths(), [".c[=\"x\"]", ".c[type=\"Ready\"].status"]);
    }

    #[test]
    fn fields_are_changed_in_place_as_sets_are() {
        let sets = [
            json!({"f:a": {".": {}, "f:b": {}, "f:c": {}}, "f:d": {}}),
            json!({"f:a": {"f:b": {}}, "f:e": {}}),
            json!({"f:a": {}, "f:d": {"f:x": {}}}),
            json!({"f:a": {".": {}, "f:c": {"f:d": {}}}}),
            json!({}),
        ];
        for (one, other) in sets
            .iter()
            .flat_map(|one| sets.iter().map(move |other| (one, other)))
        {
            let (left, right) = (FieldSet::parse(one), FieldSet::parse(other));
            let changed = |change: fn(&FieldSet, &mut Map<String, Value>)| {
                let mut fields = one.as_object().cloned().unwrap();
                change(&right, &mut fields);
                Value::Object(fields)
            };
            assert_eq!(
                changed(FieldSet::take_from),
                left.minus(&right).json(),
                "{one} - {other}"
            );
            let mut sum = left.clone();
            sum.add(right.clone());
            assert_eq!(changed(FieldSet::add_to), sum.json(), "{one} + {other}");
            assert_eq!(
                right.shared_with_fields(one),
                left.shared_with(&right),
                "{one} & {other}"
            );
            assert_eq!(
                left.is_within(&right),
                left.minus(&right).is_empty(),
                "{one} in {other}"
            );
        }
    }

    #[test]
    fn sets_are_subtracted_and_intersected_path_by_path() {
        let one = FieldSet::parse(&json!({"f:a": {"f:b": {}, "f:c": {}}, "f:d": {}}));
        let two = FieldSet::parse(&json!({"f:a": {"f:b": {}}, "f:e": {}}));
        assert_eq!(one.minus(&two).paths(), [".d", ".a.c"]);
        assert_eq!(one.shared_with(&two).paths(), [".a.b"]);
    }
}
