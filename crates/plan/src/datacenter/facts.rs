//! What is known of one datacenter before anything is built.

use api::k8ssandra_cluster::{CassandraClusterTemplate, CassandraDatacenterTemplate, K8ssandraCluster};
use api::names::deletion_policy::ORPHAN;
use api::names::{annotation, reason};
use api::reports::Refusal;
use serde_json::{Value, json};

use super::References;
use crate::merge::ClusterOptions;
use crate::normalize::normalize_input;
use crate::validate::refusal;
use crate::version::Version;
use crate::{hash, naming, value};

/// One datacenter of a cluster, with its options merged.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The cluster.
    pub kc: &'a K8ssandraCluster,
    /// Its template.
    pub cassandra: &'a CassandraClusterTemplate,
    /// The datacenter's template.
    pub template: &'a CassandraDatacenterTemplate,
    /// Position in the spec; for field paths only.
    pub index: usize,
    /// Name of the CassandraDatacenter.
    pub name: &'a str,
    /// Namespace of the CassandraDatacenter.
    pub namespace: String,
    /// Cassandra's name of the cluster, as the user wrote it.
    pub cluster: &'a str,
    /// Options of the datacenter over those of the cluster.
    pub merged: Value,
    /// Version of what is run.
    pub version: Version,
}

impl<'a> Facts<'a> {
    /// Of the datacenter of that name.
    ///
    /// # Errors
    ///
    /// Refused when the spec has no such datacenter, or no version that can be read.
    pub fn of(kc: &'a K8ssandraCluster, datacenter: &str) -> Result<Self, Refusal> {
        let cassandra = kc.spec.cassandra.as_ref().ok_or_else(|| {
            refusal(
                reason::CASSANDRA_MISSING,
                "spec.cassandra",
                "there is nothing to run; say what".into(),
            )
        })?;
        let mut entries = cassandra.datacenters.iter().enumerate();
        let entry = entries.find(|(_, entry)| entry.name() == datacenter);
        let entry = entry.ok_or_else(|| unknown(datacenter))?;
        Self::at(kc, cassandra, &cluster_options(cassandra)?, entry)
    }

    /// Of all datacenters of the spec, in its order.
    ///
    /// # Errors
    ///
    /// Refused when one of them has no version that can be read.
    pub fn of_all(kc: &'a K8ssandraCluster) -> Result<Vec<Self>, Refusal> {
        let Some(cassandra) = &kc.spec.cassandra else {
            return Ok(Vec::new());
        };
        let options = cluster_options(cassandra)?;
        let each = cassandra.datacenters.iter().enumerate();
        each.map(|entry| Self::at(kc, cassandra, &options, entry))
            .collect()
    }

    pub(crate) fn at(
        kc: &'a K8ssandraCluster,
        cassandra: &'a CassandraClusterTemplate,
        options: &ClusterOptions,
        (index, template): (usize, &'a CassandraDatacenterTemplate),
    ) -> Result<Self, Refusal> {
        let merged = options.under(json_of(template)?);
        Ok(Self {
            kc,
            cassandra,
            template,
            index,
            name: template.name(),
            namespace: namespace(kc, template).to_owned(),
            cluster: cluster_name(kc),
            version: version(&merged, index)?,
            merged,
        })
    }

    /// `cassandra`, `dse` or `hcd`.
    #[must_use]
    pub fn server_type(&self) -> &str {
        self.cassandra.server_type()
    }

    /// True for Cassandra and for HCD, which is one.
    #[must_use]
    pub fn is_cassandra(&self) -> bool {
        matches!(self.server_type(), "cassandra" | "hcd")
    }

    /// True for Cassandra 3.
    pub(crate) fn is_cassandra_3(&self) -> bool {
        self.server_type() == "cassandra" && self.version.major == 3
    }

    /// Whether its volumes outlive it, whoever deletes it: the policy of the cluster is to lose nothing.
    pub(crate) fn keeps_volumes(&self) -> bool {
        let annotations = self.kc.metadata.annotations.as_ref();
        let policy = annotations.and_then(|it| it.get(annotation::DELETION_POLICY));
        policy.is_some_and(|policy| policy == ORPHAN)
    }

    /// Path of a field of this datacenter.
    pub(crate) fn field(&self, field: &str) -> String {
        format!("spec.cassandra.datacenters[{}].{field}", self.index)
    }

    /// What the cluster's reference to a MedusaConfiguration brings.
    fn medusa_configuration<'r>(&self, references: &'r References) -> Option<&'r Value> {
        let reference = self.kc.spec.medusa.as_ref()?.medusa_configuration_ref.as_ref()?;
        let name = reference.name.as_deref().filter(|name| !name.is_empty());
        references
            .medusa_configuration
            .as_ref()
            .filter(|_| name.is_some())
    }

    /// Digest of everything that the user said about this datacenter: not where it is, nor at which position, nor what
    /// was said about others. What the schema adds, and what says nothing, does not count, so that neither a touch nor a
    /// new release changes it.
    #[must_use]
    pub fn input_hash(&self, references: &References) -> String {
        let spec = &self.kc.spec;
        let given = self.template.per_node_config_map().is_some();
        let input = json!({
            "auth": spec.auth(),
            "clientEncryptionStores": self.cassandra.client_encryption_stores,
            "cluster": self.cluster,
            "clusterMetadata": self.cassandra.metadata,
            "deletionPolicy": self.keeps_volumes().then_some(ORPHAN),
            "externalDatacenters": spec.external_datacenters,
            "medusa": spec.medusa,
            "medusaConfiguration": self.medusa_configuration(references),
            "name": self.name,
            "namespace": self.namespace,
            "perNodeConfig": references.per_node_config.as_ref().filter(|_| given),
            "reaper": spec.reaper,
            "secretsProvider": if spec.has_external_secrets() { "external" } else { "internal" },
            "serverEncryptionStores": self.cassandra.server_encryption_stores,
            "serverType": self.server_type(),
            "superuserSecret": self.cassandra.superuser_secret_name(),
        });
        hash::of(&normalize_input(&input, ("datacenter", &self.merged)))
    }
}

/// The one of that name.
///
/// # Errors
///
/// Refused when the spec has no such datacenter.
pub(crate) fn named<'a, 'k>(all: &'a [Facts<'k>], datacenter: &str) -> Result<&'a Facts<'k>, Refusal> {
    let found = all.iter().find(|facts| facts.name == datacenter);
    found.ok_or_else(|| unknown(datacenter))
}

fn unknown(datacenter: &str) -> Refusal {
    let message = format!("there is no datacenter named {datacenter}");
    refusal(reason::INVALID_SPEC, "spec.cassandra.datacenters", message)
}

/// Cassandra's name of the cluster: the override, else the name of the object.
#[must_use]
pub fn cluster_name(kc: &K8ssandraCluster) -> &str {
    let given = kc
        .spec
        .cassandra
        .as_ref()
        .and_then(|cassandra| cassandra.cluster_name.as_deref());
    given
        .filter(|name| !name.is_empty())
        .or(kc.metadata.name.as_deref())
        .unwrap_or_default()
}

/// Namespace of a datacenter: its own, else that of the cluster.
#[must_use]
pub fn namespace<'a>(kc: &'a K8ssandraCluster, template: &'a CassandraDatacenterTemplate) -> &'a str {
    template
        .namespace()
        .or(kc.metadata.namespace.as_deref())
        .unwrap_or_default()
}

/// What a cluster says of all its datacenters: to be made once for all of them.
///
/// # Errors
///
/// See [`json_of`].
pub(crate) fn cluster_options(cassandra: &CassandraClusterTemplate) -> Result<ClusterOptions, Refusal> {
    // Of the cluster's template only what a datacenter may take from it: the datacenters in it are by far the largest part.
    let mut cluster = json_of(&cassandra.options)?;
    if let Some(metadata) = &cassandra.metadata {
        cluster["metadata"] = json_of(metadata)?;
    }
    Ok(ClusterOptions::of(cluster))
}

/// Only a map whose keys are no texts can fail here, and the types have none.
pub(super) fn json_of(part: &impl serde::Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(part).map_err(|error| {
        refusal(
            reason::INVALID_SPEC,
            "spec.cassandra",
            format!("cannot be written as JSON: {error}"),
        )
    })
}

fn version(merged: &Value, index: usize) -> Result<Version, Refusal> {
    let field = format!("spec.cassandra.datacenters[{index}].serverVersion");
    let Some(text) = value::text(merged, "/serverVersion") else {
        let message = "no version is given; set serverVersion here or for the whole cluster";
        return Err(refusal(reason::INVALID_SPEC, &field, message.into()));
    };
    Version::parse(text).ok_or_else(|| {
        refusal(
            reason::INVALID_SPEC,
            &field,
            format!("{text} is no version; write it as 4.1.5"),
        )
    })
}

/// Racks of a datacenter, in order; one where the user names none.
#[must_use]
pub fn racks(merged: &Value) -> Vec<&str> {
    let named: Vec<&str> = value::items(merged, "/racks")
        .iter()
        .filter_map(|rack| value::text(rack, "/name"))
        .collect();
    if named.is_empty() {
        vec![naming::DEFAULT_RACK]
    } else {
        named
    }
}
