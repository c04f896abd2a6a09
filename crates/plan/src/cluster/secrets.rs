//! The Secrets of the cluster's own, and that they are copied to where datacenters need them.

use std::collections::BTreeSet;

use api::names::reason;

use super::acts::Act;
use super::draft::{Draft, Entry, ours};
use super::facts::{DatacenterFacts, ReplicatedFacts, SecretFacts, is_unregistered};
use crate::own_secrets::{self, OwnSecret, Purpose};
use crate::{replication, superuser};

/// Makes the Secrets and the ReplicatedSecret, or brings them up to date. One that the spec asks for no more stays: its
/// user is still in Cassandra.
pub(super) fn plan(draft: &mut Draft<'_>) {
    let wanted = own_secrets::of(&draft.facts.kc);
    for secret in &wanted {
        own_secret(draft, secret);
    }
    if are_known(draft) {
        replicated_secret(draft);
    }
}

fn own_secret(draft: &mut Draft<'_>, secret: &OwnSecret) {
    let place = format!("{}/{}", draft.identity.namespace, secret.name);
    match draft.facts.secrets.get(&secret.name) {
        None | Some(SecretFacts::Unknown) => {
            let message = format!("Secret {place} cannot be read");
            draft.hold(reason::SECRETS_PENDING, None, None, message);
        }
        Some(SecretFacts::Missing) => draft.acts.push(Act::CreateSecret {
            secret: secret.clone(),
        }),
        Some(SecretFacts::Present {
            uid,
            resource_version,
            labelled,
            missing_keys,
            ..
        }) => {
            if !labelled {
                draft.acts.push(Act::LabelSecret {
                    secret: secret.clone(),
                    uid: uid.clone(),
                    resource_version: resource_version.clone(),
                });
            }
            if !missing_keys.is_empty() && secret.purpose.is_of_datacenters() {
                let message = format!(
                    "Secret {place} lacks {}: no datacenter is made before it has both `username` and `password`",
                    missing_keys
                        .iter()
                        .map(|key| format!("`{key}`"))
                        .collect::<Vec<_>>()
                        .join(" and ")
                );
                let reason = if secret.purpose == Purpose::Superuser {
                    reason::SUPERUSER_SECRET_INCOMPLETE
                } else {
                    reason::SECRET_INCOMPLETE
                };
                draft.hold(reason, None, None, message);
            }
        }
    }
}

/// Whether there are Secrets at all, and all of them were looked at.
fn are_known(draft: &Draft<'_>) -> bool {
    let wanted = own_secrets::of(&draft.facts.kc);
    let known = |secret: &OwnSecret| {
        let facts = draft.facts.secrets.get(&secret.name);
        facts.is_some_and(|facts| *facts != SecretFacts::Unknown)
    };
    !wanted.is_empty() && wanted.iter().all(known)
}

fn replicated_secret(draft: &mut Draft<'_>) {
    let desired = targets(draft);
    match &draft.facts.replicated {
        ReplicatedFacts::Missing => draft.acts.push(Act::CreateReplicatedSecret { targets: desired }),
        ReplicatedFacts::Present { ours: false, .. } => {
            let message = format!(
                "ReplicatedSecret {}/{} was not made for this cluster and is left as it is: give it another name, so \
                 that the cluster's Secrets can be copied",
                draft.identity.namespace, draft.identity.name
            );
            draft.hold(reason::NOT_OWNED, None, None, message);
        }
        ReplicatedFacts::Present {
            uid,
            targets: actual,
            selects,
            ..
        } => {
            let wanted: BTreeSet<_> = desired.iter().cloned().collect();
            let lacking = wanted.difference(actual).next().is_some();
            let given_up = nobody_else_needs_copies(draft);
            if lacking || !selects || are_copied_in_vain(draft) || given_up && wanted != *actual {
                let gone: BTreeSet<_> = draft.gone.values().collect();
                let kept = actual
                    .iter()
                    .filter(|target| !given_up && !wanted.contains(*target) && !gone.contains(target));
                let targets = desired.iter().chain(kept).cloned().collect();
                draft.acts.push(Act::ApplyReplicatedSecret {
                    uid: uid.clone(),
                    targets,
                });
            }
        }
    }
}

/// Whether a plane was abandoned, whose context nobody may know, and every place that needs copies is known.
fn nobody_else_needs_copies(draft: &Draft<'_>) -> bool {
    let mut recorded = draft.record.datacenters.keys();
    let is_known = |name: &String| {
        let datacenter = draft.datacenter(name);
        datacenter.is_some_and(|it| !is_unregistered(&it.context))
    };
    !draft.record.abandoned.is_empty() && recorded.all(is_known)
}

/// Whether our ReplicatedSecret still names the place of a datacenter that is gone, and no other needs it there.
pub(super) fn are_copied_in_vain(draft: &Draft<'_>) -> bool {
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
    are_known(draft) && gone.any(|place| actual.contains(place) && !wanted.contains(place))
}

/// Where copies are needed: for every datacenter of the spec, and for each that has left it and is still there. One that
/// cannot be seen keeps the target that it has, and gets none: its copies may have gone with it.
fn targets(draft: &Draft<'_>) -> Vec<(String, String)> {
    let actual = match &draft.facts.replicated {
        ReplicatedFacts::Present { targets, .. } => Some(targets),
        ReplicatedFacts::Missing => None,
    };
    let place = |it: &DatacenterFacts| (it.context.clone(), it.namespace.clone());
    let needs = |it: &&DatacenterFacts| {
        it.object.present().is_some() || actual.is_none_or(|actual| actual.contains(&place(it)))
    };
    let own = (String::new(), draft.identity.namespace.clone());
    let spec = own_secrets::places(&draft.facts.kc);
    let leaves = |name: &&String| !draft.wants(name) && !draft.gone.contains_key(*name);
    let leaving = draft.record.datacenters.keys().filter(leaves);
    let leaving = leaving
        .filter_map(|name| draft.datacenter(name))
        .filter(|it| !is_unregistered(&it.context))
        .filter(needs)
        .map(place);
    let mut seen = BTreeSet::from([own]);
    spec.into_iter()
        .chain(leaving)
        .filter(|target| seen.insert(target.clone()))
        .collect()
}

/// What tells the superuser's Secret that a datacenter finds in its namespace from those that were there before; none
/// where it does not find it. Copies that are made anew change the ReplicatedSecret's status, and so its version.
pub(super) fn seen(draft: &Draft<'_>, entry: &Entry) -> Option<String> {
    let name = superuser::secret_name(&draft.facts.kc);
    let uid = complete(draft, &name).filter(|_| are_known(draft))?;
    if is_local(draft, entry) {
        return Some(uid.to_owned());
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

/// Whether the copies are there, are those of the present Secrets, and stay. The status of a ReplicatedSecret that is being
/// deleted tells of copies that may be on their way out, unless a datacenter is there that it has to stay for.
fn is_copied(draft: &Draft<'_>, entry: &Entry) -> bool {
    match &draft.facts.replicated {
        ReplicatedFacts::Present {
            replicated,
            deleting,
            ours: true,
            ..
        } => {
            let mut datacenters = draft.facts.datacenters.values();
            let stays = !deleting || datacenters.any(|it| ours(&it.object).is_some());
            let marks = replicated.get(&(entry.context.clone(), entry.namespace.clone()));
            stays && marks.is_some_and(|marks| are_of_present(draft, marks))
        }
        ReplicatedFacts::Present { .. } | ReplicatedFacts::Missing => false,
    }
}

/// Whether every Secret that datacenters refer to is among those that were copied.
fn are_of_present(draft: &Draft<'_>, marks: &str) -> bool {
    let needed = own_secrets::of(&draft.facts.kc).into_iter();
    let mut needed = needed.filter(|secret| secret.purpose.is_of_datacenters());
    needed.all(|secret| {
        let present = complete(draft, &secret.name);
        present.is_none_or(|uid| replication::is_copy_of(marks, uid))
    })
}

fn is_local(draft: &Draft<'_>, entry: &Entry) -> bool {
    entry.context.is_empty() && entry.namespace == draft.identity.namespace
}

/// UID of a Secret that has all that it must have.
fn complete<'a>(draft: &Draft<'a>, name: &str) -> Option<&'a str> {
    match draft.facts.secrets.get(name)? {
        SecretFacts::Present {
            uid, missing_keys, ..
        } if missing_keys.is_empty() => Some(uid),
        _ => None,
    }
}

/// Secrets that datacenters refer to and that are not there yet, or not as they must be.
fn lacking(draft: &Draft<'_>) -> Vec<OwnSecret> {
    let wanted = own_secrets::of(&draft.facts.kc).into_iter();
    let needed = wanted.filter(|secret| secret.purpose.is_of_datacenters());
    needed
        .filter(|secret| complete(draft, &secret.name).is_none())
        .collect()
}

/// Whether the Secrets that a datacenter needs at its creation are in its namespace; holds it where not.
pub(super) fn are_there(draft: &mut Draft<'_>, entry: &Entry) -> bool {
    if draft.facts.kc.spec.has_external_secrets() {
        return true;
    }
    let lacking = lacking(draft);
    let is_made = |secret: &OwnSecret| draft.facts.secrets.get(&secret.name) == Some(&SecretFacts::Missing);
    if !lacking.iter().all(is_made) {
        // What is wrong with the others is held for the whole cluster.
        return false;
    }
    if lacking.is_empty() && (is_local(draft, entry) || is_copied(draft, entry)) {
        return true;
    }
    let message = format!(
        "datacenter {} is made once the cluster's Secrets are in namespace {}: see the status of ReplicatedSecret {}/{}",
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

/// Whether the Secrets that a changed datacenter refers to exist: cass-operator makes users of them. Holds it where not.
pub(super) fn exist(draft: &mut Draft<'_>, entry: &Entry) -> bool {
    let mut lacking = lacking(draft).into_iter();
    // The superuser has long been made: of him a change asks nothing.
    let Some(first) = lacking.find(|secret| secret.purpose != Purpose::Superuser) else {
        return true;
    };
    let message = format!(
        "datacenter {} is changed once Secret {}/{} for {} is there and complete",
        entry.name,
        draft.identity.namespace,
        first.name,
        first.purpose.described()
    );
    draft.hold(
        reason::SECRETS_PENDING,
        Some(&entry.name),
        Some(&entry.context),
        message,
    );
    false
}
