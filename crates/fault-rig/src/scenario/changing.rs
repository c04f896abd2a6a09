//! S06, S09: sizes, configuration and version.

use serde_json::{Value, json};

use super::spec::{EAST, NORTH, WEST, apply, cluster, datacenter, sized};
use super::step::{Step, Until};

fn size(cluster: &[(super::spec::Place, u32)], size: u32) -> Step {
    apply(sized(cluster)).then(Until::Is(datacenter(WEST), "/spec/size", json!(size)))
}

/// S06: up and back before it is done, up, down and back before that is done.
pub(super) fn scale() -> Vec<Step> {
    let with = |west: u32| [(EAST, 1), (WEST, west)];
    vec![
        apply(sized(&with(1))).then(Until::Ready),
        size(&with(2), 2),
        apply(sized(&with(1))).then(Until::Ready),
        apply(sized(&with(3))).then(Until::Ready),
        size(&with(2), 2),
        apply(sized(&with(3))).then(Until::Ready),
    ]
}

fn with(mut cluster: Value, version: &str, heap: &str) -> Value {
    cluster["spec"]["cassandra"]["serverVersion"] = json!(version);
    cluster["spec"]["cassandra"]["config"] = json!({
        "cassandraYaml": {"concurrent_reads": 8},
        "jvmOptions": {"heapSize": heap},
    });
    cluster
}

/// S09: configuration, then a version, over three datacenters.
pub(super) fn roll_out() -> Vec<Step> {
    let three = || cluster(&[EAST, WEST, NORTH]);
    vec![
        apply(three()).then(Until::Ready),
        apply(with(three(), "4.1.5", "512Mi")).then(Until::Ready),
        apply(with(three(), "4.1.8", "512Mi")).then(Until::Ready),
    ]
}
