//! What a datacenter refers to in its own plane: configuration of single nodes.

use api::k8ssandra_cluster::CassandraDatacenterTemplate;
use api::names::reason;
use api::seen::Seen;

use super::acts::{Act, plane};
use super::draft::{Draft, Entry};
use super::facts::UserConfigMap;
use crate::datacenter::{References, cluster_name};
use crate::naming;

/// Everything that a datacenter refers to; `None` holds it, and it alone.
pub(super) fn of(draft: &mut Draft<'_>, entry: &Entry) -> Option<References> {
    let given = draft.facts.references.get(&entry.name);
    let mut references = given.cloned().unwrap_or_default();
    let Some(datacenter) = draft.datacenter(&entry.name) else {
        return Some(references);
    };
    match &datacenter.per_node_config {
        None => {
            let generated = generated(draft, entry);
            let maps = datacenter.config_maps.present();
            let existing = maps.and_then(|maps| maps.get(&generated?)?.content.as_deref());
            references.per_node_config = existing.cloned();
        }
        Some(Seen::Present(map)) => {
            label(draft, entry, map);
            references.per_node_config = Some(map.content.clone());
        }
        Some(Seen::Unknown(unknown)) => {
            draft.hold_unknown(&entry.name, unknown);
            return None;
        }
        Some(Seen::Absent(_) | Seen::NotListed) => {
            missing(draft, entry);
            return None;
        }
    }
    Some(references)
}

/// The ConfigMap with tokens that nodes have begun with.
fn generated(draft: &Draft<'_>, entry: &Entry) -> Option<String> {
    let name = template(draft, entry)?.cassandra_name();
    Some(naming::per_node_config_map(cluster_name(&draft.facts.kc), name))
}

/// Name of the user's ConfigMap.
fn named(draft: &Draft<'_>, entry: &Entry) -> String {
    let name = template(draft, entry).and_then(CassandraDatacenterTemplate::per_node_config_map);
    name.unwrap_or_default().to_owned()
}

fn template<'a>(draft: &Draft<'a>, entry: &Entry) -> Option<&'a CassandraDatacenterTemplate> {
    let mut templates = draft
        .facts
        .kc
        .spec
        .cassandra
        .iter()
        .flat_map(|it| &it.datacenters);
    templates.find(|template| template.name() == entry.name)
}

/// It is the user's: labels are all that it gets, and only where it has none of any cluster.
fn label(draft: &mut Draft<'_>, entry: &Entry, map: &UserConfigMap) {
    if map.watched {
        return;
    }
    draft.acts.push(Act::LabelConfigMap {
        datacenter: entry.name.clone(),
        context: entry.context.clone(),
        namespace: entry.namespace.clone(),
        name: named(draft, entry),
        uid: map.uid.clone(),
    });
}

fn missing(draft: &mut Draft<'_>, entry: &Entry) {
    let message = format!(
        "datacenter {} is neither made nor changed: ConfigMap {}/{}, which perNodeConfigMapRef names, is not in {}; create \
         it there, or take the reference out",
        entry.name,
        entry.namespace,
        named(draft, entry),
        plane(&entry.context)
    );
    let (name, context) = (Some(entry.name.as_str()), Some(entry.context.as_str()));
    draft.hold(reason::CONFIG_MAP_MISSING, name, context, message);
}
