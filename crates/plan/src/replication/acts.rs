//! Every target: what has to be done there.

use std::collections::BTreeMap;

use api::names::reason;
use api::replicated_secret::{ReplicationCondition, ReplicationTarget};
use api::seen::{PlaneId, SamePlane, Unknown};

use super::copy;
use super::facts::{ReplicationFacts, SecretView};
use super::judge::{Verdict, judge};
use crate::cluster::acts::plane as plane_named;
use crate::grants;

/// Why nothing is done, as a condition says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// `Some(false)`: it is known not to be as it should; `None`: it is not known.
    pub holds: Option<bool>,
    /// From `api::names::reason`.
    pub reason: String,
    /// What is wrong, and the way out.
    pub message: String,
}

impl Held {
    /// A plane that does not tell. Of one that does not answer, what it said exactly differs from time to time and would
    /// be written each time, so it is not said.
    #[must_use]
    pub fn unknown(unknown: &Unknown) -> Held {
        if unknown.reason == reason::PLANE_UNREACHABLE {
            return Held::no_answer(&unknown.context);
        }
        Held {
            holds: None,
            reason: unknown.reason.clone(),
            message: unknown.message.clone(),
        }
    }

    /// A plane that does not answer, however that was noticed.
    #[must_use]
    pub fn no_answer(context: &str) -> Held {
        Held {
            holds: None,
            reason: reason::PLANE_UNREACHABLE.to_owned(),
            message: format!(
                "{} gives no usable answer. Copies there are as they were last seen; it is tried again by itself.",
                plane_named(context)
            ),
        }
    }
}

/// What has to be done for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetPlan {
    /// Context of the plane.
    pub context: String,
    /// Namespace of the copies.
    pub namespace: String,
    /// The plane that was seen.
    pub plane: Option<PlaneId>,
    /// One step for each source, or why there is none.
    pub steps: Result<Vec<Step>, Held>,
}

/// What has to be done for one copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Name of the source.
    pub source: String,
    /// Name of the copy.
    pub name: String,
    /// What to do.
    pub act: CopyAct,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyAct {
    /// Nothing: it is there, with this version of the source.
    Keep {
        /// See [`copy::mark`].
        mark: String,
    },
    /// POST it; a taken name is read and judged.
    Create {
        /// Read before: the status says that something of that name has been there.
        look_first: bool,
    },
    /// Write the copy that was seen.
    Write {
        /// Its UID.
        uid: String,
        /// The version that was compared.
        resource_version: String,
    },
    /// Leave it as it is, and say why.
    Refuse(Held),
}

impl TargetPlan {
    /// Whether a copy is to be made that the status says is there: somebody has deleted it. What waits for it must not
    /// trust that status for a moment longer.
    #[must_use]
    pub fn has_lost_a_copy(&self, facts: &ReplicationFacts) -> bool {
        let known = facts
            .former_of(&self.context, &self.namespace)
            .filter(|former| former.status == "True")
            .and_then(|former| former.content_mark.as_deref());
        let Some(known) = known else { return false };
        let was_there = |uid: &str| {
            let mut marks = known.split(' ').filter_map(|mark| mark.split_once('/'));
            // Of somebody else's Secret nobody can say that it is lost: no watch lists it.
            marks.any(|(of, version)| of == uid && !version.starts_with('='))
        };
        let mut made = self
            .steps
            .iter()
            .flatten()
            .filter(|step| matches!(step.act, CopyAct::Create { .. }));
        made.any(|step| {
            let mut sources = facts.sources.iter();
            sources.any(|source| source.name == step.source && was_there(&source.uid))
        })
    }
}

impl Step {
    /// One sentence for logs, events and people; none where nothing is done.
    #[must_use]
    pub fn sentence(&self, target: &TargetPlan) -> Option<String> {
        let place = format!(
            "{}/{} in {}",
            target.namespace,
            self.name,
            plane_named(&target.context)
        );
        match &self.act {
            CopyAct::Keep { .. } => None,
            CopyAct::Create { .. } => Some(format!("Copy Secret {} to {place}", self.source)),
            CopyAct::Write { .. } => Some(format!(
                "Bring copy {place} up to date with Secret {}",
                self.source
            )),
            CopyAct::Refuse(held) => Some(held.message.clone()),
        }
    }
}

/// Decides for every target, in the order of the spec. Nothing that is wrong in one changes another.
#[must_use]
pub fn plan(facts: &ReplicationFacts) -> Vec<TargetPlan> {
    let mut taken = BTreeMap::new();
    let mut plans = Vec::new();
    for target in &facts.targets {
        let context = target.context().to_owned();
        let namespace = facts.namespace_of(target);
        let seen = facts
            .plane(&context)
            .ok()
            .and_then(|plane| plane.id_in(&namespace))
            .cloned();
        let steps = steps(facts, target, &namespace, seen.as_ref(), &mut taken);
        plans.push(TargetPlan {
            context,
            namespace,
            plane: seen,
            steps,
        });
    }
    plans
}

/// Which source a copy's place has been given to: by plane, namespace and name.
type Taken = BTreeMap<(String, String, String), String>;

fn steps(
    facts: &ReplicationFacts,
    target: &ReplicationTarget,
    namespace: &str,
    id: Option<&PlaneId>,
    taken: &mut Taken,
) -> Result<Vec<Step>, Held> {
    let selected = facts.selector.as_ref().map_err(|message| Held {
        holds: Some(false),
        reason: reason::INVALID_SPEC.to_owned(),
        message: message.clone(),
    })?;
    granted(facts, target.context(), namespace)?;
    let copies = reachable(facts, target.context(), namespace, id)?;
    if facts.sources.is_empty() {
        return Err(without_source(facts, selected.is_some(), namespace, copies));
    }
    let plane = id.map_or_else(|| target.context().to_owned(), ToString::to_string);
    let steps = facts.sources.iter().filter_map(|source| {
        let name = match copy::name(&facts.identity, target, source) {
            Ok(name) => name,
            Err(held) => {
                return Some(Step {
                    source: source.name.clone(),
                    name: source.name.clone(),
                    act: CopyAct::Refuse(held),
                });
            }
        };
        if is_loop(facts, target, namespace, id, source, &name) {
            return None;
        }
        let destination = (plane.clone(), namespace.to_owned(), name.clone());
        let first = taken
            .entry(destination)
            .or_insert_with(|| source.name.clone())
            .clone();
        let act = if first == source.name {
            act(facts, target, namespace, copies, source, &name)
        } else {
            CopyAct::Refuse(collision(namespace, &name, &first, &source.name))
        };
        Some(Step {
            source: source.name.clone(),
            name,
            act,
        })
    });
    Ok(steps.collect())
}

fn act(
    facts: &ReplicationFacts,
    target: &ReplicationTarget,
    namespace: &str,
    copies: &[SecretView],
    source: &SecretView,
    name: &str,
) -> CopyAct {
    if let Some(held) = copy::forbidden(source) {
        return CopyAct::Refuse(held);
    }
    let Some(found) = copies
        .iter()
        .find(|copy| copy.namespace == namespace && copy.name == name)
    else {
        let former = facts.former_of(target.context(), namespace);
        // What is there and not listed is no copy of ours; whoever saw it once expects to see it again.
        let foreign = |condition: &ReplicationCondition| {
            condition.reason.as_deref() == Some(reason::NOT_OWNED)
                || condition
                    .content_mark
                    .as_deref()
                    .is_some_and(|mark| mark.contains("/="))
        };
        return CopyAct::Create {
            look_first: former.is_some_and(foreign),
        };
    };
    match judge(&facts.identity, source, found) {
        Verdict::Equal { mark } => CopyAct::Keep { mark },
        Verdict::Write => CopyAct::Write {
            uid: found.uid.clone(),
            resource_version: found.resource_version.clone(),
        },
        Verdict::Refused(held) => CopyAct::Refuse(held),
    }
}

/// Copies that are there when a grant goes stay as they are.
fn granted(facts: &ReplicationFacts, context: &str, namespace: &str) -> Result<(), Held> {
    let grants = facts.grants.get(context);
    let from = &facts.identity.namespace;
    match grants.and_then(|grants| grants::denied(grants, context, from, namespace)) {
        None => Ok(()),
        Some(denied) => Err(Held {
            holds: Some(false),
            reason: denied.reason.to_owned(),
            message: format!("No Secret is copied: {}.", denied.message),
        }),
    }
}

/// The copies in the plane of a target, if it can be worked in, and is the one where copies were made before.
fn reachable<'a>(
    facts: &'a ReplicationFacts,
    context: &str,
    namespace: &str,
    id: Option<&PlaneId>,
) -> Result<&'a [SecretView], Held> {
    let plane = facts.plane(context).map_err(Held::unknown)?;
    let copies = plane.copies.as_ref().map_err(Held::unknown)?;
    let Some(id) = id else {
        let message = format!(
            "{} has not said yet which cluster it is. No Secret is sent before.",
            plane_named(context)
        );
        return Err(Held {
            holds: None,
            reason: reason::PLANE_UNREACHABLE.to_owned(),
            message,
        });
    };
    let former = facts
        .former_of(context, namespace)
        .and_then(|condition| condition.plane_id.clone())
        .map(PlaneId);
    let Some(former) = former.filter(|former| former.compare(id) != SamePlane::Yes) else {
        return Ok(copies);
    };
    let message = format!(
        "Context {context} leads to the cluster {id} now, and copies were made in {former}: no Secret is sent there. \
         Correct the ClientConfig, or take the target out of the list once and put it back."
    );
    let holds = if former.compare(id) == SamePlane::No {
        Some(false)
    } else {
        None
    };
    Err(Held {
        holds,
        reason: reason::PLACEMENT_CHANGED.to_owned(),
        message,
    })
}

fn without_source(facts: &ReplicationFacts, selects: bool, namespace: &str, copies: &[SecretView]) -> Held {
    let left = copies.iter().filter(|copy| copy.namespace == namespace).count();
    let kept = if left == 0 {
        String::new()
    } else {
        format!(
            " {left} copies in namespace {namespace} are kept; delete them, or the ReplicatedSecret, to be rid of them."
        )
    };
    let message = if selects {
        format!(
            "No Secret in namespace {} has the labels of spec.selector.{kept}",
            facts.identity.namespace
        )
    } else {
        format!("spec.selector is not given, and so selects nothing.{kept}")
    };
    Held {
        holds: Some(false),
        reason: reason::SOURCE_MISSING.to_owned(),
        message,
    }
}

/// A copy that is the source itself, or would be a source in its turn.
fn is_loop(
    facts: &ReplicationFacts,
    target: &ReplicationTarget,
    namespace: &str,
    id: Option<&PlaneId>,
    source: &SecretView,
    name: &str,
) -> bool {
    if namespace != facts.identity.namespace || !facts.is_control_plane(target.context(), id) {
        return false;
    }
    let selected = |labels| matches!(&facts.selector, Ok(Some(selector)) if selector.matches(&labels));
    name == source.name || selected(copy::wanted_labels(target, source))
}

fn collision(namespace: &str, name: &str, first: &str, second: &str) -> Held {
    let message = format!(
        "Secrets {first} and {second} would both be copied to {namespace}/{name}: only {first} is. Give one of the \
         targets another targetPrefix."
    );
    Held {
        holds: Some(false),
        reason: reason::TARGET_COLLISION.to_owned(),
        message,
    }
}

#[cfg(test)]
mod tests;
