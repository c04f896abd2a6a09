//! Values that a schema adds where none is given.

use serde_json::Value;

use super::At;

/// Adds defaults, also inside of what a default has added.
pub(crate) fn add_defaults(value: &mut Value, at: At<'_>) {
    if !at.node.defaults_below {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, id) in &at.node.properties {
                let child = at.to(*id);
                let Some(default) = &child.node.default else {
                    continue;
                };
                let missing = match fields.get(name) {
                    None => true,
                    Some(given) => given.is_null() && !child.node.nullable,
                };
                if missing {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, inner) in fields {
                add_defaults(inner, at.field(name));
            }
        }
        Value::Array(items) => {
            for inner in items {
                add_defaults(inner, at.items());
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::place::Place;
    use crate::schema::compile::Compiler;
    use crate::schema::prune::{drop_nulls, may_not_be_null, prune};
    use crate::schema::validate::validate;

    /// What a definition with this schema makes of an object, and what it says of it.
    fn shaped(schema: &Value, mut object: Value) -> (Value, Vec<String>, Vec<String>) {
        let components: Map<_, _> = [("meta.v1.ObjectMeta".to_owned(), json!({"type": "object"}))]
            .into_iter()
            .collect();
        let mut compiler = Compiler::new(&components, true);
        let root = compiler.root(schema).unwrap();
        let schema = compiler.finish();
        let mut removed = Vec::new();
        prune(&mut object, schema.at(root), Place::Root, &mut removed);
        drop_nulls(&mut object, schema.at(root), may_not_be_null);
        add_defaults(&mut object, schema.at(root));
        let causes = validate(&object, None, schema.at(root));
        let said = causes
            .into_iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect();
        (object, removed, said)
    }

    #[test]
    fn what_is_not_declared_goes_and_what_is_missing_comes() {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "size": {"type": "integer", "default": 3},
            "inner": {"type": "object", "default": {}, "properties": {"deep": {"type": "string", "default": "d"}}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "none": {"type": "string"}, "null": {"type": "string", "nullable": true},
        }}}});
        let given =
            json!({"spec": {"other": 1, "free": {"x": {"y": 1}}, "none": null, "null": null, "size": null}});
        let (object, removed, said) = shaped(&schema, given);
        let expected =
            json!({"spec": {"free": {"x": {"y": 1}}, "inner": {"deep": "d"}, "null": null, "size": 3}});
        assert_eq!(object, expected);
        assert_eq!(removed, ["spec.other"]);
        assert!(said.is_empty(), "{said:?}");
    }

    #[test]
    fn rules_are_asked_only_about_what_has_the_right_shape() {
        let schema = json!({"type": "object", "properties": {"spec": {
            "type": "object", "required": ["size"],
            "properties": {"size": {"type": "integer", "maximum": 5}},
            "x-kubernetes-validations": [{"rule": "self.size != 4", "message": "not four"}],
        }}});
        let said = |size: Value| shaped(&schema, json!({"spec": {"size": size}})).2;
        assert_eq!(said(json!(4)), ["spec: Invalid value: not four"]);
        assert_eq!(
            said(json!(6)),
            ["spec.size: Invalid value: 6: spec.size in body should be less than or equal to 5"]
        );
        let wrong = said(json!("x"));
        assert!(
            wrong[0].ends_with("must be of type integer: \"string\""),
            "{wrong:?}"
        );
        assert!(wrong[1].starts_with("<nil>: "), "{wrong:?}");
    }
}
