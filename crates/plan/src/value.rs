//! Reading JSON values: absent, null and empty text are one thing.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What stands at a JSON pointer, unless it is null: through objects only, and names without `~`. The library, which has
/// both, copies every name of every pointer.
pub(crate) fn at<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut names = pointer.split('/').skip(1);
    let found = names.try_fold(value, |value, name| value.get(name))?;
    (!found.is_null()).then_some(found)
}

/// The text at a JSON pointer, unless it is empty.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    at(value, pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// The flag at a JSON pointer.
pub(crate) fn flag(value: &Value, pointer: &str) -> Option<bool> {
    at(value, pointer).and_then(Value::as_bool)
}

/// The items of the list at a JSON pointer; none where there is no list.
pub(crate) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    at(value, pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The object at a JSON pointer; an empty one where there is none.
pub(crate) fn object(value: &Value, pointer: &str) -> Map<String, Value> {
    at(value, pointer)
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

/// The texts of the object at a JSON pointer, by name.
pub(crate) fn texts(value: &Value, pointer: &str) -> BTreeMap<String, String> {
    let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    let object = at(value, pointer).and_then(Value::as_object);
    object.into_iter().flatten().filter_map(text).collect()
}

/// Sets a field, if there is something to set.
pub(crate) fn set(object: &mut Map<String, Value>, field: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(field.to_owned(), value);
    }
}

/// The value, unless it is null or an empty object or list.
pub(crate) fn not_empty(value: Value) -> Option<Value> {
    let is_empty = match &value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    (!is_empty).then_some(value)
}
