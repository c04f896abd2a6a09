//! Whether a spec can be acted on. A refusal names the reason, the field, and the way out; it never holds a deletion.
//!
//! * [`cluster`]: a spec by itself
//! * [`against`]: a spec against the datacenters that are there
//! * [`warnings()`]: what is let through with a word
//!
//! Whether a context is known, and what other objects hold, is asked where it is read.

mod datacenter;
mod update;
mod warnings;

use api::k8ssandra_cluster::{CassandraClusterTemplate, CassandraDatacenterTemplate, K8ssandraCluster};
use api::names::{annotation, reason};
use api::reports::Refusal;

use crate::datacenter::{Facts, cluster_name, cluster_options};
use crate::naming;

pub(crate) use update::against;
pub(crate) use warnings::warnings;

/// A refusal.
pub(crate) fn refusal(reason: &str, field: &str, message: String) -> Refusal {
    Refusal {
        reason: reason.to_owned(),
        field: field.to_owned(),
        message,
    }
}

fn invalid(field: &str, message: String) -> Refusal {
    refusal(reason::INVALID_SPEC, field, message)
}

/// Checks a spec by itself, in the order of the document.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn cluster(kc: &K8ssandraCluster) -> Result<(), Refusal> {
    checked(kc).map(|_| ())
}

/// As [`cluster`]; each of its datacenters, for who goes on with them.
pub(crate) fn checked(kc: &K8ssandraCluster) -> Result<Vec<Facts<'_>>, Refusal> {
    let Some(cassandra) = &kc.spec.cassandra else {
        let message = "there is nothing to run; describe the Cassandra cluster here";
        return Err(refusal(
            reason::CASSANDRA_MISSING,
            "spec.cassandra",
            message.into(),
        ));
    };
    update_annotation(kc)?;
    name_of_cluster(kc)?;
    names_of_datacenters(kc, cassandra)?;
    let options = cluster_options(cassandra)?;
    let one = |(index, template)| {
        datacenter::shape(cassandra, template, index)?;
        datacenter::names(kc, template, index)?;
        let facts = Facts::at(kc, cassandra, &options, (index, template))?;
        datacenter::settings(&facts)?;
        Ok(facts)
    };
    cassandra.datacenters.iter().enumerate().map(one).collect()
}

fn update_annotation(kc: &K8ssandraCluster) -> Result<(), Refusal> {
    let annotations = kc.metadata.annotations.as_ref();
    match annotations
        .and_then(|annotations| annotations.get(annotation::AUTOUPDATE_SPEC))
        .map(String::as_str)
    {
        None | Some("always" | "once") => Ok(()),
        Some(other) => {
            let field = format!("metadata.annotations[{}]", annotation::AUTOUPDATE_SPEC);
            Err(invalid(
                &field,
                format!("{other:?} means nothing here; write always or once, or take it out"),
            ))
        }
    }
}

/// The CassandraDatacenter's schema wants two characters, and names of objects need a letter of it; upstream takes less and
/// is then stuck for ever.
fn name_of_cluster(kc: &K8ssandraCluster) -> Result<(), Refusal> {
    let name = cluster_name(kc);
    let is_long_enough = name.chars().count() >= 2;
    if is_long_enough && !naming::cleanup_for_kubernetes(name).is_empty() {
        return Ok(());
    }
    let given = kc
        .spec
        .cassandra
        .as_ref()
        .and_then(|cassandra| cassandra.cluster_name.as_deref())
        .unwrap_or_default();
    let field = if given.is_empty() {
        "metadata.name"
    } else {
        "spec.cassandra.clusterName"
    };
    let message = if is_long_enough {
        format!(
            "of {name:?} no letter is left for the names of objects; set spec.cassandra.clusterName to one that has letters"
        )
    } else {
        format!(
            "{name:?} is too short for a name of a cluster; set spec.cassandra.clusterName to two characters or more"
        )
    };
    Err(invalid(field, message))
}

fn names_of_datacenters(kc: &K8ssandraCluster, cassandra: &CassandraClusterTemplate) -> Result<(), Refusal> {
    const FIELD: &str = "spec.cassandra.datacenters";
    if cassandra.datacenters.is_empty() {
        return Err(refusal(
            reason::NO_DATACENTERS,
            FIELD,
            "the list is empty; name at least one datacenter".into(),
        ));
    }
    let duplicate = |what: &str, name: &str, index: usize, first: usize, field: &str| {
        let message = format!(
            "{what} {name} is that of datacenters[{first}], too, or names its objects as that one's; give each one its own"
        );
        refusal(
            reason::DUPLICATE_DATACENTER,
            &format!("{FIELD}[{index}].{field}"),
            message,
        )
    };
    for (index, template) in cassandra.datacenters.iter().enumerate() {
        let before = &cassandra.datacenters[..index];
        if let Some(first) = before.iter().position(|other| other.name() == template.name()) {
            return Err(duplicate(
                "the name",
                template.name(),
                index,
                first,
                "metadata.name",
            ));
        }
        let name = template.cassandra_name();
        // Names of ConfigMaps are made of it, with what Kubernetes does not take left out.
        let map = |it: &CassandraDatacenterTemplate| {
            naming::metrics_agent_config_map(cluster_name(kc), it.cassandra_name())
        };
        let place =
            |it: &CassandraDatacenterTemplate| (it.k8s_context.clone(), it.namespace().map(str::to_owned));
        let same = |other: &CassandraDatacenterTemplate| {
            other.cassandra_name() == name || map(other) == map(template) && place(other) == place(template)
        };
        if let Some(first) = before.iter().position(same) {
            return Err(duplicate(
                "Cassandra's name",
                name,
                index,
                first,
                "datacenterName",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
