//! Which fields of two documents differ.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    /// Path: `spec.podTemplateSpec.spec.containers[cassandra].env[HEAP].value`.
    pub field: String,
    /// What is there.
    pub from: Option<Value>,
    /// What would be there.
    pub to: Option<Value>,
}

/// From one normalised spec to another, in the order of the paths.
pub(super) fn between(from: &Value, to: &Value) -> Vec<Difference> {
    below("spec", from, to)
}

/// The same of what stands at a path.
pub(super) fn below(path: &str, from: &Value, to: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(path, Some(from), Some(to), &mut found);
    found
}

fn walk(field: &str, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Difference>) {
    match (from, to) {
        (from, to) if from == to => {}
        (Some(Value::Object(from)), Some(Value::Object(to))) => objects(field, from, to, found),
        (Some(Value::Array(from)), Some(Value::Array(to))) => lists(field, from, to, found),
        (from, to) => found.push(Difference {
            field: field.to_owned(),
            from: from.cloned(),
            to: to.cloned(),
        }),
    }
}

fn objects(field: &str, from: &Map<String, Value>, to: &Map<String, Value>, found: &mut Vec<Difference>) {
    let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    for key in keys {
        let path = if key.contains(['.', '/']) {
            format!("{field}[{key}]")
        } else {
            format!("{field}.{key}")
        };
        walk(&path, from.get(key), to.get(key), found);
    }
}

/// Items that have names are compared by them; of other lists the whole is shown. An order that differs is a
/// difference of the list.
fn lists(field: &str, from: &[Value], to: &[Value], found: &mut Vec<Difference>) {
    let (Some(before), Some(after)) = (names(from), names(to)) else {
        found.push(whole(field, from, to));
        return;
    };
    let kept = |names: &[&str], others: &[&str]| -> Vec<String> {
        let both = names.iter().filter(|name| others.contains(name));
        both.map(|name| (*name).to_owned()).collect()
    };
    if kept(&before, &after) != kept(&after, &before) {
        found.push(Difference {
            field: format!("{field}[*].name"),
            from: Some(before.into()),
            to: Some(after.into()),
        });
        return;
    }
    let all = before
        .iter()
        .chain(after.iter().filter(|name| !before.contains(name)));
    for name in all {
        let item = |items: &[&str], values: &'_ [Value]| {
            let at = items.iter().position(|other| other == name)?;
            values.get(at).cloned()
        };
        let (from, to) = (item(&before, from), item(&after, to));
        walk(&format!("{field}[{name}]"), from.as_ref(), to.as_ref(), found);
    }
}

fn whole(field: &str, from: &[Value], to: &[Value]) -> Difference {
    Difference {
        field: field.to_owned(),
        from: Some(Value::Array(from.to_vec())),
        to: Some(Value::Array(to.to_vec())),
    }
}

/// Names of the items, where each has one of its own.
pub(super) fn names(items: &[Value]) -> Option<Vec<&str>> {
    let names: Vec<&str> = items
        .iter()
        .map(|item| item.get("name").and_then(Value::as_str))
        .collect::<Option<_>>()?;
    let distinct: BTreeSet<&&str> = names.iter().collect();
    (distinct.len() == names.len()).then_some(names)
}
