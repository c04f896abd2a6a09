//! Each way in which a pod can fail us.

use std::collections::BTreeMap;
use std::time::Duration;

use management_api::{
    Call, Client, Dial, Error, MAX_REMOTE_TEXT, ManagementApi, Node, Options, OptionsError, first_answer,
};
use tokio::net::TcpListener;

use crate::pod::{Act, Pod, node, ok, status};

/// A client of a port that nobody listens on.
async fn client_of_nobody() -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dial = Dial::Via(listener.local_addr().unwrap());
    Client::new(Options {
        dial,
        ..Options::default()
    })
    .unwrap()
}

fn one_dc() -> BTreeMap<String, u32> {
    BTreeMap::from([("dc1".to_owned(), 3)])
}

async fn keyspaces_from(act: Act) -> Error {
    let mut pod = Pod::start(vec![act, Act::Say(ok("[]"))]).await;
    let error = pod.client().keyspaces(node()).await.unwrap_err();
    pod.request().await;
    assert_eq!(pod.more_requests(), 0, "nothing is asked twice");
    error
}

#[tokio::test]
async fn a_refused_connection_is_unreachable_and_says_who_was_asked_what() {
    let error = client_of_nobody().await.keyspaces(node()).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unreachable {
                call: Call::Keyspaces,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(
        text.starts_with("cannot list keyspaces at 10.1.2.3:8080: "),
        "{text}"
    );
    assert!(text.contains("refused"), "{text}");
}

#[tokio::test]
async fn a_pod_that_hangs_costs_only_the_time_limit() {
    for head in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nhalf",
    ] {
        let act = || Act::SayAndHang(head.as_bytes().to_vec());
        let pod = Pod::start(vec![act(), act()]).await;
        let client = pod.impatient();
        let error = client.keyspaces(node()).await.unwrap_err();
        let after = Duration::from_millis(80);
        assert_eq!(
            error,
            Error::TimedOut {
                call: Call::Keyspaces,
                node: node(),
                after
            },
            "{head:?}"
        );
        let error = client.alter_keyspace(node(), "ks", &one_dc()).await.unwrap_err();
        assert_eq!(
            error,
            Error::TimedOut {
                call: Call::AlterKeyspace,
                node: node(),
                after: after * 2
            }
        );
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn a_pod_that_trickles_for_ever_costs_only_the_time_limit() {
    let mut head = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    let pod = Pod::start(vec![Act::Flood(Vec::new(), std::mem::take(&mut head))]).await;
    let error = pod.impatient().keyspaces(node()).await.unwrap_err();
    assert_eq!(error.class(), "TimedOut", "{error}");
}

#[tokio::test]
async fn a_connection_nobody_accepts_costs_only_the_time_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dial = Dial::Via(listener.local_addr().unwrap());
    let read_timeout = Duration::from_millis(80);
    let client = Client::new(Options {
        dial,
        read_timeout,
        ..Options::default()
    })
    .unwrap();
    assert_eq!(client.endpoints(node()).await.unwrap_err().class(), "TimedOut");
    drop(listener);
}

#[tokio::test]
async fn a_status_is_reported_with_a_short_and_printable_body() {
    let error = keyspaces_from(Act::Say(status("500 Internal Server Error", "injected\n"))).await;
    let expected = "cannot list keyspaces at 10.1.2.3:8080: HTTP status 500: injected";
    assert_eq!(error.to_string(), expected);
    assert!(error.is_retryable());

    let nasty = format!("\u{1b}[2J</script>\n{}", "x".repeat(1_000_000));
    let error = keyspaces_from(Act::Say(status("404 Not Found", &nasty))).await;
    let Error::Status { code: 404, body, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(body.starts_with(r"\u{1b}[2J</script>\nxxx"), "{body}");
    assert_eq!(body.len(), MAX_REMOTE_TEXT);
    assert!(!error.is_retryable());

    let error = keyspaces_from(Act::Say(status("503 Service Unavailable", ""))).await;
    assert_eq!(
        error.to_string(),
        "cannot list keyspaces at 10.1.2.3:8080: HTTP status 503"
    );
}

#[tokio::test]
async fn an_endless_body_does_not_hide_the_status() {
    let head = b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let error = keyspaces_from(Act::Flood(head, b"2\r\nno\r\n".to_vec())).await;
    assert!(matches!(error, Error::Status { code: 500, .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let moved = b"HTTP/1.1 302 Found\r\nLocation: http://10.9.9.9/\r\nContent-Length: 0\r\n\r\n".to_vec();
    let error = keyspaces_from(Act::Say(moved)).await;
    assert!(matches!(error, Error::Status { code: 302, .. }), "{error:?}");
}

#[tokio::test]
async fn a_giant_body_is_cut_off_at_the_limit() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x1_0000], b"\r\n".to_vec()].concat();
    let error = keyspaces_from(Act::Flood(head, chunk)).await;
    assert_eq!(
        error,
        Error::TooLarge {
            call: Call::Keyspaces,
            node: node(),
            limit: 4 * 1024 * 1024
        }
    );
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let body = r#"["exactly","this","much"]"#;
    for (body_limit, class) in [(body.len(), None), (body.len() - 1, Some("TooLarge"))] {
        let pod = Pod::answering(body).await;
        let client = Client::new(Options {
            body_limit,
            ..pod.options()
        })
        .unwrap();
        let answer = client.keyspaces(node()).await;
        assert_eq!(answer.as_ref().err().map(Error::class), class, "{answer:?}");
    }
}

#[tokio::test]
async fn an_endless_head_is_cut_off() {
    let error = keyspaces_from(Act::Flood(
        b"HTTP/1.1 200 OK\r\n".to_vec(),
        b"X-A: b\r\n".to_vec(),
    ))
    .await;
    assert_eq!(error.class(), "Malformed", "{error}");
}

#[tokio::test]
async fn what_is_not_the_documented_json_is_malformed() {
    let deep = "[".repeat(100_000);
    for bad in [
        "",
        "OK",
        "null",
        "{}",
        r#"["a""#,
        r#"["a"]x"#,
        "[1]",
        "\u{0}",
        &deep,
    ] {
        let error = keyspaces_from(Act::Say(ok(bad))).await;
        assert_eq!(error.class(), "Malformed", "{error}");
        assert!(!error.is_retryable());
        assert!(
            error
                .to_string()
                .starts_with("cannot list keyspaces at 10.1.2.3:8080: unexpected answer: ")
        );
    }
    let error = keyspaces_from(Act::Say(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())).await;
    assert_eq!(error.class(), "Malformed", "{error}");
}

#[tokio::test]
async fn the_other_answers_are_not_guessed_at_either() {
    let pod = Pod::start(
        ["null", r#"{"class":"x","dc1":3}"#, "null", r#"{"v":null}"#]
            .map(|b| Act::Say(ok(b)))
            .into(),
    )
    .await;
    let client = pod.client();
    assert_eq!(client.endpoints(node()).await.unwrap_err().class(), "Malformed");
    assert_eq!(
        client.replication(node(), "ks").await.unwrap_err().class(),
        "Malformed"
    );
    assert_eq!(
        client.keyspace_exists(node(), "ks").await.unwrap_err().class(),
        "Malformed"
    );
    assert_eq!(
        client.schema_versions(node()).await.unwrap_err().class(),
        "Malformed"
    );
}

#[tokio::test]
async fn a_strange_factor_is_named_with_its_keyspace() {
    let pod =
        Pod::answering(r#"{"class":"org.apache.cassandra.locator.NetworkTopologyStrategy","dc1":"many"}"#)
            .await;
    let text = pod
        .client()
        .replication(node(), "orders")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("keyspace orders") && text.contains("dc1") && text.contains("many"),
        "{text}"
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unreachable() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[]".to_vec();
    let error = keyspaces_from(Act::Say(half)).await;
    assert_eq!(error.class(), "Unreachable", "{error}");
    let error = keyspaces_from(Act::Say(Vec::new())).await;
    assert_eq!(error.class(), "Unreachable", "{error}");
}

#[tokio::test]
async fn requests_that_make_no_sense_are_not_sent() {
    let mut pod = Pod::answering("[]").await;
    let client = pod.client();
    let refused = [
        client.keyspace_exists(node(), "").await.unwrap_err(),
        client.replication(node(), "").await.unwrap_err(),
        client.create_keyspace(node(), "", &one_dc()).await.unwrap_err(),
        client
            .create_keyspace(node(), "ks", &BTreeMap::new())
            .await
            .unwrap_err(),
        client
            .alter_keyspace(node(), "ks", &BTreeMap::new())
            .await
            .unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.class(), "Refused", "{error}");
    }
    assert_eq!(pod.more_requests(), 0);
}

#[tokio::test]
async fn an_address_that_means_this_machine_is_not_dialled() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    let client = Client::new(Options::default()).unwrap();
    let error = client
        .keyspaces(Node {
            address: here.ip(),
            port: here.port(),
        })
        .await
        .unwrap_err();
    assert_eq!(error.class(), "Refused", "{error}");
}

#[test]
fn calls_are_diverted_only_to_the_loopback_address() {
    let away = "10.0.0.1:8080".parse().unwrap();
    let made = Client::new(Options {
        dial: Dial::Via(away),
        ..Options::default()
    });
    assert_eq!(made.unwrap_err(), OptionsError::ViaNotLoopback(away));
}

#[tokio::test]
async fn when_all_pods_fail_the_error_counts_them_and_tells_the_last_failure() {
    let client = client_of_nobody().await;
    let nodes = [1, 2, 3].map(|last| Node::new([10, 0, 0, last].into()));
    let error = first_answer(Call::Endpoints, &nodes, |node| client.endpoints(node))
        .await
        .unwrap_err();
    let text = error.to_string();
    let beginning = "cannot read the endpoint states: all 3 pods failed, the last with Unreachable: ";
    assert!(text.starts_with(beginning), "{text}");
    assert!(text.contains("10.0.0.3:8080"), "{text}");
    assert_eq!(
        (error.pods, error.class(), error.is_retryable()),
        (3, "Unreachable", true)
    );

    let error = first_answer(Call::Endpoints, &[], |node| client.endpoints(node))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read the endpoint states: there is no pod to ask"
    );
    assert_eq!((error.class(), error.is_retryable()), ("NoPods", true));
}
