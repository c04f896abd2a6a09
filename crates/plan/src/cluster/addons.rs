//! What k8ssandra-operator made for add-ons beside a datacenter that was its own: it goes before the datacenter does, for
//! nobody else knows of it any more.
//!
//! It carries labels with the cluster's name and no mark of ours. So it is looked for only where a datacenter with the same
//! labels was taken over.

use api::names::reason;
use api::record::Role;
use api::reports::Refusal;
use api::seen::Unknown;

use super::acts::{Act, plane};
use super::draft::Draft;
use super::facts::{AddonObject, DatacenterFacts, LiveDatacenter};
use crate::naming;

/// Whether no Stargate and no Reaper of this datacenter is left; what is left is deleted.
pub(super) fn of_datacenter_are_gone(
    draft: &mut Draft<'_>,
    name: &str,
    datacenter: &DatacenterFacts,
    live: &LiveDatacenter,
) -> bool {
    let own = naming::addons(&live.cluster_name, &live.cassandra_name);
    are_gone(draft, name, datacenter, |it| own.contains(&it.name))
}

/// Whether nothing of the cluster's add-ons is left in a datacenter's namespace; what is left is deleted.
pub(super) fn of_cluster_are_gone(draft: &mut Draft<'_>, name: &str, datacenter: &DatacenterFacts) -> bool {
    are_gone(draft, name, datacenter, |_| true)
}

fn are_gone(
    draft: &mut Draft<'_>,
    name: &str,
    datacenter: &DatacenterFacts,
    meant: impl Fn(&AddonObject) -> bool,
) -> bool {
    let record = draft.record.datacenters.get(name);
    if record.is_none_or(|record| record.role != Role::Adopted) {
        return true;
    }
    let left = match &datacenter.addons {
        None => {
            draft.wants_addons.insert(name.to_owned());
            return false;
        }
        Some(Err(unknown)) if unknown.reason == reason::PLANE_FORBIDDEN => {
            draft.warnings.push(not_looked_for(name, datacenter, unknown));
            return true;
        }
        Some(Err(unknown)) => {
            draft.hold_unknown(name, unknown);
            return false;
        }
        Some(Ok(left)) => left,
    };
    let mut objects: Vec<AddonObject> = left.iter().filter(|it| meant(it)).cloned().collect();
    if objects.is_empty() {
        return true;
    }
    objects.sort();
    let message =
        format!("datacenter {name} is deleted after what k8ssandra-operator made beside it for add-ons");
    draft.hold(reason::DELETING, Some(name), Some(&datacenter.context), message);
    draft.acts.push(Act::DeleteAddons {
        datacenter: name.to_owned(),
        context: datacenter.context.clone(),
        namespace: datacenter.namespace.clone(),
        objects,
    });
    false
}

/// A right that is missing keeps no datacenter and no cluster: what may be left is told.
fn not_looked_for(name: &str, datacenter: &DatacenterFacts, unknown: &Unknown) -> Refusal {
    Refusal {
        reason: reason::PLANE_FORBIDDEN.to_owned(),
        field: format!("spec.cassandra.datacenters[{name}]"),
        message: format!(
            "{}; what k8ssandra-operator may have made for add-ons beside datacenter {name} stays, in namespace {} of {}: delete \
             it by hand, or give the account of the kubeconfig the rights of the shipped role",
            unknown.message.trim_end_matches('.'),
            datacenter.namespace,
            plane(&datacenter.context)
        ),
    }
}
