//! CEL rules: `x-kubernetes-validations`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kube_cel::KubeCelExt as _;
use kube_cel::cel::objects::{Key, Map};
use kube_cel::cel::{Context, Program, Value as Cel};
use serde::Deserialize;
use serde_json::Value;

use super::reach::Reach;
use super::{At, Type};
use crate::failure::Cause;
use crate::place::Place;

/// One compiled rule.
#[derive(Debug)]
pub(super) struct Rule {
    given: Given,
    program: Program,
    message_program: Option<Program>,
    /// It compares with the former state.
    pub(super) transition: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    rule: String,
    message: Option<String>,
    message_expression: Option<String>,
    reason: Option<String>,
    field_path: Option<String>,
}

thread_local! {
    static FUNCTIONS: Context<'static> = Context::default().with_all();
}

impl Rule {
    pub(super) fn compile(rule: &Value) -> Result<Rule, String> {
        let given = Given::deserialize(rule).map_err(|error| error.to_string())?;
        let compiled = |text: &str| Program::compile(text).map_err(|error| format!("{text}: {error}"));
        let program = compiled(&given.rule)?;
        let message_program = given.message_expression.as_deref().map(compiled).transpose()?;
        let transition = program.references().has_variable("oldSelf");
        Ok(Rule {
            given,
            program,
            message_program,
            transition,
        })
    }

    fn broken(&self, value: &Value, context: &Context<'_>, place: &Place<'_>) -> Option<Cause> {
        let answer = self.program.execute(context);
        if matches!(answer, Ok(Cel::Bool(true))) {
            return None;
        }
        let field = match place {
            // The whole object has no path.
            Place::Root if self.given.field_path.is_none() => "<nil>".to_owned(),
            _ => format!("{place}{}", self.given.field_path.as_deref().unwrap_or_default()),
        };
        if let Err(error) = answer {
            let why = format!("rule evaluation error: {error}: {}", self.given.rule);
            return Some(self.cause(value, field, &why));
        }
        let computed = self
            .message_program
            .as_ref()
            .and_then(|program| match program.execute(context) {
                Ok(Cel::String(text)) => Some(text.as_str().trim().to_owned()),
                _ => None,
            });
        let message = computed
            .or_else(|| self.given.message.clone())
            .unwrap_or_else(|| format!("failed rule: {}", self.given.rule));
        Some(self.cause(value, field, &message))
    }

    fn cause(&self, value: &Value, field: String, message: &str) -> Cause {
        match self.given.reason.as_deref() {
            Some("FieldValueForbidden") => Cause::forbidden(field, message),
            Some("FieldValueRequired") => Cause::required(field, message),
            Some("FieldValueDuplicate") => Cause::new(
                "FieldValueDuplicate",
                field,
                format!("Duplicate value: {message}"),
            ),
            _ if value.is_object() || value.is_array() => {
                Cause::new("FieldValueInvalid", field, format!("Invalid value: {message}"))
            }
            _ => Cause::invalid(field, value, message),
        }
    }
}

/// Evaluates the rules of one node.
pub(super) fn evaluate(
    value: &Value,
    old: Option<&Value>,
    at: At<'_>,
    place: &Place<'_>,
    found: &mut Vec<Cause>,
) {
    let rules = &at.node.rules;
    if rules.iter().all(|rule| rule.transition && old.is_none()) {
        return;
    }
    FUNCTIONS.with(|functions| {
        let mut context = functions.new_inner_scope();
        let root = matches!(place, Place::Root);
        context.add_variable_from_value("self", shown(value, at, root, &at.node.reach));
        if let Some(old) = old.filter(|_| rules.iter().any(|rule| rule.transition)) {
            context.add_variable_from_value("oldSelf", shown(old, at, root, &at.node.reach));
        }
        for rule in rules {
            if !rule.transition || old.is_some() {
                found.extend(rule.broken(value, &context, place));
            }
        }
    });
}

/// What a rule sees of a value: declared fields under names that CEL can write, as far as it looks at them.
fn shown(value: &Value, at: At<'_>, root: bool, reach: &Reach) -> Cel {
    static WHOLE: Reach = Reach {
        whole: true,
        fields: BTreeMap::new(),
    };
    match value {
        Value::Null => Cel::Null,
        Value::Bool(flag) => Cel::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) if at.node.kind != Type::Number => Cel::Int(whole),
            _ => Cel::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => {
            let items = items.iter().filter(|_| reach.whole);
            let items = items.map(|item| shown(item, at.items(), false, &WHOLE));
            Cel::List(Arc::new(items.collect()))
        }
        Value::Object(fields) => {
            let fields = fields.iter().filter_map(|(name, inner)| {
                let declared = at.node.properties.contains_key(name);
                let shown_name = if declared { escaped(name) } else { name.clone() };
                let below = if reach.whole {
                    Some(&WHOLE)
                } else {
                    reach.fields.get(&shown_name)
                };
                let below = below?;
                if root && name == "metadata" {
                    return Some((key(name), shown_metadata(inner)));
                }
                Some((key(&shown_name), shown(inner, at.field(name), false, below)))
            });
            map(fields.collect())
        }
    }
}

/// Rules see no more of an object's metadata than its name.
fn shown_metadata(metadata: &Value) -> Cel {
    let seen = ["name", "generateName"].into_iter().filter_map(|field| {
        let text = metadata.get(field)?.as_str()?;
        Some((key(field), Cel::String(Arc::new(text.to_owned()))))
    });
    map(seen.collect())
}

fn key(name: &str) -> Key {
    Key::String(Arc::new(name.to_owned()))
}

fn map(fields: HashMap<Key, Cel>) -> Cel {
    Cel::Map(Map {
        map: Arc::new(fields),
    })
}

/// Words of the language, which a field name may not be.
const RESERVED: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

fn escaped(name: &str) -> String {
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    let plain = !name.contains("__") && !name.contains(['.', '-', '/']);
    if plain {
        return name.to_owned();
    }
    name.replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_that_cel_cannot_write_are_escaped() {
        assert_eq!(escaped("namespace"), "__namespace__");
        assert_eq!(
            escaped("max-dir.size/a__b"),
            "max__dash__dir__dot__size__slash__a__underscores__b"
        );
        assert_eq!(escaped("spec"), "spec");
    }
}
