//! Whose a value is: read from `metadata.managedFields`, as the API server keeps them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Who has set which part of a spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// Paths below `spec` that others have set, and we have not.
    foreign: BTreeSet<String>,
    /// Those of them in which nothing is ours.
    theirs_alone: BTreeSet<String>,
    /// True where we have set anything at all.
    any_of_ours: bool,
}

impl Ownership {
    /// Of an object: its managers with the fields that each has set. We are the manager of that name.
    pub fn of<'a>(entries: impl Iterator<Item = (&'a str, &'a Value)>, us: &str) -> Self {
        let (mut ours, mut others) = (BTreeSet::new(), BTreeSet::new());
        for (manager, fields) in entries {
            if let Some(Value::Object(spec)) = fields.get("f:spec") {
                leaves("spec", spec, if manager == us { &mut ours } else { &mut others });
            }
        }
        let foreign: BTreeSet<String> = others.difference(&ours).cloned().collect();
        let nothing_of_ours = |path: &&String| !ours.iter().any(|leaf| is_at_or_below(leaf, path));
        Ownership {
            theirs_alone: foreign.iter().filter(nothing_of_ours).cloned().collect(),
            foreign,
            any_of_ours: !ours.is_empty(),
        }
    }

    /// Whether a field was changed by somebody else after we had written the object. An object that we have never
    /// written has no such field: it is taken over as it is.
    #[must_use]
    pub fn is_foreign(&self, field: &str, goes_away: bool) -> bool {
        let is_or_holds = |leaf: &String| is_at_or_below(field, leaf);
        let is_inside = |leaf: &String| goes_away && is_at_or_below(leaf, field);
        self.any_of_ours
            && self
                .foreign
                .iter()
                .any(|leaf| is_or_holds(leaf) || is_inside(leaf))
    }

    /// Whether a field is wholly somebody else's, so that it stays as it is when a write of ours leaves it out.
    #[must_use]
    pub fn is_theirs_alone(&self, field: &str) -> bool {
        self.theirs_alone.contains(field)
    }
}

fn is_at_or_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Names of fields begin with `f:`, keys of items with `k:`; `.` is the object itself.
fn leaves(path: &str, fields: &Map<String, Value>, found: &mut BTreeSet<String>) {
    let inner = fields.iter().filter(|(key, _)| *key != ".");
    let mut is_leaf = true;
    for (key, below) in inner {
        is_leaf = false;
        let path = step(path, key);
        match below {
            Value::Object(below) => leaves(&path, below, found),
            _ => {
                found.insert(path);
            }
        }
    }
    if is_leaf {
        found.insert(path.to_owned());
    }
}

fn step(path: &str, key: &str) -> String {
    match key.split_once(':') {
        Some(("f", name)) if name.contains(['.', '/']) => format!("{path}[{name}]"),
        Some(("f", name)) => format!("{path}.{name}"),
        Some(("k", item)) => {
            let keys: Value = serde_json::from_str(item).unwrap_or_default();
            let name = keys.get("name").and_then(Value::as_str);
            name.map_or_else(|| format!("{path}[{item}]"), |name| format!("{path}[{name}]"))
        }
        _ => format!("{path}[{key}]"),
    }
}
