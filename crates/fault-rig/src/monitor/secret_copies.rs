//! Which copies of Secrets are wanted where: ReplicatedSecrets, read without the product's code.

use api::names::label as labels;
use serde_json::Value;

use super::sight::{Look, REPLICATED, SECRETS, is_going, label, list, text};
use crate::world::CONTROL_PLANE;

/// Whether a ReplicatedSecret wants a Secret's data in a namespace of a plane, under whatever name.
pub(super) fn wants(replicated: &Value, source: &Value, plane: &str, namespace: &str) -> bool {
    let own = text(replicated, "/metadata/namespace");
    text(source, "/metadata/namespace") == own
        && selects(replicated, source)
        && list(replicated, "/spec/replicationTargets").any(|target| reaches(target, plane, namespace, own))
}

/// Whether a target is a namespace of a plane. A context is called as its plane is, but for the control plane's.
fn reaches(target: &Value, plane: &str, namespace: &str, own: &str) -> bool {
    let context = match text(target, "/k8sContextName") {
        "" => CONTROL_PLANE,
        context => context,
    };
    let there = match text(target, "/namespace") {
        "" => own,
        there => there,
    };
    (context, there) == (plane, namespace)
}

/// Whether a ReplicatedSecret's selector selects a Secret. No selector selects nothing, an empty one everything.
pub(super) fn selects(replicated: &Value, source: &Value) -> bool {
    let selector = &replicated["spec"]["selector"];
    let has = |key: &str| source["metadata"]["labels"][key].as_str();
    let exact = |(key, value): (&String, &Value)| has(key) == value.as_str() && value.is_string();
    let matches = |expression: &Value| {
        let found = has(text(expression, "/key"));
        let among = || list(expression, "/values").any(|value| value.as_str() == found);
        match text(expression, "/operator") {
            "In" => found.is_some() && among(),
            "NotIn" => !among(),
            "Exists" => found.is_some(),
            "DoesNotExist" => found.is_none(),
            _ => false,
        }
    };
    selector.is_object()
        && selector["matchLabels"]
            .as_object()
            .into_iter()
            .flatten()
            .all(exact)
        && list(selector, "/matchExpressions").all(matches)
}

/// Whether a copy is still wanted where it is, by the ReplicatedSecret that its label names.
pub(super) fn is_wanted(look: &dyn Look, plane: &str, copy: &Value) -> bool {
    let Some((namespace, name)) = label(copy, labels::REPLICATED_SECRET_NAME).split_once('.') else {
        return false;
    };
    let Some(replicated) = look.get(CONTROL_PLANE, REPLICATED, namespace, name) else {
        return false;
    };
    let here = text(copy, "/metadata/namespace");
    let copied = |source: &Value| {
        wants(&replicated, source, plane, here)
            && text(copy, "/metadata/name").ends_with(text(source, "/metadata/name"))
    };
    !is_going(&replicated)
        && look
            .all(CONTROL_PLANE, SECRETS)
            .iter()
            .any(|it| copied(it) && !is_going(it))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selected(selector: &Value) -> bool {
        let source = json!({"metadata": {"name": "s", "namespace": "db", "labels": {"a": "b"}}});
        let replicated = json!({
            "metadata": {"namespace": "db"},
            "spec": {"selector": selector, "replicationTargets": [{"k8sContextName": "east"}]},
        });
        assert!(!wants(&replicated, &source, "west", "db"));
        assert!(!wants(&replicated, &source, "east", "other"));
        wants(&replicated, &source, "east", "db")
    }

    #[test]
    fn a_selector_is_read_as_kubernetes_reads_it() {
        assert!(selected(&json!({})));
        assert!(!selected(&Value::Null));
        assert!(selected(&json!({"matchLabels": {"a": "b"}})));
        assert!(!selected(&json!({"matchLabels": {"a": "c"}})));
        let expression = |operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": "a", "operator": operator, "values": values}]});
        assert!(selected(&expression("In", &["b"])));
        assert!(!selected(&expression("NotIn", &["b"])));
        assert!(selected(&expression("Exists", &[])));
        assert!(!selected(&expression("DoesNotExist", &[])));
    }
}
