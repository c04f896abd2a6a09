//! Deletion of a whole cluster: its datacenters one after another, each by UID, then what was made for them.

use api::names::{annotation, deletion_policy, finalizer, reason};
use api::record::RecordState;
use api::seen::Seen;

use super::acts::{Act, ClusterPlan, ThisDatacenter};
use super::draft::Draft;
use super::facts::{Owner, ReplicatedFacts, SecretFacts};
use super::removal::{leftovers, unseen_leftovers, where_is};
use super::{abandoning, addons};

/// Decides for a cluster that is being deleted. Nothing here can be refused by a bad spec.
pub(super) fn plan(mut draft: Draft<'_>) -> ClusterPlan {
    draft.incomplete = true;
    let finalizers = draft.facts.kc.metadata.finalizers.as_deref().unwrap_or_default();
    if !finalizers.iter().any(|text| text == finalizer::CLUSTER) {
        return draft.finish_without_record();
    }
    if draft.annotation(annotation::DELETION_POLICY) == Some(deletion_policy::ORPHAN) {
        return orphan(draft);
    }
    if !is_meant(&mut draft) {
        return draft.finish_without_record();
    }
    let (mut everything_gone, mut known) = (true, true);
    for (name, datacenter) in &draft.facts.datacenters {
        match &datacenter.object {
            Seen::Absent(_) => {
                if let Some(unknown) = unseen_leftovers(datacenter) {
                    draft.hold_unknown(name, unknown);
                    known = false;
                }
                known &= addons::of_cluster_are_gone(&mut draft, name, datacenter);
            }
            Seen::Present(live) if live.owner == Owner::Foreign => {
                known &= unseen_leftovers(datacenter).is_none();
            }
            Seen::Present(live) => {
                let message = format!("datacenter {name} in {} is being deleted", where_is(datacenter));
                draft.hold(reason::DELETING, Some(name), Some(&datacenter.context), message);
                let goes_now = !live.deleting && everything_gone;
                if goes_now && addons::of_cluster_are_gone(&mut draft, name, datacenter) {
                    draft.acts.push(Act::DeleteDatacenter(ThisDatacenter {
                        context: datacenter.context.clone(),
                        namespace: datacenter.namespace.clone(),
                        name: name.clone(),
                        uid: live.uid.clone(),
                        resource_version: live.resource_version.clone(),
                    }));
                }
                everything_gone = false;
            }
            Seen::NotListed => {
                draft.wants_live.insert(name.clone());
                everything_gone = false;
            }
            Seen::Unknown(_) if abandoning::is_given_up(&mut draft, name) => {}
            Seen::Unknown(unknown) => {
                // A dead plane does not keep the others from being cleaned up, but it keeps the cluster.
                abandoning::hold(&mut draft, name, unknown);
                known = false;
            }
        }
    }
    if matches!(&draft.facts.record, RecordState::Known(record) if *record != draft.record) {
        // What was abandoned is written down before anything relies on it.
        return draft.finish();
    }
    if everything_gone && draft.wants_live.is_empty() {
        let acts: Vec<_> = draft
            .facts
            .datacenters
            .iter()
            .filter_map(|(name, it)| leftovers(&draft, name, it))
            .collect();
        if acts.is_empty() && known {
            draft.acts.push(Act::RemoveFinalizer);
        }
        draft.acts.extend(acts);
    }
    draft.finish_without_record()
}

/// Nothing is deleted. The databases go on, so their Secrets must, and be copied: what the cluster owns
/// would go with it.
fn orphan(mut draft: Draft<'_>) -> ClusterPlan {
    for (name, secret) in &draft.facts.secrets {
        match secret {
            SecretFacts::Missing => {}
            SecretFacts::Unknown => {
                let message =
                    format!("the cluster stays until Secret {name} can be read, so that it is kept");
                draft.hold(reason::SECRETS_PENDING, None, None, message);
            }
            SecretFacts::Present {
                uid,
                resource_version,
                goes_with_cluster,
                ..
            } => draft.acts.extend(goes_with_cluster.map(|owner| Act::KeepSecret {
                name: name.clone(),
                uid: uid.clone(),
                resource_version: resource_version.clone(),
                owner,
            })),
        }
    }
    if let ReplicatedFacts::Present {
        uid,
        resource_version,
        goes_with_cluster: Some(owner),
        ..
    } = &draft.facts.replicated
    {
        draft.acts.push(Act::KeepReplicatedSecret {
            uid: uid.clone(),
            resource_version: resource_version.clone(),
            owner: *owner,
        });
    }
    if draft.acts.is_empty() && draft.holds.is_empty() {
        draft.acts.push(Act::RemoveFinalizer);
    }
    draft.finish_without_record()
}

/// While the CRD itself is being deleted, nobody may have meant the databases: a second consent is needed.
fn is_meant(draft: &mut Draft<'_>) -> bool {
    let confirmed = draft.annotation(annotation::CONFIRM_DELETE) == Some(draft.identity.uid.as_str());
    let message = match draft.facts.crd_deleting {
        Some(false) => return true,
        Some(true) if confirmed => return true,
        Some(true) => format!(
            "the CRD of K8ssandraClusters is being deleted, and with it every database would be: nothing is deleted until \
             annotation {}={} consents",
            annotation::CONFIRM_DELETE,
            draft.identity.uid
        ),
        None => "it is not known whether the CRD of K8ssandraClusters is being deleted too".to_owned(),
    };
    draft.hold(reason::CONFIRMATION_REQUIRED, None, None, message);
    false
}
