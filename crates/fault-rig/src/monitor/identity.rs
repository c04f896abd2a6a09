//! P4: what a started datacenter is known by in its ring never changes.

use serde_json::Value;

use super::sight::{Sight, holds, list, text};

/// Where it stands in a CassandraDatacenter, and what it is.
const LOCKED: [(&str, &str); 7] = [
    ("/spec/clusterName", "the cluster's name"),
    ("/spec/datacenterName", "the datacenter's name"),
    ("/spec/config/cassandra-yaml/num_tokens", "num_tokens"),
    ("/spec/config/cassandra-yaml/initial_token", "the initial tokens"),
    ("/spec/config/cassandra-yaml/partitioner", "the partitioner"),
    (
        "/spec/storageConfig/cassandraDataVolumeClaimSpec/storageClassName",
        "the storage class",
    ),
    ("/spec/superuserSecretName", "the superuser Secret's name"),
];

const STORAGE: &str = "/spec/storageConfig/cassandraDataVolumeClaimSpec/resources/requests/storage";

pub(super) fn check(sight: &Sight<'_>) -> Vec<String> {
    if sight.write.plural != "cassandradatacenters" || sight.program().is_none() {
        return Vec::new();
    }
    let (Some(before), Some(after)) = (sight.before(), sight.after()) else {
        return Vec::new();
    };
    if before["spec"] == after["spec"] || !is_started(before) {
        return Vec::new();
    }
    let mut broken: Vec<String> = LOCKED
        .iter()
        .filter(|(pointer, _)| before.pointer(pointer) != after.pointer(pointer))
        .map(|(_, what)| format!("P4: {what} of a started datacenter changed"))
        .collect();
    let racks = |object: &Value| -> Vec<String> {
        let racks = list(object, "/spec/racks");
        racks.map(|rack| text(rack, "/name").to_owned()).collect()
    };
    if !racks(after).starts_with(&racks(before)) {
        broken.push("P4: the racks of a started datacenter changed their order".to_owned());
    }
    let storage = |object| bytes(text(object, STORAGE));
    if storage(after) < storage(before) {
        broken.push("P4: the storage of a started datacenter got smaller".to_owned());
    }
    broken
}

/// Started once: Initialized alone is also said of one that was created stopped.
fn is_started(datacenter: &Value) -> bool {
    let nodes = datacenter
        .pointer("/status/nodeStatuses")
        .and_then(Value::as_object);
    let has_host = nodes.is_some_and(|nodes| nodes.values().any(|node| node["hostID"].is_string()));
    has_host || holds(datacenter, "Initialized") && datacenter["spec"]["stopped"] != true
}

/// A quantity in bytes; 0 for what is none.
fn bytes(quantity: &str) -> u128 {
    let digits = quantity.trim_end_matches(|sign: char| sign.is_ascii_alphabetic());
    let unit: u128 = match &quantity[digits.len()..] {
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "Pi" => 1 << 50,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        _ => 1,
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: u128 = whole.parse().unwrap_or_default();
    // Thousandths are enough to tell which is more.
    let thousandths: u128 = format!("{part:0<3}")[..3].parse().unwrap_or_default();
    whole * unit + thousandths * unit / 1000
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Planes, but, datacenter, said, write};
    use super::*;

    fn changed(before: &Value, after: Value) -> Vec<String> {
        let asked = write(
            "cluster-reconciler",
            "apply",
            "cassandradatacenters",
            Some(before.clone()),
            Some(after),
        );
        said(check, "east", &asked, &Planes::default())
    }

    #[test]
    fn the_identity_of_a_started_datacenter_is_locked() {
        let dc = but(
            datacenter("dc1", 3),
            "/spec/racks",
            json!([{"name": "r1"}, {"name": "r2"}]),
        );
        for (pointer, value) in [
            ("/spec/clusterName", json!("other")),
            ("/spec/datacenterName", json!("other")),
            ("/spec/config/cassandra-yaml/num_tokens", json!(8)),
            ("/spec/superuserSecretName", json!("other")),
            ("/spec/racks", json!([{"name": "r2"}, {"name": "r1"}])),
            (
                "/spec/storageConfig/cassandraDataVolumeClaimSpec/storageClassName",
                json!("fast"),
            ),
            (STORAGE, json!("900Mi")),
        ] {
            assert_eq!(
                changed(&dc, but(dc.clone(), pointer, value)).len(),
                1,
                "{pointer}"
            );
        }
    }

    #[test]
    fn what_may_change_may_change() {
        let dc = but(datacenter("dc1", 3), "/spec/racks", json!([{"name": "r1"}]));
        for (pointer, value) in [
            ("/spec/size", json!(6)),
            ("/spec/racks", json!([{"name": "r1"}, {"name": "r2"}])),
            (STORAGE, json!("1.5Gi")),
        ] {
            assert_eq!(
                changed(&dc, but(dc.clone(), pointer, value)),
                [""; 0],
                "{pointer}"
            );
        }
    }

    #[test]
    fn one_that_never_started_has_no_identity_yet() {
        let dc = but(datacenter("dc1", 3), "/status", json!({}));
        assert_eq!(
            changed(&dc, but(dc.clone(), "/spec/clusterName", json!("other"))),
            [""; 0]
        );
    }

    #[test]
    fn quantities_are_compared_by_what_they_mean() {
        assert!(bytes("1Gi") > bytes("1G"));
        assert!(bytes("1.5Gi") > bytes("1Gi"));
        assert_eq!(bytes("1Ki"), 1024);
        assert_eq!(bytes("0.5k"), 500);
    }
}
