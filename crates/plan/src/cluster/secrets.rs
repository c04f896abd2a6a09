//! The superuser's Secret, and that it is copied to where datacenters need it.

use std::collections::BTreeSet;

use api::names::reason;

use super::acts::Act;
use super::draft::{Draft, Entry, ours};
use super::facts::{ReplicatedFacts, SecretFacts};
use crate::superuser;

/// Makes the Secret and the ReplicatedSecret, or brings them up to date.
pub(super) fn plan(draft: &mut Draft<'_>) {
    let name = superuser::secret_name(&draft.facts.kc);
    match &draft.facts.superuser {
        SecretFacts::External => return,
        SecretFacts::Unknown => {
            let message = format!("Secret {}/{name} cannot be read", draft.identity.namespace);
            draft.hold(reason::SECRETS_PENDING, None, None, message);
            return;
        }
        SecretFacts::Missing => draft.acts.push(Act::CreateSuperuserSecret { name }),
        SecretFacts::Present {
            uid,
            resource_version,
            labelled,
            missing_keys,
        } => {
            if !labelled {
                let (uid, resource_version) = (uid.clone(), resource_version.clone());
                draft.acts.push(Act::LabelSuperuserSecret {
                    name: name.clone(),
                    uid,
                    resource_version,
                });
            }
            if !missing_keys.is_empty() {
                let message = format!(
                    "Secret {}/{name} lacks {}: no datacenter is made before it has both `username` and `password`",
                    draft.identity.namespace,
                    missing_keys
                        .iter()
                        .map(|key| format!("`{key}`"))
                        .collect::<Vec<_>>()
                        .join(" and ")
                );
                draft.hold(reason::SUPERUSER_SECRET_INCOMPLETE, None, None, message);
            }
        }
    }
    replicated_secret(draft);
}

fn replicated_secret(draft: &mut Draft<'_>) {
    let desired = targets(draft);
    match &draft.facts.replicated {
        ReplicatedFacts::Missing => draft.acts.push(Act::CreateReplicatedSecret { targets: desired }),
        ReplicatedFacts::Present { ours: false, .. } => {
            let message = format!(
                "ReplicatedSecret {}/{} was not made for this cluster and is left as it is: give it another name, so \
                 that the superuser's Secret can be copied",
                draft.identity.namespace, draft.identity.name
            );
            draft.hold(reason::NOT_OWNED, None, None, message);
        }
        ReplicatedFacts::Present {
            uid, targets: actual, ..
        } => {
            let wanted: BTreeSet<_> = desired.iter().cloned().collect();
            let lacking = wanted.difference(actual).next().is_some();
            if lacking || are_copied_in_vain(draft) {
                let gone: BTreeSet<_> = draft.gone.values().collect();
                let kept = actual
                    .iter()
                    .filter(|target| !wanted.contains(*target) && !gone.contains(target));
                let targets = desired.iter().chain(kept).cloned().collect();
                draft.acts.push(Act::ApplyReplicatedSecret {
                    uid: uid.clone(),
                    targets,
                });
            }
        }
    }
}

/// Whether our ReplicatedSecret still names the place of a datacenter that is gone, and no other needs it there.
pub(super) fn are_copied_in_vain(draft: &Draft<'_>) -> bool {
    let known = matches!(
        draft.facts.superuser,
        SecretFacts::Missing | SecretFacts::Present { .. }
    );
    let ReplicatedFacts::Present {
        ours: true,
        targets: actual,
        ..
    } = &draft.facts.replicated
    else {
        return false;
    };
    let wanted = targets(draft);
    let mut gone = draft.gone.values();
    known && gone.any(|place| actual.contains(place) && !wanted.contains(place))
}

/// Where copies are needed: for every datacenter of the spec, and for each that has left it and is still there.
fn targets(draft: &Draft<'_>) -> Vec<(String, String)> {
    let own = (String::new(), draft.identity.namespace.clone());
    let spec = draft
        .entries
        .iter()
        .map(|entry| (entry.context.clone(), entry.namespace.clone()));
    let leaves = |name: &&String| !draft.wants(name) && !draft.gone.contains_key(*name);
    let leaving = draft.record.datacenters.keys().filter(leaves);
    let leaving = leaving
        .filter_map(|name| draft.datacenter(name))
        .map(|it| (it.context.clone(), it.namespace.clone()));
    let mut seen = BTreeSet::from([own]);
    spec.chain(leaving)
        .filter(|target| seen.insert(target.clone()))
        .collect()
}

/// What tells the Secrets that a datacenter finds in its namespace from those that were there before; none where it
/// does not find them. Copies that are made anew change the ReplicatedSecret's status, and so its version.
pub(super) fn seen(draft: &Draft<'_>, entry: &Entry) -> Option<String> {
    let SecretFacts::Present {
        uid, missing_keys, ..
    } = &draft.facts.superuser
    else {
        return None;
    };
    if !missing_keys.is_empty() {
        return None;
    }
    if is_local(draft, entry) {
        return Some(uid.clone());
    }
    match &draft.facts.replicated {
        ReplicatedFacts::Present {
            uid: replicated_by,
            resource_version,
            ..
        } if is_copied(draft, entry) => Some(format!("{uid}.{replicated_by}.{resource_version}")),
        _ => None,
    }
}

/// Whether the copy is there and stays. The status of a ReplicatedSecret that is being deleted tells of copies that may
/// be on their way out, unless a datacenter is there that it has to stay for.
fn is_copied(draft: &Draft<'_>, entry: &Entry) -> bool {
    match &draft.facts.replicated {
        ReplicatedFacts::Present {
            replicated, deleting, ..
        } => {
            let mut datacenters = draft.facts.datacenters.values();
            let stays = !deleting || datacenters.any(|it| ours(&it.object).is_some());
            stays && replicated.contains(&(entry.context.clone(), entry.namespace.clone()))
        }
        ReplicatedFacts::Missing => false,
    }
}

fn is_local(draft: &Draft<'_>, entry: &Entry) -> bool {
    entry.context.is_empty() && entry.namespace == draft.identity.namespace
}

/// Whether the Secrets that a datacenter needs at its creation are in its namespace; holds it where not.
pub(super) fn are_there(draft: &mut Draft<'_>, entry: &Entry) -> bool {
    let complete = match &draft.facts.superuser {
        SecretFacts::External => return true,
        SecretFacts::Unknown => return false,
        SecretFacts::Missing => false,
        SecretFacts::Present { missing_keys, .. } if !missing_keys.is_empty() => return false,
        SecretFacts::Present { .. } => true,
    };
    let local = is_local(draft, entry);
    if complete && (local || is_copied(draft, entry)) {
        return true;
    }
    let message = format!(
        "datacenter {} is made once the superuser's Secret is in namespace {}: see the status of ReplicatedSecret {}/{}",
        entry.name, entry.namespace, draft.identity.namespace, draft.identity.name
    );
    draft.hold(
        reason::SECRETS_PENDING,
        Some(&entry.name),
        Some(&entry.context),
        message,
    );
    false
}
