//! The CassandraDatacenter of one datacenter, and the ConfigMaps that go with it.
//!
//! * [`merge`](crate::merge): the options of the datacenter over those of the cluster
//! * `facts`: what the other files look at
//! * `metadata`: names, labels and annotations
//! * `config`, `jvm_options`: the generated configuration of Cassandra
//! * `encryption`: keystores and truststores, and what is read for them
//! * `pod_template`, `per_node`, `metrics_agent`, `medusa`, `vector`: what runs in the pods
//! * `reaper`: what it needs to reach the nodes
//! * [`initial_tokens`]: which tokens the first nodes begin with
//! * `spec`: all of it together
//! * [`working_order`]: which datacenter comes first
//!
//! Everything is a function of the user's input, of the role that the datacenter was created with, and of what cannot
//! be changed any more in a datacenter that is there. Places for the parts of add-ons: `spec::of`.

mod config;
mod encryption;
mod facts;
pub mod initial_tokens;
mod jvm_options;
mod live;
mod medusa;
mod metadata;
mod metrics_agent;
mod order;
mod per_node;
mod pod_template;
mod reaper;
mod redacted;
mod references;
mod spec;
mod vector;

use std::collections::BTreeMap;
use std::fmt;

use api::k8ssandra_cluster::K8ssandraCluster;
use api::record::Role;
use api::reports::Refusal;
use serde_json::Value;

use medusa::Medusa;
use per_node::PerNode;
pub(crate) use per_node::{DIGEST as PER_NODE_CONFIG_DIGEST, digest_of as per_node_config_digest};

pub use config::num_tokens;
pub(crate) use config::{settings_conflict, stays_with_live_tokens};
pub(crate) use encryption::check as check_stores;
pub use encryption::{PasswordOf, PasswordSource, Peer, Store, password_sources, told_password};
pub use facts::{Facts, cluster_name, namespace};
pub(crate) use facts::{cluster_options, named, racks};
pub use live::LiveDatacenter;
pub use order::working_order;
pub(crate) use pod_template::is_mcac_enabled;
pub(crate) use reaper::{own as own_reaper, secret_name as reaper_secret_name};
pub use redacted::redacted;
pub use references::{Images, NoPassword, Password, References};
pub(crate) use vector::check as check_vector;

/// What a datacenter is built from.
#[derive(Clone, Copy, Debug)]
pub struct DatacenterInput<'a> {
    /// The cluster.
    pub kc: &'a K8ssandraCluster,
    /// Name of the datacenter in its spec.
    pub datacenter: &'a str,
    /// Those of all datacenters of the cluster, where somebody has merged their options already.
    pub all: Option<&'a [Facts<'a>]>,
    /// How it came, or will come, into the ring: see [`DatacenterInput::role`] in the record.
    pub role: Role,
    /// Replication of the system keyspaces when the ring was founded: the cluster's annotation. Only a founder has it.
    /// Absent: what [`founding_replication`] says.
    pub initial_system_replication: Option<&'a BTreeMap<String, u32>>,
    /// Id of the control plane, where it is known.
    pub control_plane_id: Option<&'a str>,
    /// What it refers to.
    pub references: &'a References,
    /// The CassandraDatacenter as it is now. What must not change in it is taken from there.
    pub live: Option<&'a LiveDatacenter>,
}

/// What is put into the pods beside Cassandra itself, where there is such a thing.
#[derive(Clone, Copy, Debug)]
struct Parts<'a> {
    medusa: Option<&'a Medusa<'a>>,
    per_node: Option<&'a PerNode>,
}

/// What a plane is to have for one datacenter.
#[derive(Clone, PartialEq)]
pub struct DesiredDatacenter {
    /// Namespace of the CassandraDatacenter and its ConfigMaps.
    pub namespace: String,
    /// Name of the CassandraDatacenter.
    pub name: String,
    /// Labels of the CassandraDatacenter.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the CassandraDatacenter, ours among them.
    pub annotations: BTreeMap<String, String>,
    /// Spec of the CassandraDatacenter.
    pub spec: Value,
    /// What the datacenter refers to; to be there before it.
    pub config_maps: Vec<DesiredConfigMap>,
    /// Names of ConfigMaps of what is switched off: to go when nothing mounts them any more.
    pub switched_off: Vec<String>,
    /// Digest of the input that all this was made from; also among the annotations.
    pub input_hash: String,
    /// Name of the superuser Secret in the namespace of the datacenter; empty where something else provides it.
    pub superuser_secret: String,
}

/// Passwords stand in the spec.
impl fmt::Debug for DesiredDatacenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesiredDatacenter")
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("labels", &self.labels)
            .field("annotations", &self.annotations)
            .field("spec", &redacted(&self.spec))
            .field("config_maps", &self.config_maps)
            .finish_non_exhaustive()
    }
}

/// A ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredConfigMap {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Content.
    pub data: BTreeMap<String, String>,
    /// Whether all datacenters of the cluster in this namespace use it, so that it goes with the last of them.
    pub shared: bool,
}

/// Builds one datacenter.
///
/// # Errors
///
/// A refusal that names the field: no such datacenter, no usable version, contradicting options, or a ConfigMap or
/// password of the user's that was not read.
pub fn build(input: &DatacenterInput<'_>) -> Result<DesiredDatacenter, Refusal> {
    match input.all {
        Some(all) => build_one_of(all, input),
        None => build_one_of(&Facts::of_all(input.kc)?, input),
    }
}

fn build_one_of(all: &[Facts<'_>], input: &DatacenterInput<'_>) -> Result<DesiredDatacenter, Refusal> {
    let facts = facts::named(all, input.datacenter)?;
    let per_node = per_node::of(facts, all, input)?;
    let medusa = medusa::of(facts, input)?;
    let parts = Parts {
        medusa: medusa.as_ref(),
        per_node: per_node.as_ref(),
    };
    let spec = spec::of(facts, input, parts)?;
    let input_hash = facts.input_hash(input.references);
    let mut config_maps = vec![metrics_agent::config_map(facts)];
    config_maps.extend(vector::config_map(facts)?);
    config_maps.extend(medusa.as_ref().map(Medusa::config_map));
    let mut annotations = metadata::annotations(facts, input, &input_hash);
    annotations.extend(medusa.iter().flat_map(Medusa::annotations));
    annotations.extend(per_node.as_ref().map(PerNode::annotation));
    config_maps.extend(per_node.and_then(|per_node| per_node.generated));
    Ok(DesiredDatacenter {
        namespace: facts.namespace.clone(),
        name: facts.name.to_owned(),
        labels: metadata::labels(facts),
        annotations,
        superuser_secret: spec::superuser_secret(facts, input).unwrap_or_default(),
        spec,
        switched_off: vector::switched_off(facts)
            .into_iter()
            .chain(per_node::switched_off(facts))
            .collect(),
        config_maps,
        input_hash,
    })
}

/// Replication of the system keyspaces for a ring that this datacenter founds: its own nodes, at most three, and three in
/// each datacenter that nobody here manages. By Cassandra's names. Empty where there is no such datacenter.
#[must_use]
pub fn founding_replication(kc: &K8ssandraCluster, founder: &str) -> BTreeMap<String, u32> {
    let datacenters = kc
        .spec
        .cassandra
        .as_ref()
        .map(|cassandra| cassandra.datacenters.as_slice())
        .unwrap_or_default();
    let Some(founder) = datacenters.iter().find(|datacenter| datacenter.name() == founder) else {
        return BTreeMap::new();
    };
    let own = u32::try_from(founder.size.clamp(1, 3)).unwrap_or(1);
    let external = kc
        .spec
        .external_datacenters
        .iter()
        .flatten()
        .map(|name| (name.clone(), 3));
    external
        .chain([(founder.cassandra_name().to_owned(), own)])
        .collect()
}

#[cfg(test)]
mod tests;
