//! The columns that a definition gives its objects, for people who list them.

use serde_json::{Value, json};

/// One column of a table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Column {
    name: String,
    kind: String,
    format: String,
    description: String,
    priority: i64,
    path: Vec<Step>,
}

/// One step of a path into an object.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
    /// The first entry of a list whose field has a value.
    Where(String, String),
}

const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a \
                    client to request the generation of an appropriate name automatically. Name is primarily intended for \
                    creation idempotence and configuration definition. Cannot be updated. More info: \
                    https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
const AGE: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed \
                   to be set in happens-before order across separate operations. Clients may not set this value. It is represented \
                   in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: \
                   https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// The columns of one version of a definition: its name, then what it says, or the age.
pub(super) fn columns(version: &Value) -> Vec<Column> {
    let name = fixed("Name", "string", "name", NAME, "name");
    let given = version.get("additionalPrinterColumns").and_then(Value::as_array);
    let mut columns = vec![name];
    match given {
        Some(given) if !given.is_empty() => columns.extend(given.iter().map(column)),
        _ => columns.push(fixed("Age", "date", "", AGE, "creationTimestamp")),
    }
    columns
}

fn fixed(name: &str, kind: &str, format: &str, description: &str, field: &str) -> Column {
    Column {
        name: name.into(),
        kind: kind.into(),
        format: format.into(),
        description: description.into(),
        priority: 0,
        path: vec![Step::Field("metadata".into()), Step::Field(field.into())],
    }
}

fn column(given: &Value) -> Column {
    let text = |field: &str| given.get(field).and_then(Value::as_str).unwrap_or_default();
    let path = text("jsonPath");
    let description = match text("description") {
        "" => format!("Custom resource definition column (in JSONPath format): {path}"),
        description => description.to_owned(),
    };
    Column {
        name: text("name").into(),
        kind: text("type").into(),
        format: text("format").into(),
        description,
        priority: given.get("priority").and_then(Value::as_i64).unwrap_or_default(),
        // A path of a form that nobody here uses finds nothing.
        path: steps(path).unwrap_or_else(|| vec![Step::Index(usize::MAX)]),
    }
}

/// Fields, places in lists, and `[?(@.field=="value")]`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(named) = rest.strip_prefix('.') {
            let end = named.find(['.', '[']).unwrap_or(named.len());
            steps.push(Step::Field(named[..end].to_owned()));
            rest = &named[end..];
        } else {
            let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(selected(inside)?);
            rest = after;
        }
    }
    Some(steps)
}

fn selected(inside: &str) -> Option<Step> {
    if let Ok(index) = inside.parse() {
        return Some(Step::Index(index));
    }
    let (field, value) = inside.strip_prefix("?(@.")?.strip_suffix(')')?.split_once("==")?;
    let value = value.trim().trim_matches(['"', '\'']);
    Some(Step::Where(field.trim().to_owned(), value.to_owned()))
}

impl Column {
    /// As a table defines it.
    pub(crate) fn definition(&self) -> Value {
        json!({
            "name": self.name, "type": self.kind, "format": self.format, "description": self.description,
            "priority": self.priority,
        })
    }

    /// What an object has in this column at a time (seconds since 1970).
    pub(crate) fn cell(&self, object: &Value, now: i64) -> Value {
        let Some(value) = self.read(object) else {
            return Value::Null;
        };
        match (self.kind.as_str(), value) {
            ("string", Value::String(text)) => text.clone().into(),
            ("string", other) => other.to_string().into(),
            ("date", Value::String(text)) => age(text, now).into(),
            ("integer", Value::Number(number)) if number.is_i64() => value.clone(),
            ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => value.clone(),
            _ => Value::Null,
        }
    }

    fn read<'v>(&self, object: &'v Value) -> Option<&'v Value> {
        self.path.iter().try_fold(object, |value, step| match step {
            Step::Field(name) => value.get(name),
            Step::Index(index) => value.get(index),
            Step::Where(field, wanted) => value
                .as_array()?
                .iter()
                .find(|entry| entry.get(field).and_then(Value::as_str) == Some(wanted)),
        })
    }
}

fn age(since: &str, now: i64) -> String {
    match since.parse::<jiff::Timestamp>() {
        Ok(since) => duration(now - since.as_second()),
        Err(_) => "<invalid>".to_owned(),
    }
}

/// As kubectl says how long ago something was: two units where one would be coarse.
fn duration(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let two = |many: i64, unit: char, few: i64, smaller: char| match few {
        0 => format!("{many}{unit}"),
        few => format!("{many}{unit}{few}{smaller}"),
    };
    match (seconds, minutes, hours) {
        (..-1, ..) => "<invalid>".to_owned(),
        (..0, ..) => "0s".to_owned(),
        (..120, ..) => format!("{seconds}s"),
        (_, ..10, _) => two(minutes, 'm', seconds % 60, 's'),
        (_, ..180, _) => format!("{minutes}m"),
        (.., ..8) => two(hours, 'h', minutes % 60, 'm'),
        (.., ..48) => format!("{hours}h"),
        (.., ..192) => two(hours / 24, 'd', hours % 24, 'h'),
        (.., ..17_520) => format!("{}d", hours / 24),
        (.., ..70_080) => two(hours / 24 / 365, 'y', hours / 24 % 365, 'd'),
        _ => format!("{}y", hours / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_one_unit_or_two() {
        let said = [
            0, 119, 120, 125, 599, 600, 10_800, 10_860, 172_799, 172_800, 700_000,
        ];
        let said: Vec<_> = said.into_iter().map(duration).collect();
        let expected = [
            "0s", "119s", "2m", "2m5s", "9m59s", "10m", "3h", "3h1m", "47h", "2d", "8d",
        ];
        assert_eq!(said, expected);
        assert_eq!(duration(2 * 365 * 86_400 + 86_400), "2y1d");
    }

    #[test]
    fn a_path_of_another_form_finds_nothing() {
        let column = column(&json!({"name": "All", "type": "string", "jsonPath": ".spec.list[*]"}));
        assert_eq!(column.cell(&json!({"spec": {"list": ["x"]}}), 0), Value::Null);
    }
}
