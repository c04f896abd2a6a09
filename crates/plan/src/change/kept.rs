//! What a plane keeps of a datacenter: its definition of CassandraDatacenter may be older than ours, and not know every field.
//!
//! A create loses such fields in silence, and an apply is refused whole. So they are looked for in the answer of the one,
//! and left out of the other; their paths are noted on the object, so that nobody takes them for a change that waits.

use std::collections::BTreeSet;

use api::reports::FieldChange;
use serde_json::Value;

use super::{difference, identity};
use crate::normalize::normalize;

/// What an API server says of a field that its definition does not have, after the path.
const UNDECLARED: &str = ": field not declared in schema";

/// Fields of the spec that were sent and are not in what came back.
#[must_use]
pub fn lost(sent: &Value, stored: &Value) -> Vec<String> {
    let found = difference::between(&normalize(stored), &normalize(sent));
    let lost = found.into_iter().filter(|it| it.from.is_none());
    lost.map(|it| it.field).collect()
}

/// The field for which an API server refuses an apply, read from its message; none where that says something else.
#[must_use]
pub fn undeclared(message: &str) -> Option<String> {
    let before = message
        .split(UNDECLARED)
        .next()
        .filter(|before| *before != message)?;
    let path = before.rsplit(char::is_whitespace).next()?.strip_prefix('.')?;
    path.starts_with("spec.").then(|| path.to_owned())
}

/// Takes a field out of a CassandraDatacenter that is to be sent. False where that cannot be: it is not there, an item of a
/// list, or what nodes and data are known by.
pub fn leave_out(object: &mut Value, path: &str) -> bool {
    if !may_be_left_out(path) {
        return false;
    }
    let pointer = pointer(path);
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return false;
    };
    let parent = object.pointer_mut(parent).and_then(Value::as_object_mut);
    parent.is_some_and(|parent| parent.remove(key).is_some())
}

/// Whether a field can be taken out: it is no item of a list, and nodes and data are not known by it.
pub(crate) fn may_be_left_out(path: &str) -> bool {
    let pointer = pointer(path);
    let below_spec = pointer.strip_prefix("/spec").unwrap_or(&pointer);
    !path.contains('[') && !identity::is_locked(below_spec)
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// The paths as they are noted in `ringspan.io/not-kept`.
#[must_use]
pub fn noted(paths: &[String]) -> String {
    serde_json::to_string(paths).unwrap_or_default()
}

/// Paths that were noted; none where the annotation is missing or is no list.
#[must_use]
pub fn read(annotation: Option<&str>) -> BTreeSet<String> {
    annotation
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// Whether this is a field that the plane does not keep: one that it has lost, and that would be sent again.
pub(crate) fn is_not_kept(paths: &BTreeSet<String>, field: &FieldChange) -> bool {
    field.from.is_none() && paths.contains(&field.field)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn n13_what_does_not_come_back_is_not_kept() {
        let sent = json!({"size": 3, "readOnlyRootFilesystem": true, "networking": {"hostNetwork": true}, "users": []});
        let stored = json!({"size": 3, "networking": {}, "replaceNodes": []});
        assert_eq!(
            lost(&sent, &stored),
            ["spec.networking", "spec.readOnlyRootFilesystem"]
        );
        assert_eq!(lost(&sent, &sent), [""; 0]);
    }

    #[test]
    fn n13_the_field_that_an_api_server_does_not_know_is_read_from_its_words() {
        let said = "failed to create typed patch object (db/dc1; cassandra.datastax.com/v1beta1, Kind=CassandraDatacenter): \
                    .spec.readOnlyRootFilesystem: field not declared in schema";
        assert_eq!(undeclared(said).as_deref(), Some("spec.readOnlyRootFilesystem"));
        let several = "failed (db/dc1): errors:\n  .spec.networking.new: field not declared in schema\n  .spec.b: field not";
        assert_eq!(undeclared(several).as_deref(), Some("spec.networking.new"));
        assert_eq!(undeclared(".metadata.new: field not declared in schema"), None);
        assert_eq!(undeclared("the server is overloaded"), None);
    }

    #[test]
    fn n13_a_field_is_left_out_but_for_what_nodes_and_data_are_known_by() {
        let mut object = json!({"spec": {"datacenterName": "x", "networking": {"new": 1, "old": 2}}});
        assert!(leave_out(&mut object, "spec.networking.new"));
        assert!(!leave_out(&mut object, "spec.networking.new"));
        assert!(!leave_out(&mut object, "spec.datacenterName"));
        assert!(!leave_out(&mut object, "spec.racks[r1].new"));
        assert_eq!(
            object,
            json!({"spec": {"datacenterName": "x", "networking": {"old": 2}}})
        );
    }
}
