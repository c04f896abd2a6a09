//! S15: a plane is lost for a week, or comes back as it once was, or empty.

use std::time::Duration;

use serde_json::json;

use super::spec::{EAST, NORTH, WEST, apply, cluster, datacenter, sized};
use super::step::{Act, Cut, Step, Until};

/// It does not answer for an hour, while the user goes on; then it is there as it was.
pub(super) fn away() -> Vec<Step> {
    away_for(Duration::from_hours(1))
}

/// The same for seven days.
pub(super) fn week() -> Vec<Step> {
    away_for(Duration::from_hours(7 * 24))
}

fn away_for(time: Duration) -> Vec<Step> {
    vec![
        apply(cluster(&[EAST, WEST, NORTH])).then(Until::Ready),
        Act::Cut("west", Cut::Silent).then(Until::Says("PlaneUnreachable")),
        apply(sized(&[(EAST, 2), (WEST, 1), (NORTH, 1)])).then_all([
            // Whether dc2 was in the middle of something nobody knows who was started since then: dc1 waits with it.
            Until::IsUnlessRestarted(datacenter(EAST), "/spec/size", json!(2)),
            Until::Passed(time),
            Until::Says("PlaneUnreachable"),
        ]),
        Act::Heal("west").then(Until::Ready),
    ]
}

/// Its API server is restored from a backup that is older than the last change of its datacenter. Versions begin again at
/// the backup's, so that open watches show nothing: as the handbook of Kubernetes asks, everything that watches is
/// restarted.
pub(super) fn backup() -> Vec<Step> {
    vec![
        apply(cluster(&[EAST, WEST, NORTH])).then(Until::Ready),
        Act::BackUp("west").at_once(),
        apply(sized(&[(EAST, 1), (WEST, 2), (NORTH, 1)])).then(Until::Ready),
        Act::Restore("west").at_once(),
        Act::RestartPrograms.then_all([Until::Is(datacenter(WEST), "/spec/size", json!(2)), Until::Ready]),
    ]
}

/// It comes back empty: nothing is made again, until the user takes the datacenter out and adds it anew.
pub(super) fn empty() -> Vec<Step> {
    vec![
        Act::BackUp("west").at_once(),
        apply(cluster(&[EAST, WEST, NORTH])).then(Until::Ready),
        Act::Restore("west").at_once(),
        Act::RestartPrograms.then_all([
            Until::Says("DatacenterVanished"),
            Until::Passed(Duration::from_hours(2)),
            Until::Says("DatacenterVanished"),
            Until::Gone(datacenter(WEST)),
        ]),
        apply(cluster(&[EAST, NORTH])).then(Until::Ready),
        apply(cluster(&[EAST, NORTH, WEST])).then(Until::Ready),
    ]
}
