//! How a datacenter ends.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_deletion_takes_claims_and_every_finalizer_and_leaves_the_superuser() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    let mut dc = datacenter("dc1", &["r1", "r2"], 2);
    dc["metadata"]["finalizers"] = json!(["example.com/foreign"]);
    stage.create(&dc);
    stage.ready().await;
    stage.delete();
    stage
        .until(|stage| stage.dc().is_null() && stage.store.all("persistentvolumeclaims").is_empty())
        .await;
    for plural in ["pods", "statefulsets", "services", "endpointslices"] {
        assert_eq!(stage.store.all(plural), [] as [Value; 0], "{plural}");
    }
    assert!(stage.store.get("secrets", "clus-superuser").is_some());
    assert!(stage.plane.rings.lock().rings_by_cluster().is_empty());
}

#[tokio::test(start_paused = true)]
async fn kept_claims_give_a_new_datacenter_its_old_host_ids() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    let mut dc = datacenter("dc1", &["r1", "r2"], 2);
    dc["metadata"]["annotations"][names::DELETE_PVC] = "false".into();
    stage.create(&dc);
    stage.ready().await;
    let host = stage.dc()["status"]["nodeStatuses"]["clus-dc1-r2-sts-0"]["hostID"].clone();
    stage.delete();
    stage
        .until(|stage| stage.dc().is_null() && stage.store.all("pods").is_empty())
        .await;
    assert_eq!(stage.store.all("persistentvolumeclaims").len(), 2);
    stage.create(&dc);
    stage.ready().await;
    assert_eq!(
        stage.dc()["status"]["nodeStatuses"]["clus-dc1-r2-sts-0"]["hostID"],
        host
    );
    assert_eq!(stage.plane.rings.lock().founded["clus"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_decommission_on_delete_hangs_for_an_only_datacenter_whatever_its_value() {
    let mut stage = Stage::new("east", 0, &Rings::default());
    stage.create(&datacenter("dc1", &["r1"], 1));
    stage.ready().await;
    stage.edit(&json!({"metadata": {"annotations": {names::DECOMMISSION_ON_DELETE: "false"}}}));
    stage.delete();
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(stage.store.all("pods").len(), 1);
    stage.edit(&json!({"metadata": {"annotations": {names::DECOMMISSION_ON_DELETE: null}}}));
    stage.until(|stage| stage.dc().is_null()).await;
}

#[tokio::test(start_paused = true)]
async fn a_decommission_on_delete_leaves_no_dead_member_in_a_ring_of_two() {
    let rings = Rings::default();
    let mut east = Stage::new("east", 0, &rings);
    east.create(&datacenter("dc1", &["r1"], 1));
    east.ready().await;
    let mut west = Stage::new("west", 1, &rings);
    let service = "clus-dc2-additional-seed-service";
    west.store.ask(
        &Method::POST,
        SLICES,
        slice(&format!("{service}-ipv4"), service, &east.seeds()),
    );
    west.create(&datacenter("dc2", &["r1"], 2));
    west.ready().await;
    west.edit(&json!({"metadata": {"annotations": {names::DECOMMISSION_ON_DELETE: "true"}}}));
    west.delete();
    west.until(|stage| stage.dc().is_null()).await;
    assert_eq!(
        west.conditions()[CREATED.len()..CREATED.len() + 2],
        ["Decommission=True", "ScalingDown=True"]
    );
    let nodetool = rings.lock().nodetool();
    assert!(!nodetool.contains("dc2") && nodetool.contains("UN"), "{nodetool}");
}
