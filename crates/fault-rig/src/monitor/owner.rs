//! Whose an object is, and what the user wants of that cluster at this moment.

use std::sync::Arc;

use api::names::{annotation as annotations, label as labels};
use serde_json::Value;

use super::sight::{CLUSTERS, DATACENTERS, DEFINITIONS, Look, annotation, is_going, label, list, text};
use crate::world::CONTROL_PLANE;

/// On a K8ssandraCluster that asks for a second consent: UIDs of the datacenters that may go, separated by commas.
const CONFIRM_REMOVAL: &str = "ringspan.io/confirm-removal";

/// The UID of the K8ssandraCluster that an object says it was made for: annotation, label, or owner reference.
pub(crate) fn mark(object: &Value) -> Option<&str> {
    let written = [
        annotation(object, annotations::CLUSTER_UID),
        label(object, labels::CLUSTER_UID),
    ];
    written
        .into_iter()
        .find(|uid| !uid.is_empty())
        .or_else(|| owned_by(object, "K8ssandraCluster").map(|owner| text(owner, "/uid")))
}

fn owned_by<'a>(object: &'a Value, kind: &'static str) -> Option<&'a Value> {
    list(object, "/metadata/ownerReferences").find(|owner| owner["kind"] == kind)
}

/// The UID of the cluster that an object belongs to: its own mark, or that of the datacenter that owns it.
pub(crate) fn of(look: &dyn Look, plane: &str, object: &Value) -> Option<String> {
    if let Some(uid) = mark(object) {
        return Some(uid.to_owned());
    }
    let owner = owned_by(object, "CassandraDatacenter")?;
    let namespace = text(object, "/metadata/namespace");
    let datacenter = look.get(plane, DATACENTERS, namespace, text(owner, "/name"))?;
    let same = text(&datacenter, "/metadata/uid") == text(owner, "/uid");
    same.then(|| mark(&datacenter).map(str::to_owned)).flatten()
}

/// The live cluster with a UID.
pub(crate) fn cluster(look: &dyn Look, uid: &str) -> Option<Arc<Value>> {
    look.all(CONTROL_PLANE, CLUSTERS)
        .into_iter()
        .find(|cluster| text(cluster, "/metadata/uid") == uid)
}

/// The live cluster that upstream's labels name. They are no identity: only what has no mark is found by them.
pub(crate) fn cluster_by_labels(look: &dyn Look, object: &Value) -> Option<Arc<Value>> {
    let (name, namespace) = (
        label(object, labels::CLUSTER_NAME),
        label(object, labels::CLUSTER_NAMESPACE),
    );
    look.get(CONTROL_PLANE, CLUSTERS, namespace, name)
}

/// The entry of a datacenter in a cluster's spec.
pub(crate) fn entry<'a>(cluster: &'a Value, name: &str) -> Option<&'a Value> {
    entries(cluster).find(|entry| entry["metadata"]["name"] == name)
}

/// The datacenters of a cluster's spec.
pub(crate) fn entries(cluster: &Value) -> impl Iterator<Item = &Value> {
    list(cluster, "/spec/cassandra/datacenters")
}

/// The name of a cluster's superuser Secret: the one that is given, or that of the Cassandra cluster, cleaned as
/// cass-operator does.
pub(crate) fn superuser(cluster: &Value) -> String {
    let given = text(cluster, "/spec/cassandra/superuserSecretRef/name");
    if !given.is_empty() {
        return given.to_owned();
    }
    generated(cluster, "superuser")
}

/// Every Secret of a cluster's own: the superuser's, and those of the users of its add-ons.
pub(crate) fn own_secrets(cluster: &Value) -> Vec<String> {
    let users = [
        ("medusa", "cassandraUserSecretRef", "medusa"),
        ("reaper", "cassandraUserSecretRef", "reaper"),
        ("reaper", "uiUserSecretRef", "reaper-ui"),
    ];
    let given = users
        .into_iter()
        .filter(|(addon, ..)| cluster["spec"][addon].is_object());
    let name =
        |(addon, field, suffix): (&str, &str, &str)| match text(&cluster["spec"][addon][field], "/name") {
            "" => generated(cluster, suffix),
            name => name.to_owned(),
        };
    given.map(name).chain([superuser(cluster)]).collect()
}

/// Name of a Secret that the user does not name.
fn generated(cluster: &Value, suffix: &str) -> String {
    let name = match text(cluster, "/spec/cassandra/clusterName") {
        "" => text(cluster, "/metadata/name"),
        given => given,
    };
    let signs = name
        .chars()
        .filter(|sign| sign.is_ascii_alphanumeric() || *sign == '-');
    format!("{}-{suffix}", signs.collect::<String>().to_ascii_lowercase())
}

/// Whether the user consents, now, to a datacenter being deleted; the error says what is missing.
///
/// A cluster that is gone consents: it could not go before its datacenters, but by its user's force.
pub(crate) fn consent(look: &dyn Look, datacenter: &Value) -> Result<(), String> {
    let uid = match mark(datacenter) {
        Some(uid) => uid.to_owned(),
        None => cluster_by_labels(look, datacenter)
            .map(|cluster| text(&cluster, "/metadata/uid").to_owned())
            .ok_or("it is nobody's")?,
    };
    let Some(cluster) = cluster(look, &uid) else {
        return Ok(());
    };
    if is_going(&cluster) {
        return deletion_consented(look, &cluster);
    }
    let name = text(datacenter, "/metadata/name");
    if entry(&cluster, name).is_some() {
        return Err("its cluster still wants it".to_owned());
    }
    let mut confirmed = annotation(&cluster, CONFIRM_REMOVAL).split(',').map(str::trim);
    if annotation(&cluster, annotations::REMOVAL) == "confirm"
        && !confirmed.any(|uid| uid == text(datacenter, "/metadata/uid"))
    {
        return Err("its cluster asks for a second consent, and none names it".to_owned());
    }
    let record: Value = serde_json::from_str(annotation(&cluster, annotations::RECORD)).unwrap_or_default();
    let leaving = &record["datacenters"][name]["leaving"]["uid"];
    if leaving == &datacenter["metadata"]["uid"] {
        Ok(())
    } else {
        Err(format!("the record lets {leaving} go, not this one"))
    }
}

fn deletion_consented(look: &dyn Look, cluster: &Value) -> Result<(), String> {
    if annotation(cluster, annotations::DELETION_POLICY) == "Orphan" {
        return Err("its cluster is deleted under policy Orphan".to_owned());
    }
    let definition = look.get(CONTROL_PLANE, DEFINITIONS, "", "k8ssandraclusters.k8ssandra.io");
    let confirmed = annotation(cluster, annotations::CONFIRM_DELETE) == text(cluster, "/metadata/uid");
    if definition.is_some_and(|definition| is_going(&definition)) && !confirmed {
        return Err("the definition of its cluster is being deleted, and nobody confirmed that".to_owned());
    }
    Ok(())
}
