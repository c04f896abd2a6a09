//! Planes that come, change and go while the program runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up fails"
)]

mod loopback;

use std::sync::Arc;
use std::time::Duration;

use api::grants::Grants;
use api::names::reason;
use fleet::{Plane, RefusalReason, Verdict, reasons};
use loopback::{
    ConfigMaps, MAP, Server, World, eventually, fleet_of, map, options, put_client_config, put_secret,
    register, remove_client_config, watch_config_maps,
};
use runtime::Key;
use serde_json::json;

fn key(name: &str) -> Key {
    Key::new("ns", name)
}

fn refusal(world: &World<ConfigMaps>, name: &str) -> Option<RefusalReason> {
    match world.fleet.verdict(&key(name))? {
        Verdict::Refused(refusal) => Some(refusal.reason),
        _ => None,
    }
}

async fn is_refused(world: &World<ConfigMaps>, name: &str, why: RefusalReason) {
    eventually(why.as_str(), || refusal(world, name) == Some(why)).await;
}

fn plane(world: &World<ConfigMaps>, context: &str) -> Arc<Plane<ConfigMaps>> {
    world.fleet.plane(context).unwrap()
}

#[tokio::test]
async fn a_plane_comes_and_goes_at_run_time() {
    let east = Server::start();
    let world = fleet_of(&[], options()).await;
    world.fleet.synced(Duration::from_secs(10)).await;
    assert_eq!(
        world.fleet.plane("east").err().unwrap().reason,
        reason::UNKNOWN_CONTEXT
    );
    let told = world.changes();
    register(&world.home, "east", &east.kubeconfig("east"));
    eventually("engaged", || world.fleet.plane("east").is_ok()).await;
    assert!(world.changes() > told);
    assert_eq!(
        world.fleet.verdict(&key("east")),
        Some(Verdict::Engaged("east".into()))
    );
    eventually("watched", || east.watchers("/api/v1/configmaps") == 1).await;
    let contexts: Vec<_> = world
        .fleet
        .planes()
        .iter()
        .map(|plane| plane.context().to_owned())
        .collect();
    assert_eq!(contexts, ["", "east"]);
    let held = plane(&world, "east");
    remove_client_config(&world.home, "east");
    eventually("gone", || world.fleet.plane("east").is_err()).await;
    assert_eq!(
        world.fleet.plane("east").err().unwrap().reason,
        reason::UNKNOWN_CONTEXT
    );
    assert!(
        held.caches.blind().is_some(),
        "who still holds it learns nothing more"
    );
    drop(held);
    eventually("its watches end", || east.watchers("/api/v1/configmaps") == 0).await;
}

#[tokio::test]
async fn the_control_plane_is_the_plane_without_a_name() {
    let world = fleet_of(&[], options()).await;
    world.home.put(MAP, map("v"));
    world.fleet.synced(Duration::from_secs(10)).await;
    let local = plane(&world, "");
    eventually("its id", || local.id().is_some()).await;
    eventually("its objects", || {
        local.caches.last(&Key::new("db", "m")).is_some()
    })
    .await;
    assert!(matches!(
        local
            .read::<k8s_openapi::api::core::v1::ConfigMap>("db", "m", None)
            .await,
        api::seen::Seen::Present(_)
    ));
}

#[tokio::test]
async fn before_the_first_list_nothing_is_said_of_a_context() {
    let home = Server::start();
    home.answer_slowly(|asked| {
        asked
            .path
            .ends_with("/clientconfigs")
            .then(|| Box::pin(std::future::pending()) as _)
    });
    let world = World::with(home, options(), watch_config_maps());
    assert_eq!(
        world.fleet.plane("east").err().unwrap().reason,
        reasons::CLIENT_CONFIGS_NOT_LISTED
    );
    assert!(world.fleet.plane("").is_ok());
}

#[tokio::test]
async fn the_same_kubeconfig_again_changes_nothing() {
    let east = Server::start();
    let world = fleet_of(&[("east", &east)], options()).await;
    let before = plane(&world, "east");
    put_secret(&world.home, "east", &east.kubeconfig("east"));
    put_client_config(
        &world.home,
        "east",
        &json!({"kubeConfigSecret": {"name": "east"}, "contextName": "east"}),
    );
    // A later change that is seen proves that these have been seen.
    register(&world.home, "west", &east.kubeconfig("west"));
    eventually("west", || world.fleet.plane("west").is_ok()).await;
    assert!(Arc::ptr_eq(&before, &plane(&world, "east")));
}

#[tokio::test]
async fn new_credentials_replace_the_plane_and_are_used() {
    let (east, west) = (Server::start(), Server::start());
    let world = fleet_of(&[("east", &east), ("west", &west)], options()).await;
    let (before, neighbour) = (plane(&world, "east"), plane(&world, "west"));
    put_secret(&world.home, "east", &east.kubeconfig_with("east", "rotated"));
    eventually("replaced", || {
        world
            .fleet
            .plane("east")
            .is_ok_and(|plane| !Arc::ptr_eq(&plane, &before))
    })
    .await;
    let used = || {
        east.asked()
            .iter()
            .any(|asked| asked.token.as_deref() == Some("Bearer rotated"))
    };
    eventually("the new token", used).await;
    assert!(Arc::ptr_eq(&neighbour, &plane(&world, "west")));
    drop(before);
    eventually("one watch left", || east.watchers("/api/v1/configmaps") == 1).await;
}

#[tokio::test]
async fn a_secret_that_changes_all_the_time_rebuilds_once_a_second_and_the_last_one_counts() {
    let east = Server::start();
    let world = fleet_of(&[("east", &east)], options()).await;
    let mut made = 0;
    let mut last = plane(&world, "east");
    for number in 0..100 {
        put_secret(
            &world.home,
            "east",
            &east.kubeconfig_with("east", &format!("t{number}")),
        );
        tokio::task::yield_now().await;
        let now = plane(&world, "east");
        made += usize::from(!Arc::ptr_eq(&now, &last));
        last = now;
    }
    let used = || {
        east.asked()
            .iter()
            .any(|asked| asked.token.as_deref() == Some("Bearer t99"))
    };
    eventually("the last token", used).await;
    let tokens: std::collections::BTreeSet<_> =
        east.asked().into_iter().filter_map(|asked| asked.token).collect();
    assert!(made <= 1 && tokens.len() <= 4, "{made} {tokens:?}");
}

#[tokio::test]
async fn each_refusal_is_told_heals_and_leaves_the_others_alone() {
    let (east, west) = (Server::start(), Server::start());
    let world = fleet_of(&[("east", &east), ("west", &west)], options()).await;
    let neighbour = plane(&world, "west");
    let good = east.kubeconfig("east");
    world.home.delete("/api/v1/namespaces/ns/secrets/east");
    is_refused(&world, "east", RefusalReason::SecretMissing).await;
    let unknown = world.fleet.plane("east").err().unwrap();
    assert_eq!(unknown.reason, "SecretMissing");
    assert!(unknown.message.contains("Secret ns/east"), "{}", unknown.message);
    world.home.put(
        "/api/v1/namespaces/ns/secrets/east",
        json!({"metadata": {}, "data": {"other": "eA=="}}),
    );
    is_refused(&world, "east", RefusalReason::KubeconfigKeyMissing).await;
    put_secret(
        &world.home,
        "east",
        &good.replace("user: {token: tok}", "user: {exec: {command: sh}}"),
    );
    is_refused(&world, "east", RefusalReason::ExecRefused).await;
    put_client_config(&world.home, "east", &json!({}));
    is_refused(&world, "east", RefusalReason::SecretNotNamed).await;
    register(&world.home, "east", &good);
    eventually("healed", || world.fleet.plane("east").is_ok()).await;
    assert!(Arc::ptr_eq(&neighbour, &plane(&world, "west")));
}

#[tokio::test]
async fn of_two_with_one_context_the_older_gives_the_plane() {
    let (east, other) = (Server::start(), Server::start());
    let world = fleet_of(&[("east", &east)], options()).await;
    let before = plane(&world, "east");
    put_secret(&world.home, "second", &other.kubeconfig("east"));
    put_client_config(
        &world.home,
        "second",
        &json!({"contextName": "east", "kubeConfigSecret": {"name": "second"}}),
    );
    is_refused(&world, "second", RefusalReason::DuplicateContext).await;
    assert!(Arc::ptr_eq(&before, &plane(&world, "east")));
    assert_eq!(other.connections(), 0);
    remove_client_config(&world.home, "east");
    eventually("the second takes over", || {
        world
            .fleet
            .plane("east")
            .is_ok_and(|plane| plane.host() == other.url().trim_start_matches("https://"))
    })
    .await;
}

#[tokio::test]
async fn no_secret_is_read_that_no_client_config_names() {
    let east = Server::start();
    let world = fleet_of(&[("east", &east)], options()).await;
    put_secret(&world.home, "private", "nobody's business");
    let asked = world.home.asked();
    let secrets: Vec<_> = asked
        .iter()
        .filter(|asked| asked.path.contains("/secrets"))
        .collect();
    assert!(!secrets.is_empty());
    for asked in secrets {
        assert_eq!(asked.path, "/api/v1/namespaces/ns/secrets");
        assert!(
            asked.query.contains("fieldSelector=metadata.name%3Deast"),
            "{}",
            asked.query
        );
    }
}

#[tokio::test]
async fn only_namespaces_that_are_looked_at_count() {
    let east = Server::start();
    let home = Server::start();
    register(&home, "east", &east.kubeconfig("east"));
    let mut options = options();
    options.namespaces = vec!["db".into(), "elsewhere".into()];
    let world = World::with(home, options, watch_config_maps());
    world.fleet.synced(Duration::from_secs(10)).await;
    assert_eq!(
        world.fleet.plane("east").err().unwrap().reason,
        reason::UNKNOWN_CONTEXT
    );
    let unknown = plane(&world, "").caches.see(&Key::new("ns", "m"));
    assert_eq!(unknown.unknown().unwrap().reason, reasons::NAMESPACE_NOT_WATCHED);
    assert!(matches!(
        plane(&world, "").caches.see(&Key::new("db", "m")),
        api::seen::Seen::NotListed
    ));
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused_by_tls() {
    let east = Server::start();
    let home = Server::start();
    let foreign = loopback::Authority::new().pem();
    let kubeconfig = loopback::kubeconfig("east", &east.url(), &foreign, "tok");
    register(&home, "east", &kubeconfig);
    let world = World::with(home, options(), watch_config_maps());
    eventually("unreachable", || {
        world.fleet.plane("east").is_ok_and(|plane| {
            matches!(plane.health(), fleet::Health::Unreachable { unknown, .. } if unknown.message.contains("TLS: "))
        })
    })
    .await;
    assert!(east.asked().is_empty(), "no token was sent");
}

#[tokio::test]
async fn the_name_to_expect_in_the_certificate_can_be_given() {
    let east = Server::start();
    let home = Server::start();
    for (context, name) in [("east", "plane.test"), ("west", "other.test")] {
        let kubeconfig = east.kubeconfig(context).replace(
            "cluster: {server",
            &format!("cluster: {{tls-server-name: {name}, server"),
        );
        register(&home, context, &kubeconfig);
    }
    let world = World::with(home, options(), watch_config_maps());
    let health = |context: &str| world.fleet.plane(context).map(|plane| plane.health());
    eventually("east", || health("east") == Ok(fleet::Health::Reachable)).await;
    eventually("west", || {
        matches!(health("west"), Ok(fleet::Health::Unreachable { .. }))
    })
    .await;
}

#[tokio::test]
async fn whom_a_client_config_lets_in_is_known_and_a_change_of_it_is_told() {
    let east = Server::start();
    let world = fleet_of(&[("east", &east)], options()).await;
    assert_eq!(world.fleet.grants("east"), Grants::Everybody);
    let (before, told) = (plane(&world, "east"), world.changes());
    let path = "/apis/config.k8ssandra.io/v1beta1/namespaces/ns/clientconfigs/east";
    world.home.put(
        path,
        json!({"metadata": {"annotations": {"ringspan.io/grants": "{}"}}, "spec": {"kubeConfigSecret": {"name": "east"}}}),
    );
    let nobody = Grants::read(Some("{}"), false);
    eventually("nobody is let in", || world.fleet.grants("east") == nobody).await;
    eventually("that is told", || world.changes() > told).await;
    assert!(
        Arc::ptr_eq(&before, &plane(&world, "east")),
        "it is the same plane all the same"
    );
}

#[tokio::test]
async fn where_grants_are_required_nobody_is_let_in_without_one() {
    let east = Server::start();
    let mut options = options();
    options.require_grants = true;
    let world = fleet_of(&[("east", &east)], options).await;
    assert_eq!(world.fleet.grants("east"), Grants::read(Some("{}"), false));
    assert_eq!(world.fleet.grants(""), Grants::OwnNamespace);
}
