//! What a healthy watch shows and whom it wakes.

use std::time::Duration;

use runtime::CacheState;
use serde_json::json;

use crate::server::Server;
use crate::world::{World, key, shown, spec, until};

#[tokio::test(start_paused = true)]
async fn a_list_of_several_pages_appears_at_once_and_wakes_each_root_once() {
    let (server, world) = (Server::default(), World::new());
    for number in 0..450 {
        server.put(
            &format!("object-{number:03}"),
            if number % 2 == 0 { "even" } else { "odd" },
            "x",
        );
    }
    let cache = world.watch(spec(&server));
    assert_eq!((cache.state(), cache.listed()), (CacheState::Starting, false));
    cache.synced().await;
    assert_eq!((cache.list().len(), server.lists()), (450, 3));
    assert_eq!(world.passes().await, ["even", "odd"]);
}

#[tokio::test(start_paused = true)]
async fn each_change_wakes_its_root_and_a_deletion_too() {
    let (server, world) = (Server::default(), World::new());
    let cache = world.watch(spec(&server));
    cache.synced().await;
    server.put("a", "east", "1");
    assert_eq!(world.passes().await, ["east"]);
    server.put("a", "east", "2");
    assert_eq!(world.passes().await, ["east"]);
    assert_eq!(cache.get(&key("a")).unwrap().text, "2");
    server.delete("a");
    assert_eq!(world.passes().await, ["east"]);
    assert!(cache.get(&key("a")).is_none());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_moves_wakes_the_root_it_left_and_the_one_it_joined() {
    let (server, world) = (Server::default(), World::new());
    server.put("a", "east", "1");
    world.watch(spec(&server)).synced().await;
    world.passes().await;
    server.put("a", "west", "1");
    assert_eq!(world.passes().await, ["east", "west"]);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_leaves_the_slim_value_equal_wakes_nobody() {
    let (server, world) = (Server::default(), World::new());
    server.put("a", "east", "1");
    world.watch(spec(&server)).synced().await;
    world.passes().await;
    let labels = json!({"labels": {"root": "east", "another": "label"}});
    server.put_value("a", labels, json!({"data": {"text": "1"}}));
    assert_eq!(world.passes().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_not_meant_for_the_cache_any_more_wakes_its_former_root() {
    let (server, world) = (Server::default(), World::new());
    server.put("a", "east", "1");
    let cache = world.watch(spec(&server));
    cache.synced().await;
    world.passes().await;
    server.put_value("a", json!({}), json!({}));
    assert_eq!(world.passes().await, ["east"]);
    assert!(cache.list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_decode_is_left_out_and_named_and_others_are_unaffected() {
    let (server, world) = (Server::default(), World::new());
    server.put("good", "east", "1");
    server.put_value(
        "bad",
        json!({"labels": {"root": "east"}}),
        json!({"data": "no map"}),
    );
    let cache = world.watch(spec(&server));
    cache.synced().await;
    assert_eq!(shown(&cache).into_keys().collect::<Vec<_>>(), ["good"]);
    assert!(cache.unreadable(&key("bad")) && !cache.unreadable(&key("good")));
    world.passes().await;

    server.put_value("good", json!({"labels": {"root": "east"}}), json!({"data": 5}));
    assert_eq!(
        world.passes().await,
        ["east"],
        "what became unreadable wakes its former root"
    );
    server.put("bad", "west", "2");
    assert_eq!(world.passes().await, ["west"]);
    assert!(!cache.unreadable(&key("bad")) && cache.unreadable(&key("good")));
    assert!(
        world
            .metrics
            .render()
            .contains(r#"ringspan_remote_watch_unreadable_total{watch="config-maps"} 2"#)
    );
}

#[tokio::test(start_paused = true)]
async fn managed_fields_are_dropped_unless_asked_for() {
    let (server, world) = (Server::default(), World::new());
    let fields = json!([{"manager": "somebody", "operation": "Update"}]);
    server.put_value(
        "a",
        json!({"labels": {"root": "east"}, "managedFields": fields}),
        json!({}),
    );
    let (without, with) = (
        world.watch(spec(&server)),
        world.watch(spec(&server).with_managed_fields()),
    );
    without.synced().await;
    with.synced().await;
    let managed = |cache: &runtime::Cache<_>| {
        cache
            .get(&key("a"))
            .map(|slim: std::sync::Arc<crate::world::Slim>| slim.managed)
    };
    assert_eq!((managed(&without), managed(&with)), (Some(0), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn several_namespaces_fill_one_cache_and_do_not_empty_each_other() {
    let (server, world) = (Server::default(), World::new());
    for namespace in ["db", "other", "unwatched"] {
        server.put_in(namespace, "a", json!({"labels": {"root": "east"}}), json!({}));
    }
    let cache = world.watch(spec(&server).in_namespaces(&["db".into(), "other".into()]));
    cache.synced().await;
    let names = || {
        cache
            .list()
            .into_iter()
            .map(|(key, _)| key.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(), ["db/a", "other/a"]);
    server.compact();
    server.cut();
    let lists = server.lists();
    until(|| server.lists() >= lists + 2).await;
    world.passes().await;
    assert_eq!(
        (names(), cache.state()),
        (vec!["db/a".into(), "other/a".into()], CacheState::Synced)
    );
}

#[tokio::test(start_paused = true)]
async fn our_own_write_is_seen_before_its_event_and_not_undone_by_an_older_one() {
    let (server, world) = (Server::default(), World::new());
    server.put("a", "east", "1");
    let cache = world.watch(spec(&server));
    cache.synced().await;
    world.passes().await;
    let ours = crate::world::Slim {
        root: "east".into(),
        text: "3".into(),
        managed: 0,
    };
    cache.absorb(key("a"), "3", ours);
    assert_eq!(cache.get(&key("a")).unwrap().text, "3");
    server.put("a", "east", "2");
    assert_eq!(world.passes().await, Vec::<String>::new());
    assert_eq!(
        cache.get(&key("a")).unwrap().text,
        "3",
        "version 2 is older than what we wrote"
    );
    server.put("a", "east", "3");
    assert_eq!(
        world.passes().await,
        ["east"],
        "the answer held what was written before ours, and nobody had been told of that"
    );
    server.put("a", "east", "4");
    assert_eq!(world.passes().await, ["east"]);
}

#[tokio::test(start_paused = true)]
async fn no_request_asks_for_version_zero_and_a_quiet_hour_costs_a_watch_every_five_minutes() {
    let (server, world) = (Server::default(), World::new());
    server.put("a", "east", "1");
    world.watch(spec(&server)).synced().await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    server.compact();
    server.cut();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let asked = server.asked();
    assert!(
        asked.iter().all(|one| !one.uri.contains("resourceVersion=0")),
        "{asked:?}"
    );
    assert!(
        asked
            .iter()
            .all(|one| one.is_watch() || one.uri.contains("limit=200")),
        "{asked:?}"
    );
    assert_eq!(
        (server.lists(), asked.len() - server.lists()),
        (2, 13 + 2),
        "{asked:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stopped_watch_asks_for_nothing_more() {
    let (server, world) = (Server::default(), World::new());
    world.watch(spec(&server)).synced().await;
    world.passes().await;
    world.stop.cancel();
    let asked = server.asked().len();
    server.cut();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(server.asked().len(), asked);
}
