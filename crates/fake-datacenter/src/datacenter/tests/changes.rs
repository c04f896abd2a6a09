//! Sizes, stops and configurations.

use super::*;

#[tokio::test(start_paused = true)]
async fn nodes_come_on_all_racks_and_go_one_at_a_time() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1", "r2", "r3"], 3));
    stage.ready().await;
    stage.edit(&json!({"spec": {"size": 6}}));
    stage.ready().await;
    assert_eq!(
        stage.conditions()[CREATED.len()..],
        [
            "ScalingUp=True",
            "Updating=True",
            "ScalingUp=False",
            "Updating=False"
        ]
    );
    assert_eq!(stage.store.all("cassandratasks").len(), 1);
    let before = stage.conditions().len();
    stage.edit(&json!({"spec": {"size": 3}}));
    stage.ready().await;
    assert_eq!(
        stage.conditions()[before..],
        [
            "ScalingDown=True",
            "ScalingDown=False",
            "ScalingDown=True",
            "ScalingDown=False",
            "ScalingDown=True",
            "ScalingDown=False",
            "Updating=True",
            "Updating=False",
        ]
    );
    let gone: Vec<_> = stage
        .labelled(names::NODE_STATE)
        .into_iter()
        .filter(|line| line.ends_with("Decommissioning"))
        .collect();
    assert_eq!(
        gone,
        [
            "clus-dc1-r3-sts-1 Decommissioning",
            "clus-dc1-r2-sts-1 Decommissioning",
            "clus-dc1-r1-sts-1 Decommissioning",
        ]
    );
    assert_eq!(stage.store.all("persistentvolumeclaims").len(), 3);
    assert_eq!(
        stage
            .plane
            .rings
            .lock()
            .report()
            .pointer("/rings/0/nodes")
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn a_stopped_datacenter_keeps_its_claims_and_starts_with_its_host_ids() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1", "r2", "r3"], 3));
    stage.ready().await;
    let hosts = stage.dc()["status"]["nodeStatuses"]["clus-dc1-r1-sts-0"]["hostID"].clone();
    stage.edit(&json!({"spec": {"stopped": true}}));
    stage.ready().await;
    assert_eq!(
        (condition(&stage.dc(), "Stopped"), condition(&stage.dc(), "Ready")),
        ("True", "False")
    );
    assert!(stage.store.all("pods").is_empty());
    assert_eq!(stage.store.all("persistentvolumeclaims").len(), 3);
    let before = stage.conditions().len();
    stage.edit(&json!({"spec": {"stopped": false}}));
    stage.ready().await;
    assert_eq!(
        stage.conditions()[before..],
        [
            "Stopped=False",
            "Resuming=True",
            "Updating=True",
            "Updating=False",
            "Resuming=False",
            "Ready=True"
        ]
    );
    assert_eq!(
        stage.dc()["status"]["nodeStatuses"]["clus-dc1-r1-sts-0"]["hostID"],
        hosts
    );
    assert_eq!(stage.plane.rings.lock().founded["clus"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_restarts_rack_after_rack() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1", "r2", "r3"], 3));
    stage.ready().await;
    let (before, edited) = (stage.labelled(names::NODE_STATE).len(), Instant::now());
    stage.edit(&json!({"spec": {"config": {"cassandra-yaml": {"concurrent_reads": 64}}}}));
    stage.ready().await;
    let took = edited.elapsed().as_secs();
    assert!((110..140).contains(&took), "recorded 124 s, took {took}");
    let started: Vec<_> = stage
        .labelled(names::NODE_STATE)
        .into_iter()
        .skip(before)
        .filter(|line| line.ends_with("Started"))
        .collect();
    assert_eq!(
        started,
        [
            "clus-dc1-r1-sts-0 Started",
            "clus-dc1-r2-sts-0 Started",
            "clus-dc1-r3-sts-0 Started"
        ]
    );
    assert_eq!(stage.plane.rings.lock().founded["clus"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_nobody_has_stops_the_roll_at_its_first_rack_until_it_is_mended() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1", "r2"], 2));
    stage.ready().await;
    let edit = |image: &str| json!({"spec": {"serverImage": image}});
    stage.edit(&edit("registry.invalid/cassandra:4.1.8"));
    let reason = "/status/containerStatuses/0/state/waiting/reason";
    let waits = |pod: &Value| text(pod, reason) == "ImagePullBackOff";
    stage
        .until(|stage| stage.store.all("pods").iter().any(waits))
        .await;
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(text(&stage.dc(), "/status/cassandraOperatorProgress"), "Updating");
    let pods = stage.store.all("pods");
    let up: Vec<_> = pods
        .iter()
        .filter(|pod| condition(pod, "Ready") == "True")
        .map(name)
        .collect();
    assert_eq!(up, ["clus-dc1-r2-sts-0"]);
    stage.edit(&edit("registry.example/cassandra:4.1.8"));
    stage.ready().await;
    let pods = stage.store.all("pods");
    assert!(pods.iter().all(|pod| condition(pod, "Ready") == "True"));
}
