//! What a hostile or broken plane can do to us: nothing. Each hazard is one that a stock client has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up fails"
)]

mod loopback;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fleet::guard::GuardError;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, PostParams};
use loopback::{
    Answer, Asked, ConfigMaps, Server, World, bytes, endless, fleet_of, json, options, pending, status,
};
use serde_json::json;

async fn plane() -> (Server, World<ConfigMaps>) {
    let server = Server::start();
    let world = fleet_of(&[("east", &server)], options()).await;
    world.fleet.synced(Duration::from_secs(10)).await;
    server.forget_asked();
    (server, world)
}

fn maps(world: &World<ConfigMaps>) -> Api<ConfigMap> {
    Api::namespaced(world.fleet.plane("east").unwrap().client(), "db")
}

/// Only requests for ConfigMaps are answered this way: the plane stays reachable.
fn only_maps(
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) -> impl Fn(&Asked) -> Option<Answer> + Send + Sync {
    move |asked| (asked.path.contains("/configmaps") && !asked.is_watch()).then(&answer)
}

fn asked_for_maps(server: &Server) -> usize {
    server
        .asked()
        .iter()
        .filter(|asked| asked.path.contains("/namespaces/db/configmaps"))
        .count()
}

fn guard_error(error: &kube::Error) -> Option<GuardError> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<GuardError>() {
            return Some(found.clone());
        }
        next = error.source();
    }
    None
}

fn with_retry_after(seconds: &'static str) -> Answer {
    let mut answer = json(429, &status(429, "TooManyRequests", "configmaps", "m"));
    answer
        .headers_mut()
        .insert("retry-after", seconds.parse().unwrap());
    answer
}

#[tokio::test]
async fn a_retry_after_of_any_size_is_an_error_at_once_and_asks_once() {
    // K1, K2
    for seconds in ["18446744073709551615", "86400"] {
        let (server, world) = plane().await;
        server.answer(only_maps(move || with_retry_after(seconds)));
        let begun = Instant::now();
        let error = maps(&world).get("m").await.unwrap_err();
        assert!(matches!(error, kube::Error::Api(status) if status.code == 429));
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert_eq!(asked_for_maps(&server), 1);
    }
}

#[tokio::test]
async fn a_create_that_fails_is_sent_once() {
    // K3
    let (server, world) = plane().await;
    server.answer(only_maps(|| {
        json(503, &status(503, "ServiceUnavailable", "configmaps", "m"))
    }));
    let map: ConfigMap = serde_json::from_value(json!({"metadata": {"name": "m"}})).unwrap();
    maps(&world)
        .create(&PostParams::default(), &map)
        .await
        .unwrap_err();
    assert_eq!(asked_for_maps(&server), 1);
}

#[tokio::test]
async fn a_body_without_end_is_cut_off_at_the_limit() {
    // K8
    let (server, world) = plane().await;
    server.answer(only_maps(|| endless(b' ')));
    let error = maps(&world).get("m").await.unwrap_err();
    assert_eq!(guard_error(&error), Some(GuardError::TooLarge(4 * 1024 * 1024)));
}

#[tokio::test]
async fn a_page_of_a_list_may_be_larger_than_an_object_and_is_bounded_too() {
    let server = Server::start();
    let mut options = options();
    (options.limits.object, options.limits.page) = (100_000, 300_000);
    let world = fleet_of(&[("east", &server)], options).await;
    server.put(loopback::MAP, loopback::map(&"x".repeat(200_000)));
    assert_eq!(
        maps(&world)
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    let error = maps(&world).get("m").await.unwrap_err();
    assert_eq!(guard_error(&error), Some(GuardError::TooLarge(100_000)));
    server.answer(only_maps(|| endless(b' ')));
    let error = maps(&world).list(&ListParams::default()).await.unwrap_err();
    assert_eq!(guard_error(&error), Some(GuardError::TooLarge(300_000)));
}

#[tokio::test]
async fn an_event_without_end_fails_the_watch_and_not_the_plane() {
    // K9
    let server = Server::start();
    server.answer(|asked| asked.is_watch().then(|| endless(b'x')));
    let world = fleet_of(&[("east", &server)], options()).await;
    let plane = world.fleet.plane("east").unwrap();
    loopback::eventually("the watch fails with its line", || {
        plane
            .caches
            .blind()
            .is_some_and(|unknown| unknown.message.contains("an event of more than 4194304 bytes"))
    })
    .await;
    assert!(
        matches!(plane.health(), fleet::Health::Reachable),
        "{:?}",
        plane.health()
    );
}

#[tokio::test]
async fn a_call_that_is_never_answered_ends_at_its_deadline() {
    // K10: no headers at all, headers without a body, and a body that comes in drops
    let hang: Arc<dyn Fn(&Server) + Send + Sync> = Arc::new(|server| {
        server.answer_slowly(|asked| {
            asked
                .path
                .ends_with("/m")
                .then(|| Box::pin(std::future::pending()) as _)
        });
    });
    let headers: Arc<dyn Fn(&Server) + Send + Sync> = Arc::new(|server| server.answer(only_maps(pending)));
    let drip: Arc<dyn Fn(&Server) + Send + Sync> =
        Arc::new(|server| server.answer(only_maps(loopback::dripping)));
    for behaviour in [hang, headers, drip] {
        let (server, world) = plane().await;
        behaviour(&server);
        let begun = Instant::now();
        let error = maps(&world).get("m").await.unwrap_err();
        let took = begun.elapsed();
        assert_eq!(
            guard_error(&error),
            Some(GuardError::Deadline(Duration::from_secs(1))),
            "{error}"
        );
        assert!(
            took >= Duration::from_millis(900) && took < Duration::from_secs(3),
            "{took:?}"
        );
        assert_eq!(asked_for_maps(&server), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    // K14
    let (server, world) = plane().await;
    let target = Server::start();
    let location = format!("{}/api/v1/namespaces/db/configmaps/m", target.url());
    server.answer(only_maps(move || {
        let mut answer = bytes(302, "");
        answer.headers_mut().insert("location", location.parse().unwrap());
        answer
    }));
    let error = maps(&world).get("m").await.unwrap_err();
    assert_eq!(guard_error(&error), Some(GuardError::Redirected(302)));
    assert_eq!((asked_for_maps(&server), target.connections()), (1, 0));
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_not_from_an_api_server() {
    let (server, world) = plane().await;
    server.answer(only_maps(|| {
        let mut answer = bytes(200, "<html>Log in</html>");
        answer
            .headers_mut()
            .insert("content-type", "text/html".parse().unwrap());
        answer
    }));
    let error = maps(&world).get("m").await.unwrap_err();
    assert_eq!(guard_error(&error), Some(GuardError::NotJson));
}

#[tokio::test]
async fn no_more_calls_run_at_once_than_a_plane_may_have() {
    let server = Server::start();
    let mut options = options();
    options.limits.calls = 2;
    let world = fleet_of(&[("east", &server)], options).await;
    world.fleet.synced(Duration::from_secs(10)).await;
    server.forget_asked();
    server.answer_slowly(|asked| {
        asked
            .path
            .ends_with("/m")
            .then(|| Box::pin(std::future::pending()) as _)
    });
    let api = maps(&world);
    let calls = futures::future::join_all((0..5).map(|_| api.get("m"))).await;
    assert!(calls.iter().all(Result::is_err));
    assert_eq!(
        asked_for_maps(&server),
        2,
        "the others waited for a slot until their deadline"
    );
}

#[tokio::test]
async fn a_slot_is_free_again_after_an_answer_that_was_cut_off() {
    let server = Server::start();
    let mut options = options();
    options.limits.calls = 1;
    let world = fleet_of(&[("east", &server)], options).await;
    server.put(loopback::MAP, loopback::map("v"));
    server.answer(only_maps(|| endless(b' ')));
    maps(&world).get("m").await.unwrap_err();
    server.behave();
    assert!(maps(&world).get("m").await.is_ok());
}

#[tokio::test]
async fn requests_carry_the_token_and_our_name() {
    let (server, world) = plane().await;
    server.put(loopback::MAP, loopback::map("v"));
    maps(&world).get("m").await.unwrap();
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.token.as_deref(), Some("Bearer tok"));
    assert_eq!(asked.user_agent.as_deref(), Some("ringspan-test"));
}

#[tokio::test]
async fn requests_to_a_plane_are_counted_under_its_context() {
    let (server, world) = plane().await;
    server.put(loopback::MAP, loopback::map("v"));
    maps(&world).get("m").await.unwrap();
    let text = world.metrics.render();
    assert!(
        text.contains(r#"rest_client_requests_total{code="200",host="east",method="GET"}"#),
        "{text}"
    );
    assert!(
        text.contains(r#"ringspan_remote_cluster_up{plane="east"} 1"#),
        "{text}"
    );
}

/// Runs itself again with a proxy in the environment that would break every connection.
#[test]
fn a_proxy_of_the_environment_is_not_used() {
    const CHILD: &str = "RINGSPAN_TEST_UNDER_PROXY";
    if std::env::var_os(CHILD).is_none() {
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again
            .args(["--exact", "a_proxy_of_the_environment_is_not_used", "--nocapture"])
            .env(CHILD, "1");
        for variable in [
            "HTTPS_PROXY",
            "https_proxy",
            "HTTP_PROXY",
            "http_proxy",
            "ALL_PROXY",
            "all_proxy",
        ] {
            again.env(variable, "http://127.0.0.1:9");
        }
        assert!(again.status().unwrap().success());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (server, world) = plane().await;
        server.put(loopback::MAP, loopback::map("v"));
        maps(&world).get("m").await.unwrap();
    });
}
