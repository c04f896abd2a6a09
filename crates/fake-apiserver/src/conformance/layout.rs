//! JSON as people read it in a review: what fits stays on one line, and maps are in order of their keys.

use serde_json::{Map, Value};

const WIDTH: usize = 118;

/// `"name": value`, indented by `depth` steps.
pub(crate) fn field(name: &str, value: &Value, depth: usize) -> String {
    let start = format!("{}{}: ", "  ".repeat(depth), Value::from(name));
    let width = start.chars().count();
    start + &laid_out(value, depth, width)
}

/// A value as text: compact where it fits behind `before` columns, else one line an entry.
fn laid_out(value: &Value, depth: usize, before: usize) -> String {
    let short = compact(value);
    if before + short.chars().count() < WIDTH {
        return short;
    }
    let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    match value {
        Value::Object(map) => {
            let lines: Vec<_> = sorted(map)
                .into_iter()
                .map(|(name, value)| field(name, value, depth + 1))
                .collect();
            format!("{{\n{}\n{outer}}}", lines.join(",\n"))
        }
        Value::Array(items) => {
            let lines: Vec<_> = items
                .iter()
                .map(|item| format!("{inner}{}", laid_out(item, depth + 1, inner.len())))
                .collect();
            format!("[\n{}\n{outer}]", lines.join(",\n"))
        }
        _ => short,
    }
}

/// One line, with a space after each comma and colon.
#[must_use]
pub fn compact(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: Vec<_> = sorted(map)
                .into_iter()
                .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), compact(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(compact).collect();
            format!("[{}]", items.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// The order of a map depends on a feature of `serde_json` that any crate may switch on.
pub(crate) fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    // An answer's code is what a reader looks for first, and an event's type.
    let rank = |name: &str| !matches!(name, "code" | "type" | "op");
    let mut fields: Vec<_> = map.iter().collect();
    fields.sort_by(|(one, _), (other, _)| (rank(one), one).cmp(&(rank(other), other)));
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_stays_on_one_line() {
        let value = json!({"b": [1, {"c": null}], "a": "x"});
        assert_eq!(
            field("it", &value, 1),
            r#"  "it": {"a": "x", "b": [1, {"c": null}]}"#
        );
    }

    #[test]
    fn what_does_not_fit_gets_a_line_an_entry() {
        let long = "x".repeat(100);
        let value = json!({"one": long, "two": [1]});
        let expected = format!("\"it\": {{\n  \"one\": \"{long}\",\n  \"two\": [1]\n}}");
        assert_eq!(field("it", &value, 0), expected);
    }
}
