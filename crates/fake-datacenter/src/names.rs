//! Every label, annotation, finalizer and object name that cass-operator uses, and its rules for cleaning names.

/// Label: the cleaned cluster name.
pub const CLUSTER: &str = "cassandra.datastax.com/cluster";
/// Label: the name of the CassandraDatacenter object.
pub const DATACENTER: &str = "cassandra.datastax.com/datacenter";
/// Label: the rack.
pub const RACK: &str = "cassandra.datastax.com/rack";
/// Label on pods: how far cass-operator has brought this node.
pub const NODE_STATE: &str = "cassandra.datastax.com/node-state";
/// Label on pods that are seeds, value `true`.
pub const SEED_NODE: &str = "cassandra.datastax.com/seed-node";
/// Label on the all-pods service, value `true`.
pub const PROM_METRICS: &str = "cassandra.datastax.com/prom-metrics";
/// Annotation: digest of what the operator wanted when it wrote the object.
pub const RESOURCE_HASH: &str = "cassandra.datastax.com/resource-hash";
/// Annotation on user Secrets: which datacenters read them.
pub const WATCHED_BY: &str = "cassandra.datastax.com/watched-by";
/// Label on user Secrets that a datacenter reads, value `true`.
pub const WATCHED: &str = "cassandra.datastax.com/watched";
/// Finalizer of the operator.
pub const FINALIZER: &str = "finalizer.cassandra.datastax.com";
/// Annotation: no roles are created by this datacenter when its value is `true`.
pub const SKIP_USERS: &str = "cassandra.datastax.com/skip-user-creation";
/// Annotation whose mere presence makes a deletion decommission every node first.
pub const DECOMMISSION_ON_DELETE: &str = "cassandra.datastax.com/decommission-on-delete";
/// Annotation: `"false"` keeps the claims when the datacenter is deleted.
pub const DELETE_PVC: &str = "cassandra.datastax.com/delete-pvc";
/// Annotation whose presence keeps the operator from adding its finalizer.
pub const NO_FINALIZER: &str = "cassandra.datastax.com/no-finalizer";
/// Annotation: the size of the claims may be changed when its value is `true`.
pub const ALLOW_STORAGE_CHANGES: &str = "cassandra.datastax.com/allow-storage-changes";
/// Annotation whose presence lets the operator rewrite StatefulSets though the spec did not change; the operator takes the value
/// `once` back.
pub const AUTO_UPDATE: &str = "cassandra.datastax.com/autoupdate-spec";
/// Label that ties a slice to its service.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// Label of finished tasks.
pub const TASK_STATUS: &str = "control.k8ssandra.io/status";
/// Finalizer that a real API server's admission puts on every claim.
pub const PVC_PROTECTION: &str = "kubernetes.io/pvc-protection";

/// Values of [`NODE_STATE`].
pub mod node_state {
    /// The pod runs, Cassandra was not asked to start.
    pub const READY_TO_START: &str = "Ready-to-Start";
    /// Cassandra was asked to start.
    pub const STARTING: &str = "Starting";
    /// Cassandra is up and was seen ready.
    pub const STARTED: &str = "Started";
    /// Cassandra was up and is not ready now.
    pub const STARTED_NOT_READY: &str = "Started-not-Ready";
    /// The node leaves the ring.
    pub const DECOMMISSIONING: &str = "Decommissioning";
}

/// A name as a DNS-1035 label: unchanged if it is one, else lower-case, `_` as `-`, and every run that is one, joined.
#[must_use]
pub fn cleanup_for_kubernetes(name: &str) -> String {
    let is_first = |c: char| c.is_ascii_lowercase();
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.len() <= 63 && is_whole_run(name, is_first, is_inner) {
        return name.to_owned();
    }
    runs(&name.to_lowercase().replace('_', "-"), is_first, is_inner)
}

/// A name as a DNS-1123 subdomain, by the same rule.
#[must_use]
pub fn cleanup_subdomain(name: &str) -> String {
    let is_first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_inner = |c: char| is_first(c) || c == '-' || c == '.';
    if name.len() <= 253 && is_whole_run(name, is_first, is_inner) {
        return name.to_owned();
    }
    runs(&name.to_lowercase().replace('_', "-"), is_first, is_inner)
}

/// A name as a label value: blanks removed, then every run that is a label value, joined. Case and `_` are kept.
#[must_use]
pub fn clean_label_value(name: &str) -> String {
    let is_first = |c: char| c.is_ascii_alphanumeric();
    let is_inner = |c: char| is_first(c) || matches!(c, '-' | '_' | '.');
    runs(&name.replace(' ', ""), is_first, is_inner)
}

fn is_whole_run(name: &str, is_first: impl Fn(char) -> bool, is_inner: impl Fn(char) -> bool) -> bool {
    !name.is_empty() && runs(name, is_first, is_inner) == name
}

/// Joins the leftmost-longest runs that begin with `is_first`, go on with `is_inner` and end with a letter or digit.
fn runs(text: &str, is_first: impl Fn(char) -> bool, is_inner: impl Fn(char) -> bool) -> String {
    let mut joined = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(&is_first) {
        let tail = &rest[start..];
        let end = tail.find(|c| !is_inner(c)).unwrap_or(tail.len());
        let run = tail[..end].trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        joined.push_str(run);
        rest = &tail[run.len().max(1)..];
    }
    joined
}

/// How `total` nodes are spread over `racks`: evenly, the first racks get one more.
#[must_use]
pub fn split_racks(total: usize, racks: usize) -> Vec<usize> {
    (0..racks)
        .map(|rack| total / racks + usize::from(rack < total % racks))
        .collect()
}

/// How many seeds a datacenter of `nodes` nodes on `racks` racks has: all of up to three nodes, else three or one per rack.
#[must_use]
pub fn seed_count(nodes: usize, racks: usize) -> usize {
    if nodes < 3 { nodes } else { racks.max(3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_as_cass_operator_does() {
        assert_eq!(cleanup_for_kubernetes("dc1"), "dc1");
        assert_eq!(cleanup_for_kubernetes("Not K8s_Compliant"), "notk8s-compliant");
        assert_eq!(cleanup_for_kubernetes("Weird Cluster Name"), "weirdclustername");
        assert_eq!(cleanup_for_kubernetes("DC_1"), "dc-1");
        assert_eq!(cleanup_for_kubernetes("1dc-"), "dc");
        assert_eq!(cleanup_subdomain("1.rack_A"), "1.rack-a");
        assert_eq!(clean_label_value("Not K8s_Compliant"), "NotK8s_Compliant");
        assert_eq!(clean_label_value("-my ring-"), "myring");
    }

    #[test]
    fn nodes_and_seeds_are_spread_over_racks() {
        assert_eq!(split_racks(7, 3), [3, 2, 2]);
        assert_eq!(split_racks(0, 2), [0, 0]);
        assert_eq!((seed_count(1, 3), seed_count(6, 3), seed_count(9, 5)), (1, 3, 5));
    }
}
