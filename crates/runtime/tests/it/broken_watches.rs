//! What a watch does when its server fails: the measured hazards of stock clients, each as a test.

use std::time::Duration;

use runtime::{CacheState, WatchErrorKind};
use serde_json::json;
use tokio::time::Instant;

use crate::server::{Mode, Server};
use crate::world::{World, key, shown, spec, until};

fn failed_with(state: &CacheState) -> Option<WatchErrorKind> {
    match state {
        CacheState::Stale { error } => Some(error.kind),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_watch_does_not_delay_another() {
    let (east, west, world) = (Server::default(), Server::default(), World::new());
    west.put("b", "west", "1");
    west.set(Mode::Status(503));
    let (seen, dark) = (world.watch(spec(&east)), world.watch(spec(&west)));
    seen.synced().await;
    tokio::time::sleep(Duration::from_mins(5)).await;
    let before = Instant::now();
    east.put("a", "east", "1");
    until(|| seen.get(&key("a")).is_some()).await;
    assert!(
        before.elapsed() <= Duration::from_millis(10),
        "{:?}",
        before.elapsed()
    );
    assert_eq!(
        (world.passes().await, dark.listed()),
        (vec!["east".to_owned()], false)
    );
    assert!(
        west.asked().len() <= 30,
        "{} requests in 300 s",
        west.asked().len()
    );

    west.set(Mode::Healthy);
    let back = until(|| dark.state() == CacheState::Synced).await;
    assert!(back <= Duration::from_secs(18), "back after {back:?}");
    assert_eq!(world.passes().await, ["west"]);
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_list_is_asked_for_less_than_fifty_times_in_ten_minutes() {
    let (server, world) = (Server::default(), World::new());
    server.set(Mode::Status(403));
    let cache = world.watch(spec(&server));
    tokio::time::sleep(Duration::from_mins(10)).await;
    let asked = server.asked().len();
    assert!((38..50).contains(&asked), "{asked}");
    assert_eq!(failed_with(&cache.state()), Some(WatchErrorKind::Forbidden));
    assert_eq!(
        world.states.lock().unwrap().len(),
        1,
        "the same failure is told once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_forbidden_after_a_good_list_backs_off_too() {
    let (server, world) = (Server::default(), World::new());
    let cache = world.watch(spec(&server));
    cache.synced().await;
    server.set(Mode::Status(403));
    server.cut();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert!(server.asked().len() < 52, "{}", server.asked().len());
    assert_eq!(failed_with(&cache.state()), Some(WatchErrorKind::Forbidden));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_makes_the_cache_stale_within_twelve_seconds() {
    let (server, world) = (Server::default(), World::new());
    server.set(Mode::Hang);
    let cache = world.watch(spec(&server));
    let noticed = until(|| failed_with(&cache.state()) == Some(WatchErrorKind::TimedOut)).await;
    assert!(noticed <= Duration::from_secs(12), "{noticed:?}");
    tokio::time::sleep(Duration::from_mins(10)).await;
    server.set(Mode::Healthy);
    cache.synced().await;
    assert!(
        server
            .asked()
            .iter()
            .all(|one| one.is_watch() || one.uri.contains("limit=200"))
    );
}

#[tokio::test(start_paused = true)]
async fn pauses_are_short_again_after_a_watch_that_worked() {
    let (server, world) = (Server::default(), World::new());
    server.set(Mode::Status(503));
    let cache = world.watch(spec(&server));
    tokio::time::sleep(Duration::from_mins(5)).await;
    server.set(Mode::Healthy);
    until(|| cache.state() == CacheState::Synced).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let before = server.asked().len();
    server.set(Mode::Status(503));
    server.cut();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let asked = server.asked().len() - before;
    assert!(
        (3..=4).contains(&asked),
        "{asked} attempts in 5 s: at once, after 1 s, after 2 s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_resumes_from_its_last_event_or_bookmark() {
    let (server, world) = (Server::default(), World::new());
    let cache = world.watch(spec(&server));
    cache.synced().await;
    let resumed_from = async |requests: usize| {
        tokio::time::sleep(Duration::from_secs(20)).await;
        server.cut();
        until(|| server.asked().len() == requests).await;
        let uri = server.asked()[requests - 1].uri.clone();
        uri.rsplit_once("resourceVersion=")
            .map(|(_, version)| version.to_owned())
    };
    server.say(json!({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "1"}}}));
    assert_eq!(resumed_from(3).await.as_deref(), Some("1"));
    server.put("a", "east", "1");
    assert_eq!(resumed_from(4).await.as_deref(), Some("2"));
    server.delete("a");
    assert_eq!(resumed_from(5).await.as_deref(), Some("3"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_breaks_resumes_unnoticed_and_misses_nothing() {
    let (server, world) = (Server::default(), World::new());
    server.put("a", "east", "1");
    let cache = world.watch(spec(&server));
    cache.synced().await;
    world.passes().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    server.cut();
    server.put("a", "east", "2");
    assert_eq!(world.passes().await, ["east"]);
    assert_eq!((server.lists(), world.states.lock().unwrap().len()), (1, 1));
    assert_eq!(cache.state(), CacheState::Synced);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_refused_or_has_no_answer_once_when_it_resumes_is_not_stale() {
    for trouble in [Mode::Status(500), Mode::Hang] {
        let (server, world) = (Server::default(), World::new());
        server.put("a", "east", "1");
        let cache = world.watch(spec(&server));
        cache.synced().await;
        tokio::time::sleep(Duration::from_secs(20)).await;
        server.set(trouble);
        server.cut();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.set(Mode::Healthy);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!((server.lists(), world.states.lock().unwrap().len()), (1, 1));
        assert_eq!(cache.state(), CacheState::Synced);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_cannot_resume_is_stale_after_two_seconds_and_keeps_its_contents() {
    let (server, world) = (Server::default(), World::new());
    server.put("a", "east", "1");
    let cache = world.watch(spec(&server));
    cache.synced().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    server.set(Mode::Hang);
    server.cut();
    let noticed = until(|| failed_with(&cache.state()).is_some()).await;
    assert!(noticed <= Duration::from_millis(2100), "{noticed:?}");
    assert_eq!(shown(&cache).len(), 1);

    server.set(Mode::Healthy);
    let back = until(|| cache.state() == CacheState::Synced).await;
    assert!(
        back <= Duration::from_secs(14),
        "{back:?}: synced again without any event"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_list_loses_no_deletion() {
    let (server, world) = (Server::default(), World::new());
    for (name, root) in [("stays", "east"), ("goes", "west"), ("changes", "north")] {
        server.put(name, root, "1");
    }
    let cache = world.watch(spec(&server));
    cache.synced().await;
    world.passes().await;
    server.set(Mode::Status(500));
    server.cut();
    server.delete("goes");
    server.put("changes", "north", "2");
    server.put("comes", "south", "1");
    server.compact();
    assert_eq!(world.passes().await, Vec::<String>::new());
    until(|| failed_with(&cache.state()).is_some()).await;
    server.set(Mode::Healthy);
    until(|| cache.state() == CacheState::Synced).await;
    assert_eq!(world.passes().await, ["north", "south", "west"]);
    assert_eq!(
        shown(&cache).into_keys().collect::<Vec<_>>(),
        ["changes", "comes", "stays"]
    );
    assert_eq!(server.lists(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_gone_in_the_middle_of_a_watch_leads_to_one_new_list() {
    let (server, world) = (Server::default(), World::new());
    let cache = world.watch(spec(&server));
    cache.synced().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    server.say(json!({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}));
    until(|| server.lists() == 2).await;
    assert_eq!(
        (cache.state(), world.states.lock().unwrap().len()),
        (CacheState::Synced, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_each_watch_at_once_is_not_hammered_and_counts_as_failing() {
    for mode in [Mode::CloseAtOnce, Mode::CloseAfterAWord] {
        let (server, world) = (Server::default(), World::new());
        server.set(mode);
        let cache = world.watch(spec(&server));
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert!(server.asked().len() < 52, "{mode:?}: {}", server.asked().len());
        let failing = |state: &CacheState| failed_with(state) == Some(WatchErrorKind::Unreachable);
        assert!(
            world.states.lock().unwrap().iter().any(failing),
            "{mode:?}: {:?}",
            cache.state()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_pages_expire_begins_again() {
    let (server, world) = (Server::default(), World::new());
    for number in 0..250 {
        server.put(&format!("object-{number}"), "east", "x");
    }
    server.expire_continues(1);
    let cache = world.watch(spec(&server));
    cache.synced().await;
    assert_eq!((cache.list().len(), server.lists()), (250, 4));
}

#[tokio::test(start_paused = true)]
async fn pages_that_are_too_large_are_asked_for_in_smaller_ones() {
    let (server, world) = (Server::default(), World::new());
    for number in 0..60 {
        server.put(&format!("object-{number}"), "east", "x");
    }
    server.pad(1024 * 1024);
    let cache = world.watch(spec(&server));
    cache.synced().await;
    assert_eq!(cache.list().len(), 60);
    assert!(
        server.asked().iter().any(|one| one.uri.contains("limit=12")),
        "{:?}",
        server.asked()
    );
}

#[tokio::test(start_paused = true)]
async fn a_line_longer_than_any_object_is_not_read_to_its_end() {
    let (server, world) = (Server::default(), World::new());
    let cache = world.watch(spec(&server));
    cache.synced().await;
    let padding = "x".repeat(6 * 1024 * 1024);
    server.say(json!({"type": "ADDED", "object": {"metadata": {"name": "a"}, "data": {"text": padding}}}));
    until(|| failed_with(&cache.state()) == Some(WatchErrorKind::TooLarge)).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_no_event_leads_to_a_new_list_because_what_it_said_is_lost() {
    let (server, world) = (Server::default(), World::new());
    let cache = world.watch(spec(&server));
    cache.synced().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    server.say(json!({"type": "SURPRISE"}));
    until(|| server.lists() == 2).await;
}
