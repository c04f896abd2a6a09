use super::*;
use crate::ring::Identity;

fn one_node() -> (Management, Ipv4Addr) {
    let (rings, address) = (Rings::default(), Ipv4Addr::new(198, 18, 0, 1));
    let node = NodeId {
        plane: "p".into(),
        namespace: "ns".into(),
        pod: "a".into(),
    };
    let identity = Identity {
        cluster: "ring".into(),
        datacenter: "dc1".into(),
        rack: "r1".into(),
        tokens: 16,
        system_replication: Replication::new(),
    };
    {
        let mut world = rings.lock();
        world.pod_runs(&node, identity, address, "disk");
        world.start(&node);
        world.boot(&node, &[address], "host");
    }
    (Management::new(rings, Pace::new(1.0, 1, 0.0)), address)
}

/// A second node in the ring of the first.
fn joined(management: &Management, first: Ipv4Addr) -> NodeId {
    let node = NodeId {
        plane: "p".into(),
        namespace: "ns".into(),
        pod: "b".into(),
    };
    let mut world = management.rings.lock();
    let identity = world.processes.values().next().unwrap().identity.clone();
    world.pod_runs(&node, identity, Ipv4Addr::new(198, 18, 0, 2), "disk-2");
    world.start(&node);
    world.boot(&node, &[first], "host-2");
    node
}

fn call(
    management: &Management,
    address: Ipv4Addr,
    method: &Method,
    uri: &str,
    body: Value,
) -> (u16, String) {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let answer = management.answer(
        address,
        &Call {
            method,
            path,
            query,
            body,
        },
    );
    (answer.status.as_u16(), answer.body)
}

#[test]
fn a_keyspace_is_created_listed_and_altered() {
    let (management, node) = one_node();
    let body = json!({
        "keyspace_name": "my ks",
        "replication_settings": [{"dc_name": "dc1", "replication_factor": "3"}],
    });
    let get = |uri: &str| call(&management, node, &Method::GET, uri, Value::Null);
    let post = |uri: &str, body: &Value| call(&management, node, &Method::POST, uri, body.clone());
    assert_eq!(post("/api/v0/ops/keyspace/create", &body).0, 200);
    let again = json!({
        "keyspace_name": "my ks",
        "replication_settings": [{"dc_name": "dc1", "replication_factor": "1"}],
    });
    assert_eq!(post("/api/v0/ops/keyspace/create", &again).0, 200);
    assert_eq!(get("/api/v0/ops/keyspace?keyspaceName=my+ks").1, r#"["my ks"]"#);
    assert_eq!(get("/api/v0/ops/keyspace?keyspaceName=other").1, "[]");
    let all: Vec<String> = serde_json::from_str(&get("/api/v0/ops/keyspace").1).unwrap();
    assert_eq!(
        all,
        [
            "my ks",
            "system",
            "system_auth",
            "system_distributed",
            "system_schema",
            "system_traces"
        ]
    );
    let (status, body) = get("/api/v0/ops/keyspace/replication?keyspaceName=my%20ks");
    assert_eq!((status, body.contains(r#""dc1":"3""#)), (200, true));
    let unknown = json!({
        "keyspace_name": "my ks",
        "replication_settings": [{"dc_name": "dc2", "replication_factor": "1"}],
    });
    assert_eq!(post("/api/v0/ops/keyspace/alter", &unknown).0, 500);
    assert_eq!(get("/api/v0/ops/keyspace/replication?keyspaceName=none").0, 404);
}

#[test]
fn a_node_that_is_not_up_answers_500_and_an_address_without_pod_502() {
    let (management, node) = one_node();
    let endpoints = |address| {
        call(
            &management,
            address,
            &Method::GET,
            "/api/v0/metadata/endpoints",
            Value::Null,
        )
    };
    assert!(endpoints(node).1.contains(r#""HOST_ID":"host""#));
    assert_eq!(
        call(
            &management,
            node,
            &Method::POST,
            "/api/v0/ops/node/drain",
            Value::Null
        )
        .0,
        200
    );
    assert_eq!(endpoints(node).0, 500);
    assert_eq!(endpoints(Ipv4Addr::new(198, 18, 0, 9)).0, 502);
}

#[test]
fn a_member_that_is_down_shows_as_unreachable() {
    let (management, node) = one_node();
    let other = joined(&management, node);
    management.rings.lock().pod_gone(&other);
    let (_, body) = call(
        &management,
        node,
        &Method::GET,
        "/api/v1/ops/node/schema/versions",
        Value::Null,
    );
    assert!(body.contains(r#""UNREACHABLE":["198.18.0.2"]"#), "{body}");
}

#[tokio::test(start_paused = true)]
async fn gossip_tells_of_a_node_that_has_left_for_three_days() {
    let (management, node) = one_node();
    let other = joined(&management, node);
    {
        let mut world = management.rings.lock();
        world.decommission(&other).unwrap();
        world.left(&other);
        world.pod_gone(&other);
    }
    let told = || {
        let uri = "/api/v0/metadata/endpoints";
        let (_, body) = call(&management, node, &Method::GET, uri, Value::Null);
        let body: Value = serde_json::from_str(&body).unwrap();
        let of = |one: &Value| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            let status = text("STATUS_WITH_PORT").split(',').next().unwrap().to_owned();
            (text("HOST_ID"), status, text("IS_ALIVE"))
        };
        let all: Vec<_> = body["entity"].as_array().unwrap().iter().map(of).collect();
        all
    };
    let entry =
        |host: &str, status: &str, alive: &str| (host.to_owned(), status.to_owned(), alive.to_owned());
    let first = entry("host", "NORMAL", "true");
    assert_eq!(told(), [first.clone(), entry("host-2", "LEFT", "false")]);
    tokio::time::advance(Duration::from_hours(72)).await;
    assert_eq!(told(), [first]);
}
