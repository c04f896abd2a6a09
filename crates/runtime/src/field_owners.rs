//! Whose a field is, in `metadata.managedFields`: what a create or update wrote belongs to an `Update` entry, and an
//! apply of the same manager does not own it. Before the first apply such fields are handed over, else they would
//! conflict, or stay for ever once the apply leaves them out.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use serde_json::Value;

const APPLY: &str = "Apply";
const UPDATE: &str = "Update";

/// The entries after everything that the managers `from` wrote by create or update belongs to `to`'s apply. `None` if
/// there is nothing to hand over. Entries of subresources and of another version of the API stay as they are.
pub(crate) fn handed_over(
    entries: &[ManagedFieldsEntry],
    from: &[&str],
    to: &str,
) -> Option<Vec<ManagedFieldsEntry>> {
    let whole = |entry: &ManagedFieldsEntry, operation: &str| {
        entry.operation.as_deref() == Some(operation)
            && entry.subresource.as_deref().unwrap_or_default().is_empty()
    };
    let is_to = |entry: &ManagedFieldsEntry| whole(entry, APPLY) && entry.manager.as_deref() == Some(to);
    let is_from = |entry: &ManagedFieldsEntry| {
        whole(entry, UPDATE)
            && entry
                .manager
                .as_deref()
                .is_some_and(|manager| from.contains(&manager))
    };

    let first = entries
        .iter()
        .find(|entry| is_to(entry))
        .or_else(|| entries.iter().find(|entry| is_from(entry)))?;
    let version = first.api_version.clone();
    let moves = |entry: &ManagedFieldsEntry| is_from(entry) && entry.api_version == version;
    if !entries.iter().any(moves) {
        return None;
    }
    let mut owner = ManagedFieldsEntry {
        manager: Some(to.to_owned()),
        operation: Some(APPLY.to_owned()),
        fields_v1: None,
        ..first.clone()
    };
    for entry in entries.iter().filter(|entry| is_to(entry) || moves(entry)) {
        owner.time = owner.time.max(entry.time.clone());
        owner.fields_v1 = union(owner.fields_v1, entry.fields_v1.clone());
    }
    let others = entries
        .iter()
        .filter(|entry| !is_to(entry) && !moves(entry))
        .cloned();
    Some(std::iter::once(owner).chain(others).collect())
}

fn union(one: Option<FieldsV1>, other: Option<FieldsV1>) -> Option<FieldsV1> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            add(&mut one.0, other.0);
            Some(one)
        }
        (one, other) => one.or(other),
    }
}

/// A set of fields is a tree of objects whose leaves are empty: the union of two is their deep merge.
fn add(tree: &mut Value, more: Value) {
    match (tree, more) {
        (Value::Object(tree), Value::Object(more)) => {
            for (field, below) in more {
                add(
                    tree.entry(field)
                        .or_insert_with(|| Value::Object(serde_json::Map::new())),
                    below,
                );
            }
        }
        (tree, more) => *tree = more,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(
        manager: &str,
        operation: &str,
        version: &str,
        subresource: &str,
        fields: &Value,
    ) -> ManagedFieldsEntry {
        serde_json::from_value(
            json!({"manager": manager, "operation": operation, "apiVersion": version,
            "subresource": subresource, "fieldsType": "FieldsV1", "fieldsV1": fields}),
        )
        .unwrap()
    }

    fn shown(entries: &[ManagedFieldsEntry]) -> Vec<(String, String, Value)> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let fields =
            |entry: &ManagedFieldsEntry| entry.fields_v1.clone().map_or(Value::Null, |fields| fields.0);
        entries
            .iter()
            .map(|entry| (text(&entry.manager), text(&entry.operation), fields(entry)))
            .collect()
    }

    #[test]
    fn what_a_create_wrote_becomes_the_applys() {
        let entries = [
            entry("ours", UPDATE, "v1", "", &json!({"f:data": {".": {}, "f:a": {}}})),
            entry("kubectl", UPDATE, "v1", "", &json!({"f:data": {"f:b": {}}})),
            entry("ours", UPDATE, "v1", "status", &json!({"f:status": {}})),
        ];
        let expected = [
            (
                "ours".into(),
                APPLY.into(),
                json!({"f:data": {".": {}, "f:a": {}}}),
            ),
            ("kubectl".into(), UPDATE.into(), json!({"f:data": {"f:b": {}}})),
            ("ours".into(), UPDATE.into(), json!({"f:status": {}})),
        ];
        assert_eq!(
            shown(&handed_over(&entries, &["ours"], "ours").unwrap()),
            expected
        );
    }

    #[test]
    fn an_apply_that_is_there_gets_the_fields_added() {
        let entries = [
            entry(
                "manager",
                UPDATE,
                "v1",
                "",
                &json!({"f:data": {"f:a": {}, "f:b": {}}}),
            ),
            entry(
                "ours",
                APPLY,
                "v1",
                "",
                &json!({"f:data": {"f:b": {}, "f:c": {}}}),
            ),
        ];
        let union = json!({"f:data": {"f:a": {}, "f:b": {}, "f:c": {}}});
        let expected = [("ours".into(), APPLY.into(), union)];
        assert_eq!(
            shown(&handed_over(&entries, &["manager", "ours"], "ours").unwrap()),
            expected
        );
    }

    #[test]
    fn nothing_is_written_where_nothing_is_to_be_handed_over() {
        let entries = [
            entry("ours", APPLY, "v1", "", &json!({"f:data": {}})),
            entry("ours", UPDATE, "v1beta1", "", &json!({"f:data": {"f:a": {}}})),
            entry("kubectl", UPDATE, "v1", "", &json!({"f:data": {"f:b": {}}})),
        ];
        assert!(handed_over(&entries, &["ours"], "ours").is_none());
        assert!(handed_over(&[], &["ours"], "ours").is_none());
    }
}
