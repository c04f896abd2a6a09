//! What must not change in a cluster that is there.

use std::collections::BTreeSet;

use api::k8ssandra_cluster::{CassandraDatacenterTemplate, K8ssandraCluster};
use api::reports::Refusal;
use serde_json::Value;

use super::invalid;
use crate::datacenter::{
    Facts, LiveDatacenter, cluster_name, num_tokens, racks as racks_of, stays_with_live_tokens,
};
use crate::normalize::normalize;
use crate::{naming, superuser, value};

/// Lets storage requests change; everything else of the claim stays.
const ALLOW_STORAGE_CHANGES: &str = "cassandra.datastax.com/allow-storage-changes";

/// Checks a spec, and its datacenters, against the datacenters of this cluster that are there: those that are to go included, those whose
/// deletion was consented to left out.
///
/// # Errors
///
/// The first change that would lose data or that cass-operator would refuse. What runs stays as it is.
pub(crate) fn against(
    kc: &K8ssandraCluster,
    wanted: &[Facts<'_>],
    live: &[&LiveDatacenter],
) -> Result<(), Refusal> {
    names(kc, live)?;
    for facts in wanted {
        let live = live.iter().find(|live| live.name == facts.name).copied();
        nodes(facts, live)?;
        let Some(live) = live else {
            continue;
        };
        tokens(facts, live)?;
        racks(facts, live)?;
        storage(facts, live)?;
        superuser_secret(facts, live)?;
    }
    Ok(())
}

/// The cluster's name stays, and datacenters are not renamed: the data would be gone with the old name.
fn names(kc: &K8ssandraCluster, live: &[&LiveDatacenter]) -> Result<(), Refusal> {
    let wanted = cluster_name(kc);
    let named = live
        .iter()
        .filter_map(|live| Some((live, value::text(&live.spec, "/clusterName")?)));
    if let Some((live, name)) = named.into_iter().find(|(_, name)| *name != wanted) {
        let message = format!(
            "datacenter {} runs as part of cluster {name}, which cannot be renamed to {wanted}; set the name back to {name}",
            live.name
        );
        return Err(invalid("spec.cassandra.clusterName", message));
    }
    let datacenters = kc
        .spec
        .cassandra
        .iter()
        .flat_map(|cassandra| &cassandra.datacenters);
    let spec: BTreeSet<&str> = datacenters.map(CassandraDatacenterTemplate::name).collect();
    let there: BTreeSet<&str> = live.iter().map(|live| live.name.as_str()).collect();
    let is_new = |name: &&str| !there.contains(name);
    match (
        spec.iter().find(|name| is_new(name)),
        there.difference(&spec).next(),
    ) {
        (Some(added), Some(removed)) => Err(invalid(
            "spec.cassandra.datacenters",
            format!(
                "{added} is new and {removed} is gone: a datacenter cannot be renamed, and one that is to go may hold \
                 the only copy. Put {removed} back, wait until {added} is Ready, then take {removed} out"
            ),
        )),
        _ => Ok(()),
    }
}

/// Every rack has a node: the ring would be uneven for ever. Where that was let through before, it is no reason to refuse
/// everything else.
fn nodes(facts: &Facts<'_>, live: Option<&LiveDatacenter>) -> Result<(), Refusal> {
    let size = i64::from(facts.template.size);
    let has_enough = |size: i64, racks: usize| usize::try_from(size).is_ok_and(|size| size >= racks);
    let wanted = racks_of(&facts.merged).len();
    let before = live.map(|live| {
        (
            live.spec["size"].as_i64().unwrap_or_default(),
            racks_of(&live.spec).len(),
        )
    });
    let was_so =
        before.is_some_and(|(there, racks)| !has_enough(there, racks) && size >= there && wanted <= racks);
    if has_enough(size, wanted) || was_so {
        return Ok(());
    }
    let message = format!(
        "{} has {wanted} racks, and {size} nodes are too few for them; give each rack a node, or take out racks that \
         have none yet",
        facts.name
    );
    Err(invalid(&facts.field("size"), message))
}

/// A node keeps the number of tokens that it has begun with.
fn tokens(facts: &Facts<'_>, live: &LiveDatacenter) -> Result<(), Refusal> {
    let Some(there) = live.num_tokens() else {
        return Ok(());
    };
    let wanted = num_tokens(facts);
    if wanted.as_f64() == there.as_f64() && wanted.is_number() == there.is_number() {
        return Ok(());
    }
    if stays_with_live_tokens(facts, live) {
        return Ok(());
    }
    let message = format!(
        "nodes of {} have {there} tokens each, and that cannot become {wanted}; set num_tokens to {there}, or add a \
         datacenter with {wanted} and remove this one",
        facts.name
    );
    Err(invalid(&facts.field("config.cassandraYaml.num_tokens"), message))
}

/// Racks may only be added, at the end: their order says which node is where.
fn racks(facts: &Facts<'_>, live: &LiveDatacenter) -> Result<(), Refusal> {
    let names = |racks: &[Value]| -> Vec<String> {
        let named: Vec<String> = racks
            .iter()
            .filter_map(|rack| value::text(rack, "/name"))
            .map(str::to_owned)
            .collect();
        if named.is_empty() {
            vec![naming::DEFAULT_RACK.to_owned()]
        } else {
            named
        }
    };
    let there = names(value::items(&live.spec, "/racks"));
    let wanted = names(value::items(&facts.merged, "/racks"));
    if wanted.starts_with(&there) {
        return Ok(());
    }
    let message = format!(
        "{} has the racks {}, and new ones may only follow them; {} would move nodes. Put the list back and add at its end",
        facts.name,
        there.join(", "),
        wanted.join(", ")
    );
    Err(invalid(&facts.field("racks"), message))
}

/// The claim of the data volume is written once; only its size may be changed, where the user allows that.
fn storage(facts: &Facts<'_>, live: &LiveDatacenter) -> Result<(), Refusal> {
    const CLAIM: &str = "cassandraDataVolumeClaimSpec";
    let claim = |storage: Option<&Value>| {
        let mut claim = storage
            .and_then(|storage| storage.get(CLAIM))
            .cloned()
            .unwrap_or_default();
        if is_resizable(facts, live)
            && let Some(resources) = claim.get_mut("resources").and_then(Value::as_object_mut)
        {
            resources.remove("requests");
        }
        normalize(&serde_json::json!({ CLAIM: claim }))
    };
    if claim(facts.merged.get("storageConfig")) == claim(live.spec.get("storageConfig")) {
        return Ok(());
    }
    let message = format!(
        "the volumes of {} are there, and their claim cannot be changed; put it back, or add a datacenter with the new \
         storage and remove this one. A larger size alone is possible with annotation {ALLOW_STORAGE_CHANGES}: \"true\" \
         in the datacenter's metadata",
        facts.name
    );
    Err(invalid(&facts.field(&format!("storageConfig.{CLAIM}")), message))
}

fn is_resizable(facts: &Facts<'_>, live: &LiveDatacenter) -> bool {
    let wanted = value::texts(&facts.merged, "/metadata/annotations");
    let cluster = facts
        .cassandra
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.annotations.as_ref());
    let allows = |annotations: &std::collections::BTreeMap<String, String>| {
        annotations
            .get(ALLOW_STORAGE_CHANGES)
            .is_some_and(|value| value == "true")
    };
    allows(&wanted) || cluster.is_some_and(allows) || allows(&live.annotations)
}

/// cass-operator refuses another Secret, and nodes would keep the password of the first.
fn superuser_secret(facts: &Facts<'_>, live: &LiveDatacenter) -> Result<(), Refusal> {
    let Some(there) = live
        .superuser_secret()
        .filter(|_| !facts.kc.spec.has_external_secrets())
    else {
        return Ok(());
    };
    if superuser::secret_name(facts.kc) == there {
        return Ok(());
    }
    let message = format!(
        "{} was made with superuser Secret {there}, and that name stays; name {there} here and change the password in it",
        facts.name
    );
    Err(invalid("spec.cassandra.superuserSecretRef.name", message))
}
