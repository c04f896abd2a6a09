//! What may stand in a role, and that the files say what the tables say.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

const GET_SECRETS: Rule = Rule {
    side: Side::Plane,
    group: "",
    resource: "secrets",
    verbs: &["get"],
    namespace: None,
    names: &[],
    why: "reads them",
};

fn rows(rules: &[Rule]) -> Result<Rows> {
    Rows::of(rules.iter().map(|rule| Use {
        by: "test",
        rule: *rule,
    }))
}

fn refusal(rule: Rule) -> String {
    rows(&[rule]).unwrap_err().to_string()
}

#[test]
fn a_wildcard_is_refused_wherever_it_stands() {
    let said = "test: rule for \"secrets\" of group \"\": \"*\" is not a plain name";
    assert_eq!(
        refusal(Rule {
            verbs: &["get", "*"],
            ..GET_SECRETS
        }),
        said
    );
    assert_eq!(
        refusal(Rule {
            names: &["*"],
            ..GET_SECRETS
        }),
        said
    );
    assert!(
        refusal(Rule {
            group: "*",
            ..GET_SECRETS
        })
        .ends_with("\"*\" is not a plain name")
    );
    assert!(
        refusal(Rule {
            resource: "*/status",
            ..GET_SECRETS
        })
        .ends_with("is not a plain name")
    );
}

#[test]
fn a_rule_that_could_never_apply_or_has_no_reason_is_refused() {
    let create = Rule {
        verbs: &["create"],
        names: &["one"],
        ..GET_SECRETS
    };
    assert!(refusal(create).ends_with("never allows `create` by name"));
    assert!(
        refusal(Rule {
            why: " ",
            ..GET_SECRETS
        })
        .ends_with("no reason")
    );
    assert!(
        refusal(Rule {
            verbs: &[],
            ..GET_SECRETS
        })
        .ends_with("no verbs")
    );
}

#[test]
fn verbs_of_the_same_resource_are_joined_and_names_are_kept_apart() {
    let watch = Rule {
        verbs: &["watch", "list"],
        why: "sees changes",
        ..GET_SECRETS
    };
    let named = Rule {
        names: &["one"],
        verbs: &["delete"],
        ..GET_SECRETS
    };
    let text = text::roles(
        "role",
        "account",
        "part",
        &rows(&[watch, named, GET_SECRETS]).unwrap(),
    );
    let expected = "rules:
  # test: reads them
  # test: sees changes
  - apiGroups: [\"\"]
    resources: [secrets]
    verbs: [get, list, watch]
  # test: reads them
  - apiGroups: [\"\"]
    resources: [secrets]
    resourceNames: [one]
    verbs: [delete]
---";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_second_role_does_not_repeat_the_first() {
    let more = Rule {
        verbs: &["get", "patch"],
        ..GET_SECRETS
    };
    let maps = Rule {
        resource: "configmaps",
        ..GET_SECRETS
    };
    let first = rows(&[GET_SECRETS, maps]).unwrap();
    let second = rows(&[more, maps]).unwrap().without(&first);
    assert_eq!(second, rows(&[more]).unwrap());
    assert_eq!(rows(&[maps]).unwrap().without(&first), Rows::default());
}

#[test]
fn every_file_is_yaml_and_no_role_has_a_wildcard() {
    for (name, text) in wanted().unwrap() {
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        assert!(!documents.is_empty(), "{name}");
        for document in documents {
            assert!(document["kind"].is_string(), "{name}");
            assert!(!document["rules"].to_string().contains('*'), "{name}");
        }
    }
}

/// Every (namespace, group, resource, names, verb) that the roles of a manifest grant.
fn granted(text: &str) -> BTreeSet<String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    let mut granted = BTreeSet::new();
    for role in documents.iter().filter(|document| document["rules"].is_array()) {
        for rule in role["rules"].as_array().unwrap() {
            for verb in rule["verbs"].as_array().unwrap() {
                let [group, resource] = [&rule["apiGroups"][0], &rule["resources"][0]];
                let (namespace, names) = (&role["metadata"]["namespace"], &rule["resourceNames"]);
                granted.insert(format!("{namespace} {group} {resource} {names} {verb}"));
            }
        }
    }
    granted
}

fn asked(rules: impl Iterator<Item = Use>) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    for Use { rule, .. } in rules {
        let json = |word: &str| Value::from(word).to_string();
        let namespace = rule.namespace.map_or_else(|| "null".to_owned(), json);
        let mut names = rule.names.to_vec();
        names.sort_unstable();
        let names = if names.is_empty() {
            Value::Null
        } else {
            names.into()
        };
        for verb in rule.verbs {
            let [group, resource, verb] = [rule.group, rule.resource, verb].map(json);
            asked.insert(format!("{namespace} {group} {resource} {names} {verb}"));
        }
    }
    asked
}

#[test]
fn what_is_granted_is_what_the_tables_ask_for_and_nothing_more() {
    let files = wanted().unwrap();
    for (program, _) in PROGRAMS {
        let both = needs(program, Side::ControlPlane).chain(needs(program, Side::Plane));
        assert_eq!(
            granted(&files[&format!("{program}/rbac.yaml")]),
            asked(both),
            "{program}"
        );
    }
    let planes = PROGRAMS
        .into_iter()
        .flat_map(|(program, _)| needs(program, Side::Plane));
    assert_eq!(granted(&files["remote-access/rbac.yaml"]), asked(planes));
}
