//! `metadata.managedFields`: read into sets, and written in the order of the real server.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::fields::FieldSet;
use crate::object::metadata_mut;

/// One entry.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    pub(super) name: String,
    pub(super) applies: bool,
    pub(super) api_version: String,
    pub(super) subresource: String,
    pub(super) time: String,
    pub(super) fields: FieldSet,
}

impl Manager {
    /// Whether both are the same manager: appliers whatever version they apply in.
    pub(super) fn is(&self, other: &Manager) -> bool {
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

    fn json(&self) -> Value {
        let mut entry = json!({
            "manager": self.name,
            "operation": if self.applies { "Apply" } else { "Update" },
            "apiVersion": self.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.json(),
        });
        for (field, text) in [("time", &self.time), ("subresource", &self.subresource)] {
            if !text.is_empty() {
                entry[field] = text.clone().into();
            }
        }
        entry
    }
}

/// The entries of an object.
pub(super) fn read(object: &Value) -> Vec<Manager> {
    let entries = object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array);
    let read = |entry: &Value| {
        let text = |field: &str| {
            entry
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let operation = text("operation");
        let known = matches!(operation.as_str(), "Apply" | "Update") && !text("apiVersion").is_empty();
        known.then(|| Manager {
            name: text("manager"),
            applies: operation == "Apply",
            api_version: text("apiVersion"),
            subresource: text("subresource"),
            time: text("time"),
            fields: FieldSet::parse(entry.get("fieldsV1").unwrap_or(&Value::Null)),
        })
    };
    let mut managers: Vec<Manager> = Vec::new();
    for manager in entries.into_iter().flatten().filter_map(read) {
        match managers.iter_mut().find(|known| known.is(&manager)) {
            Some(known) => known.fields.add(manager.fields),
            None => managers.push(manager),
        }
    }
    managers
}

/// Writes the entries that own something into an object.
pub(super) fn write(object: &mut Value, mut managers: Vec<Manager>) {
    managers.retain(|manager| !manager.fields.is_empty());
    managers.sort_by(|one, other| {
        let key = |manager: &Manager| {
            (
                !manager.applies,
                manager.time.clone(),
                manager.name.clone(),
                manager.api_version.clone(),
                manager.subresource.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    let metadata = metadata_mut(object);
    if managers.is_empty() {
        metadata.remove("managedFields");
    } else {
        let entries = managers.iter().map(Manager::json).collect::<Vec<_>>();
        metadata.insert("managedFields".into(), entries.into());
    }
}
