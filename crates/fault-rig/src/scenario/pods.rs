//! S16: all pods of a datacenter restart, and come back with other addresses.

use std::time::Duration;

use super::spec::{EAST, WEST, apply, sized};
use super::step::{Act, Step, Until};

pub(super) fn steps() -> Vec<Step> {
    let back = || [Until::Passed(Duration::from_mins(5)), Until::Ready];
    vec![
        apply(sized(&[(EAST, 3), (WEST, 2)])).then(Until::Ready),
        Act::DeletePods("east", "dc1").then_all(back()),
        Act::DeletePods("west", "dc2").then_all(back()),
        Act::DeletePods("east", "dc1").at_once(),
        Act::DeletePods("west", "dc2").then_all(back()),
    ]
}
