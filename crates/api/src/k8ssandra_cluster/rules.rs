//! What an API server refuses by itself, in CEL. The numbers are those of `docs/compatibility.md`.
//!
//! The bounds on lists and names in the types are what makes these rules cheap enough. What a rule cannot see
//! (annotations, other objects, free-form YAML) or cannot afford (lengths of names that need cleaning first, racks that
//! are only appended) is condition `Accepted` instead: V2, V5, V9, V11, V14, and a storage request of zero in V8.

use serde_json::{Value, json};

/// V1: the name of a datacenter is a DNS label of RFC 1035.
pub(super) const NAMED: &str =
    "has(self.metadata) && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')";

/// Begins as K8ssandra's webhook does, because scripts look for it.
pub(super) const NAME_MESSAGE: &str = "invalid DC name (you might want to use datacenterName to override the name \
    used in Cassandra): it must consist of lower case letters, digits and '-', begin with a letter, and end with a \
    letter or digit";

/// Two datacenters of one name would be one object.
pub(super) const UNIQUE_DATACENTERS: &str = "!has(self.datacenters) || self.datacenters.all(d, !has(d.metadata) || \
    self.datacenters.exists_one(o, has(o.metadata) && o.metadata.name == d.metadata.name))";

/// V3: every datacenter has storage, of its own or of the cluster.
pub(super) const STORAGE_SOMEWHERE: &str =
    "has(self.storageConfig) || !has(self.datacenters) || self.datacenters.all(d, has(d.storageConfig))";

/// V4: looks at what the datacenter says itself, as K8ssandra's webhook does.
pub(super) const SOFT_NEEDS_RESOURCES: &str =
    "!has(self.softPodAntiAffinity) || !self.softPodAntiAffinity || has(self.resources)";

/// V12: names are added or removed, not both at once. An entry without a name neither adds nor removes one: it may stand
/// in a stored object, and nothing may keep such an object from being deleted.
pub(super) const NO_SWAP: &str = "!has(self.datacenters) || !has(oldSelf.datacenters) || \
    self.datacenters.all(d, !has(d.metadata) || oldSelf.datacenters.exists(o, \
    has(o.metadata) && o.metadata.name == d.metadata.name)) || \
    oldSelf.datacenters.all(o, !has(o.metadata) || self.datacenters.exists(d, \
    has(d.metadata) && o.metadata.name == d.metadata.name))";

/// As K8ssandra's webhook says it.
pub(super) const NO_SWAP_MESSAGE: &str = "renaming, as well as adding and removing DCs at the same time is prohibited \
    as it can cause data loss";

/// V13: the name that Cassandra knows stays, given or not.
pub(super) const SAME_CLUSTER_NAME: &str = "!has(self.spec) || !has(oldSelf.spec) || \
    !has(self.spec.cassandra) || !has(oldSelf.spec.cassandra) || \
    (has(self.spec.cassandra.clusterName) && self.spec.cassandra.clusterName != '' \
    ? self.spec.cassandra.clusterName : self.metadata.name) == \
    (has(oldSelf.spec.cassandra.clusterName) && oldSelf.spec.cassandra.clusterName != '' \
    ? oldSelf.spec.cassandra.clusterName : self.metadata.name)";

/// V6 and V7.
pub(super) fn medusa() -> Value {
    let refers = "has(self.medusaConfigurationRef) && has(self.medusaConfigurationRef.name) && \
        self.medusaConfigurationRef.name != ''";
    let given = |field: &str| {
        format!(
            "(has(self.storageProperties) && has(self.storageProperties.{field}) && self.storageProperties.{field} != '')"
        )
    };
    let empty = |field: &str| {
        format!("(!has(self.medusaConfigurationRef.{field}) || self.medusaConfigurationRef.{field} == '')")
    };
    let others = ["apiVersion", "kind", "fieldPath", "resourceVersion", "uid"]
        .map(empty)
        .join(" && ");
    json!([
        {
            "rule": format!("!({refers}) || {}", given("prefix")),
            "message": "medusa storage prefix must be set when a medusaConfigurationRef is used",
        },
        {
            "rule": format!("!({refers}) || {}", empty("__namespace__")),
            "message": "Medusa config must be namespace local",
        },
        {
            "rule": format!("!({refers}) || ({others})"),
            "message": "Medusa config invalid, invalid field used",
        },
        {
            "rule": format!("({refers}) || {}", given("storageProvider")),
            "message": "medusa storage provider must be set when no medusaConfigurationRef is used",
        },
        {
            "rule": format!("({refers}) || {}", given("bucketName")),
            "message": "medusa bucket name must be set when no medusaConfigurationRef is used",
        },
    ])
}

/// V8 and V10. A rule with `oldSelf` is only asked when Reaper was there before and still is.
pub(super) fn reaper() -> Value {
    let elsewhere = "!has(self.storageType) || self.storageType != 'local'";
    let keyspace = |object: &str| format!("(has({object}.keyspace) ? {object}.keyspace : 'reaper_db')");
    json!([
        {
            "rule": format!("{elsewhere} || has(self.storageConfig)"),
            "message": "reaper StorageConfig not set",
        },
        {
            "rule": format!("{elsewhere} || !has(self.storageConfig) || \
                (has(self.storageConfig.accessModes) && size(self.storageConfig.accessModes) > 0)"),
            "message": "reaper StorageConfig.AccessModes not set",
        },
        {
            "rule": format!("{elsewhere} || !has(self.storageConfig) || \
                (has(self.storageConfig.resources) && has(self.storageConfig.resources.requests))"),
            "message": "reaper StorageConfig.Resources.Requests not set",
        },
        {
            "rule": format!("{elsewhere} || !has(self.storageConfig) || !has(self.storageConfig.resources) || \
                !has(self.storageConfig.resources.requests) || 'storage' in self.storageConfig.resources.requests"),
            "message": "reaper StorageConfig.Resources.Requests.Storage not set",
        },
        {
            "rule": format!("{elsewhere} || (has(self.deploymentMode) && self.deploymentMode != 'PER_DC')"),
            "message": "reaper DeploymentModePerDc is only supported when using cassandra storage",
        },
        {
            "rule": format!("{} == {}", keyspace("self"), keyspace("oldSelf")),
            "message": "reaper keyspace can not be changed",
        },
    ])
}
