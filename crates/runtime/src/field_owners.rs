//! Whose a field is, in `metadata.managedFields`: what a create or update wrote belongs to an `Update` entry, and an
//! apply of the same manager does not own it. Before the first apply such fields are handed over, else they would
//! conflict, or stay for ever once the apply leaves them out.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use serde_json::{Map, Value};

const APPLY: &str = "Apply";
const UPDATE: &str = "Update";

/// Which of the fields that a manager wrote by create or update are handed over; `None` = none of them.
pub type Part<'a> = dyn Fn(&str, &Value) -> Option<Value> + Send + Sync + 'a;

/// The entries after what `part` names of creates and updates belongs to `to`'s apply. `None` if there is nothing to hand
/// over. Entries of subresources and of another version of the API stay as they are, and so does what `part` leaves.
pub(crate) fn handed_over(
    entries: &[ManagedFieldsEntry],
    part: &Part<'_>,
    to: &str,
) -> Option<Vec<ManagedFieldsEntry>> {
    let whole = |entry: &ManagedFieldsEntry, operation: &str| {
        entry.operation.as_deref() == Some(operation)
            && entry.subresource.as_deref().unwrap_or_default().is_empty()
    };
    let is_to = |entry: &ManagedFieldsEntry| whole(entry, APPLY) && entry.manager.as_deref() == Some(to);
    let taken = |entry: &ManagedFieldsEntry| {
        let fields = &entry.fields_v1.as_ref().filter(|_| whole(entry, UPDATE))?.0;
        part(entry.manager.as_deref()?, fields)
    };

    let mut to_move = entries.iter().map(taken).collect::<Vec<_>>();
    let found = entries.iter().zip(&to_move).find(|(_, taken)| taken.is_some());
    let first = entries
        .iter()
        .find(|entry| is_to(entry))
        .or(found.map(|(entry, _)| entry))?;
    for (entry, taken) in entries.iter().zip(&mut to_move) {
        *taken = taken.take().filter(|_| entry.api_version == first.api_version);
    }
    if to_move.iter().all(Option::is_none) {
        return None;
    }
    let mut owner = ManagedFieldsEntry {
        manager: Some(to.to_owned()),
        operation: Some(APPLY.to_owned()),
        fields_v1: None,
        ..first.clone()
    };
    let mut others = Vec::new();
    for (entry, taken) in entries.iter().zip(to_move) {
        let moves = taken.is_some();
        if is_to(entry) {
            owner.fields_v1 = union(owner.fields_v1, entry.fields_v1.clone());
        } else if let Some(taken) = taken {
            others.extend(without(entry, &taken));
            owner.fields_v1 = union(owner.fields_v1, Some(FieldsV1(taken)));
        } else {
            others.push(entry.clone());
        }
        if is_to(entry) || moves {
            owner.time = owner.time.max(entry.time.clone());
        }
    }
    Some(std::iter::once(owner).chain(others).collect())
}

/// What a manager keeps; `None` if that is nothing.
fn without(entry: &ManagedFieldsEntry, taken: &Value) -> Option<ManagedFieldsEntry> {
    let mut left = entry.clone();
    let fields = &mut left.fields_v1.as_mut()?.0;
    take_away(fields, taken);
    (*fields != Value::Object(Map::new())).then_some(left)
}

/// Leaves of the one that are in the other go, and so do objects that nothing is left in.
fn take_away(tree: &mut Value, taken: &Value) {
    let (Value::Object(tree), Value::Object(taken)) = (tree, taken) else {
        return;
    };
    tree.retain(|field, below| {
        let Some(taken) = taken.get(field) else {
            return true;
        };
        if *below == *taken {
            return false;
        }
        take_away(below, taken);
        below.as_object().is_some_and(|left| !left.is_empty())
    });
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

    fn all_of(managers: &[&str], entries: &[ManagedFieldsEntry]) -> Option<Vec<ManagedFieldsEntry>> {
        let part = |manager: &str, fields: &Value| managers.contains(&manager).then(|| fields.clone());
        handed_over(entries, &part, "ours")
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
        assert_eq!(shown(&all_of(&["ours"], &entries).unwrap()), expected);
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
        assert_eq!(shown(&all_of(&["manager", "ours"], &entries).unwrap()), expected);
    }

    #[test]
    fn what_is_not_named_stays_with_whom_it_was() {
        let fields = json!({
            "f:metadata": {"f:finalizers": {".": {}, "v:\"theirs\"": {}}, "f:labels": {".": {}, "f:l": {}}},
            "f:spec": {"f:size": {}},
        });
        let entries = [entry("manager", UPDATE, "v1", "", &fields)];
        let part = |_: &str, fields: &Value| {
            Some(json!({"f:spec": fields["f:spec"], "f:metadata": {"f:labels": {"f:l": {}}}}))
        };
        let taken = json!({"f:spec": {"f:size": {}}, "f:metadata": {"f:labels": {"f:l": {}}}});
        let left = json!({"f:metadata": {
            "f:finalizers": {".": {}, "v:\"theirs\"": {}}, "f:labels": {".": {}},
        }});
        let expected = [
            ("ours".into(), APPLY.into(), taken),
            ("manager".into(), UPDATE.into(), left),
        ];
        assert_eq!(shown(&handed_over(&entries, &part, "ours").unwrap()), expected);
    }

    #[test]
    fn nothing_is_written_where_nothing_is_to_be_handed_over() {
        let entries = [
            entry("ours", APPLY, "v1", "", &json!({"f:data": {}})),
            entry("ours", UPDATE, "v1beta1", "", &json!({"f:data": {"f:a": {}}})),
            entry("kubectl", UPDATE, "v1", "", &json!({"f:data": {"f:b": {}}})),
        ];
        assert!(all_of(&["ours"], &entries).is_none());
        assert!(all_of(&["ours"], &[]).is_none());
    }
}
