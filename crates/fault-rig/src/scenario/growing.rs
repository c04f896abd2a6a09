//! S01-S04, S19: a cluster is made, grows and shrinks, beside another one.

use std::time::Duration;

use super::spec::{EAST, NORTH, WEST, apply, cluster, datacenter, other};
use super::step::{Act, Step, Until};

/// S01: one datacenter in the control plane itself.
pub(super) fn one() -> Vec<Step> {
    vec![apply(cluster(&[("dc1", "")])).then(Until::Ready)]
}

/// S02: three datacenters in three planes, from nothing.
pub(super) fn three() -> Vec<Step> {
    vec![apply(cluster(&[EAST, WEST, NORTH])).then(Until::Ready)]
}

/// S03: a third datacenter is added to two live ones.
pub(super) fn add() -> Vec<Step> {
    vec![
        apply(cluster(&[EAST, WEST])).then(Until::Ready),
        apply(cluster(&[EAST, WEST, NORTH])).then(Until::Ready),
    ]
}

/// S04: one of three datacenters is removed.
pub(super) fn remove() -> Vec<Step> {
    vec![
        apply(cluster(&[EAST, WEST, NORTH])).then(Until::Ready),
        apply(cluster(&[EAST, NORTH])).then(Until::Ready),
    ]
}

/// S04: a keyspace has replicas in the datacenter that is removed, which stays until its user has altered the keyspace.
pub(super) fn remove_with_replicas() -> Vec<Step> {
    let left = || Until::Says("ReplicasLeft");
    vec![
        apply(cluster(&[EAST, WEST, NORTH])).then(Until::Ready),
        Act::Replicate(&[("dc1", 1), ("dc2", 1), ("dc3", 1)]).at_once(),
        apply(cluster(&[EAST, NORTH])).then_all([left(), Until::Passed(Duration::from_mins(5)), left()]),
        Act::Replicate(&[("dc1", 1), ("dc3", 1)]).then_all([Until::Gone(datacenter(WEST)), Until::Ready]),
    ]
}

/// S19: two clusters that share no plane, so that neither has to notice what goes wrong in the other's.
pub(super) fn two() -> Vec<Step> {
    vec![
        apply(cluster(&[EAST])).at_once(),
        apply(other(WEST)).then_all([Until::Ready, Until::OtherReady]),
    ]
}
