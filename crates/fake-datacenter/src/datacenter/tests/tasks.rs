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
