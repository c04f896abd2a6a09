//! The little of YAML that generated files need: block style, keys in order.

use serde_json::Value;

/// Writes an object as a document.
pub(crate) fn document(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

fn block(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(map) => {
            for (at, (key, value)) in map.iter().enumerate() {
                // The first key of a list's item stands beside the dash.
                if at > 0 || text.ends_with('\n') || text.is_empty() {
                    indent(depth, text);
                }
                word(key, text);
                text.push(':');
                nested(value, depth, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                indent(depth, text);
                text.push_str("- ");
                match item {
                    Value::Object(map) if !map.is_empty() => block(item, depth + 1, text),
                    other => line(other, text),
                }
            }
        }
        other => line(other, text),
    }
}

fn nested(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            block(value, depth + 1, text);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            block(value, depth, text);
        }
        other => {
            text.push(' ');
            line(other, text);
        }
    }
}

fn indent(depth: usize, text: &mut String) {
    for _ in 0..depth {
        text.push_str("  ");
    }
}

fn line(value: &Value, text: &mut String) {
    match value {
        Value::String(plain) => word(plain, text),
        other => text.push_str(&other.to_string()),
    }
    text.push('\n');
}

/// Every JSON text is a YAML text, so what cannot stand plainly is written as JSON.
fn word(plain: &str, text: &mut String) {
    if is_plain(plain) {
        text.push_str(plain);
    } else {
        text.push_str(&Value::from(plain).to_string());
    }
}

fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let may_begin = |c: char| c.is_ascii_alphabetic() || "_./+(^$\\".contains(c);
    let may_follow = |c: char| may_begin(c) || c.is_ascii_digit() || "*)|?-".contains(c);
    text.starts_with(may_begin)
        && text.chars().all(may_follow)
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
        && text.parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_and_lists_are_blocks_and_doubtful_texts_are_quoted() {
        let value = json!({
            "a": {"port": "9000", "x": {}},
            "r": [{"l": ["table"], "regex": ".+", "v": "true"}, {"v": 1}, "s: t"],
            "z": []
        });
        let expected = "a:\n  port: \"9000\"\n  x: {}\nr:\n- l:\n  - table\n  regex: .+\n  v: \"true\"\n- v: 1\n- \"s: t\"\nz: []\n";
        assert_eq!(document(&value), expected);
    }

    #[test]
    fn numbers_and_words_of_yaml_stay_texts() {
        for text in [
            "1", "1.5", ".5", "inf", "nan", "Yes", "null", "", "- a", "a: b", "*x", "a #b",
        ] {
            assert_eq!(
                document(&json!({"k": text})),
                format!("k: {}\n", json!(text)),
                "{text}"
            );
        }
    }
}
