//! `crds/` is what the types give, and small enough to be applied and kept.

use api::definitions;
use serde_json::Value;

fn file(name: &str) -> String {
    let path = format!("{}/../../crds/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}; run `cargo xtask crds`"))
}

#[test]
fn the_written_definitions_are_those_of_the_types() {
    for definition in definitions::all() {
        let name = definitions::file_name(&definition);
        let written: Value = serde_saphyr::from_str(&file(&name)).unwrap();
        let wanted = serde_json::to_value(&definition).unwrap();
        assert!(written == wanted, "crds/{name} is stale; run `cargo xtask crds`");
    }
}

#[test]
fn the_kustomization_names_every_definition() {
    let kustomization: Value = serde_saphyr::from_str(&file("kustomization.yaml")).unwrap();
    let names: Vec<_> = definitions::all().iter().map(definitions::file_name).collect();
    assert_eq!(kustomization["resources"], serde_json::json!(names));
}

#[test]
fn the_largest_definition_stays_below_400_kilobytes() {
    for definition in definitions::all() {
        let size = serde_json::to_string(&definition).unwrap().len();
        println!(
            "{}: {size} bytes of compact JSON",
            definitions::file_name(&definition)
        );
        assert!(
            size <= 400_000,
            "{} has {size} bytes",
            definitions::file_name(&definition)
        );
    }
}

#[test]
fn no_schema_refers_to_another_or_lets_null_in() {
    fn keywords(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                if name == "$ref" || name == "nullable" && value.is_boolean() || name == "$schema" {
                    found.push(name.clone());
                }
                keywords(value, found);
            }),
            Value::Array(items) => items.iter().for_each(|item| keywords(item, found)),
            _ => {}
        }
    }
    for definition in definitions::all() {
        let mut found = vec![];
        keywords(&serde_json::to_value(&definition).unwrap(), &mut found);
        assert!(
            found.is_empty(),
            "{}: {found:?}",
            definitions::file_name(&definition)
        );
    }
}
