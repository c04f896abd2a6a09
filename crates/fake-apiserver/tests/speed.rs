//! How fast the server is. Prints figures and gates nothing: machines differ.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fake_apiserver::{Body, Definitions, Options, Server, User, WatchStream};
use futures::StreamExt;
use http::Request;
use serde_json::{Value, json};

const ROUNDS: u32 = 200;

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "rings.speed.example.com"},
        "spec": {
            "group": "speed.example.com", "scope": "Namespaced", "names": {"kind": "Ring", "plural": "rings"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "x-kubernetes-validations": [{"rule": "self.size > 0"}], "properties": {
                        "size": {"type": "integer", "minimum": 1},
                        "racks": {
                            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                            "items": {"type": "object", "required": ["name"], "properties": {
                                "name": {"type": "string"}, "zone": {"type": "string"},
                            }},
                        },
                        "config": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    }},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}},
            }],
        },
    })
}

fn ring() -> Value {
    let racks: Vec<_> = (0..6)
        .map(|rack| json!({"name": format!("r{rack}"), "zone": "z"}))
        .collect();
    let config: Value = (0..12)
        .map(|key| (format!("key{key}"), json!({"value": key})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    json!({
        "apiVersion": "speed.example.com/v1", "kind": "Ring",
        "metadata": {"name": "one", "labels": {"a": "b", "c": "d"}, "annotations": {"x": "y".repeat(300)}},
        "spec": {"size": 3, "racks": racks, "config": config},
    })
}

#[expect(clippy::expect_used, reason = "the requests are written in this file")]
fn ask(server: &Server, method: &str, path: &str, kind: &str, body: &Value) {
    let body = if body.is_null() {
        Bytes::new()
    } else {
        body.to_string().into()
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .header("user-agent", "speed/1")
        .body(body)
        .expect("a request of this file");
    let answer = server.answer(&User::admin(), &request);
    assert!(answer.status.is_success(), "{method} {path}: {answer:?}");
}

fn each(what: &str, mut once: impl FnMut(u32)) {
    let begun = Instant::now();
    for round in 0..ROUNDS {
        once(round);
    }
    let each: Duration = begun.elapsed() / ROUNDS;
    eprintln!("{what}: {:.1} us", each.as_secs_f64() * 1e6);
}

#[test]
fn requests_in_microseconds() {
    let definitions = Definitions::built_in().with(&[definition()]).unwrap();
    let options = Options {
        definitions,
        ..Options::default()
    };
    each("a new server", |_| drop(Server::new(options.clone())));
    let server = Server::new(options);
    let all = "/apis/speed.example.com/v1/namespaces/default/rings";
    let one = &format!("{all}/one");
    ask(&server, "POST", all, "application/json", &ring());
    let maps = "/api/v1/namespaces/default/configmaps";
    let map = json!({"metadata": {"name": "m"}, "data": {"a": "1"}});
    ask(&server, "POST", maps, "application/json", &map);
    each("get", |_| ask(&server, "GET", one, "", &Value::Null));
    each("list", |_| ask(&server, "GET", all, "", &Value::Null));
    let merge = "application/merge-patch+json";
    each("merge patch of a ConfigMap", |round| {
        let patch = json!({"data": {"a": round.to_string()}});
        ask(&server, "PATCH", &format!("{maps}/m"), merge, &patch);
    });
    each("merge patch of a custom resource", |round| {
        ask(
            &server,
            "PATCH",
            one,
            merge,
            &json!({"spec": {"size": round + 1}}),
        );
    });
    each("merge patch of its status", |round| {
        ask(
            &server,
            "PATCH",
            &format!("{one}/status"),
            merge,
            &json!({"status": {"n": round}}),
        );
    });
    let apply = "application/apply-patch+yaml";
    let applied = &format!("{one}?fieldManager=a&force=true");
    each("apply that changes", |round| {
        let mut ring = ring();
        ring["spec"]["size"] = (round + 1).into();
        ask(&server, "PATCH", applied, apply, &ring);
    });
    each("apply that changes nothing", |_| {
        ask(&server, "PATCH", applied, apply, &ring());
    });
    each("create and delete", |_| {
        let mut ring = ring();
        ring["metadata"]["name"] = "two".into();
        ask(&server, "POST", all, "application/json", &ring);
        ask(
            &server,
            "DELETE",
            &format!("{all}/two"),
            "application/json",
            &Value::Null,
        );
    });
}

#[expect(clippy::expect_used, reason = "the requests are written in this file")]
fn watch(server: &Server) -> WatchStream {
    let path = format!(
        "/api/v1/configmaps?watch=true&allowWatchBookmarks=true&timeoutSeconds=290&resourceVersion={}",
        server.version()
    );
    let request = Request::get(path)
        .body(Bytes::new())
        .expect("a request of this file");
    match server.answer(&User::admin(), &request).body {
        Body::Watch(stream) => *stream,
        Body::Whole(text) => panic!("no watch: {text:?}"),
    }
}

/// A hundred watches, each begun anew when it ends, through a day in which nothing happens.
#[tokio::test(start_paused = true)]
async fn a_quiet_day_of_a_hundred_watches() {
    let server = Server::new(Options::default());
    let begun = Instant::now();
    let day = tokio::time::Instant::now() + Duration::from_hours(24);
    let watches = (0..100).map(|_| {
        let server = server.clone();
        async move {
            let mut lines = 0_u32;
            while tokio::time::Instant::now() < day {
                let mut events = watch(&server);
                while events.next().await.is_some() {
                    lines += 1;
                }
            }
            lines
        }
    });
    let lines: u32 = futures::future::join_all(watches).await.iter().sum();
    eprintln!(
        "a day of 100 watches: {lines} bookmarks in {} ms",
        begun.elapsed().as_millis()
    );
    assert!(lines > 0);
}
