//! R3 and rule 2: a delete names uid and version, an update its uid, and what makes new objects is a create.

use serde_json::Value;

use super::sight::Sight;

pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    if sight.program().is_none() {
        return Vec::new();
    }
    let main = sight.write.subresource.is_empty();
    let broken = match sight.write.verb {
        "deletecollection" => "R3: a whole collection is deleted",
        "delete" if !guarded(sight.body()) => "R3: a delete without uid and resourceVersion",
        "apply" if sight.before().is_none() => "rule 2: an apply made a new object",
        "apply" if main && sight.body().pointer("/metadata/uid").is_none() => "rule 2: an apply without uid",
        "patch" if !tests_identity(sight.body(), main) => "rule 2: a patch that tests no identity",
        // On a status the uid guards nothing.
        "apply" if !main && sight.body().pointer("/metadata/resourceVersion").is_none() => {
            "rule 2: an apply of a status without resourceVersion"
        }
        "update" => "rule 2: an update puts back what others changed",
        _ => return Vec::new(),
    };
    vec![broken.to_owned()]
}

fn guarded(options: &Value) -> bool {
    ["uid", "resourceVersion"]
        .iter()
        .all(|key| options["preconditions"][key].is_string())
}

/// A JSON patch that tests the uid, or sets the version, which the server holds against the object's own and which no other object
/// ever has; or a merge patch that carries the uid. Of an object itself a version will do too.
fn tests_identity(patch: &Value, main: bool) -> bool {
    let guards = [
        ("test", "/metadata/uid"),
        ("replace", "/metadata/resourceVersion"),
    ];
    let tests = |step: &Value| {
        let is_it = |(op, path): &(&str, &str)| step["op"] == *op && step["path"] == *path;
        guards.iter().any(is_it) && step["value"].is_string()
    };
    match patch {
        Value::Array(steps) => steps.iter().any(tests),
        other => {
            other["metadata"]["uid"].is_string() || main && other["metadata"]["resourceVersion"].is_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use fake_apiserver::Write;
    use serde_json::json;

    use super::super::fixtures::{Planes, said, write};
    use super::*;

    fn asked(verb: &'static str, subresource: &str, body: &Value, before: Option<Value>) -> Write {
        let mut asked = write("cluster-reconciler", verb, "configmaps", before, Some(json!({})));
        asked.subresource = subresource.to_owned();
        asked.body = body.to_string().into();
        asked
    }

    #[test]
    fn every_change_of_an_object_names_it_by_uid() {
        let there = || Some(json!({}));
        let uid = json!({"metadata": {"uid": "u"}});
        let version = json!({"metadata": {"resourceVersion": "1"}});
        let test = json!([{"op": "test", "path": "/metadata/uid", "value": "u"}]);
        let sets_version = json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]);
        let tests_name = json!([{"op": "test", "path": "/metadata/name", "value": "demo"}]);
        let sets_nothing = json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": null}]);
        let guards = json!({"preconditions": {"uid": "u", "resourceVersion": "1"}});
        let half = json!({"preconditions": {"uid": "u"}});
        for (write, count) in [
            (asked("delete", "", &guards, there()), 0),
            (asked("delete", "", &half, there()), 1),
            (asked("deletecollection", "", &guards, there()), 1),
            (asked("apply", "", &uid, there()), 0),
            (asked("apply", "", &version, there()), 1),
            (asked("apply", "", &uid, None), 1),
            (asked("apply", "status", &version, there()), 0),
            (asked("apply", "status", &uid, there()), 1),
            (asked("patch", "", &test, there()), 0),
            (asked("patch", "status", &test, there()), 0),
            (asked("patch", "status", &sets_version, there()), 0),
            (asked("patch", "", &tests_name, there()), 1),
            (asked("patch", "status", &sets_nothing, there()), 1),
            (asked("patch", "", &json!([]), there()), 1),
            (asked("patch", "", &json!({}), there()), 1),
            (asked("update", "", &uid, there()), 1),
            (asked("create", "", &json!({}), None), 0),
        ] {
            let said = said(check, "east", &write, &Planes::default());
            assert_eq!(said.len(), count, "{} {:?} {said:?}", write.verb, write.body);
        }
    }
}
