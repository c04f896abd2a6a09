//! One condition for each target, in the order of the targets; the times are the caller's.

use api::conditions;
use api::names::{condition as types, reason};
use api::replicated_secret::ReplicationCondition;

use super::acts::{Held, TargetPlan};
use super::facts::ReplicationFacts;

/// Longest list of versions that is written out.
const MOST_VERSIONS: usize = 16;

/// How one copy is, after its step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has this version of its source.
    Done {
        /// See [`super::copy::mark`].
        mark: String,
    },
    /// It is not as it should be.
    Failed(Held),
    /// Its plane has not answered yet.
    Pending,
}

/// The conditions, without times. `outcomes[i]` has one entry for each step of `plans[i]`. What [`super::prune()`] waits
/// for comes after the targets.
#[must_use]
pub fn conditions(
    facts: &ReplicationFacts,
    plans: &[TargetPlan],
    outcomes: &[Vec<Outcome>],
    waits: &[ReplicationCondition],
) -> Vec<ReplicationCondition> {
    let none = Vec::new();
    let of_targets = plans.iter().enumerate().map(|(index, plan)| {
        let outcomes = outcomes.get(index).unwrap_or(&none);
        let former = facts.former_of(&plan.context, &plan.namespace);
        of_target(facts, plan, outcomes, former)
    });
    of_targets.chain(waits.iter().cloned()).collect()
}

fn of_target(
    facts: &ReplicationFacts,
    plan: &TargetPlan,
    outcomes: &[Outcome],
    former: Option<&ReplicationCondition>,
) -> ReplicationCondition {
    let held = match &plan.steps {
        Err(held) => Some((held, 0)),
        Ok(_) => first_failure(outcomes),
    };
    // An id that the status remembers stays there while the context leads elsewhere.
    let moved = held.is_some_and(|(held, _)| held.reason == reason::PLACEMENT_CHANGED);
    let remembered = former.and_then(|former| former.plane_id.clone());
    let seen = plan.plane.as_ref().map(|id| id.0.clone());
    let base = ReplicationCondition {
        cluster: plan.context.clone(),
        namespace: Some(plan.namespace.clone()),
        plane_id: if moved { remembered } else { seen.or(remembered) },
        ..condition(None)
    };
    let known_mark = || former.and_then(|former| former.content_mark.clone());
    if let Some((held, more)) = held {
        let more = if more == 0 {
            String::new()
        } else {
            format!(" ({more} more Secrets are not copied either.)")
        };
        let status = conditions::status(held.holds).to_owned();
        return ReplicationCondition {
            content_mark: if held.holds.is_none() { known_mark() } else { None },
            message: Some(format!("{}{more}", held.message)),
            reason: Some(held.reason.clone()),
            status,
            ..base
        };
    }
    let pending = outcomes.contains(&Outcome::Pending);
    if pending && plan.has_lost_a_copy(facts) {
        return ReplicationCondition {
            reason: Some(reason::PROGRESSING.to_owned()),
            message: Some("A copy is not there any more, and is being written again.".to_owned()),
            status: conditions::status(Some(false)).to_owned(),
            ..base
        };
    }
    if pending {
        // Until the plane has answered, what was said before is the best that is known.
        return former.cloned().unwrap_or_else(|| ReplicationCondition {
            reason: Some(reason::PROGRESSING.to_owned()),
            message: Some("Copies are being written.".to_owned()),
            ..base
        });
    }
    ReplicationCondition {
        content_mark: Some(versions(outcomes)).filter(|mark| !mark.is_empty()),
        message: Some(as_specified(facts, outcomes.len())),
        reason: Some(reason::AS_SPECIFIED.to_owned()),
        status: conditions::status(Some(true)).to_owned(),
        ..base
    }
}

fn as_specified(facts: &ReplicationFacts, copies: usize) -> String {
    match (copies, facts.sources.len()) {
        (0, _) => "Every selected Secret is in its place already: source and copy are one.".to_owned(),
        (1, _) => "The selected Secret is there.".to_owned(),
        _ => "Every selected Secret is there.".to_owned(),
    }
}

fn first_failure(outcomes: &[Outcome]) -> Option<(&Held, usize)> {
    let mut failures = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Failed(held) => Some(held),
        _ => None,
    });
    let first = failures.next()?;
    Some((first, failures.count()))
}

/// The versions that the copies have, in the order of the sources' names; of very many only how many.
fn versions(outcomes: &[Outcome]) -> String {
    let marks = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Done { mark } => Some(mark.as_str()),
        _ => None,
    });
    let marks: Vec<_> = marks.collect();
    if marks.len() <= MOST_VERSIONS {
        return marks.join(" ");
    }
    crate::hash::of(&marks.join(" ").into())
}

/// Whether a condition with these marks tells of a copy of the Secret with this uid. Of very many it only counts.
#[must_use]
pub fn is_copy_of(marks: &str, uid: &str) -> bool {
    let mut each = marks
        .split(' ')
        .map(|mark| mark.split_once('/').map(|(of, _)| of));
    each.any(|of| of.is_none_or(|of| of == uid))
}

pub(super) fn condition(holds: Option<bool>) -> ReplicationCondition {
    ReplicationCondition {
        status: conditions::status(holds).to_owned(),
        type_: types::REPLICATION.to_owned(),
        ..ReplicationCondition::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::acts::plan;
    use super::super::fixtures::{dead, done, facts};
    use super::*;

    fn made(facts: &ReplicationFacts, outcomes: &[Vec<Outcome>]) -> Vec<ReplicationCondition> {
        conditions(facts, &plan(facts), outcomes, &[])
    }

    fn ok() -> Vec<Outcome> {
        vec![Outcome::Done {
            mark: "s-1/10".into(),
        }]
    }

    fn failed(reason: &str) -> Vec<Outcome> {
        vec![Outcome::Failed(Held {
            holds: Some(false),
            reason: reason.into(),
            message: "no".into(),
        })]
    }

    #[test]
    fn conditions_stand_in_the_order_of_the_targets_and_name_plane_namespace_and_version() {
        let conditions = made(&facts(), &[ok(), ok()]);
        let mut expected = done("east", "id-east");
        expected.message = Some("The selected Secret is there.".into());
        assert_eq!(conditions[0], expected);
        assert_eq!(conditions[1].cluster, "west");
    }

    #[test]
    fn one_failure_is_one_targets_business() {
        let conditions = made(&facts(), &[failed("NotOwned"), ok()]);
        assert_eq!(
            (conditions[0].status.as_str(), conditions[0].reason.as_deref()),
            ("False", Some("NotOwned"))
        );
        assert_eq!(conditions[0].content_mark, None);
        assert_eq!(conditions[1].status, "True");
    }

    #[test]
    fn a_target_that_has_not_answered_keeps_its_word() {
        let mut facts = facts();
        facts.former = vec![done("east", "id-east")];
        let mut edited = super::super::fixtures::copy();
        edited.content = super::super::fixtures::content(2);
        let east = super::super::fixtures::plane("id-east", &[edited]);
        facts.planes.insert("east".into(), east);
        let conditions = made(&facts, &[vec![Outcome::Pending], vec![Outcome::Pending]]);
        assert_eq!(conditions[0], done("east", "id-east"));
        assert_eq!(
            (conditions[1].status.as_str(), conditions[1].reason.as_deref()),
            ("Unknown", Some("Progressing"))
        );
    }

    /// A datacenter that is made, or was given up, waits for just that copy.
    #[test]
    fn a_target_that_has_lost_its_copy_says_so_before_it_is_written_again() {
        let mut facts = facts();
        facts.former = vec![done("east", "id-east"), done("west", "id-west")];
        let east = super::super::fixtures::plane("id-east", &[super::super::fixtures::copy()]);
        facts.planes.insert("east".into(), east);
        let lost: Vec<bool> = plan(&facts).iter().map(|it| it.has_lost_a_copy(&facts)).collect();
        assert_eq!(lost, [false, true]);
        let conditions = made(&facts, &[ok(), vec![Outcome::Pending]]);
        assert_eq!(conditions[0].status, "True");
        assert_eq!(
            (conditions[1].status.as_str(), conditions[1].reason.as_deref()),
            ("False", Some("Progressing"))
        );
        // A Secret of somebody else that is as good as a copy is listed by no watch: it has to be looked at, and is not lost.
        facts.former[1].content_mark = Some("s-1/=12".into());
        assert!(!plan(&facts)[1].has_lost_a_copy(&facts));
        facts.former[1].content_mark = Some("s-1/10".into());
        // A further Secret of the user's is not missing before it was ever there.
        facts.sources[0].uid = "s-2".into();
        assert!(!plan(&facts)[1].has_lost_a_copy(&facts));
    }

    #[test]
    fn a_dead_plane_is_unknown_and_its_id_and_version_are_remembered() {
        let mut facts = facts();
        facts.former = vec![done("east", "id-east")];
        facts.planes.insert("east".into(), Err(dead("east")));
        let conditions = made(&facts, &[vec![], ok()]);
        assert_eq!(
            (conditions[0].status.as_str(), conditions[0].reason.as_deref()),
            ("Unknown", Some("PlaneUnreachable"))
        );
        assert_eq!(conditions[0].plane_id.as_deref(), Some("id-east"));
        assert_eq!(conditions[0].content_mark.as_deref(), Some("s-1/10"));
    }

    #[test]
    fn the_former_plane_stays_remembered_while_the_context_leads_elsewhere() {
        let mut facts = facts();
        facts.former = vec![done("east", "id-old")];
        let conditions = made(&facts, &[vec![], ok()]);
        assert_eq!(conditions[0].plane_id.as_deref(), Some("id-old"));
        assert_eq!(conditions[0].status, "False");
    }

    #[test]
    fn very_many_versions_become_a_digest_of_them() {
        let many = (0..17)
            .map(|n| Outcome::Done {
                mark: format!("s-{n}/1"),
            })
            .collect::<Vec<_>>();
        assert_eq!(versions(&many[..2]), "s-0/1 s-1/1");
        assert_eq!(versions(&many).len(), 44);
    }
}
