//! S05: a datacenter leaves the list, of a cluster whose user is careful: it asks for a second consent, and its volumes
//! outlive their datacenter.

use std::time::Duration;

use serde_json::{Value, json};

use super::spec::{EAST, NORTH, THE_CLUSTER, WEST, apply, cluster, datacenter, sized};
use super::step::{Act, Step, Until};

const NOT_CONFIRMED: Until = Until::Says("RemovalNotConfirmed");

fn careful(mut cluster: Value) -> Value {
    cluster["metadata"]["annotations"] = json!({
        "ringspan.io/deletion-policy": "Orphan",
        "ringspan.io/removal": "confirm",
    });
    cluster
}

/// S05: there is no consent, so that it is only told.
pub(super) fn missing() -> Vec<Step> {
    vec![
        apply(careful(cluster(&[EAST, WEST, NORTH]))).then(Until::Ready),
        apply(careful(cluster(&[EAST, NORTH]))).then_all([
            NOT_CONFIRMED,
            Until::Passed(Duration::from_hours(1)),
            NOT_CONFIRMED,
            Until::Is(datacenter(WEST), "/metadata/deletionTimestamp", Value::Null),
        ]),
    ]
}

/// The consent comes: first one to something else, then the right one.
pub(super) fn given() -> Vec<Step> {
    let other = json!({"metadata": {"annotations": {"ringspan.io/confirm-removal": "a0d7e0b4-of-another"}}});
    vec![
        apply(careful(cluster(&[EAST, WEST, NORTH]))).then(Until::Ready),
        apply(careful(cluster(&[EAST, NORTH]))).then(NOT_CONFIRMED),
        Act::Merge(THE_CLUSTER, other).then_all([Until::Passed(Duration::from_mins(5)), NOT_CONFIRMED]),
        Act::ConfirmRemoval(datacenter(WEST)).then_all([Until::Gone(datacenter(WEST)), Until::Ready]),
    ]
}

/// The user thinks better of it: the datacenter is in the list again, and another one grows.
pub(super) fn taken_back() -> Vec<Step> {
    vec![
        apply(careful(cluster(&[EAST, WEST, NORTH]))).then(Until::Ready),
        apply(careful(cluster(&[EAST, NORTH]))).then(NOT_CONFIRMED),
        apply(careful(sized(&[(EAST, 1), (WEST, 1), (NORTH, 2)]))).then(Until::Ready),
    ]
}
