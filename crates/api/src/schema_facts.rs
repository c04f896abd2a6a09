//! Facts of a structural schema, one line per path: what counts when two definitions are compared, and no text.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// The keywords that count. The order is that in a line.
const KEYWORDS: [&str; 18] = [
    "type",
    "format",
    "default",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "required",
    "nullable",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
];

/// Names on the way from the root to a schema. Items of a list are `[]`, values of a map `{}`.
pub type Path = Vec<String>;

/// Keyword to value of one schema, without its parts.
pub type Facts = BTreeMap<String, Value>;

/// The facts of a whole definition.
///
/// As text it has one line per path: its last name, indented by one blank for each name before it, and then
/// `keyword=json` for each fact, all separated by tabs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SchemaFacts(pub BTreeMap<Path, Facts>);

impl SchemaFacts {
    /// Facts of the only version of a `CustomResourceDefinition`.
    #[must_use]
    pub fn of_definition(definition: &Value) -> Self {
        let mut facts = Self::default();
        facts.walk(
            &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"],
            &mut vec!["root".to_owned()],
        );
        facts
    }

    fn walk(&mut self, schema: &Value, path: &mut Path) {
        let Some(schema) = schema.as_object() else { return };
        let known = KEYWORDS
            .iter()
            .filter_map(|keyword| Some(((*keyword).to_owned(), sorted(schema.get(*keyword)?))));
        self.0.insert(path.clone(), known.collect());
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let parts = properties.map(|(name, part)| (name.as_str(), part));
        let items = schema.get("items").map(|part| ("[]", part));
        let values = schema.get("additionalProperties").map(|part| ("{}", part));
        for (name, part) in parts.chain(items).chain(values) {
            path.push(name.to_owned());
            self.walk(part, path);
            path.pop();
        }
    }

    /// Reads the text form; `None` when it is not that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut facts = BTreeMap::new();
        let mut path = Path::new();
        for line in text.lines() {
            let mut cells = line.trim_start_matches(' ').split('\t');
            path.truncate(line.len() - line.trim_start_matches(' ').len());
            path.push(cells.next()?.to_owned());
            let fact = |cell: &str| {
                let (keyword, value) = cell.split_once('=')?;
                Some((keyword.to_owned(), serde_json::from_str(value).ok()?))
            };
            facts.insert(path.clone(), cells.map(fact).collect::<Option<_>>()?);
        }
        Some(Self(facts))
    }
}

impl Display for SchemaFacts {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (path, facts) in &self.0 {
            let Some((name, before)) = path.split_last() else {
                continue;
            };
            write!(formatter, "{:indent$}{name}", "", indent = before.len())?;
            for keyword in KEYWORDS {
                if let Some(value) = facts.get(keyword) {
                    write!(formatter, "\t{keyword}={value}")?;
                }
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

/// Lists of names are sets: their order means nothing.
fn sorted(value: &Value) -> Value {
    let Some(list) = value.as_array() else {
        return value.clone();
    };
    let mut list = list.clone();
    list.sort_by_key(Value::to_string);
    Value::Array(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn facts(schema: &Value) -> SchemaFacts {
        SchemaFacts::of_definition(&json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}}))
    }

    #[test]
    fn each_path_has_its_facts_and_no_text() {
        let facts = facts(&json!({"type": "object", "description": "long", "properties": {
            "a": {"type": "array", "items": {"type": "object", "required": ["y", "x"]}},
            "m": {"type": "object", "additionalProperties": {"type": "string", "default": "d"}},
        }}));
        let text = concat!(
            "root\ttype=\"object\"\n",
            " a\ttype=\"array\"\n",
            "  []\ttype=\"object\"\trequired=[\"x\",\"y\"]\n",
            " m\ttype=\"object\"\n",
            "  {}\ttype=\"string\"\tdefault=\"d\"\n",
        );
        assert_eq!(facts.to_string(), text);
    }

    #[test]
    fn what_was_written_reads_back_as_it_was() {
        let facts = facts(&json!({"type": "object", "properties": {
            "a": {"type": "object", "properties": {"x": {"type": "string", "default": "a=b\tc"}}},
            "a.b": {"type": "string", "minLength": 2},
            "a-b": {"type": "boolean", "default": false},
        }}));
        assert_eq!(facts.0.len(), 5);
        assert_eq!(SchemaFacts::parse(&facts.to_string()), Some(facts));
        assert_eq!(SchemaFacts::parse("root\ttype=object"), None);
    }
}
