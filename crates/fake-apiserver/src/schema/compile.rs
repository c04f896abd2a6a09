//! `OpenAPI` schemas of built-in kinds and of CRDs → nodes.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::reach::Reach;
use super::rules::Rule;
use super::{Limits, ListType, Node, NodeId, Schema, Type};

/// Turns schemas into nodes of one [`Schema`]. References are to `components`, each compiled once.
pub(crate) struct Compiler<'c> {
    components: &'c Map<String, Value>,
    compiled: BTreeMap<String, NodeId>,
    schema: Schema,
    /// Schemas of CRDs: what is not declared is pruned, and metadata is that of every object.
    structural: bool,
}

impl<'c> Compiler<'c> {
    pub(crate) fn new(components: &'c Map<String, Value>, structural: bool) -> Compiler<'c> {
        let anything = Node {
            keeps_unknown: true,
            ..Node::default()
        };
        Compiler {
            components,
            compiled: BTreeMap::new(),
            schema: Schema {
                nodes: vec![anything],
                has_parts: !structural,
            },
            structural,
        }
    }

    /// The root of a kind: apiVersion, kind and metadata are those of every object.
    ///
    /// # Errors
    /// What is wrong, with the place.
    pub(crate) fn root(&mut self, schema: &Value) -> Result<NodeId, String> {
        let id = self.node(schema, "")?;
        if self.structural {
            self.object_fields(id)?;
        }
        Ok(id)
    }

    pub(crate) fn component(&mut self, name: &str) -> Result<NodeId, String> {
        if let Some(id) = self.compiled.get(name) {
            return Ok(*id);
        }
        let schema = self
            .components
            .get(name)
            .ok_or_else(|| format!("no component {name}"))?;
        let id = self.reserve();
        self.compiled.insert(name.to_owned(), id);
        let structural = std::mem::replace(&mut self.structural, false);
        let node = self.build(schema, name);
        self.structural = structural;
        self.schema.nodes[id] = node?;
        Ok(id)
    }

    pub(crate) fn finish(mut self) -> Schema {
        self.mark_below();
        self.schema
    }

    fn reserve(&mut self) -> NodeId {
        self.schema.nodes.push(Node::default());
        self.schema.nodes.len() - 1
    }

    fn node(&mut self, schema: &Value, place: &str) -> Result<NodeId, String> {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.component(name)?;
            let Some(default) = schema.get("default") else {
                return Ok(target);
            };
            return self.with_default(name, default);
        }
        let id = self.reserve();
        self.schema.nodes[id] = self.build(schema, place)?;
        Ok(id)
    }

    /// A component with a default at this place: a node of its own.
    fn with_default(&mut self, name: &str, default: &Value) -> Result<NodeId, String> {
        let key = format!("{name} = {default}");
        if let Some(id) = self.compiled.get(&key) {
            return Ok(*id);
        }
        let id = self.reserve();
        self.compiled.insert(key, id);
        let schema = self.components.get(name).unwrap_or(&Value::Null);
        let structural = std::mem::replace(&mut self.structural, false);
        let node = self.build(schema, name);
        self.structural = structural;
        self.schema.nodes[id] = Node {
            default: Some(default.clone()),
            ..node?
        };
        Ok(id)
    }

    fn build(&mut self, schema: &Value, place: &str) -> Result<Node, String> {
        let empty = Map::new();
        let schema = schema.as_object().unwrap_or(&empty);
        let flag = |key: &str| schema.get(key).and_then(Value::as_bool).unwrap_or_default();
        let mut node = Node {
            kind: type_of(schema),
            nullable: flag("nullable"),
            keeps_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            default: schema.get("default").cloned(),
            list: list_type(schema),
            atomic: schema.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic"),
            required: texts(schema.get("required")),
            limits: limits(schema, place)?,
            rules: rules(schema, place)?,
            reach: reach(schema),
            ..Node::default()
        };
        for (name, property) in schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&empty)
        {
            let id = self.node(property, &format!("{place}.{name}"))?;
            node.properties.insert(name.clone(), id);
        }
        node.additional = match schema.get("additionalProperties") {
            Some(Value::Bool(true)) => Some(super::ANYTHING),
            Some(inner @ Value::Object(_)) => Some(self.node(inner, &format!("{place}.*"))?),
            _ => None,
        };
        if let Some(items) = schema.get("items") {
            node.items = Some(self.node(items, &format!("{place}[]"))?);
        }
        if node.kind == Type::Any && schema.get("oneOf").is_none() {
            node.keeps_unknown = true;
        }
        let declares = !node.properties.is_empty() || node.additional.is_some();
        if !self.structural && node.kind == Type::Object && !declares {
            node.keeps_unknown = true;
        }
        if node.kind != Type::IntOrString {
            self.branches(schema, &mut node, place)?;
        }
        if node.embedded {
            self.add_object_fields(&mut node)?;
        }
        Ok(node)
    }

    fn branches(&mut self, schema: &Map<String, Value>, node: &mut Node, place: &str) -> Result<(), String> {
        let mut all = |key: &str| -> Result<Vec<NodeId>, String> {
            let branches = schema.get(key).and_then(Value::as_array);
            branches
                .into_iter()
                .flatten()
                .map(|branch| self.node(branch, place))
                .collect()
        };
        node.all_of = all("allOf")?;
        node.any_of = all("anyOf")?;
        node.one_of = all("oneOf")?;
        if let Some(not) = schema.get("not") {
            node.not = Some(self.node(not, place)?);
        }
        Ok(())
    }

    fn object_fields(&mut self, id: NodeId) -> Result<(), String> {
        let mut node = std::mem::take(&mut self.schema.nodes[id]);
        let outcome = self.add_object_fields(&mut node);
        self.schema.nodes[id] = node;
        outcome
    }

    fn add_object_fields(&mut self, node: &mut Node) -> Result<(), String> {
        let text = self.reserve();
        self.schema.nodes[text].kind = Type::String;
        node.properties.insert("apiVersion".into(), text);
        node.properties.insert("kind".into(), text);
        let metadata = self.component("meta.v1.ObjectMeta")?;
        node.properties.insert("metadata".into(), metadata);
        Ok(())
    }

    /// Notes below which nodes there is a rule or a default, so that walks leave the rest out.
    fn mark_below(&mut self) {
        loop {
            let mut changed = false;
            for id in 0..self.schema.nodes.len() {
                let node = &self.schema.nodes[id];
                let (mut rules, mut defaults) = (!node.rules.is_empty(), node.default.is_some());
                let below = node
                    .properties
                    .values()
                    .chain(&node.additional)
                    .chain(&node.items);
                for child in below {
                    let child = &self.schema.nodes[*child];
                    rules |= child.rules_below;
                    defaults |= child.defaults_below;
                }
                let node = &mut self.schema.nodes[id];
                changed |= rules != node.rules_below || defaults != node.defaults_below;
                (node.rules_below, node.defaults_below) = (rules, defaults);
            }
            if !changed {
                return;
            }
        }
    }
}

fn type_of(schema: &Map<String, Value>) -> Type {
    let int_or_string = schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true))
        || schema.get("format").and_then(Value::as_str) == Some("int-or-string");
    if int_or_string {
        return Type::IntOrString;
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => Type::Object,
        Some("array") => Type::Array,
        Some("string") => Type::String,
        Some("integer") => Type::Integer,
        Some("number") => Type::Number,
        Some("boolean") => Type::Boolean,
        // A quantity.
        _ if schema.contains_key("oneOf") && !schema.contains_key("properties") => Type::IntOrString,
        _ => Type::Any,
    }
}

fn list_type(schema: &Map<String, Value>) -> ListType {
    match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
        Some("set") => ListType::Set,
        Some("map") => {
            let mut keys = texts(schema.get("x-kubernetes-list-map-keys"));
            keys.sort();
            ListType::Map(keys)
        }
        _ => ListType::Atomic,
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn limits(schema: &Map<String, Value>, place: &str) -> Result<Option<Box<Limits>>, String> {
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    let count = |key: &str| schema.get(key).and_then(Value::as_u64);
    let flag = |key: &str| schema.get(key).and_then(Value::as_bool).unwrap_or_default();
    let pattern = schema
        .get("pattern")
        .and_then(Value::as_str)
        .map(Regex::new)
        .transpose();
    let limits = Limits {
        minimum: number("minimum"),
        maximum: number("maximum"),
        exclusive_minimum: flag("exclusiveMinimum"),
        exclusive_maximum: flag("exclusiveMaximum"),
        multiple_of: number("multipleOf"),
        min_length: count("minLength"),
        max_length: count("maxLength"),
        pattern: pattern.map_err(|error| format!("{place}: {error}"))?,
        format: schema.get("format").and_then(Value::as_str).map(str::to_owned),
        one_of_values: schema
            .get("enum")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default(),
        min_items: count("minItems"),
        max_items: count("maxItems"),
        min_properties: count("minProperties"),
        max_properties: count("maxProperties"),
    };
    let given = [
        "minimum",
        "maximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "enum",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ];
    let any = given.iter().any(|key| schema.contains_key(*key));
    Ok(any.then(|| Box::new(limits)))
}

/// What the rules of a node look at, and their messages.
fn reach(schema: &Map<String, Value>) -> Reach {
    let mut reach = Reach::default();
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
    for rule in rules.into_iter().flatten() {
        for field in ["rule", "messageExpression"] {
            reach.add(rule.get(field).and_then(Value::as_str).unwrap_or_default());
        }
    }
    reach
}

fn rules(schema: &Map<String, Value>, place: &str) -> Result<Vec<Rule>, String> {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
    let rules = rules.into_iter().flatten();
    rules
        .map(|rule| Rule::compile(rule).map_err(|error| format!("{place}: {error}")))
        .collect()
}
