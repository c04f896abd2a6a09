//! How a plane that is lost is noticed, and how its return is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up fails"
)]

mod loopback;

use std::time::{Duration, Instant};

use api::names::reason;
use api::seen::Seen;
use fleet::{Deadlines, FleetOptions, Health};
use loopback::{ConfigMaps, MAP, Server, World, eventually, fleet_of, json, map, options, status, within};
use runtime::Key;

/// 12 s with the real deadlines.
const NOTICED: Duration = Duration::from_millis(1200);
/// 15 s with the real deadlines, and what the machine needs.
const BACK: Duration = Duration::from_millis(1500 + 1000);

fn key() -> Key {
    Key::new("db", "m")
}

async fn plane(options: FleetOptions) -> (Server, World<ConfigMaps>) {
    let server = Server::start();
    server.put(MAP, map("v"));
    let world = fleet_of(&[("east", &server)], options).await;
    world.fleet.synced(Duration::from_secs(10)).await;
    let plane = world.fleet.plane("east").unwrap();
    assert!(matches!(plane.caches.see(&key()), Seen::Present(_)));
    assert_eq!(plane.health(), Health::Reachable);
    (server, world)
}

fn lost(world: &World<ConfigMaps>) -> bool {
    matches!(
        world.fleet.plane("east").unwrap().health(),
        Health::Unreachable { .. }
    )
}

/// Losing it is told, makes what was seen unknown, and keeps the last value; its return is told too.
async fn is_lost_and_comes_back(world: &World<ConfigMaps>, noticed: Duration, back: impl AsyncFnOnce()) {
    let plane = world.fleet.plane("east").unwrap();
    let told = world.changes();
    within(noticed, "the plane is unreachable", || lost(world)).await;
    let seen = plane.caches.see(&key());
    assert_eq!(
        seen.unknown().map(|unknown| unknown.reason.as_str()),
        Some(reason::PLANE_UNREACHABLE),
        "{seen:?}"
    );
    assert!(plane.caches.list().is_err());
    assert!(plane.caches.last(&key()).is_some());
    eventually("it is told", || world.changes() > told).await;
    back().await;
    let told = world.changes();
    within(BACK, "the plane is back", || plane.health() == Health::Reachable).await;
    eventually("its watch is back", || {
        matches!(plane.caches.see(&key()), Seen::Present(_))
    })
    .await;
    eventually("that is told", || world.changes() > told).await;
}

#[tokio::test]
async fn a_plane_that_refuses_is_lost_and_comes_back() {
    let (server, world) = plane(options()).await;
    server.refuse();
    is_lost_and_comes_back(&world, NOTICED, async || server.accept_again()).await;
}

#[tokio::test]
async fn a_plane_that_falls_silent_is_lost_and_comes_back() {
    let (server, world) = plane(options()).await;
    server.freeze();
    is_lost_and_comes_back(&world, NOTICED, async || server.thaw()).await;
}

#[tokio::test]
async fn a_plane_that_answers_500_is_lost_and_comes_back() {
    let (server, world) = plane(options()).await;
    server.answer(|_| Some(json(500, &status(500, "InternalError", "", ""))));
    server.end_watches();
    is_lost_and_comes_back(&world, NOTICED, async || server.behave()).await;
}

#[tokio::test]
async fn a_failing_read_is_enough_to_notice() {
    let (server, world) = plane(options()).await;
    // Open watches stay open, as they do while etcd is gone.
    server.answer(|_| Some(json(500, &status(500, "InternalError", "", ""))));
    let seen: Seen<k8s_openapi::api::core::v1::ConfigMap> =
        world.fleet.plane("east").unwrap().read("db", "m", None).await;
    assert!(seen.unknown().is_some());
    within(NOTICED, "the plane is unreachable", || lost(&world)).await;
}

#[tokio::test]
async fn a_plane_that_rejects_our_credentials_says_so() {
    let (server, world) = plane(options()).await;
    server.answer(|_| Some(json(401, &status(401, "Unauthorized", "", ""))));
    server.end_watches();
    within(NOTICED, "the plane is unreachable", || lost(&world)).await;
    let Health::Unreachable { unknown, .. } = world.fleet.plane("east").unwrap().health() else {
        panic!()
    };
    assert_eq!(unknown.reason, reason::PLANE_FORBIDDEN);
}

#[tokio::test]
async fn a_plane_that_was_never_there_is_lost_at_once_and_found_when_it_comes() {
    let server = Server::start();
    server.refuse();
    let world = fleet_of(&[("east", &server)], options()).await;
    within(NOTICED, "the plane is unreachable", || lost(&world)).await;
    let begun = Instant::now();
    world.fleet.synced(Duration::from_secs(10)).await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "a dead plane does not hold the start"
    );
    server.accept_again();
    let plane = world.fleet.plane("east").unwrap();
    within(BACK, "the plane is back", || plane.health() == Health::Reachable).await;
}

#[tokio::test]
async fn a_dead_plane_does_not_touch_a_living_one() {
    let (east, west) = (Server::start(), Server::start());
    west.put(MAP, map("v"));
    let world = fleet_of(&[("east", &east), ("west", &west)], options()).await;
    world.fleet.synced(Duration::from_secs(10)).await;
    east.freeze();
    within(NOTICED, "east is unreachable", || lost(&world)).await;
    let living = world.fleet.plane("west").unwrap();
    west.put(MAP, map("new"));
    within(Duration::from_millis(500), "west's event", || {
        living
            .caches
            .last(&key())
            .is_some_and(|data| data["key"] == "new")
    })
    .await;
    assert_eq!(living.health(), Health::Reachable);
}

#[tokio::test]
async fn a_missing_kind_blinds_its_watch_and_not_the_plane() {
    let server = Server::start();
    server.answer(|asked| {
        asked.path.ends_with("/configmaps").then(|| {
            let mut answer = loopback::bytes(404, "404 page not found\n");
            answer
                .headers_mut()
                .insert("content-type", "text/plain".parse().unwrap());
            answer
        })
    });
    let world = fleet_of(&[("east", &server)], options()).await;
    world.fleet.synced(Duration::from_secs(10)).await;
    let plane = world.fleet.plane("east").unwrap();
    assert!(plane.caches.see(&key()).unknown().is_some());
    eventually("reachable", || plane.health() == Health::Reachable).await;
}

#[tokio::test]
async fn a_quiet_plane_is_not_asked_anything() {
    let (server, world) = plane(options()).await;
    eventually("the watch is open", || server.watchers("/api/v1/configmaps") == 1).await;
    server.forget_asked();
    // Something else happens twice, with a keep-alive time between: there was room for a poll.
    for value in ["a", "b"] {
        server.put(MAP, map(value));
        let plane = world.fleet.plane("east").unwrap();
        eventually("event", || {
            plane.caches.last(&key()).is_some_and(|data| data["key"] == value)
        })
        .await;
        tokio::time::timeout(
            options().deadlines.connection.keep_alive,
            std::future::pending::<()>(),
        )
        .await
        .unwrap_err();
    }
    assert!(server.asked().is_empty(), "{:?}", server.asked());
}

#[tokio::test]
async fn another_cluster_at_the_same_address_is_a_new_plane() {
    let (server, world) = plane(options()).await;
    let old = world.fleet.plane("east").unwrap();
    eventually("identified", || old.id().is_some()).await;
    server.delete("/api/v1/namespaces/kube-system");
    server.put(
        "/api/v1/namespaces/kube-system",
        serde_json::json!({"metadata": {"uid": "another"}}),
    );
    server.refuse();
    server.accept_again();
    let id = || world.fleet.plane("east").ok().and_then(|plane| plane.id());
    eventually("the new id", || id().is_some_and(|id| id.0 == "another")).await;
    assert!(
        old.caches.see(&key()).unknown().is_some(),
        "what was seen was seen in the other cluster"
    );
}

#[tokio::test]
async fn with_the_real_deadlines_silence_is_noticed_within_12_s() {
    let mut options = options();
    options.deadlines = Deadlines::default();
    let (server, world) = plane(options).await;
    server.freeze();
    let begun = Instant::now();
    within(Duration::from_secs(12), "the plane is unreachable", || {
        lost(&world)
    })
    .await;
    println!("noticed after {:?}", begun.elapsed());
}
