//! Where two documents differ, leaf by leaf.

use std::fmt;

use serde_json::Value;

/// One leaf that is not the same.
#[derive(Debug)]
pub struct Difference {
    /// Names with dots, list indexes in brackets.
    pub path: String,
    /// Ours; null where there is none.
    pub ours: Value,
    /// Upstream's; null where there is none.
    pub theirs: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ours {}, theirs {}", self.path, self.ours, self.theirs)
    }
}

/// All differences, in order of their paths.
pub fn between(ours: &Value, theirs: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk("", ours, theirs, &mut found);
    found
}

fn walk(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<Difference>) {
    match (ours, theirs) {
        (Value::Object(our_fields), Value::Object(their_fields)) => {
            let mut keys: Vec<&String> = our_fields.keys().chain(their_fields.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let inner = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                walk(&inner, &ours[key.as_str()], &theirs[key.as_str()], found);
            }
        }
        (Value::Array(our_items), Value::Array(their_items)) => {
            for at in 0..our_items.len().max(their_items.len()) {
                let item = |items: &[Value]| items.get(at).cloned().unwrap_or_default();
                walk(
                    &format!("{path}[{at}]"),
                    &item(our_items),
                    &item(their_items),
                    found,
                );
            }
        }
        (ours, theirs) if ours == theirs => {}
        (ours, theirs) => {
            found.push(Difference {
                path: path.to_owned(),
                ours: ours.clone(),
                theirs: theirs.clone(),
            });
        }
    }
}
