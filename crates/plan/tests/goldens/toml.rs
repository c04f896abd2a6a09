//! The little of TOML that generated files have: tables, keys on one line, texts over several.

use serde_json::{Map, Value, json};

/// Tables by name, and in each one its keys with their values as they are written. What stands before the first table is
/// in one without a name. Two tables of one name are a list, so that none hides another.
pub fn parsed(text: &str) -> Value {
    let mut tables: Map<String, Value> = Map::new();
    let mut name = String::new();
    let mut table = Map::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(next) = line.trim().strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            put(&mut tables, &name, std::mem::take(&mut table));
            next.clone_into(&mut name);
        } else if let Some((key, value)) = line.split_once('=') {
            let mut value = value.trim().to_owned();
            if value.starts_with("'''") {
                for more in lines.by_ref() {
                    value.push('\n');
                    value.push_str(more);
                    if more.ends_with("'''") {
                        break;
                    }
                }
            }
            table.insert(key.trim().to_owned(), Value::from(value));
        } else if !line.trim().is_empty() {
            table.insert(line.to_owned(), Value::Null);
        }
    }
    put(&mut tables, &name, table);
    Value::Object(tables)
}

fn put(tables: &mut Map<String, Value>, name: &str, table: Map<String, Value>) {
    if name.is_empty() && table.is_empty() {
        return;
    }
    let again = tables.get(name).cloned();
    let value = match again {
        None => Value::Object(table),
        Some(first) => json!([first, table]),
    };
    tables.insert(name.to_owned(), value);
}

#[test]
fn a_text_over_several_lines_is_one_value() {
    let text = "a = 1\n\n[b.c]\nd = '''\nx = 2\n'''\ne = [ \"f\" ]\n";
    let expected = json!({"": {"a": "1"}, "b.c": {"d": "'''\nx = 2\n'''", "e": "[ \"f\" ]"}});
    assert_eq!(parsed(text), expected);
}
