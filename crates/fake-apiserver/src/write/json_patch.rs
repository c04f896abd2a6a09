//! JSON patches (RFC 6902) and merge patches (RFC 7386), as lenient as the real server's library: a `replace` adds what is
//! not there, and a `test` for null holds where nothing is.

use serde_json::Value;

/// The patch does not fit the object.
#[derive(Debug)]
pub(super) struct Misfit;

/// Puts a merge patch over a value: null removes.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(fields), Value::Object(patch)) = (&mut *target, patch) else {
        *target = if target.is_object() {
            patch.clone()
        } else {
            without_nulls(patch)
        };
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// What is new has no fields that are null, at any depth; items of lists may be.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                kept.map(|(name, value)| (name.clone(), without_nulls(value)))
                    .collect(),
            )
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Does one operation after the other.
pub(super) fn apply(target: &mut Value, operations: &[Value]) -> Result<(), Misfit> {
    operations.iter().try_for_each(|operation| {
        let text = |field: &str| operation.get(field).and_then(Value::as_str).ok_or(Misfit);
        let value = || operation.get("value").cloned().ok_or(Misfit);
        let path = text("path")?;
        match text("op")? {
            "add" => add(target, path, value()?),
            "remove" => take(target, path).map(drop),
            "replace" => replace(target, path, value()?),
            "test" => {
                let wanted = operation.get("value").unwrap_or(&Value::Null);
                // Only a map has fields that are not there.
                if find(target, path).is_none() && !parent(target, path)?.0.is_object() {
                    return Err(Misfit);
                }
                let holds = find(target, path).unwrap_or(&Value::Null) == wanted;
                holds.then_some(()).ok_or(Misfit)
            }
            "move" => {
                let moved = take(target, text("from")?)?;
                add(target, path, moved)
            }
            "copy" => {
                let copied = find(target, text("from")?).cloned().ok_or(Misfit)?;
                add(target, path, copied)
            }
            _ => Err(Misfit),
        }
    })
}

fn find<'v>(target: &'v Value, path: &str) -> Option<&'v Value> {
    target.pointer(path)
}

/// The parent of a place, and the last step to it.
fn parent<'v>(target: &'v mut Value, path: &str) -> Result<(&'v mut Value, String), Misfit> {
    let (above, last) = path.rsplit_once('/').ok_or(Misfit)?;
    let parent = target.pointer_mut(above).ok_or(Misfit)?;
    Ok((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), Misfit> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    let (parent, last) = parent(target, path)?;
    match parent {
        Value::Object(fields) => {
            fields.insert(last, value);
        }
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => {
            let index = last.parse::<usize>().map_err(|_| Misfit)?;
            if index > items.len() {
                return Err(Misfit);
            }
            items.insert(index, value);
        }
        _ => return Err(Misfit),
    }
    Ok(())
}

fn replace(target: &mut Value, path: &str, value: Value) -> Result<(), Misfit> {
    let (parent, last) = parent(target, path)?;
    match parent {
        Value::Object(fields) => {
            fields.insert(last, value);
        }
        Value::Array(items) => {
            let place = last.parse().ok().and_then(|index: usize| items.get_mut(index));
            *place.ok_or(Misfit)? = value;
        }
        _ => return Err(Misfit),
    }
    Ok(())
}

fn take(target: &mut Value, path: &str) -> Result<Value, Misfit> {
    let (parent, last) = parent(target, path)?;
    match parent {
        Value::Object(fields) => fields.remove(&last).ok_or(Misfit),
        Value::Array(items) => {
            let index = last.parse::<usize>().map_err(|_| Misfit)?;
            (index < items.len()).then(|| items.remove(index)).ok_or(Misfit)
        }
        _ => Err(Misfit),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(mut value: Value, operations: &Value) -> Option<Value> {
        apply(&mut value, operations.as_array().unwrap()).ok()?;
        Some(value)
    }

    #[test]
    fn operations_are_done_in_their_order() {
        let operations = json!([
            {"op": "test", "path": "/a", "value": 1},
            {"op": "add", "path": "/list/-", "value": 3},
            {"op": "move", "from": "/a", "path": "/b"},
            {"op": "copy", "from": "/b", "path": "/list/0"},
            {"op": "remove", "path": "/list/1"},
            {"op": "replace", "path": "/x~1y", "value": true},
        ]);
        let after = patched(json!({"a": 1, "list": [2]}), &operations);
        assert_eq!(after, Some(json!({"b": 1, "list": [1, 3], "x/y": true})));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for operation in [
            json!({"op": "test", "path": "/a", "value": 2}),
            json!({"op": "remove", "path": "/b"}),
            json!({"op": "add", "path": "/b/c", "value": 1}),
            json!({"op": "remove", "path": "/list/9"}),
            json!({"op": "hope", "path": "/a"}),
        ] {
            let after = patched(json!({"a": 1, "list": [2]}), &json!([operation]));
            assert_eq!(after, None, "{operation}");
        }
    }

    #[test]
    fn null_removes_in_a_merge_and_lists_are_replaced() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "list": [1, 2]});
        merge(
            &mut value,
            &json!({"a": {"b": null, "d": {"e": null}}, "list": [3]}),
        );
        assert_eq!(value, json!({"a": {"c": 2, "d": {}}, "list": [3]}));
    }
}
