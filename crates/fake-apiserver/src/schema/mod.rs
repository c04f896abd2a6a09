//! What a kind's objects may look like: compiled once, shared by all servers.
//!
//! | module | idea |
//! | --- | --- |
//! | [`compile`] | `OpenAPI` and CRD schemas → nodes |
//! | [`decode`] | what Go's types do to built-in kinds |
//! | [`prune`] | fields that nobody declared go |
//! | [`default`] | values that the schema adds |
//! | [`validate`] | what is refused, in the words of the real server |
//! | [`formats`] | formats of strings |
//! | [`rules`], [`reach`] | CEL rules, and what they look at |

pub(crate) mod compile;
pub(crate) mod decode;
pub(crate) mod default;
mod formats;
pub(crate) mod prune;
mod reach;
mod rules;
pub(crate) mod validate;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use reach::Reach;
use rules::Rule;

/// Index of a node in its [`Schema`].
pub(crate) type NodeId = usize;

/// The node that allows everything.
pub(crate) const ANYTHING: NodeId = 0;

/// Nodes that refer to each other by index, so that a schema may be recursive.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    nodes: Vec<Node>,
    /// Empty objects are always there where a schema says so.
    has_parts: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Type {
    #[default]
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    IntOrString,
}

/// How a list is merged by server-side apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ListType {
    #[default]
    Atomic,
    Set,
    /// By these keys of its items.
    Map(Vec<String>),
}

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "as many as schemas have")]
pub(crate) struct Node {
    pub(crate) kind: Type,
    pub(crate) nullable: bool,
    pub(crate) properties: BTreeMap<String, NodeId>,
    pub(crate) additional: Option<NodeId>,
    pub(crate) items: Option<NodeId>,
    pub(crate) required: Vec<String>,
    pub(crate) keeps_unknown: bool,
    pub(crate) embedded: bool,
    pub(crate) default: Option<Value>,
    pub(crate) list: ListType,
    /// A map that is replaced as a whole.
    pub(crate) atomic: bool,
    limits: Option<Box<Limits>>,
    rules: Vec<Rule>,
    reach: Reach,
    rules_below: bool,
    defaults_below: bool,
    all_of: Vec<NodeId>,
    any_of: Vec<NodeId>,
    one_of: Vec<NodeId>,
    not: Option<NodeId>,
}

#[derive(Debug, Default)]
struct Limits {
    minimum: Option<f64>,
    maximum: Option<f64>,
    exclusive_minimum: bool,
    exclusive_maximum: bool,
    multiple_of: Option<f64>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    pattern: Option<Regex>,
    format: Option<String>,
    one_of_values: Vec<Value>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    min_properties: Option<u64>,
    max_properties: Option<u64>,
}

/// A place in a schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) node: &'s Node,
}

impl Node {
    /// Text that is base64.
    fn is_bytes(&self) -> bool {
        let format = self.limits.as_ref().and_then(|limits| limits.format.as_deref());
        format == Some("byte")
    }
}

impl Schema {
    pub(crate) fn at(&self, id: NodeId) -> At<'_> {
        At {
            schema: self,
            node: &self.nodes[id],
        }
    }
}

impl<'s> At<'s> {
    fn to(self, id: NodeId) -> At<'s> {
        self.schema.at(id)
    }

    /// The schema of a field, if it is declared.
    pub(crate) fn declared(self, field: &str) -> Option<At<'s>> {
        self.node.properties.get(field).map(|id| self.to(*id))
    }

    /// The schema of a field or key, declared or not.
    pub(crate) fn field(self, field: &str) -> At<'s> {
        let id = self.node.properties.get(field).copied();
        self.to(id.or(self.node.additional).unwrap_or(ANYTHING))
    }

    /// The declared fields; of CRDs none, as nothing of theirs is always there.
    pub(crate) fn parts(self) -> impl Iterator<Item = (&'s String, At<'s>)> {
        let properties = self.node.properties.iter().filter(move |_| self.schema.has_parts);
        properties.map(move |(name, id)| (name, self.to(*id)))
    }

    pub(crate) fn items(self) -> At<'s> {
        self.to(self.node.items.unwrap_or(ANYTHING))
    }

    /// Whether a field may be there.
    fn knows(self, field: &str) -> bool {
        self.node.properties.contains_key(field) || self.node.additional.is_some()
    }
}
