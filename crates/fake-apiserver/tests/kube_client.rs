//! A real kube client against the server, under the paused clock.

#![expect(clippy::unwrap_used, reason = "what fails in a test ends it")]

use std::time::Duration;

use fake_apiserver::{Options, Server, User};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use serde_json::json;

fn client(server: &Server) -> Client {
    Client::new(server.service(User::admin()), "default")
}

fn map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"key": value}})).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_object_is_created_read_changed_and_deleted() {
    let server = Server::new(Options::default());
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&server));
    let made = maps.create(&PostParams::default(), &map("a", "1")).await.unwrap();
    assert_eq!(
        made.metadata.creation_timestamp.unwrap().0.to_string(),
        "2026-01-01T00:00:00Z"
    );
    let apply = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"more": "2"}});
    let applied = maps
        .patch("a", &PatchParams::apply("me"), &Patch::Apply(&apply))
        .await
        .unwrap();
    assert_eq!(applied.data.unwrap().len(), 2);
    let again = maps
        .patch("a", &PatchParams::apply("me"), &Patch::Apply(&apply))
        .await
        .unwrap();
    assert_eq!(again.metadata.resource_version, applied.metadata.resource_version);
    let conflict = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "2"}});
    let refused = maps
        .patch("a", &PatchParams::apply("me"), &Patch::Apply(&conflict))
        .await
        .unwrap_err();
    let kube::Error::Api(status) = refused else {
        panic!("{refused}")
    };
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert!(
        maps.delete("a", &DeleteParams::default())
            .await
            .unwrap()
            .is_right()
    );
    assert!(maps.get_opt("a").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_that_show_one_moment() {
    let server = Server::new(Options::default());
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&server));
    for number in 0..5 {
        maps.create(&PostParams::default(), &map(&format!("m{number}"), "1"))
            .await
            .unwrap();
    }
    let first = maps.list(&ListParams::default().limit(3)).await.unwrap();
    assert_eq!(first.items.len(), 3);
    maps.delete("m4", &DeleteParams::default()).await.unwrap();
    let token = first.metadata.continue_.unwrap();
    let second = maps
        .list(&ListParams::default().limit(3).continue_token(&token))
        .await
        .unwrap();
    let names: Vec<_> = second
        .items
        .iter()
        .map(|item| item.metadata.name.clone().unwrap())
        .collect();
    assert_eq!(
        names,
        ["m2", "m3", "m4"],
        "kube-root-ca.crt comes first, and m4 was there"
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_sees_every_change_and_ends_at_its_time() {
    let server = Server::new(Options::default());
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&server));
    let params = WatchParams::default().timeout(120).fields("metadata.name=a");
    let version = server.version().to_string();
    let mut events = maps.watch(&params, &version).await.unwrap().boxed();
    maps.create(&PostParams::default(), &map("a", "1")).await.unwrap();
    maps.create(&PostParams::default(), &map("b", "1")).await.unwrap();
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    let mut seen = Vec::new();
    let begun = tokio::time::Instant::now();
    while let Some(event) = events.try_next().await.unwrap() {
        seen.push(match event {
            WatchEvent::Added(_) => "added",
            WatchEvent::Modified(_) => "modified",
            WatchEvent::Deleted(_) => "deleted",
            WatchEvent::Bookmark(_) => "bookmark",
            WatchEvent::Error(error) => panic!("{error}"),
        });
    }
    assert_eq!(seen, ["added", "deleted", "bookmark"]);
    assert_eq!(begun.elapsed(), Duration::from_mins(2));
}

#[tokio::test(start_paused = true)]
async fn kubes_watcher_survives_a_cut_and_a_compaction() {
    for config in [
        watcher::Config::default(),
        watcher::Config::default().streaming_lists(),
    ] {
        let server = Server::new(Options::default());
        let namespaces: Api<Namespace> = Api::all(client(&server));
        let mut events = watcher::watcher(namespaces.clone(), config).boxed();
        let mut known = 0;
        loop {
            match events.try_next().await.unwrap().unwrap() {
                Event::InitApply(_) => known += 1,
                Event::InitDone => break,
                _ => {}
            }
        }
        assert_eq!(known, 4);
        server.cut_watches();
        let new: Namespace = serde_json::from_value(json!({"metadata": {"name": "new"}})).unwrap();
        namespaces.create(&PostParams::default(), &new).await.unwrap();
        server.compact(server.version());
        let mut names = Vec::new();
        while !names.contains(&"new".to_owned()) {
            if let Ok(Event::Apply(object) | Event::InitApply(object)) = events.next().await.unwrap() {
                names.push(object.metadata.name.unwrap());
            }
        }
    }
}
