//! What a fault rig sees of a server and does to it: writes, the past, cuts, compaction, delayed chores.

#![expect(clippy::unwrap_used, reason = "what fails in a test ends it")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use fake_apiserver::{Body, Chores, Compaction, Definitions, Options, Server, User};
use futures::StreamExt;
use http::Request;
use serde_json::{Value, json};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn ask_as(
    server: &Server,
    as_of: Option<u64>,
    method: &str,
    path: &str,
    body: &Value,
) -> fake_apiserver::Answer {
    let body = if body.is_null() {
        Bytes::new()
    } else {
        body.to_string().into()
    };
    let kind = if method == "PATCH" {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .header("user-agent", "rig/1.0")
        .body(body)
        .unwrap();
    server.answer_as_of(as_of, &User::admin(), &request)
}

fn ask(server: &Server, method: &str, path: &str, body: &Value) -> (u16, Value) {
    read(ask_as(server, None, method, path, body))
}

fn read(answer: fake_apiserver::Answer) -> (u16, Value) {
    let Body::Whole(text) = answer.body else {
        panic!("a watch")
    };
    (answer.status.as_u16(), serde_json::from_slice(&text).unwrap())
}

/// Merges into the map `a`.
fn patch_a(server: &Server, patch: &Value) {
    ask(server, "PATCH", &format!("{MAPS}/a"), patch);
}

fn map(name: &str, owner: Option<&Value>) -> Value {
    let mut map = json!({"metadata": {"name": name}, "data": {"key": "1"}});
    if let Some(owner) = owner {
        map["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        }]);
    }
    map
}

#[test]
fn each_accepted_write_is_told_with_the_object_before_and_after() {
    let server = Server::new(Options::default());
    let told = Arc::new(Mutex::new(Vec::new()));
    let (hook, asked) = (Arc::clone(&told), server.clone());
    server.on_write(Arc::new(move |write| {
        // The server can be asked while it tells.
        let version = asked.version();
        hook.lock()
            .unwrap()
            .push((write.verb, write.name.clone(), write.changed(), version));
    }));
    let cursor = server.writes_since(0).len();
    ask(&server, "POST", MAPS, &map("a", None));
    patch_a(&server, &json!({"data": {"key": "2"}}));
    patch_a(&server, &json!({"data": {"key": "2"}}));
    ask(&server, "DELETE", &format!("{MAPS}/a"), &Value::Null);
    ask(&server, "DELETE", &format!("{MAPS}/a"), &Value::Null);
    let told: Vec<_> = told
        .lock()
        .unwrap()
        .iter()
        .map(|(verb, name, changed, _)| (*verb, name.clone(), *changed))
        .collect();
    let expected = [
        ("create", true),
        ("patch", true),
        ("patch", false),
        ("delete", true),
    ];
    assert_eq!(
        told,
        expected.map(|(verb, changed)| (verb, "a".to_owned(), changed))
    );
    let writes = server.writes_since(cursor);
    let patch = &writes[1];
    assert_eq!(
        (
            patch.user.as_str(),
            patch.user_agent.as_str(),
            patch.manager.as_str()
        ),
        ("admin", "rig/1.0", "rig")
    );
    assert_eq!(
        (patch.plural.as_str(), patch.namespace.as_str(), patch.code),
        ("configmaps", "default", 200)
    );
    assert_eq!(patch.before.as_ref().unwrap()["data"]["key"], "1");
    assert_eq!(patch.after.as_ref().unwrap()["data"]["key"], "2");
    assert_eq!(patch.body, Bytes::from(json!({"data": {"key": "2"}}).to_string()));
    assert!(writes[3].after.is_none());
}

#[test]
fn the_same_requests_give_the_same_bytes_and_another_seed_other_uids() {
    let run = |seed| {
        let server = Server::new(Options {
            seed,
            ..Options::default()
        });
        ask(
            &server,
            "POST",
            MAPS,
            &json!({"metadata": {"generateName": "a-"}}),
        );
        ask(&server, "POST", MAPS, &map("b", None));
        server
            .snapshot()
            .iter()
            .map(std::string::ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn the_past_can_be_read_while_the_present_is_written() {
    let server = Server::new(Options::default());
    ask(&server, "POST", MAPS, &map("a", None));
    let then = server.version();
    patch_a(&server, &json!({"data": {"key": "2"}}));
    ask(&server, "POST", MAPS, &map("b", None));
    let past = |method: &str, path: &str, body: &Value| read(ask_as(&server, Some(then), method, path, body));
    assert_eq!(
        past("GET", &format!("{MAPS}/a"), &Value::Null).1["data"]["key"],
        "1"
    );
    assert_eq!(past("GET", &format!("{MAPS}/b"), &Value::Null).0, 404);
    let listed = past("GET", MAPS, &Value::Null).1;
    assert_eq!(listed["metadata"]["resourceVersion"], then.to_string());
    assert_eq!(
        listed["items"].as_array().unwrap().len(),
        2,
        "with kube-root-ca.crt"
    );
    assert_eq!(
        past("POST", MAPS, &map("b", None)).0,
        409,
        "writes see the present"
    );
    assert_eq!(
        past("PATCH", &format!("{MAPS}/a"), &json!({"data": {"key": "3"}})).1["data"]["key"],
        "3"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stale_watch_sees_nothing_later() {
    let server = Server::new(Options::default());
    let before = server.version();
    ask(&server, "POST", MAPS, &map("a", None));
    let then = server.version();
    ask(&server, "POST", MAPS, &map("b", None));
    let path =
        format!("{MAPS}?watch=true&timeoutSeconds=30&allowWatchBookmarks=true&resourceVersion={before}");
    let Body::Watch(events) = ask_as(&server, Some(then), "GET", &path, &Value::Null).body else {
        panic!("no watch")
    };
    let lines: Vec<Value> = events
        .map(|line| serde_json::from_slice(&line).unwrap())
        .collect()
        .await;
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (line["type"].clone(), line["object"]["metadata"]["name"].clone()))
        .collect();
    assert_eq!(seen, [(json!("ADDED"), json!("a"))]);
}

#[test]
fn a_server_that_was_rewound_has_never_seen_what_came_later() {
    let server = Server::new(Options::default());
    let (_, owner) = ask(&server, "POST", MAPS, &map("owner", None));
    ask(&server, "POST", MAPS, &map("owned", Some(&owner)));
    let (then, all) = (server.version(), server.snapshot());
    ask(&server, "DELETE", &format!("{MAPS}/owner"), &Value::Null);
    ask(&server, "POST", MAPS, &map("late", None));
    assert!(
        server.get("v1", "configmaps", "default", "owned").is_none(),
        "collected"
    );
    assert_eq!(server.snapshot_at(then), all);
    server.rewind(then);
    assert_eq!((server.version(), server.snapshot()), (then, all));
    let (code, again) = ask(&server, "POST", MAPS, &map("late", None));
    assert_eq!(
        (code, &again["metadata"]["resourceVersion"]),
        (201, &json!((then + 1).to_string()))
    );
    ask(&server, "DELETE", &format!("{MAPS}/owner"), &Value::Null);
    assert!(
        server.get("v1", "configmaps", "default", "owned").is_none(),
        "owners are known again"
    );
}

#[test]
fn definitions_that_were_made_later_are_gone_after_a_rewind() {
    let server = Server::new(Options::default());
    let then = server.version();
    let definition = json!({
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com", "scope": "Cluster", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    });
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(ask(&server, "POST", definitions, &definition).0, 201);
    let things = "/apis/example.com/v1/things";
    let thing = json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "one"}});
    assert_eq!(ask(&server, "POST", things, &thing).0, 201);
    server.rewind(then);
    assert_eq!(
        ask_as(&server, None, "GET", things, &Value::Null).status.as_u16(),
        404
    );
    assert_eq!(ask(&server, "POST", definitions, &definition).0, 201);
    assert_eq!(ask(&server, "GET", things, &Value::Null).1["items"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn chores_wait_for_their_time() {
    let delay = Duration::from_secs(7);
    let server = Server::new(Options {
        chores: Chores::After(delay),
        ..Options::default()
    });
    let (_, owner) = ask(&server, "POST", MAPS, &map("owner", None));
    ask(&server, "POST", MAPS, &map("owned", Some(&owner)));
    ask(&server, "DELETE", &format!("{MAPS}/owner"), &Value::Null);
    let there = || server.get("v1", "configmaps", "default", "owned").is_some();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(there());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!there());
    let chore = server
        .writes_since(0)
        .into_iter()
        .find(|write| write.is_chore())
        .unwrap();
    assert_eq!((chore.verb, chore.name.as_str()), ("delete", "owned"));
}

#[test]
fn chores_by_hand_are_done_when_they_are_asked_for() {
    let server = Server::new(Options {
        chores: Chores::ByHand,
        ..Options::default()
    });
    ask(
        &server,
        "POST",
        "/api/v1/namespaces",
        &json!({"metadata": {"name": "new"}}),
    );
    assert!(
        server
            .get("v1", "configmaps", "new", "kube-root-ca.crt")
            .is_none()
    );
    assert!(server.collect());
    assert!(
        server
            .get("v1", "configmaps", "new", "kube-root-ca.crt")
            .is_some()
    );
    assert!(server.get("v1", "serviceaccounts", "new", "default").is_some());
    ask(&server, "DELETE", "/api/v1/namespaces/new", &Value::Null);
    assert!(server.get("v1", "namespaces", "", "new").is_some());
    assert!(server.collect());
    assert!(server.get("v1", "namespaces", "", "new").is_none());
    assert!(!server.collect());
}

#[tokio::test(start_paused = true)]
async fn versions_that_were_compacted_are_gone() {
    let age = Duration::from_mins(5);
    let server = Server::new(Options {
        compaction: Compaction::After(age),
        ..Options::default()
    });
    ask(&server, "POST", MAPS, &map("a", None));
    let then = server.version();
    ask(&server, "POST", MAPS, &map("b", None));
    let page = format!("{MAPS}?limit=1");
    let (_, first) = ask(&server, "GET", &page, &Value::Null);
    ask(&server, "DELETE", &format!("{MAPS}/b"), &Value::Null);
    tokio::time::advance(age + Duration::from_secs(1)).await;
    ask(&server, "POST", MAPS, &map("c", None));
    let exact = format!("{MAPS}?resourceVersion={then}&resourceVersionMatch=Exact");
    assert_eq!(ask(&server, "GET", &exact, &Value::Null).0, 410);
    let next = format!(
        "{page}&continue={}",
        first["metadata"]["continue"].as_str().unwrap()
    );
    let (code, expired) = ask(&server, "GET", &next, &Value::Null);
    assert_eq!((code, &expired["reason"]), (410, &json!("Expired")));
    let rest = format!(
        "{page}&continue={}",
        expired["metadata"]["continue"].as_str().unwrap()
    );
    assert_eq!(ask(&server, "GET", &rest, &Value::Null).0, 200);
    let watch = format!("{MAPS}?watch=true&resourceVersion={then}");
    let Body::Watch(mut events) = ask_as(&server, None, "GET", &watch, &Value::Null).body else {
        panic!("no watch")
    };
    let event: Value = serde_json::from_slice(&events.next().await.unwrap()).unwrap();
    assert_eq!(
        (&event["type"], &event["object"]["code"]),
        (&json!("ERROR"), &json!(410))
    );
    assert!(events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_selected_watch_sees_objects_come_and_go() {
    let server = Server::new(Options::default());
    let path = format!(
        "{MAPS}?watch=true&labelSelector=on&timeoutSeconds=60&resourceVersion={}",
        server.version()
    );
    let Body::Watch(events) = ask_as(&server, None, "GET", &path, &Value::Null).body else {
        panic!("no watch")
    };
    ask(&server, "POST", MAPS, &map("a", None));
    patch_a(&server, &json!({"metadata": {"labels": {"on": ""}}}));
    patch_a(&server, &json!({"data": {"key": "2"}}));
    patch_a(&server, &json!({"metadata": {"labels": null}}));
    let gone_at = server.version().to_string();
    ask(&server, "DELETE", &format!("{MAPS}/a"), &Value::Null);
    let lines: Vec<Value> = events
        .map(|line| serde_json::from_slice(&line).unwrap())
        .collect()
        .await;
    let kinds: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ADDED", "MODIFIED", "DELETED"]);
    assert_eq!(lines[2]["object"]["metadata"]["resourceVersion"], gone_at);
}

#[test]
fn roles_are_asked_anew_when_they_have_changed() {
    let server = Server::new(Options::default());
    let user = User::service_account("default", "worker");
    let get = || {
        let request = Request::get(MAPS).body(Bytes::new()).unwrap();
        server.answer(&user, &request).status.as_u16()
    };
    assert_eq!(get(), 403);
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    let role = json!({
        "metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}],
    });
    ask(&server, "POST", &format!("{rbac}/roles"), &role);
    let binding = json!({
        "metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"},
        "subjects": [{"kind": "ServiceAccount", "name": "worker", "namespace": "default"}],
    });
    ask(&server, "POST", &format!("{rbac}/rolebindings"), &binding);
    assert_eq!(get(), 200);
    ask(&server, "DELETE", &format!("{rbac}/rolebindings/b"), &Value::Null);
    assert_eq!(get(), 403);
}

#[test]
fn events_are_the_same_objects_in_both_of_their_groups() {
    let server = Server::new(Options::default());
    let newer = "/apis/events.k8s.io/v1/namespaces/default/events";
    let event = json!({
        "metadata": {"name": "e"}, "type": "Normal", "reason": "Made", "action": "Make", "note": "Made it.",
        "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "c", "reportingInstance": "i",
        "regarding": {"kind": "ConfigMap", "name": "a", "namespace": "default"},
    });
    let (code, made) = ask(&server, "POST", newer, &event);
    assert_eq!(
        (code, &made["note"], &made["message"]),
        (201, &json!("Made it."), &Value::Null)
    );
    let older = "/api/v1/namespaces/default/events";
    let listed = ask(&server, "GET", older, &Value::Null).1;
    assert_eq!(listed["items"][0]["message"], "Made it.");
    assert_eq!(listed["items"][0]["involvedObject"]["name"], "a");
    let series = json!({"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}});
    let (code, patched) = ask(&server, "PATCH", &format!("{newer}/e"), &series);
    assert_eq!((code, &patched["note"]), (200, &json!("Made it.")), "{patched}");
    let (_, seen) = ask(&server, "GET", &format!("{older}/e"), &Value::Null);
    assert_eq!(
        (&seen["series"]["count"], &seen["message"]),
        (&json!(2), &json!("Made it."))
    );
    assert_eq!(
        server.get("events.k8s.io/v1", "events", "default", "e").unwrap()["note"],
        "Made it."
    );
    assert_eq!(server.all("v1", "events").len(), 1);
}

#[test]
fn a_definition_that_comes_back_by_a_rewind_has_its_objects() {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com", "scope": "Cluster", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    });
    let definitions = Definitions::built_in().with(&[definition]).unwrap();
    let server = Server::new(Options {
        definitions,
        ..Options::default()
    });
    let thing = json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "one"}});
    ask(&server, "POST", "/apis/example.com/v1/things", &thing);
    let then = server.version();
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com";
    assert_eq!(ask(&server, "DELETE", path, &Value::Null).0, 200);
    assert!(server.get("example.com/v1", "things", "", "one").is_none());
    server.rewind(then);
    assert!(server.get("example.com/v1", "things", "", "one").is_some());
}
