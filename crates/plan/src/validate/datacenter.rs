//! What is wrong with one datacenter by itself.

use api::k8ssandra_cluster::{CassandraClusterTemplate, CassandraDatacenterTemplate, K8ssandraCluster};
use api::reports::Refusal;

use super::invalid;
use crate::datacenter::{
    Facts, check_stores, check_vector, cluster_name, is_mcac_enabled, settings_conflict,
};
use crate::naming;

/// What must be there.
pub(super) fn shape(
    cassandra: &CassandraClusterTemplate,
    template: &CassandraDatacenterTemplate,
    index: usize,
) -> Result<(), Refusal> {
    let field = |field: &str| format!("spec.cassandra.datacenters[{index}].{field}");
    if !naming::is_dns_1035_label(template.name()) {
        let message = format!(
            "{:?} cannot be the name of an object: it takes up to 63 lower-case letters, digits and dashes, beginning \
             with a letter. Cassandra's own name of the datacenter goes to datacenterName",
            template.name()
        );
        return Err(invalid(&field("metadata.name"), message));
    }
    if template.options.storage_config.is_none() && cassandra.options.storage_config.is_none() {
        let message = "no storage is given; set storageConfig here or for the whole cluster";
        return Err(invalid(&field("storageConfig"), message.into()));
    }
    if template.options.soft_pod_anti_affinity == Some(true) && template.options.resources.is_none() {
        let message = "nodes that may share a worker need resources; give them beside softPodAntiAffinity";
        return Err(invalid(&field("resources"), message.into()));
    }
    Ok(())
}

/// Names of StatefulSets, for which Kubernetes has less room than for others.
pub(super) fn names(
    kc: &K8ssandraCluster,
    template: &CassandraDatacenterTemplate,
    index: usize,
) -> Result<(), Refusal> {
    let own: Vec<&str> = template
        .options
        .racks
        .iter()
        .flatten()
        .map(|rack| rack.name.as_str())
        .collect();
    let of_cluster = kc
        .spec
        .cassandra
        .iter()
        .flat_map(|cassandra| cassandra.options.racks.iter().flatten());
    let mut racks: Vec<&str> = of_cluster.map(|rack| rack.name.as_str()).chain(own).collect();
    if racks.is_empty() {
        racks.push(naming::DEFAULT_RACK);
    }
    let map = naming::metrics_agent_config_map(cluster_name(kc), template.cassandra_name());
    if map.len() > naming::LONGEST_SUBDOMAIN {
        let message = format!(
            "the ConfigMap {map} would have a name of {} characters where {} are allowed; shorten the name",
            map.len(),
            naming::LONGEST_SUBDOMAIN
        );
        return Err(invalid(
            &format!("spec.cassandra.datacenters[{index}].datacenterName"),
            message,
        ));
    }
    for rack in racks {
        let name = naming::stateful_set(cluster_name(kc), template.name(), rack);
        if name.len() > naming::LONGEST_STATEFUL_SET {
            let message = format!(
                "the StatefulSet of rack {rack} would be {name}, which has {} characters where {} are allowed; shorten \
                 the names of cluster, datacenter or rack",
                name.len(),
                naming::LONGEST_STATEFUL_SET
            );
            return Err(invalid(
                &format!("spec.cassandra.datacenters[{index}].metadata.name"),
                message,
            ));
        }
    }
    Ok(())
}

/// Options that contradict each other or the version.
pub(super) fn settings(facts: &Facts<'_>) -> Result<(), Refusal> {
    settings_conflict(facts)?;
    if !has_metrics_endpoint(facts) && !is_mcac_enabled(facts) {
        let message = format!(
            "{} {} has no metrics endpoint of its own, which came with 3.11.13 and 4.0.4; take a later version, or set \
             telemetry.mcac.enabled",
            facts.server_type(),
            facts.version
        );
        return Err(invalid(&facts.field("serverVersion"), message));
    }
    check_stores(facts)?;
    check_vector(facts)
}

fn has_metrics_endpoint(facts: &Facts<'_>) -> bool {
    let version = (facts.version.major, facts.version.minor, facts.version.patch);
    facts.server_type() != "cassandra" || version >= (4, 0, 4) || ((3, 11, 13)..(4, 0, 0)).contains(&version)
}
