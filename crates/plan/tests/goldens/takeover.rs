//! What happens to a live installation of upstream's when Ringspan takes it over: nothing, to any datacenter.

use std::collections::BTreeMap;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::seen::PlaneId;
use plan::foresight::{Foresight, PlaneObjects, Snapshot, foresee};
use plan::validate;
use serde_json::Value;

use crate::reference::{self, Golden};

/// What stands in the recordings for every UID.
const RECORDED: &str = "<uid>";

const CLUSTER: &str = "uid-of-the-cluster";

/// Every plane as upstream left it: what the cluster owns names it.
fn as_upstream_left_it(golden: &Golden) -> Snapshot {
    let plane = |(context, mut objects): (String, Vec<Value>)| {
        let owners = objects
            .iter_mut()
            .filter_map(|it| it.pointer_mut("/metadata/ownerReferences")?.as_array_mut())
            .flatten();
        for owner in owners.filter(|it| it["kind"] == "K8ssandraCluster" && it["uid"] == RECORDED) {
            owner["uid"] = Value::from(CLUSTER);
        }
        let id = PlaneId(format!("id-of-{context}"));
        (context, Ok(PlaneObjects { id, objects }))
    };
    Snapshot {
        planes: golden.planes().into_iter().map(plane).collect(),
        ..Snapshot::default()
    }
}

/// Sentences of the acts that touch a datacenter that upstream had made. One that it had not made yet may be made.
fn on_datacenters(foresight: &Foresight, made: &[&Value]) -> Vec<String> {
    let acts = foresight.steps.iter().map(|step| &step.act);
    let is_made = |name: &str| {
        made.iter()
            .any(|it| it.pointer("/metadata/name").and_then(Value::as_str) == Some(name))
    };
    acts.filter(|act| act.datacenter().is_some_and(is_made) && act.reason() != "ConfigMapWritten")
        .map(plan::cluster::acts::Act::sentence)
        .collect()
}

fn taken_over(golden: &Golden, kc: &K8ssandraCluster) -> Foresight {
    let mut kc = kc.clone();
    kc.metadata.uid = Some(CLUSTER.to_owned());
    kc.metadata.generation.get_or_insert(1);
    foresee(&kc, &as_upstream_left_it(golden))
}

#[test]
fn c227_a_take_over_writes_to_no_datacenter_and_would_write_none_differently() {
    let Some(goldens) = reference::goldens() else {
        println!("takeover: RINGSPAN_REFERENCE is not set, so nothing was taken over");
        return;
    };
    let (mut clusters, mut held, mut datacenters) = (0, 0, 0);
    let mut wrong = Vec::new();
    let mut fields: BTreeMap<String, usize> = BTreeMap::new();
    let mut waits: BTreeMap<String, usize> = BTreeMap::new();
    for golden in &goldens {
        for kc in golden.clusters() {
            if validate::cluster(&kc).is_err() || golden.datacenters(&kc).is_empty() {
                continue;
            }
            let foresight = taken_over(golden, &kc);
            if foresight.refusal().is_some() {
                continue;
            }
            clusters += 1;
            for hold in &foresight.report.holds {
                *waits.entry(hold.reason.clone()).or_default() += 1;
            }
            datacenters += foresight.report.datacenters.len();
            let touched = on_datacenters(&foresight, &golden.datacenters(&kc));
            wrong.extend(touched.into_iter().map(|said| format!("{}: {said}", golden.name)));
            for change in foresight
                .report
                .datacenters
                .values()
                .filter_map(|it| it.pending_change.as_ref())
            {
                held += 1;
                for field in &change.fields {
                    *fields
                        .entry(format!("{} ({:?})", field.field, field.effect))
                        .or_default() += 1;
                }
            }
        }
    }
    for (field, times) in &fields {
        println!("held after a take-over, {times} times: {field}");
    }
    println!(
        "takeover: clusters {clusters} datacenters {datacenters} touched {} with-a-held-change {held}",
        wrong.len()
    );
    println!("takeover: waits {waits:?}");
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(
        held, 0,
        "the first edit would bring more than what the user edits"
    );
    let secrets = |reason: &String| reason == "SecretsPending";
    assert!(
        waits.keys().all(secrets),
        "only a datacenter that upstream had not made may wait for its Secrets"
    );
    assert!(clusters > 100, "the goldens have more clusters than {clusters}");
}
