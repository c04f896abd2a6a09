//! Who founds and who joins, and through what.

use super::*;

/// How a datacenter beside a ring of one node gets to know that ring.
enum Way {
    Prefixed,
    Plain,
    Spec,
    Nothing,
}

/// Whether the first pod was a seed before it started, and how many rings there are.
async fn join(way: Way) -> (bool, u32) {
    let rings = Rings::default();
    let mut east = Stage::new("east", 0, &rings);
    east.create(&datacenter("dc1", &["default"], 1));
    east.ready().await;
    let mut west = Stage::new("west", 1, &rings);
    let service = "clus-dc2-additional-seed-service";
    let mut dc2 = datacenter("dc2", &["default"], 2);
    let seeds = east.seeds();
    let name = match way {
        Way::Prefixed => Some(format!("demo-{service}-ipv4")),
        Way::Plain => Some(format!("{service}-ipv4")),
        Way::Spec | Way::Nothing => None,
    };
    if let Some(name) = name {
        west.store
            .ask(&Method::POST, SLICES, slice(&name, service, &seeds));
    }
    if matches!(way, Way::Spec) {
        dc2["spec"]["additionalSeeds"] = json!(seeds);
    }
    west.create(&dc2);
    west.ready().await;
    let all: Vec<_> = west
        .store
        .writes()
        .into_iter()
        .filter(|(_, plural, ..)| plural == "pods")
        .collect();
    let place = |key: &str| {
        let labels = all
            .iter()
            .map(|(_, _, _, body)| body.pointer("/metadata/labels").and_then(|all| all.get(key)));
        labels
            .enumerate()
            .find(|(at, value)| *at > 1 && value.is_some() && all[*at].0 == "PATCH")
            .map(|(at, _)| at)
    };
    let first_start = place(names::NODE_STATE).unwrap();
    assert_eq!(
        all[first_start].2, "clus-dc2-default-sts-1",
        "the highest ordinal starts first"
    );
    let count = rings.lock().rings_by_cluster()["clus"];
    (place(names::SEED_NODE).unwrap() < first_start, count)
}

#[tokio::test(start_paused = true)]
async fn the_joining_table_holds() {
    assert_eq!(join(Way::Prefixed).await, (true, 1));
    assert_eq!(join(Way::Plain).await, (false, 1));
    assert_eq!(join(Way::Spec).await, (false, 1));
    assert_eq!(join(Way::Nothing).await, (true, 2));
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_additional_seed_blocks_the_first_node() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    let mut dc = datacenter("dc1", &["default"], 1);
    dc["spec"]["additionalSeeds"] = json!(["198.18.66.6"]);
    stage.create(&dc);
    tokio::time::sleep(Duration::from_secs(75)).await;
    assert_eq!(condition(&stage.dc(), "Ready"), "");
    assert_eq!(stage.plane.rings.lock().rings_by_cluster(), [].into());
}
