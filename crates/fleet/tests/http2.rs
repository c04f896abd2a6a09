//! What HTTP/2 costs: limits of streams and windows, and connections that die in silence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up fails"
)]

mod loopback;

use std::collections::BTreeSet;
use std::time::Duration;

use fleet::{FleetOptions, PlaneCache, PlaneLink};
use http::Version;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::runtime::watcher;
use loopback::{MAP, Server, World, endless, eventually, fleet_of, map, options, register};
use runtime::{Key, Metrics, Queue};

fn maps<C: Send + Sync>(world: &World<C>) -> Api<ConfigMap> {
    Api::namespaced(world.fleet.plane("east").unwrap().client(), "db")
}

/// Connections on which the server heard watches (or anything else).
fn connections(server: &Server, watches: bool) -> BTreeSet<usize> {
    server
        .asked()
        .iter()
        .filter(|asked| asked.is_watch() == watches)
        .map(|asked| asked.connection)
        .collect()
}

/// Starts `count` watches of a plane (none of the control plane), each of one ConfigMap of its own.
fn many_watches(count: usize) -> impl Fn(&PlaneLink) -> Vec<PlaneCache<String>> + Send + Sync + 'static {
    move |link| {
        let count = if link.context.is_empty() { 0 } else { count };
        (0..count)
            .map(|number| watch_one(link, &format!("m{number}")))
            .collect()
    }
}

fn watch_one(link: &PlaneLink, name: &str) -> PlaneCache<String> {
    let queue = Queue::new("test", &Metrics::new());
    link.watch(
        "configmaps",
        Api::<ConfigMap>::all,
        watcher::Config::default().fields(&format!("metadata.name={name}")),
        |object| object.data?.remove("key"),
        std::sync::Arc::new(|_, _| vec![]),
        &queue,
    )
}

async fn world_with_watches(
    server: &Server,
    count: usize,
    options: FleetOptions,
) -> World<Vec<PlaneCache<String>>> {
    let home = Server::start();
    register(&home, "east", &server.kubeconfig("east"));
    let world = World::with(home, options, many_watches(count));
    world.fleet.synced(Duration::from_secs(20)).await;
    world
}

#[tokio::test]
async fn requests_and_watches_have_connections_of_their_own() {
    let server = Server::start();
    let world = world_with_watches(&server, 5, options()).await;
    server.put(MAP, map("v"));
    for _ in 0..20 {
        maps(&world).get("m").await.unwrap();
    }
    eventually("five watches", || server.watchers("/api/v1/configmaps") == 5).await;
    let asked = server.asked();
    assert!(asked.iter().all(|asked| asked.version == Version::HTTP_2));
    let gets: BTreeSet<_> = asked
        .iter()
        .filter(|asked| asked.path == MAP)
        .map(|asked| asked.connection)
        .collect();
    let watches = connections(&server, true);
    assert!(gets.is_disjoint(&watches), "{gets:?} {watches:?}");
    assert_eq!((gets.len(), watches.len()), (1, 1));
}

#[tokio::test]
async fn more_watches_than_a_connection_carries_get_another_one() {
    let server = Server::start();
    let world = world_with_watches(&server, 150, options()).await;
    eventually("150 watches", || server.watchers("/api/v1/configmaps") == 150).await;
    let plane = world.fleet.plane("east").unwrap();
    eventually("all listed", || {
        plane.caches.iter().all(|cache| cache.blind().is_none())
    })
    .await;
    let mut by_connection = std::collections::BTreeMap::<_, usize>::new();
    for asked in server.asked().iter().filter(|asked| asked.is_watch()) {
        *by_connection.entry(asked.connection).or_default() += 1;
    }
    assert!(
        by_connection.values().all(|watches| *watches <= 60),
        "{by_connection:?}"
    );
    server.put(MAP, map("v"));
    maps(&world).get("m").await.unwrap();
}

#[tokio::test]
async fn a_watch_that_floods_does_not_stop_the_others_of_its_connection() {
    let server = Server::start();
    // Lines that never end within their limit, on the watches of m0 to m2.
    let flooded = |query: &str| (0..3).any(|number| query.contains(&format!("metadata.name%3Dm{number}&")));
    server.answer(move |asked| (asked.is_watch() && flooded(&asked.query)).then(|| endless(b' ')));
    let world = world_with_watches(&server, 4, options()).await;
    eventually("the quiet one watches", || {
        server.watchers("/api/v1/configmaps") >= 1
    })
    .await;
    server.put("/api/v1/namespaces/db/configmaps/m3", map("seen"));
    let plane = world.fleet.plane("east").unwrap();
    eventually("its event comes through", || {
        plane.caches[3].last(&Key::new("db", "m3")).is_some()
    })
    .await;
    maps(&world).get("m3").await.unwrap();
}

#[tokio::test]
async fn a_server_without_http_2_is_spoken_to_in_http_1() {
    for protocols in [&["http/1.1"][..], &[]] {
        let server = Server::speaking(protocols);
        let world = fleet_of(&[("east", &server)], options()).await;
        server.put(MAP, map("v"));
        maps(&world).get("m").await.unwrap();
        let plane = world.fleet.plane("east").unwrap();
        eventually("the watch too", || {
            plane.caches.last(&Key::new("db", "m")).is_some()
        })
        .await;
        assert!(
            server
                .asked()
                .iter()
                .all(|asked| asked.version == Version::HTTP_11)
        );
    }
}

#[tokio::test]
async fn a_connection_that_died_in_silence_is_given_up_also_while_idle() {
    let server = Server::start();
    let world = fleet_of(&[("east", &server)], options()).await;
    world.fleet.synced(Duration::from_secs(10)).await;
    server.put(MAP, map("old"));
    maps(&world).get("m").await.unwrap();
    let before = server.connections();
    server.freeze();
    eventually("new connections are tried", || server.connections() > before).await;
    server.thaw();
    let plane = world.fleet.plane("east").unwrap();
    server.put(MAP, map("new"));
    let current = || {
        plane
            .caches
            .last(&Key::new("db", "m"))
            .is_some_and(|data| data["key"] == "new")
    };
    eventually("the watch works again", current).await;
    eventually("the plane is reachable again", || {
        plane.health() == fleet::Health::Reachable
    })
    .await;
    maps(&world).get("m").await.unwrap();
}

#[tokio::test]
async fn a_handshake_that_hangs_ends_at_the_connect_deadline() {
    let server = Server::start();
    server.freeze();
    let begun = std::time::Instant::now();
    let world = fleet_of(&[("east", &server)], options()).await;
    let error = maps(&world).get("m").await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(!matches!(error, kube::Error::Api(_)), "{error}");
}
