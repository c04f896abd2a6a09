//! Whether a plane is usable, and who it is: what a `ClientConfig` is told about itself.

use api::client_config::ClientConfigStatus;
use api::conditions::{Condition, find};
use api::names::{condition, reason};
use api::seen::Unknown;

/// Condition: the plane's API server answers.
pub const REACHABLE: &str = "Reachable";
/// Condition, only there while it holds: another context leads to the same cluster.
pub const DUPLICATE_CLUSTER: &str = "DuplicateCluster";
/// Reason: the credentials in the kubeconfig have ended.
pub const CREDENTIALS_EXPIRED: &str = "CredentialsExpired";

/// What became of the kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// It has not been seen yet.
    Waiting,
    /// It gives no plane: a reason of the closed list, and a sentence with the way out.
    Refused {
        /// E.g. `SecretMissing`.
        reason: String,
        /// Names object, field and way out.
        message: String,
    },
    /// It gives a plane.
    Accepted,
}

/// Whether the plane answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answers {
    /// It has not been heard of yet.
    NotYet,
    /// It does.
    Yes,
    /// It does not.
    No(Unknown),
}

/// What was seen of one `ClientConfig` and its plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts<'a> {
    /// Generation of the `ClientConfig`.
    pub generation: Option<i64>,
    /// Name of its context.
    pub context: &'a str,
    /// Of its kubeconfig.
    pub credentials: Credentials,
    /// Of its plane.
    pub answers: Answers,
    /// Why cass-operator's datacenters cannot be watched there: `None` = they can.
    pub blind: Option<Unknown>,
    /// Whether an end of the credentials that they tell themselves has passed.
    pub expired: bool,
    /// UID of `kube-system`.
    pub plane_id: Option<String>,
    /// Version of the API server.
    pub server_version: Option<String>,
    /// Version of cass-operator.
    pub cass_operator_version: Option<String>,
    /// Other contexts that lead to a cluster of the same id, in order.
    pub twins: Vec<String>,
    /// The status as it was last written.
    pub former: Option<&'a ClientConfigStatus>,
}

/// The status that the facts make, without times; `None` while too little is known to say anything new.
///
/// A plane that does not answer keeps what it last said of itself, and the words that it was first told: they differ
/// from try to try.
#[must_use]
pub fn verdict(facts: &Facts<'_>) -> Option<ClientConfigStatus> {
    let (reachable, usable) = match (&facts.credentials, &facts.answers) {
        (Credentials::Waiting, _) | (Credentials::Accepted, Answers::NotYet) => return None,
        (Credentials::Refused { reason, message }, _) => {
            let unknown = Condition::new(
                REACHABLE,
                None,
                reason,
                "It is not asked: its kubeconfig is refused.",
            );
            (
                unknown,
                Condition::new(condition::USABLE, Some(false), reason, message),
            )
        }
        (Credentials::Accepted, Answers::No(why)) => lost(facts, why),
        (Credentials::Accepted, Answers::Yes) => (answers(facts), usable(facts)?),
    };
    let mut status = ClientConfigStatus {
        conditions: vec![reachable, usable],
        observed_generation: facts.generation,
        plane_id: facts.plane_id.clone(),
        server_version: facts.server_version.clone(),
        cass_operator_version: facts.cass_operator_version.clone(),
        ..ClientConfigStatus::default()
    };
    if let (Answers::No(_), Some(former)) = (&facts.answers, facts.former) {
        status.plane_id = status.plane_id.or_else(|| former.plane_id.clone());
        status.server_version = status.server_version.or_else(|| former.server_version.clone());
        status.cass_operator_version = status
            .cass_operator_version
            .or_else(|| former.cass_operator_version.clone());
    }
    if !facts.twins.is_empty() {
        status.conditions.push(twins(facts));
    }
    for condition in &mut status.conditions {
        condition.observed_generation = facts.generation;
        keep_words(condition, facts.former);
    }
    status.conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
    Some(status)
}

fn answers(facts: &Facts<'_>) -> Condition {
    let message = format!("Plane {} answers.", facts.context);
    Condition::new(REACHABLE, Some(true), reason::AS_SPECIFIED, message)
}

/// A plane that answers, and what is missing there. `None` while its watch has not been heard of.
fn usable(facts: &Facts<'_>) -> Option<Condition> {
    let Some(why) = &facts.blind else {
        let message = format!("Plane {} can be used.", facts.context);
        return Some(Condition::new(
            condition::USABLE,
            Some(true),
            reason::AS_SPECIFIED,
            message,
        ));
    };
    let forbidden = why.reason == reason::PLANE_FORBIDDEN;
    if !forbidden && why.reason != reason::CASS_OPERATOR_MISSING {
        // It answers, and the watch is on its way or fails for a moment: what was said before stays.
        return None;
    }
    let way_out = if forbidden {
        " Give its account the rights of the shipped role."
    } else {
        ""
    };
    let message = format!("{}{way_out}", why.message);
    Some(Condition::new(
        condition::USABLE,
        Some(false),
        &why.reason,
        message,
    ))
}

fn lost(facts: &Facts<'_>, why: &Unknown) -> (Condition, Condition) {
    if facts.expired && why.reason == reason::PLANE_FORBIDDEN {
        let message = format!(
            "The credentials of plane {} have ended. Put a kubeconfig with fresh ones into the Secret.",
            facts.context
        );
        let of = |type_| Condition::new(type_, Some(false), CREDENTIALS_EXPIRED, message.clone());
        return (of(REACHABLE), of(condition::USABLE));
    }
    let of = |type_| Condition::new(type_, Some(false), &why.reason, why.message.clone());
    (of(REACHABLE), of(condition::USABLE))
}

fn twins(facts: &Facts<'_>) -> Condition {
    let shown: Vec<&str> = facts.twins.iter().take(3).map(String::as_str).collect();
    let message = format!(
        "The same cluster is known by another context too: {}. Both can be used; delete one ClientConfig if that is not meant.",
        shown.join(", ")
    );
    Condition::new(DUPLICATE_CLUSTER, Some(true), DUPLICATE_CLUSTER, message)
}

/// The words of a failure stay as long as its reason does.
fn keep_words(condition: &mut Condition, former: Option<&ClientConfigStatus>) {
    let old = former.and_then(|former| find(&former.conditions, &condition.type_));
    let same = |old: &&Condition| {
        old.status == condition.status
            && old.reason == condition.reason
            && old.observed_generation == condition.observed_generation
    };
    let Some(old) = old.filter(same) else { return };
    if condition.reason.as_deref() == Some(reason::PLANE_UNREACHABLE) {
        condition.message.clone_from(&old.message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable_plane() -> Facts<'static> {
        Facts {
            generation: Some(2),
            context: "east",
            credentials: Credentials::Accepted,
            answers: Answers::Yes,
            blind: None,
            expired: false,
            plane_id: Some("id".into()),
            server_version: Some("v1.35.4".into()),
            cass_operator_version: Some("v1.31.0".into()),
            twins: vec![],
            former: None,
        }
    }

    fn why(reason: &str, message: &str) -> Unknown {
        Unknown {
            context: "east".into(),
            reason: reason.into(),
            message: message.into(),
        }
    }

    fn told(facts: &Facts<'_>, type_: &str) -> (String, String, String) {
        let status = verdict(facts).unwrap();
        let condition = find(&status.conditions, type_).unwrap().clone();
        (
            condition.status,
            condition.reason.unwrap(),
            condition.message.unwrap(),
        )
    }

    #[test]
    fn a_plane_that_answers_and_runs_cass_operator_is_usable() {
        let status = verdict(&usable_plane()).unwrap();
        assert_eq!(status.plane_id.as_deref(), Some("id"));
        assert_eq!(status.server_version.as_deref(), Some("v1.35.4"));
        assert_eq!(status.observed_generation, Some(2));
        assert!(
            status
                .conditions
                .iter()
                .all(|condition| condition.holds() == Some(true))
        );
        assert!(
            status
                .conditions
                .iter()
                .all(|condition| condition.observed_generation == Some(2))
        );
    }

    #[test]
    fn nothing_is_said_while_nothing_is_known() {
        assert_eq!(
            verdict(&Facts {
                credentials: Credentials::Waiting,
                ..usable_plane()
            }),
            None
        );
        assert_eq!(
            verdict(&Facts {
                answers: Answers::NotYet,
                ..usable_plane()
            }),
            None
        );
        let starting = Some(why(reason::PLANE_UNREACHABLE, "has not been listed yet"));
        assert_eq!(
            verdict(&Facts {
                blind: starting,
                ..usable_plane()
            }),
            None
        );
    }

    #[test]
    fn a_refused_kubeconfig_is_told_in_its_own_words() {
        let credentials = Credentials::Refused {
            reason: "ExecRefused".into(),
            message: "no exec".into(),
        };
        let facts = Facts {
            credentials,
            plane_id: None,
            server_version: None,
            ..usable_plane()
        };
        assert_eq!(
            told(&facts, "Usable"),
            ("False".into(), "ExecRefused".into(), "no exec".into())
        );
        assert_eq!(told(&facts, "Reachable").0, "Unknown");
    }

    #[test]
    fn a_plane_without_cass_operator_answers_and_is_not_usable() {
        let facts = Facts {
            blind: Some(why(reason::CASS_OPERATOR_MISSING, "install it")),
            ..usable_plane()
        };
        assert_eq!(
            told(&facts, "Usable"),
            ("False".into(), "CassOperatorMissing".into(), "install it".into())
        );
        assert_eq!(told(&facts, "Reachable").0, "True");
    }

    #[test]
    fn a_plane_that_forbids_says_the_way_out() {
        let facts = Facts {
            blind: Some(why(reason::PLANE_FORBIDDEN, "forbids.")),
            ..usable_plane()
        };
        let (status, reason, message) = told(&facts, "Usable");
        assert_eq!((&*status, &*reason), ("False", "PlaneForbidden"));
        assert!(message.contains("rights"));
    }

    #[test]
    fn a_lost_plane_keeps_what_it_said_of_itself_and_the_first_words() {
        let lost = |message| Answers::No(why(reason::PLANE_UNREACHABLE, message));
        let first = verdict(&Facts {
            answers: lost("connection refused"),
            ..usable_plane()
        })
        .unwrap();
        let later = Facts {
            answers: lost("no answer in time"),
            plane_id: None,
            server_version: None,
            cass_operator_version: None,
            former: Some(&first),
            ..usable_plane()
        };
        assert_eq!(verdict(&later), Some(first.clone()));
        assert_eq!(told(&later, "Usable").2, "connection refused");
    }

    #[test]
    fn a_watch_that_fails_for_a_moment_changes_nothing_that_was_said() {
        let before = verdict(&usable_plane()).unwrap();
        let blind = Some(why(reason::PLANE_UNREACHABLE, "watch failed"));
        let facts = Facts {
            blind,
            former: Some(&before),
            ..usable_plane()
        };
        assert_eq!(verdict(&facts), None);
    }

    #[test]
    fn credentials_that_have_ended_are_told_only_once_they_are_rejected() {
        let rejected = Answers::No(why(reason::PLANE_FORBIDDEN, "does not accept"));
        let facts = Facts {
            answers: rejected.clone(),
            expired: true,
            ..usable_plane()
        };
        assert_eq!(told(&facts, "Usable").1, CREDENTIALS_EXPIRED);
        let facts = Facts {
            answers: rejected,
            ..usable_plane()
        };
        assert_eq!(told(&facts, "Usable").1, "PlaneForbidden");
        assert_eq!(
            told(
                &Facts {
                    expired: true,
                    ..usable_plane()
                },
                "Usable"
            )
            .0,
            "True"
        );
    }

    #[test]
    fn two_contexts_of_one_cluster_are_both_usable_and_told() {
        let facts = Facts {
            twins: vec!["west".into()],
            ..usable_plane()
        };
        assert_eq!(told(&facts, "Usable").0, "True");
        let (status, _, message) = told(&facts, DUPLICATE_CLUSTER);
        assert_eq!(status, "True");
        assert!(message.contains("west"));
        assert!(find(&verdict(&usable_plane()).unwrap().conditions, DUPLICATE_CLUSTER).is_none());
    }
}
