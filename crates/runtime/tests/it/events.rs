//! Events: what is sent, once, and without making anybody wait.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::client::Body;
use runtime::{EventType, Events};
use serde_json::Value;

use crate::server::{full, status};

#[derive(Clone, Default)]
struct Sink {
    got: Arc<Mutex<Vec<(String, Value)>>>,
    /// Answers nothing for this long.
    delay: Duration,
    refuse: bool,
}

impl Sink {
    fn events(&self) -> Events {
        let sink = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let sink = sink.clone();
            async move {
                let uri = request.uri().path().to_owned();
                let body = request.into_body().collect_bytes().await.unwrap();
                sink.got
                    .lock()
                    .unwrap()
                    .push((uri, serde_json::from_slice(&body).unwrap()));
                tokio::time::sleep(sink.delay).await;
                Ok::<_, Infallible>(if sink.refuse {
                    status(403)
                } else {
                    full(body.to_vec(), 201)
                })
            }
        });
        Events::new(
            Client::new(service, "default"),
            "demo-controller",
            "pod-1".into(),
            runtime::Clock::System,
        )
    }

    fn notes(&self) -> Vec<String> {
        self.got
            .lock()
            .unwrap()
            .iter()
            .map(|(_, event)| event["note"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn about(name: &str, namespace: Option<&str>) -> ObjectReference {
    ObjectReference {
        kind: Some("Demo".into()),
        name: Some(name.into()),
        namespace: namespace.map(str::to_owned),
        uid: Some(format!("uid-of-{name}")),
        ..ObjectReference::default()
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_says_what_happened_to_what_and_who_says_so() {
    let sink = Sink::default();
    let events = sink.events();
    events.publish(
        &about("a", Some("db")),
        EventType::Normal,
        "Created",
        "Create",
        "made it",
    );
    events.publish(
        &about("cluster-wide", None),
        EventType::Warning,
        "Failed",
        "Create",
        "could not",
    );
    events.sent().await;
    let got = sink.got.lock().unwrap();
    let (uri, event) = &got[0];
    assert_eq!(uri, "/apis/events.k8s.io/v1/namespaces/db/events");
    assert_eq!(event["regarding"]["uid"], "uid-of-a");
    assert_eq!(event["reportingController"], "ringspan.io/demo-controller");
    assert_eq!(
        (&event["type"], &event["reason"]),
        (&"Normal".into(), &"Created".into())
    );
    assert_eq!(
        (&event["action"], &event["note"]),
        (&"Create".into(), &"made it".into())
    );
    assert!(event["eventTime"].is_string() && event["reportingInstance"] == "pod-1");
    assert!(event["metadata"]["name"].as_str().unwrap().starts_with("a."));
    assert_eq!(got[1].0, "/apis/events.k8s.io/v1/namespaces/default/events");
}

#[tokio::test(start_paused = true)]
async fn a_warning_is_told_once_until_its_failure_is_over() {
    let sink = Sink::default();
    let (events, object) = (sink.events(), about("a", Some("db")));
    let warn = |note: &str| events.publish(&object, EventType::Warning, "Failed", "Create", note);
    warn("no");
    warn("no");
    warn("other");
    events.publish(
        &about("b", Some("db")),
        EventType::Warning,
        "Failed",
        "Create",
        "no",
    );
    events.forget(&object, "Failed");
    warn("no");
    events.publish(&object, EventType::Normal, "Created", "Create", "yes");
    events.publish(&object, EventType::Normal, "Created", "Create", "yes");
    events.sent().await;
    assert_eq!(sink.notes(), ["no", "other", "no", "no", "yes", "yes"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_costs_an_event_and_no_waiting() {
    let sink = Sink {
        delay: Duration::from_hours(1),
        ..Sink::default()
    };
    let events = sink.events();
    let start = tokio::time::Instant::now();
    for number in 0..1000 {
        events.publish(
            &about("a", Some("db")),
            EventType::Normal,
            "Created",
            "Create",
            &number.to_string(),
        );
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(sink.notes(), ["0", "1", "2"], "5 s for each");
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_is_not_repeated_and_long_texts_are_cut() {
    let sink = Sink {
        refuse: true,
        ..Sink::default()
    };
    let events = sink.events();
    events.publish(
        &about("a", Some("db")),
        EventType::Normal,
        "Created",
        "Create",
        &"é".repeat(2000),
    );
    events.sent().await;
    assert_eq!(sink.notes(), ["é".repeat(500)]);
}
