//! What a live read proves, and what it does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up fails"
)]

mod loopback;

use api::cass_operator::CassandraDatacenter;
use api::names::reason;
use api::seen::{PlaneId, Seen};
use fleet::reasons;
use k8s_openapi::api::core::v1::ConfigMap;
use loopback::{
    Answer, Asked, ConfigMaps, MAP, Server, World, bytes, eventually, fleet_of, json, map, options, status,
};
use serde_json::json;

const DC: &str = "/apis/cassandra.datastax.com/v1beta1/namespaces/db/cassandradatacenters/dc1";
const KUBE_SYSTEM: &str = "/api/v1/namespaces/kube-system";
const ROOT_CA: &str = "/api/v1/namespaces/db/configmaps/kube-root-ca.crt";

async fn plane() -> (Server, World<ConfigMaps>) {
    let server = Server::start();
    let world = fleet_of(&[("east", &server)], options()).await;
    let plane = world.fleet.plane("east").unwrap();
    eventually("identified", || plane.id().is_some()).await;
    (server, world)
}

async fn read_dc(world: &World<ConfigMaps>, expected: Option<&PlaneId>) -> Seen<CassandraDatacenter> {
    world
        .fleet
        .plane("east")
        .unwrap()
        .read("db", "dc1", expected)
        .await
}

fn why<T: std::fmt::Debug>(seen: &Seen<T>) -> &str {
    &seen
        .unknown()
        .unwrap_or_else(|| panic!("{seen:?} is not Unknown"))
        .reason
}

fn id(server: &Server) -> PlaneId {
    PlaneId(server.uid(KUBE_SYSTEM))
}

fn at(
    path: &'static str,
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) -> impl Fn(&Asked) -> Option<Answer> + Send + Sync {
    move |asked| (asked.path == path).then(&answer)
}

fn forbidden() -> Answer {
    json(403, &status(403, "Forbidden", "namespaces", "kube-system"))
}

#[tokio::test]
async fn an_object_of_the_expected_plane_is_present() {
    let (server, world) = plane().await;
    server.put(DC, json!({"metadata": {}, "spec": {"size": 3}}));
    let seen = read_dc(&world, Some(&id(&server))).await;
    assert_eq!(seen.present().map(|dc| dc.spec.size), Some(3));
}

#[tokio::test]
async fn a_not_found_that_names_the_object_is_a_proof() {
    let (server, world) = plane().await;
    let Seen::Absent(proof) = read_dc(&world, Some(&id(&server))).await else {
        panic!("not absent")
    };
    assert_eq!(proof.plane, id(&server));
    assert_eq!(
        (&*proof.kind, &*proof.namespace, &*proof.name),
        ("CassandraDatacenter", "db", "dc1")
    );
}

#[tokio::test]
async fn a_kind_that_the_server_does_not_know_is_no_proof() {
    let (server, world) = plane().await;
    server.answer(at(DC, || {
        let mut answer = bytes(404, "404 page not found\n");
        answer
            .headers_mut()
            .insert("content-type", "text/plain".parse().unwrap());
        answer
    }));
    assert_eq!(why(&read_dc(&world, None).await), reason::CASS_OPERATOR_MISSING);
}

#[tokio::test]
async fn a_not_found_about_something_else_is_no_proof() {
    let (server, world) = plane().await;
    for (kind, name) in [("cassandradatacenters", "dc2"), ("namespaces", "dc1"), ("", "")] {
        server.answer(at(DC, move || json(404, &status(404, "NotFound", kind, name))));
        let seen = read_dc(&world, None).await;
        assert!(seen.unknown().is_some(), "{kind} {name}: {seen:?}");
    }
}

#[tokio::test]
async fn another_plane_between_two_reads_is_unknown() {
    let (server, world) = plane().await;
    let expected = id(&server);
    // The address is given to another cluster while the object is asked for.
    let other = json(
        200,
        &json!({"metadata": {"name": "kube-system", "uid": "another"}}),
    );
    let other = http_body_util::BodyExt::collect(other.into_body())
        .await
        .unwrap()
        .to_bytes();
    server.answer(move |asked| (asked.path == KUBE_SYSTEM).then(|| bytes(200, other.clone())));
    let seen = read_dc(&world, Some(&expected)).await;
    assert_eq!(why(&seen), reasons::IDENTITY_CHANGED);
    server.put(DC, json!({"metadata": {}, "spec": {}}));
    let seen = read_dc(&world, Some(&expected)).await;
    assert_eq!(
        why(&seen),
        reasons::IDENTITY_CHANGED,
        "what is there is not ours either"
    );
}

#[tokio::test]
async fn without_kube_system_the_root_ca_of_the_namespace_is_the_id() {
    let (server, world) = plane().await;
    server.answer(at(KUBE_SYSTEM, forbidden));
    server.put(ROOT_CA, map("pem"));
    let weak = PlaneId(format!("cm:db:{}", server.uid(ROOT_CA)));
    let Seen::Absent(proof) = read_dc(&world, Some(&weak)).await else {
        panic!("not absent")
    };
    assert_eq!(proof.plane, weak);
    let Seen::Absent(proof) = read_dc(&world, None).await else {
        panic!("not absent")
    };
    assert_eq!(proof.plane, weak);
}

#[tokio::test]
async fn a_weak_id_is_compared_in_its_own_form_even_where_the_strong_one_is_readable() {
    let (server, world) = plane().await;
    server.put(ROOT_CA, map("pem"));
    let weak = PlaneId(format!("cm:db:{}", server.uid(ROOT_CA)));
    assert!(read_dc(&world, Some(&weak)).await.is_absent());
}

#[tokio::test]
async fn a_root_ca_that_was_made_anew_or_is_missing_proves_nothing() {
    let (server, world) = plane().await;
    server.put(ROOT_CA, map("pem"));
    let weak = PlaneId(format!("cm:db:{}", server.uid(ROOT_CA)));
    server.delete(ROOT_CA);
    assert_eq!(
        why(&read_dc(&world, Some(&weak)).await),
        reasons::IDENTITY_UNKNOWN
    );
    server.put(ROOT_CA, map("pem"));
    assert_eq!(
        why(&read_dc(&world, Some(&weak)).await),
        reasons::IDENTITY_UNKNOWN
    );
}

#[tokio::test]
async fn ids_of_two_forms_are_not_compared() {
    let (server, world) = plane().await;
    let strong = id(&server);
    server.answer(at(KUBE_SYSTEM, forbidden));
    server.put(ROOT_CA, map("pem"));
    assert_eq!(
        why(&read_dc(&world, Some(&strong)).await),
        reasons::IDENTITY_UNKNOWN
    );
}

#[tokio::test]
async fn an_object_that_is_not_the_one_asked_for_is_unknown() {
    let (server, world) = plane().await;
    let good = json!({"name": "dc1", "namespace": "db", "uid": "u", "resourceVersion": "1"});
    for (field, value) in [
        ("name", "dc2"),
        ("namespace", "other"),
        ("uid", ""),
        ("resourceVersion", ""),
    ] {
        let mut metadata = good.clone();
        metadata[field] = json!(value);
        server.answer(at(DC, move || {
            json(200, &json!({"metadata": metadata, "spec": {}}))
        }));
        assert_eq!(
            why(&read_dc(&world, None).await),
            reasons::OBJECT_UNREADABLE,
            "{field}"
        );
    }
    server.answer(at(DC, || {
        bytes(200, "{\"metadata\":{}, \"spec\": secret-looking text")
    }));
    let seen = read_dc(&world, None).await;
    assert!(
        !seen.unknown().unwrap().message.contains("secret-looking"),
        "{seen:?}"
    );
}

#[tokio::test]
async fn refusals_of_the_server_are_named_and_cut() {
    let (server, world) = plane().await;
    server.answer(at(DC, || {
        let mut long = status(403, "Forbidden", "cassandradatacenters", "dc1");
        long["message"] = json!("no\u{1b}[2J".to_owned() + &"x".repeat(10_000));
        json(403, &long)
    }));
    let seen = read_dc(&world, None).await;
    let unknown = seen.unknown().unwrap();
    assert_eq!(unknown.reason, reason::PLANE_FORBIDDEN);
    assert!(
        unknown.message.len() < 400 && !unknown.message.contains('\u{1b}'),
        "{}",
        unknown.message
    );
    server.answer(at(DC, || json(401, &status(401, "Unauthorized", "", ""))));
    assert_eq!(why(&read_dc(&world, None).await), reason::PLANE_FORBIDDEN);
    server.answer(at(DC, || json(500, &status(500, "InternalError", "", ""))));
    assert_eq!(why(&read_dc(&world, None).await), reason::PLANE_UNREACHABLE);
}

#[tokio::test]
async fn a_live_list_follows_its_pages_and_ends_with_who_answered() {
    let (server, world) = plane().await;
    let plane = world.fleet.plane("east").unwrap();
    let path = "/api/v1/namespaces/db/configmaps";
    let item = |name: &str| json!({"metadata": {"name": name, "namespace": "db"}});
    let (first, second) = (item("a"), item("b"));
    server.answer(move |asked| {
        (asked.path == path).then(|| {
            if asked.query.contains("continue=next") {
                json(200, &json!({"metadata": {}, "items": [second]}))
            } else {
                json(200, &json!({"metadata": {"continue": "next"}, "items": [first]}))
            }
        })
    });
    let found = plane
        .list_live::<ConfigMap>(Some("db"), "a=b", Some(&id(&server)))
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    let unknown = plane
        .list_live::<ConfigMap>(Some("db"), "", Some(&PlaneId("other".into())))
        .await
        .unwrap_err();
    assert_eq!(unknown.reason, reasons::IDENTITY_CHANGED);
}

#[tokio::test]
async fn a_list_without_end_or_of_strangers_is_no_list() {
    let server = Server::start();
    let mut options = options();
    options.limits.listed = 50;
    let world = fleet_of(&[("east", &server)], options).await;
    let plane = world.fleet.plane("east").unwrap();
    let item = json!({"metadata": {"name": "a", "namespace": "other"}});
    server.answer(at("/api/v1/configmaps", {
        let item = item.clone();
        move || json(200, &json!({"metadata": {"continue": "again"}, "items": [item]}))
    }));
    let unknown = plane.list_live::<ConfigMap>(None, "", None).await.unwrap_err();
    assert_eq!(unknown.reason, reasons::OBJECT_UNREADABLE);
    server.answer(at("/api/v1/namespaces/db/configmaps", move || {
        json(200, &json!({"metadata": {}, "items": [item]}))
    }));
    let unknown = plane
        .list_live::<ConfigMap>(Some("db"), "", None)
        .await
        .unwrap_err();
    assert_eq!(unknown.reason, reasons::OBJECT_UNREADABLE);
}

#[tokio::test]
async fn no_read_ever_asks_for_an_old_state() {
    let (server, world) = plane().await;
    server.put(MAP, map("v"));
    let plane = world.fleet.plane("east").unwrap();
    plane.list_live::<ConfigMap>(None, "", None).await.unwrap();
    read_dc(&world, None).await;
    let old = |query: &str| query.split('&').any(|pair| pair == "resourceVersion=0");
    assert!(server.asked().iter().all(|asked| !old(&asked.query)));
}

#[tokio::test]
async fn the_server_tells_its_version() {
    let (server, world) = plane().await;
    let plane = world.fleet.plane("east").unwrap();
    assert_eq!(plane.server_version().await.unwrap(), "v1.35.4");
    server.answer(at("/version", || bytes(200, "")));
    assert_eq!(
        plane.server_version().await.unwrap_err().reason,
        reason::PLANE_UNREACHABLE
    );
}
