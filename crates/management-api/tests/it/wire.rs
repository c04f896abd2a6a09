//! Each call's request as it goes over the wire, and what is made of a good answer.

use std::collections::BTreeMap;

use management_api::{Call, Factor, ManagementApi, Node, first_answer};

use crate::pod::{Act, Pod, node, ok, status};

fn factors(pairs: &[(&str, u32)]) -> BTreeMap<String, u32> {
    pairs
        .iter()
        .map(|(dc, factor)| ((*dc).to_owned(), *factor))
        .collect()
}

#[tokio::test]
async fn keyspaces_are_listed_without_a_query() {
    let mut pod = Pod::answering(r#"["system_schema","system","My_ks"]"#).await;
    let names = pod.client().keyspaces(node()).await.unwrap();
    assert_eq!(names, ["system_schema", "system", "My_ks"]);
    let request = pod.request().await;
    assert_eq!(request.line, "GET /api/v0/ops/keyspace HTTP/1.1");
    assert_eq!(request.body, "");
    let headers: Vec<_> = request.headers.iter().map(|(k, v)| format!("{k}: {v}")).collect();
    assert_eq!(
        headers,
        [
            "connection: close",
            "content-type: application/json",
            "host: 10.1.2.3:8080"
        ]
    );
}

#[tokio::test]
async fn the_host_header_names_the_pod_and_its_port() {
    let mut pod = Pod::answering("[]").await;
    let ipv6 = Node {
        address: "fd00::a:1".parse().unwrap(),
        port: 9443,
    };
    pod.client().keyspaces(ipv6).await.unwrap();
    assert_eq!(pod.request().await.headers["host"], "[fd00::a:1]:9443");
}

#[tokio::test]
async fn a_keyspace_exists_only_under_its_exact_name() {
    for (answer, exists) in [
        (r#"["My_ks"]"#, true),
        ("[]", false),
        (r#"["my_ks","system"]"#, false),
    ] {
        let mut pod = Pod::answering(answer).await;
        assert_eq!(
            pod.client().keyspace_exists(node(), "My_ks").await.unwrap(),
            exists,
            "{answer}"
        );
        assert_eq!(
            pod.request().await.line,
            "GET /api/v0/ops/keyspace?keyspaceName=My_ks HTTP/1.1"
        );
    }
}

#[tokio::test]
async fn replication_is_read_with_all_kinds_of_factors() {
    let mut pod = Pod::answering(
        r#"{"class":"org.apache.cassandra.locator.NetworkTopologyStrategy","dc1":"3","dc2":"3/1"}"#,
    )
    .await;
    let seen = pod.client().replication(node(), "ks").await.unwrap();
    assert!(seen.is_network_topology());
    let expected = [
        ("dc1", Factor::Full(3)),
        ("dc2", Factor::Transient { all: 3, transient: 1 }),
    ];
    assert!(
        seen.factors
            .iter()
            .map(|(dc, factor)| (dc.as_str(), *factor))
            .eq(expected)
    );
    assert_eq!(
        pod.request().await.line,
        "GET /api/v0/ops/keyspace/replication?keyspaceName=ks HTTP/1.1"
    );

    let pod =
        Pod::answering(r#"{"class":"org.apache.cassandra.locator.SimpleStrategy","replication_factor":"1"}"#)
            .await;
    let seen = pod.client().replication(node(), "ks").await.unwrap();
    assert_eq!(
        (seen.factors.len(), seen.options["replication_factor"].as_str()),
        (0, "1")
    );
}

#[tokio::test]
async fn a_keyspace_is_created_with_its_factors_as_strings() {
    let mut pod = Pod::answering("OK").await;
    pod.client()
        .create_keyspace(node(), "ks", &factors(&[("dc2", 1), ("dc1", 3)]))
        .await
        .unwrap();
    let request = pod.request().await;
    assert_eq!(request.line, "POST /api/v0/ops/keyspace/create HTTP/1.1");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["host"], "10.1.2.3:8080");
    assert_eq!(
        request.body,
        r#"{"keyspace_name":"ks","replication_settings":[{"dc_name":"dc1","replication_factor":"3"},{"dc_name":"dc2","replication_factor":"1"}]}"#
    );
}

#[tokio::test]
async fn a_keyspace_is_altered_with_the_complete_map() {
    let mut pod = Pod::start(vec![Act::Say(status("201 Created", ""))]).await;
    pod.client()
        .alter_keyspace(node(), "system_auth", &factors(&[("Dc One", 3)]))
        .await
        .unwrap();
    let request = pod.request().await;
    assert_eq!(request.line, "POST /api/v0/ops/keyspace/alter HTTP/1.1");
    assert_eq!(
        request.body,
        r#"{"keyspace_name":"system_auth","replication_settings":[{"dc_name":"Dc One","replication_factor":"3"}]}"#
    );
}

#[tokio::test]
async fn schema_versions_are_read() {
    let one = r#"{"2207c2a9-f598-3971-986b-2926e09e239d":["10.244.1.4","10.244.2.3"],"UNREACHABLE":["10.244.3.3"]}"#;
    let mut pod = Pod::start(vec![Act::Say(ok(one))]).await;
    let client = pod.client();
    let versions = client.schema_versions(node()).await.unwrap();
    assert_eq!(
        versions["2207c2a9-f598-3971-986b-2926e09e239d"],
        ["10.244.1.4", "10.244.2.3"]
    );
    assert_eq!(versions[management_api::UNREACHABLE], ["10.244.3.3"]);
    let request = pod.request().await;
    assert_eq!(request.line, "GET /api/v1/ops/node/schema/versions HTTP/1.1");
    assert_eq!(request.headers.get("content-type"), None);
}

#[tokio::test]
async fn endpoint_states_are_read_from_their_envelope() {
    let mut pod = Pod::answering(
        r#"{"entity":[{"DC":"dc1","ENDPOINT_IP":"10.244.1.4","HOST_ID":"9a2a","IS_ALIVE":"true","IS_LOCAL":"true",
            "LOAD":"123.0","RACK":"r1","RPC_READY":"true","STATUS":"NORMAL,-99","STATUS_WITH_PORT":"NORMAL,-99",
            "TOKENS":"\u0000\u0001"},
            {"DC":"dc2","ENDPOINT_IP":"fd00:0:0:0:0:0:0:7","HOST_ID":"77b1","IS_ALIVE":"false","RACK":"r2",
            "STATUS_WITH_PORT":"LEFT,-7,1690000000000"}],
            "variant":{"language":null,"mediaType":{"type":"application"},"encoding":null},"annotations":[],
            "mediaType":{"type":"application","subtype":"json"},"language":null,"encoding":null}"#,
    )
    .await;
    let states = pod.client().endpoints(node()).await.unwrap();
    assert_eq!(
        pod.request().await.line,
        "GET /api/v0/metadata/endpoints HTTP/1.1"
    );
    let read: Vec<_> = states
        .iter()
        .map(|s| {
            let text = |t: &Option<String>| t.clone().unwrap_or_default();
            format!(
                "{} {} {} {} {} {}",
                s.address,
                text(&s.host_id),
                text(&s.datacenter),
                text(&s.rack),
                text(&s.status),
                s.alive
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            "10.244.1.4 9a2a dc1 r1 NORMAL true",
            "fd00::7 77b1 dc2 r2 LEFT false"
        ]
    );
    assert!(states[0].is_normal() && !states[1].is_normal());
}

#[tokio::test]
async fn an_answer_in_chunks_is_put_together() {
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[\"a\r\n2\r\n\"]\r\n0\r\n\r\n".to_vec();
    let pod = Pod::start(vec![Act::Say(chunked)]).await;
    assert_eq!(pod.client().keyspaces(node()).await.unwrap(), ["a"]);
}

#[tokio::test]
async fn an_answer_is_complete_though_the_pod_keeps_the_connection() {
    let pod = Pod::start(vec![Act::SayAndHang(ok(r#"["a"]"#))]).await;
    assert_eq!(pod.client().keyspaces(node()).await.unwrap(), ["a"]);
}

#[tokio::test]
async fn the_first_pod_that_answers_is_the_last_one_asked() {
    let mut pod = Pod::start(vec![
        Act::Say(status("500 Internal Server Error", "no")),
        Act::Say(ok(r#"["a"]"#)),
        Act::Say(ok(r#"["never asked"]"#)),
    ])
    .await;
    let nodes = [1, 2, 3].map(|last| Node::new([10, 0, 0, last].into()));
    let client = pod.client();
    let api: &dyn ManagementApi = &client;
    let names = first_answer(Call::Keyspaces, &nodes, |node| api.keyspaces(node))
        .await
        .unwrap();
    assert_eq!(names, ["a"]);
    assert_eq!(pod.request().await.headers["host"], "10.0.0.1:8080");
    assert_eq!(pod.request().await.headers["host"], "10.0.0.2:8080");
    assert_eq!(pod.more_requests(), 0);
}
