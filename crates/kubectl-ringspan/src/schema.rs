//! What an API server does with a K8ssandraCluster before it stores it: defaults, types and bounds, rules.

use std::sync::OnceLock;

use anyhow::{Context, Result};
use kube_cel::{CompiledSchema, Validator, apply_defaults, compile_schema};
use regex::Regex;
use serde_json::{Map, Value};

/// The schema of a kind.
pub(crate) struct Schema {
    schema: Value,
    /// Its rules, ready to be evaluated: making them so takes far longer than evaluating them.
    rules: CompiledSchema,
}

/// What is wrong with a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Path of the field.
    pub field: String,
    /// Why.
    pub message: String,
}

impl Wrong {
    fn at(field: &str, message: String) -> Self {
        Wrong {
            field: field.to_owned(),
            message,
        }
    }
}

impl Schema {
    /// That of K8ssandraClusters, as it is installed.
    pub fn of_clusters() -> Result<&'static Self> {
        static SCHEMA: OnceLock<Schema> = OnceLock::new();
        if let Some(made) = SCHEMA.get() {
            return Ok(made);
        }
        let made = Self::made()?;
        Ok(SCHEMA.get_or_init(|| made))
    }

    fn made() -> Result<Self> {
        let all = api::definitions::all();
        let definition = all
            .iter()
            .find(|it| it.spec.names.kind == "K8ssandraCluster")
            .context("the kind is not defined")?;
        let mut versions = definition.spec.versions.iter();
        let schema = versions
            .find_map(|version| version.schema.as_ref()?.open_api_v3_schema.as_ref())
            .context("the kind has no schema")?;
        let schema = serde_json::to_value(schema)?;
        let rules = compile_schema(&schema);
        Ok(Schema { schema, rules })
    }

    /// The document as it would be stored, new or over what is there: nulls dropped, defaults added, and refused where it
    /// breaks a bound or a rule.
    pub fn stored_over(&self, there: Option<&Value>, document: &Value) -> Result<Value, Wrong> {
        let document = apply_defaults(&self.schema, &without_nulls(document));
        if let Some(spec) = document.get("spec") {
            check("spec", &self.schema["properties"]["spec"], spec)?;
        }
        let said = Validator::new().validate_compiled(&self.rules, &document, there);
        match said {
            Ok(()) => Ok(document),
            Err(errors) => Err(errors.into_vec().into_iter().next().map_or_else(
                || Wrong::at("spec", "a rule is broken".to_owned()),
                |error| Wrong {
                    // A rule of the whole object has no path.
                    field: Some(error.field_path)
                        .filter(|path| !path.is_empty())
                        .unwrap_or_else(|| "spec".to_owned()),
                    message: error.message,
                },
            )),
        }
    }
}

/// Nothing in these kinds is nullable: an API server drops a null before it applies defaults.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn check(path: &str, schema: &Value, value: &Value) -> Result<(), Wrong> {
    of_type(path, schema, value)?;
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        return Err(Wrong::at(
            path,
            format!("{value} is none of {}", allowed.join(", ")),
        ));
    }
    match value {
        Value::Object(map) => object(path, schema, map),
        Value::Array(items) => list(path, schema, items),
        Value::String(text) => string(path, schema, text),
        Value::Number(_) => number(path, schema, value),
        _ => Ok(()),
    }
}

fn of_type(path: &str, schema: &Value, value: &Value) -> Result<(), Wrong> {
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        let fits = value.is_string() || value.is_i64() || value.is_u64();
        return if fits {
            Ok(())
        } else {
            Err(Wrong::at(path, format!("{value} is neither a number nor a text")))
        };
    }
    let Some(wanted) = schema.get("type").and_then(Value::as_str) else {
        return Ok(());
    };
    let whole = |value: &Value| {
        value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|it| it.fract() == 0.0)
    };
    let fits = match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => whole(value),
        "number" => value.is_number(),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    Err(Wrong::at(path, format!("this must be of type {wanted}")))
}

fn object(path: &str, schema: &Value, map: &Map<String, Value>) -> Result<(), Wrong> {
    let required = schema.get("required").and_then(Value::as_array);
    let missing = required
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find(|name| !map.contains_key(*name));
    if let Some(name) = missing {
        return Err(Wrong::at(
            &format!("{path}.{name}"),
            "this is required".to_owned(),
        ));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties").filter(|it| it.is_object());
    for (name, value) in map {
        let below = properties.and_then(|it| it.get(name)).or(others);
        if let Some(below) = below {
            check(&format!("{path}.{name}"), below, value)?;
        }
    }
    Ok(())
}

fn list(path: &str, schema: &Value, items: &[Value]) -> Result<(), Wrong> {
    bound(path, schema, "minItems", "maxItems", items.len(), "entries")?;
    if let Some(below) = schema.get("items") {
        for (at, item) in items.iter().enumerate() {
            check(&format!("{path}[{at}]"), below, item)?;
        }
    }
    distinct(path, schema, items)
}

/// Entries of a list by key differ in their keys.
fn distinct(path: &str, schema: &Value, items: &[Value]) -> Result<(), Wrong> {
    let Some(keys) = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array) else {
        return Ok(());
    };
    let of = |item: &Value| -> Vec<Option<Value>> {
        let keys = keys.iter().filter_map(Value::as_str);
        keys.map(|key| item.get(key).cloned()).collect()
    };
    for (at, item) in items.iter().enumerate() {
        if items[..at].iter().any(|other| of(other) == of(item)) {
            return Err(Wrong::at(
                &format!("{path}[{at}]"),
                "an entry before it has the same key".to_owned(),
            ));
        }
    }
    Ok(())
}

fn string(path: &str, schema: &Value, text: &str) -> Result<(), Wrong> {
    bound(
        path,
        schema,
        "minLength",
        "maxLength",
        text.chars().count(),
        "characters",
    )?;
    let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else {
        return Ok(());
    };
    match Regex::new(pattern) {
        Ok(regex) if !regex.is_match(text) => {
            Err(Wrong::at(path, format!("{text:?} does not match {pattern}")))
        }
        _ => Ok(()),
    }
}

fn bound(path: &str, schema: &Value, least: &str, most: &str, size: usize, what: &str) -> Result<(), Wrong> {
    let limit = |key: &str| {
        schema
            .get(key)
            .and_then(Value::as_u64)
            .and_then(|it| usize::try_from(it).ok())
    };
    if let Some(least) = limit(least).filter(|least| size < *least) {
        return Err(Wrong::at(
            path,
            format!("{size} {what} are too few: at least {least}"),
        ));
    }
    if let Some(most) = limit(most).filter(|most| size > *most) {
        return Err(Wrong::at(
            path,
            format!("{size} {what} are too many: at most {most}"),
        ));
    }
    Ok(())
}

fn number(path: &str, schema: &Value, value: &Value) -> Result<(), Wrong> {
    let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
    let given = value.as_f64().unwrap_or_default();
    if let Some(least) = limit("minimum").filter(|least| given < *least) {
        return Err(Wrong::at(path, format!("{value} is less than {least}")));
    }
    if let Some(most) = limit("maximum").filter(|most| given > *most) {
        return Err(Wrong::at(path, format!("{value} is more than {most}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kc(spec: &Value) -> Value {
        json!({"apiVersion": "k8ssandra.io/v1alpha1", "kind": "K8ssandraCluster", "metadata": {"name": "demo"}, "spec": spec})
    }

    fn field(spec: &Value) -> String {
        let schema = Schema::of_clusters().expect("there is one");
        schema
            .stored_over(None, &kc(spec))
            .map_or_else(|wrong| wrong.field, |_| "stored".to_owned())
    }

    #[test]
    fn defaults_are_added_and_nulls_dropped() {
        let schema = Schema::of_clusters().expect("there is one");
        let stored = schema
            .stored_over(None, &kc(&json!({"auth": null})))
            .expect("it is stored");
        assert_eq!(stored["spec"]["auth"], json!(true));
        assert_eq!(stored["spec"]["secretsProvider"], json!("internal"));
    }

    #[test]
    fn each_bound_is_told_with_the_path_of_its_field() {
        let of = |datacenter: Value| {
            json!({"cassandra": {"serverVersion": "4.1.5",
                "storageConfig": {"cassandraDataVolumeClaimSpec": {}}, "datacenters": [datacenter]}})
        };
        let table = [
            (of(json!({"metadata": {"name": "dc1"}, "size": 3})), "stored"),
            (
                of(json!({"metadata": {"name": "dc1"}})),
                "spec.cassandra.datacenters[0].size",
            ),
            (
                of(json!({"metadata": {"name": "dc1"}, "size": 0})),
                "spec.cassandra.datacenters[0].size",
            ),
            (
                of(json!({"metadata": {"name": "dc1"}, "size": "3"})),
                "spec.cassandra.datacenters[0].size",
            ),
            (
                of(json!({"metadata": {"name": "dc1"}, "size": 3, "serverVersion": "four"})),
                "spec.cassandra.datacenters[0].serverVersion",
            ),
            (
                of(
                    json!({"metadata": {"name": "dc1"}, "size": 3, "racks": [{"name": "rack1"}, {"name": "rack1"}]}),
                ),
                "spec.cassandra.datacenters[0].racks[1]",
            ),
            (json!({"secretsProvider": "mine"}), "spec.secretsProvider"),
        ];
        for (spec, wanted) in table {
            assert_eq!(field(&spec), wanted, "{spec}");
        }
    }

    #[test]
    fn a_rule_of_the_definition_is_told_with_its_message() {
        let schema = Schema::of_clusters().expect("there is one");
        let spec = json!({"cassandra": {"serverVersion": "4.1.5", "datacenters": [{"metadata": {"name": "dc1"}, "size": 3}]}});
        let wrong = schema
            .stored_over(None, &kc(&spec))
            .expect_err("there is no storage");
        assert!(wrong.message.contains("torage"), "{wrong:?}");
    }
}
