//! Which Secrets a ReplicatedSecret means.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Label requirements that must all hold; without any, everything is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Is(String, String),
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    DoesNotExist(String),
}

impl Selector {
    /// Reads meta/v1 `LabelSelector`.
    ///
    /// # Errors
    /// A sentence that names the field.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for (key, wanted) in value["matchLabels"].as_object().into_iter().flatten() {
            let wanted = wanted
                .as_str()
                .ok_or_else(|| format!("spec.selector.matchLabels.{key} is no string"))?;
            requirements.push(Requirement::Is(key.clone(), wanted.to_owned()));
        }
        for (index, expression) in value["matchExpressions"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            requirements.push(Self::expression(expression).ok_or_else(|| {
                format!(
                    "spec.selector.matchExpressions[{index}] is none: it needs a key and an operator `In`, `NotIn`, \
                     `Exists` or `DoesNotExist`, and values for the first two only"
                )
            })?);
        }
        Ok(Self(requirements))
    }

    fn expression(value: &Value) -> Option<Requirement> {
        let key = value["key"].as_str().filter(|key| !key.is_empty())?.to_owned();
        let values = value["values"].as_array().into_iter().flatten();
        let values = values
            .map(|value| value.as_str().map(str::to_owned))
            .collect::<Option<BTreeSet<_>>>()?;
        match (value["operator"].as_str()?, values.is_empty()) {
            ("In", false) => Some(Requirement::In(key, values)),
            ("NotIn", false) => Some(Requirement::NotIn(key, values)),
            ("Exists", true) => Some(Requirement::Exists(key)),
            ("DoesNotExist", true) => Some(Requirement::DoesNotExist(key)),
            _ => None,
        }
    }

    /// Whether an object with these labels is selected.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::Is(key, wanted) => labels.get(key) == Some(wanted),
            Requirement::In(key, wanted) => labels.get(key).is_some_and(|value| wanted.contains(value)),
            Requirement::NotIn(key, wanted) => labels.get(key).is_none_or(|value| !wanted.contains(value)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::DoesNotExist(key) => !labels.contains_key(key),
        })
    }

    /// Whether everything that is selected has this label with this value.
    #[must_use]
    pub fn requires(&self, key: &str, value: &str) -> bool {
        self.0
            .iter()
            .any(|requirement| matches!(requirement, Requirement::Is(k, v) if k == key && v == value))
    }

    /// As the query parameter `labelSelector`; empty for everything.
    #[must_use]
    pub fn query(&self) -> String {
        let joined =
            |values: &BTreeSet<String>| values.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let parts = self.0.iter().map(|requirement| match requirement {
            Requirement::Is(key, wanted) => format!("{key}={wanted}"),
            Requirement::In(key, wanted) => format!("{key} in ({})", joined(wanted)),
            Requirement::NotIn(key, wanted) => format!("{key} notin ({})", joined(wanted)),
            Requirement::Exists(key) => key.clone(),
            Requirement::DoesNotExist(key) => format!("!{key}"),
        });
        parts.collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn an_empty_selector_selects_everything() {
        let all = Selector::parse(&json!({})).unwrap();
        assert!(all.matches(&labels(&[])));
        assert_eq!(all.query(), "");
    }

    #[test]
    fn all_requirements_must_hold() {
        let selector = Selector::parse(&json!({
            "matchLabels": {"app": "db"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["b", "a"]},
                {"key": "old", "operator": "DoesNotExist"},
                {"key": "env", "operator": "NotIn", "values": ["test"]},
                {"key": "owner", "operator": "Exists"},
            ],
        }))
        .unwrap();
        assert_eq!(
            selector.query(),
            "app=db,tier in (a,b),!old,env notin (test),owner"
        );
        let fits = [("app", "db"), ("tier", "a"), ("owner", "x")];
        assert!(selector.matches(&labels(&fits)));
        assert!(!selector.matches(&labels(&fits[..2])));
        assert!(!selector.matches(&labels(&[fits[0], fits[1], fits[2], ("old", "")])));
        assert!(!selector.matches(&labels(&[fits[0], fits[1], fits[2], ("env", "test")])));
        assert!(selector.requires("app", "db"));
        assert!(!selector.requires("tier", "a"));
    }

    #[test]
    fn an_unknown_operator_is_refused_by_its_place() {
        let wrong = Selector::parse(
            &json!({"matchExpressions": [{"key": "a", "operator": "Like", "values": ["b"]}]}),
        );
        assert!(
            wrong
                .unwrap_err()
                .starts_with("spec.selector.matchExpressions[0]")
        );
    }
}
