//! The guard of clients: time, size and count of every call.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, WatchParams};
use kube::client::{Body, ClientBuilder};
use kube::{Api, Client};
use runtime::{Guard, Metrics, timed_out, too_large};
use tokio::time::Instant;

use crate::server::{full, status};

type Answer = Response<http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>>;

fn guarded<Fut>(guard: &Guard, answer: impl Fn(Request<Body>) -> Fut + Send + 'static) -> Client
where
    Fut: Future<Output = Answer> + Send + 'static,
{
    let service = tower::service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    ClientBuilder::new(service, "default").with_layer(guard).build()
}

/// A success whose body never ends.
fn endless() -> Answer {
    Response::new(StreamBody::new(stream::pending::<Result<Frame<Bytes>, std::io::Error>>()).boxed_unsync())
}

fn config_maps(client: Client) -> Api<ConfigMap> {
    Api::namespaced(client, "db")
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_after_ten_seconds_even_if_only_its_body_hangs() {
    let guard = Guard::new("east", &Metrics::new());
    for hangs_in_body in [false, true] {
        let client = guarded(&guard, move |_| async move {
            if hangs_in_body {
                endless()
            } else {
                std::future::pending().await
            }
        });
        let start = Instant::now();
        let error = config_maps(client).get("a").await.unwrap_err();
        assert!(timed_out(&error) && !too_large(&error), "{error:?}");
        assert_eq!(start.elapsed(), Duration::from_secs(10));
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_watch_may_be_quiet_for_longer_but_must_open_in_time() {
    let guard = Guard::new("east", &Metrics::new());
    let open = guarded(&guard, |_| async { endless() });
    let mut lines = std::pin::pin!(
        config_maps(open)
            .watch(&WatchParams::default(), "1")
            .await
            .unwrap()
    );
    let quiet = futures::StreamExt::next(&mut lines);
    assert!(
        tokio::time::timeout(Duration::from_hours(1), quiet)
            .await
            .is_err(),
        "still open"
    );

    let closed = guarded(&guard, |_| std::future::pending());
    let Err(error) = config_maps(closed).watch(&WatchParams::default(), "1").await else {
        panic!("it opened")
    };
    assert!(timed_out(&error), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let guard = Guard::new("east", &Metrics::new()).most_answer(1000);
    let client = guarded(&guard, |_| async { full(vec![b' '; 1001], 200) });
    let error = config_maps(client)
        .list(&ListParams::default())
        .await
        .unwrap_err();
    assert!(too_large(&error) && !timed_out(&error), "{error:?}");
}

#[tokio::test]
async fn an_endless_refusal_of_a_watch_is_bounded_like_any_answer() {
    let guard = Guard::new("east", &Metrics::new()).most_answer(1000);
    let client = guarded(&guard, |_| async { full(vec![b'x'; 1001], 500) });
    let Err(error) = config_maps(client).watch(&WatchParams::default(), "1").await else {
        panic!("it opened")
    };
    assert!(too_large(&error), "{error:?}");
}

#[tokio::test]
async fn a_failing_call_is_asked_once_and_counted() {
    let metrics = Metrics::new();
    let client = guarded(&Guard::new("east", &metrics), |_| async { status(503) });
    config_maps(client).get("a").await.unwrap_err();
    let expected = r#"rest_client_requests_total{code="503",host="east",method="GET"} 1"#;
    assert!(metrics.render().contains(expected), "{}", metrics.render());
}
