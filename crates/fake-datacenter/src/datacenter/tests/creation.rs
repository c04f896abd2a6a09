//! How a datacenter begins.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_new_datacenter_becomes_ready_in_the_recorded_order_and_time() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1", "r2", "r3"], 3));
    let took = stage.ready().await;
    assert!((71.0..76.0).contains(&took), "recorded 73 s, took {took}");
    assert_eq!(stage.conditions(), CREATED);
    assert_eq!(number(&stage.dc(), "/metadata/generation"), 2);
    assert_eq!(
        stage.labelled(names::NODE_STATE),
        [
            "clus-dc1-r1-sts-0 Starting",
            "clus-dc1-r1-sts-0 Started",
            "clus-dc1-r2-sts-0 Starting",
            "clus-dc1-r2-sts-0 Started",
            "clus-dc1-r3-sts-0 Starting",
            "clus-dc1-r3-sts-0 Started",
        ]
    );
    assert_eq!(
        stage.plane.rings.lock().rings_by_cluster(),
        [("clus".to_owned(), 1)].into()
    );
    let made: Vec<_> = stage
        .store
        .writes()
        .into_iter()
        .filter(|(verb, plural, ..)| verb == "POST" && plural != "pods" && plural != "persistentvolumeclaims")
        .map(|(_, plural, name, _)| format!("{plural}/{name}"))
        .filter(|made| !made.starts_with("endpointslices"))
        .collect();
    assert_eq!(
        made,
        [
            "cassandradatacenters/dc1",
            "services/clus-dc1-service",
            "services/clus-seed-service",
            "services/clus-dc1-all-pods-service",
            "services/clus-dc1-additional-seed-service",
            "statefulsets/clus-dc1-r1-sts",
            "statefulsets/clus-dc1-r2-sts",
            "statefulsets/clus-dc1-r3-sts",
            "secrets/clus-superuser",
            "poddisruptionbudgets/dc1-pdb",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_datacenter_at_rest_writes_nothing() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1"], 1));
    stage.ready().await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let before = stage.store.writes().len();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(stage.store.writes().len(), before);
}

#[tokio::test(start_paused = true)]
async fn recorded_conditions_are_those_of_the_reference() {
    let Some(reference) = std::env::var_os("RINGSPAN_REFERENCE") else {
        println!("not run: RINGSPAN_REFERENCE names no folder with recordings");
        return;
    };
    let path = std::path::Path::new(&reference).join("cass-operator/s01-create-3x3/conditions.txt");
    let recorded = std::fs::read_to_string(path).unwrap();
    let changes = recorded.lines().filter_map(|line| line.split_whitespace().nth(2));
    let changes: Vec<_> = changes
        .filter(|change| !change.starts_with("progress="))
        .collect();
    assert_eq!(changes, CREATED);
}

#[tokio::test(start_paused = true)]
async fn a_datacenter_created_stopped_is_initialized_and_was_never_started() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    let mut dc = datacenter("dc1", &["r1", "r2"], 2);
    dc["spec"]["stopped"] = true.into();
    stage.create(&dc);
    let took = stage.ready().await;
    assert!(took < 5.0, "{took}");
    assert_eq!(
        stage.conditions(),
        [
            "ResizingVolumes=False",
            "Stopped=True",
            "ReplacingNodes=False",
            "Updating=False",
            "RollingRestart=False",
            "Resuming=False",
            "ScalingDown=False",
            "Valid=True",
            "Initialized=True",
            "RequiresUpdate=False",
        ]
    );
    assert!(stage.plane.rings.lock().rings_by_cluster().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_missing_named_superuser_secret_is_not_waited_for() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    let mut dc = datacenter("dc1", &["r1"], 1);
    dc["spec"]["superuserSecretName"] = "su".into();
    stage.create(&dc);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(stage.dc().pointer("/status/conditions").is_none());
    let secret = json!({"metadata": {"name": "su"}, "data": {"username": "YWRtaW4=", "password": "eA=="}});
    stage
        .store
        .ask(&Method::POST, "/api/v1/namespaces/ns/secrets", secret);
    stage.plane.wake_all("ns", |reasons| reasons.secret = true);
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert!(stage.store.all("statefulsets").is_empty());
    stage.edit(&json!({"metadata": {"annotations": {"touched": "once"}}}));
    stage.ready().await;
    assert!(
        stage
            .plane
            .rings
            .lock()
            .report()
            .pointer("/rings/0/roles/admin")
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn a_datacenter_that_skips_users_makes_no_role() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    let mut dc = datacenter("dc1", &["r1"], 1);
    dc["metadata"]["annotations"][names::SKIP_USERS] = "true".into();
    stage.create(&dc);
    stage.ready().await;
    let report = stage.plane.rings.lock().report();
    assert_eq!(
        report.pointer("/rings/0/roles").unwrap(),
        &json!({"cassandra": true})
    );
    assert_eq!(text(&stage.dc(), "/status/usersUpserted"), "");
}
