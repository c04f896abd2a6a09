//! What a plane keeps of a datacenter: its definition of CassandraDatacenter may be older than ours, and not know every field.
//!
//! A create loses such fields in silence, and an apply is refused whole. So they are looked for in the answer of the one,
//! and left out of the other; their paths are noted on the object, so that nobody takes them for a change that waits.

use std::collections::BTreeSet;

use api::reports::FieldChange;
use serde_json::Value;

use super::{difference, identity, path, redaction};
use crate::normalize::normalize;

/// What an API server says of a field that its definition does not have, after the path.
const UNDECLARED: &str = ": field not declared in schema";

/// Fields of the spec that were sent and are not in what came back.
#[must_use]
pub fn lost(sent: &Value, stored: &Value) -> Vec<String> {
    let found = difference::between(&normalize(stored), &normalize(sent));
    found
        .iter()
        .flat_map(|it| lost_in(&it.field, it.from.as_ref(), it.to.as_ref()))
        .collect()
}

/// A list whose items have no names is one field for whoever compares; what its items have lost is found by their numbers.
fn lost_in(field: &str, stored: Option<&Value>, sent: Option<&Value>) -> Vec<String> {
    match (stored, sent) {
        (None, _) => vec![field.to_owned()],
        (Some(Value::Array(stored)), Some(Value::Array(sent))) if stored.len() == sent.len() => {
            let items = stored.iter().zip(sent).enumerate();
            items
                .flat_map(|(at, (stored, sent))| {
                    let found = difference::below(&format!("{field}[{at}]"), stored, sent);
                    let lost = found
                        .iter()
                        .map(|it| lost_in(&it.field, it.from.as_ref(), it.to.as_ref()));
                    lost.collect::<Vec<_>>()
                })
                .flatten()
                .collect()
        }
        _ => Vec::new(),
    }
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

/// Takes a field out of a CassandraDatacenter that is to be sent, and returns its path as differences are told. None where that
/// cannot be: it is not there, a whole item of a list or its name, or what nodes and data are known by.
pub fn leave_out(object: &mut Value, path: &str) -> Option<String> {
    if is_locked(path) {
        return None;
    }
    path::take(object, path)
}

/// Whether a field that somebody else has set can be left to them: it is in no item of a list, which may be somebody's as a whole,
/// and nodes and data are not known by it.
pub(crate) fn may_be_left_to_others(path: &str) -> bool {
    !path.contains('[') && !is_locked(path)
}

fn is_locked(path: &str) -> bool {
    let below_spec = path.strip_prefix("spec").unwrap_or(path);
    identity::is_locked(&below_spec.replace('.', "/"))
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

/// Which of these paths the plane does not keep, if this field would be as it is there but for them; none if there is more to it.
pub(crate) fn not_kept(paths: &BTreeSet<String>, field: &FieldChange) -> Option<Vec<String>> {
    let Some(from) = &field.from else {
        return paths.contains(&field.field).then(|| vec![field.field.clone()]);
    };
    // A list whose items have no names is one field. Of one that is not shown whole, equal is not the same.
    let mut to = field.to.clone().filter(redaction::is_whole)?;
    let below: Vec<(&String, &str)> = paths
        .iter()
        .filter_map(|path| {
            Some((
                path,
                path.strip_prefix(&field.field)
                    .filter(|rest| rest.starts_with('['))?,
            ))
        })
        .collect();
    let all_taken = below.iter().all(|(_, rest)| path::take(&mut to, rest).is_some());
    let is_all = all_taken && !below.is_empty() && to == *from && redaction::is_whole(from);
    is_all.then(|| below.into_iter().map(|(path, _)| path.clone()).collect())
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
    fn n13_what_items_of_lists_have_lost_is_found_too() {
        let sent = json!({
            "racks": [{"name": "r1", "new": 1}, {"name": "r2"}],
            "ports": [{"port": 1, "new": {"a": 1}}, {"port": 2}],
            "longer": [1, 2],
        });
        let stored = json!({
            "racks": [{"name": "r1"}, {"name": "r2"}], "ports": [{"port": 1}, {"port": 2}], "longer": [1],
        });
        let paths = lost(&sent, &stored);
        assert_eq!(paths, ["spec.ports[0].new", "spec.racks[r1].new"]);
    }

    #[test]
    fn n13_a_list_without_names_differs_by_no_more_than_what_it_has_lost() {
        let paths = read(Some(&noted(&["spec.ports[0].new".to_owned()])));
        let field = |to: Value| FieldChange {
            field: "spec.ports".to_owned(),
            from: Some(json!([{"port": 1}])),
            to: Some(to),
            effect: api::reports::Effect::Restart,
        };
        let same = field(json!([{"port": 1, "new": 2}]));
        assert_eq!(
            not_kept(&paths, &same),
            Some(vec!["spec.ports[0].new".to_owned()])
        );
        for more in [
            json!([{"port": 2, "new": 2}]),
            json!([{"port": 1, "new": 2}, {}]),
            json!([{"port": 1}]),
        ] {
            assert_eq!(not_kept(&paths, &field(more.clone())), None, "{more}");
        }
        assert_eq!(not_kept(&BTreeSet::new(), &same), None);
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
        let path = "spec.networking.new";
        assert_eq!(leave_out(&mut object, path).as_deref(), Some(path));
        assert_eq!(leave_out(&mut object, path), None);
        assert_eq!(leave_out(&mut object, "spec.datacenterName"), None);
        assert_eq!(
            object,
            json!({"spec": {"datacenterName": "x", "networking": {"old": 2}}})
        );
    }
}
