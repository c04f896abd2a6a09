//! S07: the cluster is deleted, and made again under its name as soon as that is free.

use super::spec::{EAST, THE_CLUSTER, WEST, apply, cluster};
use super::step::{Act, Step, Until};

pub(super) fn steps() -> Vec<Step> {
    vec![
        apply(cluster(&[EAST, WEST])).then(Until::Ready),
        Act::Delete(THE_CLUSTER).then(Until::Gone(THE_CLUSTER)),
        apply(cluster(&[EAST, WEST])).then(Until::Ready),
    ]
}
