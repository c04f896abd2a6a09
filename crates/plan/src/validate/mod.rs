//! Whether a spec can be acted on. A refusal names the reason, the field, and the way out; it never holds a deletion.
//!
//! * [`cluster`]: a spec by itself
//! * [`against`]: a spec against the datacenters that are there
//!
//! Whether a context is known, and what other objects hold, is asked where it is read.

mod datacenter;
mod update;

use api::k8ssandra_cluster::{CassandraClusterTemplate, K8ssandraCluster};
use api::names::{annotation, reason};
use api::reports::Refusal;

use crate::datacenter::{Facts, cluster_name};

pub(crate) use update::against;

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
    names_of_datacenters(cassandra)?;
    let one = |(index, template)| {
        datacenter::shape(cassandra, template, index)?;
        datacenter::names(kc, template, index)?;
        let facts = Facts::at(kc, cassandra, index, template)?;
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

/// The CassandraDatacenter's schema wants two characters; upstream takes one and is then stuck for ever.
fn name_of_cluster(kc: &K8ssandraCluster) -> Result<(), Refusal> {
    let name = cluster_name(kc);
    if name.chars().count() >= 2 {
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
    let message = format!(
        "{name:?} is too short for a name of a cluster; set spec.cassandra.clusterName to two characters or more"
    );
    Err(invalid(field, message))
}

fn names_of_datacenters(cassandra: &CassandraClusterTemplate) -> Result<(), Refusal> {
    const FIELD: &str = "spec.cassandra.datacenters";
    if cassandra.datacenters.is_empty() {
        return Err(refusal(
            reason::NO_DATACENTERS,
            FIELD,
            "the list is empty; name at least one datacenter".into(),
        ));
    }
    let duplicate = |what: &str, name: &str, index: usize, first: usize, field: &str| {
        let message = format!("{what} {name} is that of datacenters[{first}], too; give each one its own");
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
        if let Some(first) = before.iter().position(|other| other.cassandra_name() == name) {
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
