//! Who asks: tokens of ServiceAccounts, and those who show nothing.

#![expect(clippy::unwrap_used, reason = "what fails in a test ends it")]

use std::time::Duration;

use bytes::Bytes;
use fake_apiserver::{Body, Options, Server, User};
use http::Request;
use serde_json::{Value, json};

fn ask(server: &Server, user: &User, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() {
        Bytes::new()
    } else {
        body.to_string().into()
    };
    let request = Request::builder().method(method).uri(path);
    let request = request
        .header("content-type", "application/json")
        .body(body)
        .unwrap();
    let answer = server.answer(user, &request);
    let Body::Whole(text) = answer.body else {
        panic!("a watch")
    };
    (
        answer.status.as_u16(),
        serde_json::from_slice(&text).unwrap_or_default(),
    )
}

const ACCOUNTS: &str = "/api/v1/namespaces/default/serviceaccounts";

/// A server with a ServiceAccount, and a token of it that is good for an hour.
fn server_with_token() -> (Server, String) {
    let server = Server::new(Options::default());
    let account = json!({"metadata": {"name": "reader"}});
    assert_eq!(ask(&server, &User::admin(), "POST", ACCOUNTS, &account).0, 201);
    let token = token(&server);
    (server, token)
}

fn token(server: &Server) -> String {
    let request = json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {"expirationSeconds": 3600}});
    let path = format!("{ACCOUNTS}/reader/token");
    let (code, answer) = ask(server, &User::admin(), "POST", &path, &request);
    assert_eq!(code, 201, "{answer}");
    answer["status"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_token_stands_for_its_account_until_it_ends() {
    let (server, token) = server_with_token();
    let reader = User::service_account("default", "reader");
    assert_eq!(server.user_of_token(&token), Some(reader.clone()));
    assert_ne!(token, self::token(&server), "no two tokens are the same");
    assert_eq!(server.user_of_token("made-up"), None);
    assert_eq!(server.user_of_token(&format!("{token}x")), None);
    tokio::time::advance(Duration::from_secs(3599)).await;
    assert_eq!(server.user_of_token(&token), Some(reader));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(server.user_of_token(&token), None);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_worth_nothing_once_its_account_is_another_one() {
    let (server, token) = server_with_token();
    let path = format!("{ACCOUNTS}/reader");
    ask(&server, &User::admin(), "DELETE", &path, &Value::Null);
    assert_eq!(server.user_of_token(&token), None);
    let account = json!({"metadata": {"name": "reader"}});
    ask(&server, &User::admin(), "POST", ACCOUNTS, &account);
    assert_eq!(server.user_of_token(&token), None);
}

#[tokio::test(start_paused = true)]
async fn who_shows_nothing_may_ask_for_health_and_version_alone() {
    let server = Server::new(Options::default());
    let get = |path| ask(&server, &User::anonymous(), "GET", path, &Value::Null);
    assert_eq!(get("/readyz").0, 200);
    assert_eq!(get("/version").0, 200);
    let (code, said) = get("/apis");
    assert_eq!(
        (code, &said["message"]),
        (
            403,
            &json!("forbidden: User \"system:anonymous\" cannot get path \"/apis\"")
        )
    );
    let (code, said) = get("/api/v1/namespaces");
    assert_eq!((code, &said["reason"]), (403, &json!("Forbidden")));
    let review =
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {}});
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    assert_eq!(ask(&server, &User::anonymous(), "POST", path, &review).0, 403);
    assert_eq!(
        ask(&server, &User::service_account("a", "b"), "POST", path, &review).0,
        201
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_is_given_its_time_and_its_certificate() {
    let server = Server::new(Options {
        epoch: 1_800_000_000,
        root_certificate: "PEM".to_owned(),
        ..Options::default()
    });
    let namespace = server.get("v1", "namespaces", "", "default").unwrap();
    assert_eq!(namespace["metadata"]["creationTimestamp"], "2027-01-15T08:00:00Z");
    let map = server
        .get("v1", "configmaps", "kube-system", "kube-root-ca.crt")
        .unwrap();
    assert_eq!(map["data"]["ca.crt"], "PEM");
}
