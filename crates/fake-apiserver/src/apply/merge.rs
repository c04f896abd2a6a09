//! What an applier names goes over what is there; items of lists keep the order that the applier gives them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::typed::{Untyped, is_leaf, steps};
use crate::schema::At;

/// Puts `given` over `live`.
///
/// # Errors
/// A list whose items cannot be told apart.
pub(super) fn merge(live: &mut Value, given: &Value, at: At<'_>) -> Result<(), Untyped> {
    if is_leaf(given, at) {
        live.clone_from(given);
        return Ok(());
    }
    match (live, given) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                match old.get_mut(name) {
                    Some(old) => merge(old, value, at.field(name))?,
                    None => {
                        old.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            let merged = merge_lists(old, new, at)?;
            *old = merged;
        }
        (live, given) => live.clone_from(given),
    }
    Ok(())
}

/// Whether a merge of `given` would change nothing.
pub(super) fn covers(live: &Value, given: &Value, at: At<'_>) -> bool {
    if is_leaf(given, at) {
        return live == given;
    }
    match (live, given) {
        (Value::Object(old), Value::Object(new)) => new.iter().all(|(name, value)| {
            old.get(name)
                .is_some_and(|old| covers(old, value, at.field(name)))
        }),
        (Value::Array(old), Value::Array(new)) => {
            let (Ok(left), Ok(right)) = (steps(old, at, "", true), steps(new, at, "", true)) else {
                return false;
            };
            // Each where the last one was, or later: a merge keeps their order.
            let mut left = left.iter();
            right.iter().all(|(step, theirs)| {
                left.find(|(known, _)| known == step)
                    .is_some_and(|(_, ours)| covers(ours, theirs, at.items()))
            })
        }
        (live, given) => live == given,
    }
}

/// Items that only one side has stay where they stand between those that both have; the order of these is the applier's.
fn merge_lists(old: &[Value], new: &[Value], at: At<'_>) -> Result<Vec<Value>, Untyped> {
    let left = steps(old, at, "", false)?;
    let right = steps(new, at, "", true)?;
    let in_left: BTreeMap<&str, &Value> = left
        .iter()
        .rev()
        .map(|(step, item)| (step.as_str(), *item))
        .collect();
    let in_right: BTreeMap<&str, &Value> = right.iter().map(|(step, item)| (step.as_str(), *item)).collect();
    let mut shared = right
        .iter()
        .map(|(step, _)| step.as_str())
        .filter(|step| in_left.contains_key(step));
    let mut next_shared = shared.next();
    let merged = |step: &str, ours: Option<&Value>| -> Result<Value, Untyped> {
        match (ours, in_right.get(step)) {
            (Some(ours), Some(theirs)) => {
                let mut merged = ours.clone();
                merge(&mut merged, theirs, at.items())?;
                Ok(merged)
            }
            (Some(ours), None) => Ok(ours.clone()),
            (None, theirs) => Ok(theirs.map(|item| (*item).clone()).unwrap_or_default()),
        }
    };
    let mut done = Vec::new();
    let mut out = Vec::with_capacity(old.len().max(new.len()));
    let (mut l, mut r) = (0, 0);
    while l < left.len() || r < right.len() {
        let ours = left.get(l).map(|(step, _)| step.as_str());
        let theirs = right.get(r).map(|(step, _)| step.as_str());
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            if ours == theirs {
                done.push(ours);
                out.push(merged(ours, in_left.get(ours).copied())?);
                (l, r) = (l + 1, r + 1);
                next_shared = shared.next();
                continue;
            }
            if in_right.contains_key(ours) && next_shared.is_some_and(|next| next != ours) {
                l += 1;
                continue;
            }
        }
        if let Some(ours) = ours {
            if !in_right.contains_key(ours) {
                out.push(left[l].1.clone());
                l += 1;
                continue;
            }
            if done.contains(&ours) {
                l += 1;
            }
        }
        if let Some(theirs) = theirs {
            done.push(theirs);
            out.push(merged(theirs, in_left.get(theirs).copied())?);
            r += 1;
            if next_shared == Some(theirs) {
                next_shared = shared.next();
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::schema::Schema;
    use crate::schema::compile::Compiler;

    fn schema() -> Schema {
        let none = Map::new();
        let mut compiler = Compiler::new(&none, false);
        let names = json!({
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"}}},
        });
        let set = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}});
        let whole = json!({"type": "array", "items": {"type": "string"}});
        let root = json!({"type": "object", "properties": {"map": names, "set": set, "whole": whole}});
        compiler.root(&root).unwrap();
        compiler.finish()
    }

    fn merged(live: &Value, given: &Value) -> Value {
        let schema = schema();
        let mut value = live.clone();
        merge(&mut value, given, schema.at(1)).unwrap();
        assert_eq!(
            covers(live, given, schema.at(1)),
            value == *live,
            "{live} <- {given}"
        );
        value
    }

    #[test]
    fn items_keep_the_order_of_the_applier_and_others_stay_between_them() {
        let set = |live: &[&str], given: &[&str]| {
            merged(&json!({"set": live}), &json!({"set": given}))["set"].clone()
        };
        assert_eq!(set(&["a", "b", "c"], &["c", "a"]), json!(["b", "c", "a"]));
        assert_eq!(set(&["a", "b"], &["x", "b"]), json!(["a", "x", "b"]));
        assert_eq!(set(&["a", "b"], &["b"]), json!(["a", "b"]));
        assert_eq!(set(&[], &["b", "a"]), json!(["b", "a"]));
    }

    #[test]
    fn items_with_keys_are_merged_one_by_one() {
        let live = json!({"map": [{"name": "a", "n": 1}, {"name": "b", "n": 2}]});
        let after = merged(&live, &json!({"map": [{"name": "b", "n": 3}, {"name": "c"}]}));
        let expected = json!({"map": [{"name": "a", "n": 1}, {"name": "b", "n": 3}, {"name": "c"}]});
        assert_eq!(after, expected);
        assert_eq!(merged(&live, &json!({"map": [{"name": "b"}]})), live);
    }

    #[test]
    fn lists_without_keys_are_replaced() {
        let after = merged(&json!({"whole": ["a", "b"]}), &json!({"whole": ["b"]}));
        assert_eq!(after, json!({"whole": ["b"]}));
        assert_eq!(merged(&after, &json!({"whole": ["b"]})), after);
    }

    #[test]
    fn two_items_with_one_key_are_refused() {
        let schema = schema();
        let given = json!({"map": [{"name": "a"}, {"name": "a"}]});
        let refused = merge(&mut json!({"map": []}), &given, schema.at(1));
        assert!(refused.is_err());
    }
}
