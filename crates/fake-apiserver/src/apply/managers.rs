//! `metadata.managedFields`: whose the entries are, changed in place, and kept in the order of the real server.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::fields::FieldSet;
use super::update::Change;
use crate::object::metadata_mut;

/// Who an entry is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who<'w> {
    pub(super) name: &'w str,
    pub(super) applies: bool,
    pub(super) api_version: &'w str,
    pub(super) subresource: &'w str,
}

impl<'w> Who<'w> {
    pub(super) fn of(entry: &'w Value) -> Who<'w> {
        Who {
            name: text(entry, "manager"),
            applies: text(entry, "operation") == "Apply",
            api_version: text(entry, "apiVersion"),
            subresource: text(entry, "subresource"),
        }
    }

    pub(super) fn by(change: Change<'w>, applies: bool) -> Who<'w> {
        Who {
            name: change.manager,
            applies,
            api_version: change.api_version,
            subresource: change.subresource,
        }
    }

    /// Whether both are the same manager: appliers whatever version they apply in.
    pub(super) fn is(&self, other: &Who<'_>) -> bool {
        self.name == other.name
            && self.applies == other.applies
            && self.subresource == other.subresource
            && (self.applies || self.api_version == other.api_version)
    }

    /// As a conflict names it.
    pub(super) fn shown(&self) -> String {
        let mut shown = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            let _ = write!(shown, " with subresource {:?}", self.subresource);
        }
        if !self.applies {
            let _ = write!(shown, " using {}", self.api_version);
        }
        shown
    }

    pub(super) fn entry(&self, fields: &FieldSet, time: &str) -> Value {
        let mut entry = json!({
            "operation": if self.applies { "Apply" } else { "Update" },
            "apiVersion": self.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields.json(),
        });
        for (field, text) in [
            ("manager", self.name),
            ("time", time),
            ("subresource", self.subresource),
        ] {
            if !text.is_empty() {
                entry[field] = text.into();
            }
        }
        entry
    }
}

pub(super) fn text<'v>(entry: &'v Value, field: &str) -> &'v str {
    entry.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The entries of an object.
pub(super) fn of(object: &Value) -> &[Value] {
    object
        .get("metadata")
        .and_then(|metadata| metadata.get("managedFields"))
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// Takes the entries out of an object.
pub(super) fn take(object: &mut Value) -> Vec<Value> {
    match metadata_mut(object).remove("managedFields") {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    }
}

/// Entries that a client has made: what is none is left out, and steps are written as this server writes them.
pub(super) fn normalized(entries: &[Value]) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for entry in entries {
        let known =
            matches!(text(entry, "operation"), "Apply" | "Update") && !text(entry, "apiVersion").is_empty();
        if !known {
            continue;
        }
        let (who, fields) = (
            Who::of(entry),
            FieldSet::parse(entry.get("fieldsV1").unwrap_or(&Value::Null)),
        );
        match all.iter_mut().find(|other| Who::of(other).is(&who)) {
            Some(other) => fields.add_to(fields_mut(other)),
            None => all.push(who.entry(&fields, text(entry, "time"))),
        }
    }
    all
}

/// The fields of an entry.
pub(super) fn fields_mut(entry: &mut Value) -> &mut Map<String, Value> {
    let fields = &mut entry["fieldsV1"];
    if !fields.is_object() {
        *fields = Value::Object(Map::new());
    }
    match fields {
        Value::Object(fields) => fields,
        _ => unreachable!("it was made an object above"),
    }
}

/// Puts the entries that own something into an object.
pub(super) fn put(object: &mut Value, mut entries: Vec<Value>) {
    entries.retain(|entry| {
        let fields = entry.get("fieldsV1").and_then(Value::as_object);
        fields.is_some_and(|fields| !fields.is_empty())
    });
    entries.sort_by(|one, other| order(one).cmp(&order(other)));
    if !entries.is_empty() {
        metadata_mut(object).insert("managedFields".into(), entries.into());
    }
}

fn order(entry: &Value) -> [&str; 5] {
    ["operation", "time", "manager", "apiVersion", "subresource"].map(|field| text(entry, field))
}
