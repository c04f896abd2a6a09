//! Where ours differs from upstream on purpose.

use super::differences::Difference;

/// A deviation: kind, exact path (`[*]` for any index of a list), row of the specification, and the reason.
struct Deviation {
    kind: &'static str,
    path: &'static str,
    row: &'static str,
    reason: &'static str,
}

const DEVIATIONS: [Deviation; 7] = [
    Deviation {
        kind: "CassandraDatacenter",
        path: "finalizers",
        row: "C090",
        reason: "cass-operator takes foreign finalizers off again, so ours would guard nothing",
    },
    Deviation {
        kind: "CassandraDatacenter",
        path: "annotations.k8ssandra.io/resource-hash",
        row: "C103",
        reason: "changes are told by ringspan.io/input-hash; upstream's digest cannot be made elsewhere",
    },
    Deviation {
        kind: "ConfigMap",
        path: "annotations.k8ssandra.io/resource-hash",
        row: "C098",
        reason: "contents are compared, not digests",
    },
    Deviation {
        kind: "CassandraDatacenter",
        path: "spec.podTemplateSpec.metadata.annotations.k8ssandra.io/per-node-config-hash",
        row: "PN-2",
        reason: "a digest of the content alone, so that a touch of the ConfigMap's metadata does not restart nodes",
    },
    Deviation {
        kind: "CassandraDatacenter",
        path: "spec.podTemplateSpec.spec.initContainers[*].command[*]",
        row: "PN-7",
        reason: "a script of our own, which merges every file of a pod and not just one",
    },
    Deviation {
        kind: "Secret",
        path: "annotations.k8ssandra.io/resource-hash",
        row: "C191",
        reason: "a plain digest of a password invites guessing",
    },
    Deviation {
        kind: "ConfigMap",
        path: "data.vector.toml.transforms.cassandra_metrics.source",
        row: "TE-12",
        reason: "a script of our own, which does the same",
    },
];

/// How many there are.
pub const COUNT: usize = DEVIATIONS.len();

/// One of them, for people.
pub fn shown(number: usize) -> String {
    let it = &DEVIATIONS[number];
    format!("{}: {} {}: {}", it.row, it.kind, it.path, it.reason)
}

/// Number of the deviation that names this difference in an object (kind and name).
pub fn find(object: &str, difference: &Difference) -> Option<usize> {
    let path = without_indexes(&difference.path);
    let kind = object.split(' ').next();
    DEVIATIONS
        .iter()
        .position(|deviation| kind == Some(deviation.kind) && deviation.path == path)
}

fn without_indexes(path: &str) -> String {
    let mut text = String::new();
    for (at, part) in path.split('[').enumerate() {
        match part.split_once(']') {
            Some((_, rest)) if at > 0 => {
                text.push_str("[*]");
                text.push_str(rest);
            }
            _ => text.push_str(part),
        }
    }
    text
}
