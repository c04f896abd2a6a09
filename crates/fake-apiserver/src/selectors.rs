//! Label and field selectors.

use serde_json::Value;

use crate::failure::Failure;
use crate::object::Object;

/// Which objects a list or a watch is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) namespace: Option<String>,
    labels: Vec<Label>,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
struct Label {
    key: String,
    wanted: Wanted,
}

#[derive(Clone, Debug)]
enum Wanted {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

#[derive(Clone, Debug)]
struct Field {
    path: Vec<String>,
    equal: bool,
    value: String,
}

impl Selection {
    /// # Errors
    /// A selector that cannot be read, or fields that cannot be selected by.
    pub(crate) fn parse(
        namespace: Option<&str>,
        labels: Option<&str>,
        fields: Option<&str>,
        selectable: impl Fn(&str) -> bool,
        refusal: impl Fn(&str) -> String,
    ) -> Result<Selection, Failure> {
        Ok(Selection {
            namespace: namespace.map(str::to_owned),
            labels: parse_labels(labels.unwrap_or_default())?,
            fields: parse_fields(fields.unwrap_or_default(), selectable, refusal)?,
        })
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn has(&self, object: &Object) -> bool {
        self.namespace
            .as_deref()
            .is_none_or(|namespace| namespace == object.namespace())
            && self.labels.iter().all(|label| label.holds(&object.value))
            && self.fields.iter().all(|field| field.holds(&object.value))
    }
}

impl Label {
    fn holds(&self, object: &Value) -> bool {
        let value = object
            .get("metadata")
            .and_then(|metadata| metadata.get("labels"))
            .and_then(|labels| labels.get(&self.key))
            .and_then(Value::as_str);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.wanted {
            Wanted::Exists => value.is_some(),
            Wanted::Missing => value.is_none(),
            Wanted::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            Wanted::NotIn(values) => value.is_none_or(|value| values.iter().all(|wanted| wanted != value)),
            Wanted::Greater(bound) => number().is_some_and(|number| number > *bound),
            Wanted::Less(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

impl Field {
    fn holds(&self, object: &Value) -> bool {
        let value = self.path.iter().try_fold(object, |value, step| value.get(step));
        let text = match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        (text == self.value) == self.equal
    }
}

/// Splits at commas that are not in parentheses.
fn requirements(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0);
    for (index, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(text[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    found.push(text[start..].trim());
    found.retain(|requirement| !requirement.is_empty());
    found
}

fn parse_labels(text: &str) -> Result<Vec<Label>, Failure> {
    requirements(text)
        .into_iter()
        .map(|requirement| {
            parse_label(requirement).ok_or_else(|| Failure::bad_request(not_understood(requirement)))
        })
        .collect()
}

/// The words of a real server, for the first sign that is out of place.
fn not_understood(requirement: &str) -> String {
    let operator = |text: &str| {
        ["==", "=", "!="]
            .into_iter()
            .find(|sign| text.starts_with(sign))
            .map(str::to_owned)
    };
    if let Some(sign) = operator(requirement) {
        return format!("found '{sign}', expected: !, identifier, or 'end of string'");
    }
    let value = requirement
        .split_once("==")
        .or_else(|| requirement.split_once('='));
    match value.and_then(|(_, value)| operator(value)) {
        Some(sign) => format!("unable to parse requirement: found '{sign}', expected: identifier"),
        None => format!("unable to parse requirement: {requirement}"),
    }
}

fn parse_label(text: &str) -> Option<Label> {
    let label = |key: &str, wanted| {
        let key = key.trim();
        let good = !key.is_empty() && !key.contains([' ', '!', '=', '(', ')']);
        good.then(|| Label {
            key: key.to_owned(),
            wanted,
        })
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    let is_value = |value: &str| !value.trim().starts_with(['=', '!']);
    if let Some((key, value)) = text.split_once("!=") {
        return label(key, Wanted::NotIn(one(value)));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return label(key, Wanted::In(one(value))).filter(|_| is_value(value));
    }
    if let Some((key, bound)) = text.split_once('>') {
        return label(key, Wanted::Greater(bound.trim().parse().ok()?));
    }
    if let Some((key, bound)) = text.split_once('<') {
        return label(key, Wanted::Less(bound.trim().parse().ok()?));
    }
    if let Some((left, values)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let (key, operator) = left.trim().rsplit_once(char::is_whitespace)?;
        return match operator {
            "in" => label(key, Wanted::In(values)),
            "notin" => label(key, Wanted::NotIn(values)),
            _ => None,
        };
    }
    match text.strip_prefix('!') {
        Some(key) => label(key, Wanted::Missing),
        None => label(text, Wanted::Exists),
    }
}

fn parse_fields(
    text: &str,
    selectable: impl Fn(&str) -> bool,
    refusal: impl Fn(&str) -> String,
) -> Result<Vec<Field>, Failure> {
    let mut fields = Vec::new();
    for term in text.split(',').filter(|term| !term.is_empty()) {
        let (path, equal, value) = if let Some((path, value)) = term.split_once("!=") {
            (path, false, value)
        } else if let Some((path, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
            (path, true, value)
        } else {
            return Err(Failure::bad_request(format!(
                "invalid selector: '{text}'; can't understand '{term}'"
            )));
        };
        if !selectable(path) {
            return Err(Failure::bad_request(refusal(path)));
        }
        fields.push(Field {
            path: path.split('.').map(str::to_owned).collect(),
            equal,
            value: value.to_owned(),
        });
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn picks(labels: &str) -> bool {
        let selection = Selection::parse(None, Some(labels), None, |_| true, str::to_owned).unwrap();
        let object = json!({"metadata": {"labels": {"app": "a", "rank": "5", "example.com/x": ""}}});
        selection.has(&Object::new(object, 1))
    }

    #[test]
    fn every_kind_of_label_requirement_is_understood() {
        for yes in [
            "app=a",
            "app==a",
            "app!=b",
            "app",
            "!gone",
            "app in (b, a)",
            "app notin (b)",
            "gone notin (b)",
            "gone!=x",
            "rank>4",
            "rank<6",
            "example.com/x",
            "example.com/x=",
            "app=a,rank in (5,6)",
            "",
        ] {
            assert!(picks(yes), "{yes}");
        }
        for no in [
            "app=b",
            "gone",
            "!app",
            "app in (b)",
            "app notin (a,b)",
            "rank>5",
            "app=a,gone",
        ] {
            assert!(!picks(no), "{no}");
        }
    }

    #[test]
    fn a_selector_that_cannot_be_read_is_refused() {
        for text in ["app in a", "a b", "=x"] {
            let refused = Selection::parse(None, Some(text), None, |_| true, str::to_owned).unwrap_err();
            assert_eq!(refused.code(), 400, "{text}");
        }
        let refused = Selection::parse(None, None, Some("spec.x=1"), |_| false, str::to_owned).unwrap_err();
        assert_eq!(refused.code(), 400);
    }

    #[test]
    fn fields_are_compared_as_text() {
        let selection = Selection::parse(
            None,
            None,
            Some("metadata.name=a,status.n!=3"),
            |_| true,
            str::to_owned,
        )
        .unwrap();
        assert!(selection.has(&Object::new(
            json!({"metadata": {"name": "a"}, "status": {"n": 2}}),
            1
        )));
        assert!(!selection.has(&Object::new(
            json!({"metadata": {"name": "a"}, "status": {"n": 3}}),
            1
        )));
    }
}
