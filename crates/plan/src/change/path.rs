//! Places in a document by paths as people read them: `spec.podTemplateSpec.spec.containers[cassandra].image`. An item of a list goes
//! by its name, by its number from 0, or, in words of API servers, by its keys: `ports[containerPort=9042,protocol="TCP"]`. A key of
//! a map that has dots stands in brackets, too.

use serde_json::Value;

use super::difference;

/// Takes a field of an object out of a document, and returns its path as differences are told: items by their names where all of
/// a list have one. None where it is not there, or is an item of a list, or an item's name.
pub(super) fn take(document: &mut Value, path: &str) -> Option<String> {
    let steps = steps(path)?;
    let (last, before) = steps.split_last()?;
    let (mut at, mut written, mut in_item) = (document, String::new(), false);
    for step in before {
        in_item = at.is_array();
        at = step.below(at, &mut written)?;
    }
    if in_item && last.text() == "name" {
        return None;
    }
    at.as_object_mut()?.remove(last.text())?;
    last.write(&mut written);
    Some(written)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'a> {
    Key(&'a str),
    Bracket(&'a str),
}

impl<'a> Step<'a> {
    fn text(self) -> &'a str {
        match self {
            Step::Key(text) | Step::Bracket(text) => text,
        }
    }

    fn below<'v>(self, value: &'v mut Value, written: &mut String) -> Option<&'v mut Value> {
        match (self, value) {
            (_, Value::Object(map)) => {
                self.write(written);
                map.get_mut(self.text())
            }
            (Step::Bracket(inner), Value::Array(items)) => {
                let at = items.iter().position(|item| is_meant(item, inner));
                let at = at.or_else(|| inner.parse().ok())?;
                let name = difference::names(items).and_then(|names| names.get(at).copied());
                let number = at.to_string();
                written.extend(["[", name.unwrap_or(&number), "]"]);
                items.get_mut(at)
            }
            _ => None,
        }
    }

    fn write(self, written: &mut String) {
        match self {
            Step::Key(key) if written.is_empty() => written.push_str(key),
            Step::Key(key) => written.extend([".", key]),
            Step::Bracket(inner) => written.extend(["[", inner, "]"]),
        }
    }
}

/// Whether an item has this name, or each of these keys.
fn is_meant(item: &Value, inner: &str) -> bool {
    if item["name"] == inner {
        return true;
    }
    let mut keys = inner.split(',').map(|key| key.split_once('='));
    keys.all(|key| {
        let known = key.and_then(|(key, value)| Some((key, serde_json::from_str::<Value>(value).ok()?)));
        known.is_some_and(|(key, value)| item[key] == value)
    })
}

/// None where a bracket is not closed.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (inner, after) = inner.split_once(']')?;
            steps.push(Step::Bracket(inner));
            rest = after;
        } else {
            let key = rest.strip_prefix('.').unwrap_or(rest);
            let (key, after) = key.split_at(key.find(['.', '[']).unwrap_or(key.len()));
            steps.push(Step::Key(key));
            rest = after;
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({"spec": {
            "racks": [{"name": "r1", "new": 1}, {"name": "r2"}],
            "ports": [{"containerPort": 1, "protocol": "TCP", "new": 1}, {"containerPort": 1, "protocol": "UDP", "new": 2}],
            "labels": {"a.b/c": "d"},
        }})
    }

    #[test]
    fn n13_a_field_of_an_item_is_found_by_name_number_or_keys() {
        for path in [
            "spec.racks[r1].new",
            "spec.racks[0].new",
            "spec.racks[name=\"r1\"].new",
        ] {
            let mut taken = document();
            assert_eq!(
                take(&mut taken, path).as_deref(),
                Some("spec.racks[r1].new"),
                "{path}"
            );
            assert_eq!(taken["spec"]["racks"], json!([{"name": "r1"}, {"name": "r2"}]));
        }
        let mut taken = document();
        let by_keys = take(&mut taken, "spec.ports[containerPort=1,protocol=\"UDP\"].new");
        assert_eq!(by_keys.as_deref(), Some("spec.ports[1].new"));
        let udp = json!({"containerPort": 1, "protocol": "UDP"});
        assert_eq!(taken["spec"]["ports"][1], udp);
        assert_eq!(taken["spec"]["ports"][0]["new"], 1);
        let by_dots = take(&mut taken, "spec.labels[a.b/c]");
        assert_eq!(by_dots.as_deref(), Some("spec.labels[a.b/c]"));
    }

    #[test]
    fn no_item_and_no_item_s_name_is_taken_out() {
        for path in [
            "spec.racks[r1]",
            "spec.racks[r1].name",
            "spec.racks[r3].new",
            "spec.racks[7].new",
            "spec.racks[r1",
            "spec.no.such",
            "",
        ] {
            let mut taken = document();
            assert_eq!(take(&mut taken, path), None, "{path}");
            assert_eq!(taken, document());
        }
    }
}
