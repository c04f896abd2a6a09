//! What goes over the wire for each write, and what the server's answers become.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ApiResource, DynamicObject, ObjectMeta};
use kube::client::Body;
use kube::{Api, Client};
use runtime::write::{Apply, Victim, apply, apply_status, create, delete, hand_over, json_patch};
use runtime::{Failure, Retry, WriteError};
use serde_json::{Value, json};

use crate::server::full;

/// What a write sent: method, path with query, content type, body.
type Sent = (String, String, String, Value);

/// A server with one answer to everything.
#[derive(Clone)]
struct Once {
    code: u16,
    answer: Value,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Once {
    fn new(code: u16, answer: Value) -> Once {
        Once {
            code,
            answer,
            sent: Arc::default(),
        }
    }

    fn stored() -> Once {
        let metadata = json!({"name": "a", "namespace": "db", "uid": "u1", "resourceVersion": "8"});
        Once::new(
            200,
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}),
        )
    }

    fn refusing(code: u16, reason: &str, details: Value) -> Once {
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "code": code, "reason": reason, "message": "as told", "details": details});
        Once::new(code, status)
    }

    fn client(&self) -> Client {
        let once = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let once = once.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let kind = head
                    .headers
                    .get("content-type")
                    .map_or("", |kind| kind.to_str().unwrap())
                    .to_owned();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                once.sent
                    .lock()
                    .unwrap()
                    .push((head.method.to_string(), head.uri.to_string(), kind, body));
                Ok::<_, Infallible>(full(serde_json::to_vec(&once.answer).unwrap(), once.code))
            }
        });
        Client::new(service, "default")
    }

    fn api(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client(), "db")
    }

    fn sent(&self) -> Sent {
        let sent = self.sent.lock().unwrap();
        assert_eq!(sent.len(), 1, "one request and no retry: {sent:?}");
        sent[0].clone()
    }
}

fn body() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"text": "1"}})
}

const HOW: Apply<'_> = Apply {
    manager: "tests",
    force: false,
    resource_version: None,
};
const VICTIM: Victim<'_> = Victim {
    uid: "u1",
    resource_version: "7",
};

#[tokio::test]
async fn a_create_is_a_post_and_returns_what_was_stored() {
    let server = Once::stored();
    let metadata = ObjectMeta {
        name: Some("a".into()),
        ..ObjectMeta::default()
    };
    let object = ConfigMap {
        metadata,
        ..ConfigMap::default()
    };
    let stored = create(&server.api(), &object, "tests").await.unwrap();
    assert_eq!(stored.metadata.resource_version.as_deref(), Some("8"));
    let (method, uri, _, _) = server.sent();
    assert_eq!(method, "POST");
    assert!(
        uri.starts_with("/api/v1/namespaces/db/configmaps?") && uri.contains("fieldManager=tests"),
        "{uri}"
    );
}

#[tokio::test]
async fn an_apply_carries_the_uid_and_takes_nothing_by_force_unless_told() {
    let server = Once::stored();
    let stored: ConfigMap = apply(&server.api(), "a", "u1", &body(), HOW).await.unwrap();
    assert_eq!(stored.metadata.uid.as_deref(), Some("u1"));
    let (method, uri, kind, sent) = server.sent();
    assert_eq!(
        (method.as_str(), kind.as_str()),
        ("PATCH", "application/apply-patch+yaml")
    );
    assert!(
        uri.contains("fieldManager=tests") && !uri.contains("force"),
        "{uri}"
    );
    assert_eq!(sent["metadata"], json!({"name": "a", "uid": "u1"}));
    assert_eq!(sent["data"], json!({"text": "1"}));

    let server = Once::stored();
    let how = Apply {
        force: true,
        resource_version: Some("7"),
        ..HOW
    };
    apply::<ConfigMap>(&server.api(), "a", "u1", &body(), how)
        .await
        .unwrap();
    let (_, uri, _, sent) = server.sent();
    assert!(uri.contains("force=true"), "{uri}");
    assert_eq!(
        sent["metadata"],
        json!({"name": "a", "uid": "u1", "resourceVersion": "7"})
    );
}

#[tokio::test]
async fn an_apply_works_on_kinds_that_are_only_known_at_run_time() {
    let server = Once::stored();
    let kind = ApiResource::erase::<ConfigMap>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(server.client(), "db", &kind);
    let stored = apply(&api, "a", "u1", &body(), HOW).await.unwrap();
    assert_eq!(stored.metadata.name.as_deref(), Some("a"));
}

#[tokio::test]
async fn an_apply_of_a_status_carries_the_version_and_no_uid() {
    let server = Once::stored();
    let how = Apply {
        resource_version: Some("7"),
        ..HOW
    };
    let mut body = body();
    body["metadata"] = json!({"uid": "u1"});
    apply_status::<ConfigMap>(&server.api(), "a", &body, how)
        .await
        .unwrap();
    let (_, uri, _, sent) = server.sent();
    assert!(
        uri.starts_with("/api/v1/namespaces/db/configmaps/a/status?"),
        "{uri}"
    );
    assert_eq!(sent["metadata"], json!({"name": "a", "resourceVersion": "7"}));
}

#[tokio::test]
async fn a_json_patch_tests_the_uid_first() {
    let server = Once::stored();
    let operations = json!([{"op": "remove", "path": "/data/text"}]);
    json_patch::<ConfigMap>(&server.api(), "a", "u1", Some("7"), &operations, "tests")
        .await
        .unwrap();
    let (_, _, kind, sent) = server.sent();
    assert_eq!(kind, "application/json-patch+json");
    let expected = json!([
        {"op": "test", "path": "/metadata/uid", "value": "u1"},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "remove", "path": "/data/text"},
    ]);
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_delete_names_uid_and_version() {
    let server = Once::stored();
    let left: Option<ConfigMap> = delete(&server.api(), "a", VICTIM, None).await.unwrap();
    assert!(left.is_some(), "still there and terminating");
    let (method, _, _, sent) = server.sent();
    assert_eq!(method, "DELETE");
    assert_eq!(
        sent["preconditions"],
        json!({"uid": "u1", "resourceVersion": "7"})
    );

    let gone = Once::new(
        200,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}),
    );
    let left: Option<ConfigMap> = delete(&gone.api(), "a", VICTIM, None).await.unwrap();
    assert!(left.is_none());
}

#[tokio::test]
async fn handing_over_is_a_guarded_patch_of_managed_fields_and_none_where_nothing_is_to_do() {
    let mut server = Once::stored();
    let entry = |operation: &str| json!({"manager": "ours", "operation": operation, "apiVersion": "v1", "fieldsV1": {"f:data": {}}});
    server.answer["metadata"]["managedFields"] = json!([entry("Update")]);
    let stored: Option<ConfigMap> = hand_over(&server.api(), "a", "u1", &["ours"], "ours")
        .await
        .unwrap();
    assert!(stored.is_some());
    let (method, _, _, sent) = server.sent.lock().unwrap()[1].clone();
    let entries = json!({"op": "replace", "path": "/metadata/managedFields", "value": [entry("Apply")]});
    let expected = json!([
        {"op": "test", "path": "/metadata/uid", "value": "u1"},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "8"},
        entries,
    ]);
    assert_eq!((method.as_str(), sent), ("PATCH", expected));

    let server = Once::stored();
    let nothing: Option<ConfigMap> = hand_over(&server.api(), "a", "u1", &["ours"], "ours")
        .await
        .unwrap();
    assert!(nothing.is_none() && server.sent().0 == "GET");
    let other = hand_over::<ConfigMap>(&Once::stored().api(), "a", "u2", &["ours"], "ours").await;
    assert!(other.unwrap_err().is_conflict());
}

#[tokio::test]
async fn a_write_without_its_guard_is_not_sent() {
    let server = Once::stored();
    let api = server.api();
    let no_kind = json!({"data": {}});
    let failures = [
        apply::<ConfigMap>(&api, "a", "", &body(), HOW).await.err(),
        apply::<ConfigMap>(&api, "a", "u1", &no_kind, HOW).await.err(),
        apply_status::<ConfigMap>(&api, "a", &body(), HOW).await.err(),
        delete::<ConfigMap>(&api, "a", Victim { uid: "", ..VICTIM }, None)
            .await
            .err(),
        delete::<ConfigMap>(
            &api,
            "a",
            Victim {
                resource_version: "",
                ..VICTIM
            },
            None,
        )
        .await
        .err(),
        json_patch::<ConfigMap>(&api, "a", "u1", None, &json!({}), "tests")
            .await
            .err(),
    ];
    for failure in failures {
        assert!(matches!(failure, Some(WriteError::Other { .. })), "{failure:?}");
    }
    assert!(server.sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn refusals_become_what_a_controller_acts_on() {
    let owned = json!({"causes": [{"reason": "FieldManagerConflict", "message": "conflict with \"kubectl\"",
        "field": ".data.text"}]});
    let uid = json!({"causes": [{"reason": "FieldValueInvalid", "field": "metadata.uid"}]});
    let field = json!({"causes": [{"reason": "FieldValueInvalid", "field": "data"}]});
    let cases = [
        (409, "Conflict", owned, "conflict"),
        (409, "Conflict", Value::Null, "conflict"),
        (409, "AlreadyExists", Value::Null, "already-exists"),
        (422, "Invalid", uid, "conflict"),
        (422, "Invalid", field, "refused"),
        (400, "BadRequest", Value::Null, "refused"),
        (404, "NotFound", Value::Null, "not-found"),
        (403, "Forbidden", Value::Null, "forbidden"),
        (401, "Unauthorized", Value::Null, "forbidden"),
        (429, "TooManyRequests", Value::Null, "unreachable"),
        (503, "ServiceUnavailable", Value::Null, "unreachable"),
        (405, "MethodNotAllowed", Value::Null, "other"),
    ];
    for (code, reason, details, class) in cases {
        let server = Once::refusing(code, reason, details);
        let error = apply::<ConfigMap>(&server.api(), "a", "u1", &body(), HOW)
            .await
            .unwrap_err();
        assert_eq!(error.class(), class, "{code} {reason}");
        assert!(
            error.to_string().starts_with("apply configmaps db/a: "),
            "{error}"
        );
        let retry = if error.is_conflict() {
            Retry::Conflict
        } else {
            Retry::Backoff
        };
        assert_eq!(error.retry(), retry);
        server.sent();
    }
}

#[tokio::test]
async fn a_field_that_somebody_else_owns_is_named() {
    let cause =
        json!({"reason": "FieldManagerConflict", "message": "conflict with \"kubectl\"", "field": ".data"});
    let server = Once::refusing(409, "Conflict", json!({"causes": [cause]}));
    let error = apply::<ConfigMap>(&server.api(), "a", "u1", &body(), HOW)
        .await
        .unwrap_err();
    let WriteError::Conflict { fields, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        fields,
        [(".data".to_owned(), "conflict with \"kubectl\"".to_owned())]
    );
}

#[tokio::test]
async fn a_failed_test_of_a_json_patch_is_a_conflict() {
    let server = Once::refusing(422, "Invalid", Value::Null);
    let error = json_patch::<ConfigMap>(&server.api(), "a", "u1", None, &json!([]), "tests")
        .await
        .unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_decode_is_not_quoted() {
    let metadata = json!({"name": "a", "resourceVersion": "8"});
    let server = Once::new(
        200,
        json!({"kind": "ConfigMap", "metadata": metadata, "data": "s3cret"}),
    );
    let error = apply::<ConfigMap>(&server.api(), "a", "u1", &body(), HOW)
        .await
        .unwrap_err();
    assert!(
        !error.to_string().contains("s3cret") && error.class() == "unreachable",
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_never_answered_ends_after_eleven_seconds_as_perhaps_done() {
    let service = tower::service_fn(|_: Request<Body>| {
        std::future::pending::<Result<http::Response<Body>, Infallible>>()
    });
    let api: Api<ConfigMap> = Api::namespaced(Client::new(service, "default"), "db");
    let start = tokio::time::Instant::now();
    let error = apply::<ConfigMap>(&api, "a", "u1", &body(), HOW)
        .await
        .unwrap_err();
    assert_eq!(error.class(), "unreachable");
    assert_eq!(start.elapsed(), Duration::from_secs(11));
}
