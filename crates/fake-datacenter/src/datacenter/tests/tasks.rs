//! Tasks on the nodes of a datacenter.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_rebuild_goes_pod_by_pod_and_fails_without_its_source() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1", "r2"], 2));
    stage.ready().await;
    let over = Replication::from([("dc1".to_owned(), 2)]);
    let node = stage.plane.node("ns", "clus-dc1-r1-sts-0");
    stage
        .plane
        .rings
        .lock()
        .create_keyspace(&node, "ks", &over)
        .unwrap();
    for (name, source) in [("good", "dc1"), ("bad", "dc0")] {
        let task = json!({
            "metadata": {"name": name},
            "spec": {
                "datacenter": {"name": "dc1", "namespace": "ns"},
                "jobs": [{"name": name, "command": "rebuild", "args": {"source_datacenter": source}}],
            },
        });
        stage.store.ask(&Method::POST, TASKS, task);
    }
    stage
        .plane
        .wake(("ns".into(), "dc1".into()), |reasons| reasons.task = true);
    let ended = |name: &'static str| {
        move |stage: &Stage| {
            let task = stage.store.get("cassandratasks", name).unwrap();
            !text(&task, "/status/completionTime").is_empty()
        }
    };
    stage.until(ended("good")).await;
    stage.until(ended("bad")).await;
    let (good, bad) = (
        stage.store.get("cassandratasks", "good").unwrap(),
        stage.store.get("cassandratasks", "bad").unwrap(),
    );
    assert_eq!(
        (number(&good, "/status/succeeded"), condition(&good, "Complete")),
        (2, "True")
    );
    assert_eq!(
        (number(&bad, "/status/failed"), condition(&bad, "Failed")),
        (2, "True")
    );
    assert_eq!(
        text(&good, "/status/podStatuses/clus-dc1-r2-sts-0/status"),
        "COMPLETED"
    );
    assert_eq!(label(&good, names::TASK_STATUS), "completed");
}

fn task(name: &str, job: &Value) -> Value {
    let datacenter = json!({"name": "dc1", "namespace": "ns"});
    json!({"metadata": {"name": name}, "spec": {"datacenter": datacenter, "jobs": [job]}})
}

async fn run(stage: &Stage, name: &'static str, job: &Value) -> Value {
    stage.store.ask(&Method::POST, TASKS, task(name, job));
    stage
        .plane
        .wake(("ns".into(), "dc1".into()), |reasons| reasons.task = true);
    let read = |stage: &Stage| stage.store.get("cassandratasks", name).unwrap();
    stage
        .until(|stage| !text(&read(stage), "/status/completionTime").is_empty())
        .await;
    read(stage)
}

#[tokio::test(start_paused = true)]
async fn a_restart_task_restarts_every_rack_and_counts_racks() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1", "r2"], 2));
    stage.ready().await;
    let before: Vec<_> = stage
        .store
        .all("pods")
        .iter()
        .map(|pod| text(pod, "/metadata/uid").to_owned())
        .collect();
    let restarted = run(&stage, "restart", &json!({"name": "j", "command": "restart"})).await;
    assert_eq!(
        (
            number(&restarted, "/status/succeeded"),
            condition(&restarted, "Complete")
        ),
        (2, "True")
    );
    let after = stage.store.all("pods");
    assert!(
        after
            .iter()
            .all(|pod| !before.contains(&text(pod, "/metadata/uid").to_owned()))
    );
    assert_eq!(stage.plane.rings.lock().founded["clus"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_replaced_node_takes_the_place_of_the_old_one() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1", "r2"], 2));
    stage.ready().await;
    let host = |stage: &Stage| stage.dc()["status"]["nodeStatuses"]["clus-dc1-r2-sts-0"]["hostID"].clone();
    let old = host(&stage);
    let none = run(&stage, "none", &json!({"name": "j", "command": "replacenode"})).await;
    assert_eq!(
        (number(&none, "/status/failed"), condition(&none, "Complete")),
        (1, "True")
    );
    assert_eq!(condition(&none, "Failed"), "True");
    let args = json!({"name": "j", "command": "replacenode", "args": {"pod_name": "clus-dc1-r2-sts-0"}});
    run(&stage, "replace", &args).await;
    stage
        .until(|stage| condition(&stage.dc(), "ReplacingNodes") == "False" && host(stage) != old)
        .await;
    let nodetool = stage.plane.rings.lock().nodetool();
    assert_eq!(nodetool.matches("UN  ").count(), 2, "{nodetool}");
    assert!(!nodetool.contains("DN"), "{nodetool}");
}

#[tokio::test(start_paused = true)]
async fn a_requested_rolling_restart_is_taken_back_and_done() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1", "r2"], 2));
    stage.ready().await;
    let before = stage.conditions().len();
    stage.edit(&json!({"spec": {"rollingRestartRequested": true}}));
    stage
        .until(|stage| condition(&stage.dc(), "RollingRestart") == "True")
        .await;
    stage.ready().await;
    assert!(stage.dc().pointer("/spec/rollingRestartRequested").is_none());
    assert_eq!(
        stage.conditions()[before..],
        ["RollingRestart=True", "RollingRestart=False"]
    );
    let started = stage
        .labelled(names::NODE_STATE)
        .into_iter()
        .filter(|line| line.ends_with(" Started"))
        .count();
    assert_eq!(started, 4);
}
